/** Access tokens of clouds over real sockets: what a backend is shown, and what becomes of a token that it refuses. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { configuredIdentity } from '../../../src/delivery/identity/configured.ts'
import { Identities } from '../../../src/delivery/identity/identities.ts'
import type { AuthOptions } from '../../../src/delivery/options.ts'
import { HttpTransport } from '../../../src/delivery/transport/http.ts'
import { isLasting, type Reply } from '../../../src/delivery/transport/transport.ts'
import type { Environment } from '../../../src/environment.ts'
import { answer, Listener, Receiver } from '../rig.ts'
import { directory, type Said, serve } from './rig.ts'

type Respond = ConstructorParameters<typeof Receiver>[0]

const PATIENT = { connect: 10_000, headers: 10_000, body: 10_000 }
const REQUEST = {
  head: { method: 'POST', path: '/v2/entries:write', headers: {} },
  contentType: 'application/json',
  encoding: undefined,
  body: Buffer.from('{}'),
}

/** A metadata server of Google, a backend, and as many transports as are asked for. */
async function scene(
  t: Test,
  respond: Respond,
  issue: (count: number) => Said = count => issued(`token-${count}`),
  transports = 1,
) {
  const metadata = await serve(t, (_, count) => issue(count))
  const backend = new Receiver(respond)
  const url = await backend.listen()
  t.teardown(() => backend.close())
  const env = { GCE_METADATA_HOST: metadata.url.host }
  const all = transportsTo(t, url, { google: {} }, env, transports)
  const shown = () => backend.received.map(({ headers }) => headers.authorization)
  return { metadata, backend, shown, ...all }
}

function transportsTo(t: Test, endpoint: URL, auth: AuthOptions, env: Environment, count = 1) {
  const listener = new Listener()
  const identities = new Identities()
  const delivery = { concurrency: 4, timeout: PATIENT, auth }
  const all = Array.from({ length: count }, () => {
    const identity = configuredIdentity({ delivery, logger: listener, userAgent: 'test', identities, env })
    return new HttpTransport({ endpoint, userAgent: 'test', delivery, logger: listener, identity, env })
  })
  t.teardown(() => Promise.all(all.map(transport => transport.close())))
  return { listener, all, transport: all[0]! }
}

const issued = (token: string, life = 3600): Said => ({
  status: 200,
  headers: { 'metadata-flavor': 'Google' },
  body: { access_token: token, expires_in: life, token_type: 'Bearer' },
})

const codeOf = (reply: Reply): string | number => (reply.kind === 'answer' ? reply.answer.status : reply.code)

t.test('backends that show the same identity ask for one token, and all of them show it', async t => {
  const { metadata, all, shown, listener } = await scene(t, answer(204), undefined, 3)
  const replies = await Promise.all(all.flatMap(transport => [transport.send(REQUEST), transport.send(REQUEST)]))
  t.same(replies.map(codeOf), Array<number>(6).fill(204))
  t.equal(metadata.received.length, 1)
  t.same(new Set(shown()), new Set(['Bearer token-1']))
  t.match(listener.said, [{ fields: { event: 'identity_found', identity: 'google', source: /^metadata server 127/ } }])
  t.notMatch(JSON.stringify(listener.said), /token-1/)
})

t.test('a token that was good and is refused is replaced within the attempt', async t => {
  const respond: Respond = (request, response, count) =>
    answer(count > 1 && request.headers.authorization === 'Bearer token-1' ? 401 : 204)(request, response, count)
  const { transport, shown } = await scene(t, respond)
  t.equal(codeOf(await transport.send(REQUEST)), 204)
  t.equal(codeOf(await transport.send(REQUEST)), 204)
  t.same(shown(), ['Bearer token-1', 'Bearer token-1', 'Bearer token-2'])
})

t.test('a new token that is refused is no reason to ask for one with every request', async t => {
  const { transport, metadata } = await scene(t, answer(401))
  for (let n = 0; n < 20; n++) t.equal(codeOf(await transport.send(REQUEST)), 401)
  t.ok(metadata.received.length <= 2, `asked ${metadata.received.length} times`)
})

