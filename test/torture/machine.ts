/** The shipper under test as a process: started, frozen, killed, ended in order, and watched from outside. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { LedgerLine } from '../../src/server/shipper-view.ts'
import { ENVIRONMENT, FLAGS } from '../support/image.ts'
import { otherUser } from '../support/otheruser.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const BUNDLE = join(ROOT, 'dist/logshipper.cjs')
/** Under root nothing is forbidden: what a mode forbids shows only as another user. */
const NOBODY = 65534

/** No shipper outlives the torture. */
const running = new Set<ChildProcess>()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export interface Ended {
  readonly code: number | null
  readonly ledger: readonly LedgerLine[] | undefined
}

export function programUnderTest(): string {
  const given = process.env['LOGSHIPPER_UNDER_TEST']
  if (given) return resolve(given)
  return existsSync(BUNDLE) ? BUNDLE : join(ROOT, 'src/main.ts')
}

export class Machine {
  readonly #config: string
  /** Read at each start. */
  readonly #env: Readonly<Record<string, string>>
  readonly #within: readonly string[]
  readonly #flags: readonly string[]
  #child: ChildProcess | undefined
  #grace = 0
  /** It did not end when it was told to. */
  stuck = false
  #ended: Promise<Ended> | undefined
  /** By process: milliseconds that it was seen to have waited for a processor. */
  readonly #waits = new Map<number, number>()
  /** What the shipper said on standard error. */
  readonly said: string[] = []
  /** The most memory that any of its processes was seen to have: bytes. */
  readonly peak = { resident: 0, anonymous: 0 }

  /** `within`: words before the program's command, if any; they see to its user. `flags`: more of Node's options. */
  constructor(
    config: string,
    env: Readonly<Record<string, string>> = {},
    within: readonly string[] = [],
    flags: readonly string[] = [],
  ) {
    this.#config = config
    this.#env = env
    this.#within = within
    this.#flags = flags
  }

  get running(): boolean {
    return this.#child !== undefined
  }

  /** Resolves when it says that it has started. */
  async start(grace: number): Promise<void> {
    this.#grace = grace
    const foreign = otherUser === false && this.#within.length === 0 ? { uid: NOBODY, gid: NOBODY } : {}
    const own = [process.execPath, ...FLAGS, ...this.#flags, programUnderTest(), 'run', '--config', this.#config]
    const [command, ...args] = [...this.#within, ...own]
    const child = spawn(command!, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      ...foreign,
      env: {
        PATH: process.env['PATH'],
        ...ENVIRONMENT,
        ...this.#env,
        LOGSHIPPER_DRAIN_GRACE_PERIOD: `${grace}s`,
      },
    })
    this.#child = child
    running.add(child)
    let ledger: readonly LedgerLine[] | undefined
    const started = Promise.withResolvers<void>()
    createInterface({ input: child.stderr! }).on('line', line => {
      this.said.push(line)
      if (line.includes('"msg":"started"')) started.resolve()
      if (line.includes('"msg":"ended"')) ledger = (JSON.parse(line) as { ledger: LedgerLine[] }).ledger
    })
    this.#ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ledger }))
    void this.#ended.then(({ code }) => started.reject(new Error(`the shipper ended (${code}) before it had started`)))
    await started.promise
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** Resolves when it has ended. One that does not is killed, after twice the time that it was given. */
  async ended(): Promise<Ended> {
    const timer = setTimeout(
      () => {
        this.stuck = true
        this.#child?.kill('SIGKILL')
      },
      2 * this.#grace * 1000,
    )
    const ended = await this.#ended!
    clearTimeout(timer)
    running.delete(this.#child!)
    this.#child = undefined
    return ended
  }

  /** The regular files that it holds open now, by device and inode. */
  open(): Set<string> {
    const keys = new Set<string>()
    const directory = `/proc/${this.#child?.pid}/fd`
    let names: string[] = []
    try {
      names = readdirSync(directory)
    } catch {
      // It has just ended.
    }
    for (const name of names) {
      const stats = statSync(join(directory, name), { bigint: true, throwIfNoEntry: false })
      if (stats?.isFile()) keys.add(`${stats.dev}:${stats.ino}`)
    }
    return keys
  }

  /** Milliseconds that the threads of all of its processes have waited for a processor, as far as the kernel counts that. */
  get waited(): number {
    const { pid } = this.#child ?? {}
    if (pid !== undefined) this.#waits.set(pid, Math.max(this.#waits.get(pid) ?? 0, waitedBy(pid)))
    return this.#waits.values().reduce((sum, waited) => sum + waited, 0)
  }

  /** Looks at its memory now. The kernel keeps the highest resident size itself (proc(5), VmHWM). */
  weigh(): void {
    const { resident, anonymous } = memoryOf(this.#child?.pid)
    this.peak.resident = Math.max(this.peak.resident, resident)
    this.peak.anonymous = Math.max(this.peak.anonymous, anonymous)
  }
}

/** The highest resident size of a process so far and its anonymous memory now, in bytes; zeros if it is gone. */
function memoryOf(pid: number | undefined): { resident: number; anonymous: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const field = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0)
    return { resident: field('VmHWM'), anonymous: field('RssAnon') }
  } catch {
    return { resident: 0, anonymous: 0 }
  }
}

/** What the threads of a process waited for a processor: milliseconds (proc(5), /proc/pid/schedstat). */
function waitedBy(pid: number): number {
  let waited = 0
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const [, nanoseconds = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')
      waited += Number(nanoseconds) / 1e6
    }
  } catch {
    // A thread has just ended, or the kernel does not count.
  }
  return waited
}
