/** Google Cloud Logging: requests as the reference of `entries.write` and `LogEntry` (API v2) has them, and its answers. */
import assert from 'node:assert/strict'
import type { Answer } from '../../src/backends/backend.ts'
import type { Decoded, Request, Subject } from './subject.ts'

const TOKEN = 'ya29.not-a-token'
const PROJECT = 'my-project'
const GRANT = `grant logging.logEntries.create (roles/logging.logWriter) on project ${PROJECT} to the identity`

/** google.rpc.Status as JSON. */
function status(http: number, code: string, message: string, ...details: object[]): Answer {
  const error = { code: http, message, status: code, ...(details.length > 0 && { details }) }
  return {
    status: http,
    headers: { 'content-type': 'application/json; charset=UTF-8' },
    body: JSON.stringify({ error }),
  }
}

const info = (reason: string): object => ({
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason,
  domain: 'googleapis.com',
  metadata: { service: 'logging.googleapis.com' },
})

const partial = (logEntryErrors: Readonly<Record<string, object>>): object => ({
  '@type': 'type.googleapis.com/google.logging.v2.WriteLogEntriesPartialErrors',
  logEntryErrors,
})

const TOO_LONG = 'Log entry with size 270.9K exceeds maximum size of 256.0K'
const DENIED = "Permission 'logging.logEntries.create' denied on resource (or it may not exist)."

/** What is said of a body beside its words. */
const body = ({ body }: Answer): string => body

