/**
 * Through which proxy an address is reached, as far as the environment says it: `HTTPS_PROXY` and `HTTP_PROXY` by the
 * address's own scheme, `NO_PROXY` for exceptions, in upper or lower case.
 *
 * The rules are those that curl and Go share, and Go's where they differ, for those are the ones that the rest of a
 * cluster follows: the lower-case variable wins (curl), a name covers what is below it, a leading dot or `*.` covers only
 * what is below, addresses may be networks (`10.0.0.0/8`, `fd00::/8`), an entry may end in a port, `*` is everything,
 * and our own machine is never reached through a proxy. Names are compared as they are written, never looked up.
 */

import { BlockList, isIP } from 'node:net'
import type { Environment } from './environment.ts'

/** A proxy as an address says it. User name and password are taken out of it, decoded. */
export interface ProxyAddress {
  /** `http:` or `https:`: how the proxy itself is spoken to. Without credentials. */
  readonly url: URL
  readonly auth: { readonly username: string; readonly password: string } | undefined
}

export type ProxyChoice =
  | { readonly kind: 'direct' }
  | { readonly kind: 'proxy'; readonly variable: string; readonly address: ProxyAddress }
  /** The variable holds something that cannot be used; its value may hold a password and is not repeated. */
  | { readonly kind: 'unusable'; readonly variable: string }

const DIRECT: ProxyChoice = { kind: 'direct' }

export function proxyFor(target: URL, env: Environment): ProxyChoice {
  const name = target.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const [variable, text] = given(name, env) ?? []
  if (variable === undefined || text === undefined || isLocal(target.hostname)) return DIRECT
  if (isException(target, given('NO_PROXY', env)?.[1] ?? '')) return DIRECT
  const address = proxyAddress(text)
  return address === undefined ? { kind: 'unusable', variable } : { kind: 'proxy', variable, address }
}

/** `http://user:password@proxy:3128`; without a scheme it is http, without a port the scheme's own. */
export function proxyAddress(text: string): ProxyAddress | undefined {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') return undefined
  try {
    const [username, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
    const auth = username === '' && password === '' ? undefined : { username, password }
    return { url: new URL(url.origin), auth }
  } catch {
    // A percent sign that stands for itself.
    return undefined
  }
}

/** Whether `list`, a `NO_PROXY`, names the host of `target`. Entries are separated by commas or white space. */
export function isException(target: URL, list: string): boolean {
  const host = bare(target.hostname)
  const port = target.port || (target.protocol === 'https:' ? '443' : '80')
  return list.split(/[\s,]+/).some(entry => entry !== '' && covers(entry.toLowerCase(), host, port))
}

function covers(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  const family = isIP(host)
  const slash = entry.indexOf('/')
  if (slash !== -1) return family !== 0 && inNetwork(bare(entry.slice(0, slash)), entry.slice(slash + 1), host)
  // A port stands behind the brackets of an IPv6 address, or behind the only colon.
  const parts = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry)
  const [name, only] = parts ? [parts[1]!, parts[2]] : [entry, undefined]
  if (only !== undefined && only !== port) return false
  const known = bare(name)
  const kind = isIP(known)
  if (kind !== 0) return family !== 0 && inNetwork(known, kind === 4 ? '32' : '128', host)
  if (family !== 0) return false
  if (known.startsWith('*.') || known.startsWith('.')) return host.endsWith(known.replace(/^\*/, ''))
  return known !== '' && (host === known || host.endsWith(`.${known}`))
}

function inNetwork(address: string, length: string, host: string): boolean {
  const kind = isIP(address)
  if (kind === 0 || !/^\d{1,3}$/.test(length) || Number(length) > (kind === 4 ? 32 : 128)) return false
  const network = new BlockList()
  network.addSubnet(address, Number(length), kind === 4 ? 'ipv4' : 'ipv6')
  return network.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6')
}

function isLocal(hostname: string): boolean {
  const host = bare(hostname)
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** Without the brackets of an IPv6 address and the dot of a fully qualified name. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}

/** The variable of this name that holds something, lower case first, and what it holds. */
function given(name: string, env: Environment): [variable: string, text: string] | undefined {
  for (const variable of [name.toLowerCase(), name]) {
    const text = env[variable]?.trim()
    if (text) return [variable, text]
  }
  return undefined
}
