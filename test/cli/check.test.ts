/** One real request per backend says whether it would take lines, and if not, where to look. */
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { directory, PEM, serve } from '../delivery/identity/rig.ts'
import { Receiver, refuse } from '../program.ts'
import { scratch } from '../scratch.ts'
import { inside } from './inside.ts'
import { type Ended, logshipper } from './manifests.ts'

t.jobs = 3
process.env['CHECK_TOKEN'] = 'held-secret-0123456789'

async function check(t: Test, config: object, ...args: string[]): Promise<Ended & { dir: string }> {
  const dir = scratch(t, { logs: { 'app.log': 'a line of the application\n' } })
  const whole = {
    sources: [{ paths: [join(dir, 'logs/*.log')], labels: { team: 'checkout' } }],
    state: { dir: join(dir, 'state') },
    ...config,
  }
  writeFileSync(join(dir, 'config.yaml'), JSON.stringify(whole))
  return { ...(await inside(['check', '--config', join(dir, 'config.yaml'), ...args])), dir }
}

t.test('a backend that takes the line is ok, and nothing else has happened', async t => {
  const receiver = await Receiver.start(t)
  const backends = [{ type: 'http', endpoint: receiver.url, ids: true, deadLetter: {} }, { type: 'stdout' }]
  const { code, out, err, dir } = await check(t, { backends })
  t.equal(code, 0)
  t.equal(err, '')
  t.match(
    out,
    /^http \(http:\/\/127\.0\.0\.1:\d+\/ingest\): ok: accepted it within \d+ ms\nstdout: ok: standard output: nothing to check/,
  )
  t.equal(receiver.requests, 1)
  t.match(receiver.records, [{ message: 'logshipper check', file: '/logshipper/check', team: 'checkout', id: /./ }])
  t.notOk(existsSync(join(dir, 'state')), 'no position, no dead letter')
})

t.test('one that does not is not, with the reason and where to look; the others are asked all the same', async t => {
  const receiver = await Receiver.start(t)
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as { port: number }
  closed.close()
  const { code, out } = await check(t, {
    backends: [
      { name: 'gone', type: 'http', endpoint: `http://127.0.0.1:${port}/` },
      { name: 'nowhere', type: 'loki', endpoint: 'http://no.such.name.invalid:3100' },
      { name: 'secure', type: 'http', endpoint: receiver.url.replace('http:', 'https:') },
      { name: 'good', type: 'http', endpoint: receiver.url },
    ],
    memory: { budget: '32MiB' },
  })
  t.equal(code, 1)
  t.match(out, /^gone .*: not ok: ECONNREFUSED: nothing listens there/m)
  t.match(out, /^nowhere .*: not ok: (ENOTFOUND|EAI_AGAIN): the name in the endpoint does not resolve/m)
  t.match(out, /^secure .*: not ok: ERR_SSL_\w+|^secure .*: not ok: /m)
  t.match(out, /^good .*: ok: /m)
})

t.test('the identity that was found is named, and so is the permission that it lacks', async t => {
  const receiver = await Receiver.start(t)
  const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'held-secret-0123456789' }
  const aws = { region: 'eu-central-1', service: 'es', ...keys }
  const backends = [{ type: 'http', endpoint: receiver.url, auth: { aws } }]
  const fine = await check(t, { backends })
  t.equal(fine.code, 0)
  t.match(fine.out, /: ok: accepted it within \d+ ms \(identity: configured keys\)$/m)
  const missing = 'is not authorized to perform: es:ESHttpPost on resource: arn:aws:es:a:1:domain/x'
  receiver.behaviour = (_, response) => {
    response
      .writeHead(403)
      .end(JSON.stringify({ Message: `User: arn:aws:sts::111122223333:assumed-role/app/x ${missing}` }))
    return false
  }
  const lacking = await check(t, { backends })
  t.equal(lacking.code, 1)
  t.match(lacking.out, /: the identity lacks a permission: grant es:ESHttpPost on arn:aws:es:a:1:domain\/x/)
  t.notMatch(fine.out + lacking.out, /held-secret/)
})

