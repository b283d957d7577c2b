/**
 * Amazon Data Firehose (`PutRecordBatch`): a JSON record each, judged record by record.
 *
 *     {"DeliveryStreamName":"logs","Records":[{"Data":"│base64 of {"timestamp":…,"message":"…",…}⏎│"},…]}
 *
 * Each record ends in a line feed: destinations put records one behind the other as they are.
 *
 * Guarantees: a request keeps the limits of the API (500 records, 4 MiB; 1,000 KiB for a record before base64); a record
 * that the answer names as failed is sent again, and no other; no answer says that a record is at fault, so none is
 * rejected but one that is too large.
 */
import * as z from 'zod/mini'
import type { Environment } from '../environment.ts'
import type { Segment } from '../kernel/template.ts'
import { domainOf, REGION, regionOf } from '../region.ts'
import { awsError, judgeAws, reasonOf, saidIn } from './aws_answer.ts'
import type { Answer, Backend, BackendContext, BatchInfo, Item, Verdict } from './backend.ts'
import { endpointSchema } from './endpoint.ts'
import { joined, literal } from './fields.ts'
import { jsonRecord } from './record.ts'

export const firehoseSchema = z.object({
  endpoint: z
    .optional(endpointSchema)
    .check(z.describe('Where requests go, such as an endpoint of the VPC. Default: firehose.REGION.amazonaws.com.')),
  region: z
    .optional(z.string().check(z.regex(REGION, { error: 'a region such as eu-central-1' })))
    .check(z.describe('Region of the stream. Default: that of the endpoint, then AWS_REGION.')),
  stream: z
    .string()
    .check(
      z.regex(/^[\w.-]{1,64}$/, { error: 'up to 64 letters, digits and _ . -' }),
      z.describe('Name of the Firehose stream.'),
    ),
  ids: z
    ._default(z.boolean(), true)
    .check(z.describe('Gives each record an id that stays the same, by which what comes twice can be told.')),
})

export type FirehoseOptions = z.infer<typeof firehoseSchema>

export function firehoseEndpoint({ region }: Pick<FirehoseOptions, 'region'>, env: Environment): string | undefined {
  const where = region ?? regionOf(env)
  return where && `https://firehose.${where}.${domainOf(where)}`
}

/** `PutRecordBatch`; a record of 1,000 KiB is 1,365,336 bytes of base64. */
const LIMITS = { payloadBytes: 4 * 1024 * 1024, records: 500, recordBytes: 1_360_000 }

/** What single records are known to fail with. */
const KNOWN = new Set(['internal_failure', 'service_unavailable', 'throttled', 'throttling'])

/** An answer speaks of every record. */
const ANSWER_BYTES = 512 * 1024

export function createFirehose(options: FirehoseOptions, context: BackendContext): Backend {
  const { pathname } = new URL(options.endpoint ?? 'https://firehose')
  const head = JSON.stringify({ DeliveryStreamName: options.stream, Records: [] })
  const headers = { 'x-amz-target': 'Firehose_20150804.PutRecordBatch' }
  return {
    type: 'firehose',
    ackLevel: 'accepted',
    format: {
      contentType: 'application/x-amz-json-1.1',
      prefix: Buffer.from(head.slice(0, -2)),
      separator: Buffer.from(','),
      suffix: Buffer.from(']}'),
      treatment: 'text',
    },
    limits: LIMITS,
    answerBytes: ANSWER_BYTES,
    segments: chunk => encoded(jsonRecord(chunk, options.ids, context.metadata())),
    request: () => ({ method: 'POST', path: pathname, headers }),
    judge: judgeRecords,
  }
}

function encoded(record: readonly Segment[]): Segment[] {
  return [
    literal('{"Data":"'),
    { kind: 'base64', edge: 'begin' },
    ...joined([...record, literal('\n')]),
    { kind: 'base64', edge: 'end' },
    literal('"}'),
  ]
}

function judgeRecords(answer: Answer, { records }: BatchInfo): Verdict {
  if (answer.status >= 300) {
    const { reason, message } = awsError(answer)
    // "Records size exceeds 4 MB limit": what is larger than the limit of an account that has another one.
    if (reason === 'invalid_argument' && /\bexceeds?\b.*\blimit\b/i.test(message ?? ''))
      return { kind: 'split', reason }
    return judgeAws(answer)
  }
  const said = saidIn(answer)
  const unreadable: Verdict = { kind: 'retry', reason: 'unreadable_answer', misconfigured: true }
  if (said === undefined) {
    const general = judgeAws(answer)
    return general.kind === 'delivered' ? unreadable : general
  }
  const { FailedPutCount: failed, RequestResponses: responses } = said
  if (failed === 0) return { kind: 'delivered' }
  if (!Array.isArray(responses) || responses.length !== records) return unreadable
  const retry = responses.flatMap((response: unknown, index): Item[] => {
    const { ErrorCode: code, ErrorMessage: message } = Object(response) as Record<string, unknown>
    if (code === undefined || code === null) return []
    const detail = typeof message === 'string' ? { detail: message } : {}
    const reason = reasonOf(code) ?? ''
    return [{ index, reason: KNOWN.has(reason) ? reason : 'record_failed', ...detail }]
  })
  if (retry.length === 0) return { kind: 'delivered' }
  const [first] = retry as [Item]
  if (retry.length < records) return { kind: 'items', rejected: [], retry }
  return { kind: 'retry', reason: first.reason, ...(first.detail !== undefined && { detail: first.detail }) }
}
