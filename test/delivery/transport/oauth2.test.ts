import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { OAuth2Options } from '../../../src/delivery/options.ts'
import { Tokens } from '../../../src/delivery/transport/oauth2.ts'
import type { HttpRequest, Reply, Transport } from '../../../src/delivery/transport/transport.ts'
import { answer, inTurn, Listener, type Received, Receiver, transportTo } from '../rig.ts'

type Test = { teardown(handler: () => unknown): unknown }

const LINE: HttpRequest = {
  head: { method: 'POST', path: '/', headers: {} },
  contentType: 'text/plain',
  encoding: undefined,
  body: Buffer.from('a line\n'),
}

const oauth2 = (tokenUrl: string, more: Partial<OAuth2Options> = {}): OAuth2Options => ({
  tokenUrl,
  clientId: 'shipper',
  clientSecret: 'hush-7f3a',
  scopes: [],
  parameters: {},
  clientAuth: 'basic',
  ...more,
})

const granted = (token: string, life?: number) =>
  answer(200, {}, JSON.stringify({ access_token: token, token_type: 'bearer', expires_in: life }))

async function serving(t: Test, respond: ConstructorParameters<typeof Receiver>[0]): Promise<[Receiver, string]> {
  const receiver = new Receiver(respond)
  const url = await receiver.listen()
  t.teardown(() => receiver.close())
  return [receiver, new URL('/token', url).href]
}

/** A backend, a token server, and a transport that has to do with both. */
async function scene(
  t: Test,
  tokens: ConstructorParameters<typeof Receiver>[0],
  backend: ConstructorParameters<typeof Receiver>[0],
  more: Partial<OAuth2Options> = {},
  concurrency = 1,
) {
  const [issuer, tokenUrl] = await serving(t, tokens)
  const receiver = new Receiver(backend)
  const url = await receiver.listen()
  t.teardown(() => receiver.close())
  const listener = new Listener()
  const transport = transportTo(url, { concurrency, auth: { oauth2: oauth2(tokenUrl, more) } }, listener)
  t.teardown(() => transport.close())
  return { issuer, receiver, listener, transport, shown: () => shown(receiver.received) }
}

const shown = (received: readonly Received[]) => received.map(({ headers }) => headers.authorization)

const statusOf = (reply: Reply): number | string => (reply.kind === 'answer' ? reply.answer.status : reply.code)

t.test('a token is asked for as RFC 6749 says, and shown as RFC 6750 says', async t => {
  const { issuer, transport, ...rest } = await scene(t, granted('t0ken', 3600), answer(204), {
    clientId: 'id with space',
    clientSecret: 'a:b/c é',
    scopes: ['logs.write', 'logs.read'],
    audience: 'https://logs.test',
    parameters: { resource: 'a b' },
  })
  t.equal(statusOf(await transport.send(LINE)), 204)
  t.same(rest.shown(), ['Bearer t0ken'])
  const [asked] = issuer.received
  t.equal(asked?.method, 'POST')
  t.equal(asked?.url, '/token')
  t.equal(asked?.headers['content-type'], 'application/x-www-form-urlencoded')
  t.equal(
    asked?.body,
    'grant_type=client_credentials&scope=logs.write+logs.read&audience=https%3A%2F%2Flogs.test&resource=a+b',
  )
  const pair = Buffer.from(asked!.headers.authorization!.slice('Basic '.length), 'base64').toString()
  t.equal(pair, 'id+with+space:a%3Ab%2Fc+%C3%A9')
})

t.test('the client may authenticate in the body', async t => {
  const { issuer, transport } = await scene(t, granted('t'), answer(204), { clientAuth: 'post' })
  await transport.send(LINE)
  t.equal(issuer.received[0]?.headers.authorization, undefined)
  t.equal(issuer.received[0]?.body, 'grant_type=client_credentials&client_id=shipper&client_secret=hush-7f3a')
})

t.test('one token serves all requests, and they ask for it once', async t => {
  const { issuer, transport, shown } = await scene(t, granted('one', 3600), answer(204), {}, 8)
  const replies = await Promise.all(Array.from({ length: 20 }, () => transport.send(LINE)))
  t.ok(replies.every(reply => statusOf(reply) === 204))
  t.equal(issuer.received.length, 1)
  t.same(new Set(shown()), new Set(['Bearer one']))
})

