/**
 * Amazon CloudWatch Logs (`PutLogEvents`): lines as events of one stream, judged event by event.
 *
 *     {"logGroupName":"/eks/shop","logStreamName":"shop/web-1","logEvents":[{"timestamp":1767323045678,"message":"│frame│"},…]}
 *
 * A message is the whole line: Logs Insights finds the fields of JSON itself, and lines of the embedded metric format are
 * metrics only if nothing is changed of them. Where they come from is the name of the stream.
 *
 * Guarantees: a request keeps the limits of the API (10,000 events, 1 MiB, times that ascend within a day); an event that
 * the answer calls too old, too new or expired is rejected, and no other; a missing stream is made, and a missing group
 * if that is asked for; what has to be granted or corrected is waited for.
 */
import * as z from 'zod/mini'
import type { Chunk } from '../chunk.ts'
import type { Environment } from '../environment.ts'
import type { Segment } from '../kernel/template.ts'
import { domainOf, REGION, regionOf } from '../region.ts'
import { awsError, judgeAws, saidIn } from './aws_answer.ts'
import type { Answer, Backend, BackendContext, BatchInfo, Item, Remedy, Verdict } from './backend.ts'
import { endpointSchema } from './endpoint.ts'
import { epochMilliseconds, joined, literal } from './fields.ts'
import { timeOf } from './found.ts'
import { filledName, NAME, nameTemplate } from './pod_name.ts'