t.test('a token server that fails is asked once for all requests that come meanwhile', async t => {
  const { all, metadata, shown, listener } = await scene(t, answer(204), () => ({ status: 500 }), 2)
  for (let n = 0; n < 10; n++) {
    const replies = await Promise.all(all.map(transport => transport.send(REQUEST)))
    for (const reply of replies) t.equal(codeOf(reply), 'google_metadata_unexpected_server')
  }
  t.ok(metadata.received.length <= 2, `asked ${metadata.received.length} times`)
  t.same(shown(), [], 'nothing goes out without a token')
  t.match(listener.said[0], { level: 'error', sentence: /no machine of Google Cloud/ })
})

t.test('what an answer repeats of a token is not handed on', async t => {
  const echo: Respond = ({ headers }, response) => response.writeHead(403).end(`no: ${headers.authorization}`)
  const { transport } = await scene(t, echo)
  const reply = await transport.send(REQUEST)
  t.equal(reply.kind === 'answer' && reply.answer.body, 'no: ***')
})

t.test('a file that cannot be used is logged with its place, and the request waits', async t => {
  const backend = new Receiver(answer(204))
  const url = await backend.listen()
  t.teardown(() => backend.close())
  const file = join(directory(t), 'credentials.json')
  writeFileSync(file, '{"type":"authorized_user","client_secret":"not-a-secret"}')
  const { transport, listener } = transportsTo(t, url, { google: { credentialsFile: file } }, {})
  t.equal(codeOf(await transport.send(REQUEST)), 'google_CREDENTIALS_UNREADABLE')
  const fields = { event: 'identity_refused', place: file, code: 'unsupported_credentials_file', held: false }
  t.match(listener.said, [{ level: 'error', fields }])
  t.notMatch(JSON.stringify(listener.said), /not-a-secret/)
  t.equal(transport.identity, `credentials file ${file}`)
})

t.test('a pod without an identity of Azure is told how it gets one', async t => {
  const { transport, listener } = transportsTo(
    t,
    new URL('http://127.0.0.1:1'),
    { azure: { managedIdentity: false } },
    {},
  )
  t.equal(codeOf(await transport.send(REQUEST)), 'azure_none')
  t.match(listener.said, [{ sentence: /azure\.workload\.identity\/client-id/, fields: { identity: 'azure' } }])
})

t.test('a stop ends what waits for a token', async t => {
  const silent = new Receiver(() => {})
  const url = await silent.listen()
  t.teardown(() => silent.close())
  const { transport } = transportsTo(t, url, { google: {} }, { GCE_METADATA_HOST: url.host })
  const sent = transport.send(REQUEST)
  while (silent.received.length === 0) await new Promise(setImmediate)
  transport.abort()
  t.equal(codeOf(await sent), 'ABORTED')
})

t.test('what waiting will not mend is told apart from what passes', async t => {
  const lasting = [
    ...['google_CREDENTIALS_UNREADABLE', 'google_sts_invalid_target', 'google_impersonation_http_403'],
    ...['google_metadata_unexpected_server', 'google_sts_CERT_HAS_EXPIRED', 'google_token_HTTPS_EXPECTED'],
    ...['azure_none', 'azure_token_AADSTS700016', 'azure_token_invalid_client', 'azure_instance_http_400'],
    ...['azure_token_SELF_SIGNED_CERT_IN_CHAIN', 'azure_token_ERR_SSL_WRONG_VERSION_NUMBER'],
  ]
  const passing = [
    ...['google_sts_http_503', 'google_metadata_ECONNREFUSED', 'google_token_http_429', 'google_refused'],
    ...['azure_token_http_500', 'azure_token_ENOTFOUND', 'azure_instance_HEADERS_TIMEOUT', 'azure_unavailable'],
  ]
  for (const code of lasting) t.ok(isLasting(code), code)
  for (const code of passing) t.notOk(isLasting(code), code)
})
