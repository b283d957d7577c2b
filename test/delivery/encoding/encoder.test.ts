import t from 'tap'
import type { Backend } from '../../../src/backends/backend.ts'
import { createElasticsearch, elasticsearchSchema } from '../../../src/backends/elasticsearch.ts'
import { createLoki, lokiSchema } from '../../../src/backends/loki.ts'
import { createStdout } from '../../../src/backends/stdout.ts'
import { PAGE } from '../../../src/budget.ts'
import type { Slab } from '../../../src/chunk.ts'
import { Encoder, type Payload } from '../../../src/delivery/encoding/encoder.ts'
import { NO_METADATA } from '../../../src/metadata.ts'
import { finding } from '../../backends/found.ts'
import { Arena, httpBackend, numbered, origin } from '../rig.ts'

const ENDPOINT = new URL('http://127.0.0.1/')
const NDJSON = httpBackend(ENDPOINT)
const JSON_ARRAY = httpBackend(ENDPOINT, { format: 'json' })

const encoderOf = (arena: Arena, backend: Backend, maxBytes = 1 << 20, maxRecords = 10_000) =>
  new Encoder({ kernel: arena.kernel, budget: arena.budget, backend, maxBytes, maxRecords })

function encode(encoder: Encoder, slab: Slab, from = 0, to = slab.frames, bytes = Number.POSITIVE_INFINITY): Payload {
  const encoded = encoder.encode(slab, [{ from, to }], bytes)
  if (encoded.kind !== 'payload') throw new Error(encoded.kind)
  return encoded
}

/** Every payload of the slab, as text. */
function all(encoder: Encoder, slab: Slab, bytes?: number): { text: string; payload: Payload }[] {
  const texts = []
  for (let from = 0; from < slab.frames; ) {
    const payload = encode(encoder, slab, from, slab.frames, bytes)
    texts.push({ text: payload.view.toString(), payload })
    from += payload.records
    encoder.release(payload)
  }
  return texts
}

const parse = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))

t.test('chunks of several files share a payload, each with its own template', async t => {
  const arena = new Arena()
  const slab = arena.slab(
    { lines: ['a "quoted" line', ''], origin: origin('/a.log', { team: 'checkout' }) },
    { lines: ['b\r'], origin: origin('/b.log') },
  )
  const payload = encode(encoderOf(arena, NDJSON), slab)
  t.match({ ...payload }, { ranges: [{ from: 0, to: 3 }], records: 3, alterations: [] })
  t.ok(payload.view.toString().endsWith('}\n'))
  t.same(parse(payload.view.toString()), [
    {
      timestamp: '2026-01-02T03:04:05.678Z',
      message: 'a "quoted" line',
      source: 'app',
      file: '/a.log',
      team: 'checkout',
    },
    { timestamp: '2026-01-02T03:04:05.678Z', message: '', source: 'app', file: '/a.log', team: 'checkout' },
    { timestamp: '2026-01-02T03:04:05.678Z', message: 'b', source: 'app', file: '/b.log' },
  ])
})

t.test('an array has commas between its records only, in every payload', async t => {
  const arena = new Arena()
  const slab = arena.slab({ lines: numbered(10) })
  const payloads = all(encoderOf(arena, JSON_ARRAY, 1 << 20, 4), slab).map(({ text }) => JSON.parse(text))
  t.same(
    payloads.map(array => array.length),
    [4, 4, 2],
  )
  t.same(
    payloads.flat().map(({ message }) => message),
    numbered(10),
  )
})

t.test('a payload stops at its limit of bytes, at any limit, and the next goes on from there', async t => {
  const arena = new Arena()
  const slab = arena.slab({ lines: numbered(40) }, { lines: numbered(40, 40), origin: origin('/b.log') })
  const encoder = encoderOf(arena, NDJSON)
  for (let bytes = 100; bytes < 2000; bytes += 97) {
    const payloads = all(encoder, slab, bytes)
    t.same(
      payloads.flatMap(({ text }) => parse(text).map(({ message }) => message)),
      numbered(80),
    )
    for (const { text, payload } of payloads) t.ok(text.length <= bytes || payload.records === 1)
  }
  t.equal(arena.budget.used, slab.extent.bytes, 'every extent came back')
})

t.test('lines that are sent beside their fields fill one payload, as far as they fit', async t => {
  const line = '10.0.0.1 - - [23/Nov/2026:10:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 5 "-" "curl" "10.0.0.2" rest'
  const arena = new Arena(4 << 20, 0, finding({ parse: 'nginx' }))
  const lines = Array.from({ length: 500 }, () => line)
  const [first, ...others] = all(encoderOf(arena, NDJSON), arena.slab({ lines }))
  t.ok(first!.text.length > 3 * line.length * lines.length, 'a record is more than three times its line')
  t.equal(first!.payload.records, lines.length)
  t.same(others, [])
})

