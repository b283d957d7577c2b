/** CloudWatch Logs: the requests as the reference of PutLogEvents has them, and its answers. */
import assert from 'node:assert/strict'
import type { Answer, Verdict } from '../../src/backends/backend.ts'
import { AUTH, awsError, awsSays, REGION, signed } from './aws.ts'
import type { Case, Decoded, Request, Subject } from './subject.ts'

const MOST_BYTES = 1_048_576
const MOST_EVENTS = 10_000
const DAY = 24 * 3_600_000

interface Event {
  readonly timestamp: number
  readonly message: string
}

function decode(request: Request): Decoded[] {
  const { method, url, headers, body } = request
  assert.equal(method, 'POST')
  assert.equal(url, '/')
  assert.equal(headers['x-amz-target'], 'Logs_20140328.PutLogEvents')
  assert.equal(headers['content-type'], 'application/x-amz-json-1.1')
  signed(request, 'logs')
  const { logGroupName, logStreamName, logEvents, ...others } = JSON.parse(body.toString()) as {
    logGroupName: string
    logStreamName: string
    logEvents: Event[]
  }
  assert.deepEqual(others, {})
  assert.equal(logGroupName, '/eks/shop')
  assert.equal(logStreamName, 'web')
  assert.ok(logEvents.length >= 1 && logEvents.length <= MOST_EVENTS)
  const bytes = logEvents.reduce((sum, { message }) => sum + Buffer.byteLength(message) + 26, 0)
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`)
  assert.ok(logEvents.at(-1)!.timestamp - logEvents[0]!.timestamp <= DAY, 'a day')
  return logEvents.map(({ timestamp, message, ...more }, at) => {
    assert.deepEqual(more, {})
    assert.ok(Number.isInteger(timestamp) && timestamp >= (logEvents[at - 1]?.timestamp ?? 0), 'in order')
    assert.ok(message.length >= 1, 'a message has a character')
    const mark = / \[truncated from \d+ bytes\]$/.exec(message)
    return {
      message: mark ? message.slice(0, mark.index) : message,
      time: BigInt(timestamp) * 1_000_000n,
      attributes: {},
      truncated: mark !== null,
    }
  })
}

const refused = (type: string, message: string, status = 400) => ({
  answer: awsError(status, type, message),
  words: { detail: message },
})

const noStream = refused('ResourceNotFoundException', 'The specified log stream does not exist.')
const noGroup = refused('ResourceNotFoundException', 'The specified log group does not exist.')
const order = refused(
  'InvalidParameterException',
  'Log events in a single PutLogEvents request must be in chronological order.',
)
const long = refused('InvalidParameterException', 'Log event too large: 1048999 bytes exceeds limit of 1048576')
const much = refused('InvalidParameterException', 'Upload too large: 1048999 bytes exceeds limit of 1048576')
const name = refused(
  'InvalidParameterException',
  "1 validation error detected: Value '' at 'logGroupName' failed to satisfy constraint",
)
const denied = refused(
  'AccessDeniedException',
  'User: arn:aws:sts::111122223333:assumed-role/app/x is not authorized to perform: logs:PutLogEvents',
)
const token = refused('UnrecognizedClientException', 'The security token included in the request is invalid.')
const signature = refused('InvalidSignatureException', 'Signature expired: 20261128T000000Z is now earlier than …')
const slow = refused('ThrottlingException', 'Rate exceeded')
const quota = refused('ServiceQuotaExceededException', 'Quota exceeded')
const down = refused('ServiceUnavailableException', 'Service unavailable', 503)
const unknown = refused('SomethingNewException', 'A word of a later version')

const rejected = (info: object): Answer => awsSays({ rejectedLogEventsInfo: info })
const items = (...reasons: (string | undefined)[]): Verdict => ({
  kind: 'items',
  rejected: reasons.flatMap((reason, index) => (reason === undefined ? [] : [{ index, reason }])),
  retry: [],
})

const CASES: readonly Case[] = [
  { name: 'stored', answer: awsSays({ nextSequenceToken: '1' }), verdict: { kind: 'delivered' } },
  { name: 'stored, and no more is said', answer: awsSays({}), verdict: { kind: 'delivered' } },
  {
    name: 'the first two are older than 14 days',
    answer: rejected({ tooOldLogEventEndIndex: 2 }),
    verdict: items('too_old', 'too_old'),
  },
  {
    name: 'the first is too old, the second older than the group keeps events',
    answer: rejected({ tooOldLogEventEndIndex: 1, expiredLogEventEndIndex: 2 }),
    verdict: items('too_old', 'expired'),
  },
  {
    name: 'the last is more than two hours ahead',
    answer: rejected({ tooNewLogEventStartIndex: 3 }),
    verdict: items(undefined, undefined, undefined, 'too_new'),
  },
  {
    name: 'more are rejected than there are',
    answer: rejected({ tooOldLogEventEndIndex: 5 }),
    verdict: { kind: 'retry', reason: 'unreadable_answer', misconfigured: true },
  },
  {
    name: 'already there',
    answer: awsError(400, 'DataAlreadyAcceptedException', 'The given batch of log events has already been accepted.'),
    verdict: { kind: 'delivered' },
  },
  {
    name: 'no such stream',
    answer: noStream.answer,
    verdict: { kind: 'retry', reason: 'resource_not_found', ...noStream.words, misconfigured: true, remedy: 'stream' },
  },
  {
    name: 'no such group',
    answer: noGroup.answer,
    verdict: { kind: 'retry', reason: 'resource_not_found', ...noGroup.words, misconfigured: true },
  },
  {
    name: 'times that are not in order',
    answer: order.answer,
    verdict: { kind: 'bisect', reason: 'invalid_parameter', ...order.words },
  },
  {
    name: 'an event that is too large',
    answer: long.answer,
    verdict: { kind: 'bisect', reason: 'invalid_parameter', ...long.words },
  },
  { name: 'a request that is too large', answer: much.answer, verdict: { kind: 'split', reason: 'invalid_parameter' } },
  {
    name: 'a name that it does not take',
    answer: name.answer,
    verdict: { kind: 'retry', reason: 'invalid_parameter', ...name.words, misconfigured: true },
  },
  {
    name: 'a role without the permission',
    answer: denied.answer,
    verdict: { kind: 'unauthorized', reason: 'access_denied', ...denied.words },
  },
  {
    name: 'a key that is not known',
    answer: token.answer,
    verdict: { kind: 'unauthorized', reason: 'unrecognized_client', ...token.words },
  },
  {
    name: 'a clock that is off',
    answer: signature.answer,
    verdict: { kind: 'unauthorized', reason: 'invalid_signature', ...signature.words },
  },
  { name: 'too many requests', answer: slow.answer, verdict: { kind: 'retry', reason: 'throttling', ...slow.words } },
  {
    name: 'a quota',
    answer: quota.answer,
    verdict: { kind: 'retry', reason: 'service_quota_exceeded', ...quota.words },
  },
  {
    name: 'not available',
    answer: down.answer,
    verdict: { kind: 'retry', reason: 'service_unavailable', ...down.words },
  },
  {
    name: 'an exception of a later version',
    answer: unknown.answer,
    verdict: { kind: 'retry', reason: 'http_400', ...unknown.words, misconfigured: true },
  },
  {
    name: 'a success that is none',
    answer: { status: 200, headers: {}, body: '' },
    verdict: { kind: 'retry', reason: 'unreadable_answer', misconfigured: true },
  },
]

export const subject: Subject = {
  type: 'cloudwatch',
  name: 'cloudwatch',
  clock: 'milliseconds',
  says: [],
  blank: 'refused',
  config: origin => ({
    type: 'cloudwatch',
    endpoint: origin,
    region: REGION,
    group: '/eks/shop',
    stream: 'web',
    auth: AUTH,
  }),
  decode,
  success: () => awsSays({ nextSequenceToken: '1' }),
  cases: CASES,
}
