/**
 * HTTP/1.1 exchanges with one origin: the only door to undici.
 *
 * A line is one connection: an undici client without pipelining, and what we know of its socket. There are as many
 * lines as requests at the same time. (A pool would hide which socket a request went over, and three of the guarantees
 * below need to know.)
 *
 * Guarantees:
 * - A request counts as answered only when the answer was read to its end, and it has its reply in bounded time,
 *   whatever the other side does: every phase has a limit, and so has the answer's length.
 * - When `send` resolves, no socket still reads the body: a connection whose request was not yet wholly written is
 *   destroyed first. The body lies in the arena, where the next payload will be.
 * - A kept connection that turns out to have been closed by the server is replaced once, at once, without being
 *   counted as a failure. (As always after silence, the server may have seen the first request: at least once.)
 * - A connection is given up after half a minute, so that a name that resolves to new addresses is noticed.
 * - Redirects are not followed. Credentials are put in here and nowhere else, and what a complaint of the
 *   server repeats of them is taken out here.
 */
import type { Socket } from 'node:net'
import { buildConnector, Client, type Dispatcher } from 'undici'
import type { Answer } from '../backends/backend.ts'
import { codeOf } from '../errors.ts'
import { type Logger, rateLimited } from '../log.ts'
import { type Credentials, loadCredentials, sameCredentials, sameTls, withoutSecrets } from './credentials.ts'
import type { Exchange, Reply, Transport } from './exchange.ts'
import type { DeliveryOptions } from './options.ts'

/** How much of an answer is kept, and how much is read before we hang up: bytes. */
const KEPT = 64 * 1024
const READ = 4 * 1024 * 1024

/** Less than the idle limit of any server or balancer we know (the shortest common one is 5 s): milliseconds. */
const KEEP_ALIVE = 4_000
const CONNECTION_LIFETIME = 30_000

const SAY_AGAIN = 60_000

const STALE = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

export interface HttpTransportOptions {
  /** The endpoint; only its origin is used. */
  readonly endpoint: URL
  /** For instance `logshipper/0.1.0`. */
  readonly userAgent: string
  readonly delivery: Pick<DeliveryOptions, 'concurrency' | 'timeout' | 'auth' | 'tls'>
  readonly logger: Logger
}

interface Line {
  readonly client: Client
  readonly born: number
  socket: Socket | undefined
  /** Answers that came over the present socket. */
  answers: number
}

/** What came of one request on one line, before it is decided whether to try another. */
interface Trial {
  readonly reply: Reply
  readonly stale: boolean
}

export class HttpTransport implements Transport {
  readonly #options: HttpTransportOptions
  readonly #log: Logger
  readonly #idle: Line[] = []
  readonly #lines = new Set<Line>()
  readonly #waiting: (() => void)[] = []
  #credentials: Credentials | undefined
  #aborted = false

  constructor(options: HttpTransportOptions) {
    this.#options = options
    this.#log = rateLimited(options.logger, SAY_AGAIN)
  }

