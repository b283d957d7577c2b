/**
 * What a backend answers, to the judge of every backend. An input is an HTTP answer: a status, header lines, an empty
 * line, a body.
 *
 * A judge never throws and is pure; it names records of the request only, each once and in order; and what did not say
 * that it was stored is no delivery.
 */
import assert from 'node:assert/strict'
import type { Answer, Backend } from '../../../src/backends/backend.ts'
import { BACKENDS, type BackendType, createBackend } from '../../../src/backends/registry.ts'
import { NO_METADATA } from '../../../src/metadata.ts'
import { SUBJECTS } from '../../conformance/subjects.ts'
import type { Target } from '../target.ts'

const RECORDS = 4
const CONTEXT = { name: 'main', metadata: () => NO_METADATA }
const REASON = /^[a-z0-9_]{1,64}$/

/** Whether an answer is JSON with the errors of entries, however that is written. */
function namesEntries(body: string): boolean {
  try {
    return JSON.stringify(JSON.parse(body)).includes('WriteLogEntriesPartialErrors')
  } catch {
    return false
  }
}

/** As it would come over the wire; what is no answer at all is none of a judge's business. */
function read(input: Buffer): Answer | undefined {
  const text = input.toString('utf8')
  const [, status, rest = ''] = /^(\d{3})\n([\s\S]*)$/.exec(text) ?? []
  if (status === undefined || Number(status) < 200) return undefined
  const end = rest.startsWith('\n') ? 0 : rest.indexOf('\n\n')
  const head = end < 0 ? '' : rest.slice(0, end)
  const body = end < 0 ? rest : rest.slice(end).replace(/^\n+/, '')
  const headers: Record<string, string> = Object.create(null)
  for (const line of head.split('\n')) {
    const [, name, value] = /^([a-z0-9-]+): ?(.*)$/.exec(line) ?? []
    if (name !== undefined) headers[name] = value ?? ''
  }
  const success = Number(status) < 300
  return { status: Number(status), headers, body, ...(success && { bytes: Buffer.from(body) }) }
}

function write({ status, headers, body }: Answer): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`)
  return Buffer.from(`${status}\n${lines.join('')}\n${body}`)
}

/** ClickHouse and CloudWatch say by an exception that they have the records already, each in words of its own. */
function isSuccess(name: string, { status, headers, body }: Answer): boolean {
  const known = name.startsWith('clickhouse') && headers['x-clickhouse-exception-code'] === '389'
  const accepted = /data_?already_?accepted/i.test(`${headers['x-amzn-errortype']} ${body}`)
  const stored = known || (name === 'cloudwatch' && accepted)
  return stored || (status >= 200 && status < 300)
}

export function judges(): Target {
  const backends: [string, Backend][] = SUBJECTS.map(subject => {
    const { type, ...own } = subject.config('http://127.0.0.1:1')
    const entry = BACKENDS[type as BackendType]
    return [subject.name, createBackend(type as string, entry.schema.parse(own), CONTEXT)]
  })
  return {
    name: 'judges',
    covers: ['/src/backends/'],
    seeds: SUBJECTS.flatMap(({ cases }) => cases.map(({ answer }) => write(answer))),
    words: [
      '{"errors":true,"items":[',
      '{"index":{"status":',
      '"error":{"type":"',
      '"partialSuccess":{"rejectedLogRecords":"',
      '{"text":"Success","code":0,"ackId":1}',
      'x-clickhouse-exception-code: ',
      'content-type: text/html',
      'retry-after: ',
      'Code: 389. DB::Exception: ',
      '}}',
      ']}',
      '200\n',
      '429\n',
      '503\n',
    ],
    run(input) {
      const answer = read(input)
      if (answer === undefined) return
      for (const [name, backend] of backends) {
        const batch = { id: 'generation-000000000000-4', records: RECORDS }
        const verdict = backend.judge(answer, batch)
        assert.deepEqual(backend.judge(answer, batch), verdict, `${name}: the same answer, another verdict`)
        if ('reason' in verdict) assert.match(verdict.reason, REASON, `${name}: the reason is a label`)
        const success: boolean = isSuccess(name, answer)
        switch (verdict.kind) {
          case 'delivered':
          case 'pending':
            assert(success, `${name}: ${answer.status} is taken for a success`)
            break
          case 'items': {
            const told = [...verdict.rejected, ...verdict.retry].map(({ index }) => index)
            const named = [...told, ...(verdict.unread ?? [])]
            assert(
              named.every(index => Number.isInteger(index) && index >= 0 && index < RECORDS),
              `${name}: a place`,
            )
            assert.equal(new Set(named).size, named.length, `${name}: a record is named twice`)
            for (const list of [verdict.rejected, verdict.retry]) {
              assert(
                list.every(({ index }, n) => n === 0 || index > list[n - 1]!.index),
                `${name}: the order`,
              )
              for (const { reason } of list) assert.match(reason, REASON, `${name}: the reason of a record is a label`)
            }
            // Splunk stores what stands before the event that it names; Google Cloud Logging answers with the status of
            // an entry that it refused, and names all of those (LogEntry errors of entries.write, partialSuccess).
            const before: boolean = name.startsWith('splunk_hec') && answer.status === 400
            const beside: boolean = name.startsWith('google_cloud_logging') && namesEntries(answer.body)
            const some: boolean = success || before || beside
            if (named.length < RECORDS) assert(some, `${name}: ${answer.status} is taken for a success of some`)
            break
          }
          case 'counted':
            assert(Number.isInteger(verdict.rejected) && verdict.rejected > 0, `${name}: so many are refused`)
            assert(verdict.rejected <= RECORDS, `${name}: more are refused than were sent`)
            break
          case 'retry':
            if (verdict.after !== undefined)
              assert(verdict.after >= 0 && Number.isFinite(verdict.after), `${name}: a pause`)
            break
          case 'rejected':
          case 'bisect':
          case 'unauthorized':
          case 'split':
            break
        }
      }
    },
  }
}
