import t from 'tap'
import { Clock, READ } from './clock.ts'
import { readInstants } from './luxon.ts'

const SEED = Number(process.env['SEED'] ?? (Date.now() ^ (process.pid << 16)) >>> 0)

t.test('every format of every zone is read as luxon writes it', t => {
  t.doesNotThrow(() => readInstants(new Clock(), 5200, SEED, READ))
  t.end()
})
