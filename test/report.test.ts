/** How the parts stand, in the words of the server's contract: from real sources and a real pipeline. */
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Transport } from '../src/delivery/transport/transport.ts'
import { createDestination } from '../src/destination.ts'
import { Ledger } from '../src/ledger.ts'
import { NO_METADATA } from '../src/metadata.ts'
import { Pipeline } from '../src/pipeline.ts'
import { backlogBytes, ledgerLines, type Parts, snapshotOf } from '../src/report.ts'
import { StateDirectory } from '../src/state.ts'
import { unopenedOf } from '../src/tail/lag.ts'
import { Sources } from '../src/tail/sources.ts'
import type { Tail } from '../src/tail/tail.ts'
import { configured } from './configured.ts'
import { until } from './program.ts'
import { scratch } from './scratch.ts'
import { Journal } from './tail/rig.ts'

/** Two sources and one backend of which only the first is read; `status` is what it answers. */
async function running(t: Test, { status = 204, saved = true } = {}) {
  const dir = scratch(t, { logs: { 'app.log': 'one\ntwo\n' }, other: {} })
  const log = join(dir, 'logs/app.log')
  const config = await configured(dir, {
    sources: [
      { name: 'app', paths: [join(dir, 'logs/*.log')] },
      { name: 'other', paths: [join(dir, 'other/*.log')] },
    ],
    state: { dir: saved ? join(dir, 'state') : 'off' },
    backends: [{ type: 'http', name: 'main', endpoint: 'http://127.0.0.1:9/ingest', sources: ['app'] }],
  })
  const answer = { status, headers: {}, body: status < 300 ? '' : 'not now' }
  const transport: Transport = {
    send: async () => ({ kind: 'answer', answer }),
    reload: () => false,
    abort: () => {},
    close: async () => {},
  }
  const journal = new Journal()
  const ledger = new Ledger()
  const state = saved ? new StateDirectory(join(dir, 'state'), journal, {}) : null
  const { held, unpacked } = config.state
  const fields = { sources: config.sources, budget: config.memory.budget, state, held, unpacked, ledger, log: journal }
  const sources = new Sources(fields)
  const [entry] = config.backends
  const destination = createDestination(config, entry!, {
    ...{ metadata: () => NO_METADATA, log: journal, onClosed: () => {}, transport },
  })
  const reader = sources.reader({ name: 'main', sources: ['app'] }, destination.kernel)
  const pipeline = new Pipeline({
    ...destination,
    ...{ name: 'main', sources: ['app'], reader, logger: journal, batch: entry!.delivery.batch, concurrency: 1 },
  })
  t.teardown(async () => {
    await pipeline.stop()
    await sources.tail.stop(true)
    state?.close()
  })
  await sources.tail.start()
  const parts = (more: Partial<Parts> = {}): Parts => ({
    ...{ metadata: { ...NO_METADATA, namespace: 'shop', pod: 'web-0' }, draining: false },
    ...{ names: ['app', 'other'], budget: config.memory.budget, pipelines: [pipeline], sources, volume: undefined },
    ledger,
    ...more,
  })
  return { log, ledger, sources, pipeline, parts }
}

t.test('a snapshot of what was delivered: every byte is delivered, nothing lags, all is well', async t => {
  const { log, ledger, sources, pipeline, parts } = await running(t)
  t.ok(await until(() => pipeline.idle && ledger.account('app', 'main').statement().delivered.lines === 2))
  const { health, pipelines, files, refused, identity, ledger: lines, fileEvents } = snapshotOf(parts())
  t.strictSame(identity, { namespace: 'shop', pod: 'web-0', node: null }, 'null is what is not known')
  t.match(health, {
    status: 'ok',
    state: { kind: 'saved' },
    volume: null,
    previous: { kind: 'none' },
    backends: [{ name: 'main', type: 'http', state: 'up', reason: null, since: null, attempts: 0, lagBytes: 0 }],
    sources: [
      { name: 'app', files: 1, refused: {}, waiting: { files: 0, directories: 0 } },
      { name: 'other', files: 0, refused: {} },
    ],
  })
  t.match(health.backends[0]!.lastDelivered, /^\d{4}-\d\d-\d\dT.*Z$/)
  t.match(pipelines, [
    {
      ...{ backend: 'main', up: true, endpoint: 'http://127.0.0.1:9', lastError: null, batchesInFlight: 0 },
      ...{ budget: { used: 0 }, requests: [{ status: '2xx', verdict: 'delivered', count: 1 }], retries: {} },
      ...{
        certificates: {},
        sizes: { sum: Number },
        deadLetters: null,
        lag: [{ source: 'app', bytes: 0, seconds: 0, inFlightSeconds: 0 }],
      },
    },
  ])
  t.match(files, [{ source: 'app', path: log, state: 'live', size: 8, cursors: [{ read: 8, committed: 8 }] }])
  t.strictSame(refused, [])
  t.strictSame(lines, ledgerLines(ledger))
  t.match(fileEvents[0], { source: 'app', opened: 1, rotated: 0, truncated: 0, deleted: 0 })
  t.match(lines, [{ source: 'app', backend: 'main', statement: { delivered: { lines: 2, bytes: 8 } } }])
  t.equal(backlogBytes(pipeline, sources), 0)
})

