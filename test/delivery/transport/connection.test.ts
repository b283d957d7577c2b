/** The life of a connection: where a name leads, how long it is kept, and what is not the backend's word. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type LookupFunction, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { HttpTransport, type HttpTransportOptions } from '../../../src/delivery/transport/http.ts'
import type { HttpRequest, Reply } from '../../../src/delivery/transport/transport.ts'
import { answer, Listener, Receiver, TIMEOUT } from '../rig.ts'

type Test = { teardown(handler: () => unknown): unknown }

const LINE: HttpRequest = {
  head: { method: 'POST', path: '/', headers: { 'x-from': 'backend' } },
  contentType: 'text/plain',
  encoding: undefined,
  body: Buffer.from('a line\n'),
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

const PATIENT = { connect: 10_000, headers: 10_000, body: 10_000 }

function transportTo(t: Test, endpoint: string, options: Partial<HttpTransportOptions> = {}): HttpTransport {
  const transport = new HttpTransport({
    endpoint: new URL(endpoint),
    userAgent: 'logshipper/0.0.0-test',
    logger: new Listener(),
    env: {},
    ...options,
    delivery: { concurrency: 1, timeout: PATIENT, ...options.delivery },
  })
  t.teardown(() => transport.close())
  return transport
}

const sent = (reply: Reply): number | string => (reply.kind === 'answer' ? reply.answer.status : reply.code)

/** A server that does to each socket what it is told. Without a port it takes any. */
async function raw(t: Test, behave: (socket: Socket) => void, host = '127.0.0.1', port = 0): Promise<number> {
  const sockets = new Set<Socket>()
  const server: Server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    behave(socket)
  })
  await once(server.listen(port, host), 'listening')
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

/** Names lead to what `addresses` says at the moment. Counts how often it was asked. */
function names(addresses: () => readonly string[]) {
  const asked: string[] = []
  const lookup: LookupFunction = (name, options, callback) => {
    asked.push(name)
    const all = addresses().map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
    if (options.all) callback(null, all)
    else callback(null, all[0]!.address, all[0]!.family)
  }
  return { lookup, asked }
}

t.test('a name that leads elsewhere is followed within thirty seconds, however busy the connection', async t => {
  const served: string[] = []
  const serve = (address: string) => (socket: Socket) =>
    void socket.on('data', () => {
      served.push(address)
      socket.write(OK)
    })
  const port = await raw(t, serve('127.0.0.1'), '127.0.0.1')
  await raw(t, serve('127.0.0.2'), '127.0.0.2', port)
  let address = '127.0.0.1'
  const { lookup, asked } = names(() => [address])
  const transport = transportTo(t, `http://logs.test:${port}`, { lookup })
  // Whole milliseconds: of others, 30 s later is 30 s minus a rounding error once the process is three seconds old.
  const began = Math.ceil(performance.now())
  let now = began
  t.intercept(performance, 'now', { value: () => now })
  t.equal(sent(await transport.send(LINE)), 200)
  // The old server goes on answering: only the name has moved.
  address = '127.0.0.2'
  for (const seconds of [10, 20, 29.9, 30, 40]) {
    now = began + seconds * 1000
    t.equal(sent(await transport.send(LINE)), 200)
  }
  t.same(served, ['127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.2', '127.0.0.2'])
  t.same(asked, ['logs.test', 'logs.test'])
})

t.test('when the server has gone the name is looked up at once', async t => {
  let sockets: Socket[] = []
  const port = await raw(t, socket => {
    sockets.push(socket)
    socket.on('data', () => socket.write(OK))
  })
  let moved = 0
  await raw(t, socket => socket.on('data', () => ++moved && socket.write(OK)), '127.0.0.2', port)
  let address = '127.0.0.1'
  const transport = transportTo(t, `http://logs.test:${port}`, { lookup: names(() => [address]).lookup })
  t.equal(sent(await transport.send(LINE)), 200)
  address = '127.0.0.2'
  for (const socket of sockets) socket.destroy()
  sockets = []
  t.equal(sent(await transport.send(LINE)), 200)
  t.equal(moved, 1)
})

