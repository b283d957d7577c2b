/**
 * Small loads: what the ordinary day costs, some lines a second, each written for itself, with our listeners on as by
 * default. Two rows for each: from exec to the end of warming up, and after that. Of the process's CPU time, share of a
 * core; how often its main thread, and all of its threads, had waited and were woken (voluntary context switches,
 * proc(5)); calls that read or wrote, which the kernel counts anyway; requests; lag from the write of a line to its
 * receipt, in silence that of single lines. All system calls, and syncs, are counted by perf or else by strace in a span
 * of their own behind these, since tracing costs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Application, KINDS, type Kind } from './application.ts'
import { coreSeconds, percentile, Sink, Subject, transfers, wakes } from './measure.ts'
import { noteOurs, ours, serverFor } from './ours.ts'
import { fullName, type Peer, SETUPS, start } from './peers/peer.ts'
import { fixed, folder, framing, loadAverage, loadPrefix, MIB, seconds, setupPrefix, workPrefix } from './setting.ts'
import { type Figures, judge } from './targets.ts'
import { traced, tracer } from './traced.ts'
import type { Work } from './works.ts'

/** Lines a second. */
const LOADS = [0, 1, 10, 100, 1000] as const
const CODECS = ['none', 'gzip'] as const
/** Seconds before it counts, and of tracing behind it. */
const WARM = Math.min(20, 2 * seconds)
const TRACED = Math.min(10, Math.ceil(seconds / 2))

interface Load {
  readonly name: string
  readonly rate: number
  readonly kind: Kind
  readonly codec: (typeof CODECS)[number]
  readonly work: Work
}

/** Counters of a process at a moment; at exec all are 0. */
interface Reading {
  /** Milliseconds. */
  readonly at: number
  readonly cpu: number
  readonly main: number
  readonly all: number
  readonly transfers: number
  readonly requests: number
  /** Lines that have come. */
  readonly lines: number
}

async function read(subject: Subject, sink: Sink): Promise<Reading> {
  const { pid } = subject
  const counters = { at: performance.now(), cpu: coreSeconds(pid), ...wakes(pid), transfers: transfers(pid) }
  const { requests, inOrder } = await sink.received()
  return { ...counters, requests, lines: inOrder.length }
}

export const SMALL_HEAD =
  '   CPU-s   CPU %  wakes/s     all  r+w/s   req/s   lag p50     p95     p99     max   first  calls/s  syncs/min   RSS   (ms, MiB)'

/** A row, and the figures of it that have targets. */
function row(name: string, from: Reading, to: Reading, inOrder: readonly number[], last: readonly string[]): Figures {
  const elapsed = (to.at - from.at) / 1000
  const lags = inOrder.toSorted((a, b) => a - b)
  const [p50, p95, p99] = [50, 95, 99].map(each => percentile(lags, each)) as [number, number, number]
  const core = (100 * (to.cpu - from.cpu)) / elapsed
  const wakeups = (to.main - from.main) / elapsed
  const lagOf = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? '–' : fixed(value, 1))
  const cells = [
    name.padEnd(30),
    fixed(to.cpu - from.cpu, 3).padStart(8),
    fixed(core, 2).padStart(8),
    fixed(wakeups, 1).padStart(9),
    fixed((to.all - from.all) / elapsed, 1).padStart(8),
    fixed((to.transfers - from.transfers) / elapsed, 0).padStart(7),
    fixed((to.requests - from.requests) / elapsed, 1).padStart(8),
    ...[p50, p95, p99, lags.at(-1), from.at === 0 ? inOrder[0] : undefined].map((lag, n) =>
      lagOf(lag).padStart(n === 0 ? 10 : 8),
    ),
    ...last,
  ]
  console.log(cells.join(''))
  return { core, wakeups, ...(lags.length > 0 && { p50, p99 }) }
}

type Start = (path: string, port: number, own: string) => Subject

