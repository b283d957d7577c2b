/**
 * The program as a process, and what stands around it: an application that writes numbered lines, and a receiver that
 * keeps every line by file, in order, and fails as it is told.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { Test } from 'tap'
import type { LedgerLine } from '../src/server/shipper-view.ts'
import { scratch } from './scratch.ts'
import { leash } from './support/leash.ts'

/** The built program; another one can be tested by naming it. */
export const PROGRAM = resolve(
  process.env['LOGSHIPPER_UNDER_TEST'] ?? join(import.meta.dirname, '../dist/logshipper.cjs'),
)

/** What the receiver keeps of a record. */
export interface Received {
  readonly message: string
  readonly file: string
  readonly id?: string
  readonly truncated?: boolean
  readonly originalBytes?: number
  readonly partial?: boolean
}

/** Answers one request in place of the receiver. Returns true if the body was taken all the same. `text`: decompressed. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse, text: string) => boolean

export class Receiver {
  readonly records: Received[] = []
  readonly heads: IncomingMessage['headers'][] = []
  requests = 0
  /** While set it answers every request. */
  behaviour: Behaviour | undefined
  /** What comes again under the same Idempotency-Key is taken once. */
  honoursKeys = false
  readonly #keys = new Set<string>()
  readonly #server = createServer((request, response) => this.#serve(request, response))

  static async start(t: Test): Promise<Receiver> {
    const receiver = new Receiver()
    receiver.#server.listen(0, '127.0.0.1')
    await once(receiver.#server, 'listening')
    t.teardown(() => receiver.stop())
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ingest`
  }

  get lines(): string[] {
    return this.records.map(({ message }) => message)
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      this.requests++
      this.heads.push(request.headers)
      const { behaviour } = this
      const text = plain(request, Buffer.concat(parts))
      if (behaviour && !behaviour(request, response, text)) return
      const key = String(request.headers['idempotency-key'])
      if (!this.honoursKeys || !this.#keys.has(key)) this.#take(request, text)
      this.#keys.add(key)
      if (!behaviour) response.writeHead(204).end()
    })
  }

  #take(request: IncomingMessage, text: string): void {
    if (request.headers['content-type'] === 'text/plain') {
      for (const message of text.split('\n').slice(0, -1)) this.records.push({ message, file: '' })
    } else if (text.startsWith('[')) this.records.push(...(JSON.parse(text) as Received[]))
    else for (const line of text.split('\n').slice(0, -1)) this.records.push(JSON.parse(line) as Received)
  }
}

function plain({ headers }: IncomingMessage, body: Buffer): string {
  const encoding = headers['content-encoding']
  return (encoding === 'gzip' ? gunzipSync(body) : encoding === 'zstd' ? zstdDecompressSync(body) : body).toString()
}

/** A behaviour that refuses every request in which these words stand, and takes all others. */
export function object(words: string, status = 400, body = 'no'): Behaviour {
  return (_request, response, text) => {
    const refused = text.includes(words)
    response.writeHead(refused ? status : 204).end(refused ? body : '')
    return !refused
  }
}

/** A behaviour that refuses with `status`. */
export function refuse(status: number, headers: Record<string, string> = {}): Behaviour {
  return (_request, response) => {
    response.writeHead(status, headers).end('no')
    return false
  }
}

/** One line of its log. */
interface Said {
  readonly msg: string
  readonly [field: string]: unknown
}

export interface Ended {
  readonly code: number | null
  readonly ledger: readonly LedgerLine[]
}

export class Program {
  readonly child: ChildProcess
  readonly said: Said[] = []
  /** Standard error as it came. */
  raw = ''
  readonly #started = Promise.withResolvers<void>()
  readonly ended: Promise<Ended>
  stdout = ''

  /** `command`: runs that instead, with `args`; it must become, or pass on what is said by, the program. */
  constructor(
    env: Record<string, string>,
    args: readonly string[],
    { command, ...options }: { cwd?: string; uid?: number; command?: string } = {},
  ) {
    this.child = leash(
      spawn(command ?? process.execPath, command === undefined ? [PROGRAM, ...args] : args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env['PATH'], ...(args.some(isConfig) ? {} : TALKATIVE), ...env },
        ...options,
      }),
    )
    this.child.stdout!.setEncoding('utf8').on('data', (part: string) => (this.stdout += part))
    this.child.stderr!.on('data', (part: Buffer) => (this.raw += part.toString()))
    createInterface({ input: this.child.stderr! }).on('line', line => {
      this.said.push(line.startsWith('{') ? (JSON.parse(line) as Said) : { msg: line })
      if (this.said.at(-1)!['msg'] === 'started') this.#started.resolve()
    })
    this.ended = once(this.child, 'close').then(([code]) => {
      this.#started.reject(new Error(`it ended with ${code} before it had started: ${JSON.stringify(this.said)}`))
      const ledger = this.said.findLast(({ msg }) => msg === 'ended')?.['ledger'] as LedgerLine[] | undefined
      return { code: code as number | null, ledger: ledger ?? [] }
    })
    this.#started.promise.catch(() => {})
  }

  get started(): Promise<void> {
    return this.#started.promise
  }

  says(sentence: string): boolean {
    return this.said.some(({ msg }) => String(msg).includes(sentence))
  }

  kill(signal: NodeJS.Signals): Promise<Ended> {
    this.child.kill(signal)
    return this.ended
  }

  /** A page of one of its ports; it must have been told to take any free ones. */
  async get(path: string, port: 'port' | 'adminPort' = 'port'): Promise<{ status: number; text: string }> {
    const at = this.said.find(({ msg }) => msg === 'listening')?.[port] as number
    const response = await fetch(`http://127.0.0.1:${at}${path}`)
    return { status: response.status, text: await response.text() }
  }
}