t.test('an identity of Google Cloud or Azure is named, and so is what to grant to it', async t => {
  const issuer = await serve(t, () => ({ status: 200, body: { access_token: 'held-token-0123', expires_in: 3600 } }))
  // Each takes the first line and refuses the second.
  const error = { code: 403, status: 'PERMISSION_DENIED', message: 'held-token-0123' }
  const entries = await serve(t, (_, count) =>
    count === 1 ? { status: 200, body: {} } : { status: 403, body: { error } },
  )
  const denied = { error: { code: 'OperationFailed', message: 'held-token-0123' } }
  const rows = await serve(t, (_, count) => (count === 1 ? { status: 204 } : { status: 403, body: denied }))
  const file = join(directory(t), 'key.json')
  const key = { type: 'service_account', client_email: 'a@b', private_key: PEM, token_uri: issuer.url.href }
  writeFileSync(file, JSON.stringify(key))
  const google = { type: 'google_cloud_logging', endpoint: entries.url.href, project: 'my-project' }
  const azure = { type: 'azure_monitor', endpoint: rows.url.href, rule: `dcr-${'0'.repeat(32)}`, stream: 'Custom-A_CL' }
  const application = { tenantId: 't', clientId: 'c', clientSecret: 'held-secret-0123', authorityHost: issuer.url.href }
  const backends = [
    { ...google, auth: { google: { credentialsFile: file } } },
    { ...azure, auth: { azure: application } },
  ]
  const fine = await check(t, { backends })
  t.match(fine.out, /: ok: accepted it within \d+ ms \(identity: credentials file \/.*\)$/m)
  t.match(fine.out, /: ok: accepted it within \d+ ms \(identity: client secret of c\)$/m)
  const lacking = await check(t, { backends })
  t.match(lacking.out, /: grant logging\.logEntries\.create \(roles\/logging\.logWriter\) on project my-project/)
  t.match(lacking.out, /: grant Monitoring Metrics Publisher on the data collection rule dcr-0/)
  t.notMatch(fine.out + lacking.out, /held-/)
})

t.test('what an answer means is said, once, and no credential with it', async t => {
  const receiver = await Receiver.start(t)
  const backend = { type: 'http', endpoint: `${receiver.url}?key=query-secret`, auth: { bearer: 'very-secret' } }
  const cases: [number, RegExp][] = [
    [401, /not ok: http_401: the credentials are refused: see auth; it says: no$/m],
    [403, /not ok: http_403: the credentials are refused, or may not write there: see auth/],
    [404, /^http \(http:\/\/127\.0\.0\.1:\d+\/ingest\?…\): not ok: http_404: there is nothing under that path/],
    [503, /not ok: http_503: the address is right; the fault is on its side/],
    [400, /not ok: http_400: it refuses the line itself: logshipper test shows the request/],
    [413, /not ok: http_413: even a single line/],
  ]
  for (const [status, words] of cases) {
    receiver.behaviour = refuse(status)
    receiver.requests = 0
    const { code, out, err } = await check(t, { backends: [backend] })
    t.equal(code, 1)
    t.match(out, words)
    t.notMatch(out + err, /very-secret|query-secret/)
    t.equal(receiver.requests, 1, 'one request')
  }
  receiver.behaviour = (_, response) => {
    const page = '<html><head><title>Please\n log in</title></head></html>'
    response.writeHead(200, { 'content-type': 'text/html' }).end(page)
    return false
  }
  t.match(await check(t, { backends: [backend] }), { code: 1, out: /unexpected_html, status 200: a web page/ })
})