t.test('a token that was good and is refused is replaced within the same attempt', async t => {
  const tokens = inTurn(granted('one', 3600), granted('two', 3600))
  const { issuer, transport, shown } = await scene(t, tokens, inTurn(answer(204), answer(401), answer(204)))
  t.equal(statusOf(await transport.send(LINE)), 204)
  t.equal(statusOf(await transport.send(LINE)), 204)
  t.same(shown(), ['Bearer one', 'Bearer one', 'Bearer two'])
  t.equal(issuer.received.length, 2)
})

t.test('several requests that were refused together are all sent again with the same new token', async t => {
  const tokens = inTurn(granted('one', 3600), granted('two', 3600))
  const { issuer, transport } = await scene(
    t,
    tokens,
    ({ headers }, response, count) => {
      const good = count === 1 || headers.authorization === 'Bearer two'
      setTimeout(() => response.writeHead(good ? 204 : 401).end(), 20)
    },
    {},
    4,
  )
  await transport.send(LINE)
  const replies = await Promise.all(Array.from({ length: 4 }, () => transport.send(LINE)))
  t.same(replies.map(statusOf), [204, 204, 204, 204])
  t.equal(issuer.received.length, 2)
})

t.test('a token that never was good is not asked for again in a storm', async t => {
  const { issuer, receiver, transport } = await scene(t, granted('one', 3600), answer(401))
  t.equal(statusOf(await transport.send(LINE)), 401)
  t.equal(transport.reload(), false, 'so that delivery waits')
  t.equal(receiver.received.length, 1)
  t.equal(statusOf(await transport.send(LINE)), 401)
  t.equal(issuer.received.length, 2, 'the next attempt asks for another one')
})

t.test('after a 403 the next attempt has a new token: it may carry the role that was missing', async t => {
  const { issuer, transport, shown } = await scene(
    t,
    inTurn(granted('one', 3600), granted('two', 3600)),
    inTurn(answer(204), answer(403), answer(204)),
  )
  for (const status of [204, 403, 204]) t.equal(statusOf(await transport.send(LINE)), status)
  t.same(shown(), ['Bearer one', 'Bearer one', 'Bearer two'])
  t.equal(issuer.received.length, 2)
})

const FAULTS: readonly [says: string, status: number, body: string, code: string, level: 'warn' | 'error'][] = [
  ['a wrong secret', 401, '{"error":"invalid_client","error_description":"hush-7f3a"}', 'invalid_client', 'error'],
  ['a wrong scope', 400, '{"error":"invalid_scope"}', 'invalid_scope', 'error'],
  ['an error of its own invention', 400, '{"error":"hush-7f3a"}', 'http_400', 'error'],
  ['a wrong address', 404, '<html>', 'http_404', 'error'],
  ['a redirect', 302, '', 'http_302', 'error'],
  ['too many questions', 429, '', 'http_429', 'warn'],
  ['a server that is down', 503, 'hush-7f3a', 'http_503', 'warn'],
  ['a page to log in', 200, '<html>hush-7f3a', 'unreadable_answer', 'error'],
  ['no token', 200, '{"token":"hush-7f3a"}', 'unreadable_answer', 'error'],
  ['null', 200, 'null', 'unreadable_answer', 'error'],
  ['a token that is no header', 200, '{"access_token":"a\\r\\nb"}', 'unreadable_answer', 'error'],
  ['another type', 200, '{"access_token":"a","token_type":"mac"}', 'unsupported_token_type', 'error'],
]

for (const [says, status, body, code, level] of FAULTS) {
  t.test(`${says} at the token server is a failure with its name, and one line in the log`, async t => {
    const { receiver, transport, listener } = await scene(t, answer(status, {}, body), answer(204))
    const failure = { kind: 'failure', code: `oauth2_${code}`, sentBefore: false }
    t.same(await transport.send(LINE), failure)
    t.same(await transport.send(LINE), failure)
    t.equal(receiver.received.length, 0, 'the backend is not bothered')
    const event = level === 'error' ? 'token_refused' : 'token_unavailable'
    t.match(listener.said, [{ level, fields: { event, reason: `oauth2_${code}` } }])
    t.match(listener.said[0]?.fields['tokenUrl'], /^http:\/\/127\.0\.0\.1:\d+\/token$/)
    t.notMatch(JSON.stringify(listener.said), /hush/)
  })
}

