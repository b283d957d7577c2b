/** Amazon S3: the requests as the reference of PutObject has them, and its answers. */
import assert from 'node:assert/strict'
import type { Answer, Verdict } from '../../src/backends/backend.ts'
import { AUTH, REGION, signed } from './aws.ts'
import type { Case, Decoded, Request, Subject } from './subject.ts'

const KEY = /^\/logs\/app\/\d{4}\/\d\d\/\d\d\/[0-9a-f]{16}-[0-9a-f]{12}-\d+-[0-9a-f]{16}\.ndjson(\.gz)?$/

function decode(request: Request): Decoded[] {
  const { method, url, headers, body } = request
  assert.equal(method, 'PUT')
  const end = KEY.exec(url)?.[1]
  assert.match(url, KEY)
  assert.equal(end === '.gz', headers['content-encoding'] === 'gzip', 'the name says what is in it')
  assert.equal(headers['content-type'], 'application/x-ndjson')
  assert.match(String(headers['x-amz-content-sha256']), /^[0-9a-f]{64}$/)
  signed(request, 's3')
  const text = body.toString()
  assert.ok(text.endsWith('\n'))
  return text
    .slice(0, -1)
    .split('\n')
    .map(line => {
      const { timestamp, message, id, truncated, originalBytes, partial, ...attributes } = JSON.parse(line)
      return {
        message,
        time: BigInt(Date.parse(timestamp)) * 1_000_000n,
        id,
        attributes,
        truncated: truncated === true,
      }
    })
}

const error = (status: number, code: string, message: string, more = '', headers = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/xml', ...headers },
  body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`,
})

const retried = (reason: string, detail: string, misconfigured = false): Verdict => ({
  kind: 'retry',
  reason,
  detail,
  ...(misconfigured && { misconfigured }),
})
const refused = (reason: string, detail: string): Verdict => ({ kind: 'unauthorized', reason, detail })

const stored: Answer = { status: 200, headers: { etag: '"0123456789abcdef0123456789abcdef"' }, body: '' }

const CASES: readonly Case[] = [
  { name: 'stored', answer: stored, verdict: { kind: 'delivered' } },
  {
    name: 'a success without an ETag',
    answer: { status: 200, headers: {}, body: '' },
    verdict: { kind: 'retry', reason: 'unexpected_answer', misconfigured: true },
  },
  {
    name: 'no such bucket',
    answer: error(404, 'NoSuchBucket', 'The specified bucket does not exist'),
    verdict: retried('no_such_bucket', 'The specified bucket does not exist', true),
  },
  {
    name: 'a bucket in another region',
    answer: error(
      400,
      'AuthorizationHeaderMalformed',
      'the region &#39;eu-central-1&#39; is wrong',
      '<Region>us-west-2</Region>',
    ),
    verdict: retried(
      'authorization_header_malformed',
      'the region &#39;eu-central-1&#39; is wrong; the bucket is in us-west-2',
      true,
    ),
  },
  {
    name: 'a bucket that is elsewhere',
    answer: error(301, 'PermanentRedirect', 'use the endpoint', '', { 'x-amz-bucket-region': 'us-west-2' }),
    verdict: retried('permanent_redirect', 'use the endpoint; the bucket is in us-west-2', true),
  },
  {
    name: 'a role without the permission',
    answer: error(403, 'AccessDenied', 'Access Denied'),
    verdict: refused('access_denied', 'Access Denied'),
  },
  {
    name: 'a token that has expired',
    answer: error(400, 'ExpiredToken', 'The provided token has expired.'),
    verdict: refused('expired_token', 'The provided token has expired.'),
  },
  {
    name: 'a clock that is off',
    answer: error(403, 'RequestTimeTooSkewed', 'The difference is too large.'),
    verdict: refused('request_time_too_skewed', 'The difference is too large.'),
  },
  {
    name: 'too many requests',
    answer: error(503, 'SlowDown', 'Reduce your request rate.'),
    verdict: retried('slow_down', 'Reduce your request rate.'),
  },
  {
    name: 'a body that did not come in time',
    answer: error(400, 'RequestTimeout', 'timed out'),
    verdict: retried('request_timeout', 'timed out'),
  },
  {
    name: 'too large',
    answer: error(400, 'EntityTooLarge', 'too large'),
    verdict: { kind: 'split', reason: 'entity_too_large' },
  },
  {
    name: 'a word of a later version',
    answer: error(400, 'SomethingNew', 'new'),
    verdict: retried('http_400', 'new', true),
  },
]

export const subject: Subject = {
  type: 's3',
  name: 's3',
  clock: 'milliseconds',
  config: origin => ({
    type: 's3',
    endpoint: origin,
    region: REGION,
    bucket: 'logs',
    key: 'app/{yyyy}/{MM}/{dd}/{id}',
    auth: AUTH,
    batch: { interval: 0 },
  }),
  decode,
  success: () => stored,
  cases: CASES,
}
