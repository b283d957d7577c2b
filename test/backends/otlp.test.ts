import fc from 'fast-check'
import t from 'tap'
import type { Backend } from '../../src/backends/backend.ts'
import { createOtlp, type OtlpOptions, otlpSchema } from '../../src/backends/otlp.ts'
import { delimited, fields, varint } from '../../src/backends/protobuf.ts'
import type { Metadata } from '../../src/metadata.ts'
import { subjects } from '../conformance/otlp.ts'
import { ScriptedServer } from '../conformance/server.ts'
import { METADATA, stage } from '../conformance/stage.ts'
import type { Subject } from '../conformance/subject.ts'
import { Arena, numbered, origin, rig, transportTo } from '../delivery/rig.ts'
import { seedOf } from '../support/seed.ts'

const ENDPOINT = 'http://collector:4318'

const backendOf = (own: Partial<OtlpOptions> = {}, metadata: Metadata = METADATA, endpoint = ENDPOINT): Backend =>
  createOtlp(otlpSchema.parse({ endpoint, ...own }), { name: 'main', metadata: () => metadata })

const BATCH = { id: 'a1b2c3d4e5f60718-000000000000-1-0011223344556677', records: 4 }

t.test('/v1/logs is added to a base address', async t => {
  const path = (endpoint: string) => backendOf({}, METADATA, endpoint).request(BATCH).path
  t.equal(path('http://collector:4318'), '/v1/logs')
  t.equal(path('http://loki:3100/otlp'), '/otlp/v1/logs')
  t.equal(path('https://vendor.example/v1/logs?dataset=a'), '/v1/logs?dataset=a')
})

/** What came of lines of several origins, as each writing says it. */
async function written(
  t: Parameters<typeof stage>[0],
  own: object,
  metadata: Metadata,
  ...origins: ReturnType<typeof origin>[]
) {
  const all = []
  for (const encoding of ['protobuf', 'json'] as const) {
    const subject: Subject = subjects.find(({ name }) => name === `otlp (${encoding})`)!
    const server = await ScriptedServer.start(t, subject)
    const endpoint = new URL(server.origin)
    const backend = backendOf({ encoding, ...own }, metadata, server.origin)
    const { delivery, arena } = rig(endpoint, {}, {}, { backend, transport: transportTo(endpoint) })
    await delivery.ship(arena.slab(...origins.map((origin, at) => ({ lines: numbered(2, 2 * at), origin }))))
    all.push(server.stored)
  }
  return all
}

t.test('names follow the semantic conventions, in both writings alike', async t => {
  const metadata: Metadata = {
    ...METADATA,
    podLabels: { 'app.kubernetes.io/name': 'web' },
    podAnnotations: { 'example.com/owner': 'me' },
  }
  const labels = { team: 'checkout', 'k8s.pod.name': 'forged', 'deployment.environment.name': 'dev' }
  const own = { attributes: { 'deployment.environment.name': 'production' } }
  const [protobuf, json] = await written(t, own, metadata, origin('/var/log/app/a.log', labels))
  t.strictSame(protobuf, json)
  t.strictSame(protobuf!.length, 2)
  t.strictSame(protobuf![0]!.attributes, {
    'service.name': 'web',
    'k8s.namespace.name': 'shop',
    'k8s.pod.name': 'web-1',
    'k8s.pod.uid': METADATA.podUid,
    'k8s.container.name': 'web',
    'k8s.node.name': 'node-1',
    'k8s.service_account.name': 'web',
    'deployment.environment.name': 'production',
    team: 'checkout',
    'k8s.pod.label.app.kubernetes.io/name': 'web',
    'k8s.pod.annotation.example.com/owner': 'me',
    'log.file.path': '/var/log/app/a.log',
    'log.file.name': 'a.log',
    source: 'app',
  })
})

t.test('the service is what the configuration says, or a label, the container, the source', async t => {
  const none: Metadata = { podLabels: {}, podAnnotations: {} }
  const cases: [object, Metadata, Record<string, string>, string][] = [
    [{ service: 'shop' }, METADATA, { 'service.name': 'label' }, 'shop'],
    [{}, METADATA, { 'service.name': 'label' }, 'label'],
    [{}, METADATA, {}, 'web'],
    [{}, none, {}, 'app'],
  ]
  for (const [own, metadata, labels, name] of cases) {
    const [records] = await written(t, own, metadata, origin('/a.log', labels))
    t.equal(records![0]!.attributes['service.name'], name)
  }
})

