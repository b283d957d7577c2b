/**
 * For tests whose numbers are large: a receiver that counts numbered lines of a fixed size instead of keeping them, a
 * writer that is a process of its own, and what the kernel says of the program's memory and time.
 *
 *     LONG=1 node test/limits/rotation.test.ts      the variants that take minutes too
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { cpuSeconds, memory } from '../bench/measure.ts'
import { PROGRAM, Program } from '../program.ts'
import { ENVIRONMENT, FLAGS } from '../support/image.ts'
import { DIGITS, LINE, type Order, type Written } from './writer.ts'

export { LINE } from './writer.ts'

/** Variants that take minutes run only when asked for. */
export const LONG = process.env['LONG'] === '1'

export const MIB = 2 ** 20
/**
 * What the program may have with its default budget of 8 MiB, whatever happens. Anonymous memory is its own; resident
 * are besides it the clean pages of the node executable, of which the kernel keeps as many as it likes.
 */
const MOST = { anonymous: 64 * MIB, resident: 144 * MIB }

/** Takes lines as they are (`format: text`), looks at the number of each and forgets it. */
export class Counter {
  /** Different numbers that came, lines that came again, and bodies that are not lines of the writer's. */
  lines = 0
  repeated = 0
  wrong = 0
  bytes = 0
  /** While true every request is refused. */
  down = false
  #seen = new Uint8Array(1 << 20)
  readonly #server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      if (this.down) return response.writeHead(503).end()
      this.#take(Buffer.concat(parts))
      response.writeHead(204).end()
    })
  })

  static async start(t: Test): Promise<Counter> {
    const counter = new Counter()
    counter.#server.listen(0, '127.0.0.1')
    await once(counter.#server, 'listening')
    t.teardown(() => {
      counter.#server.close()
      counter.#server.closeAllConnections()
    })
    return counter
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  /** Numbers below `count` that have not come, the first few of them. */
  missing(count: number): number[] {
    const missing: number[] = []
    for (let n = 0; n < count && missing.length < 10; n++) if (!this.#seen[n]) missing.push(n)
    return missing
  }

  #take(body: Buffer): void {
    this.bytes += body.length
    for (let at = 0; at < body.length; at += LINE) {
      const number = Number(body.toString('latin1', at, at + DIGITS))
      if (body[at + LINE - 1] !== 10 || !Number.isSafeInteger(number)) {
        this.wrong++
        return
      }
      if (number >= this.#seen.length) {
        const larger = new Uint8Array(2 * Math.max(number, this.#seen.length))
        larger.set(this.#seen)
        this.#seen = larger
      }
      if (this.#seen[number]) this.repeated++
      else this.lines++
      this.#seen[number] = 1
    }
  }
}

/** Starts the writer. Resolves, when it has done what it was told, to what it wrote. */
export async function write(t: Test, order: Order): Promise<Written> {
  const child: ChildProcess = fork(new URL('./writer.ts', import.meta.url), [JSON.stringify(order)])
  t.teardown(() => child.kill('SIGKILL'))
  const [written] = (await once(child, 'message')) as [Written]
  return written
}

export interface Setting {
  readonly logs: string
  readonly state: string
  /** Where lines go as they are; another backend, or none of these settings, may be given in `env`. */
  readonly url: string
  readonly env?: Record<string, string>
  readonly uid?: number
}

/** A running program with the flags that the image gives it. */
export async function start(t: Test, { logs, state, url, env = {}, uid }: Setting): Promise<Program> {
  const program = new Program(
    {
      ...ENVIRONMENT,
      LOGSHIPPER_SOURCE_PATHS: join(logs, '*.log'),
      LOGSHIPPER_BACKEND_TYPE: 'http',
      LOGSHIPPER_BACKEND_FORMAT: 'text',
      LOGSHIPPER_BACKEND_COMPRESSION: 'none',
      LOGSHIPPER_BACKEND_ENDPOINT: url,
      LOGSHIPPER_BACKEND_RETRY_INITIAL: '50ms',
      LOGSHIPPER_BACKEND_RETRY_MAX: '300ms',
      LOGSHIPPER_STATE_DIR: state,
      LOGSHIPPER_SERVER_PORT: '0',
      LOGSHIPPER_SERVER_ADMIN: '127.0.0.1:0',
      ...env,
    },
    [...FLAGS, PROGRAM],
    uid === undefined ? { command: process.execPath } : { command: process.execPath, uid },
  )
  t.teardown(() => program.child.kill('SIGKILL'))
  await program.started
  return program
}

/** Looks at a process until it is asked what it took. */
export class Watch {
  readonly #pid: number
  readonly #timer: NodeJS.Timeout
  #anonymous = 0
  #resident = 0

  constructor(t: Test, { child }: Program) {
    this.#pid = child.pid!
    this.#timer = setInterval(() => this.#look(), 50)
    t.teardown(() => clearInterval(this.#timer))
  }

  get cpu(): number {
    return cpuSeconds(this.#pid)
  }

  /** The most it had so far must be within bounds, and `extra` bytes; says how much it was. */
  bounded(t: Test, what: string, extra = 0): void {
    this.#look()
    const mebibytes = (bytes: number) => (bytes / MIB).toFixed(0)
    t.comment(`${what}: at most ${mebibytes(this.#anonymous)} MiB anonymous, ${mebibytes(this.#resident)} MiB resident`)
    t.ok(this.#anonymous < MOST.anonymous + extra, `anonymous memory is bounded: ${mebibytes(this.#anonymous)} MiB`)
    t.ok(this.#resident < MOST.resident + extra, `resident memory is bounded: ${mebibytes(this.#resident)} MiB`)
  }

  #look(): void {
    try {
      this.#anonymous = Math.max(this.#anonymous, memory(this.#pid, 'RssAnon'))
      this.#resident = Math.max(this.#resident, memory(this.#pid, 'VmHWM'))
    } catch {
      // It has ended.
    }
  }
}
