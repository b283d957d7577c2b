/**
 * One connection: an undici client without pipelining, and what we know of its socket. The only door to undici.
 *
 * (A pool would hide which socket a request went over, and three of the guarantees below need to know.)
 *
 * Guarantees:
 * - A success counts as read to its end only when its length says so, or an end of the connection that is none of its
 *   faults; where it goes on beyond a limit it says so (`unread`). Of a complaint (a status from 300 up) the head is
 *   enough.
 * - A request has its reply in bounded time, whatever the other side does: every phase has a limit. What the other side
 *   sends meanwhile has one in bytes, whatever it is.
 * - After `destroy` no socket reads the body of a request any more.
 * - Redirects are not followed.
 */
import type { LookupFunction, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { buildConnector, Client, type Dispatcher } from 'undici'
import type { Answer } from '../../backends/backend.ts'
import { codeOf } from '../../errors.ts'
import type { TimeoutOptions, TlsOptions } from '../options.ts'
import type { Trust } from './credentials.ts'
import { openTunnel, type Route } from './route.ts'

/** How much of an answer is read before we hang up: bytes. */
const READ = 4 * 1024 * 1024
/**
 * And of all that comes instead of one, or around it: interim answers, extensions of chunks, trailers. So many times as
 * much, which is looked at as often as this: milliseconds.
 */
const AROUND = { times: 2, every: 100 }

/**
 * Less than the idle limit of any server or balancer we know (the shortest common one is 5 s); a server that announces a
 * shorter one (`Keep-Alive: timeout=`) is left two seconds before it: milliseconds.
 */
const KEEP_ALIVE = 4_000

/** A kept connection that fails in one of these ways may have been closed by the server before it saw the request. */
const STALE = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

export interface ConnectionOptions {
  readonly endpoint: URL
  readonly route: Route
  readonly userAgent: string
  readonly trust: Trust
  readonly tls: TlsOptions | undefined
  readonly timeout: TimeoutOptions
  /** Bytes of an answer that are kept. */
  readonly kept: number
  /** As `dns.lookup`, which is the default. */
  readonly lookup: LookupFunction | undefined
  /** A handshake is done. `notAfter`: when the certificate of the other side ends, in milliseconds since the epoch. */
  readonly onCertificate: (of: 'server' | 'proxy', notAfter: number) => void
}

export interface ConnectionRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** For a proxy whose address does not say who we are. */
  readonly proxyAuthorization: string | undefined
}

/** `stale`: the connection had been good before, and whether the server saw the request is unknown. */
export type RequestOutcome =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'failure'; readonly code: string; readonly sentBefore: boolean; readonly stale: boolean }

