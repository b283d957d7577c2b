/**
 * The scripted receiver: an HTTP server per backend that keeps what it accepted and fails as it is told.
 *
 * It knows nothing of files. It keeps every record in the order of its arrival, its id, and whether the sender could
 * know that the record had been accepted.
 */
import { hash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { type Poison, poisonOf } from './poison.ts'
import type { Fault } from './program.ts'

export interface Arrival {
  readonly id: string
  readonly text: string
  readonly at: number
  readonly partial: boolean
  /** The length that a cut line had. */
  readonly originalBytes: number | undefined
  /** The record as it came, where that is kept. */
  readonly record: Sent | undefined
  /** The sender heard that this request was accepted. */
  acknowledged: boolean
}

export interface ReceiverOptions {
  /** For which texts it refuses a request. */
  readonly poisonOf?: (text: string, backend: string) => Poison | undefined
  /** Every request, whatever the answer: its headers and its body, as they came and decompressed. */
  readonly onRequest?: (headers: string, body: Buffer) => void
  /** Arrivals hold their records. */
  readonly whole?: boolean
}

export class Receiver {
  /** Every accepted record, repeated ones included. */
  readonly arrivals: Arrival[] = []
  /** First arrival of each id. */
  readonly byId = new Map<string, Arrival>()
  /** The ids under which a text came, in order. */
  readonly idsOf = new Map<string, string[]>()
  readonly violations: string[] = []
  /** By the ids of its records: the id that a request had. */
  readonly #requestIds = new Map<string, string>()
  /** Where its own sender sends to. */
  readonly path = `/${randomUUID()}`
  requests = 0
  /** While true every request is answered 503. */
  down = false
  /** While there is one every request gets this status. */
  refusing: number | undefined
  /** Lines that are refused for a while only are refused now. */
  poisonous = false
  readonly #name: string
  readonly #faults: Fault[] = []
  readonly #server: Server
  readonly #hanging = new Set<ServerResponse>()

  readonly #options: ReceiverOptions

  /** `name`: the backend's. */
  constructor(name: string, options: ReceiverOptions = {}) {
    this.#name = name
    this.#options = options
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy())
    })
    this.#server.keepAliveTimeout = 60_000
  }

  /** Resolves to the endpoint. */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}${this.path}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  /** The next `times` requests get this fault. */
  inject(fault: Fault, times: number): void {
    for (let n = 0; n < times; n++) this.#faults.push(fault)
  }

  /** No more faults; what hangs is cut off. */
  heal(): void {
    this.down = false
    this.refusing = undefined
    this.poisonous = false
    this.#faults.length = 0
    for (const response of this.#hanging) response.destroy()
    this.#hanging.clear()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The port may have been another receiver's before, and its sender still be alive.
    if (request.url !== this.path) {
      request.resume()
      return answer(response, 503)
    }
    this.requests++
    if (this.down) {
      request.resume()
      return answer(response, 503)
    }
    const fault = this.#faults.shift()
    if (fault?.kind === 'resetBefore') return void request.socket.destroy()
    if (fault?.kind === 'slow') {
      // Reads late, so that the sender's buffers fill.
      await sleep(fault.ms)
    }
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const whole = Buffer.concat(parts)
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(whole) : whole
    this.#options.onRequest?.(request.rawHeaders.join('\n'), body)
    this.#identify(request.headers['idempotency-key'], body)
    if (this.refusing !== undefined) return answer(response, this.refusing)
    switch (fault?.kind) {
      case 'status':
        return answer(response, fault.status, fault.retryAfter ? { 'retry-after': String(fault.retryAfter) } : {})
      case 'html':
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>log in</html>')
        return
      case 'hang':
        this.#hanging.add(response)
        response.on('close', () => this.#hanging.delete(response))
        return
      case 'tooLarge':
        if (body.length > fault.bytes) return answer(response, 413)
        break
      case 'resetAfter':
        if (parse(body).some(({ message }) => this.#refuses(message))) return answer(response, 400)
        this.#accept(body, false)
        request.socket.destroy()
        return
    }
    if (parse(body).some(({ message }) => this.#refuses(message))) return answer(response, 400)
    // A sender that has gone meanwhile cannot know either.
    const accepted = this.#accept(body, false)
    response.on('finish', () => {
      for (const arrival of accepted) arrival.acknowledged = true
    })
    answer(response, 200)
  }

  #refuses(message: string): boolean {
    const poison = (this.#options.poisonOf ?? poisonOf)(message, this.#name)
    return poison === 'always' || (poison === 'passing' && this.poisonous)
  }

  /** Whoever sends the same records again says so, also after a death. */
  #identify(id: string | string[] | undefined, body: Buffer): void {
    const records = parse(body)
    // Of a last line without an end the same id may carry more later on.
    if (records.some(({ partial }) => partial)) return
    // With another label it is another request.
    const key = hash('sha1', records.map(({ id, round }) => `${id} ${round}`).join())
    const before = this.#requestIds.get(key)
    this.#requestIds.set(key, String(id))
    if (before !== undefined && before !== id) this.violations.push(`the same records came as ${before} and ${id}`)
  }

  #accept(body: Buffer, acknowledged: boolean): Arrival[] {
    const records = parse(body)
    const at = performance.now()
    return records.map(sent => {
      const { id, message, partial = false, originalBytes } = sent
      const record = this.#options.whole ? sent : undefined
      const arrival = { id, text: message, at, partial, originalBytes, record, acknowledged }
      this.arrivals.push(arrival)
      const before = this.byId.get(id)
      if (before === undefined) {
        this.byId.set(id, arrival)
        const ids = this.idsOf.get(message)
        if (ids) ids.push(id)
        else this.idsOf.set(message, [id])
      } else if (before.text !== message) {
        // A last line that was taken at the end and not saved comes again, by now with its end.
        const grown = before.partial && message.startsWith(before.text)
        if (!grown) this.violations.push(`the id ${id} carried two records: ${show(before.text)} and ${show(message)}`)
        this.idsOf.set(message, [...(this.idsOf.get(message) ?? []), `${id}/again`])
      }
      return arrival
    })
  }
}

export interface Sent {
  readonly message: string
  readonly id: string
  /** The label that tells configurations apart. */
  readonly round: string
  readonly partial?: boolean
  readonly originalBytes?: number
  readonly continued?: boolean
  /** For how many it stands. */
  readonly repeated?: number
  readonly source?: string
  readonly timestamp?: string
}

function parse(body: Buffer): Sent[] {
  const text = body.toString()
  if (text.startsWith('[')) return JSON.parse(text) as Sent[]
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Sent)
}

function answer(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{}')
}

export function show(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 40)}…(${text.length})` : text)
}
