/** What the kernel says a process has used (proc(5)), and the processes of the bench. */
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ENVIRONMENT, FLAGS } from '../support/image.ts'
import type { Received } from './sink.ts'

const TICKS = Number(execFileSync('getconf', ['CLK_TCK']).toString())
const BUNDLE = new URL('../../dist/logshipper.cjs', import.meta.url).pathname

/** Without the image's flags. */
const BARE = process.argv.includes('--bare')

/** User and system CPU seconds of all threads. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** Of each thread that is still there. */
function ofThreads(pid: number, file: 'schedstat' | 'status', of: (text: string, thread: string) => number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    try {
      return sum + of(readFileSync(`/proc/${pid}/task/${thread}/${file}`, 'latin1'), thread)
    } catch {
      // It has just ended.
      return sum
    }
  }, 0)
}

/** Seconds that the process's threads had a core for, to the nanosecond where the kernel tells that. */
export function coreSeconds(pid: number): number {
  if (!existsSync(`/proc/${pid}/task/${pid}/schedstat`)) return cpuSeconds(pid)
  return ofThreads(pid, 'schedstat', text => Number(text.split(' ')[0]) / 1e9)
}

/** How often its threads waited and were woken (voluntary context switches): the main one, and all. */
export function wakes(pid: number): { main: number; all: number } {
  let main = 0
  const all = ofThreads(pid, 'status', (text, thread) => {
    const woken = Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(text)?.[1] ?? 0)
    if (thread === String(pid)) main = woken
    return woken
  })
  return { main, all }
}

/** Calls that read and wrote, files and sockets: not all system calls, but counted for nothing (proc(5), `io`). */
export function transfers(pid: number): number {
  const text = readFileSync(`/proc/${pid}/io`, 'latin1')
  return [...text.matchAll(/^sysc[rw]: (\d+)$/gm)].reduce((sum, [, calls]) => sum + Number(calls), 0)
}

/** Bytes, of one line of /proc/pid/status. */
export function memory(pid: number, line: 'VmHWM' | 'VmRSS' | 'RssAnon'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(new RegExp(`^${line}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024
}

export class Sink {
  readonly #process: ChildProcess
  readonly port: number

  private constructor(process: ChildProcess, port: number) {
    this.#process = process
    this.port = port
  }

  static async start(...options: string[]): Promise<Sink> {
    const child = fork(new URL('./sink.ts', import.meta.url), options)
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    return new Sink(child, port)
  }

  /** CPU seconds so far: a sink that costs as much as what is measured would become what is measured. */
  get cpu(): number {
    return cpuSeconds(this.#process.pid!)
  }

  async received(): Promise<Received> {
    this.#process.send('?')
    const [received] = (await once(this.#process, 'message')) as [Received]
    return received
  }

  stop(): void {
    this.#process.disconnect()
  }
}

/** A process under watch. */
export class Subject {
  readonly pid: number
  readonly #process: ChildProcess
  readonly #timer: NodeJS.Timeout
  readonly startedAt = Date.now()
  peakAnonymous = 0

  constructor(command: string, options: readonly string[], environment: Record<string, string> = {}) {
    this.#process = spawn(command, options, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: process.env.PATH, ...environment },
    })
    this.pid = this.#process.pid!
    this.#timer = setInterval(() => this.#sample(), 50)
  }

  /** The shipper as it runs in the image; with `--bare` as whoever starts it outside gets it. */
  static shipper(environment: Record<string, string>, ...options: string[]): Subject {
    if (!existsSync(BUNDLE)) throw new Error('there is no bundle: run npm run build first')
    const own = { LOGSHIPPER_LOG_LEVEL: 'warn', ...environment }
    if (BARE) return new Subject(process.execPath, [BUNDLE, 'run', ...options], own)
    return new Subject(process.execPath, [...FLAGS, BUNDLE, 'run', ...options], { ...ENVIRONMENT, ...own })
  }

  get ended(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  get cpu(): number {
    return cpuSeconds(this.pid)
  }

  get peakResident(): number {
    return memory(this.pid, 'VmHWM')
  }

  get resident(): number {
    return memory(this.pid, 'VmRSS')
  }

  async stop(): Promise<number | null> {
    clearInterval(this.#timer)
    this.#process.kill('SIGTERM')
    const [code] = (await once(this.#process, 'close')) as [number | null]
    return code
  }

  #sample(): void {
    try {
      this.peakAnonymous = Math.max(this.peakAnonymous, memory(this.pid, 'RssAnon'))
    } catch {
      // It has just ended.
    }
  }
}

/** Looks at the sink, one every 300 ms. */
interface Waiting {
  /** How often in a row it must have nothing new before we believe that all has come. */
  readonly silences?: number | undefined
  /** How often it may have nothing new before that is too little. */
  readonly patience?: number
}

/**
 * Waits until at least `least` bytes and then nothing has come for a while. Resolves to what came in all. Rejects where
 * the subject ends before, or nothing comes any more.
 */
export async function quiet(
  sink: Sink,
  least: number,
  subject?: Subject,
  { silences = 3, patience = Number.POSITIVE_INFINITY }: Waiting = {},
): Promise<Received> {
  let before = -1
  let silent = 0
  for (;;) {
    await sleep(300)
    if (subject?.ended) throw new Error('it ended before everything had come')
    const now = await sink.received()
    silent = now.bodyBytes === before ? silent + 1 : 0
    if (now.bodyBytes >= least && silent >= silences) return now
    if (silent >= patience) throw new Error(`${now.bodyBytes} bytes came, at least ${least} were expected`)
    before = now.bodyBytes
  }
}

export function percentile(sorted: readonly number[], p: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * p) / 100))] ?? Number.NaN
}