export class Connection {
  readonly born = performance.now()
  readonly trust: Trust
  readonly #options: ConnectionOptions
  readonly #client: Client
  readonly #opening = new AbortController()
  #socket: Socket | undefined
  /** Why the present socket broke. */
  #broken: string | undefined
  /** What the proxy is shown. */
  #login: string | undefined
  /** Answers that came over the present socket. */
  #answers = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.trust = options.trust
    const { endpoint, route } = options
    this.#client = new Client(route.kind === 'forward' ? route.proxy.origin : endpoint.origin, {
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE,
      keepAliveMaxTimeout: KEEP_ALIVE,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: this.#connector(),
    })
  }

  /** Whether it stands, and the last request was wholly written: its body is not read any more. */
  get intact(): boolean {
    return this.#socket?.writableLength === 0 && !this.#socket.destroyed
  }

  /** One request at a time. */
  exchange(request: ConnectionRequest): Promise<RequestOutcome> {
    const { promise, resolve } = Promise.withResolvers<RequestOutcome>()
    const { timeout, kept: most } = this.#options
    const answersBefore = this.#answers
    const parts: Buffer[] = []
    let kept = 0
    let read = 0
    let status = 0
    let headers: Record<string, string> = {}
    let sent = false
    let timer: NodeJS.Timeout | undefined
    let watch: NodeJS.Timeout | undefined

    const settle = (outcome: RequestOutcome): void => {
      clearTimeout(timer)
      clearInterval(watch)
      resolve(outcome)
    }
    const fail = (code: string, stale = false): void => {
      const unreached = !sent && this.#options.route.kind === 'forward'
      settle({ kind: 'failure', code: unreached ? `proxy_${code}` : code, sentBefore: sent, stale })
    }
    const giveUp = (code: string): void => {
      fail(code)
      this.destroy()
    }
    const answer = (unread = false): void => {
      const bytes = Buffer.concat(parts)
      const body = bytes.toString('utf8')
      settle({ kind: 'answer', answer: { status, headers, body, bytes, ...(unread && { unread }) } })
    }
    // Our own timers: undici's start anew with every piece, so a server that trickles would hold us for ever.
    const limit = (ms: number, code: string): void => {
      clearTimeout(timer)
      timer = setTimeout(giveUp, ms, code)
    }
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => {
        sent = true
        const before = this.#socket?.bytesRead ?? 0
        // The parser tells nothing of what is no content: a server may send that for as long as an answer may take.
        watch = setInterval(() => {
          if ((this.#socket?.bytesRead ?? 0) - before <= AROUND.times * Math.max(READ, most)) return
          if (status === 0) return giveUp('ANSWER_TOO_LONG')
          answer(true)
          this.destroy()
        }, AROUND.every)
        limit(timeout.headers, 'HEADERS_TIMEOUT')
      },
      onResponseStart: (_controller, code, fields) => {
        // 1xx is no answer (RFC 9110 §15.2); the final one comes later.
        if (code < 200) return
        status = code
        headers = flat(fields)
        limit(timeout.body, 'BODY_TIMEOUT')
      },
      onResponseData: (_controller, piece) => {
        read += piece.length
        if (read > Math.max(READ, most)) {
          answer(true)
          return this.destroy()
        }
        if (kept >= most) return
        // A copy: the piece may be a view of a buffer that the parser uses again.
        parts.push(Buffer.from(piece.subarray(0, most - kept)))
        kept += parts.at(-1)!.length
      },
      onResponseEnd: () => {
        this.#answers++
        // An answer without a length ends with its connection. undici takes a reset for such an end, which may have cost
        // a part of it, or all of it: and to be empty is a success in some protocols.
        if (this.#broken !== undefined && status < 300) fail(this.#broken)
        else answer()
      },
      onResponseError: (_controller, error) => {
        // The parser's errors have no code of their own: what came was not HTTP.
        const code = error.name === 'HTTPParserError' ? 'UNREADABLE_ANSWER' : codeOf(error)
        fail(code, answersBefore > 0 && sent && status === 0 && STALE.has(code))
      },
    }
    // The last resort while connecting; the connector has its own, more precise one.
    limit(timeout.connect + 1_000, 'CONNECT_TIMEOUT')
    try {
      this.#client.dispatch(this.#dispatched(request), handler)
    } catch (error) {
      giveUp(codeOf(error))
    }
    return promise
  }

  /** Closes it in peace. */
  retire(): Promise<void> {
    return this.#client.close().catch(() => {})
  }

  destroy(): void {
    // The socket first: undici destroys it only a turn later, and until then it would read from the arena.
    this.#socket?.destroy()
    this.#opening.abort()
    void this.#client.destroy().catch(() => {})
  }

  #dispatched({ method, path, headers, body, proxyAuthorization }: ConnectionRequest): Dispatcher.DispatchOptions {
    const { route, endpoint } = this.#options
    this.#login = route.kind === 'direct' ? undefined : (route.authorization ?? proxyAuthorization)
    const forwarded = route.kind === 'forward'
    return {
      method: method as Dispatcher.HttpMethod,
      path: forwarded ? endpoint.origin + path : path,
      headers: {
        ...(forwarded ? { host: endpoint.host } : {}),
        ...headers,
        ...(forwarded && this.#login !== undefined ? { 'proxy-authorization': this.#login } : {}),
      },
      body,
      headersTimeout: 0,
      bodyTimeout: 0,
    }
  }

  #connector(): buildConnector.connector {
    const { endpoint, route, trust, tls, timeout, lookup, userAgent } = this.#options
    const connect = buildConnector({
      timeout: timeout.connect,
      allowH2: false,
      autoSelectFamily: true,
      // A session would carry the trust of an old certificate over a reload.
      maxCachedSessions: 0,
      ...(lookup === undefined ? {} : { lookup }),
      ...(trust.context === undefined ? {} : { secureContext: trust.context }),
      ...(tls?.serverName === undefined || route.kind === 'forward' ? {} : { servername: tls.serverName }),
      ...(tls?.insecureSkipVerify ? { rejectUnauthorized: false } : {}),
    })
    return (options, callback) => {
      const connected = (...result: [Error, null] | [null, Socket]): void => {
        this.#socket = result[1] ?? undefined
        this.#answers = 0
        this.#broken = undefined
        this.#showCertificate(route.kind === 'forward' ? 'proxy' : 'server', this.#socket)
        // Before undici listens: by then it would have ended the answer.
        this.#socket?.once('error', error => {
          this.#broken = codeOf(error)
        })
        callback(...result)
      }
      if (route.kind !== 'tunnel') return void connect(options, connected)
      const { proxy } = route
      openTunnel({
        proxy,
        endpoint,
        authorization: this.#login,
        userAgent,
        context: trust.context,
        anyCertificate: tls?.insecureSkipVerify ?? false,
        timeout: timeout.connect,
        signal: this.#opening.signal,
        lookup,
      }).then(
        socket => {
          this.#socket = socket
          this.#showCertificate('proxy', socket)
          connect({ ...options, httpSocket: socket }, connected)
        },
        (error: Error) => connected(error, null),
      )
    }
  }

  #showCertificate(of: 'server' | 'proxy', socket: Socket | undefined): void {
    if (!(socket instanceof TLSSocket)) return
    const notAfter = socket.getPeerX509Certificate()?.validToDate.getTime()
    if (notAfter !== undefined) this.#options.onCertificate(of, notAfter)
  }
}

/** Fields that came more than once are joined as RFC 9110 §5.3 allows. */
function flat(fields: Record<string, string | string[] | undefined>): Record<string, string> {
  const joined: Record<string, string> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) joined[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return joined
}
