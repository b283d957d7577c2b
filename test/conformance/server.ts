/**
 * A server of a subject's kind, under a script: it reads each request with the subject's decoder, stores its records and
 * answers as the subject's server does, unless the script has a fault for it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { Test } from 'tap'
import type { Answer } from '../../src/backends/backend.ts'
import type { Decoded, Request, Subject } from './subject.ts'

/** What happens to one request instead of a success. Only those with records meet one. */
export type Fault =
  /** It is answered so, and nothing of it is stored. */
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** It is answered so, and all of it was stored. */
  | { readonly kind: 'stored'; readonly answer: Answer }
  /** The connection breaks after so many bytes of the body. */
  | { readonly kind: 'cut'; readonly after: number }
  /** All of it was stored, and then the connection breaks. */
  | { readonly kind: 'accepted' }
  /** It is accepted and never answered. */
  | { readonly kind: 'silence' }
  /** An answer begins well and goes on for ever. */
  | { readonly kind: 'endless' }

export class ScriptedServer {
  /** Requests with records that were read to their end, and what was stored, in the order it came. */
  readonly seen: Request[] = []
  readonly stored: Decoded[] = []
  /** What a decoder found wrong. */
  readonly wrong: unknown[] = []
  /** Faults for the next requests, in turn. */
  readonly faults: Fault[] = []
  /** A message that the server refuses for good, wherever it comes. */
  poison: string | undefined
  readonly #subject: Subject
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  private constructor(subject: Subject) {
    this.#subject = subject
  }

  static async start(t: Pick<Test, 'teardown'>, subject: Subject): Promise<ScriptedServer> {
    const scripted = new ScriptedServer(subject)
    await new Promise<void>(resolve => scripted.#server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => {
      scripted.#server.close()
      scripted.#server.closeAllConnections()
    })
    return scripted
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get messages(): string[] {
    return this.stored.map(({ message }) => message)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request
    const cut = this.faults[0]
    if (cut?.kind === 'cut') this.faults.shift()
    const parts: Buffer[] = []
    let length = 0
    try {
      for await (const part of request) {
        parts.push(part)
        length += part.length
        if (cut?.kind === 'cut' && length >= cut.after) break
      }
    } catch {
      return
    }
    // Destroying a request that happened to be read to its end would leave the socket open.
    if (cut?.kind === 'cut') socket.destroy()
    else this.#answer(this.#read(request, Buffer.concat(parts)), response)
  }

  #read({ method, url, headers }: IncomingMessage, wire: Buffer): Request {
    const encoding = headers['content-encoding']
    const body = encoding === 'gzip' ? gunzipSync(wire) : encoding === 'zstd' ? zstdDecompressSync(wire) : wire
    return { method: method!, url: url!, headers, body, wire }
  }

  #answer(request: Request, response: ServerResponse): void {
    let records: Decoded[] = []
    try {
      records = this.#subject.decode(request)
    } catch (error) {
      this.wrong.push(error)
    }
    const carries = records.length > 0
    if (carries) this.seen.push(request)
    // A question about receipts, say, meets no fault.
    const fault = carries ? this.faults.shift() : undefined
    if (fault) this.#fail(fault, records, response)
    else send(response, this.#take(records, request))
  }

  #take(records: readonly Decoded[], request: Request): Answer {
    const good = records.filter(({ message }) => message !== this.poison)
    this.stored.push(...good)
    const all = good.length === records.length
    return all ? this.#subject.success(records.length, request) : this.#subject.poisoned!(request)
  }

  #fail(fault: Fault, records: readonly Decoded[], response: ServerResponse): void {
    if (fault.kind === 'stored' || fault.kind === 'accepted') this.stored.push(...records)
    if (fault.kind === 'answer' || fault.kind === 'stored') send(response, fault.answer)
    else if (fault.kind === 'accepted') response.destroy()
    else if (fault.kind === 'endless') {
      response.writeHead(200, { 'content-type': 'application/json' })
      const timer = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(timer))
    }
  }
}

function send(response: ServerResponse, { status, headers, body, bytes = Buffer.from(body) }: Answer): void {
  response.writeHead(status, headers).end(bytes)
}
