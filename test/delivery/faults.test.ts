/**
 * Everything that may be wrong with a destination, from its address to its words: what it is called in the metrics, that
 * one line in the log says it, that nothing is lost by it, and that delivery goes on when it has been mended.
 */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer, type LookupFunction, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { DeliveryOptions } from '../../src/delivery/options.ts'
import { HttpTransport } from '../../src/delivery/transport/http.ts'
import { Authority, hasOpenssl } from '../support/certificates.ts'
import { answer, httpBackend, Listener, messages, numbered, Receiver, rig } from './rig.ts'

/** An address whose name may be unknown, whose port may be closed, and whose connections are treated as told. */
class Front {
  readonly receiver = new Receiver()
  /** Whether the name is known. */
  known = true
  /** What becomes of each new connection. */
  treat: (socket: Socket) => void = socket => void this.receiver.server.emit('connection', socket)
  readonly #open = new Set<Socket>()
  readonly #server = createServer(socket => {
    this.#open.add(socket)
    socket.on('error', () => {})
    this.treat(socket)
  })
  #port = 0

  static async start(t: Test): Promise<Front> {
    const front = new Front()
    await front.listen()
    t.teardown(() => front.hangUp())
    return front
  }

  get port(): number {
    return this.#port
  }

  async listen(): Promise<void> {
    await once(this.#server.listen(this.#port, '127.0.0.1'), 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Closes the port. */
  async hangUp(): Promise<void> {
    this.cut()
    if (this.#server.listening) await new Promise(resolve => this.#server.close(resolve))
  }

  cut(): void {
    for (const socket of this.#open) socket.destroy()
    this.#open.clear()
  }

  readonly lookup: LookupFunction = (name, options, callback) => {
    if (this.known) {
      if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }])
      else callback(null, '127.0.0.1', 4)
      return
    }
    const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' })
    callback(error, '', 0)
  }
}

const pages = (head: string, piece: string, every: number) => (socket: Socket) =>
  void socket.once('data', () => {
    socket.write(head)
    const timer = setInterval(() => {
      while (socket.write(piece) && every === 0);
    }, every)
    socket.on('close', () => clearInterval(timer))
  })

const LOGIN = '<html><title>Sign in</title><form>hush</form></html>'

interface Fault {
  readonly says: string
  readonly scheme?: 'https'
  readonly wrong: (front: Front) => unknown
  readonly reason: string
  readonly level?: 'warn' | 'error'
  readonly sentence?: string
  readonly detail?: string
  readonly options?: Partial<DeliveryOptions>
}

const MISCONFIGURED = { level: 'error', sentence: 'backend misconfigured; retrying' } as const

const answering = (...[status, headers, body]: Parameters<typeof answer>) => ({
  wrong: (front: Front) => {
    front.receiver.respond = answer(status, headers, body)
  },
})

const treating = (treat: (socket: Socket) => void) => ({
  wrong: (front: Front) => {
    front.treat = treat
  },
})

