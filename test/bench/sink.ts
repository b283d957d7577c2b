/**
 * The bench's sink, a process of its own: answers every request as a server does that has stored it, and counts. With
 * the parent it speaks over IPC: each message from it is answered with what came so far.
 *
 * It parses no HTTP beyond the head's first line, length and connection, and of the bodies only line feeds, where the
 * answer depends on them, and stamps, where these are asked for: so it does not become what is measured. The same sink
 * stands before whoever is measured.
 *
 *     --server NAME       whose answers (server.ts): http, loki, elasticsearch
 *     --framing NAME      how answers with a body are framed: chunked, length
 *     --latency MS        from the end of a request to its answer
 *     --stamped           notes the lag of every line, when its bytes have arrived, of a compressed request when all have
 *     --subject NAME      as the conformance suite's server of that backend: requests are read whole
 */
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import type { Subject } from '../conformance/subject.ts'
import { type Framing, type Head, type ServerName, serverOf } from './server.ts'
import { STAMP, STAMP_LENGTH } from './stamp.ts'

export interface Received {
  readonly bodyBytes: number
  readonly requests: number
  /** Of bulk requests, where the server's answer depends on them; 0 elsewhere. */
  readonly documents: number
  /** Milliseconds from the stamp to the receipt, sorted; and as they came. */
  readonly lags: number[]
  readonly inOrder: number[]
  /** When the last byte came, in milliseconds since the epoch. */
  readonly lastAt: number
}

if (process.send) {
  const { values } = parseArgs({
    options: {
      server: { type: 'string', default: 'http' },
      framing: { type: 'string', default: 'chunked' },
      latency: { type: 'string', default: '0' },
      subject: { type: 'string' },
      stamped: { type: 'boolean' },
    },
  })
  const latency = Number(values.latency)
  const server = serverOf(values.server as ServerName, values.framing as Framing)
  let bodyBytes = 0
  let requests = 0
  let documents = 0
  let lastAt = 0
  const lags: number[] = []

  const stamps = (data: Buffer, now: number) => {
    for (let at = data.indexOf(STAMP); at >= 0 && at + STAMP_LENGTH <= data.length; at = data.indexOf(STAMP, at + 1)) {
      const sent = Number(data.toString('latin1', at + 1, at + STAMP_LENGTH))
      if (sent > 1e12) lags.push(now - sent)
    }
  }
  const linesOf = (body: Buffer) => {
    let lines = 0
    for (let at = body.indexOf(10); at >= 0; at = body.indexOf(10, at + 1)) lines++
    return lines
  }

  /** The end of a head that says that it was the last. */
  const CLOSING = Buffer.from('Connection: close\r\n\r\n')

  /** One connection: heads and bodies in turns. */
  class Connection {
    readonly #socket: Socket
    #head = ''
    /** The request whose body is coming. */
    #request: (Head & { readonly packed: boolean; readonly last: boolean }) | undefined
    #left = 0
    #lines = 0
    #packed: Buffer[] = []

    constructor(socket: Socket) {
      this.#socket = socket
      socket.on('data', (data: Buffer) => this.#take(data))
      socket.on('error', () => {})
    }

    #take(data: Buffer): void {
      const now = performance.timeOrigin + performance.now()
      lastAt = now
      let at = 0
      while (at < data.length) {
        if (this.#request === undefined) {
          const before = this.#head.length
          this.#head += data.toString('latin1', at)
          const end = this.#head.indexOf('\r\n\r\n')
          if (end < 0) return
          at += end + 4 - before
          this.#begin(this.#head.slice(0, end))
          this.#head = ''
        }
        const part = data.subarray(at, at + this.#left)
        at += part.length
        this.#left -= part.length
        bodyBytes += part.length
        this.#body(part, now)
        if (this.#left === 0) this.#end(now)
      }
    }

    #begin(head: string): void {
      const [line = '', ...rest] = head.split('\r\n')
      const [method = '', url = '', version] = line.split(' ')
      const fields = rest.join('\n').toLowerCase()
      if (/^transfer-encoding:/m.test(fields)) throw new Error(`no length of its body: ${line}`)
      this.#left = Number(/^content-length: *(\d+)/m.exec(fields)?.[1] ?? 0)
      const last = version === 'HTTP/1.0' || /^connection: *close/m.test(fields)
      this.#request = { method, url, packed: /^content-encoding: *gzip/m.test(fields), last }
      if (/^expect: *100-continue/m.test(fields)) this.#socket.write('HTTP/1.1 100 Continue\r\n\r\n')
    }

    #body(part: Buffer, now: number): void {
      if (!server.counts && !values.stamped) return
      if (this.#request!.packed) this.#packed.push(part)
      else this.#look(part, now)
    }

    #look(part: Buffer, now: number): void {
      if (server.counts) this.#lines += linesOf(part)
      if (values.stamped) stamps(part, now)
    }

    #end(now: number): void {
      const request = this.#request!
      if (this.#packed.length > 0) this.#look(gunzipSync(Buffer.concat(this.#packed)), now)
      const answer = server.answer(request, this.#lines)
      if (request.last) answer[0] = Buffer.concat([answer[0]!.subarray(0, -2), CLOSING])
      requests++
      documents += Math.floor(this.#lines / 2)
      this.#request = undefined
      this.#packed = []
      this.#lines = 0
      if (latency === 0) this.#send(answer, request.last)
      else setTimeout(() => this.#send(answer, request.last), latency)
    }

    #send(answer: readonly Buffer[], last: boolean): void {
      const socket = this.#socket
      socket.cork()
      for (const part of answer) socket.write(part)
      socket.uncork()
      if (last) socket.end()
    }
  }

  /** Line feeds that stand for a record; 0 where the answer is the same for any number of records. */
  let linesPerRecord: number | undefined
  const answering = (subject: Subject) =>
    createHttpServer(async (request, response) => {
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part)
      const { method = '', url = '', headers: sent } = request
      const whole = { method, url, headers: sent, body: Buffer.concat(parts) }
      // Reading a request costs this side more than making it cost the other: only one, and where the answer grows with it.
      const lengthOf = (records: number) => JSON.stringify(subject.success(records, whole)).length
      linesPerRecord ??=
        lengthOf(1) === lengthOf(2) ? 0 : Math.round(linesOf(whole.body) / subject.decode(whole).length)
      const records = linesPerRecord === 0 ? 1 : linesOf(whole.body) / linesPerRecord
      const { status, headers, body, bytes = body } = subject.success(records, whole)
      requests++
      bodyBytes += whole.body.length
      lastAt = performance.timeOrigin + performance.now()
      response.writeHead(status, headers).end(bytes)
    })
  const subject =
    values.subject === undefined
      ? undefined
      : (await import('../conformance/subjects.ts')).SUBJECTS.find(({ name }) => name === values.subject)
  const listening = subject
    ? answering(subject)
    : createServer({ noDelay: true }, socket => void new Connection(socket))
  listening.listen(0, '127.0.0.1', () => process.send!({ port: (listening.address() as AddressInfo).port }))
  process.on('message', () => {
    process.send!({ bodyBytes, requests, documents, lags: [...Float64Array.from(lags).sort()], inOrder: lags, lastAt })
  })
  process.on('disconnect', () => process.exit())
}
