/** What can be said about any backend, whatever its type: batching, retries, time limits, credentials, TLS, proxy. */
import * as z from 'zod/mini'
import { duration } from '../duration.ts'
import { ABSOLUTE_PATH } from '../path.ts'
import { proxyAddress } from '../proxy.ts'
import { REGION } from '../region.ts'
import { size } from '../size.ts'
import { PROXY_PATTERN, URL_PATTERN } from '../url.ts'

const HOUR = 3_600_000
const MIB = 1024 ** 2

const text = z.string().check(z.minLength(1, { error: 'a text that is not empty' }))
const path = z.string().check(z.regex(ABSOLUTE_PATH, { error: 'the absolute path of a file' }))

const whole = (min: number, max: number) => {
  const allowed = `a whole number from ${min} to ${max}`
  return z.int({ error: allowed }).check(z.minimum(min, { error: allowed }), z.maximum(max, { error: allowed }))
}

export const secret = z.union(
  [
    text,
    z.strictObject({ file: path.check(z.describe('Absolute path of a file that holds it.')) }),
    z.strictObject({
      env: z
        .string()
        .check(
          z.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'a variable name' }),
          z.describe('Name of the environment variable that holds it.'),
        ),
    }),
  ],
  { error: 'a text, {file: /path} or {env: NAME}' },
)

const headerName = z.string().check(z.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'the name of a header' }))

const ONE_OF = 'exactly one of basic, bearer, apiKey, oauth2, aws, google, azure'

const oauth2Schema = z.strictObject({
  tokenUrl: z
    .string()
    .check(
      z.refine(isPlainUrl, { error: 'an http:// or https:// URL without credentials' }),
      z.meta({ pattern: URL_PATTERN }),
      z.describe('Where access tokens are asked for, with the client credentials grant (RFC 6749 §4.4).'),
    ),
  clientId: secret.check(z.describe('Id of the client.')),
  clientSecret: secret.check(z.describe('Secret of the client.')),
  scopes: z._default(z.array(text), []).check(z.describe('Scopes that are asked for.')),
  audience: z.optional(text).check(z.describe('Sent as the parameter audience, for servers that ask for it.')),
  parameters: z
    ._default(z.record(z.string(), z.string()), {})
    .check(z.describe('Further parameters of the token request, such as resource.')),
  clientAuth: z
    ._default(z.enum(['basic', 'post']), 'basic')
    .check(z.describe('How the client shows who it is: in the Authorization header, or in the request’s body.')),
})

const awsSchema = z
  .strictObject({
    region: z
      .optional(z.string().check(z.regex(REGION, { error: 'a region such as eu-central-1' })))
      .check(z.describe('Region that requests are signed for. Default: that of the endpoint, then AWS_REGION.')),
    service: z
      .optional(z.string().check(z.regex(/^[a-z0-9-]+$/, { error: 'the name of a service such as es' })))
      .check(z.describe('Service that requests are signed for. Default: that of the endpoint.')),
    accessKeyId: z.optional(secret).check(z.describe('Id of a key, instead of what the pod has.')),
    secretAccessKey: z.optional(secret).check(z.describe('The key’s secret.')),
    sessionToken: z.optional(secret).check(z.describe('Session token, of a key that ends.')),
    instanceMetadata: z
      ._default(z.boolean(), false)
      .check(z.describe('Use the node’s own role (instance metadata, version 2) where the pod has none.')),
    stsEndpoint: z
      .optional(
        z
          .string()
          .check(
            z.refine(isPlainUrl, { error: 'an http:// or https:// URL without credentials' }),
            z.meta({ pattern: URL_PATTERN }),
          ),
      )
      .check(z.describe('Where STS is. Default: AWS_ENDPOINT_URL_STS, then sts.REGION.amazonaws.com.')),
  })
  .check(
    z.refine(({ accessKeyId, secretAccessKey }) => (accessKeyId === undefined) === (secretAccessKey === undefined), {
      error: 'accessKeyId and secretAccessKey together, or neither',
    }),
    z.refine(({ accessKeyId, sessionToken }) => sessionToken === undefined || accessKeyId !== undefined, {
      error: 'sessionToken beside accessKeyId and secretAccessKey',
    }),
  )