const FAULTS: readonly Fault[] = [
  { says: 'a name that does not resolve', wrong: front => (front.known = false), reason: 'ENOTFOUND' },
  { says: 'a closed port', wrong: front => front.hangUp(), reason: 'ECONNREFUSED' },
  {
    says: 'https:// to a port that speaks http',
    scheme: 'https',
    wrong: front => (front.treat = socket => front.receiver.server.emit('connection', socket)),
    reason: 'ERR_SSL_WRONG_VERSION_NUMBER',
    ...MISCONFIGURED,
  },
  {
    says: 'http:// to a port that speaks https',
    ...answering(400, {}, 'Client sent an HTTP request to an HTTPS server.\n'),
    reason: 'HTTPS_EXPECTED',
    ...MISCONFIGURED,
  },
  {
    says: 'a certificate that we do not trust',
    scheme: 'https',
    wrong: () => {},
    reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ...MISCONFIGURED,
  },
  {
    says: 'a path that is not there',
    ...answering(404, {}, 'no route\n for /ingest'),
    reason: 'http_404',
    ...MISCONFIGURED,
    detail: 'no route for /ingest',
  },
  {
    says: 'a redirect',
    ...answering(302, { location: 'http://sso.test/' }, LOGIN),
    reason: 'redirect',
    ...MISCONFIGURED,
  },
  {
    says: 'a page to log in',
    ...answering(200, { 'content-type': 'text/html' }, LOGIN),
    reason: 'unexpected_html',
    ...MISCONFIGURED,
  },
  {
    says: 'a token that is refused',
    ...answering(401, {}, 'unknown token t0ken-of-ours'),
    reason: 'http_401',
    level: 'error',
    sentence: 'credentials refused; retrying',
    options: { auth: { bearer: 't0ken-of-ours' } },
  },
  {
    says: 'a key that the backend quotes',
    ...answering(404, {}, 'no tenant t0ken-of-ours here'),
    reason: 'http_404',
    ...MISCONFIGURED,
    detail: 'no tenant *** here',
    options: { headers: { 'x-tenant': 't0ken-of-ours' } },
  },
  {
    says: 'a credential that is not there',
    wrong: () => {},
    reason: 'CREDENTIALS_UNREADABLE',
    options: { auth: { bearer: { env: 'LOGSHIPPER_TEST_TOKEN' } } },
    ...MISCONFIGURED,
  },
  { says: 'a disk that is full', ...answering(507, {}, 'disk full'), reason: 'http_507', detail: 'disk full' },
  { says: 'ten megabytes of complaint', ...answering(503, {}, 'x'.repeat(10 << 20)), reason: 'http_503' },
  {
    says: 'a complaint without end',
    ...treating(pages('HTTP/1.1 500 x\r\n\r\n', 'x'.repeat(65_536), 0)),
    reason: 'http_500',
  },
  {
    says: 'a success without end',
    ...treating(pages('HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(65_536), 0)),
    reason: 'ANSWER_TOO_LONG',
  },
  {
    says: 'interim answers without end',
    ...treating(pages('', 'HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n'.repeat(1000), 2)),
    reason: 'ANSWER_TOO_LONG',
  },
  {
    says: 'a success in a chunk whose extension has no end',
    ...treating(pages('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1', ';x=y'.repeat(16_384), 2)),
    reason: 'ANSWER_TOO_LONG',
  },
  {
    says: 'an answer that trickles',
    ...treating(pages('HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n', 'x', 50)),
    reason: 'BODY_TIMEOUT',
  },
  { says: 'a complaint that trickles', ...treating(pages('HTTP/1.1 400 x\r\n\r\n', 'x', 50)), reason: 'BODY_TIMEOUT' },
  {
    says: 'a head that trickles',
    ...treating(pages('HTTP/1.1 200 OK\r\n', 'x: y\r\n', 50)),
    reason: 'HEADERS_TIMEOUT',
  },
  { says: 'silence', ...treating(socket => void socket.resume()), reason: 'HEADERS_TIMEOUT' },
  {
    says: 'a server that speaks something else',
    ...treating(socket => void socket.write('220 mail ESMTP\r\n')),
    reason: 'UNREADABLE_ANSWER',
  },
]

t.test('a destination may have', { jobs: 4 }, async t => {
  const directory = mkdtempSync(join(tmpdir(), 'faults-'))
  const authority = hasOpenssl() ? new Authority(directory) : undefined
  const pair = authority?.sign('logs.test')

  for (const {
    says,
    scheme,
    wrong,
    reason,
    level = 'warn',
    sentence = 'backend unavailable; retrying',
    ...rest
  } of FAULTS) {
    const skip = scheme === 'https' && !authority ? 'no openssl on this machine' : false
    t.test(says, { skip }, async t => {
      const front = await Front.start(t)
      const server =
        scheme === 'https'
          ? createTlsServer({ cert: readFileSync(pair!.cert), key: readFileSync(pair!.key) }, (...of) =>
              front.receiver.server.emit('request', ...of),
            )
          : front.receiver.server
      const whole = (socket: Socket) => void server.emit('connection', socket)
      front.treat = whole
      const endpoint = new URL(`${scheme ?? 'http'}://logs.test:${front.port}/ingest`)
      const listener = new Listener()
      const ca = join(directory, `${front.port}.pem`)
      // For the authority that we do not trust: another one, until it is mended.
      if (authority)
        writeFileSync(
          ca,
          readFileSync(
            says.startsWith('a certificate') ? new Authority(directory, `other${front.port}`).cert : authority.cert,
          ),
        )
      const tls = scheme === 'https' ? ({ ca, minVersion: '1.2', insecureSkipVerify: false } as const) : undefined
      const env: Record<string, string> = {}
      // Where the fault is another one, a busy machine must not make it this one.
      const ms = reason.endsWith('_TIMEOUT') ? 300 : 30_000
      const timeout = { connect: ms, headers: ms, body: ms }
      const transport = new HttpTransport({
        endpoint,
        userAgent: 'logshipper/0.0.0-test',
        delivery: { concurrency: 1, timeout, tls, ...rest.options },
        logger: listener,
        lookup: front.lookup,
        env,
      })
      const { arena, delivery } = rig(endpoint, {}, {}, { transport, logger: listener, backend: httpBackend(endpoint) })
      await wrong(front)
      const lines = numbered(50)
      const slab = arena.slab({ lines })
      const shipping = delivery.ship(slab)
      const again = () => delivery.stats.retries.get(reason) ?? 0
      while (again() < 3) await sleep(10)
      t.same([...delivery.stats.retries.keys()], [reason], 'it has one name')
      t.equal(arena.outcome.delivered.lines, 0)
      const said = listener.said.filter(({ fields }) => fields['reason'] !== undefined)
      t.match(said, [{ level, sentence, fields: { backend: 'main', reason } }], 'it is said once')
      t.equal(said.length, 1)
      t.equal(said[0]?.fields['detail'], rest.detail)
      t.notMatch(JSON.stringify(listener.said), /hush|t0ken|line \d/)

      front.known = true
      front.receiver.respond = answer(204)
      front.treat = whole
      env['LOGSHIPPER_TEST_TOKEN'] = 'there'
      if (authority && scheme === 'https') writeFileSync(ca, readFileSync(authority.cert))
      transport.reload()
      await front.hangUp()
      await front.listen()
      front.receiver.received.length = 0
      t.same(await shipping, { kind: 'settled' })
      t.same(messages(front.receiver.received), lines, 'and it is over when it is mended')
      t.equal(arena.outcome.delivered.lines, 50)
      t.same(arena.outcome.rejected, {})
      t.equal(listener.said.at(-1)?.sentence, 'backend recovered')
      await transport.close()
    })
  }
})
