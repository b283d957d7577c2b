/**
 * What we show a server: header fields, a certificate, and whom we trust ourselves.
 *
 *     files, variables ──► read ─┬─ all of it is good ──► the credentials, until the next look
 *                                └─ something is not ───► those before stay in use; looked at again soon
 *
 * Guarantees: a secret is nowhere but in the request header it makes. A certificate, its key and the certificates we
 * trust are taken together or not at all: a pair that is being swapped, and does not belong together for a moment, is
 * never used. What cannot be read is a problem of the moment, never an exception. Files are looked at on use, at most
 * every few seconds, and read again only if they look different.
 */
import { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Environment } from '../../environment.ts'
import { codeOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { AuthOptions, DeliveryOptions, Login, TlsOptions } from '../options.ts'
import { Reading, UnreadableError } from './secrets.ts'

/** How often files are looked at while they are in use: milliseconds. */
const LOOK = 3_000

export type CredentialOptions = Pick<DeliveryOptions, 'auth' | 'headers' | 'tls' | 'proxy'>

/** The TLS side. As long as nothing has changed it is the same object. */
export interface Trust {
  readonly pem: readonly (string | undefined)[]
  /** `undefined`: nothing was configured, and Node's own defaults apply. */
  readonly context: SecureContext | undefined
  /** When our own certificate ends: milliseconds since the epoch; `undefined` if there is none. */
  readonly notAfter: number | undefined
}

export interface Credentials {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** For a proxy that the configuration names. */
  readonly proxyAuthorization: string | undefined
  readonly trust: Trust
}

export class CredentialStore {
  readonly #options: CredentialOptions
  readonly #log: Logger
  readonly #env: Environment
  #current: Credentials | undefined
  #reading: Reading | undefined
  #failures = 0
  #looked = Number.NEGATIVE_INFINITY

  /** `log` is rate limited. */
  constructor(options: CredentialOptions, log: Logger, env: Environment = process.env) {
    this.#options = options
    this.#log = log
    this.#env = env
  }

  /** The latest that could be read as a whole, `undefined` if there never was any. Looks whether there are newer ones. */
  get current(): Credentials | undefined {
    const now = performance.now()
    if (this.#current === undefined || (now - this.#looked >= LOOK && (this.#failures > 0 || this.#reading?.changed))) {
      this.reload()
    }
    if (now - this.#looked >= LOOK) this.#looked = now
    return this.#current
  }

  /**
   * When our own certificate ends: milliseconds since the epoch. What an idle backend was configured with may have been
   * replaced since it was used; before the first use nothing is read.
   */
  get clientNotAfter(): number | undefined {
    return this.#current && this.current?.trust.notAfter
  }

  /** Reads everything again. Returns whether that yields others than before. */
  reload(): boolean {
    this.#looked = performance.now()
    this.#reading = new Reading(this.#env)
    const before = this.#current
    try {
      this.#current = read(this.#options, this.#reading, before?.trust)
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error
      this.#failed(error)
      return false
    }
    this.#failures = 0
    if (before === undefined || same(before, this.#current)) return false
    this.#log.info({ event: 'credentials_changed' }, 'credentials reloaded')
    return true
  }

  #failed({ place, code }: UnreadableError): void {
    const fields = { event: 'credentials_unreadable', place, code } as const
    if (this.#current === undefined) this.#log.error(fields, 'credentials cannot be read')
    // The first time it may be a swap that we looked into the middle of.
    else if (++this.#failures > 1) this.#log.error(fields, 'credential reload failed; keeping the previous credentials')
  }
}

function same(one: Credentials, other: Credentials): boolean {
  const plain = ({ headers, proxyAuthorization }: Credentials) => JSON.stringify([headers, proxyAuthorization])
  return one.trust === other.trust && plain(one) === plain(other)
}

function read(options: CredentialOptions, reading: Reading, before: Trust | undefined): Credentials {
  const { auth, headers = {}, tls, proxy } = options
  const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), reading.field(value)])
  const login = typeof proxy === 'object' ? proxy.auth : undefined
  return {
    headers: { ...Object.fromEntries(own), ...authHeaders(auth, reading) },
    proxyAuthorization: login && basic(login, reading),
    trust: trust(tls, reading, before),
  }
}

function authHeaders(auth: AuthOptions | undefined, reading: Reading): Record<string, string> {
  if (auth?.basic) return { authorization: basic(auth.basic, reading) }
  if (auth?.bearer !== undefined) return { authorization: behind('Bearer ', reading.field(auth.bearer)) }
  if (auth?.apiKey) {
    const { header, prefix = '', value } = auth.apiKey
    return { [header.toLowerCase()]: behind(prefix, reading.field(value)) }
  }
  return {}
}

/** Secrets are copied from headers, with the word before them: it is sent once. */
function behind(word: string, value: string): string {
  return value.slice(0, word.length).toLowerCase() === word.toLowerCase() ? value : word + value
}

function basic({ username, password }: Login, reading: Reading): string {
  return basicAuthorization(reading.secret(username), reading.secret(password))
}

/** RFC 7617, in UTF-8. */
export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function trust(tls: TlsOptions | undefined, reading: Reading, before: Trust | undefined): Trust {
  if (tls === undefined) return before ?? { pem: [], context: undefined, notAfter: undefined }
  const pem = [tls.ca, tls.cert, tls.key].map(path => path && reading.file(path))
  if (before && pem.every((text, index) => text === before.pem[index])) return before
  const [ca, cert, key] = pem
  if (ca !== undefined && !isBundle(ca)) throw new UnreadableError(tls.ca!, 'NO_CERTIFICATE')
  try {
    const context = createSecureContext({ ca, cert, key, minVersion: `TLSv${tls.minVersion}` })
    return { pem, context, notAfter: cert === undefined ? undefined : notAfterOf(cert) }
  } catch (error) {
    // Whichever of the two is at fault: they are changed together.
    throw new UnreadableError(tls.key ?? tls.cert ?? 'tls', codeOf(error))
  }
}

/** Of the first certificate, which is the one that is shown. OpenSSL may take what cannot be read here: it is not known then. */
function notAfterOf(pem: string): number | undefined {
  try {
    return new X509Certificate(pem).validToDate.getTime()
  } catch {
    return undefined
  }
}

/** Whether it holds certificates and all of them are whole. OpenSSL passes over what it cannot read, and then trusts no server. */
function isBundle(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  const begun = pem.match(/-----BEGIN /g)?.length ?? 0
  try {
    for (const block of blocks) new X509Certificate(block)
  } catch {
    return false
  }
  return blocks.length > 0 && blocks.length === begun
}