  async send(exchange: Exchange): Promise<Reply> {
    if (this.#credentials === undefined) this.reload()
    while (this.#lines.size - this.#idle.length >= this.#options.delivery.concurrency) {
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
    let trial = await this.#try(exchange)
    if (trial.stale) trial = await this.#try(exchange)
    this.#waiting.shift()?.()
    return trial.reply
  }

  reload(): boolean {
    const { auth, tls } = this.#options.delivery
    const loaded = loadCredentials(auth, tls)
    if (loaded.kind === 'unreadable') {
      this.#log.error({ place: loaded.place, code: loaded.code, about: loaded.place }, 'credentials cannot be read')
      return false
    }
    const before = this.#credentials
    this.#credentials = loaded.credentials
    if (before === undefined || sameCredentials(before, loaded.credentials)) return false
    // Idle connections were opened with the old certificate. Those in use are looked at when they come back.
    if (!sameTls(before, loaded.credentials)) for (const line of this.#idle.splice(0)) this.#retire(line)
    return true
  }

  abort(): void {
    this.#aborted = true
    for (const line of this.#lines) this.#destroy(line)
    this.#idle.length = 0
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  async close(): Promise<void> {
    this.#idle.length = 0
    await Promise.all([...this.#lines].map(line => line.client.close().catch(() => {})))
    this.#lines.clear()
  }

  async #try(exchange: Exchange): Promise<Trial> {
    if (this.#aborted) return failed('ABORTED', false)
    const credentials = this.#credentials
    if (credentials === undefined) return failed('CREDENTIALS_UNREADABLE', false)
    let line: Line
    try {
      line = this.#take(credentials)
    } catch (error) {
      // A certificate or key that is no certificate or key.
      return failed(codeOf(error), false)
    }
    const trial = await this.#exchange(line, exchange, credentials)
    const intact = trial.reply.kind === 'answer' && !this.#aborted && line.socket?.writableLength === 0
    const current = this.#credentials !== undefined && sameTls(credentials, this.#credentials)
    if (!intact) this.#destroy(line)
    else if (!current) this.#retire(line)
    else this.#idle.push(line)
    return trial
  }

  #exchange(line: Line, exchange: Exchange, credentials: Credentials): Promise<Trial> {
    const { promise, resolve } = Promise.withResolvers<Trial>()
    const { timeout } = this.#options.delivery
    const answersBefore = line.answers
    const parts: Buffer[] = []
    let kept = 0
    let read = 0
    let status = 0
    let headers: Record<string, string> = {}
    let sent = false
    let timer: NodeJS.Timeout | undefined

    const settle = (trial: Trial): void => {
      clearTimeout(timer)
      resolve(trial)
    }
    const giveUp = (code: string): void => {
      settle(failed(this.#aborted ? 'ABORTED' : code, sent))
      this.#destroy(line)
    }
    // Our own timers: undici's start anew with every piece, so a server that trickles would hold us for ever.
    const limit = (ms: number, code: string): void => {
      clearTimeout(timer)
      timer = setTimeout(giveUp, ms, code)
    }
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => {
        sent = true
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
        if (read > READ) return giveUp('ANSWER_TOO_LONG')
        if (kept >= KEPT) return
        // A copy: the piece may be a view of a buffer that the parser uses again.
        parts.push(Buffer.from(piece.subarray(0, KEPT - kept)))
        kept += parts.at(-1)!.length
      },
      onResponseEnd: () => {
        line.answers++
        const bytes = Buffer.concat(parts)
        const said = bytes.toString('utf8')
        const own = { ...exchange.head.headers, ...credentials.headers }
        // What a success says is for the judge alone, to the letter; only a complaint is ever shown.
        const body = status < 300 ? said : withoutSecrets(said, own, exchange.head.path)
        const answer: Answer = { status, headers, body, ...(status < 300 ? { bytes } : {}) }
        settle({ reply: { kind: 'answer', answer }, stale: false })
      },
      onResponseError: (_controller, error) => {
        // The parser's errors have no code of their own: what came was not HTTP.
        const unreadable = error.name === 'HTTPParserError'
        const code = this.#aborted ? 'ABORTED' : unreadable ? 'UNREADABLE_ANSWER' : codeOf(error)
        const stale = answersBefore > 0 && sent && status === 0 && STALE.has(code)
        settle({ reply: { kind: 'failure', code, sentBefore: sent }, stale })
      },
    }
    // The last resort while connecting; the connector has its own, more precise one.
    limit(timeout.connect + 1_000, 'CONNECT_TIMEOUT')
    try {
      line.client.dispatch(
        {
          method: exchange.head.method as Dispatcher.HttpMethod,
          path: exchange.head.path,
          headers: this.#headers(exchange, credentials),
          body: exchange.body,
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        handler,
      )
    } catch (error) {
      giveUp(codeOf(error))
    }
    return promise
  }

  #headers({ head, contentType, encoding }: Exchange, credentials: Credentials): Record<string, string> {
    return {
      'content-type': contentType,
      'user-agent': this.#options.userAgent,
      ...head.headers,
      ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
      ...credentials.headers,
    }
  }

  /** An idle connection that is young enough, or a new one. The latest used first: the others may run out. */
  #take(credentials: Credentials): Line {
    for (let line = this.#idle.pop(); line; line = this.#idle.pop()) {
      if (performance.now() - line.born < CONNECTION_LIFETIME) return line
      this.#retire(line)
    }
    const { timeout, tls } = this.#options.delivery
    const connect = buildConnector({
      timeout: timeout.connect,
      allowH2: false,
      autoSelectFamily: true,
      // A session would carry the trust of an old certificate over a reload.
      maxCachedSessions: 0,
      ...(credentials.ca === undefined ? {} : { ca: credentials.ca }),
      ...(credentials.cert === undefined ? {} : { cert: credentials.cert, key: credentials.key }),
      ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
      ...(tls === undefined ? {} : { minVersion: `TLSv${tls.minVersion}` as const }),
      ...(tls?.insecureSkipVerify ? { rejectUnauthorized: false } : {}),
    })
    const client = new Client(this.#options.endpoint.origin, {
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE,
      keepAliveMaxTimeout: KEEP_ALIVE,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (options, callback) =>
        connect(options, (...result: [Error, null] | [null, Socket]) => {
          line.socket = result[1] ?? undefined
          line.answers = 0
          callback(...result)
        }),
    })
    const line: Line = { client, born: performance.now(), socket: undefined, answers: 0 }
    this.#lines.add(line)
    return line
  }

  #retire(line: Line): void {
    this.#lines.delete(line)
    void line.client.close().catch(() => {})
  }

  #destroy(line: Line): void {
    this.#lines.delete(line)
    // The socket first: undici destroys it only a turn later, and until then it would read from the arena.
    line.socket?.destroy()
    void line.client.destroy().catch(() => {})
  }
}

const failed = (code: string, sentBefore: boolean): Trial => ({
  reply: { kind: 'failure', code, sentBefore },
  stale: false,
})

/** Fields that came more than once are joined as RFC 9110 §5.3 allows. */
function flat(fields: Record<string, string | string[] | undefined>): Record<string, string> {
  const joined: Record<string, string> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) joined[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return joined
}
