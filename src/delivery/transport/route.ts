/**
 * The way to an endpoint: straight, or through a proxy.
 *
 *     http://…   ──► proxy, given the whole address ──► endpoint       forward (RFC 9112 §3.2.2)
 *     https://…  ══► proxy ══ CONNECT ════════════════► endpoint      tunnel  (RFC 9110 §9.3.6)
 *
 * Guarantees: what a proxy says of itself is kept apart from what the endpoint says, and has a code that begins with
 * `proxy_`. Through a tunnel it sees neither records nor credentials.
 */
import { request as plainly } from 'node:http'
import { request as securely } from 'node:https'
import { isIP, type LookupFunction, type Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { Answer } from '../../backends/backend.ts'
import type { Environment } from '../../environment.ts'
import { codeOf } from '../../errors.ts'
import { proxyAddress, proxyFor } from '../../proxy.ts'
import type { ProxyOptions } from '../options.ts'
import { basicAuthorization } from './credentials.ts'

export type Route =
  | { readonly kind: 'direct' }
  /** `authorization`: from the environment's address; what the configuration says is among the credentials. */
  | { readonly kind: 'forward' | 'tunnel'; readonly proxy: URL; readonly authorization: string | undefined }

/** Addresses of proxies were checked when the configuration was: one that cannot be used leaves the straight way. */
export function routeTo(endpoint: URL, proxy: ProxyOptions | undefined, env: Environment): Route {
  const kind = endpoint.protocol === 'https:' ? 'tunnel' : 'forward'
  if (typeof proxy === 'object') {
    const address = proxyAddress(proxy.url)
    if (address) return { kind, proxy: address.url, authorization: undefined }
  }
  const choice = proxy === undefined ? proxyFor(endpoint, env) : undefined
  if (choice?.kind !== 'proxy') return { kind: 'direct' }
  const { url, auth } = choice.address
  return { kind, proxy: url, authorization: auth && basicAuthorization(auth.username, auth.password) }
}

/** Why there is no tunnel. `code` begins with `proxy_`. */
export class ProxyError extends Error {
  readonly code: string

  constructor(code: string, cause?: unknown) {
    super(`no tunnel: ${code}`, { cause })
    this.name = 'ProxyError'
    this.code = `proxy_${code}`
  }
}

export interface TunnelOptions {
  readonly proxy: URL
  readonly authorization: string | undefined
  /** Where it leads. */
  readonly endpoint: URL
  readonly userAgent: string
  /** For a proxy that is itself spoken to over TLS. */
  readonly context: SecureContext | undefined
  readonly anyCertificate: boolean
  /** Milliseconds until the proxy has answered. */
  readonly timeout: number
  readonly signal: AbortSignal
  readonly lookup: LookupFunction | undefined
}

/** A socket that leads through the proxy to the endpoint. Rejects with a `ProxyError`. */
export function openTunnel(options: TunnelOptions): Promise<Socket> {
  const { proxy, authorization, endpoint, context, lookup, signal } = options
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const target = `${endpoint.hostname}:${endpoint.port || '443'}`
  const host = proxy.hostname.replace(/^\[(.*)\]$/, '$1')
  const request = (proxy.protocol === 'https:' ? securely : plainly)({
    host,
    // Said on purpose: it would be taken from the Host header, which names the endpoint. Addresses have none (RFC 6066).
    servername: isIP(host) ? '' : host,
    port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
    method: 'CONNECT',
    path: target,
    headers: {
      host: target,
      'user-agent': options.userAgent,
      connection: 'keep-alive',
      ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }),
    },
    agent: false,
    signal,
    ...(lookup === undefined ? {} : { lookup }),
    ...(context === undefined ? {} : { secureContext: context }),
    ...(options.anyCertificate ? { rejectUnauthorized: false } : {}),
  })
  const timer = setTimeout(() => request.destroy(new ProxyError('CONNECT_TIMEOUT')), options.timeout)
  const fail = (error: ProxyError): void => {
    reject(error)
    request.destroy()
  }
  request.on('connect', ({ statusCode = 0 }, socket, head) => {
    clearTimeout(timer)
    // A TLS server waits for us to begin: a server that speaks first is another one.
    if (statusCode >= 200 && statusCode < 300 && head.length === 0) return resolve(socket)
    socket.destroy()
    reject(new ProxyError(statusCode >= 200 && statusCode < 300 ? 'UNREADABLE_ANSWER' : String(statusCode)))
  })
  request.on('response', ({ statusCode }) => fail(new ProxyError(String(statusCode))))
  request.on('error', error => {
    clearTimeout(timer)
    const unreadable = codeOf(error).startsWith('HPE_')
    fail(error instanceof ProxyError ? error : new ProxyError(unreadable ? 'UNREADABLE_ANSWER' : codeOf(error), error))
  })
  request.end()
  return promise
}

/**
 * The code of an answer that did not come from the endpoint but from the proxy that a request was forwarded through
 * (RFC 9110 §15.5.8, RFC 9209 §2.1.1), or `undefined`. A 502 that says nothing of who made it may be either's.
 */
export function saidByProxy({ status, headers }: Answer): string | undefined {
  const own =
    status === 407 ||
    headers['x-squid-error'] !== undefined ||
    (status >= 400 && /^tinyproxy\b/i.test(headers['server'] ?? '')) ||
    /;\s*error=/.test(headers['proxy-status'] ?? '')
  return own ? `proxy_${status}` : undefined
}

/**
 * The code of an answer that is about the connection and not about what was sent over it, or `undefined`. Web servers
 * give such complaints the status 400, as if the records were at fault, and they come from in front of the backend.
 *
 * They are pages, or exactly these words: a backend that repeats a line in which they stand speaks of the line.
 */
export function saidOfConnection({ status, headers, body }: Answer): string | undefined {
  if (status !== 400) return undefined
  // Go.
  if (body.trim() === 'Client sent an HTTP request to an HTTPS server.') return 'HTTPS_EXPECTED'
  if (!/^\s*text\/html\b/i.test(headers['content-type'] ?? '') && !/^\s*<(?:!doctype )?html\b/i.test(body))
    return undefined
  // nginx, Go behind a proxy, Apache.
  if (
    /plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server|plain HTTP to an SSL-enabled/.test(body)
  )
    return 'HTTPS_EXPECTED'
  if (/No required SSL certificate was sent|The SSL certificate error/.test(body)) return 'CLIENT_CERTIFICATE_REFUSED'
  // The page that nginx and its relatives write themselves: they do not look into bodies.
  return /<center>(nginx|openresty|cloudflare)\b[^<]*<\/center>/.test(body) ? 'GATEWAY_400' : undefined
}
