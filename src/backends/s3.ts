/**
 * Amazon S3, and what speaks its API: an object for each batch, a JSON record per line.
 *
 *     PUT /shop/web-1/2026/01/02/03/a1b2c3d4e5f60718-000000000000-4-0011223344556677.ndjson.gz
 *
 * The name of an object is made of its records: which file they come from, where they stand in it, how many they are.
 *
 * Guarantees: what is sent again as it was takes the place of what is there, and nothing else ever does; a file's end is
 * named after what is in the object, compressed or not; an object is delivered only if the answer has its ETag. No
 * answer says anything of a record, so none is rejected: what has to be granted or corrected is waited for.
 */
import * as z from 'zod/mini'
import type { Environment } from '../environment.ts'
import { domainOf, REGION, regionOf } from '../region.ts'
import type { Answer, Backend, BackendContext, RequestInfo, Verdict } from './backend.ts'
import { endpointSchema } from './endpoint.ts'
import { NO_LIMITS, perLine } from './format.ts'
import { judge } from './http.ts'
import { filledName, NAME, nameTemplate } from './pod_name.ts'
import { jsonRecord } from './record.ts'

/** Characters that S3 calls safe, and a few that are harmless. */
const KEY = /^[\w!\-.*'()/=]+$/
/** Of the batch: when its first record was read (UTC), and what makes the name its own. */
const OF_BATCH = ['yyyy', 'MM', 'dd', 'HH', 'id']
const KEY_ALLOWED = `${NAME}, and {yyyy}, {MM}, {dd}, {HH}; with {id}, once`

export const s3Schema = z.object({
  endpoint: z
    .optional(endpointSchema)
    .check(
      z.describe('Another server, or an endpoint of the VPC; the bucket is added to its path. Default: that of AWS.'),
    ),
  region: z
    .optional(z.string().check(z.regex(REGION, { error: 'a region such as eu-central-1' })))
    .check(z.describe('Region of the bucket. Default: that of the endpoint, then AWS_REGION.')),
  bucket: z
    .string()
    .check(z.regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { error: 'the name of a bucket' }), z.describe('The bucket.')),
  key: z
    ._default(
      z
        .string()
        .check(
          z.refine(
            text =>
              nameTemplate(text, KEY, OF_BATCH) !== undefined && text.split('{id}').length === 2 && text[0] !== '/',
            { error: KEY_ALLOWED },
          ),
        ),
      '{namespace}/{pod}/{yyyy}/{MM}/{dd}/{HH}/{id}',
    )
    .check(
      z.describe(
        'Name of each object, before .ndjson and .gz or .zst; {namespace}, {pod}, {container}, the time of reading as {yyyy}, {MM}, {dd}, {HH} (UTC), and {id}, which makes it its own.',
      ),
    ),
  ids: z
    ._default(z.boolean(), true)
    .check(z.describe('Gives each record an id that stays the same, by which what comes twice can be told.')),
})

export type S3Options = z.infer<typeof s3Schema>

/** A name with dots has no certificate below the service's own name: then the bucket stands in the path. */
export function s3Endpoint({ region, bucket }: S3Options, env: Environment): string | undefined {
  const where = region ?? regionOf(env)
  if (where === undefined) return undefined
  const host = `s3.${where}.${domainOf(where)}`
  return bucket.includes('.') ? `https://${host}` : `https://${bucket}.${host}`
}

const END = { gzip: '.gz', zstd: '.zst' } as const

export function createS3(options: S3Options, context: BackendContext): Backend {
  const { endpoint, bucket, ids } = options
  const template = filledName(options.key, context.metadata(), KEY)
  const base = endpoint === undefined ? '' : new URL(endpoint).pathname.replace(/\/+$/, '')
  const inPath = endpoint !== undefined || bucket.includes('.')
  const before = inPath ? `${base}/${bucket}/` : '/'
  return {
    type: 's3',
    ackLevel: 'stored',
    format: perLine('application/x-ndjson'),
    limits: NO_LIMITS,
    segments: chunk => jsonRecord(chunk, ids, context.metadata()),
    request: batch => ({ method: 'PUT', path: before + keyOf(template, batch), headers: {} }),
    judge: judgeObject,
  }
}