/** A place on the volume, a receiver, and as many lives of the program as the test wants. */
export class Stage {
  readonly logs: string
  readonly state: string
  readonly receiver: Receiver
  readonly #t: Test
  readonly env: Record<string, string>
  #next = 0

  private constructor(t: Test, dir: string, receiver: Receiver, env: Record<string, string>) {
    this.#t = t
    this.logs = join(dir, 'logs')
    this.state = join(dir, 'state')
    this.receiver = receiver
    this.env = {
      LOGSHIPPER_SOURCE_PATHS: join(this.logs, '*.log'),
      LOGSHIPPER_BACKEND_TYPE: 'http',
      LOGSHIPPER_BACKEND_ENDPOINT: receiver.url,
      LOGSHIPPER_BACKEND_RETRY_INITIAL: '50ms',
      LOGSHIPPER_BACKEND_RETRY_MAX: '300ms',
      LOGSHIPPER_STATE_DIR: this.state,
      LOGSHIPPER_SERVER_PORT: '0',
      LOGSHIPPER_SERVER_ADMIN: '127.0.0.1:0',
      ...env,
    }
  }

  static async set(t: Test, env: Record<string, string> = {}): Promise<Stage> {
    const stage = new Stage(t, scratch(t, { logs: {} }), await Receiver.start(t), env)
    mkdirSync(stage.logs, { recursive: true })
    return stage
  }

  get log(): string {
    return join(this.logs, 'app.log')
  }

  async start(env: Record<string, string> = {}, args: readonly string[] = []): Promise<Program> {
    const program = new Program({ ...this.env, ...env }, args)
    this.#t.teardown(() => program.kill('SIGKILL'))
    await program.started
    return program
  }

  /** The next `count` numbered lines, appended to `path`. */
  write(count: number, path = this.log): void {
    appendFileSync(path, this.take(count))
  }

  take(count: number): string {
    let text = ''
    for (let n = 0; n < count; n++) text += `${String(this.#next++).padStart(8, '0')} a line of the application\n`
    return text
  }

  get written(): number {
    return this.#next
  }

  /** Waits until every number that was written has come. */
  async arrived(seconds = PATIENCE): Promise<boolean> {
    // Counting first: to look at each of many lines again and again would take the time that the program needs.
    return until(() => this.receiver.records.length >= this.#next && this.missing().length === 0, seconds)
  }

  numbers(): number[] {
    return this.receiver.lines.map(line => Number(line.slice(0, 8)))
  }

  missing(): number[] {
    const seen = new Set(this.numbers())
    return Array.from({ length: this.#next }, (_, n) => n).filter(n => !seen.has(n))
  }

  /** Nothing missing, nothing torn, every line once and in the order it was written. */
  complete(t: Test, options: { ordered?: boolean; once?: boolean } = {}): void {
    const { ordered = true, once = true } = options
    t.strictSame(this.missing(), [], 'nothing is missing')
    const torn = this.receiver.lines.filter(line => !/^\d{8} a line of the application$/.test(line))
    t.strictSame(torn, [], 'nothing is torn')
    const numbers = this.numbers()
    if (once) t.equal(numbers.length, this.#next, 'nothing comes twice')
    if (ordered) {
      const wrong = numbers.filter((number, at) => at > 0 && number < numbers[at - 1]!)
      t.strictSame(wrong, [], 'the order is kept')
    }
  }
}

/** Longer than any busy machine needs: how long it takes is not what a test is about. */
/** Without a configuration it prints records, and would be quiet: tests wait for what it says. */
const TALKATIVE = { LOGSHIPPER_LOG_LEVEL: 'info' }
const isConfig = (arg: string): boolean => arg === '-c' || arg.startsWith('--config')

const PATIENCE = 60

export async function until(holds: () => boolean | Promise<boolean>, seconds = PATIENCE): Promise<boolean> {
  const end = performance.now() + seconds * 1000
  while (!(await holds())) {
    if (performance.now() > end) return false
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return true
}

export const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
