/**
 * One HTTP listener for small answers: bounded in what it reads, how long it waits, how many it serves and how many
 * bytes of answers wait for them, so that neither a slow client nor garbage costs more than a socket for a few seconds.
 * A connection gets one answer at a time: requests may follow each other on it, but a client that pipelines them is
 * disconnected (`pending-responses.ts`). A new client is always let in: when all places are taken the oldest connection
 * makes room, or a few hundred silent ones would shut out the kubelet, whose probe is always a fresh one, and have the
 * container restarted.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { codeOf, ShipperError } from '../errors.ts'
import { PendingResponses } from './pending-responses.ts'

const MAX_CONNECTIONS = 256
/**
 * Connections that the kernel keeps until they are accepted; it takes as many as `net.core.somaxconn` allows, 4096 by
 * default. Beyond them it drops what comes, a probe too, which then is a second late: Node's own 511 were full at once.
 */
const BACKLOG = 4096
/** A client that takes nothing of a stream for so long is disconnected: milliseconds. */
const STREAM_TIMEOUT = 60_000
/** Bytes of answers that clients have not taken yet, over all connections: ten of the longest there are. */
const MAX_PENDING_BYTES = 4 * 1024 * 1024

const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

export interface Page {
  readonly status: number
  readonly type: string
  readonly body: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer that goes on until either side ends it. What it writes it bounds itself. */
export interface Stream {
  readonly type: string
  /** Called once, with the head written; the client may have disconnected. */
  readonly begin: (response: ServerResponse) => void
}

export type Handler = (request: IncomingMessage, url: URL) => Page | Stream | Promise<Page | Stream>

export function json(status: number, value: unknown): Page {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value, null, 2)}\n` }
}

export function text(status: number, body: string): Page {
  return { status, type: 'text/plain; charset=utf-8', body: `${body}\n` }
}

export interface Listener {
  readonly port: number
  close(): Promise<void>
}

/**
 * Listens on the first of `hosts` that can be bound. All paths take GET and HEAD, those in `posts` POST too. Throws
 * `ERR_START` naming `key` if none can be bound: the port is in use, or needs a privilege.
 */
export async function listen(
  hosts: readonly string[],
  port: number,
  key: string,
  handler: Handler,
  posts: readonly string[] = [],
): Promise<Listener> {
  const pending = new PendingResponses(MAX_PENDING_BYTES)
  const server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      requestTimeout: 10_000,
      headersTimeout: 5_000,
      keepAliveTimeout: 5_000,
      // How often the two limits above are enforced, whether anyone is connected or not; by default only twice a minute.
      connectionsCheckingInterval: 5_000,
    },
    (request, response) => {
      const { socket } = request
      if (!pending.begin(socket)) {
        ignoreRest(socket)
        return
      }
      for (const end of ['finish', 'close']) response.once(end, () => pending.end(socket))
      request.resume()
      const answer = async (): Promise<Page | Stream> => {
        const url = URL.parse(request.url ?? '/', 'http://localhost')
        if (url === null) return text(400, 'not a path')
        const methods = posts.includes(url.pathname) ? ['GET', 'HEAD', 'POST'] : ['GET', 'HEAD']
        if (methods.includes(request.method ?? '')) return handler(request, url)
        return { ...text(405, `only ${methods.join(', ')}`), headers: { allow: methods.join(', ') } }
      }
      answer().then(
        answered => {
          if ('begin' in answered) {
            socket.setTimeout(STREAM_TIMEOUT)
            response.writeHead(200, { ...HEADERS, 'content-type': answered.type, connection: 'close' })
            response.flushHeaders()
            answered.begin(response)
            return
          }
          const { status, type, body, headers } = answered
          // No request needs a body: one that has one is read no longer than the answer takes.
          if (!request.complete) response.setHeader('connection', 'close')
          const length = Buffer.byteLength(body)
          pending.answer(socket, length)
          response.writeHead(status, {
            ...headers,
            'content-type': type,
            'content-length': length,
            ...HEADERS,
          })
          response.end(request.method === 'HEAD' ? undefined : body)
        },
        (error: unknown) => {
          response.writeHead(500, { 'content-type': 'text/plain' })
          response.end(`${codeOf(error)}\n`)
        },
      )
    },
  )
  // For who asks and then does not read the answer.
  server.timeout = 15_000
  const open = new Set<Socket>()
  server.on('connection', socket => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    if (open.size <= MAX_CONNECTIONS) return
    const [oldest] = open
    open.delete(oldest!)
    oldest!.destroy()
  })
  server.on('clientError', (_error, socket) => socket.destroy())
  let fault: unknown
  for (const host of hosts) {
    try {
      await bind(server, host, port)
      // One client that could not be let in is no reason to end the process.
      server.on('error', () => {})
      return { port: (server.address() as AddressInfo).port, close: () => close(server) }
    } catch (error) {
      fault = error
      // No IPv6 on this machine: the next host is its IPv4 twin. Anything else would fail there too.
      if (!['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'].includes(codeOf(error))) break
    }
  }
  const code = codeOf(fault)
  const why =
    code === 'EADDRINUSE'
      ? 'it is in use'
      : code === 'EACCES'
        ? 'it needs a privilege that this process does not have'
        : 'the system refuses it'
  const message = `${key}: cannot listen on port ${port}: ${why} (${code}); choose another one, 0 for any free one, or off`
  throw new ShipperError('ERR_START', message, { cause: fault })
}

/**
 * Node's parser goes on to the end of what it was given, whatever became of the connection: more than a thousand requests
 * at a time, for each of which it makes an answer that is kept until the loop has turned, and that for many connections.
 * From here on it makes none for this one. `onIncoming` is not documented, and set anew for each connection; where there
 * is none the connection is cut off all the same, and only that costs more.
 */
function ignoreRest(socket: Socket): void {
  const { parser } = socket as Socket & { readonly parser?: { onIncoming?: () => number } | null }
  if (parser?.onIncoming) parser.onIncoming = () => 0
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}
