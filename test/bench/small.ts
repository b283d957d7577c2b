/**
 * Small loads: what the ordinary day costs, some lines a second, each written for itself, with the listeners on as by
 * default. The start is a figure of its own: CPU seconds from exec to the end of warming up. After that, of the shipper's
 * process: share of a core; how often its main thread, and all of its threads, had waited and were woken (voluntary
 * context switches, proc(5)); requests; lag from the write of a line to its receipt, in silence that of single lines;
 * and, of a span of its own where strace is there, system calls and syncs, for tracing costs what it counts.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { block, jsonBlock } from './corpus.ts'
import { cpuSeconds, percentile, Sink, Subject } from './measure.ts'
import type { Peer } from './peers.ts'
import { common, fixed, folder, loadPrefix, MIB, seconds } from './setting.ts'
import { STAMP, STAMP_LENGTH, stamp } from './stamp.ts'
import { judge } from './targets.ts'

/** Lines a second. */
const LOADS = [0, 1, 10, 100, 1000] as const
const KINDS = ['text', 'json'] as const
const CODECS = ['none', 'gzip'] as const
/** Seconds before it counts, and of tracing behind it. */
const WARM = Math.min(20, 2 * seconds)
const TRACED = Math.min(10, Math.ceil(seconds / 2))

/** Single lines that are written into silence, and how long that is: milliseconds. */
const SINGLE = 5
const SILENCE = 2500

interface Load {
  readonly name: string
  readonly rate: number
  readonly kind: (typeof KINDS)[number]
  readonly codec: (typeof CODECS)[number]
}

/** Lines with room for a stamp in each; an object has it as a value. */
function linesOf(kind: Load['kind']): Buffer[] {
  const room = `${STAMP}${'0'.repeat(STAMP_LENGTH - 1)}`
  const lines = (kind === 'text' ? block(64 * 1024, true) : jsonBlock(64 * 1024)).toString().trimEnd().split('\n')
  return lines.map(line => Buffer.from(`${kind === 'text' ? line : line.replace('{', `{"stamp":"${room}",`)}\n`))
}

/** Writes one line after the other at a rate, until it is stopped; where a timer is late several at once. */
class Application {
  readonly #file: number
  readonly #lines: readonly Buffer[]
  readonly #rate: number
  readonly #began = performance.now()
  readonly #timer: NodeJS.Timeout | undefined
  #written = 0

  constructor(path: string, { rate, kind }: Load) {
    this.#file = openSync(path, 'a')
    this.#lines = linesOf(kind)
    this.#rate = rate
    this.#timer = rate === 0 ? undefined : setInterval(() => this.#write(), Math.max(1, 1000 / rate / 2))
    if (rate === 0) this.#append()
  }

  #write(): void {
    const due = ((performance.now() - this.#began) / 1000) * this.#rate
    while (this.#written < due) this.#append()
  }

  #append(): void {
    const line = this.#lines[this.#written++ % this.#lines.length]!
    line.write(stamp(), line.indexOf(STAMP) + 1, 'latin1')
    writeSync(this.#file, line)
  }

  /** Single lines, each after a silence. */
  async single(): Promise<void> {
    for (let n = 0; n < SINGLE; n++) {
      await sleep(SILENCE)
      this.#append()
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    closeSync(this.#file)
  }
}

/** Seconds that the process's threads had a core for, to the nanosecond where the kernel tells that. */
function coreSeconds(pid: number): number {
  const path = (thread: string) => `/proc/${pid}/task/${thread}/schedstat`
  if (!existsSync(path(String(pid)))) return cpuSeconds(pid)
  const of = (thread: string) => Number(readFileSync(path(thread), 'latin1').split(' ')[0]) / 1e9
  // Its threads are there for as long as it is.
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + of(thread), 0)
}

/** Voluntary context switches: of the main thread, and of all. */
function wakes(pid: number): { main: number; all: number } {
  const of = (thread: string): number => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1')
    return Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1] ?? 0)
  }
  return { main: of(String(pid)), all: readdirSync(`/proc/${pid}/task`).reduce((sum, each) => sum + of(each), 0) }
}

/** System calls and syncs in so many seconds, as strace counts them; undefined where it does not. */
async function traced(pid: number, file: string): Promise<{ calls: number; syncs: number } | undefined> {
  const strace = spawn('strace', ['-f', '-c', '-o', file, '-p', String(pid)], { stdio: 'ignore' })
  const gone = once(strace, 'close').catch(() => {})
  strace.on('error', () => {})
  await sleep(TRACED * 1000)
  strace.kill('SIGINT')
  await gone
  if (!existsSync(file)) return undefined
  const rows = readFileSync(file, 'latin1').split('\n')
  const countOf = (name: RegExp): number => {
    const cells = rows.filter(row => name.test(row.trim())).map(row => row.trim().split(/\s+/))
    return cells.reduce((sum, row) => sum + Number(row[3]), 0)
  }
  return { calls: countOf(/\btotal$/), syncs: countOf(/\b(fsync|fdatasync)$/) }
}

export const SMALL_HEAD =
  'start CPU-s   CPU %   CPU-s  wakes/s     all   req/s   lag p50     p95     p99     max   first  calls/s  syncs/min   RSS'

async function small(load: Load, start: (path: string, port: number, own: string) => Subject): Promise<void> {
  const own = join(folder, `small-${load.name.replaceAll(/\W+/g, '-')}`)
  mkdirSync(own)
  const path = join(own, 'app.log')
  const sink = await Sink.start('--stamped', ...(load.codec === 'gzip' ? ['--gzip'] : []))
  const subject = start(path, sink.port, own)
  await sleep(1500)
  const application = new Application(path, load)
  await sleep(WARM * 1000)
  const warm = coreSeconds(subject.pid)
  const before = { ...wakes(subject.pid), ...(await sink.received()) }
  const began = performance.now()
  await sleep(seconds * 1000)
  const elapsed = (performance.now() - began) / 1000
  const cpu = coreSeconds(subject.pid) - warm
  const woken = wakes(subject.pid)
  if (load.rate === 0) await application.single()
  // What was written just now is still on its way.
  await sleep(1000)
  const after = await sink.received()
  const lags = after.inOrder.slice(before.inOrder.length).toSorted((a, b) => a - b)
  const trace = await traced(subject.pid, join(own, 'trace'))
  const core = (100 * cpu) / elapsed
  const [p50, p95, p99] = [50, 95, 99].map(each => percentile(lags, each)) as [number, number, number]
  const wakeups = (woken.main - before.main) / elapsed
  const lagOf = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? '–' : fixed(value, 1))
  judge(load.rate === 0 ? 'silence' : `${load.rate} lines/s`, {
    core,
    wakeups,
    ...(lags.length > 0 && { p50, p99 }),
    first: after.inOrder[0]!,
  })
  const row = [
    load.name.padEnd(26),
    fixed(warm, 2).padStart(8),
    fixed(core, 2).padStart(8),
    fixed(cpu, 3).padStart(8),
    fixed(wakeups, 1).padStart(9),
    fixed((woken.all - before.all) / elapsed, 1).padStart(8),
    fixed((after.requests - before.requests) / (elapsed + 1), 1).padStart(8),
    ...[p50, p95, p99, lags.at(-1), after.inOrder[0]].map((lag, n) => lagOf(lag).padStart(n === 0 ? 10 : 8)),
    (trace ? fixed(trace.calls / TRACED, 0) : '–').padStart(9),
    (trace ? fixed((60 * trace.syncs) / TRACED, 0) : '–').padStart(11),
    fixed(subject.resident / MIB, 0).padStart(6),
  ]
  application.stop()
  await subject.stop()
  sink.stop()
  console.log(row.join(''))
}

