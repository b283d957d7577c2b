/** Azure Monitor: calls as the reference of the Logs Ingestion API (2023-01-01) and its service limits have them. */
import assert from 'node:assert/strict'
import type { Answer } from '../../src/backends/backend.ts'
import type { Decoded, Request, Subject } from './subject.ts'

const TOKEN = 'eyJ0.not.a-token'
const RULE = 'dcr-0123456789abcdef0123456789abcdef'
const STREAM = 'Custom-AppLogs_CL'

function refused(status: number, code: string, message: string, headers: Record<string, string> = {}): Answer {
  const body = JSON.stringify({ error: { code, message } })
  return { status, headers: { 'content-type': 'application/json', 'x-ms-error-code': code, ...headers }, body }
}

const NO_ACCESS = `The authentication token provided does not have access to ingest data for the data collection rule with immutable Id '${RULE}'.`

export const subject: Subject = {
  type: 'azure_monitor',
  name: 'azure_monitor',
  clock: 'milliseconds',
  config: endpoint => ({ type: 'azure_monitor', endpoint, rule: RULE, stream: STREAM, auth: { bearer: TOKEN } }),
  decode,
  success: () => ({ status: 204, headers: {}, body: '' }),
  cases: [
    { name: 'accepted', answer: { status: 204, headers: {}, body: '' }, verdict: { kind: 'delivered' } },
    {
      name: 'a success that is none of the API',
      answer: { status: 200, headers: {}, body: '{}' },
      verdict: { kind: 'retry', reason: 'unexpected_answer', misconfigured: true },
    },
    {
      name: 'contents that cannot be read',
      answer: refused(400, 'InvalidRequestContent', 'The request content is not valid JSON.'),
      verdict: { kind: 'bisect', reason: 'unreadable_call', detail: 'The request content is not valid JSON.' },
    },
    {
      name: 'a stream that the rule does not declare',
      answer: refused(400, 'InvalidStream', `Stream '${STREAM}' was not found.`),
      verdict: {
        kind: 'retry',
        reason: 'no_such_stream',
        detail: `Stream '${STREAM}' was not found.`,
        misconfigured: true,
        advice: `does rule ${RULE} declare the stream ${STREAM}?`,
      },
    },
    {
      name: 'another bad request',
      answer: refused(400, 'UnsupportedApiVersion', 'x'),
      verdict: { kind: 'retry', reason: 'http_400', detail: 'x', misconfigured: true },
    },
    {
      name: 'a token that has ended',
      answer: refused(401, 'InvalidToken', 'Access token has expired.'),
      verdict: { kind: 'unauthorized', reason: 'http_401', detail: 'Access token has expired.' },
    },
    {
      name: 'an identity without the role',
      answer: refused(403, 'OperationFailed', NO_ACCESS),
      verdict: {
        kind: 'unauthorized',
        reason: 'not_permitted',
        detail: NO_ACCESS,
        advice: `grant Monitoring Metrics Publisher on the data collection rule ${RULE} to the identity; it takes up to 30 minutes until it holds`,
      },
    },
    {
      name: 'no such rule',
      answer: refused(404, 'NotFound', `Data collection rule with immutable Id '${RULE}' not found.`),
      verdict: {
        kind: 'retry',
        reason: 'no_such_rule',
        detail: `Data collection rule with immutable Id '${RULE}' not found.`,
        misconfigured: true,
        advice: `is there a rule ${RULE}, in the region of the endpoint, with a stream ${STREAM}?`,
      },
    },
    {
      name: 'a wrong path',
      answer: { status: 404, headers: {}, body: '' },
      verdict: { kind: 'retry', reason: 'http_404', misconfigured: true },
    },
    {
      name: 'too large',
      answer: refused(413, 'ContentLengthLimitExceeded', 'Maximum allowed content length: 1048576 bytes (1 MB).'),
      verdict: { kind: 'split', reason: 'http_413' },
    },
    {
      name: 'too much within a minute',
      answer: refused(429, 'TooManyRequests', 'slow down', { 'retry-after': '20' }),
      verdict: {
        kind: 'retry',
        reason: 'http_429',
        detail: '{"error":{"code":"TooManyRequests","message":"slow down"}}',
      },
    },
    {
      name: 'an error of its own',
      answer: { status: 500, headers: {}, body: '' },
      verdict: { kind: 'retry', reason: 'http_500' },
    },
    {
      name: 'unavailable',
      answer: { status: 503, headers: {}, body: '' },
      verdict: { kind: 'retry', reason: 'http_503' },
    },
  ],
}

/** The columns of the stream, as docs/azure.md declares them. */
const COLUMNS = [
  ...['TimeGenerated', 'Level', 'Message', 'RecordId', 'Source', 'File', 'Namespace', 'Pod', 'Container', 'Node'],
  ...['Labels', 'Fields'],
]

function decode({ method, url, headers, body }: Request): Decoded[] {
  assert.equal(method, 'POST')
  assert.equal(url, `/dataCollectionRules/${RULE}/streams/${STREAM}?api-version=2023-01-01`)
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(headers.authorization, `Bearer ${TOKEN}`)
  assert.ok(body.length <= 1_048_576, 'the largest call')
  const rows = JSON.parse(body.toString())
  assert.ok(Array.isArray(rows) && rows.length > 0)
  return rows.map((row: Record<string, unknown>) => {
    for (const [name, value] of Object.entries(row)) {
      assert.ok(COLUMNS.includes(name), `${name} is no column: it would be dropped`)
      const text = typeof value === 'string' ? value : JSON.stringify(value)
      assert.ok(Buffer.byteLength(text) <= 65_536, `${name} would be cut`)
    }
    const { TimeGenerated: time, Message: message, RecordId: id, Labels, Fields: _, Level: __, ...others } = row
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}Z$/)
    const labels = Labels as Record<string, string>
    return {
      message: message as string,
      time: BigInt(Date.parse(time as string)) * 1_000_000n,
      id: id as string,
      attributes: { ...labels, ...(others as Record<string, string>) },
      truncated: labels['truncated'] === 'true',
    }
  })
}
