/** Ways through a proxy: what it gets to see, and what it says is told apart from what the endpoint says. */
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { DeliveryOptions } from '../../src/delivery/options.ts'
import { HttpTransport } from '../../src/delivery/transport/http.ts'
import type { HttpRequest, Reply } from '../../src/delivery/transport/transport.ts'
import { Authority, hasOpenssl } from '../support/certificates.ts'
import { ForwardProxy } from '../support/proxy.ts'
import { answer, Listener, Receiver, TIMEOUT } from './rig.ts'

type Test = { teardown(handler: () => unknown): unknown }

const LINE: HttpRequest = {
  head: { method: 'POST', path: '/ingest?a=b', headers: {} },
  contentType: 'text/plain',
  encoding: undefined,
  body: Buffer.from('a line\n'),
}

const LOGIN = `Basic ${Buffer.from('me:hush:7f3a').toString('base64')}`

function transportTo(
  t: Test,
  endpoint: string,
  delivery: Partial<DeliveryOptions>,
  env: Record<string, string> = {},
): HttpTransport {
  const transport = new HttpTransport({
    endpoint: new URL(endpoint),
    userAgent: 'logshipper/0.0.0-test',
    delivery: { concurrency: 1, timeout: TIMEOUT, ...delivery },
    logger: new Listener(),
    env,
  })
  t.teardown(() => transport.close())
  return transport
}

async function receiving(t: Test, respond = answer(204)): Promise<[Receiver, string]> {
  const receiver = new Receiver(respond)
  const url = await receiver.listen()
  t.teardown(() => receiver.close())
  return [receiver, url.origin]
}

const sent = (reply: Reply): number | string => (reply.kind === 'answer' ? reply.answer.status : reply.code)

async function unusedPort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

t.test('a request to http:// is handed to the proxy with its whole address', async t => {
  const [receiver, origin] = await receiving(t)
  const proxy = await ForwardProxy.start(t)
  proxy.authorization = LOGIN
  const auth = { username: 'me', password: 'hush:7f3a' }
  const transport = transportTo(t, origin, { proxy: { url: proxy.url, auth }, auth: { bearer: 'token' } })
  t.equal(sent(await transport.send(LINE)), 204)
  t.equal(sent(await transport.send(LINE)), 204)
  t.match(proxy.seen, [
    {
      method: 'POST',
      target: `${origin}/ingest?a=b`,
      headers: { host: new URL(origin).host, authorization: 'Bearer token' },
    },
    {},
  ])
  t.match(receiver.received[0], { url: '/ingest?a=b', body: 'a line\n', headers: { authorization: 'Bearer token' } })
  t.equal(receiver.received[0]?.headers['proxy-authorization'], undefined)
})

t.test('the environment’s proxy is used with the credentials in its address, but for exceptions', async t => {
  const [receiver, origin] = await receiving(t)
  const proxy = await ForwardProxy.start(t)
  proxy.authorization = LOGIN
  // What runs on our own machine is never proxied, so the endpoint has another name; the proxy cannot find it.
  const endpoint = 'http://logs.invalid:3100'
  const env = { HTTP_PROXY: `http://me:hush%3A7f3a@127.0.0.1:${proxy.port}` }
  t.equal(sent(await transportTo(t, endpoint, {}, env).send(LINE)), 502)
  t.match(proxy.seen, [{ target: `${endpoint}/ingest?a=b` }])
  const direct = { code: /^(ENOTFOUND|EAI_AGAIN)$/, sentBefore: false }
  t.match(await transportTo(t, endpoint, {}, { ...env, NO_PROXY: '.invalid' }).send(LINE), direct)
  t.match(await transportTo(t, endpoint, { proxy: 'off' }, env).send(LINE), direct)
  t.equal(sent(await transportTo(t, origin, {}, env).send(LINE)), 204)
  t.equal(proxy.seen.length, 1)
  t.equal(receiver.received.length, 1)
})

