/** Identities over real sockets: what a backend is shown, and what becomes of a credential that it refuses. */
import { createRequire } from 'node:module'
import t from 'tap'
import { configuredIdentity } from '../../../src/delivery/identity/configured.ts'
import { Identities } from '../../../src/delivery/identity/identities.ts'
import type { AuthOptions } from '../../../src/delivery/options.ts'
import { HttpTransport } from '../../../src/delivery/transport/http.ts'
import type { Transport } from '../../../src/delivery/transport/transport.ts'
import type { Environment } from '../../../src/environment.ts'
import { answer, Listener, type Received, Receiver, TIMEOUT } from '../rig.ts'
import { keysInJson } from './aws/rig.ts'

type Test = { teardown(handler: () => unknown): unknown }
type Respond = ConstructorParameters<typeof Receiver>[0]

const HOUR = 3_600_000
const AWS: AuthOptions = { aws: { region: 'eu-central-1', service: 'es', instanceMetadata: false } }
const EXPIRED = answer(403, {}, '{"message":"The security token included in the request is expired"}')

/** An agent that gives out keys under a new name each time, a backend, and as many transports as are asked for. */
async function scene(t: Test, respond: Respond, { transports = 1, auth = AWS } = {}) {
  let issued = 0
  const agent = new Receiver((_, response) => {
    response.end(keysInJson(`key${++issued}`, Date.now() + HOUR).body)
  })
  const backend = new Receiver(respond)
  const [agentUrl, url] = [await agent.listen(), await backend.listen()]
  t.teardown(() => Promise.all([agent.close(), backend.close()]))
  const env: Environment = { AWS_CONTAINER_CREDENTIALS_FULL_URI: new URL('/creds', agentUrl).href }
  const listener = new Listener()
  const identities = new Identities()
  const delivery = { concurrency: 4, timeout: TIMEOUT, auth }
  const all = Array.from({ length: transports }, (): Transport => {
    const identity = configuredIdentity({ delivery, logger: listener, userAgent: 'test', identities, env })
    return new HttpTransport({ endpoint: url, userAgent: 'test', delivery, logger: listener, identity, env })
  })
  t.teardown(() => Promise.all(all.map(transport => transport.close())))
  return { agent, backend, listener, url, all, transport: all[0]! }
}

const request = (body: Buffer, encoding?: 'gzip') => ({
  head: { method: 'POST', path: '/logs%2B1/_bulk?filter_path=errors', headers: { 'x-request': '1' } },
  contentType: 'application/x-ndjson',
  encoding,
  body,
})

const keyOf = ({ headers }: Received): string | undefined => /Credential=(\w+)\//.exec(headers.authorization ?? '')?.[1]

const aws4 = createRequire(import.meta.url)('aws4') as {
  sign(request: object, keys: object): { readonly headers: Readonly<Record<string, string>> }
}

/** What another implementation signs what has come with. */
function authorizationOf({ method, url, headers, wire }: Received): string {
  const key = /Credential=(\w+)\//.exec(headers.authorization!)![1]!
  const sent = { 'content-type': headers['content-type'], 'x-amz-date': headers['x-amz-date'], host: headers.host }
  const { headers: signed } = aws4.sign(
    {
      ...{ service: 'es', region: 'eu-central-1', method, path: url, body: wire, headers: sent },
      extraHeadersToIgnore: { 'content-length': true },
    },
    { accessKeyId: key, secretAccessKey: `secret-of-${key}`, sessionToken: `token-of-${key}` },
  )
  return signed['Authorization']!
}

t.test('what arrives is signed over the bytes that arrive, compressed or not', async t => {
  const { backend, transport } = await scene(t, answer(200, {}, '{}'))
  const { gzipSync } = await import('node:zlib')
  await transport.send(request(Buffer.from('{"a":1}\n')))
  await transport.send(request(gzipSync('{"a":1}\n'), 'gzip'))
  t.equal(backend.received.length, 2)
  for (const received of backend.received) t.equal(received.headers.authorization, authorizationOf(received))
  t.not(backend.received[0]?.headers.authorization, backend.received[1]?.headers.authorization)
})

t.test('backends that ask for the same identity share one exchange', async t => {
  const { agent, backend, all } = await scene(t, answer(200, {}, '{}'), { transports: 5 })
  await Promise.all(all.flatMap(transport => [1, 2, 3].map(() => transport.send(request(Buffer.from('{}'))))))
  t.equal(backend.received.length, 15)
  t.equal(agent.received.length, 1)
  t.equal(agent.received[0]?.url, '/creds')
})

t.test('a token that expires early costs no failure: it is replaced within the attempt', async t => {
  let expired = false
  const { agent, backend, transport } = await scene(t, (received, response) => {
    const refused = expired && keyOf(received) === 'key1'
    response.writeHead(refused ? 403 : 200, { 'content-type': 'application/json' })
    response.end(refused ? '{"message":"The security token included in the request is expired"}' : '{}')
  })
  const shipped = request(Buffer.from('{}'))
  await transport.send(shipped)
  expired = true
  t.match(await transport.send(shipped), { kind: 'answer', answer: { status: 200 } })
  t.same(backend.received.map(keyOf), ['key1', 'key1', 'key2'])
  t.equal(agent.received.length, 2)
})

t.test('nothing of the keys is in an answer that is shown, nor in the log', async t => {
  const { transport, listener } = await scene(t, (received, response) => {
    response.writeHead(403, {}).end(JSON.stringify(received.headers))
  })
  const reply = await transport.send(request(Buffer.from('{}')))
  t.equal(reply.kind, 'answer')
  t.notMatch(JSON.stringify([reply, listener.said]), /token-of-key1|secret-of-key1|Signature=[0-9a-f]/)
})

t.test('an abort does not wait for who issues keys', async t => {
  const { agent, all } = await scene(t, EXPIRED, { transports: 2 })
  agent.respond = () => {}
  const [first, second] = all.map(transport => transport.send(request(Buffer.from('{}'))))
  all[0]!.abort()
  t.match(await first, { kind: 'failure', code: 'ABORTED' })
  all[1]!.abort()
  t.match(await second, { kind: 'failure', code: 'ABORTED' })
})