t.test('while a backend is down the health is degraded, and says why, since when and how far behind', async t => {
  const { log, sources, pipeline, parts } = await running(t, { status: 503 })
  t.ok(await until(() => pipeline.parts.delivery.health.kind === 'down'))
  appendFileSync(log, 'three\n')
  t.ok(await until(() => backlogBytes(pipeline, sources) === 14))
  const { health, pipelines } = snapshotOf(parts({ draining: true }))
  const [backend] = health.backends
  t.equal(health.status, 'degraded')
  t.match(backend, { state: 'down', reason: 'http_503', lastDelivered: null, lastError: { reason: 'http_503' } })
  t.match(backend, { lagBytes: 14, lagSeconds: Number })
  t.ok(Date.parse(backend!.since!) <= Date.parse(backend!.nextAttempt!))
  t.ok(backend!.attempts > 0)
  t.match(pipelines, [{ up: false, lastError: { reason: 'http_503', detail: 'not now' }, batchesInFlight: 1 }])
  t.ok(pipelines[0]!.retries['http_503']! > 0)
  t.equal(snapshotOf(parts()).draining, false)
})

t.test('what is in flight of a file with other content now is listed, and what waits for a descriptor too', async t => {
  const { log, sources, pipeline, parts } = await running(t, { status: 503 })
  t.ok(await until(() => pipeline.parts.delivery.health.kind === 'down'))
  t.strictSame(snapshotOf(parts()).unopened(), [], 'an open file is listed once')
  writeFileSync(log, 'x\n')
  t.ok(await until(() => snapshotOf(parts()).unopened().length === 1))
  t.match(snapshotOf(parts()).unopened(), [
    { source: 'app', path: log, state: 'deleted', size: 8, cursors: [{ backend: 'main', read: 8, committed: 0 }] },
  ])
  const waiting = (path: string, committed: number) => ({
    ...{ source: 'app', path, size: 100, offsets: { main: committed } },
    since: () => performance.now() - 60_000,
  })
  const tail = Object.create(sources.tail, {
    tailers: { value: [] },
    following: { value: () => [] },
    waiting: {
      value: () => [
        { ...waiting('/late', 40), read: new Map([['main', 70]]) },
        waiting('/done', 100),
        { ...waiting('/new', 0), offsets: {} },
      ],
    },
  }) as Tail
  const files = [
    ...unopenedOf(tail, [
      { name: 'main', sources: ['app'] },
      { name: 'audit', sources: ['other'] },
    ]),
  ]
  t.match(files, [
    { path: '/late', state: 'waiting', generation: null, cursors: [{ backend: 'main', read: 70, committed: 40 }] },
    { path: '/new', cursors: [{ backend: 'main', read: 0, committed: 0 }] },
  ])
  t.ok(files[0]!.cursors[0]!.lagSeconds > 59)
})

t.test('without a state directory the state is in memory, which is no fault; a failing one is', async t => {
  const { ledger, parts } = await running(t, { saved: false })
  t.ok(await until(() => ledger.account('app', 'main').statement().delivered.lines === 2))
  t.match(snapshotOf(parts()).health, { status: 'ok', state: { kind: 'memory' } })
  const { sources, ...rest } = parts()
  const at = Date.now()
  const failing = (fault: object | undefined, savingFor = 0) =>
    snapshotOf({
      ...rest,
      sources: Object.create(sources, { store: { value: { dir: '/state', fault, savingFor } } }) as Sources,
    }).health
  t.match(failing({ code: 'ENOSPC', since: at }), {
    status: 'degraded',
    state: { kind: 'failing', code: 'ENOSPC', since: new Date(at).toISOString() },
  })
  t.match(failing(undefined, 61_500), { status: 'degraded', state: { kind: 'saving', seconds: 61 } })
  t.match(failing(undefined, 4_999), { status: 'ok', state: { kind: 'saved' } })
})
