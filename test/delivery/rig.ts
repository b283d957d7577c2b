/**
 * What the delivery tests stand on: a pipeline's kernel and budget, slabs filled with lines, and an HTTP receiver that
 * answers as it is told and remembers what it got.
 */

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { Backend } from '../../src/backends/backend.ts'
import { createHttp, type HttpOptions, httpSchema } from '../../src/backends/http.ts'
import { Budget } from '../../src/budget.ts'
import { type Chunk, type Origin, Slab } from '../../src/chunk.ts'
import { Delivery, type DeliveryFields } from '../../src/delivery/delivery.ts'
import { configuredIdentity } from '../../src/delivery/identity/configured.ts'
import { Identities } from '../../src/delivery/identity/identities.ts'
import type { DeliveryOptions } from '../../src/delivery/options.ts'
import { HttpTransport } from '../../src/delivery/transport/http.ts'
import type { Transport } from '../../src/delivery/transport/transport.ts'
import { Kernel } from '../../src/kernel/kernel.ts'
import { emptyOutcome, merge, type Settled } from '../../src/ledger.ts'
import type { Logger } from '../../src/log.ts'
import { NO_METADATA } from '../../src/metadata.ts'

export const READ_AT = Date.UTC(2026, 0, 2, 3, 4, 5, 678)

export const origin = (path = '/var/log/app/a.log', labels: Record<string, string> = {}): Origin => ({
  source: 'app',
  path,
  generation: 'a1b2c3d4e5f60718',
  labels,
})

/** Consecutive lines of one file. A line is text or raw bytes. */
export interface FileLines {
  readonly lines: readonly (string | Buffer)[]
  readonly origin?: Origin
  readonly fileStart?: number
  readonly cutFrom?: number
  readonly partial?: boolean
  readonly readAt?: number
}

/** What is found in the records of slabs. */
export interface Found {
  readonly tableBytes: number
  readonly row: number
  readonly fill: (kernel: Kernel, slab: Slab) => void
}

export class Arena {
  readonly kernel: Kernel
  readonly budget: Budget
  /** What every chunk that settled was worth, in the order in which they settled. */
  readonly settledChunks: Chunk[] = []

  /** Of records that are processed: bytes of each row, and what fills them. */
  readonly found: Found | undefined

  /** `payloads`: how many of its bytes are only for them. */
  constructor(bytes = 4 << 20, payloads = 0, found: Found | undefined = undefined) {
    this.found = found
    this.kernel = Kernel.create(bytes, found?.tableBytes)
    this.budget = new Budget(this.kernel.arena, bytes, payloads)
  }

  slab(...files: FileLines[]): Slab {
    const owner = { settled: (chunk: Chunk) => void this.settledChunks.push(chunk) }
    const chunks = files.map(({ fileStart = 0, cutFrom = 0, partial = false, readAt = READ_AT, ...file }) => {
      const lines = file.lines.map(line => Buffer.from(line))
      return { lines, owner, origin: file.origin ?? origin(), fileStart, readAt, cutFrom, partial }
    })
    const slab = Slab.holding(this.kernel.memory.buffer, this.budget, chunks, this.found?.row)!
    this.found?.fill(this.kernel, slab)
    for (const chunk of slab.chunks) chunk.recordTimeNanos = BigInt(READ_AT) * 1_000_000n
    return slab
  }

  /** All that settled so far. */
  get outcome(): Settled {
    const all = emptyOutcome()
    for (const { outcome } of this.settledChunks) merge(all, outcome)
    return all
  }
}

export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** As it came, and decompressed. */
  readonly wire: Buffer
  readonly body: string
}

type Respond = (request: Received, response: ServerResponse, count: number) => void

export const answer =
  (status: number, headers: Record<string, string> = {}, body = ''): Respond =>
  (_request, response) => {
    response.writeHead(status, headers).end(body)
  }

