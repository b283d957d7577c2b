/** The numbers of docs/sizing.md: formulas near what was measured, and examples that can be computed by hand. */
import t from 'tap'
import {
  bytesPerSecond,
  catchUp,
  cpu,
  EXAMPLES,
  fleet,
  MEASURED,
  memoryLimit,
  size,
  volume,
} from '../../docs/generate/sizing.ts'
import { document } from './documents.ts'

const MIB = 1024 ** 2

t.test('what was measured is what profiling.md says', t => {
  t.strictSame(MEASURED, {
    idle: 0.0005,
    at: { 10: 0.011, 100: 0.011, 1000: 0.014 },
    lineBytes: 190,
    requests: 5.1,
    gzip: 4.1,
    plain: 2,
    busy: 0.093,
    down: 0.021,
    files: [21, 32],
  })
  t.end()
})

t.test('the formula of CPU time is within a quarter of every load that was measured', t => {
  const near = (found: number, measured: number, what: string): void =>
    void t.ok(Math.abs(found / measured - 1) < 0.25, `${what}: ${found} for ${measured}`)
  for (const lines of [10, 100, 1000] as const)
    near(cpu({ linesPerSecond: lines, lineBytes: MEASURED.lineBytes }), MEASURED.at[lines], `${lines} lines a second`)
  near(cpu({ linesPerSecond: 1, lineBytes: 20 * MIB }), MEASURED.busy, '20 MiB a second')
  t.equal(cpu({ linesPerSecond: 0, lineBytes: 190 }), MEASURED.idle)
  t.end()
})

t.test('the volume of the web server, by hand', t => {
  const web = EXAMPLES['a web server']!
  t.equal(bytesPerSecond(web), 19_000)
  const { unread, least, limit } = volume(web)
  t.equal(unread, 273_600_000, 'four hours of 19,000 bytes a second')
  t.equal(Math.round(least), 473_072_000, 'with 100 MiB beside it, at 80 %')
  t.equal(limit, 512 * MIB)
  t.equal(volume({ ...web, outage: 24 * 3600 }).limit, 3 * 1024 * MIB, 'above a GiB in whole ones')
  t.end()
})

t.test('an outage is made up for in a third of it at four times the rate, and in ten times it at 1.1 times', t => {
  t.equal(catchUp(3600, 4), 1200)
  t.equal(Math.round(catchUp(3600, 1.1)), 36_000)
  t.end()
})

t.test('what manifests ask for, for one pod and for 4,000', t => {
  const one = fleet(1, EXAMPLES['a web server']!)
  const all = fleet(4000, EXAMPLES['a web server']!)
  t.match(one, { cpuRequests: 0.01, memoryRequests: 64 * MIB, memoryLimits: 128 * MIB, requests: 5.1 })
  t.match(all, { cpuRequests: 40, memoryRequests: 250 * 1024 * MIB, requests: 20_400, bytes: 76_000_000 })
  t.ok(all.cpu > 44 && all.cpu < 45)
  t.equal(memoryLimit(8 * MIB), 128 * MIB)
  t.equal(memoryLimit(32 * MIB), 152 * MIB)
  t.equal(size(76_000_000), '72.5 MiB')
  t.end()
})

t.test('what the text repeats of profiling.md stands there', t => {
  const profiling = document('docs/development/profiling.md').text
  for (const said of ['from 1.1 to 0.8 % of a core', '| in the image | 23 | 33–35, 33 | 29 |', '| 445 | 278 |'])
    t.match(profiling, said)
  const limits = document('docs/limits.md').text.replaceAll(/\s+/g, ' ')
  for (const said of ['some 500 files', 'up to 6 KiB for each', 'with 128 MiB 7,000 files']) t.match(limits, said)
  t.end()
})
