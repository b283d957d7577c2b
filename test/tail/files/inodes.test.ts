/** The names in directories of any size are read in parts, and those of very large ones are never held together. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { namesIn, partsOf } from '../../../src/tail/files/inodes.ts'
import { scratch } from '../../scratch.ts'

t.test('every name of a directory comes once, however large it is', t => {
  const dir = scratch(t)
  // Where directories are as large as their names this one is large.
  for (let n = 0; n < 3000; n++) writeFileSync(join(dir, `${n}-${'x'.repeat(200)}`), '')
  const names = readdirSync(dir).sort()
  t.strictSame([...partsOf(dir)].flat().sort(), names)
  t.strictSame(namesIn(dir).sort(), names)
  t.end()
})

t.test('a directory that is gone has no names', t => {
  const dir = scratch(t)
  rmSync(dir, { recursive: true })
  t.strictSame(namesIn(dir), [])
  t.strictSame([...partsOf(dir)], [])
  t.end()
})