t.test('a token server that is not there costs time, and nothing else', async t => {
  const { issuer, transport, listener } = await scene(t, granted('one'), answer(204))
  await issuer.close()
  t.match(await transport.send(LINE), { kind: 'failure', code: 'oauth2_ECONNREFUSED', sentBefore: false })
  t.match(listener.said, [{ level: 'warn' }])
})

t.test('the secret is read from its file each time', async t => {
  const file = join(mkdtempSync(join(tmpdir(), 'oauth2-')), 'secret')
  const { issuer, transport, listener } = await scene(t, answer(401, {}, '{"error":"invalid_client"}'), answer(204), {
    clientAuth: 'post',
    clientSecret: { file },
  })
  t.match(await transport.send(LINE), { code: 'CREDENTIALS_UNREADABLE', sentBefore: false })
  t.match(listener.said, [{ level: 'error', fields: { place: file, code: 'ENOENT' } }])
  writeFileSync(file, 'old\n')
  t.match(await transport.send(LINE), { code: 'oauth2_invalid_client' })
  writeFileSync(file, 'new\n')
  issuer.respond = granted('one')
  t.equal(statusOf(await transport.send(LINE)), 204)
  t.same(
    issuer.received.map(({ body }) => new URLSearchParams(body).get('client_secret')),
    ['old', 'new'],
  )
  rmSync(file)
  t.equal(statusOf(await transport.send(LINE)), 204, 'it is not asked for while the token is valid')
})

/** A token server without a network, and a clock that is set by hand. */
function clockwork(...answers: (object | string)[]) {
  let asked = 0
  const clock = { now: 1000 }
  const transport: Transport = {
    send: async () => {
      const next = answers[Math.min(asked++, answers.length - 1)]!
      if (typeof next === 'string') return { kind: 'failure', code: next, sentBefore: false }
      return { kind: 'answer', answer: { status: 200, headers: {}, body: JSON.stringify(next) } }
    },
    reload: () => false,
    abort: () => {},
    close: async () => {},
  }
  const tokens = new Tokens({
    oauth2: oauth2('https://id.test/token'),
    transport,
    logger: new Listener(),
    env: {},
    now: () => clock.now,
  })
  const shown = async () => {
    const answer = await tokens.token()
    return answer.kind === 'token' ? answer.token : answer.code
  }
  return { clock, tokens, shown, asked: () => asked }
}

t.test('a token is renewed a minute before its end, a short-lived one at nine tenths', async t => {
  for (const [life, good] of [
    [3600, 3540],
    [100, 90],
    [1, 0.9],
  ] as const) {
    const { clock, shown } = clockwork({ access_token: 'a', expires_in: life }, { access_token: 'b', expires_in: life })
    t.equal(await shown(), 'a')
    clock.now += good * 1000 - 1
    t.equal(await shown(), 'a')
    clock.now += 6000
    t.equal(await shown(), 'b', `${life} s`)
  }
})

t.test('while renewing fails the present token is used to its end, and no longer', async t => {
  const { clock, shown, asked } = clockwork({ access_token: 'a', expires_in: '100' }, 'ECONNREFUSED')
  t.equal(await shown(), 'a')
  clock.now += 91_000
  t.equal(await shown(), 'a')
  t.equal(asked(), 2)
  clock.now += 1000
  t.equal(await shown(), 'a')
  t.equal(asked(), 2, 'not with every request')
  clock.now += 5000
  t.equal(await shown(), 'a')
  t.equal(asked(), 3)
  clock.now += 5000
  t.equal(await shown(), 'oauth2_ECONNREFUSED')
})

t.test('a token whose life is not told is kept until it is refused', async t => {
  for (const life of [undefined, 0, -1, 'soon', null]) {
    const { clock, tokens, shown } = clockwork({ access_token: 'a', expires_in: life }, { access_token: 'b' })
    t.equal(await shown(), 'a')
    clock.now += 1e9
    t.equal(await shown(), 'a')
    tokens.refused('a')
    t.equal(await shown(), 'b')
  }
})