t.test('of several addresses one that answers is found, whichever family it is of', async t => {
  const port = await raw(t, socket => socket.on('data', () => socket.write(OK)))
  // 192.0.2.0/24 and 2001:db8::/32 lead nowhere (RFC 5737, RFC 3849); nothing listens on ::1 and 127.0.0.3.
  for (const addresses of [
    ['::1', '127.0.0.1'],
    ['127.0.0.3', '127.0.0.1'],
    ['2001:db8::1', '127.0.0.1'],
    ['192.0.2.1', '::1', '127.0.0.1'],
  ]) {
    const { lookup } = names(() => addresses)
    const delivery = { concurrency: 1, timeout: { ...TIMEOUT, connect: 5000 } }
    const transport = transportTo(t, `http://logs.test:${port}`, { lookup, delivery })
    t.equal(sent(await transport.send(LINE)), 200, addresses.join())
  }
  const nowhere = transportTo(t, `http://logs.test:${port}`, { lookup: names(() => ['::1', '127.0.0.3']).lookup })
  t.match(sent(await nowhere.send(LINE)), /^(ECONNREFUSED|EADDRNOTAVAIL|ENETUNREACH|EAFNOSUPPORT)$/)
})

t.test('a server that announces when it hangs up is not met in that moment', async t => {
  const order: string[] = []
  const port = await raw(t, socket => {
    socket.on('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nkeep-alive: timeout=3\r\ncontent-length: 0\r\n\r\n')
      // What has come by then is heard first, however late the timer is.
      setTimeout(() => setImmediate(() => setImmediate(() => order.push('the server would hang up'))), 3000)
    })
    socket.on('end', () => order.push('we hang up'))
  })
  t.equal(sent(await transportTo(t, `http://127.0.0.1:${port}`).send(LINE)), 200)
  while (order.length < 2) await sleep(20)
  t.same(order, ['we hang up', 'the server would hang up'])
})

t.test('a connection that is not wanted again is not used again', async t => {
  let connections = 0
  const port = await raw(t, socket => {
    connections++
    // It says that it closes, and does so only later.
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'))
  })
  const transport = transportTo(t, `http://127.0.0.1:${port}`)
  t.equal(sent(await transport.send(LINE)), 200)
  t.equal(sent(await transport.send(LINE)), 200)
  t.equal(connections, 2)
})

t.test('answers may come in chunks, after a hint, and with trailers', async t => {
  const port = await raw(t, socket => {
    socket.on('data', () =>
      socket.write(
        'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n' +
          'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n3;a=b\r\nwel\r\n2\r\nl!\r\n0\r\nx-sum: 1\r\n\r\n',
      ),
    )
  })
  const transport = transportTo(t, `http://127.0.0.1:${port}`)
  for (let count = 0; count < 2; count++) {
    t.match(await transport.send(LINE), { kind: 'answer', answer: { status: 200, body: 'well!' } })
  }
})

t.test('a complaint of ten megabytes is a complaint; a success must be read to its end', async t => {
  for (const [status, expected] of [
    [400, 400],
    [401, 401],
    [503, 503],
    [200, 'ANSWER_TOO_LONG'],
  ] as const) {
    const receiver = new Receiver(answer(status, {}, `no: ${'x'.repeat(10 << 20)}`))
    const url = await receiver.listen()
    t.teardown(() => receiver.close())
    const reply = await transportTo(t, url.origin).send(LINE)
    t.equal(sent(reply), expected)
    if (reply.kind === 'answer') t.equal(reply.answer.body.length, 65_536)
  }
})

t.test('a backend that can judge a success without its end is given what was read of it', async t => {
  const receiver = new Receiver(answer(200, {}, 'x'.repeat(10 << 20)))
  const url = await receiver.listen()
  t.teardown(() => receiver.close())
  const reply = await transportTo(t, url.origin, { unreadAnswers: true }).send(LINE)
  t.match(reply, { kind: 'answer', answer: { status: 200, unread: true } })
})