const googleSchema = z.strictObject({
  credentialsFile: z
    .optional(path)
    .check(
      z.describe(
        'File of a workload identity federation (external_account) or of a service account’s key. Default: GOOGLE_APPLICATION_CREDENTIALS, then the metadata server.',
      ),
    ),
  scopes: z
    .optional(z.array(text).check(z.minLength(1, { error: 'at least one scope' })))
    .check(z.describe('Scopes of tokens that are asked for with a file. Default: that of the type, cloud-platform.')),
})

const azureSchema = z.strictObject({
  tenantId: z.optional(text).check(z.describe('Tenant of the identity. Default: AZURE_TENANT_ID.')),
  clientId: z
    .optional(text)
    .check(z.describe('Client id of the application or managed identity. Default: AZURE_CLIENT_ID.')),
  clientSecret: z.optional(secret).check(z.describe('Secret of the application, instead of the pod’s token.')),
  tokenFile: z
    .optional(path)
    .check(z.describe('File of the pod’s token, for workload identity. Default: AZURE_FEDERATED_TOKEN_FILE.')),
  authorityHost: z
    .optional(
      z
        .string()
        .check(
          z.refine(isPlainUrl, { error: 'an http:// or https:// URL without credentials' }),
          z.meta({ pattern: URL_PATTERN }),
        ),
    )
    .check(z.describe('Where tokens are asked for. Default: AZURE_AUTHORITY_HOST, then login.microsoftonline.com.')),
  managedIdentity: z
    ._default(z.boolean(), false)
    .check(z.describe('Use the node’s managed identity (instance metadata) where the pod has none.')),
  scope: z
    .optional(text)
    .check(
      z.describe('Scope of tokens, such as https://monitor.azure.us/.default. Default: Azure Monitor, public cloud.'),
    ),
})

export const authSchema = z
  .strictObject({
    basic: z
      .optional(
        z.strictObject({
          username: secret.check(z.describe('Name of the user.')),
          password: secret.check(z.describe('Password of the user.')),
        }),
      )
      .check(z.describe('A user name and a password.')),
    bearer: z.optional(secret).check(z.describe('Token of the header Authorization: Bearer.')),
    apiKey: z
      .optional(
        z.strictObject({
          header: headerName.check(z.describe('Header that carries the key.')),
          prefix: z.optional(z.string()).check(z.describe('Stands before the value, such as “ApiKey ”.')),
          value: secret.check(z.describe('The key.')),
        }),
      )
      .check(z.describe('A key in a header of its own.')),
    oauth2: z
      .optional(oauth2Schema)
      .check(z.describe('Access tokens by the client credentials grant, asked for before they end.')),
    aws: z
      .optional(awsSchema)
      .check(z.describe('The pod’s AWS identity, with which requests are signed (Signature Version 4).')),
    google: z
      .optional(googleSchema)
      .check(z.describe('The pod’s identity at Google Cloud, whose access token is sent.')),
    azure: z.optional(azureSchema).check(z.describe('The pod’s identity at Azure, whose access token is sent.')),
  })
  .check(z.refine(auth => Object.values(auth).filter(one => one !== undefined).length === 1, { error: ONE_OF }))

export const tlsSchema = z.strictObject({
  ca: z
    .optional(path)
    .check(z.describe('File of PEM certificates that may sign the server, instead of the usual ones.')),
  cert: z.optional(path).check(z.describe('File of our own certificate, for mutual TLS.')),
  key: z.optional(path).check(z.describe('File of the key of our own certificate.')),
  serverName: z.optional(text).check(z.describe('The name to ask for and to check, if it is not the endpoint’s.')),
  minVersion: z
    .prefault(
      z.pipe(
        z.union([z.enum(['1.2', '1.3']), z.literal(1.2), z.literal(1.3)], { error: '1.2 or 1.3' }),
        z.transform((version): '1.2' | '1.3' => (String(version) === '1.3' ? '1.3' : '1.2')),
      ),
      '1.2',
    )
    .check(z.describe('Oldest version of TLS that is accepted.')),
  insecureSkipVerify: z
    ._default(z.boolean(), false)
    .check(z.describe('Accept any certificate. For trying things out only.')),
})

const PROXY = 'off, or a map with the url of an http:// or https:// proxy'

