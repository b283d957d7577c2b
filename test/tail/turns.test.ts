/** However many files there are, no turn of the loop takes long. By a clock that is handed in: these are alone in the process. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { scratch } from '../scratch.ts'
import { room, source } from './rig.ts'

t.test('at the end all files are looked at and taken up, some in each turn', async t => {
  const dir = scratch(t)
  const r = await room(t, { sources: [source(join(dir, '*.log'))] })
  for (let n = 0; n < 40; n++) writeFileSync(join(dir, `${n}.log`), `line ${n}`)
  const { now } = performance
  t.teardown(() => {
    performance.now = now
  })
  // Each time it is asked for, a turn's time has passed.
  let passed = 0
  performance.now = () => now.call(performance) + (passed += 50)
  r.tail.finish()
  let looks = 0
  for (; r.tail.look() && looks < 1000; looks++) await new Promise(setImmediate)
  performance.now = now
  t.ok(looks > 4, `${looks} turns`)
  t.equal((await r.came(40)).length, 40)
})
