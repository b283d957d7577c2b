/** The volume: how full it is, and that a warning comes before it is full. */
import { appendFileSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Volume } from '../src/volume.ts'
import { scratch } from './scratch.ts'
import { Journal } from './tail/rig.ts'

const MIB = 1024 ** 2

function watched(t: Test, directories: readonly string[], limit: number) {
  const journal = new Journal()
  const volume = new Volume({ directories, limit, log: journal, every: 20 })
  volume.start()
  t.teardown(() => volume.stop())
  const until = async (holds: () => boolean): Promise<boolean> => {
    const end = performance.now() + 30_000
    while (!holds() && performance.now() < end) await new Promise(resolve => setTimeout(resolve, 5))
    return holds()
  }
  const bytes = () => volume.status?.bytes ?? -1
  const said = (sentence: string) => journal.said.filter(each => each.sentence === sentence).length
  return { volume, until, bytes, said }
}

t.test('every inode counts once, also below directories that lie in each other', async t => {
  const dir = scratch(t)
  mkdirSync(join(dir, 'state/pins'), { recursive: true })
  writeFileSync(join(dir, 'app.log'), Buffer.alloc(4 * MIB, 'x'))
  linkSync(join(dir, 'app.log'), join(dir, 'state/pins/p1'))
  const { bytes, until } = watched(t, [join(dir, 'state'), dir, dir], 100 * MIB)
  t.ok(await until(() => bytes() > 0))
  t.ok(bytes() >= 4 * MIB && bytes() < 4.5 * MIB, `${bytes()} bytes`)
})

t.test('what fills it is warned of once per level, and again after it was emptied', async t => {
  const dir = scratch(t)
  const log = join(dir, 'app.log')
  const filled = (mib: number) => writeFileSync(log, Buffer.alloc(mib * MIB, 'x'))
  filled(1)
  const { bytes, until, said, volume } = watched(t, [dir], 10 * MIB)
  t.ok(await until(() => bytes() >= MIB))
  t.equal(said('log volume is filling up'), 0)
  filled(8.2)
  t.ok(await until(() => said('log volume is filling up') === 1))
  filled(9.2)
  t.ok(await until(() => said('log volume is filling up') === 2))
  t.ok(await until(() => said('log volume will be full within ten minutes') === 1), 'in seconds, at this rate')
  t.ok(volume.status!.growth > 0)
  t.ok(volume.status!.secondsLeft! < 600)
  filled(1)
  t.ok(await until(() => bytes() < 2 * MIB))
  await new Promise(resolve => setTimeout(resolve, 100))
  filled(8.5)
  t.ok(await until(() => said('log volume is filling up') === 3))
})

t.test('directories that are not there, or go, are nothing', async t => {
  const dir = scratch(t)
  mkdirSync(join(dir, 'logs'))
  appendFileSync(join(dir, 'logs/a.log'), 'one\n')
  const { bytes, until } = watched(t, [join(dir, 'logs'), join(dir, 'never')], MIB)
  t.ok(await until(() => bytes() > 0))
  rmSync(join(dir, 'logs'), { recursive: true })
  t.ok(await until(() => bytes() === 0))
})
