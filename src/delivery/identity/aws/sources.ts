/**
 * Where a pod finds keys of AWS, in AWS's own order; the first that is there is used, whether it works or not.
 *
 *     configured keys ─► environment ─► web identity (STS) ─► container endpoint ─► instance metadata, if allowed
 *
 *     web identity        EKS with IAM roles for service accounts: a token in a file, exchanged at STS
 *     container endpoint  EKS Pod Identity, ECS, Fargate: an agent beside the pod
 *     instance metadata   the node's own role (version 2 only)
 *
 * Guarantees: a file is read at each exchange, for tokens are replaced in place; what is asked of an address beside the
 * pod goes there directly and over no proxy; a token goes to no address that could be another's. What goes wrong
 * is a value.
 */
import type { Answer } from '../../../backends/backend.ts'
import type { Environment } from '../../../environment.ts'
import type { Secret } from '../../options.ts'
import { Reading, UnreadableError } from '../../transport/secrets.ts'
import type { Ask, Question } from '../ask.ts'
import { errorOf, timeOf } from './answers.ts'
import type { Keys } from './sigv4.ts'

export type { Ask, Question } from '../ask.ts'

/** `end`: milliseconds since the epoch on AWS's clock, which shows `now`; left out: they do not end. */
export type Found =
  | { readonly kind: 'keys'; readonly keys: Keys; readonly end?: number; readonly now?: number }
  /** `code` is bounded. `place`: what could not be read. */
  | { readonly kind: 'failure'; readonly code: string; readonly place?: string }

export interface Source {
  /** In words, without secrets. */
  readonly name: string
  readonly exchange: () => Promise<Found>
  /** Milliseconds after which keys that do not end are read again. */
  readonly again?: number
}

export interface SourceOptions {
  readonly region: string
  readonly accessKeyId?: Secret | undefined
  readonly secretAccessKey?: Secret | undefined
  readonly sessionToken?: Secret | undefined
  readonly instanceMetadata: boolean
  readonly stsEndpoint: URL
}

/** Files of keys may be replaced: they are read again so often, in milliseconds. */
const READ_AGAIN = 60_000

const failed = (code: string, place?: string): Found => ({ kind: 'failure', code, ...(place && { place }) })

/** `undefined`: there is none. */
export function sourceOf(options: SourceOptions, env: Environment, ask: Ask): Source | undefined {
  const { accessKeyId, secretAccessKey, sessionToken, instanceMetadata } = options
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    const keys = { accessKeyId, secretAccessKey, sessionToken }
    return { name: 'configured keys', exchange: async () => readKeys(keys, env), again: READ_AGAIN }
  }
  if (env['AWS_ACCESS_KEY_ID'] || env['AWS_SECRET_ACCESS_KEY']) {
    return { name: 'keys of the environment', exchange: async () => fromEnvironment(env) }
  }
  const [tokenFile, role] = [env['AWS_WEB_IDENTITY_TOKEN_FILE'], env['AWS_ROLE_ARN']]
  if (tokenFile && role) {
    return { name: `web identity, ${role}`, exchange: () => webIdentity(tokenFile, role, options, env, ask) }
  }
  const [full, relative] = [env['AWS_CONTAINER_CREDENTIALS_FULL_URI'], env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']]
  if (relative || full) {
    const address = relative ? `http://169.254.170.2${relative}` : full!
    return { name: 'container endpoint', exchange: () => container(address, env, ask) }
  }
  if (instanceMetadata && env['AWS_EC2_METADATA_DISABLED']?.toLowerCase() !== 'true') {
    return { name: 'instance metadata', exchange: () => instance(env, ask) }
  }
  return undefined
}

type Configured = Record<'accessKeyId' | 'secretAccessKey', Secret> & { readonly sessionToken: Secret | undefined }

function readKeys({ accessKeyId, secretAccessKey, sessionToken }: Configured, env: Environment): Found {
  const reading = new Reading(env)
  try {
    const keys = {
      accessKeyId: reading.field(accessKeyId).trim(),
      secretAccessKey: reading.field(secretAccessKey).trim(),
      ...(sessionToken !== undefined && { sessionToken: reading.field(sessionToken).trim() }),
    }
    return { kind: 'keys', keys }
  } catch (error) {
    if (error instanceof UnreadableError) return failed('CREDENTIALS_UNREADABLE', error.place)
    throw error
  }
}

function fromEnvironment(env: Environment): Found {
  const [accessKeyId, secretAccessKey] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY']]
  if (!accessKeyId || !secretAccessKey) return failed('incomplete_environment')
  const sessionToken = env['AWS_SESSION_TOKEN']
  return { kind: 'keys', keys: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } }
}

/** What STS is known to object to; another name of an error is not bounded. */
const STS_ERRORS = new Set([
  ...['AccessDenied', 'ExpiredTokenException', 'IDPCommunicationError', 'IDPRejectedClaim', 'InvalidIdentityToken'],
  ...['RegionDisabledException', 'ValidationError', 'Throttling', 'ThrottlingException', 'InvalidAction'],
])

