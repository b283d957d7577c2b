/**
 * HTTP/1.1 exchanges with one origin, over as many connections as there are requests at the same time.
 *
 *     send ─► credentials, token ─► an idle connection or a new one ─► exchange ─┬─► reply
 *                    ▲                           ▲                              │
 *                    │                           ├── it had been closed: once ──┤
 *                    └── the token has run out: once ───────────────────────────┘
 *
 * Guarantees:
 * - When `send` resolves, no socket still reads the body: a connection whose request was not yet wholly written is
 *   destroyed first. The body lies in the arena, where the next payload will be.
 * - A kept connection that turns out to have been closed by the server is replaced once, at once, without being
 *   counted as a failure. (As always after silence, the server may have seen the first request: at least once.) So is
 *   an access token that was good and is refused.
 * - A connection is given up after half a minute, so that a name that resolves to new addresses is noticed, and as soon
 *   as there are other certificates.
 * - Credentials are put in here and nowhere else, and what a complaint of the server repeats of them is taken out here.
 */
import type { LookupFunction } from 'node:net'
import type { Answer } from '../../backends/backend.ts'
import type { Environment } from '../../environment.ts'
import { codeOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { DeliveryOptions } from '../options.ts'
import { Connection, type ConnectionRequest, type RequestOutcome } from './connection.ts'
import { CredentialStore, type Credentials } from './credentials.ts'
import type { Credential, Identity } from './identity.ts'
import { Tokens } from './oauth2.ts'
import { type Route, routeTo, saidByProxy, saidOfConnection } from './route.ts'
import { withoutSecrets } from './secrets.ts'
import type { Certificates, HttpRequest, Reply, Transport } from './transport.ts'

/** How much of an answer is kept unless the backend needs more: bytes. */
const KEPT = 64 * 1024

/** Milliseconds after which a connection is not used again. */
const LIFETIME = 30_000

export interface HttpTransportOptions {
  /** The endpoint; only its origin is used. */
  readonly endpoint: URL
  /** For instance `logshipper/0.1.0`. */
  readonly userAgent: string
  readonly delivery: Pick<DeliveryOptions, 'concurrency' | 'timeout' | 'auth' | 'headers' | 'tls' | 'proxy'>
  readonly logger: Logger
  /** What proves the requests, where credentials do not stand in the configuration. It is closed with the transport. */
  readonly identity?: Identity | undefined
  /** Bytes of an answer that the backend wants to see. Default: 64 KiB. */
  readonly answerBytes?: number | undefined
  /** A success that goes on for too long to be read is an answer (`unread`), and no failure. */
  readonly unreadAnswers?: boolean | undefined
  /** Variables that secrets and the proxy are read from. Default: those of the process. */
  readonly env?: Environment
  /** As `dns.lookup`, which is the default. */
  readonly lookup?: LookupFunction
}

type Headers = Readonly<Record<string, string>>

/** What came of one request on one connection, and what may be put right by another one at once. */
interface Trial {
  readonly reply: Reply
  readonly again: 'stale' | 'token' | undefined
}

/** What the server was shown. */
interface Shown {
  readonly secret: Headers
  readonly token: string | undefined
  readonly credential: Credential | undefined
}

export class HttpTransport implements Transport {
  readonly #options: HttpTransportOptions
  readonly #log: Logger
  readonly #credentials: CredentialStore
  readonly #tokens: Tokens | undefined
  /** What tokens are asked for through. */
  readonly #tokenTransport: Transport | undefined
  readonly #route: Route
  readonly #idle: Connection[] = []
  readonly #connections = new Set<Connection>()
  readonly #waiting: (() => void)[] = []
  /** Of the last handshakes. */
  readonly #shown: { server?: number; proxy?: number } = {}
  #busy = 0
  #aborted = false

  constructor(options: HttpTransportOptions) {
    this.#options = options
    const { endpoint, delivery, logger, env = process.env } = options
    this.#log = logger
    this.#credentials = new CredentialStore(delivery, this.#log, env)
    this.#route = routeTo(endpoint, delivery.proxy, env)
    if ('proxy' in this.#route) {
      const { origin } = endpoint
      this.#log.info(
        { event: 'proxy_used', endpoint: origin, proxy: this.#route.proxy.origin },
        'requests go through a proxy',
      )
    }
    const oauth2 = delivery.auth?.oauth2
    if (oauth2 === undefined) return
    const { auth: _, headers: __, tls, ...rest } = delivery
    // The server's name is the endpoint's own; all else holds for the token's address as well.
    const anyName = tls && { ...tls, serverName: undefined }
    const transport = new HttpTransport({
      ...options,
      endpoint: new URL(oauth2.tokenUrl),
      delivery: { ...rest, concurrency: 1, tls: anyName },
      identity: undefined,
      answerBytes: undefined,
      unreadAnswers: false,
    })
    this.#tokenTransport = transport
    this.#tokens = new Tokens({ oauth2, transport, logger, env })
  }

  get certificates(): Certificates {
    const client = this.#credentials.clientNotAfter
    const token = this.#tokenTransport?.certificates?.server
    return {
      ...this.#shown,
      ...(client !== undefined && { client }),
      ...(token !== undefined && { token_server: token }),
    }
  }

  get identity(): string | undefined {
    return this.#options.identity?.found
  }

  async send(request: HttpRequest): Promise<Reply> {
    while (this.#busy >= this.#options.delivery.concurrency) {
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
    this.#busy++
    const spent = new Set<Trial['again']>([undefined])
    let trial = await this.#try(request)
    while (!spent.has(trial.again)) {
      spent.add(trial.again)
      trial = await this.#try(request)
    }
    this.#busy--
    this.#waiting.shift()?.()
    return trial.reply
  }

  reload(): boolean {
    return this.#credentials.reload()
  }

  abort(): void {
    this.#aborted = true
    this.#tokens?.abort()
    this.#options.identity?.abort()
    for (const connection of this.#connections) connection.destroy()
    this.#connections.clear()
    this.#idle.length = 0
  }

  async close(): Promise<void> {
    this.#idle.length = 0
    const { identity } = this.#options
    const connections = [...this.#connections].map(connection => connection.retire())
    await Promise.all([...connections, this.#tokens?.close(), identity?.close()])
    this.#connections.clear()
  }

  async #try(request: HttpRequest): Promise<Trial> {
    if (this.#aborted) return failed('ABORTED', false)
    const credentials = this.#credentials.current
    if (credentials === undefined) return failed('CREDENTIALS_UNREADABLE', false)
    const { proxyAuthorization } = credentials
    const asked = await this.#tokens?.token()
    if (this.#aborted) return failed('ABORTED', false)
    if (asked?.kind === 'failure') return failed(asked.code, false)
    const obtained = await this.#options.identity?.credential()
    if (this.#aborted) return failed('ABORTED', false)
    if (obtained?.kind === 'failure') return failed(obtained.code, false)
    const configured = { ...credentials.headers, ...(asked ? { authorization: `Bearer ${asked.token}` } : {}) }
    const plain = this.#withCredentials(request, configured)
    const proof = obtained?.credential.sign({ ...plain, host: this.#options.endpoint.host })
    const secret = { ...configured, ...proof }
    let connection: Connection
    try {
      connection = this.#take(credentials)
    } catch (error) {
      return failed(codeOf(error), false)
    }
    const headers = { ...plain.headers, ...proof }
    const outcome = await connection.exchange({ ...plain, headers, proxyAuthorization })
    if (this.#aborted) return failed('ABORTED', outcome.kind === 'answer' || outcome.sentBefore)
    this.#giveBack(connection, outcome)
    if (outcome.kind === 'failure') return failed(outcome.code, outcome.sentBefore, outcome.stale ? 'stale' : undefined)
    return this.#read(outcome.answer, request, { secret, token: asked?.token, credential: obtained?.credential })
  }

  #read(
    { status, headers, body, bytes, unread }: Answer,
    { head }: HttpRequest,
    { secret, token, credential }: Shown,
  ): Trial {
    if (unread && status < 300 && !this.#options.unreadAnswers) return failed('ANSWER_TOO_LONG', true)
    // What a success says is for the judge alone, to the letter; only a complaint is ever shown.
    const shown = status < 300 ? body : withoutSecrets(body, { ...head.headers, ...secret }, head.path)
    const answer: Answer = {
      ...{ status, headers, body: shown },
      ...(status < 300 && bytes && { bytes }),
      ...(unread && { unread }),
    }
    const foreign = (this.#route.kind === 'forward' && saidByProxy(answer)) || saidOfConnection(answer)
    if (foreign) return failed(foreign, true)
    let again: Trial['again']
    if (token !== undefined && status < 300) this.#tokens?.worked(token)
    // 403 may change with a new token (someone has been given a role), but not in this moment.
    if (token !== undefined && (status === 401 || status === 403)) {
      again = this.#tokens?.refused(token) && status === 401 ? 'token' : undefined
    }
    if (credential !== undefined && this.#options.identity?.answered(credential, answer)) again = 'token'
    return { reply: { kind: 'answer', answer }, again }
  }

  /** What the user configured goes before what the backend says, but for what must be true of this body. */
  #withCredentials(
    { head, contentType, encoding, body }: HttpRequest,
    secret: Headers,
  ): Omit<ConnectionRequest, 'proxyAuthorization'> {
    return {
      method: head.method,
      path: head.path,
      headers: {
        'content-type': contentType,
        'user-agent': this.#options.userAgent,
        ...head.headers,
        ...secret,
        ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
      },
      body,
    }
  }

  /** An idle connection that is young enough, or a new one. The latest used first: the others may run out. */
  #take(credentials: Credentials): Connection {
    const { endpoint, delivery, userAgent, answerBytes = KEPT } = this.#options
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      if (performance.now() - connection.born < LIFETIME && connection.trust === credentials.trust) return connection
      this.#retire(connection)
    }
    const { tls, timeout } = delivery
    const { trust } = credentials
    const { lookup } = this.#options
    const connection = new Connection({
      ...{ endpoint, route: this.#route, userAgent, trust, tls, timeout, kept: answerBytes, lookup },
      onCertificate: (of, notAfter) => {
        this.#shown[of] = notAfter
      },
    })
    this.#connections.add(connection)
    return connection
  }

  #giveBack(connection: Connection, outcome: RequestOutcome): void {
    if (outcome.kind === 'answer' && connection.intact) {
      this.#idle.push(connection)
      return
    }
    this.#connections.delete(connection)
    connection.destroy()
  }

  #retire(connection: Connection): void {
    this.#connections.delete(connection)
    void connection.retire()
  }
}

const failed = (code: string, sentBefore: boolean, again?: Trial['again']): Trial => ({
  reply: { kind: 'failure', code, sentBefore },
  again,
})