const proxySchema = z.union(
  [
    z.literal('off'),
    z.strictObject({
      url: z.string().check(
        z.refine(text => proxyAddress(text) !== undefined, { error: 'the address of a proxy, http:// or https://' }),
        z.refine(text => !proxyAddress(text)?.auth, { error: 'an address without credentials: give them under auth' }),
        z.meta({ pattern: PROXY_PATTERN }),
        z.describe('Address of the proxy, http:// or https://.'),
      ),
      auth: z
        .optional(
          z.strictObject({
            username: secret.check(z.describe('Name of the user at the proxy.')),
            password: secret.check(z.describe('Password of the user at the proxy.')),
          }),
        )
        .check(z.describe('User name and password at the proxy.')),
    }),
  ],
  { error: PROXY },
)

/** What only the transport can say, for it depends on the connection and on the body as it is sent. */
const OURS = new Set([
  ...['connection', 'content-encoding', 'content-length', 'expect', 'keep-alive', 'proxy-authorization'],
  ...['proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
])

const headersSchema = z
  .record(
    headerName.check(z.refine(name => !OURS.has(name.toLowerCase()), { error: 'a header that is not set by us' })),
    secret,
  )
  .check(
    z.refine(
      headers => new Set(Object.keys(headers).map(name => name.toLowerCase())).size === Object.keys(headers).length,
      {
        error: 'each header once, in upper or lower case',
      },
    ),
  )

const compressionSchema = z
  .enum(['none', 'gzip', 'zlib', 'zstd'])
  .check(z.describe('At level 1. zlib is gzip made by Node’s zlib instead of our own.'))

interface Preset {
  readonly compression?: Compression
  readonly maxBytes?: string
  readonly maxRecords?: number
  readonly interval?: string
}

/** Options of every backend, with the defaults of its type. */
export const deliveryShape = ({
  compression = 'none',
  maxBytes = '1MiB',
  maxRecords = 10_000,
  interval = '180ms',
}: Preset) => ({
  compression: z._default(compressionSchema, compression),
  batch: z
    .prefault(
      z.strictObject({
        maxBytes: z
          .prefault(size({ min: 64 * 1024, max: 64 * MIB }), maxBytes)
          .check(z.describe('Largest payload before compression. A single record may be larger, and goes alone.')),
        maxRecords: z._default(whole(1, 1_000_000), maxRecords).check(z.describe('Most records in one request.')),
        interval: z
          .prefault(duration({ min: 0, max: HOUR }), interval)
          .check(
            z.describe(
              'From the start of one request to the next, while batches are not full: lines gather meanwhile. A line after silence goes at once. 0: each as soon as a request may start.',
            ),
          ),
      }),
      {},
    )
    .check(z.describe('How many records a request carries, and how often one is sent.')),
  deadLetter: z
    .optional(
      z.strictObject({
        maxBytes: z
          .prefault(size({ min: 64 * 1024, max: 1024 * 1024 * MIB }), '64MiB')
          .check(z.describe('Beyond this, rejected records are counted and not kept.')),
      }),
    )
    .check(z.describe('Keep rejected records in the state directory, for logshipper replay.')),
  concurrency: z
    ._default(whole(1, 32), 1)
    .check(z.describe('Requests at the same time. 1 keeps lines in order at the backend.')),
  retry: z
    .prefault(
      z.strictObject({
        initial: z
          .prefault(duration({ min: 1, max: HOUR }), '500ms')
          .check(
            z.describe('Upper bound of the first wait, which is random (full jitter). It doubles with each attempt.'),
          ),
        max: z
          .prefault(duration({ min: 1, max: HOUR }), '30s')
          .check(z.describe('Upper bound of any wait. There is no last attempt; Retry-After wins.')),
      }),
      {},
    )
    .check(z.describe('How long a failed request waits for the next attempt.')),
  timeout: z
    .prefault(
      z.strictObject({
        connect: z
          .prefault(duration({ min: 1, max: HOUR }), '10s')
          .check(z.describe('Until there is a connection, TLS and proxy included.')),
        headers: z
          .prefault(duration({ min: 1, max: HOUR }), '30s')
          .check(z.describe('From the start of a request, its whole body included, to the head of the answer.')),
        body: z
          .prefault(duration({ min: 1, max: HOUR }), '30s')
          .check(z.describe('From the head of the answer to its end: all of it, not each piece.')),
      }),
      {},
    )
    .check(z.describe('How long the steps of a request may take.')),
})

/** Further options of backends that are reached over the network. */
export const remoteShape = {
  auth: z.optional(authSchema).check(z.describe(`Credentials of the requests: ${ONE_OF}.`)),
  headers: z
    ._default(headersSchema, {})
    .check(z.describe('Sent with every request, besides those that the backend sets itself.')),
  tls: z.optional(tlsSchema).check(z.describe('How TLS connections are made and checked.')),
  proxy: z
    .optional(proxySchema)
    .check(z.describe('off: no proxy. A map: this one. Default: as HTTPS_PROXY, HTTP_PROXY and NO_PROXY say.')),
}

/** `zlib` is gzip on the wire, made by Node's zlib. */
export type Compression = 'none' | 'gzip' | 'zlib' | 'zstd'

/** A secret, or where it is read from each time credentials are loaded. A file's last line end is not part of it. */
export type Secret = string | { readonly file: string } | { readonly env: string }

/** RFC 6749 §4.4. `clientAuth`: §2.3.1, in the Authorization header or in the body. */
export interface OAuth2Options {
  readonly tokenUrl: string
  readonly clientId: Secret
  readonly clientSecret: Secret
  readonly scopes: readonly string[]
  readonly audience?: string | undefined
  readonly parameters: Readonly<Record<string, string>>
  readonly clientAuth: 'basic' | 'post'
}

/** What is not written is what the pod has: `region` and `service` are there once a configuration is complete. */
export interface AwsOptions {
  readonly region?: string | undefined
  readonly service?: string | undefined
  readonly accessKeyId?: Secret | undefined
  readonly secretAccessKey?: Secret | undefined
  readonly sessionToken?: Secret | undefined
  readonly instanceMetadata: boolean
  readonly stsEndpoint?: string | undefined
}

/** What is not written is what the pod has. */
export interface GoogleOptions {
  readonly credentialsFile?: string | undefined
  readonly scopes?: readonly string[] | undefined
}

/** What is not written is what the pod has. */
export interface AzureOptions {
  readonly tenantId?: string | undefined
  readonly clientId?: string | undefined
  readonly clientSecret?: Secret | undefined
  readonly tokenFile?: string | undefined
  readonly authorityHost?: string | undefined
  readonly managedIdentity: boolean
  readonly scope?: string | undefined
}

/** A user name and a password, each of which may be read from elsewhere. */
export interface Login {
  readonly username: Secret
  readonly password: Secret
}

/** Exactly one of them is there. */
export interface AuthOptions {
  readonly basic?: Login | undefined
  readonly bearer?: Secret | undefined
  readonly apiKey?:
    | { readonly header: string; readonly prefix?: string | undefined; readonly value: Secret }
    | undefined
  readonly oauth2?: OAuth2Options | undefined
  readonly aws?: AwsOptions | undefined
  readonly google?: GoogleOptions | undefined
  readonly azure?: AzureOptions | undefined
}

/** Through which proxy; `undefined` leaves it to the environment. */
export type ProxyOptions = 'off' | { readonly url: string; readonly auth?: Login | undefined }

/** `ca`, `cert` and `key` are paths of PEM files. `cert` and `key` come together. */
export interface TlsOptions {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly serverName?: string | undefined
  readonly minVersion: '1.2' | '1.3'
  readonly insecureSkipVerify: boolean
}

/** Sizes in bytes, durations in milliseconds. */
export interface BatchOptions {
  readonly maxBytes: number
  readonly maxRecords: number
  /** From the start of one request to the next, where the batch is not full. */
  readonly interval: number
}

/** Milliseconds: the first cap of the random wait, and what doubling it never exceeds. */
export interface RetryOptions {
  readonly initial: number
  readonly max: number
}

/**
 * Milliseconds. `connect`: until there is a connection. `headers`: from the start of the request, the sending of its
 * body included, to the head of the answer. `body`: from there to the answer's end, all of it: a server that trickles
 * does not hold us up.
 */
export interface TimeoutOptions {
  readonly connect: number
  readonly headers: number
  readonly body: number
}

/** Everything delivery needs to know about one backend, complete. */
export interface DeliveryOptions {
  readonly compression: Compression
  readonly batch: BatchOptions
  readonly concurrency: number
  readonly retry: RetryOptions
  readonly timeout: TimeoutOptions
  readonly auth?: AuthOptions | undefined
  readonly headers?: Readonly<Record<string, Secret>> | undefined
  readonly tls?: TlsOptions | undefined
  readonly deadLetter?: { readonly maxBytes: number } | undefined
  readonly proxy?: ProxyOptions | undefined
}

function isPlainUrl(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '' && !url.username && !url.password
}
