import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import t from 'tap'
import type { HttpRequest, Reply } from '../../../src/delivery/transport/transport.ts'
import { hasOpenssl } from '../../support/certificates.ts'
import { answer, Listener, Receiver, transportTo } from '../rig.ts'

type Test = { teardown(handler: () => unknown): unknown }

const request = (body: Buffer = Buffer.from('a line\n')): HttpRequest => ({
  head: { method: 'POST', path: '/', headers: {} },
  contentType: 'text/plain',
  encoding: undefined,
  body,
})

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

/** A server that does to each socket what it is told, HTTP or not. */
async function raw(t: Test, behave: (socket: Socket, count: number) => void, host = '127.0.0.1'): Promise<URL> {
  const sockets = new Set<Socket>()
  let count = 0
  const server: Server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    behave(socket, ++count)
  })
  await once(server.listen(0, host), 'listening')
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  })
  return new URL(`http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}/`)
}

function sending(t: Test, url: URL, body?: Buffer): Promise<Reply> {
  const transport = transportTo(url)
  t.teardown(() => transport.close())
  return transport.send(request(body))
}

t.test('an answer has its status, its headers in lower case and its body', async t => {
  const url = await raw(t, socket =>
    socket.on('data', () =>
      socket.end('HTTP/1.1 418 x\r\nRetry-After: 7\r\nX-A: 1\r\nX-A: 2\r\ncontent-length: 3\r\n\r\ntea'),
    ),
  )
  t.same(await sending(t, url), {
    kind: 'answer',
    answer: { status: 418, headers: { 'retry-after': '7', 'x-a': '1, 2', 'content-length': '3' }, body: 'tea' },
  })
})

t.test('a body that is cut off is no answer', async t => {
  const url = await raw(t, socket =>
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')),
  )
  t.match(await sending(t, url), { kind: 'failure', sentBefore: true })
})

t.test(
  'a server that says nothing, one that trickles headers and one that trickles a body are all given up',
  async t => {
    const trickle = (socket: Socket, head: string, piece: string) => {
      socket.once('data', () => {
        socket.write(head)
        const timer = setInterval(() => socket.write(piece), 100)
        socket.on('close', () => clearInterval(timer))
      })
    }
    const mute = await raw(t, socket => socket.resume())
    const headers = await raw(t, socket => trickle(socket, 'HTTP/1.1 200 OK\r\n', 'x: y\r\n'))
    const body = await raw(t, socket => trickle(socket, 'HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n', 'x'))
    t.same(await Promise.all([mute, headers, body].map(url => sending(t, url))), [
      { kind: 'failure', code: 'HEADERS_TIMEOUT', sentBefore: true },
      { kind: 'failure', code: 'HEADERS_TIMEOUT', sentBefore: true },
      { kind: 'failure', code: 'BODY_TIMEOUT', sentBefore: true },
    ])
  },
)

t.test('of a long answer 64 KiB are kept; of an endless one 4 MiB are read', async t => {
  const long = new Receiver(answer(400, {}, 'x'.repeat(1 << 20)))
  const url = await long.listen()
  t.teardown(() => long.close())
  const reply = await sending(t, url)
  t.equal(reply.kind === 'answer' && reply.answer.body.length, 65536)
  const endless = await raw(t, socket => {
    const piece = Buffer.alloc(65536, 'x')
    const pour = () => {
      while (socket.writable && socket.write(piece));
    }
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      pour()
    })
    socket.on('drain', pour)
  })
  t.same(await sending(t, endless), { kind: 'failure', code: 'ANSWER_TOO_LONG', sentBefore: true })
})