t.test('bytes go to the standard output as they were read', async t => {
  const arena = new Arena()
  const odd = Buffer.from([0, 0xef, 0xbb, 0xbf, 0xff, 0x22, 0x0d])
  const payload = encode(encoderOf(arena, createStdout({ format: 'text' })), arena.slab({ lines: ['plain', odd, ''] }))
  t.same(payload.view, Buffer.concat([Buffer.from('plain\n'), odd, Buffer.from('\n\n')]))
})

t.test('invalid UTF-8 is replaced and noted, and valid lines beside it are not touched', async t => {
  const arena = new Arena()
  const slab = arena.slab({ lines: ['grüße', Buffer.from([0x61, 0xff, 0x62, 0xc3]), 'naïve'] })
  const payload = encode(encoderOf(arena, NDJSON), slab)
  t.same(
    parse(payload.view.toString()).map(({ message }) => message),
    ['grüße', 'a�b�', 'naïve'],
  )
  t.same(
    payload.alterations.map(({ repaired, cut }) => ({ repaired, cut })),
    [{ repaired: 2, cut: 0 }],
  )
})

t.test('a byte order mark is left out at the head of a file only', async t => {
  const arena = new Arena()
  const head = encode(encoderOf(arena, NDJSON), arena.slab({ lines: ['\ufeffone', '\ufefftwo'] }))
  t.same(
    parse(head.view.toString()).map(({ message }) => message),
    ['one', '\ufefftwo'],
  )
})

for (const head of ['', 'x', 'xx', 'xxx']) {
  t.test(`a record that is too large alone is cut on a character and says how long it was (${head}…)`, async t => {
    const arena = new Arena(4 << 20, 2 * PAGE)
    const long = head + '😀'.repeat(50_000)
    const slab = arena.slab({ lines: ['before', long, 'after'] })
    const payloads = all(encoderOf(arena, NDJSON, PAGE), slab)
    const records = payloads.flatMap(({ text }) => parse(text))
    t.equal(records.length, 3)
    t.equal(records[0]?.message, 'before')
    t.equal(records[2]?.message, 'after', 'the neighbour begins where it did')
    const { message, truncated, originalBytes } = records[1]!
    t.same({ truncated, originalBytes }, { truncated: true, originalBytes: 200_000 + head.length })
    t.ok(Buffer.from(long).indexOf(Buffer.from(message as string)) === 0, 'no half character')
    t.ok(Buffer.byteLength(message as string) > 2 * PAGE - 2048, 'no shorter than needed')
    t.equal(
      payloads.reduce((sum, { payload }) => sum + payload.alterations.reduce((cuts, { cut }) => cuts + cut, 0), 0),
      1,
    )
  })
}

t.test(
  'a record over the limit goes alone and whole, however much of it is escaped, as long as there is memory',
  async t => {
    for (const [name, long] of Object.entries({
      'a little longer': 'x'.repeat(PAGE),
      'made of quotes': '"'.repeat(100_000),
      'made of control characters': '\u0001'.repeat(100_000),
    })) {
      const arena = new Arena(4 << 20, 11 * PAGE)
      const lines = ['before', long, 'after']
      const slab = arena.slab({ lines })
      const payloads = all(encoderOf(arena, NDJSON, PAGE), slab)
      t.same(
        payloads.map(({ text }) => parse(text).map(({ message }) => message)),
        [[lines[0]], [lines[1]], [lines[2]]],
        name,
      )
      t.same(
        payloads.map(({ payload: { oversize, alterations } }) => [oversize, alterations.length]),
        [
          [false, 0],
          [true, 0],
          [false, 0],
        ],
      )
      t.equal(arena.budget.used, slab.extent.bytes)
    }
  },
)

t.test('a record is cut to what it may have alone, and is another request then', async t => {
  const arena = new Arena()
  const slab = arena.slab({ lines: ['y'.repeat(3 * PAGE)] })
  const encoder = encoderOf(arena, NDJSON, PAGE)
  const of = (alone?: number) => {
    const payload = encoder.encode(slab, [{ from: 0, to: 1 }], PAGE, alone) as Payload
    encoder.release(payload)
    const { id, oversize, alterations, view } = payload
    const [{ message, truncated, originalBytes }] = parse(view.toString()) as [Record<string, unknown>]
    return { id, oversize, cut: alterations.length, bytes: view.length, message, truncated, originalBytes }
  }
  const [whole, half, least] = [of(), of(2 * PAGE), of(PAGE)]
  t.match(whole, { oversize: true, cut: 0, truncated: undefined, message: 'y'.repeat(3 * PAGE) })
  t.match(half, { oversize: true, cut: 1, truncated: true, originalBytes: 3 * PAGE })
  t.match(least, { oversize: false, cut: 1, truncated: true, originalBytes: 3 * PAGE })
  t.ok(half.bytes <= 2 * PAGE && half.bytes > 2 * PAGE - 2048)
  t.ok(least.bytes <= PAGE && least.bytes > PAGE - 2048)
  t.equal(new Set([whole.id, half.id, least.id]).size, 3)
  t.equal(of(PAGE).id, least.id)
})