const denied = status(403, 'PERMISSION_DENIED', DENIED, info('IAM_PERMISSION_DENIED'))
const scope = status(
  403,
  'PERMISSION_DENIED',
  'Request had insufficient authentication scopes.',
  info('ACCESS_TOKEN_SCOPE_INSUFFICIENT'),
)
const expired = status(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.')

const cases: Subject['cases'] = [
  {
    name: 'written',
    answer: { status: 200, headers: {}, body: '{}\n' },
    verdict: { kind: 'delivered' },
  },
  {
    name: 'an entry is too large, the others are written',
    answer: status(400, 'INVALID_ARGUMENT', TOO_LONG, partial({ 1: { code: 3, message: TOO_LONG } })),
    verdict: {
      kind: 'items',
      rejected: [{ index: 1, reason: 'invalid_argument', detail: TOO_LONG }],
      retry: [],
    },
  },
  {
    name: 'an entry out of range, and one that may pass',
    answer: status(
      400,
      'INVALID_ARGUMENT',
      'x',
      partial({ 3: { code: 14, message: 'later' }, 0: { code: 11 }, 9: { code: 3 } }),
    ),
    verdict: {
      kind: 'items',
      rejected: [{ index: 0, reason: 'out_of_range' }],
      retry: [{ index: 3, reason: 'unavailable', detail: 'later' }],
    },
  },
  {
    name: 'nothing written, no entry named: one of them, or the log itself',
    answer: status(400, 'INVALID_ARGUMENT', 'A valid resource must be specified'),
    verdict: { kind: 'bisect', reason: 'invalid_argument', detail: 'A valid resource must be specified' },
  },
  {
    name: 'a request that is too large',
    answer: status(400, 'INVALID_ARGUMENT', 'Request payload size exceeds the limit: 10485760 bytes.'),
    verdict: { kind: 'split', reason: 'request_too_large' },
  },
  {
    name: 'a precondition of the project',
    answer: status(400, 'FAILED_PRECONDITION', 'not now'),
    verdict: { kind: 'retry', reason: 'failed_precondition', detail: 'not now', misconfigured: true },
  },
  {
    name: 'not Google’s words',
    answer: { status: 400, headers: {}, body: 'bad request' },
    verdict: { kind: 'retry', reason: 'http_400', detail: 'bad request', misconfigured: true },
  },
  {
    name: 'an access token that has ended',
    answer: expired,
    verdict: { kind: 'unauthorized', reason: 'unauthenticated', detail: body(expired) },
  },
  {
    name: 'an identity without the role',
    answer: denied,
    verdict: { kind: 'unauthorized', reason: 'iam_permission_denied', detail: body(denied), advice: GRANT },
  },
  {
    name: 'an access token without the scope',
    answer: scope,
    verdict: {
      kind: 'unauthorized',
      reason: 'access_token_scope_insufficient',
      detail: body(scope),
      advice: 'the access token lacks the scope logging.write: use Workload Identity, or give the node that scope',
    },
  },
  {
    name: 'the API is switched off',
    answer: status(403, 'PERMISSION_DENIED', 'Cloud Logging API has not been used', info('SERVICE_DISABLED')),
    verdict: {
      kind: 'retry',
      reason: 'service_disabled',
      detail: 'Cloud Logging API has not been used',
      misconfigured: true,
      advice: `enable logging.googleapis.com in project ${PROJECT}`,
    },
  },
  {
    name: 'no such project',
    answer: status(404, 'NOT_FOUND', 'Requested entity was not found.'),
    verdict: {
      kind: 'retry',
      reason: 'not_found',
      detail: 'Requested entity was not found.',
      misconfigured: true,
      advice: `is ${PROJECT} the id of a project?`,
    },
  },
  {
    name: 'a wrong path',
    answer: { status: 404, headers: { 'content-type': 'text/html; charset=UTF-8' }, body: '<!DOCTYPE html>' },
    verdict: { kind: 'retry', reason: 'http_404', detail: '<!DOCTYPE html>', misconfigured: true },
  },
  {
    name: 'too large for the front end',
    answer: { status: 413, headers: { 'content-type': 'text/html; charset=UTF-8' }, body: '' },
    verdict: { kind: 'split', reason: 'http_413' },
  },
  {
    name: 'a quota is used up',
    answer: status(429, 'RESOURCE_EXHAUSTED', "Quota exceeded for quota metric 'Write requests'", {
      '@type': 'type.googleapis.com/google.rpc.RetryInfo',
      retryDelay: '1.5s',
    }),
    verdict: {
      kind: 'retry',
      reason: 'resource_exhausted',
      after: 1500,
      detail: "Quota exceeded for quota metric 'Write requests'",
    },
  },
  {
    name: 'an error of its own',
    answer: status(500, 'INTERNAL', 'Internal error encountered.'),
    verdict: { kind: 'retry', reason: 'internal', detail: 'Internal error encountered.' },
  },
  {
    name: 'unavailable',
    answer: status(503, 'UNAVAILABLE', 'The service is currently unavailable.'),
    verdict: { kind: 'retry', reason: 'unavailable', detail: 'The service is currently unavailable.' },
  },
  {
    name: 'too slow: it may have been written, and is shown once',
    answer: status(504, 'DEADLINE_EXCEEDED', 'Deadline exceeded'),
    verdict: { kind: 'retry', reason: 'deadline_exceeded', detail: 'Deadline exceeded' },
  },
]

export const subject: Subject = {
  type: 'google_cloud_logging',
  name: 'google_cloud_logging',
  clock: 'milliseconds',
  config: endpoint => ({
    type: 'google_cloud_logging',
    endpoint,
    project: PROJECT,
    cluster: { name: 'prod', location: 'europe-west1' },
    log: 'shop/web',
    auth: { bearer: TOKEN },
  }),
  decode,
  success: () => ({ status: 200, headers: { 'content-type': 'application/json; charset=UTF-8' }, body: '{}\n' }),
  poisoned: () => cases[1]!.answer,
  cases,
}

interface LogEntry {
  readonly timestamp: string
  readonly severity?: string
  readonly insertId: string
  readonly trace?: string
  readonly spanId?: string
  readonly labels: Readonly<Record<string, string>>
  readonly textPayload?: string
  readonly jsonPayload?: { readonly message: string }
}

const SEVERITIES = ['DEBUG', 'INFO', 'NOTICE', 'WARNING', 'ERROR', 'CRITICAL', 'ALERT', 'EMERGENCY']
/** RFC 3339 as Protocol Buffers read it, with up to nine digits of a second. */
const TIMESTAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/

function decode({ method, url, headers, body }: Request): Decoded[] {
  assert.equal(method, 'POST')
  assert.equal(url, '/v2/entries:write')
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(headers.authorization, `Bearer ${TOKEN}`)
  assert.ok(body.length <= 10_000_000, 'the largest request')
  const { logName, resource, partialSuccess, entries, ...others } = JSON.parse(body.toString())
  assert.deepEqual(others, {})
  assert.equal(partialSuccess, true)
  assert.equal(logName, `projects/${PROJECT}/logs/shop%2Fweb`)
  assert.deepEqual(Object.keys(resource), ['type', 'labels'])
  const { project_id, location, cluster_name, ...ofPod } = resource.labels
  assert.deepEqual([project_id, location, cluster_name], [PROJECT, 'europe-west1', 'prod'])
  // Where nothing says which pod it is, it is the cluster.
  const wanted = resource.type === 'k8s_cluster' ? [] : ['namespace_name', 'pod_name', 'container_name']
  assert.ok(['k8s_container', 'k8s_cluster'].includes(resource.type), resource.type)
  assert.deepEqual(Object.keys(ofPod), wanted)
  assert.ok(entries.length > 0, 'a request without entries is refused')
  return (entries as LogEntry[]).map(entry => {
    const { timestamp, severity, insertId, trace, spanId, labels, textPayload, jsonPayload, ...more } = entry
    assert.deepEqual(more, {})
    assert.ok(Buffer.byteLength(JSON.stringify(entry)) <= 256 * 1024, 'the largest entry')
    if (severity !== undefined) assert.ok(SEVERITIES.includes(severity), severity)
    assert.match(insertId, /^[A-Za-z0-9-]{1,128}$/)
    if (trace !== undefined) assert.match(trace, /^projects\/my-project\/traces\/[0-9a-f]{32}$/)
    if (spanId !== undefined) assert.match(spanId, /^[0-9a-f]{16}$/)
    assert.ok(Object.keys(labels).length <= 64)
    for (const [name, value] of Object.entries(labels)) {
      assert.ok(Buffer.byteLength(name) <= 512)
      assert.ok(typeof value === 'string' && Buffer.byteLength(value) <= 65_536)
    }
    assert.notEqual(textPayload === undefined, jsonPayload === undefined, 'one payload')
    const [, second, fraction = ''] = TIMESTAMP.exec(timestamp) ?? assert.fail(timestamp)
    return {
      message: textPayload ?? jsonPayload!.message,
      time: BigInt(Date.parse(`${second}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0')),
      id: insertId,
      attributes: { ...labels, ...ofPod },
      truncated: labels['truncated'] === 'true',
    }
  })
}
