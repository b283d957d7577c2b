/**
 * What the worlds of both tortures stand on: a directory of its own with logs and state, two receivers, and the shipper as
 * a process that is weighed all the time.
 *
 * It runs the actions of a program one after the other, lets everything come to rest, and leaves no process behind. What
 * is wrong is collected and ends the program; what files, receivers and ledgers say of it is the worlds' to judge.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { otherUser } from '../support/otheruser.ts'
import type { Ended, Machine } from './machine.ts'
import { BACKENDS, type BackendName } from './program.ts'
import type { Receiver } from './receiver.ts'

/** Seconds: long enough to send everything again after a death. */
export const GRACE = 60
/** The user that the shipper runs as, where the torture runs as root. */
export const NOBODY = 65534
/**
 * Bytes of anonymous memory that the shipper may have at most, with the flags that the image gives it, however much waits
 * and whatever happened: two arenas of 1 MiB, the program, what a garbage collector leaves lying and what zlib takes.
 */
const MOST_ANONYMOUS = 64 * 2 ** 20
/** The receivers live in this process. Held up for so long they are slow servers, whose clients give up: milliseconds. */
const STALL = 500
/** Milliseconds from one look at the process to the next. */
const LOOK = 20

export interface Attempt {
  readonly violations: readonly string[]
  readonly numbers: Readonly<Record<string, number>>
}

/** When this process was held up. */
export interface Stall {
  readonly from: number
  readonly to: number
}

/** What a world does with the rig. */
export interface Course<A> {
  readonly actions: readonly A[]
  /** The shipper, configured: the endpoints are known by now. */
  machine(): Machine
  /** Starts the shipper for the first time. */
  start(): Promise<void>
  step(action: A): Promise<void>
  /** Everything becomes well, all arrives, and the shipper ends in order. */
  rest(): Promise<void>
  /** Called every so often while the program runs. */
  look(): void
}

export class Rig {
  readonly directory: string
  readonly logs: string
  readonly state: string
  readonly receivers: readonly Receiver[]
  /** By backend, in the order of `BACKENDS`. */
  readonly endpoints: string[] = []
  readonly violations: string[] = []
  machine!: Machine
  readonly #stalls: Stall[]

  /** `receivers`: one for each of `BACKENDS`. `stalls`: where it is put down that this process was held up. */
  constructor(name: string, receivers: readonly Receiver[], stalls: Stall[]) {
    this.directory = mkdtempSync(join(tmpdir(), `logshipper-${name}-`))
    this.logs = join(this.directory, 'logs')
    this.state = join(this.directory, 'state')
    this.receivers = receivers
    this.#stalls = stalls
  }

  /** What the shipper wrote to standard error. */
  get said(): readonly string[] {
    return this.machine.said
  }

  /** How often it has taken over a changed configuration. */
  get reloads(): number {
    return this.said.filter(line => line.includes('"config reloaded"')).length
  }

  receiver(backend: BackendName): Receiver {
    return this.receivers[BACKENDS.indexOf(backend)]!
  }

  heal(): void {
    for (const receiver of this.receivers) receiver.heal()
  }

  /** Writes a configuration of these sources and of one backend for each receiver. Returns its path. */
  configure(sources: readonly object[], records: number, rest: Readonly<Record<string, unknown>>): string {
    const [left, right] = this.endpoints
    const common = {
      type: 'http',
      ids: true,
      // Small batches and waits: many of everything in a short time.
      batch: { maxBytes: '64KiB', maxRecords: records },
      retry: { initial: '20ms', max: '200ms' },
      timeout: { connect: '2s', headers: '3s', body: '3s' },
      deadLetter: {},
    }
    const config = {
      sources,
      backends: [
        { ...common, name: BACKENDS[0], format: 'ndjson', compression: 'none', endpoint: left },
        { ...common, name: BACKENDS[1], format: 'json', compression: 'gzip', endpoint: right },
      ],
      state: { dir: this.state },
      log: { level: 'info' },
      ...rest,
    }
    const path = join(this.directory, 'config.json')
    writeFileSync(path, JSON.stringify(config, null, 2))
    return path
  }

  /** Runs the program, and ends what is left of it. */
  async run<A>(course: Course<A>): Promise<void> {
    for (const directory of [this.logs, this.state]) mkdirSync(directory)
    chmodSync(this.directory, 0o755)
    if (otherUser === false) chownSync(this.state, NOBODY, NOBODY)
    for (const receiver of this.receivers) this.endpoints.push(await receiver.listen())
    this.machine = course.machine()
    await course.start()
    const watch = this.#watch(() => course.look())
    try {
      for (const action of course.actions) {
        await course.step(action)
        if (this.violations.length > 0) break
      }
      if (this.violations.length === 0) await course.rest()
    } catch (error) {
      this.violations.push(`the torture itself failed: ${(error as Error).stack}`)
    } finally {
      clearInterval(watch)
      if (this.machine.running) {
        this.machine.signal('SIGKILL')
        this.machine.signal('SIGCONT')
        await this.machine.ended()
      }
      for (const receiver of this.receivers) receiver.close()
    }
  }

  #watch(look: () => void): NodeJS.Timeout {
    let turned = performance.now()
    return setInterval(() => {
      const now = performance.now()
      if (now - turned > STALL) this.#stalls.push({ from: turned, to: now })
      turned = now
      this.machine.weigh()
      look()
    }, LOOK)
  }

  /** Sends SIGTERM, and SIGKILL once the grace period is over: one shorter than the one it was started with kills it. */
  async terminate(grace: number): Promise<Ended> {
    this.machine.signal('SIGTERM')
    const timer = setTimeout(() => this.machine.signal('SIGKILL'), grace * 1000)
    const ended = await this.machine.ended()
    clearTimeout(timer)
    return ended
  }

  /** What is wrong with the process itself, whatever was delivered. */
  faults(): string[] {
    const { stuck, peak } = this.machine
    const faults = this.said.filter(line => line.includes('a bug:'))
    if (stuck) faults.push('it did not end when it was told to')
    if (peak.anonymous > MOST_ANONYMOUS) faults.push(`${mebibytes(peak.anonymous)} MiB of anonymous memory`)
    return faults
  }

  /** The dead letters of a backend. */
  letters<L>(backend: string): L[] {
    const path = join(this.state, 'dead-letter', `${backend}.ndjson`)
    if (!existsSync(path)) return []
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    return lines.filter(line => line !== '').map(line => JSON.parse(line) as L)
  }

  /** For a look at a failure: writes lines beside the logs. */
  put(name: string, lines: readonly string[]): void {
    writeFileSync(join(this.directory, name), lines.join('\n'))
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}

export const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20)
