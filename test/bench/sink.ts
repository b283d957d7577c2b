/**
 * The bench's sink, a process of its own: answers every request with 200 and counts. With the parent it speaks over IPC:
 * each message from it is answered with what came so far.
 *
 * It parses no HTTP beyond the content length, and of the bodies only the stamps, so that it does not become what is
 * measured; what it answers may be given (`--answer TEXT`). Lag is taken when the bytes of a line have arrived, with
 * `--gzip` when those of its request have. Before a subject of the conformance suite it reads requests whole and answers
 * as that subject's server does.
 */
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import type { Subject } from '../conformance/subject.ts'
import { STAMP, STAMP_LENGTH } from './stamp.ts'

export interface Received {
  readonly bodyBytes: number
  readonly requests: number
  /** Milliseconds from the stamp to the receipt, sorted; and as they came. */
  readonly lags: number[]
  readonly inOrder: number[]
  /** When the last byte came, in milliseconds since the epoch. */
  readonly lastAt: number
}

if (process.send) {
  let bodyBytes = 0
  let requests = 0
  let lastAt = 0
  const lags: number[] = []
  const { values } = parseArgs({
    options: {
      answer: { type: 'string', default: '' },
      subject: { type: 'string' },
      stamped: { type: 'boolean' },
      gzip: { type: 'boolean' },
    },
  })
  const answer = Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${values.answer.length}\r\n\r\n${values.answer}`,
  )
  const server = createServer(socket => {
    let left = 0
    let head = ''
    let body: Buffer[] = []
    socket.on('data', (data: Buffer) => {
      const now = performance.timeOrigin + performance.now()
      lastAt = now
      let at = 0
      while (at < data.length) {
        if (left === 0) {
          const before = head.length
          head += data.toString('latin1', at)
          const end = head.indexOf('\r\n\r\n')
          if (end < 0) break
          left = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
          at += end + 4 - before
          head = ''
        }
        const take = Math.min(left, data.length - at)
        if (values.gzip) body.push(data.subarray(at, at + take))
        else if (values.stamped) stamps(data, at, at + take, now)
        left -= take
        at += take
        bodyBytes += take
        if (left === 0) {
          requests++
          socket.write(answer)
          if (values.gzip && values.stamped) {
            const plain = gunzipSync(Buffer.concat(body))
            stamps(plain, 0, plain.length, now)
          }
          body = []
        }
      }
    })
    socket.on('error', () => {})
  })
  const stamps = (data: Buffer, from: number, to: number, now: number) => {
    for (let at = data.indexOf(STAMP, from); at >= 0 && at + STAMP_LENGTH <= to; at = data.indexOf(STAMP, at + 1)) {
      const sent = Number(data.toString('latin1', at + 1, at + STAMP_LENGTH))
      if (sent > 1e12) lags.push(now - sent)
    }
  }
  const linesOf = (body: Buffer) => {
    let lines = 0
    for (let at = body.indexOf(10); at >= 0; at = body.indexOf(10, at + 1)) lines++
    return lines
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
  const listening = subject ? answering(subject) : server
  listening.listen(0, '127.0.0.1', () => process.send!({ port: (listening.address() as AddressInfo).port }))
  process.on('message', () => {
    process.send!({ bodyBytes, requests, lags: [...Float64Array.from(lags).sort()], inOrder: lags, lastAt })
  })
  process.on('disconnect', () => process.exit())
}
