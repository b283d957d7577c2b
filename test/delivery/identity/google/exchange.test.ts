/**
 * Access tokens of Google Cloud, from servers that were written after its public documents: metadata server, OAuth 2.0 for
 * service accounts, Security Token Service, IAM Service Account Credentials. A signature is checked with the public
 * key.
 */
import { verify } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { GoogleExchange } from '../../../../src/delivery/identity/google/exchange.ts'
import type { Environment } from '../../../../src/environment.ts'
import { asking, directory, formOf, KEY, PEM, type Said, type Served, serve } from '../rig.ts'

const NOW = Date.parse('2026-11-27T12:00:00Z')
const SCOPE = 'https://www.googleapis.com/auth/logging.write'

interface Scene {
  readonly env?: Environment
  readonly file?: string
  readonly wall?: () => number
}

function scene(t: Test, { env = {}, file, wall = () => NOW }: Scene): GoogleExchange {
  return new GoogleExchange({ ask: asking(t), credentialsFile: file, scopes: [SCOPE], env, wall })
}

const granted = (token: string, life = 3599): Said => ({
  status: 200,
  body: { access_token: token, expires_in: life, token_type: 'Bearer' },
})
const flavored = (said: Said): Said => ({ ...said, headers: { 'metadata-flavor': 'Google' } })

t.test('the metadata server gives a token to whom asks in its way', async t => {
  const metadata = await serve(t, () => flavored(granted('ya29.one')))
  const { exchange } = scene(t, { env: { GCE_METADATA_HOST: metadata.url.host } })
  t.strictSame(await exchange(), { kind: 'value', value: { token: 'ya29.one' }, life: 3_599_000 })
  const [{ method, url, headers }] = metadata.received as [Served['received'][number]]
  t.strictSame([method, url], ['GET', '/computeMetadata/v1/instance/service-accounts/default/token'])
  t.equal(headers['metadata-flavor'], 'Google')
  t.equal(headers['content-length'], undefined)
})

t.test('what answers there and is no metadata server is not believed', async t => {
  const portal = await serve(t, () => granted('trap'))
  const { exchange } = scene(t, { env: { GCE_METADATA_HOST: portal.url.host } })
  t.strictSame(await exchange(), { kind: 'failure', code: 'google_metadata_unexpected_server' })
})

t.test('what a metadata server refuses, or cannot say, has a code of a bounded set', async t => {
  const answers: readonly (readonly [Said, string])[] = [
    [{ status: 404, body: 'no service account' }, 'google_metadata_http_404'],
    [{ status: 403, body: { error: 'invalid_grant', error_description: 'x' } }, 'google_metadata_invalid_grant'],
    [{ status: 500, body: { error: 'a word of its own' } }, 'google_metadata_http_500'],
    [{ status: 200, body: '<html>' }, 'google_metadata_unreadable_answer'],
    [{ status: 200, body: { access_token: 'two words' } }, 'google_metadata_unreadable_answer'],
  ]
  const metadata = await serve(t, (_, count) => flavored(answers[count - 1]![0]))
  const { exchange } = scene(t, { env: { GCE_METADATA_HOST: metadata.url.host } })
  for (const [, code] of answers) t.strictSame(await exchange(), { kind: 'failure', code })
})

/** A file of a service account's key. */
function keyFile(t: Test, tokenUri: URL, more: object = {}): string {
  const file = join(directory(t), 'key.json')
  const own = { type: 'service_account', client_email: 'logs@p.iam.gserviceaccount.com', private_key: PEM }
  writeFileSync(file, JSON.stringify({ ...own, private_key_id: 'k1', token_uri: tokenUri.href, ...more }))
  return file
}

t.test('a key signs a token request that its public key proves', async t => {
  const server = await serve(t, () => granted('ya29.key'))
  const { exchange } = scene(t, { file: keyFile(t, server.url) })
  t.match(await exchange(), { kind: 'value', value: { token: 'ya29.key' } })
  const { grant_type: grant, assertion = '' } = formOf(server.received[0]!)
  t.equal(grant, 'urn:ietf:params:oauth:grant-type:jwt-bearer')
  const [header, claims, signature] = assertion.split('.') as [string, string, string]
  t.ok(verify('RSA-SHA256', Buffer.from(`${header}.${claims}`), KEY.publicKey, Buffer.from(signature, 'base64url')))
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
  t.strictSame(read(header), { alg: 'RS256', typ: 'JWT', kid: 'k1' })
  t.strictSame(read(claims), {
    iss: 'logs@p.iam.gserviceaccount.com',
    scope: SCOPE,
    aud: server.url.href,
    iat: NOW / 1000,
    exp: NOW / 1000 + 3600,
  })
})

t.test('a clock that is off is made up for by that of the token server, once', async t => {
  const real = NOW + 3 * 3_600_000
  const grant = { status: 400, body: { error: 'invalid_grant', error_description: 'Check your iat and exp values' } }
  const date = { date: new Date(real).toUTCString() }
  const server = await serve(t, request => {
    const { iat } = JSON.parse(Buffer.from(formOf(request)['assertion']!.split('.')[1]!, 'base64url').toString())
    return iat * 1000 === real ? granted('on-time') : { ...grant, headers: date }
  })
  const { exchange } = scene(t, { file: keyFile(t, server.url) })
  t.match(await exchange(), { value: { token: 'on-time' } })
  t.match(await exchange(), { value: { token: 'on-time' } })
  t.equal(server.received.length, 3, 'what was learned is kept')
  const refusing = await serve(t, () => ({ ...grant, headers: { date: new Date(NOW).toUTCString() } }))
  const refused = scene(t, { file: keyFile(t, refusing.url) })
  t.strictSame(await refused.exchange(), { kind: 'failure', code: 'google_token_invalid_grant' })
  t.equal(refusing.received.length, 1, 'a clock that is right is no reason to ask again')
})