/** Answers with each of `responds` in turn, and from then on with the last. */
export const inTurn =
  (...responds: Respond[]): Respond =>
  (request, response, count) =>
    responds[Math.min(count, responds.length) - 1]!(request, response, count)

export class Receiver {
  readonly received: Received[] = []
  respond: Respond
  readonly server = createServer((request, response) => void this.#take(request, response))

  constructor(respond: Respond = answer(204)) {
    this.respond = respond
  }

  async listen(): Promise<URL> {
    await new Promise<void>(resolve => this.server.listen(0, '127.0.0.1', resolve))
    return new URL(`http://127.0.0.1:${(this.server.address() as AddressInfo).port}/ingest`)
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise(resolve => this.server.close(resolve))
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    try {
      for await (const part of request) parts.push(part)
    } catch {
      return
    }
    const wire = Buffer.concat(parts)
    const encoding = request.headers['content-encoding']
    const plain = encoding === 'gzip' ? gunzipSync(wire) : encoding === 'zstd' ? zstdDecompressSync(wire) : wire
    const received = {
      method: request.method!,
      url: request.url!,
      headers: request.headers,
      wire,
      body: plain.toString(),
    }
    this.received.push(received)
    this.respond(received, response, this.received.length)
  }
}

export interface Said {
  readonly level: string
  readonly sentence: string
  readonly fields: Record<string, unknown>
}

export class Listener implements Logger {
  readonly said: Said[] = []
  readonly error = this.#hear('error')
  readonly warn = this.#hear('warn')
  readonly info = this.#hear('info')
  readonly debug = this.#hear('debug')

  #hear(level: string) {
    return (fields: Record<string, unknown>, sentence: string): void => void this.said.push({ level, sentence, fields })
  }
}

export const TIMEOUT = { connect: 1000, headers: 1000, body: 1000 }

export function transportTo(
  endpoint: URL,
  delivery: Partial<DeliveryOptions> = {},
  logger: Logger = new Listener(),
): HttpTransport {
  const all = { concurrency: 1, timeout: TIMEOUT, ...delivery }
  const userAgent = 'logshipper/0.0.0-test'
  const identity = configuredIdentity({ delivery: all, logger, userAgent, identities: new Identities(), env: {} })
  return new HttpTransport({ endpoint, userAgent, delivery: all, logger, identity })
}

export function httpBackend(endpoint: URL, options: Partial<HttpOptions> = {}, name = 'main'): Backend {
  return createHttp(httpSchema.parse({ endpoint: endpoint.href, ...options }), { name, metadata: () => NO_METADATA })
}

export interface Rig {
  readonly arena: Arena
  readonly transport: Transport
  readonly listener: Listener
  readonly delivery: Delivery
}

/** A delivery over real sockets that waits ten milliseconds where a real one waits seconds. */
export function rig(
  endpoint: URL,
  own: Partial<HttpOptions> = {},
  options: Partial<DeliveryOptions> = {},
  fields: Partial<DeliveryFields> = {},
  arena = new Arena(),
): Rig {
  const listener = new Listener()
  const transport = fields.transport ?? transportTo(endpoint, options, listener)
  const delivery = new Delivery({
    name: 'main',
    backend: httpBackend(endpoint, own),
    kernel: arena.kernel,
    budget: arena.budget,
    options: {
      batch: { maxBytes: 1 << 20, maxRecords: 10_000, interval: 0 },
      retry: { initial: 10, max: 20 },
      compression: 'none',
      ...options,
    },
    logger: listener,
    random: () => 0,
    ...fields,
    transport,
  })
  arena.budget.onRelease = () => delivery.released()
  return { arena, transport, listener, delivery }
}

export const numbered = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => `line ${from + index}`)

/** The messages of everything that was received in NDJSON, in order. */
export const messages = (received: readonly Received[]): string[] =>
  received.flatMap(({ body }) =>
    body
      .split('\n')
      .filter(line => line !== '')
      .map(line => (JSON.parse(line) as { message: string }).message),
  )
