import t from 'tap'
import { jsonRecord } from '../../src/backends/record.ts'
import { createStdout, stdoutSchema } from '../../src/backends/stdout.ts'
import type { Chunk } from '../../src/chunk.ts'
import { emptyOutcome } from '../../src/ledger.ts'

const chunk = (fields: Partial<Chunk> = {}): Chunk => ({
  owner: { settled: () => {} },
  origin: { source: 'app', path: '/var/log/"a".log', generation: 'a1b2c3d4e5f60718', labels: { team: 'ü\n' } },
  start: 5000,
  fileStart: 100,
  fileEnd: 200,
  firstFrame: 0,
  frames: 1,
  readAt: Date.UTC(2026, 0, 2),
  cutFrom: 0,
  partial: false,
  unsettled: 1,
  outcome: emptyOutcome(),
  islands: [],
  recordTimeNanos: BigInt(Date.UTC(2026, 0, 2)) * 1_000_000n,
  ...fields,
})

/** The record as the kernel would write it around the frame `m`, with its offset in hexadecimal. */
const render = (one: Chunk, ids: boolean): unknown =>
  JSON.parse(
    jsonRecord(one, ids)
      .map(segment => {
        if (segment.kind === 'literal') return Buffer.from(segment.bytes).toString()
        return segment.kind === 'offset' ? (segment.base + one.start).toString(16) : 'm'
      })
      .join(''),
  )

const PLAIN = { timestamp: '2026-01-02T00:00:00.000Z', message: 'm', source: 'app', file: '/var/log/"a".log' }

t.test('a record names its time, source, file and labels', async t => {
  t.same(render(chunk(), false), { ...PLAIN, team: 'ü\n' })
})

t.test('what is special about a line is said', async t => {
  t.match(render(chunk({ cutFrom: 5_000_000 }), false), { truncated: true, originalBytes: 5_000_000 })
  t.match(render(chunk({ partial: true }), false), { partial: true })
})

t.test('an id is the generation and the offset in the file', async t => {
  t.match(render(chunk(), true), { id: 'a1b2c3d4e5f60718-64' })
})

t.test('a label cannot forge what the shipper says', async t => {
  const labels = { message: 'forged', id: 'forged', truncated: 'forged', __proto__x: 'kept' }
  t.same(render(chunk({ origin: { ...chunk().origin, labels } }), false), { ...PLAIN, __proto__x: 'kept' })
})

t.test('the standard output prints lines as they are, or JSON', async t => {
  t.same(stdoutSchema.parse({}), { format: 'text' })
  t.match(createStdout({ format: 'text' }).format, { treatment: 'bytes', contentType: 'text/plain' })
  t.match(createStdout({ format: 'ndjson' }).format, { treatment: 'text', contentType: 'application/x-ndjson' })
  t.same(createStdout({ format: 'text' }).segments(chunk()), [{ kind: 'raw' }])
})
