/** Amazon Data Firehose: the requests as the reference of PutRecordBatch has them, and its answers. */
import assert from 'node:assert/strict'
import type { Answer } from '../../src/backends/backend.ts'
import { AUTH, awsError, awsSays, REGION, signed } from './aws.ts'
import type { Case, Decoded, Request, Subject } from './subject.ts'

function decode(request: Request): Decoded[] {
  const { method, url, headers, body } = request
  assert.equal(method, 'POST')
  assert.equal(url, '/')
  assert.equal(headers['x-amz-target'], 'Firehose_20150804.PutRecordBatch')
  assert.equal(headers['content-type'], 'application/x-amz-json-1.1')
  signed(request, 'firehose')
  const { DeliveryStreamName, Records, ...others } = JSON.parse(body.toString()) as {
    DeliveryStreamName: string
    Records: { Data: string }[]
  }
  assert.deepEqual(others, {})
  assert.equal(DeliveryStreamName, 'logs')
  assert.ok(Records.length >= 1 && Records.length <= 500)
  assert.ok(body.length <= 4 * 1024 * 1024)
  return Records.map(({ Data, ...more }) => {
    assert.deepEqual(more, {})
    assert.match(Data, /^(?:[\w+/]{4})*(?:[\w+/]{2}==|[\w+/]{3}=)?$/)
    const bytes = Buffer.from(Data, 'base64')
    assert.ok(bytes.length <= 1000 * 1024, `${bytes.length} bytes`)
    const text = bytes.toString()
    assert.ok(text.endsWith('}\n'))
    const { timestamp, message, id, truncated, originalBytes, partial, ...attributes } = JSON.parse(text)
    const time = BigInt(Date.parse(timestamp)) * 1_000_000n
    return { message, time, id, attributes, truncated: truncated === true }
  })
}

const each = (...codes: (string | undefined)[]): Answer =>
  awsSays({
    FailedPutCount: codes.filter(code => code !== undefined).length,
    Encrypted: false,
    RequestResponses: codes.map(code =>
      code === undefined ? { RecordId: 'r' } : { ErrorCode: code, ErrorMessage: 'Slow down.' },
    ),
  })

const FULL = 'ServiceUnavailableException'
const detail = 'Slow down.'
const gone = { detail: 'Firehose logs under account 111122223333 not found.' }
const denied = { detail: 'User: x is not authorized to perform: firehose:PutRecordBatch' }

const CASES: readonly Case[] = [
  { name: 'accepted', answer: each(undefined, undefined, undefined, undefined), verdict: { kind: 'delivered' } },
  {
    name: 'two of them failed',
    answer: each(undefined, FULL, undefined, 'InternalFailure'),
    verdict: {
      kind: 'items',
      rejected: [],
      retry: [
        { index: 1, reason: 'service_unavailable', detail },
        { index: 3, reason: 'internal_failure', detail },
      ],
    },
  },
  {
    name: 'all of them failed',
    answer: each(FULL, FULL, FULL, FULL),
    verdict: { kind: 'retry', reason: 'service_unavailable', detail },
  },
  {
    name: 'some failed, and not all are spoken of',
    answer: each(FULL),
    verdict: { kind: 'retry', reason: 'unreadable_answer', misconfigured: true },
  },
  {
    name: 'overloaded',
    answer: awsError(500, FULL, 'Slow down.'),
    verdict: { kind: 'retry', reason: 'service_unavailable', detail },
  },
  {
    name: 'no such stream',
    answer: awsError(400, 'ResourceNotFoundException', gone.detail),
    verdict: { kind: 'retry', reason: 'resource_not_found', ...gone, misconfigured: true },
  },
  {
    name: 'a role without the permission',
    answer: awsError(400, 'AccessDeniedException', denied.detail),
    verdict: { kind: 'unauthorized', reason: 'access_denied', ...denied },
  },
  {
    name: 'a request that is too large',
    answer: awsError(400, 'InvalidArgumentException', 'Records size exceeds 4 MB limit'),
    verdict: { kind: 'split', reason: 'invalid_argument' },
  },
  {
    name: 'a key that cannot be used',
    answer: awsError(400, 'InvalidKMSResourceException', 'The key is disabled.'),
    verdict: { kind: 'retry', reason: 'invalid_kms_resource', detail: 'The key is disabled.', misconfigured: true },
  },
]

export const subject: Subject = {
  type: 'firehose',
  name: 'firehose',
  clock: 'milliseconds',
  config: origin => ({ type: 'firehose', endpoint: origin, region: REGION, stream: 'logs', auth: AUTH }),
  decode,
  success: records => each(...Array.from({ length: records }, () => undefined)),
  cases: CASES,
}