t.test('a proxy that refuses us, is not there or does not answer has its own codes', async t => {
  const [receiver, origin] = await receiving(t)
  const proxy = await ForwardProxy.start(t)
  proxy.authorization = LOGIN
  const through = async (endpoint: string, url: string) =>
    sent(await transportTo(t, endpoint, { proxy: { url } }).send(LINE))
  t.equal(await through(origin, proxy.url), 'proxy_407')
  t.equal(await through('https://logs.invalid', proxy.url), 'proxy_407')
  proxy.authorization = undefined
  t.equal(await through('https://logs.invalid', proxy.url), 'proxy_502')
  const dead = `http://127.0.0.1:${await unusedPort()}`
  for (const endpoint of [origin, 'https://logs.invalid']) {
    t.equal(await through(endpoint, dead), 'proxy_ECONNREFUSED')
    t.match(await through(endpoint, 'http://proxy.invalid'), /^proxy_(ENOTFOUND|EAI_AGAIN)$/)
  }
  const treatments: [string, ForwardProxy['treat'] & {}][] = [
    ['proxy_CONNECT_TIMEOUT', () => {}],
    ['proxy_ECONNRESET', near => void near.destroy()],
    ['proxy_UNREADABLE_ANSWER', near => void near.write('220 mail ESMTP\r\n')],
    ['proxy_UNREADABLE_ANSWER', near => void near.write('HTTP/1.1 200 OK\r\n\r\nwelcome')],
    ['proxy_403', near => void near.end('HTTP/1.1 403 no\r\ncontent-length: 4\r\n\r\nhush')],
    ['proxy_UNREADABLE_ANSWER', near => void near.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`)],
  ]
  for (const [code, treat] of treatments) {
    proxy.treat = treat
    t.equal(await through('https://logs.invalid', proxy.url), code)
  }
  t.equal(receiver.received.length, 0)
})

t.test('what a forwarding proxy says of itself is not taken for the endpoint’s word', async t => {
  const proxy = await ForwardProxy.start(t)
  for (const [status, headers, expected] of [
    [503, { 'x-squid-error': 'ERR_CONNECT_FAIL 111' }, 'proxy_503'],
    [400, { 'x-squid-error': 'ERR_INVALID_REQ 0' }, 'proxy_400'],
    [400, { server: 'tinyproxy/1.11.1' }, 'proxy_400'],
    [504, { 'proxy-status': 'edge; error=connection_timeout' }, 'proxy_504'],
    [407, {}, 'proxy_407'],
    [200, { 'proxy-status': 'edge; received-status=200' }, 200],
    [400, {}, 400],
  ] as [number, Record<string, string>, string | number][]) {
    const [, origin] = await receiving(t, answer(status, headers))
    t.equal(sent(await transportTo(t, origin, { proxy: { url: proxy.url } }).send(LINE)), expected)
    if (status !== 407) t.equal(sent(await transportTo(t, origin, {}).send(LINE)), status, 'without a proxy it is')
  }
})

t.test('an abort ends the opening of a tunnel', async t => {
  const proxy = await ForwardProxy.start(t)
  const closed = Promise.withResolvers<void>()
  proxy.treat = near => void near.resume().on('end', closed.resolve).on('error', closed.resolve)
  const transport = transportTo(t, 'https://logs.invalid', { proxy: { url: proxy.url } })
  const under = transport.send(LINE)
  while (proxy.seen.length === 0) await sleep(5)
  transport.abort()
  t.match(await under, { kind: 'failure', code: 'ABORTED' })
  await closed.promise
})

t.test('the proxy’s password is read again from its file when it changes', async t => {
  const [, origin] = await receiving(t)
  const proxy = await ForwardProxy.start(t)
  proxy.authorization = LOGIN
  const file = join(mkdtempSync(join(tmpdir(), 'proxy-')), 'password')
  writeFileSync(file, 'old')
  const auth = { username: 'me', password: { file } }
  const transport = transportTo(t, origin, { proxy: { url: proxy.url, auth } })
  t.equal(sent(await transport.send(LINE)), 'proxy_407')
  writeFileSync(file, 'hush:7f3a\n')
  t.equal(transport.reload(), true)
  t.equal(sent(await transport.send(LINE)), 204)
})

t.test('tunnels', { skip: hasOpenssl() ? false : 'no openssl on this machine' }, async t => {
  const directory = mkdtempSync(join(tmpdir(), 'tunnel-'))
  const authority = new Authority(directory)
  const named = authority.sign('logs.test')
  const local = authority.sign('proxy', 'IP:127.0.0.1')
  const read = ({ cert, key }: { cert: string; key: string }) => ({ cert: readFileSync(cert), key: readFileSync(key) })
  /** When it ends: milliseconds since the epoch. */
  const until = ({ cert }: { cert: string }) => new X509Certificate(readFileSync(cert)).validToDate.getTime()
  const heads: Record<string, unknown>[] = []
  let connections = 0
  const server = createTlsServer(read(named), (request, response) => {
    heads.push({ url: request.url, ...request.headers })
    request.resume().on('end', () => response.end('{"access_token":"t0ken"}'))
  })
  server.on('secureConnection', () => connections++)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const tls = { ca: authority.cert, minVersion: '1.2', insecureSkipVerify: false } as const
  const tunnelling = async (t: Test) => {
    const proxy = await ForwardProxy.start(t)
    // The endpoint's name means something to the proxy alone.
    proxy.detour = port
    heads.length = 0
    connections = 0
    return proxy
  }

  t.test('a request to https:// goes through one, which is kept, and the proxy sees nothing of it', async t => {
    const proxy = await tunnelling(t)
    proxy.authorization = LOGIN
    const auth = { username: 'me', password: 'hush:7f3a' }
    const delivery = { tls, proxy: { url: proxy.url, auth }, auth: { bearer: 'token-in-tls' } }
    const transport = transportTo(t, 'https://logs.test', delivery)
    for (let count = 0; count < 3; count++) t.equal(sent(await transport.send(LINE)), 200)
    t.match(proxy.seen, [{ method: 'CONNECT', target: 'logs.test:443', headers: { host: 'logs.test:443' } }])
    t.equal(proxy.seen.length, 1)
    t.equal(proxy.seen[0]?.headers.authorization, undefined)
    t.equal(connections, 1)
    t.match(heads[0], { url: '/ingest?a=b', host: 'logs.test', authorization: 'Bearer token-in-tls' })
    t.equal(heads[0]?.['proxy-authorization'], undefined)
    const bytes = Buffer.concat(proxy.tunnelled).toString('latin1')
    t.ok(bytes.length > 0)
    t.notMatch(bytes, /token-in-tls|a line/)
  })

  t.test('the certificate at its end is the endpoint’s, or nothing is sent', async t => {
    const proxy = await tunnelling(t)
    const other = transportTo(t, 'https://other.test:8443', { tls, proxy: { url: proxy.url } })
    t.equal(sent(await other.send(LINE)), 'ERR_TLS_CERT_ALTNAME_INVALID')
    t.match(proxy.seen, [{ target: 'other.test:8443' }])
    t.equal(heads.length, 0)
  })

  t.test('the proxy itself may be spoken to over TLS', async t => {
    const proxy = await ForwardProxy.start(t, read(local))
    proxy.detour = port
    const transport = transportTo(t, 'https://logs.test', { tls, proxy: { url: proxy.url } })
    t.equal(sent(await transport.send(LINE)), 200)
    t.same(transport.certificates, { server: until(named), proxy: until(local) })
    const untrusting = transportTo(t, 'https://logs.test', { proxy: { url: proxy.url } })
    t.equal(sent(await untrusting.send(LINE)), 'proxy_UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    const [, origin] = await receiving(t)
    const forwarded = transportTo(t, origin, { tls, proxy: { url: proxy.url } })
    t.equal(sent(await forwarded.send(LINE)), 204)
    t.same(forwarded.certificates, { proxy: until(local) }, 'the server has none')
  })

  t.test('access tokens are asked for through it as well, under the same authority', async t => {
    const proxy = await tunnelling(t)
    const oauth2 = {
      tokenUrl: 'https://logs.test/token',
      clientId: 'a',
      clientSecret: 'b',
      scopes: [],
      parameters: {},
      clientAuth: 'basic',
    } as const
    const env = { HTTPS_PROXY: proxy.url, NO_PROXY: 'id.test' }
    const transport = transportTo(t, 'https://logs.test', { tls, auth: { oauth2 } }, env)
    t.equal(sent(await transport.send(LINE)), 200)
    t.same(
      heads.map(({ url, authorization }) => [url, authorization]),
      [
        ['/token', 'Basic YTpi'],
        ['/ingest?a=b', 'Bearer t0ken'],
      ],
    )
    t.equal(proxy.seen.length, 2)
    t.same(transport.certificates, { server: until(named), token_server: until(named) })
  })

  t.test('an IPv6 address is named in brackets', async t => {
    const proxy = await tunnelling(t)
    const six = transportTo(t, 'https://[2001:db8::1]', {
      tls: { ...tls, serverName: 'logs.test' },
      proxy: { url: proxy.url },
    })
    t.equal(sent(await six.send(LINE)), 200)
    t.match(proxy.seen, [{ target: '[2001:db8::1]:443' }])
  })
})