const nameOf = (rate: number, kind: string, codec: string) =>
  `${rate === 0 ? 'silence' : `${rate} lines/s`}, ${kind}${codec === 'none' ? '' : `, ${codec}`}`

/** Every load whose name begins as was asked for; `peer`: by that one, as far as it can. */
export async function smalls(peer?: Peer): Promise<void> {
  if (spawnSync('strace', ['-V']).status !== 0) console.log('skipped system calls and syncs: no strace')
  for (const rate of LOADS) {
    for (const kind of rate === 0 ? ['text' as const] : KINDS) {
      for (const codec of rate === 0 ? ['none' as const] : CODECS) {
        const load: Load = { name: nameOf(rate, kind, codec), rate, kind, codec }
        if (!load.name.startsWith(loadPrefix)) continue
        await small(load, (path, port, own) => {
          if (peer) return peer.start({ work: codec === 'gzip' ? 'ndjson, gzip' : 'ndjson', path, port, folder: own })
          const { LOGSHIPPER_SERVER_PORT, LOGSHIPPER_SERVER_ADMIN, ...options } = common(path, port, `${own}/state`)
          return Subject.shipper({
            ...options,
            // On, as by default; another may run on this machine.
            LOGSHIPPER_SERVER_PORT: '0',
            LOGSHIPPER_SERVER_ADMIN: '127.0.0.1:0',
            LOGSHIPPER_BACKEND_COMPRESSION: codec,
            ...(kind === 'json' && { LOGSHIPPER_BACKEND_RECORD_MERGE: 'true' }),
          })
        })
      }
    }
  }
}
