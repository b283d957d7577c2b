/** Times as the kernel writes them, each behind another one. */
import fc from 'fast-check'
import t from 'tap'
import { Kernel } from '../../src/kernel/kernel.ts'

const kernel = Kernel.create(64 * 1024)
const SECOND = 1_000_000_000n

function written(nanos: bigint): string {
  const [ends, start, out] = [kernel.arena, kernel.arena + 64, kernel.arena + 4096]
  kernel.template([{ kind: 'time', as: 'rfc3339', fallback: nanos }], 'bytes', Buffer.alloc(0))
  kernel.bytes.writeUInt32LE(start, ends)
  const frames = { ends, first: 0, count: 1, start, out, limit: out + 100, repair: false, atFileStart: false }
  kernel.render({ ...frames, rows: 0, rowBytes: 0 })
  return kernel.bytes.toString('latin1', out, kernel.end)
}

/** To the millisecond, or to the nanosecond if there is more. */
function plainly(nanos: bigint): string {
  const rest = ((nanos % SECOND) + SECOND) % SECOND
  const text = new Date(Number((nanos - rest) / SECOND) * 1000).toISOString().slice(0, 20)
  const digits = rest.toString().padStart(9, '0')
  return `${text}${digits.endsWith('000000') ? digits.slice(0, 3) : digits}Z`
}

t.test('a time is written whole, whatever minute was written before', async () => {
  const near = fc.integer({ min: -100, max: 100 }).map(seconds => 1_709_164_800 + seconds)
  const any = fc.integer({ min: -9_000_000_000, max: 9_000_000_000 })
  const rest = fc.oneof(
    fc.integer({ min: 0, max: 999 }).map(ms => ms * 1_000_000),
    fc.integer({ min: 0, max: 999_999_999 }),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.oneof(near, near, any), rest), { minLength: 2 }), times => {
      for (const [seconds, below] of times) {
        const nanos = BigInt(seconds) * SECOND + BigInt(below)
        const [is, should] = [written(nanos), plainly(nanos)]
        if (is !== should) throw new Error(`${is} instead of ${should}`)
      }
    }),
    { numRuns: 2000 },
  )
})
