import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { divide, type Need, needOf, partOf, type SizingInput } from '../src/arena.ts'
import { createBackend } from '../src/backends/registry.ts'
import { PAGE } from '../src/budget.ts'
import { QUANTUM } from '../src/chunk.ts'
import { NO_METADATA } from '../src/metadata.ts'

const MIB = 1024 ** 2
const endpoint = 'http://127.0.0.1/'
const OWN: Record<string, object> = {
  stdout: { format: 'text' },
  http: { endpoint, method: 'POST', query: {}, format: 'ndjson', ids: false },
  otlp: { endpoint, encoding: 'protobuf', ids: false, attributes: {} },
  datadog: { site: 'datadoghq.com', ids: false, tags: {} },
  loki: { endpoint, maxLineBytes: 256 * 1024, maxAge: 1, structuredMetadata: true },
}
const backend = (type: string): SizingInput['backend'] =>
  createBackend(type, OWN[type], { name: type, metadata: () => NO_METADATA })

const demand = (type: string, more: Partial<SizingInput> = {}): SizingInput => ({
  batch: { maxBytes: MIB, maxRecords: 10_000 },
  concurrency: 1,
  longestLine: MIB,
  backend: backend(type),
  ...more,
})

t.test('any line is whole in an arena of the wanted size, whatever is escaped in it', t => {
  const most = (type: string, more?: Partial<SizingInput>) => needOf(demand(type, more)).payload.most
  t.equal(most('http'), 6 * MIB + PAGE, 'six bytes for a control character in JSON')
  t.equal(most('otlp'), 3 * MIB + PAGE, 'three for what is not UTF-8')
  t.equal(most('stdout'), MIB + PAGE, 'one where bytes go out as they are')
  t.equal(most('loki'), 6 * 256 * 1024 + PAGE, 'no more than the backend takes of a line')
  t.equal(most('datadog'), MIB + PAGE, 'or of a record')
  t.equal(most('datadog', { batch: { maxBytes: 64 * MIB, maxRecords: 1 } }), 77 * PAGE, 'or of a payload')
  t.end()
})

t.test('one backend with the usual settings needs no more than 8 MiB, several an equal part each', t => {
  for (const type of Object.keys(OWN)) t.ok(needOf(demand(type)).wanted <= 8 * MIB, type)
  t.equal(partOf(8 * MIB, 3), 42 * PAGE, 'whole pages: together no more than there is')
  t.end()
})

t.test('a table of frames grows with its window, not with what is allowed', t => {
  const need = (maxRecords: number) => needOf(demand('http', { batch: { maxBytes: MIB, maxRecords } }))
  t.ok(need(1_000_000).slab.full.bytes <= 1.5 * MIB + PAGE)
  t.equal(need(1_000_000).slab.maxFrames, 1_000_000)
  t.equal(needOf(demand('datadog', { batch: { maxBytes: MIB, maxRecords: 1_000_000 } })).slab.maxFrames, 1000)
  t.end()
})

t.test('batches that wait for a confirmation keep their slabs, so there is room for more of them', t => {
  const pending = { ...backend('http'), confirmation: {} }
  const [one, many] = [needOf(demand('http')), needOf(demand('http', { backend: pending }))]
  t.ok(many.slabs >= one.slabs + 7 * one.slab.full.bytes)
  t.equal(many.required, one.required, 'which is no condition')
  t.end()
})

const demands = fc.record({
  type: fc.constantFrom(...Object.keys(OWN)),
  maxBytes: fc.integer({ min: 64 * 1024, max: 64 * MIB }),
  maxRecords: fc.integer({ min: 1, max: 1_000_000 }),
  longestLine: fc.integer({ min: 1024, max: 8 * MIB }),
  concurrency: fc.integer({ min: 1, max: 32 }),
  more: fc.double({ min: 0, max: 1.2, noNaN: true }),
})

t.test('an arena that is large enough holds any line beside its payload, and is divided without a rest', t => {
  fc.assert(
    fc.property(demands, ({ type, maxBytes, maxRecords, longestLine, concurrency, more }) => {
      const need: Need = needOf({ ...demand(type), batch: { maxBytes, maxRecords }, longestLine, concurrency })
      const { slab, payload, required, wanted } = need
      assert.ok(required <= wanted)
      assert.ok(payload.least <= payload.usual && payload.usual <= payload.most)
      assert.ok(slab.longest.window > longestLine && slab.longest.window >= QUANTUM)
      assert.ok(slab.small.bytes <= slab.longest.bytes && slab.longest.bytes <= slab.full.bytes)
      const bytes = partOf(required + more * (wanted - required), 1)
      const { slabs, payloads } = divide(need, bytes)
      assert.equal(slabs + payloads, bytes)
      assert.ok([slabs, payloads].every(part => part > 0 && part % PAGE === 0))
      assert.ok(slabs >= slab.longest.bytes && payloads >= payload.least)
      if (bytes >= wanted) assert.ok(slabs >= need.slabs && payloads === payload.most)
      assert.throws(() => divide(need, required - PAGE), { code: 'ERR_INVARIANT' })
    }),
  )
  t.end()
})