t.test('headers without end are cut', async t => {
  const url = await raw(t, socket =>
    socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`)),
  )
  t.same(await sending(t, url), { kind: 'failure', code: 'UND_ERR_HEADERS_OVERFLOW', sentBefore: true })
})

t.test('resets are failures with their code, before and after the request went out', async t => {
  const reset = await raw(t, socket => socket.once('data', () => socket.resetAndDestroy()))
  t.match(await sending(t, reset), { kind: 'failure', code: /^(ECONNRESET|UND_ERR_SOCKET)$/, sentBefore: true })
  const gibberish = await raw(t, socket => socket.once('data', () => socket.write('220 mail ESMTP\r\n')))
  t.match(await sending(t, gibberish), { kind: 'failure', code: 'UNREADABLE_ANSWER', sentBefore: true })
})

t.test('a server that does not take the request is given up in the time that its answer may take', async t => {
  const deaf = await raw(t, socket => void socket.pause())
  const reply = await sending(t, deaf, Buffer.alloc(32 << 20, 'a'))
  t.same(reply, { kind: 'failure', code: 'HEADERS_TIMEOUT', sentBefore: true })
})

t.test('a refused connection is a failure before anything was sent', async t => {
  const closed = createServer()
  await once(closed.listen(0, '127.0.0.1'), 'listening')
  const url = new URL(`http://127.0.0.1:${(closed.address() as AddressInfo).port}/`)
  await new Promise(resolve => closed.close(resolve))
  t.same(await sending(t, url), { kind: 'failure', code: 'ECONNREFUSED', sentBefore: false })
})

t.test('a kept connection that the server has given up is replaced at once', async t => {
  let connections = 0
  const url = await raw(t, (socket, count) => {
    connections = count
    let requests = 0
    socket.on('data', () => {
      // The first connection answers once, and falls when it is used again: the race that keep-alive cannot avoid.
      if (count === 1 && ++requests === 2) socket.resetAndDestroy()
      else socket.write(OK)
    })
  })
  const transport = transportTo(url)
  t.teardown(() => transport.close())
  t.match(await transport.send(request()), { kind: 'answer' })
  t.match(await transport.send(request()), { kind: 'answer', answer: { status: 200 } })
  t.equal(connections, 2)
})

t.test('a connection that never worked is not tried twice', async t => {
  let connections = 0
  const url = await raw(t, (socket, count) => {
    connections = count
    socket.once('data', () => socket.destroy())
  })
  t.match(await sending(t, url), { kind: 'failure' })
  t.equal(connections, 1)
})

t.test('a connection is kept for the next request', async t => {
  let connections = 0
  const url = await raw(t, (socket, count) => {
    connections = count
    socket.on('data', () => socket.write(OK))
  })
  const transport = transportTo(url)
  t.teardown(() => transport.close())
  for (let index = 0; index < 5; index++) t.match(await transport.send(request()), { kind: 'answer' })
  t.equal(connections, 1)
})

t.test('there are never more connections than requests allowed at the same time', async t => {
  let open = 0
  let most = 0
  const url = await raw(t, socket => {
    most = Math.max(most, ++open)
    socket.on('close', () => open--)
    socket.on('data', () => setTimeout(() => socket.write(OK), 20))
  })
  const transport = transportTo(url, { concurrency: 2 })
  t.teardown(() => transport.close())
  const replies = await Promise.all(Array.from({ length: 10 }, () => transport.send(request())))
  t.equal(replies.filter(({ kind }) => kind === 'answer').length, 10)
  t.equal(most, 2)
})

t.test('an answer that overtakes the request ends the connection, for the body’s memory is used again', async t => {
  const parts: Buffer[] = []
  const closed = Promise.withResolvers<void>()
  const url = await raw(t, socket => {
    socket.pause()
    socket.write('HTTP/1.1 413 x\r\ncontent-length: 0\r\n\r\n')
    setTimeout(() => socket.resume(), 300)
    socket.on('data', (part: Buffer) => parts.push(part))
    socket.on('close', () => closed.resolve())
  })
  const body = Buffer.alloc(32 << 20, 'a')
  t.match(await sending(t, url, body), { kind: 'answer', answer: { status: 413 } })
  body.fill('b')
  await closed.promise
  const received = Buffer.concat(parts)
  t.ok(received.length < body.length)
  t.equal(received.subarray(received.indexOf('\r\n\r\n') + 4).indexOf('b'), -1, 'nothing of what came after')
})

t.test('an abort ends what is under way and whatever comes later', async t => {
  const arrived = Promise.withResolvers<void>()
  const url = await raw(t, socket => socket.once('data', () => arrived.resolve()).resume())
  const transport = transportTo(url)
  const under = transport.send(request())
  const queued = transport.send(request())
  await arrived.promise
  transport.abort()
  t.same(await under, { kind: 'failure', code: 'ABORTED', sentBefore: true })
  t.same(await queued, { kind: 'failure', code: 'ABORTED', sentBefore: false })
  t.same(await transport.send(request()), { kind: 'failure', code: 'ABORTED', sentBefore: false })
})

const addresses = Object.values(networkInterfaces()).flatMap(each => each ?? [])
const skip = addresses.some(({ address }) => address === '::1') ? false : 'no IPv6 on this machine'

t.test('an IPv6 address is an address', { skip }, async t => {
  const url = await raw(t, socket => socket.on('data', () => socket.write(OK)), '::1')
  t.match(await sending(t, url), { kind: 'answer', answer: { status: 200 } })
})

t.test('credentials go into the header, are read again on reload, and never into the log', async t => {
  const receiver = new Receiver(answer(200))
  const url = await receiver.listen()
  t.teardown(() => receiver.close())
  const directory = mkdtempSync(join(tmpdir(), 'credentials-'))
  const token = join(directory, 'token')
  const listener = new Listener()
  const transport = transportTo(url, { auth: { bearer: { file: token } } }, listener)
  t.teardown(() => transport.close())
  t.same(await transport.send(request()), { kind: 'failure', code: 'CREDENTIALS_UNREADABLE', sentBefore: false })
  t.match(listener.said, [{ level: 'error', fields: { place: token, code: 'ENOENT' } }])
  writeFileSync(token, 'first\n')
  await transport.send(request())
  t.equal(transport.reload(), false, 'nothing new')
  writeFileSync(token, 'second')
  t.equal(transport.reload(), true)
  await transport.send(request())
  t.same(
    receiver.received.map(({ headers }) => headers.authorization),
    ['Bearer first', 'Bearer second'],
  )
  for (const bad of ['', 'not a\nheader']) {
    writeFileSync(token, bad)
    t.equal(transport.reload(), false)
    t.match(await transport.send(request()), { kind: 'answer' }, 'what cannot be one is not taken')
  }
  t.equal(receiver.received.at(-1)?.headers.authorization, 'Bearer second')
  t.match(listener.said.at(-1), { level: 'error', fields: { place: token, code: 'NOT_A_HEADER_VALUE' } })
  t.notMatch(JSON.stringify(listener.said), /first|second|not a/)
})

t.test('basic credentials and keys have their own headers', async t => {
  const receiver = new Receiver(answer(200))
  const url = await receiver.listen()
  t.teardown(() => receiver.close())
  for (const auth of [
    { basic: { username: 'me', password: 'pässword' } },
    { apiKey: { header: 'DD-API-KEY', value: 'k' } },
  ]) {
    const transport = transportTo(url, { auth })
    await transport.send(request())
    await transport.close()
  }
  const [basic, key] = receiver.received
  t.equal(Buffer.from(basic!.headers.authorization!.slice(6), 'base64').toString(), 'me:pässword')
  t.equal(key?.headers['dd-api-key'], 'k')
})

t.test('TLS', { skip: hasOpenssl() ? false : 'no openssl on this machine' }, async t => {
  const directory = mkdtempSync(join(tmpdir(), 'tls-'))
  const at = (name: string) => join(directory, name)
  const make = (name: string, subject: string, days = '2') =>
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', days],
        ...['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`), '-subj', `/CN=${subject}`],
        ...['-addext', `subjectAltName=DNS:${subject}`],
      ],
      { stdio: 'ignore' },
    )
  /** When it ends: milliseconds since the epoch. */
  const until = (name: string) => new X509Certificate(readFileSync(at(`${name}.pem`))).validToDate.getTime()
  make('server', 'logs.test')
  make('one', 'one')
  make('two', 'two', '3')
  const peers: string[] = []
  const server = createTlsServer(
    {
      key: readFileSync(at('server.key')),
      cert: readFileSync(at('server.pem')),
      ca: [readFileSync(at('one.pem')), readFileSync(at('two.pem'))],
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      peers.push(String((request.socket as TLSSocket).getPeerCertificate().subject?.CN))
      request.resume()
      response.end('ok')
    },
  )
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const tls = { minVersion: '1.2', insecureSkipVerify: false, serverName: 'logs.test' } as const

  t.test('a certificate that no trusted authority has signed is refused, and nothing is sent', async t => {
    const transport = transportTo(url, { tls })
    t.match(await transport.send(request()), {
      kind: 'failure',
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      sentBefore: false,
    })
    await transport.close()
  })

  t.test('one that is signed for another name is refused too', async t => {
    const transport = transportTo(url, { tls: { ...tls, ca: at('server.pem'), serverName: 'other.test' } })
    t.match(await transport.send(request()), {
      kind: 'failure',
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      sentBefore: false,
    })
    await transport.close()
  })

  t.test('our own certificate is shown, and after a reload the new one', async t => {
    writeFileSync(at('own.pem'), readFileSync(at('one.pem')))
    writeFileSync(at('own.key'), readFileSync(at('one.key')))
    const own = { ...tls, ca: at('server.pem'), cert: at('own.pem'), key: at('own.key') }
    const transport = transportTo(url, { tls: own })
    t.match(await transport.send(request()), { kind: 'answer', answer: { body: 'ok' } })
    writeFileSync(at('own.pem'), readFileSync(at('two.pem')))
    writeFileSync(at('own.key'), readFileSync(at('two.key')))
    t.equal(transport.reload(), true)
    t.match(await transport.send(request()), { kind: 'answer' })
    t.same(peers, ['one', 'two'])
    const { client, server: shown, ...others } = transport.certificates
    t.same([client, shown], [until('two'), until('server')], 'and it is known when each ends')
    t.same(others, {})
    const under = transport.send(request())
    writeFileSync(at('own.pem'), readFileSync(at('one.pem')))
    writeFileSync(at('own.key'), readFileSync(at('one.key')))
    transport.reload()
    await under
    await transport.send(request())
    t.same(peers, ['one', 'two', 'two', 'one'], 'also when a request was under way')
    for (const half of ['no key', readFileSync(at('two.key'))]) {
      writeFileSync(at('own.key'), half)
      t.equal(transport.reload(), false)
    }
    await transport.send(request())
    t.equal(peers.at(-1), 'one', 'a pair that does not belong together leaves the one before in use')
    await transport.close()
    const listener = new Listener()
    const fresh = transportTo(url, { tls: own }, listener)
    const code = 'CREDENTIALS_UNREADABLE'
    t.same(await fresh.send(request()), { kind: 'failure', code, sentBefore: false }, 'and is no pair to begin with')
    t.match(listener.said, [{ fields: { place: at('own.key'), code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' } }])
  })

  t.test('the checks can be switched off for trying things out', async t => {
    const transport = transportTo(url, { tls: { ...tls, insecureSkipVerify: true } })
    t.same(transport.certificates, {}, 'nothing is known before the first handshake')
    t.match(await transport.send(request()), { kind: 'answer' })
    t.same(transport.certificates, { server: until('server') }, 'the certificate is seen all the same')
    await transport.close()
  })
})