/** One load by one shipper: what is after warming up, for the targets. */
async function small(name: string, load: Load, start: Start): Promise<Figures> {
  const own = mkdtempSync(join(folder, 'small-'))
  const path = join(own, 'app.log')
  // It is there before they start: by default some look for new files once a minute.
  writeFileSync(path, '')
  const sink = await Sink.start('--stamped', '--server', serverFor(load.work), '--framing', framing)
  const began = performance.now()
  const subject = start(path, sink.port, own)
  await sleep(1500)
  const application = new Application(path, load.rate, load.kind)
  await sleep(WARM * 1000)
  const warm = await read(subject, sink)
  await sleep(seconds * 1000)
  const done = await read(subject, sink)
  if (load.rate === 0) await application.single()
  // What was written just now is still on its way.
  await sleep(2000)
  const { inOrder } = await sink.received()
  const trace = await traced(subject.pid, TRACED)
  const last = [
    (trace ? fixed(trace.calls / TRACED, 0) : '–').padStart(9),
    (trace ? fixed((60 * trace.syncs) / TRACED, 0) : '–').padStart(11),
    fixed(subject.resident / MIB, 0).padStart(6),
  ]
  const exec = { at: 0, cpu: 0, main: 0, all: 0, transfers: 0, requests: 0, lines: 0 }
  const starting = row(`${name}: start`, exec, { ...warm, at: warm.at - began }, inOrder.slice(0, warm.lines), [])
  const figures = row('  after it', warm, done, inOrder.slice(warm.lines), last)
  application.stop()
  await subject.stop()
  sink.stop()
  rmSync(own, { recursive: true, force: true })
  return { ...figures, ...(starting.p50 !== undefined && { first: inOrder[0]! }) }
}

function loads(): Load[] {
  const nameOf = (rate: number, kind: string, codec: string) =>
    `${rate === 0 ? 'silence' : `${rate} lines/s`}, ${kind}${codec === 'none' ? '' : `, ${codec}`}`
  const work = (codec: string) => (codec === 'gzip' ? ('ndjson, gzip' as const) : ('ndjson' as const))
  const of = (rate: number, kind: Load['kind'], codec: Load['codec']): Load => ({
    name: nameOf(rate, kind, codec),
    rate,
    kind,
    codec,
    work: work(codec),
  })
  const all = LOADS.flatMap(rate =>
    rate === 0 ? [of(0, 'text', 'none')] : KINDS.flatMap(kind => CODECS.map(codec => of(rate, kind, codec))),
  )
  return all.filter(({ name }) => name.startsWith(loadPrefix))
}

const us =
  ({ name, work, kind }: Load): Start =>
  (path, port, own) => {
    // Their listeners are on by default; another may run on this machine.
    const environment = {
      ...ours(work, path, port, `${own}/state`),
      LOGSHIPPER_SERVER_PORT: '0',
      LOGSHIPPER_SERVER_ADMIN: '127.0.0.1:0',
      ...(kind === 'json' && { LOGSHIPPER_BACKEND_RECORD_MERGE: 'true' }),
    }
    noteOurs(name, environment, port)
    return Subject.shipper(environment)
  }

/** Every load whose name begins as was asked for. */
export async function smalls(): Promise<void> {
  untraced()
  for (const load of loads()) judge(load.name.split(',')[0]!, await small(load.name, load, us(load)))
}

function untraced(): void {
  if (tracer === undefined) console.log('not counted: system calls and syncs, for there is neither perf nor strace')
}

/**
 * The same by peers: lines of text as NDJSON and to Elasticsearch, and where loads are named also objects and gzip, by
 * those that can.
 */
export async function smallsBeside(here: readonly Peer[]): Promise<void> {
  untraced()
  const ndjson = loads().filter(({ kind, codec }) => loadPrefix !== '' || (kind === 'text' && codec === 'none'))
  const bulk = ndjson.filter(({ kind, codec }) => kind === 'text' && codec === 'none')
  const all = [...ndjson, ...bulk.map((load): Load => ({ ...load, work: 'elasticsearch' }))]
  for (const load of all.filter(({ work }) => work.startsWith(workPrefix))) {
    const name = load.work === 'elasticsearch' ? `${load.name}, elasticsearch` : load.name
    console.log(`\n${name.padEnd(30)}${SMALL_HEAD}   ${loadAverage()}`)
    await small('logshipper', load, us(load))
    for (const peer of here) {
      if (!peer.works.includes(load.work) || (load.kind === 'json' && !peer.objects)) continue
      for (const setup of SETUPS.filter(each => each.startsWith(setupPrefix))) {
        await small(fullName(peer, setup), load, (path, port, own) =>
          start(peer, { work: load.work, setup, path, port, folder: own, objects: load.kind === 'json' }),
        )
      }
    }
  }
}