t.test('a line that was cut when it was read, and is cut once more, counts once and says how long it was', async t => {
  const arena = new Arena(4 << 20, 2 * PAGE)
  const slab = arena.slab({ lines: ['z'.repeat(200_000)], cutFrom: 5_000_000 })
  const payload = encode(encoderOf(arena, NDJSON, PAGE), slab)
  t.match(parse(payload.view.toString()), [{ truncated: true, originalBytes: 5_000_000 }])
  t.same(payload.alterations, [])
})

t.test('records that blow up sixfold still come through, in more payloads', async t => {
  const arena = new Arena()
  const lines = Array.from({ length: 200 }, (_, index) => `\u0001`.repeat(1000) + index)
  const payloads = all(encoderOf(arena, NDJSON, 256 * 1024), arena.slab({ lines }))
  t.ok(payloads.length > 4)
  t.same(
    payloads.flatMap(({ text }) => parse(text).map(({ message }) => message)),
    lines,
  )
})

t.test('the id is the same for the same frames, and another for other file ranges', async t => {
  const arena = new Arena()
  const id = (...files: Parameters<Arena['slab']>) => {
    const slab = arena.slab(...files)
    const encoder = encoderOf(arena, NDJSON)
    const payload = encode(encoder, slab)
    encoder.release(payload)
    arena.budget.release(slab.extent)
    return payload.id
  }
  const a = { lines: numbered(2), fileStart: 4096 }
  const b = { lines: numbered(2), origin: { ...origin('/b.log'), generation: 'b'.repeat(16) } }
  const c = { ...b, origin: { ...b.origin, generation: 'c'.repeat(16) } }
  t.match(id(a), /^a1b2c3d4e5f60718-000000001000-2-[0-9a-f]{16}$/)
  t.equal(id(a, b), id(a, b))
  t.not(id(a, b), id(a, c), 'the same first record and the same number')
  const [first, second] = [
    { lines: ['one'], fileStart: 0 },
    { lines: ['two'], fileStart: 4 },
  ]
  t.equal(id(first, second), id({ lines: ['one', 'two'] }), 'however the ranges were cut into chunks')
  t.not(id({ lines: ['abc'], partial: true }), id({ lines: ['abcdef'] }), 'a line that was partial and went on')
})

t.test('without room it says so, and goes on once there is some', async t => {
  const arena = new Arena(8 * PAGE, 2 * PAGE)
  const slab = arena.slab({ lines: numbered(2000) })
  arena.budget.grant(5 * PAGE)
  const encoder = encoderOf(arena, NDJSON, 2 * PAGE)
  const first = encode(encoder, slab)
  t.ok(first.records > 1000 && first.records < 2000)
  const rest = [{ from: first.records, to: slab.frames }]
  t.same(encoder.encode(slab, rest, 1e9), { kind: 'no room' })
  encoder.release(first)
  t.match(encoder.encode(slab, rest, 1e9), { kind: 'payload', records: 2000 - first.records })
})

t.test('memory that has no place for a full payload is a bug, found before anything waits for it', async t => {
  t.throws(() => encoderOf(new Arena(8 * PAGE, 2 * PAGE), NDJSON, 2 * PAGE + 1), { code: 'ERR_INVARIANT' })
})

t.test('a record that is cut counts as one: no two records have the same time', async t => {
  const arena = new Arena()
  const slab = arena.slab({ lines: ['a', 'b'.repeat(50_000), 'c', 'd'.repeat(30_000), 'e'] })
  const times: Backend = {
    ...NDJSON,
    limits: { ...NDJSON.limits, messageBytes: 10_000 },
    segments: chunk => [{ kind: 'counter', value: chunk.recordTimeNanos }],
  }
  const { recordTimeNanos } = slab.chunks[0]!
  const numbers = all(encoderOf(arena, times), slab).flatMap(({ text }) => text.trimEnd().split('\n'))
  t.same(
    numbers.map(number => BigInt(number) - recordTimeNanos),
    [0n, 1n, 2n, 3n, 4n],
  )
})

const CONTEXT = { name: 'main', metadata: () => NO_METADATA }