t.test('files of one resource share it, and others have their own', async t => {
  const origins = [origin('/a.log'), origin('/b.log'), origin('/c.log', { team: 'x' }), origin('/d.log')]
  for (const records of await written(t, {}, METADATA, ...origins)) {
    t.strictSame(
      records.map(({ message, attributes }) => [message, attributes['log.file.name'], attributes['team']]),
      [
        ['line 0', 'a.log', undefined],
        ['line 1', 'a.log', undefined],
        ['line 2', 'b.log', undefined],
        ['line 3', 'b.log', undefined],
        ['line 4', 'c.log', 'x'],
        ['line 5', 'c.log', 'x'],
        ['line 6', 'd.log', undefined],
        ['line 7', 'd.log', undefined],
      ],
    )
  }
  const { group } = backendOf()
  const opened = (path: string) => group!(new Arena().slab({ lines: ['x'], origin: origin(path) }).chunks[0]!).open
  t.same(opened('/a.log'), opened('/b.log'))
})

t.test('ids hold the pod, the generation and the offset', async t => {
  const subject = subjects.find(({ name }) => name === 'otlp (protobuf, ids)')!
  const { server, ship } = await stage(t, subject)
  await ship({ lines: ['one', 'two'], fileStart: 0xabc })
  t.strictSame(
    server.stored.map(({ id }) => id),
    ['abc', 'ac0'].map(at => `${METADATA.podUid}-a1b2c3d4e5f60718-${at.padStart(12, '0')}`),
  )
  // Whatever name the configuration gives to a pod's id.
  const odd = '"ä\\'
  const [protobuf, json] = await written(t, { ids: true }, { ...METADATA, podUid: odd }, origin())
  t.strictSame(protobuf, json)
  t.equal(protobuf![1]!.id, `${odd}-a1b2c3d4e5f60718-000000000007`)
})

t.test('a count in an answer’s bytes is read to the letter, and so many are rejected', async t => {
  const { server, ship, arena } = await stage(t, subjects[0]!)
  const bytes = Buffer.from('0a0708c80112026e6f', 'hex')
  server.faults.push({
    kind: 'stored',
    answer: { status: 200, headers: { 'content-type': 'application/x-protobuf' }, body: '', bytes },
  })
  await ship({ lines: numbered(300) })
  t.equal(server.seen.length, 1, 'and not sent again')
  t.equal(arena.outcome.delivered.lines, 100)
  t.equal(arena.outcome.rejected['partial_success']?.lines, 200)
})

t.test('a 500 is retried, unless the configuration knows that it is about a record', async t => {
  const answer = { status: 500, headers: {}, body: 'no' }
  t.strictSame(backendOf().judge(answer, BATCH), { kind: 'retry', reason: 'http_500', detail: 'no' })
  const strict = backendOf({ statuses: { bisect: [500] } })
  t.strictSame(strict.judge(answer, BATCH), { kind: 'bisect', reason: 'http_500', detail: 'no' })
  t.match(strict.judge({ ...answer, status: 400 }, BATCH), { kind: 'retry', misconfigured: true }, 'and 400 as ever')
  t.equal(backendOf({ statuses: { bisect: [400] } }).judge({ ...answer, status: 400 }, BATCH).kind, 'bisect')
})

t.test('numbers and fields are written and read back', async t => {
  for (const value of [0, 1, 127, 128, 300, 2 ** 31, 2 ** 40]) {
    const [field] = fields(Buffer.concat([Buffer.from([8]), varint(value)]))
    t.strictSame(field, { number: 1, kind: 'varint', value: BigInt(value) })
  }
  const message = Buffer.concat([
    Buffer.from('09aaaaaaaaaaaaaaaa15bbbbbbbb', 'hex'),
    delimited(3, 'a', Buffer.from('b')),
  ])
  const [last, ...none] = fields(message)
  t.strictSame(none, [], 'fixed fields are passed by')
  t.match(last, { number: 3, kind: 'bytes' })
  t.equal(Buffer.from(last!.value as Uint8Array).toString(), 'ab')
})

t.test('whatever bytes an answer has, reading them ends', async t => {
  const seed = seedOf()
  t.comment(`seed ${seed}`)
  const property = fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
    try {
      return fields(bytes).length <= bytes.length
    } catch (error) {
      return error instanceof RangeError
    }
  })
  fc.assert(property, { seed, numRuns: 1000 })
  t.throws(() => fields(Buffer.from('0a05', 'hex')), RangeError)
  t.throws(() => fields(Buffer.from('0b', 'hex')), RangeError, 'groups are gone')
  t.throws(() => fields(Buffer.from('00', 'hex')), RangeError)
  t.throws(() => fields(Buffer.alloc(11, 0xff)), RangeError)
})