/** A pod's token in a file, and a federation that is to exchange it. */
function federation(t: Test, sts: URL, more: object = {}): { file: string; tokenFile: string } {
  const within = directory(t)
  const [file, tokenFile] = [join(within, 'federation.json'), join(within, 'token')]
  writeFileSync(tokenFile, 'pod-token-1\n')
  const own = {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/k8s/providers/prod',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: new URL('/v1/token', sts).href,
    credential_source: { file: tokenFile },
  }
  writeFileSync(file, JSON.stringify({ ...own, ...more }))
  return { file, tokenFile }
}

t.test('the pod’s token is exchanged, and read again each time', async t => {
  const sts = await serve(t, () => granted('federated'))
  const { file, tokenFile } = federation(t, sts.url)
  const { exchange } = scene(t, { env: { GOOGLE_APPLICATION_CREDENTIALS: file } })
  t.match(await exchange(), { kind: 'value', value: { token: 'federated' } })
  writeFileSync(tokenFile, 'pod-token-2')
  await exchange()
  t.equal(sts.received[0]?.url, '/v1/token')
  t.strictSame(formOf(sts.received[0]!), {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/k8s/providers/prod',
    scope: SCOPE,
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token: 'pod-token-1',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  })
  t.equal(formOf(sts.received[1]!)['subject_token'], 'pod-token-2')
})

t.test('and the federated one for that of a service account, if the file says so', async t => {
  const path = '/v1/projects/-/serviceAccounts/logs@p.iam.gserviceaccount.com:generateAccessToken'
  const expireTime = new Date(NOW + 1_800_000).toISOString()
  const both = await serve(t, ({ url }) =>
    url === path
      ? {
          status: 200,
          headers: { date: new Date(NOW).toUTCString() },
          body: { accessToken: 'impersonated', expireTime },
        }
      : granted('federated'),
  )
  const { file } = federation(t, both.url, {
    service_account_impersonation_url: new URL(path, both.url).href,
    service_account_impersonation: { token_lifetime_seconds: 1800 },
  })
  const { exchange } = scene(t, { file })
  t.strictSame(await exchange(), { kind: 'value', value: { token: 'impersonated' }, life: 1_800_000 })
  const [first, second] = both.received
  t.equal(formOf(first!)['scope'], 'https://www.googleapis.com/auth/cloud-platform')
  t.equal(second?.headers.authorization, 'Bearer federated')
  t.strictSame(JSON.parse(second!.body), { scope: [SCOPE], lifetime: '1800s' })
})

t.test('a step that fails is named, and no words of a server are repeated', async t => {
  const path = '/v1/projects/-/serviceAccounts/x:generateAccessToken'
  const denied = { error: { code: 403, message: 'pod-token-1 secret', status: 'PERMISSION_DENIED' } }
  const failing = await serve(t, ({ url }, count) => {
    if (count === 1) return { status: 400, body: { error: 'invalid_target', error_description: 'pod-token-1' } }
    return url === path ? { status: 403, body: denied } : granted('federated')
  })
  const { file, tokenFile } = federation(t, failing.url, {
    service_account_impersonation_url: new URL(path, failing.url).href,
  })
  const { exchange } = scene(t, { file })
  t.strictSame(await exchange(), { kind: 'failure', code: 'google_sts_invalid_target' })
  t.strictSame(await exchange(), { kind: 'failure', code: 'google_impersonation_http_403' })
  rmSync(tokenFile)
  const code = 'google_CREDENTIALS_UNREADABLE'
  t.strictSame(await exchange(), { kind: 'failure', code, place: tokenFile, what: 'ENOENT' })
})

t.test('a token that stands in an object is found there', async t => {
  const sts = await serve(t, () => granted('federated'))
  const source = join(directory(t), 'token.json')
  writeFileSync(source, JSON.stringify({ jwt: 'inside' }))
  const format = { type: 'json', subject_token_field_name: 'jwt' }
  const { file } = federation(t, sts.url, { credential_source: { file: source, format } })
  const { exchange } = scene(t, { file })
  t.match(await exchange(), { kind: 'value' })
  t.equal(formOf(sts.received[0]!)['subject_token'], 'inside')
  writeFileSync(source, '{"other":1}')
  t.match(await exchange(), { code: 'google_CREDENTIALS_UNREADABLE', place: source, what: 'NO_TOKEN' })
})

t.test('a file that cannot be used is named with what is wrong with it', async t => {
  const sts = new URL('https://sts.invalid')
  const made: readonly (readonly [file: string, code: string])[] = [
    [keyFile(t, sts, { private_key: 'none' }), 'NO_PRIVATE_KEY'],
    [keyFile(t, sts, { client_email: 1 }), 'unusable_key_file'],
    [federation(t, sts, { credential_source: { executable: {} } }).file, 'unusable_federation_file'],
    [keyFile(t, sts, { type: 'authorized_user' }), 'unsupported_credentials_file'],
    ['/nowhere/key.json', 'ENOENT'],
  ]
  for (const [file, code] of made) {
    const { exchange } = scene(t, { file })
    t.match(await exchange(), { code: 'google_CREDENTIALS_UNREADABLE', place: file, what: code })
  }
})

t.test('a token of the pod is not sent in the clear to another machine', async t => {
  const { file } = federation(t, new URL('http://sts.invalid'))
  const { exchange } = scene(t, { file })
  t.strictSame(await exchange(), { kind: 'failure', code: 'google_sts_HTTPS_EXPECTED' })
})