t.test('records of several partitions are each in the group of theirs, wherever payloads begin and end', async t => {
  const own = lokiSchema.parse({ endpoint: 'http://loki', labels: ['source', 'level', { field: 'n' }] })
  const backend = createLoki(own, CONTEXT)
  const looking = { parse: 'json', levelled: true, partitioning: backend.partitioning } as const
  const arena = new Arena(4 << 20, 0, finding(looking))
  // Runs of one, two and three; and a second file that goes on where the first one ended.
  const line = (n: number) =>
    JSON.stringify({ level: n % 6 < 3 ? 'info' : 'error', n: n % 7 < 5 ? 1 : n % 7, msg: `m${n}` })
  const lines = Array.from({ length: 100 }, (_, n) => line(n))
  const slab = arena.slab({ lines: lines.slice(0, 60) }, { lines: lines.slice(60), origin: origin('/b.log') })
  interface Stream {
    readonly stream: Record<string, string>
    readonly values: [string, string, Record<string, string>][]
  }
  for (let bytes = 250; bytes < 12_000; bytes = Math.ceil(bytes * 1.13)) {
    const encoder = encoderOf(arena, backend)
    const payloads = all(encoder, slab, bytes)
    const streams = payloads.flatMap(({ text }) => JSON.parse(text).streams as Stream[])
    t.ok(payloads.every(({ payload, text }) => payload.records === 1 || text.length <= bytes))
    t.ok(streams.every(({ values }) => values.length > 0))
    const records = streams.flatMap(({ stream, values }) => values.map(([, message]) => ({ stream, message })))
    const wanted = lines.map(text => JSON.parse(text) as { level: string; n: number; msg: string })
    t.strictSame(
      records,
      wanted.map(({ level, n, msg }) => ({ stream: { source: 'app', level, n: String(n) }, message: msg })),
    )
    const again = all(encoder, slab, bytes).map(({ text }) => text)
    t.strictSame(
      again,
      payloads.map(({ text }) => text),
      'the same bytes once more',
    )
  }
  const [whole] = all(encoderOf(arena, backend), slab)
  const { streams } = JSON.parse(whole!.text) as { streams: Stream[] }
  const runs = lines
    .map(text => JSON.parse(text))
    .filter(({ level, n }, at, all) => level !== all[at - 1]?.level || n !== all[at - 1]?.n)
  t.equal(streams.length, runs.length, 'those that follow each other share one, across files too')
})

t.test(
  'as many labels of values as Loki takes are not sent once more, beside a message, a time and a level',
  async t => {
    const names = Array.from({ length: 14 }, (_, n) => `l${n}`)
    const own = lokiSchema.parse({ endpoint: 'http://loki', labels: names.map(field => ({ field })) })
    const backend = createLoki(own, CONTEXT)
    const looking = { parse: 'json', timed: true, levelled: true, partitioning: backend.partitioning } as const
    const arena = new Arena(1 << 20, 0, finding(looking))
    const labels = Object.fromEntries(names.map((name, n) => [name, `v${n}`]))
    const line = { time: '2026-01-02T03:04:05Z', level: 'info', msg: 'x', ...labels, rest: 'y' }
    const [payload] = all(encoderOf(arena, backend), arena.slab({ lines: [JSON.stringify(line)] }))
    const [{ stream, values }] = JSON.parse(payload!.text).streams
    t.strictSame(stream, { source: 'app', ...labels })
    t.equal(values[0][1], 'x')
    t.equal(values[0][2].rest, 'y')
    t.strictSame(
      names.filter(name => name in values[0][2]),
      [],
    )
  },
)

t.test('a record that is cut, or sent as its line, is still where its values say', async t => {
  const own = elasticsearchSchema.parse({ endpoint: 'http://es', index: 'logs-%{[svc]}-%{yyyy}' })
  const backend = createElasticsearch(own, CONTEXT)
  const looking = { parse: 'json', levelled: true, partitioning: backend.partitioning } as const
  const arena = new Arena(1 << 20, 0, finding(looking))
  const many = Object.fromEntries(Array.from({ length: 950 }, (_, n) => [`k${n}`, n]))
  const long = { svc: 'long', msg: 'm'.repeat(150_000) }
  const slab = arena.slab({
    lines: [long, { svc: 'many', ...many }, { svc: 'web', msg: 'x' }].map(each => JSON.stringify(each)),
  })
  const encoder = encoderOf(arena, backend)
  const encoded = encoder.encode(slab, [{ from: 0, to: 3 }], 1 << 20, 64 * 1024)
  t.equal(encoded.kind, 'payload')
  const cut = encoded.kind === 'payload' ? encoded.view.toString() : ''
  const rest = encode(encoder, slab, 1).view.toString()
  const [action, document, ...others] = `${cut}${rest}`
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  t.equal(action.create._index, 'logs-long-2026')
  t.match(document.log, { flags: ['truncated'] })
  t.strictSame(
    others.filter(each => each.create).map(({ create }) => create._index),
    ['logs-many-2026', 'logs-web-2026'],
  )
})
