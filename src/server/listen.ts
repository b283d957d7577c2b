/**
 * One HTTP listener for small answers: bounded in what it reads and how long it waits, so that neither a slow client
 * nor garbage costs more than a socket for a few seconds.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { codeOf, ShipperError } from '../errors.ts'

export interface Page {
  readonly status: number
  readonly type: string
  readonly body: string
}

export type Handler = (request: IncomingMessage, url: URL) => Page | Promise<Page>

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
 * Listens on the first of `hosts` that can be had. Throws `ERR_START` naming `key` if none can: the port is taken, or
 * not ours to take.
 */
export async function listen(hosts: readonly string[], port: number, key: string, handler: Handler): Promise<Listener> {
  const server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      requestTimeout: 10_000,
      headersTimeout: 5_000,
      keepAliveTimeout: 5_000,
      keepAlive: true,
    },
    (request, response) => {
      request.resume()
      const answer = async (): Promise<Page> => {
        if (!['GET', 'HEAD', 'POST'].includes(request.method ?? '')) return text(405, 'only GET and HEAD')
        const url = URL.parse(request.url ?? '/', 'http://localhost')
        return url === null ? text(400, 'not a path') : handler(request, url)
      }
      answer().then(
        ({ status, type, body }) => {
          response.writeHead(status, {
            'content-type': type,
            'content-length': Buffer.byteLength(body),
            'cache-control': 'no-store',
            'x-content-type-options': 'nosniff',
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
  server.maxConnections = 256
  server.on('clientError', (_error, socket) => socket.destroy())
  let fault: unknown
  for (const host of hosts) {
    try {
      await bind(server, host, port)
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
      ? 'is taken'
      : code === 'EACCES'
        ? 'needs a privilege we do not have'
        : `cannot be had (${code})`
  throw new ShipperError('ERR_START', `${key}: port ${port} ${why}; choose another one, 0 for any free one, or off`, {
    cause: fault,
  })
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
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
