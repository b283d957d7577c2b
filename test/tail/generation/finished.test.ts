/** Files that are finished, with a clock that can be moved forward: a rotated file is given up after half a minute. */
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { scratch } from '../../scratch.ts'
import { room, source } from '../rig.ts'

let ahead = 0
const now = performance.now.bind(performance)
performance.now = () => now() + ahead

t.test(
  'a finished file that comes back under a followed name is not read again, unless it is another by then',
  async t => {
    const dir = scratch(t)
    const [log, away] = [join(dir, 'app.log'), join(dir, 'away')]
    mkdirSync(join(dir, 'state'))
    writeFileSync(log, 'a1\na2\n')
    const r = await room(t, { sources: [source(join(dir, '*.log'))], state: join(dir, 'state') })
    await r.came(2)
    const leave = async (): Promise<void> => {
      renameSync(log, away)
      t.ok(await r.until(() => [...r.tail.tailers][0]?.state.kind === 'rotated'))
      ahead += 31_000
      t.ok(await r.until(() => [...r.tail.tailers].length === 0), 'its handle is given back')
    }
    await leave()
    renameSync(away, log)
    t.ok(await r.until(() => [...r.tail.tailers].length === 1))
    appendFileSync(log, 'a3\n')
    t.strictSame(await r.came(3), ['a1', 'a2', 'a3'])
    t.equal(r.lines[2]!.generation, r.lines[0]!.generation)
    await leave()
    writeFileSync(away, 'b1\nb2\nb3\n')
    renameSync(away, log)
    t.strictSame(await r.came(6), ['a1', 'a2', 'a3', 'b1', 'b2', 'b3'])
    t.not(r.lines[3]!.generation, r.lines[0]!.generation, 'its ids are not used again')
    await leave()
    await r.stop()
    renameSync(away, log)
    const next = await room(t, { sources: [source(join(dir, '*.log'))], state: join(dir, 'state') })
    t.strictSame(await next.came(1, 0.3), [], 'nor after a restart')
  },
)

t.test('what is lost before a kill is not counted again after it', async t => {
  const dir = scratch(t)
  for (const directory of ['logs', 'state']) mkdirSync(join(dir, directory))
  const log = join(dir, 'logs', 'app.log')
  const options = { sources: [source(log)], state: join(dir, 'state') }
  const size = 3_000_000
  writeFileSync(log, `${'x'.repeat(99)}\n`.repeat(size / 100))
  const before = await room(t, options)
  before.holding = true
  t.ok(await before.until(() => before.statement().read.bytes > 0))
  // Emptied while part of it is in flight and the rest was never read.
  writeFileSync(log, '')
  t.ok(await before.until(() => before.statement().lostBytes > 0))
  const { lostBytes, inFlight } = before.statement()
  t.equal(lostBytes + inFlight.bytes, size)
  await before.stop(false)
  const after = await room(t, options)
  t.ok(await after.until(() => after.statement().lostBytes > lostBytes), 'what was in flight is lost as well')
  t.equal(after.statement().lostBytes, size, 'and everything is counted once')
})
