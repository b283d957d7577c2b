/** The same as test/process/time/luxon.test.ts, with more instants than the fast tests have time for. */
import t from 'tap'
import { Clock, READ } from '../process/time/clock.ts'
import { readInstants } from '../process/time/luxon.ts'

const SEED = Number(process.env['SEED'] ?? (Date.now() ^ (process.pid << 16)) >>> 0)

t.test('100,000 instants in every format and zone are read as luxon writes them', t => {
  t.doesNotThrow(() => readInstants(new Clock(), 100_000, SEED, READ))
  t.end()
})