async function webIdentity(
  tokenFile: string,
  role: string,
  { stsEndpoint }: SourceOptions,
  env: Environment,
  ask: Ask,
): Promise<Found> {
  const token = read(tokenFile, env)
  if (token === undefined) return failed('CREDENTIALS_UNREADABLE', tokenFile)
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    // It stands in CloudTrail: the pod's name tells who it was.
    RoleSessionName: env['AWS_ROLE_SESSION_NAME'] || sessionName(env['HOSTNAME'] ?? ''),
    WebIdentityToken: token,
  })
  const reply = await ask({
    url: stsEndpoint,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8', accept: 'application/xml' },
    body: form.toString(),
    beside: false,
  })
  if (reply.kind === 'failure') return failed(`sts_${reply.code}`)
  const { answer } = reply
  const { status, body } = answer
  if (status !== 200) {
    const error = errorOf(answer)
    return failed(error !== undefined && STS_ERRORS.has(error) ? `sts_${error}` : `sts_http_${status}`)
  }
  const element = (name: string): unknown => new RegExp(`<${name}>([^<]+)</${name}>`).exec(body)?.[1]
  return given(
    {
      accessKeyId: element('AccessKeyId'),
      secretAccessKey: element('SecretAccessKey'),
      sessionToken: element('SessionToken'),
      expiration: element('Expiration'),
    },
    answer,
    'sts',
  )
}

/** What STS takes for the name of a session. */
function sessionName(host: string): string {
  return `logshipper-${host}`.replace(/[^\w+=,.@-]/g, '-').slice(0, 64)
}

/** Addresses of the agents of ECS and EKS; a token is sent in the clear to none but these and our own. */
const AGENTS = new Set(['169.254.170.2', '169.254.170.23', '[fd00:ec2::23]', 'localhost', '[::1]'])

async function container(address: string, env: Environment, ask: Ask): Promise<Found> {
  const url = URL.parse(address)
  if (url === null || !/^https?:$/.test(url.protocol)) return failed('container_uri_unusable')
  const near = AGENTS.has(url.hostname) || url.hostname.startsWith('127.')
  if (url.protocol === 'http:' && !near) return failed('container_uri_unusable')
  const file = env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE']
  const token = file ? read(file, env) : env['AWS_CONTAINER_AUTHORIZATION_TOKEN']
  if (file && token === undefined) return failed('CREDENTIALS_UNREADABLE', file)
  const authorization = token && { authorization: token }
  const reply = await ask({ ...simple(url), headers: { accept: 'application/json', ...authorization }, beside: near })
  return fromJson(reply, 'container')
}

/** Of the second version alone: the first gives keys to whatever can be made to send a request. */
async function instance(env: Environment, ask: Ask): Promise<Found> {
  const origin = URL.parse(env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] || 'http://169.254.169.254')
  if (origin === null) return failed('instance_uri_unusable')
  const life = { 'x-aws-ec2-metadata-token-ttl-seconds': '300' }
  const session = await ask({ ...simple(new URL('/latest/api/token', origin)), method: 'PUT', headers: life })
  if (session.kind === 'failure') return failed(`instance_${session.code}`)
  if (session.answer.status !== 200) return failed(`instance_http_${session.answer.status}`)
  const headers = { 'x-aws-ec2-metadata-token': session.answer.body.trim() }
  const roles = new URL('/latest/meta-data/iam/security-credentials/', origin)
  const listed = await ask({ ...simple(roles), headers })
  if (listed.kind === 'failure') return failed(`instance_${listed.code}`)
  const role = listed.answer.body.trim().split(/\s/)[0]
  if (listed.answer.status === 404 || (listed.answer.status === 200 && !role)) return failed('instance_no_role')
  if (listed.answer.status !== 200) return failed(`instance_http_${listed.answer.status}`)
  return fromJson(await ask({ ...simple(new URL(encodeURIComponent(role!), roles)), headers }), 'instance')
}

const simple = (url: URL): Question => ({ url, method: 'GET', headers: {}, body: '', beside: true })

function fromJson(reply: Awaited<ReturnType<Ask>>, source: string): Found {
  if (reply.kind === 'failure') return failed(`${source}_${reply.code}`)
  const { answer } = reply
  if (answer.status !== 200) return failed(`${source}_http_${answer.status}`)
  let said: Record<string, unknown>
  try {
    said = Object(JSON.parse(answer.body)) as Record<string, unknown>
  } catch {
    return failed(`${source}_unreadable_answer`)
  }
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken, Expiration } = said
  return given({ accessKeyId, secretAccessKey, sessionToken, expiration: Expiration }, answer, source)
}

interface Said {
  readonly accessKeyId: unknown
  readonly secretAccessKey: unknown
  readonly sessionToken: unknown
  readonly expiration: unknown
}

function given(
  { accessKeyId, secretAccessKey, sessionToken, expiration }: Said,
  answer: Answer,
  source: string,
): Found {
  const end = Date.parse(String(expiration))
  // They become a header's value.
  const fine = [accessKeyId, secretAccessKey, sessionToken].every(
    (one): one is string => typeof one === 'string' && /^[\x21-\x7e]+$/.test(one),
  )
  if (!fine || Number.isNaN(end)) return failed(`${source}_unreadable_answer`)
  const keys = { accessKeyId, secretAccessKey, sessionToken } as Keys
  const now = timeOf(answer)
  return { kind: 'keys', keys, end, ...(now !== undefined && { now }) }
}

function read(file: string, env: Environment): string | undefined {
  try {
    return new Reading(env).field({ file }).trim() || undefined
  } catch (error) {
    if (error instanceof UnreadableError) return undefined
    throw error
  }
}
