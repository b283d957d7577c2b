/**
 * A forward proxy of our own: it carries requests and tunnels through, writes down what it saw of them, and refuses as it
 * is told.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'

type Test = { teardown(handler: () => unknown): unknown }

/** What the proxy saw of one request. `target`: the whole address, or host and port of a tunnel. */
export interface Seen {
  readonly method: string
  readonly target: string
  readonly headers: IncomingMessage['headers']
}

export class ForwardProxy {
  readonly seen: Seen[] = []
  /** All bytes that went through tunnels. */
  readonly tunnelled: Buffer[] = []
  /** While set, tunnels lead there whatever was asked for. */
  detour: number | undefined
  /** While set, each connection of a tunnel is treated so in place of an answer. */
  treat: ((near: Socket) => void) | undefined
  /** While set, only who shows this may pass. */
  authorization: string | undefined
  readonly #server: Server
  readonly #scheme: string
  readonly #open = new Set<Socket>()

  private constructor(tls?: { cert: Buffer; key: Buffer }) {
    this.#scheme = tls ? 'https' : 'http'
    this.#server = tls ? createTlsServer(tls) : createServer()
    this.#server.on('request', (near: IncomingMessage, response) => {
      if (!this.#admits(near)) {
        response.writeHead(407, { 'proxy-authenticate': 'Basic realm="x"' }).end('hush')
        return
      }
      const headers = { ...near.headers }
      delete headers['proxy-authorization']
      const far = request(near.url!, { method: near.method!, headers }, answer => {
        response.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(response)
      })
      far.on('error', () => response.writeHead(502).end())
      near.pipe(far)
    })
    this.#server.on('connect', (request: IncomingMessage, near: Socket) => {
      this.#keep(near)
      const admitted = this.#admits(request)
      if (this.treat) return this.treat(near)
      if (!admitted) return near.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n')
      const { hostname, port } = new URL(`tcp://${request.url}`)
      const far = connect(this.detour ?? Number(port), this.detour ? '127.0.0.1' : hostname.replace(/^\[|\]$/g, ''))
      this.#keep(far)
      far.on('connect', () => {
        near.write('HTTP/1.1 200 Connection established\r\n\r\n')
        near.on('data', (data: Buffer) => this.tunnelled.push(data))
        near.pipe(far).pipe(near)
      })
      far.on('error', () => near.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
      near.once('close', () => far.destroy())
      far.once('close', () => near.destroy())
    })
  }

  static async start(t: Test, tls?: { cert: Buffer; key: Buffer }): Promise<ForwardProxy> {
    const proxy = new ForwardProxy(tls)
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening')
    t.teardown(() => proxy.stop())
    return proxy
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #admits({ method, url, headers }: IncomingMessage): boolean {
    this.seen.push({ method: method!, target: url!, headers })
    return this.authorization === undefined || headers['proxy-authorization'] === this.authorization
  }

  #keep(socket: Socket): void {
    this.#open.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => this.#open.delete(socket))
  }
}