t.test('an answer without a length that ends in a reset is none, if it is a success', async t => {
  const cases: [head: string, end: (socket: Socket) => void, expected: number | string][] = [
    ['HTTP/1.1 200 OK\r\n\r\n', socket => socket.resetAndDestroy(), 'ECONNRESET'],
    ['HTTP/1.1 200 OK\r\n\r\n{"partialSu', socket => socket.resetAndDestroy(), 'ECONNRESET'],
    ['HTTP/1.1 200 OK\r\n\r\n', socket => socket.end(), 200],
    ['HTTP/1.1 200 OK\r\n\r\n{}', socket => socket.end(), 200],
    // Whoever refuses a body may hang up before it has read it.
    ['HTTP/1.1 413 Too Large\r\n\r\n', socket => socket.resetAndDestroy(), 413],
  ]
  for (const [head, end, expected] of cases) {
    const port = await raw(t, socket => {
      socket.once('data', () => {
        socket.write(head)
        // Once the head was read, which nothing tells: a reset may take along what was not.
        setTimeout(() => end(socket), 50)
      })
    })
    const client = transportTo(t, `http://127.0.0.1:${port}`)
    const reply = client.send(LINE)
    t.equal(sent(await reply), expected, head)
  }
})

t.test('a backend that needs to see more of an answer does', async t => {
  const body = 'x'.repeat(6 << 20)
  const receiver = new Receiver(answer(200, {}, body))
  const url = await receiver.listen()
  t.teardown(() => receiver.close())
  const reply = await transportTo(t, url.origin, { answerBytes: 8 << 20 }).send(LINE)
  t.equal(reply.kind === 'answer' && reply.answer.body.length, body.length)
})

t.test('headers of the configuration go before those of the backend, and are secrets', async t => {
  const receiver = new Receiver(answer(400, {}, 'no such tenant: hush-7f3a'))
  const url = await receiver.listen()
  t.teardown(() => receiver.close())
  const headers = {
    'X-Scope-OrgID': 'hush-7f3a',
    'X-FROM': { env: 'WHERE' },
    'Content-Type': 'text/special',
    Host: 'a.test',
  }
  const delivery = { concurrency: 1, timeout: TIMEOUT, headers }
  const reply = await transportTo(t, url.origin, { delivery, env: { WHERE: 'user' } }).send(LINE)
  t.match(receiver.received[0]?.headers, {
    'x-scope-orgid': 'hush-7f3a',
    'x-from': 'user',
    'content-type': 'text/special',
    host: 'a.test',
  })
  t.match(reply, { answer: { body: 'no such tenant: ***' } })
})

/** What servers in front of a backend say of the connection, word for word. */
const FOREIGN: readonly [says: string, body: string, code: string][] = [
  [
    'nginx, of http on its TLS port',
    '<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>',
    'HTTPS_EXPECTED',
  ],
  ['Go, of the same', 'Client sent an HTTP request to an HTTPS server.\n', 'HTTPS_EXPECTED'],
  ['Apache, of the same', "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />", 'HTTPS_EXPECTED'],
  [
    'nginx, of a certificate that is missing',
    '<center><h1>400 Bad Request</h1></center>\r\n<center>No required SSL certificate was sent</center>\r\n<hr><center>nginx/1.22.1</center>',
    'CLIENT_CERTIFICATE_REFUSED',
  ],
  [
    'nginx, of a certificate that it does not trust',
    '<center>The SSL certificate error</center>\r\n<hr><center>nginx</center>',
    'CLIENT_CERTIFICATE_REFUSED',
  ],
  [
    'nginx, of headers that are too long',
    '<center>Request Header Or Cookie Too Large</center>\r\n<hr><center>nginx/1.22.1</center>',
    'GATEWAY_400',
  ],
]

for (const [says, body, code] of FOREIGN) {
  t.test(`what ${says} says is not about the records`, async t => {
    const receiver = new Receiver(answer(400, { 'content-type': 'text/html' }, body))
    const url = await receiver.listen()
    t.teardown(() => receiver.close())
    t.match(await transportTo(t, url.origin).send(LINE), { kind: 'failure', code, sentBefore: true })
  })
}

t.test('a backend that repeats a line in which such words stand speaks of the line', async t => {
  for (const words of [
    'The plain HTTP request was sent to HTTPS port',
    'Client sent an HTTP request to an HTTPS server.',
    'No required SSL certificate was sent',
    '<center>nginx/1.22.1</center>',
  ]) {
    const receiver = new Receiver(answer(400, { 'content-type': 'application/json' }, `{"bad line":"x ${words}"}`))
    const url = await receiver.listen()
    t.teardown(() => receiver.close())
    t.match(await transportTo(t, url.origin).send(LINE), { kind: 'answer', answer: { status: 400 } })
  }
})
