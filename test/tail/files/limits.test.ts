import t from 'tap'
import { limitsFor } from '../../../src/tail/files/limits.ts'
import { FLAGS } from '../../support/image.ts'

const MIB = 2 ** 20

/** What V8 says its heap may be with the flags of the image: the old generation, and three times half of the young one. */
const HEAP = FLAGS.reduce((sum, flag) => {
  const [, old] = /^--max-old-space-size=(\d+)$/.exec(flag) ?? []
  const [, young] = /^--max-semi-space-size=(\d+)$/.exec(flag) ?? []
  return sum + Number(old ?? 0) + 3 * Number(young ?? 0)
}, 0)

t.test('what docs/limits.md promises fits into the limits of the image', t => {
  const { files, directories, all, directoriesOfAFile } = limitsFor(8 * MIB, HEAP * MIB, 128 * MIB)
  t.ok(files >= 7000, `${files} files`)
  t.ok(directories >= 14_000)
  t.ok(all >= 7000 + 14_000 / directoriesOfAFile, 'both at once')
  t.end()
})

t.test('the less memory there is, the fewer files and directories are known at a time, but always some', t => {
  const of = (container: number, heap = 4000) => limitsFor(8 * MIB, heap * MIB, container * MIB)
  for (const [more, less] of [
    [of(256), of(128)],
    [of(128), of(96)],
    [of(1024, 100), of(1024, 60)],
    [limitsFor(8 * MIB, 100 * MIB, 160 * MIB), limitsFor(64 * MIB, 100 * MIB, 160 * MIB)],
  ] as const) {
    t.ok(more.files > less.files, `${more.files} > ${less.files}`)
    t.ok(more.directories > less.directories)
  }
  t.ok(of(16).files >= 500)
  t.ok(of(16).watches >= 16)
  t.ok(limitsFor(8 * MIB, 4000 * MIB, undefined).files >= 100_000, 'without a limit it is bounded all the same')
  t.end()
})