function keyOf(template: string, { id, time = 0, encoding }: RequestInfo): string {
  const [, yyyy, MM, dd, HH] = /^(\d+)-(\d\d)-(\d\d)T(\d\d)/.exec(new Date(time).toISOString()) ?? []
  const places: Readonly<Record<string, string | undefined>> = { yyyy, MM, dd, HH, id }
  const name = template.replace(/\{(\w+)\}/g, (_, place: string) => places[place] ?? '')
  const key = `${name}.ndjson${encoding === undefined ? '' : END[encoding]}`
  return key.split('/').map(encodeURIComponent).join('/')
}

/** The identity is not known, or may not. */
const UNAUTHORIZED = new Set([
  ...['AccessDenied', 'AllAccessDisabled', 'ExpiredToken', 'InvalidAccessKeyId', 'InvalidToken'],
  ...['RequestTimeTooSkewed', 'SignatureDoesNotMatch', 'TokenRefreshRequired', 'AccountProblem', 'NotSignedUp'],
])
/** Passes by itself, whatever the status. */
const PASSING = new Set([
  ...['RequestTimeout', 'SlowDown', 'InternalError', 'ServiceUnavailable', 'OperationAborted', 'BadDigest'],
  ...['IncompleteBody', 'XAmzContentSHA256Mismatch', 'ConditionalRequestConflict'],
])
/** It has to be mended in the configuration or the account. */
const MISCONFIGURED = new Set([
  ...['NoSuchBucket', 'PermanentRedirect', 'TemporaryRedirect', 'AuthorizationHeaderMalformed', 'InvalidBucketName'],
  ...['IllegalLocationConstraintException', 'MethodNotAllowed', 'InvalidRequest', 'InvalidArgument', 'KeyTooLongError'],
  ...['InvalidStorageClass', 'InvalidObjectState', 'QuotaExceeded', 'XMinioStorageFull'],
])

function judgeObject(answer: Answer): Verdict {
  const { status, headers, body } = answer
  const general = judge(answer)
  if (status < 300) {
    // An object has an ETag, and nothing more is said of it; a page may have one as well, and is not empty.
    if (headers['etag'] !== undefined && body.trim() === '') return { kind: 'delivered' }
    return general.kind === 'delivered' ? { kind: 'retry', reason: 'unexpected_answer', misconfigured: true } : general
  }
  const code = /<Code>(\w{1,64})<\/Code>/.exec(body)?.[1]
  const message = /<Message>([^<]{1,300})<\/Message>/.exec(body)?.[1]
  const region = /<Region>([a-z0-9-]{1,30})<\/Region>/.exec(body)?.[1] ?? headers['x-amz-bucket-region']
  const said = [message, region && `the bucket is in ${region}`].filter(Boolean).join('; ')
  const words = said === '' ? {} : { detail: said }
  if (code !== undefined) {
    const reason = snake(code)
    if (UNAUTHORIZED.has(code)) return { kind: 'unauthorized', reason, ...words }
    if (PASSING.has(code)) return { kind: 'retry', reason, ...words }
    if (code === 'EntityTooLarge') return { kind: 'split', reason }
    if (MISCONFIGURED.has(code)) return { kind: 'retry', reason, ...words, misconfigured: true }
  }
  switch (general.kind) {
    case 'retry':
    case 'unauthorized':
      return { ...general, ...words }
    case 'split':
      return general
    default:
      return { kind: 'retry', reason: `http_${status}`, ...words, misconfigured: true }
  }
}

function snake(code: string): string {
  return code
    .replace(/(Error|Exception)$/, '')
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_')
    .toLowerCase()
}
