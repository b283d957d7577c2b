/**
 * Chromium without a window, spoken to through its debugging pipe: messages of the DevTools protocol, each ended by a
 * NUL. One page, in a profile that is removed afterwards.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { Test } from 'tap'
import { until } from '../program.ts'
import { leash } from './leash.ts'

type Fields = Readonly<Record<string, unknown>>

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Fields
  readonly result?: Fields
  readonly error?: { readonly message: string }
}

const OPTIONS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-breakpad', '--mute-audio'],
  '--remote-debugging-pipe',
]

/** Longer than a machine needs on which everything takes ten times as long. */
const PATIENCE = 240

export class Chromium {
  /** Addresses that were asked for. */
  readonly requests: string[] = []
  /** What it complained of: exceptions, and what a policy refused. */
  readonly complaints: string[] = []
  readonly #to: Writable
  readonly #waiting = new Map<number, (message: Message) => void>()
  #next = 0
  #session: string | undefined

  private constructor(to: Writable, from: Readable) {
    this.#to = to
    to.on('error', () => {})
    let rest = ''
    from.setEncoding('utf8').on('data', (part: string) => {
      const messages = (rest + part).split('\0')
      rest = messages.pop()!
      for (const message of messages) this.#take(JSON.parse(message) as Message)
    })
  }

  /** Undefined if it does not start here. */
  static async start(t: Test): Promise<Chromium | undefined> {
    const profile = mkdtempSync(join(tmpdir(), 'chromium-'))
    const child = leash(
      spawn('chromium', [...OPTIONS, `--user-data-dir=${profile}`, 'about:blank'], {
        env: { PATH: process.env['PATH'], HOME: profile },
        stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      }),
    )
    const gone = once(child, 'exit').then(() => undefined)
    const chromium = new Chromium(child.stdio[3] as Writable, child.stdio[4] as Readable)
    t.teardown(async () => {
      child.kill('SIGKILL')
      await gone
      // Processes of its own may still write there for a moment.
      rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    })
    const ready = chromium.#attach().then(() => chromium)
    return Promise.race([ready, gone])
  }

  async #attach(): Promise<void> {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true })
    this.#session = String(sessionId)
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await this.send(`${domain}.enable`)
  }

  #take({ id, method, params = {}, ...rest }: Message): void {
    if (id !== undefined) {
      this.#waiting.get(id)?.({ params, ...rest })
      this.#waiting.delete(id)
    } else if (method === 'Network.requestWillBeSent') {
      this.requests.push((params as { request: { url: string } }).request.url)
    } else if (method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded') {
      this.complaints.push(JSON.stringify(params))
    }
  }

  async send(method: string, params: Fields = {}): Promise<Fields> {
    const id = ++this.#next
    const answered = new Promise<Message>(resolve => this.#waiting.set(id, resolve))
    this.#to.write(`${JSON.stringify({ id, method, params, ...(this.#session && { sessionId: this.#session }) })}\0`)
    const { result = {}, error } = await answered
    if (error) throw new Error(`${method}: ${error.message}`)
    return result
  }

  /** The value of an expression in the page. */
  async value<Value>(expression: string): Promise<Value> {
    const result = await this.send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })
    const { result: found, exceptionDetails } = result as { result: { value: Value }; exceptionDetails?: unknown }
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`)
    return found.value
  }

  /** Whether an expression comes to be true. */
  holds(expression: string): Promise<boolean> {
    return until(() => this.value<boolean>(`Boolean(${expression})`), PATIENCE)
  }
}