t.test('the words of an answer are shown, and nothing that shares eight bytes with a secret', async t => {
  const receiver = await Receiver.start(t)
  const backend = (more: object) => ({ backends: [{ type: 'http', endpoint: receiver.url, ...more }] })
  const bearer = backend({ auth: { bearer: { env: 'CHECK_TOKEN' } } })
  const say = (status: number, text: string, headers = {}) => {
    receiver.behaviour = (_, response) => {
      response.writeHead(status, headers).end(text)
      return false
    }
  }
  say(401, '{"error":"no org id"}')
  t.match(await check(t, bearer), { out: /http_401: .*; it says: \{"error":"no org id"\}\n$/ })
  say(401, 'the token held-secret-0123456789 has expired')
  t.match(await check(t, bearer), { out: /it says: the token \*\*\* has expired\n$/ }, 'a whole one is taken out')
  say(401, 'no such token: held-sec…')
  t.match(await check(t, bearer), { out: /http_401: the credentials are refused: see auth\n$/ })
  say(500, 'cannot parse cret-0123')
  t.match(await check(t, bearer), { out: /fault is on its side\n$/ })
  say(401, 'password pass-word-1 of user')
  t.notMatch((await check(t, backend({ auth: { basic: { username: 'u', password: 'pass-word-12' } } }))).out, /pass-w/)
  say(401, 'a\u001b[2Jb\nc')
  t.match(await check(t, bearer), { out: /it says: a \[2Jb c\n$/ }, 'a terminal obeys nothing of it')
  say(302, '', { location: '/login?token=abcdefgh' })
  t.match(await check(t, bearer), {
    out: /not ok: redirect, status 302: it points elsewhere: .*; Location: http:\/\/127\.0\.0\.1:\d+\/login\?…\n$/,
  })
  say(307, 'moved', { location: 'https://other.test/v2/ingest' })
  t.match(await check(t, bearer), { out: /; Location: https:\/\/other\.test\/v2\/ingest; it says: moved\n$/ })
})

t.test('a port that speaks something else is told from one that speaks HTTP', async t => {
  const listening = async (serve: (socket: Socket) => void): Promise<number> => {
    const server = createServer(socket => {
      socket.on('error', () => {})
      serve(socket)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => server.close())
    return (server.address() as { port: number }).port
  }
  // What a gRPC server says first: a SETTINGS frame of HTTP/2.
  const grpc = await listening(socket => socket.end(Buffer.from('00000604000000000000050000400000', 'hex')))
  const tls = await listening(socket => socket.on('data', () => socket.destroy()))
  const endpoint = (port: number) => `http://127.0.0.1:${port}`
  const { code, out } = await check(t, {
    backends: [
      { name: 'grpc', type: 'otlp', endpoint: endpoint(grpc) },
      { name: 'tls', type: 'http', endpoint: endpoint(tls) },
    ],
  })
  t.equal(code, 1)
  t.match(out, /^grpc .*\/v1\/logs\): not ok: UNREADABLE_ANSWER: .*gRPC port \(OTLP over HTTP is 4318, not 4317\)/m)
  t.match(out, /^tls .*: not ok: UND_ERR_SOCKET: it closed the connection without an answer: does the port want TLS/m)
})

t.test('--json says the same to a program', async t => {
  const receiver = await Receiver.start(t)
  receiver.behaviour = refuse(401)
  const backends = [{ type: 'http', endpoint: receiver.url }, { type: 'stdout' }]
  const { code, out } = await check(t, { backends }, '--json')
  t.equal(code, 1)
  t.match(JSON.parse(out), [
    { backend: 'http', type: 'http', url: receiver.url, ok: false, reason: 'http_401', status: 401, says: 'no' },
    { backend: 'stdout', url: null, ok: true, reason: null },
  ])
})

t.test('one backend alone can be asked, and a name that is none is told', async t => {
  const receiver = await Receiver.start(t)
  const backends = ['a', 'b'].map(name => ({ name, type: 'http', endpoint: receiver.url }))
  t.match(await check(t, { backends }, '--backend', 'b'), { code: 0, out: /^b .*: ok/ })
  t.equal(receiver.requests, 1)
  t.match(await check(t, { backends }, '--backend', 'c'), { code: 2, err: /unknown backend c; configured: a, b/ })
  t.match(await check(t, { backends: [{ type: 'nothing' }] }), { code: 2 })
})

t.test('as a process it ends with the code, and what it says is where it belongs', async t => {
  const { dir, ...expected } = await check(t, { backends: [{ type: 'stdout' }] })
  t.strictSame(logshipper(['check', '--config', join(dir, 'config.yaml')]), expected)
  t.match(expected, { code: 0, err: '' })
})