const RETENTIONS = [
  ...[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
]
const RETENTION = `days that CloudWatch knows: ${RETENTIONS.join(', ')}`

/** What a group and a stream may be called (`CreateLogGroup`, `CreateLogStream`). */
const GROUP = /^[\w.\-/#]+$/
const STREAM = /^[^:*]+$/

export const cloudwatchSchema = z.object({
  endpoint: z
    .optional(endpointSchema)
    .check(z.describe('Where requests go, such as an endpoint of the VPC. Default: logs.REGION.amazonaws.com.')),
  region: z
    .optional(z.string().check(z.regex(REGION, { error: 'a region such as eu-central-1' })))
    .check(z.describe('Region of the group. Default: that of the endpoint, then AWS_REGION.')),
  group: z.string().check(
    z.refine(text => nameTemplate(text, GROUP) !== undefined, { error: `${NAME}, of letters, digits and _ . - / #` }),
    z.describe('Log group; {namespace}, {pod}, {container}, {node} and {serviceAccount} are filled in.'),
  ),
  stream: z
    ._default(
      z
        .string()
        .check(z.refine(text => nameTemplate(text, STREAM) !== undefined, { error: `${NAME}, without : and *` })),
      '{namespace}/{pod}',
    )
    .check(z.describe('Log stream, with the same names filled in.')),
  create: z
    ._default(z.enum(['nothing', 'stream', 'group']), 'stream')
    .check(z.describe('What is made when it is missing: only the stream, or the group as well.')),
  retentionDays: z
    .optional(z.int().check(z.refine(days => RETENTIONS.includes(days), { error: RETENTION })))
    .check(z.describe('With create: group, for how many days a group that was made keeps events. Default: for ever.')),
})

export type CloudwatchOptions = z.infer<typeof cloudwatchSchema>

export function cloudwatchEndpoint(
  { region }: Pick<CloudwatchOptions, 'region'>,
  env: Environment,
): string | undefined {
  const where = region ?? regionOf(env)
  return where && `https://logs.${where}.${domainOf(where)}`
}

const CONTENT_TYPE = 'application/x-amz-json-1.1'
const DAY = 24 * 3_600_000

/**
 * `PutLogEvents`: 1,048,576 bytes of messages and 26 for each event. What stands around a message in the request is more
 * than that, so a request within the limit is one for the API too. Events are refused that are older than 14 days.
 */
const LIMITS = {
  payloadBytes: 1_048_576,
  records: 10_000,
  recordBytes: 1_000_000,
  age: 14 * DAY,
  ascending: DAY,
  blank: 'refused',
} as const

export function createCloudwatch(options: CloudwatchOptions, context: BackendContext): Backend {
  const metadata = context.metadata()
  const group = filledName(options.group, metadata, GROUP)
  const stream = filledName(options.stream, metadata, STREAM)
  const { pathname } = new URL(options.endpoint ?? 'https://logs')
  const call = (action: string) => ({
    method: 'POST',
    path: pathname,
    headers: { 'x-amz-target': `Logs_20140328.${action}` },
  })
  const making = (action: string, body: object): Remedy => ({
    head: call(action),
    contentType: CONTENT_TYPE,
    body: JSON.stringify(body),
    done: isMade,
  })
  const place = { logGroupName: group, logStreamName: stream }
  const makeStream = making('CreateLogStream', place)
  const { retentionDays } = options
  const keep = { logGroupName: group, retentionInDays: retentionDays }
  const makeGroup = [
    making('CreateLogGroup', { logGroupName: group }),
    ...(retentionDays === undefined ? [] : [making('PutRetentionPolicy', keep)]),
    makeStream,
  ]
  const remedies = {
    ...(options.create !== 'nothing' && { stream: [makeStream] }),
    ...(options.create === 'group' && { group: makeGroup }),
  }
  const head = JSON.stringify({ ...place, logEvents: [] })
  return {
    type: 'cloudwatch',
    ackLevel: 'stored',
    format: {
      contentType: CONTENT_TYPE,
      prefix: Buffer.from(head.slice(0, -2)),
      separator: Buffer.from(','),
      suffix: Buffer.from(']}'),
      treatment: 'text',
    },
    limits: LIMITS,
    segments: event,
    request: () => call('PutLogEvents'),
    remedies,
    judge: (answer, batch) => judgeEvents(answer, batch, Object.keys(remedies)),
  }
}

/** A line that was cut says so at its end, as it does not say anything else of itself. */
function event(chunk: Chunk): Segment[] {
  const { cutFrom } = chunk
  return joined([
    literal('{"timestamp":'),
    timeOf(chunk, 'milliseconds', () => literal(String(epochMilliseconds(chunk)))),
    literal(',"message":"'),
    { kind: 'message' },
    literal(`${cutFrom > 0 ? ` [truncated from ${cutFrom} bytes]` : ''}"}`),
  ])
}

function isMade(answer: Answer): boolean {
  if (answer.status < 300) return answer.body === '' || saidIn(answer) !== undefined
  return awsError(answer).reason === 'resource_already_exists'
}

/** `made`: what is made if it is missing. */
function judgeEvents(answer: Answer, batch: BatchInfo, made: readonly string[]): Verdict {
  if (answer.status < 300) return judgeSuccess(answer, batch)
  const { reason, message } = awsError(answer)
  const words = message === undefined ? {} : { detail: message }
  switch (reason) {
    // Of the times of sequence tokens: these events are there.
    case 'data_already_accepted':
      return { kind: 'delivered' }
    case 'resource_not_found': {
      // "The specified log stream does not exist."
      const remedy = made.find(what => message?.includes(`log ${what}`))
      return { kind: 'retry', reason, ...words, misconfigured: true, ...(remedy && { remedy }) }
    }
    case 'invalid_parameter':
      if (/^Upload too large/.test(message ?? '')) return { kind: 'split', reason }
      // "Log event too large", "Log events in a single PutLogEvents request must be in chronological order", "… at
      // 'logEvents.3.member.message' failed to satisfy constraint". What is said of a group or a stream is ours.
      if (/\blog ?events?\b/i.test(message ?? '')) return { kind: 'bisect', reason, ...words }
      return { kind: 'retry', reason, ...words, misconfigured: true }
  }
  return judgeAws(answer)
}

/** `rejectedLogEventsInfo`: the first so many are too old or expired, and those from a place on too new. */
function judgeSuccess(answer: Answer, { records }: BatchInfo): Verdict {
  const said = saidIn(answer)
  const unreadable: Verdict = { kind: 'retry', reason: 'unreadable_answer', misconfigured: true }
  // A success is an object; an empty body, or a page, is what something in between says.
  if (said === undefined) {
    const general = judgeAws(answer)
    return general.kind === 'delivered' ? unreadable : general
  }
  const info = said['rejectedLogEventsInfo']
  if (info === undefined || info === null) return { kind: 'delivered' }
  const place = (name: string, otherwise: number): number | undefined => {
    const value = (Object(info) as Record<string, unknown>)[name] ?? otherwise
    return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= records
      ? (value as number)
      : undefined
  }
  const old = place('tooOldLogEventEndIndex', 0)
  const expired = place('expiredLogEventEndIndex', 0)
  const ahead = place('tooNewLogEventStartIndex', records)
  if (old === undefined || expired === undefined || ahead === undefined) return unreadable
  const rejected = Array.from({ length: records }, (_, index): Item[] => {
    if (index < old) return [{ index, reason: 'too_old' }]
    if (index < expired) return [{ index, reason: 'expired' }]
    return index >= ahead ? [{ index, reason: 'too_new' }] : []
  }).flat()
  return rejected.length === 0 ? { kind: 'delivered' } : { kind: 'items', rejected, retry: [] }
}
