/**
 * The identity that a backend's `auth` asks for, if it asks for one.
 *
 * Guarantees: backends whose configuration asks for the same one share it. Token servers are reached over the backend's
 * proxy and with its trust, as tokens of OAuth 2.0 are; addresses beside the pod directly, within seconds.
 */
import type { Environment } from '../../environment.ts'
import type { Logger } from '../../log.ts'
import type { DeliveryOptions } from '../options.ts'
import { HttpTransport } from '../transport/http.ts'
import type { Identity } from '../transport/identity.ts'
import type { Transport } from '../transport/transport.ts'
import { type Ask, privately } from './ask.ts'
import { AwsIdentity } from './aws/identity.ts'
import { AzureExchange } from './azure/exchange.ts'
import { GoogleExchange } from './google/exchange.ts'
import type { Identities } from './identities.ts'
import { TokenIdentity } from './token-identity.ts'

/** How long what stands beside the pod may take: milliseconds. */
const BESIDE = { connect: 2_000, headers: 5_000, body: 5_000 }

export interface ConfiguredOptions {
  readonly delivery: Pick<DeliveryOptions, 'auth' | 'timeout' | 'tls' | 'proxy'>
  /** Not of one backend: an identity may be shared. */
  readonly logger: Logger
  readonly userAgent: string
  readonly identities: Identities
  readonly env?: Environment
}

export function configuredIdentity(options: ConfiguredOptions): Identity | undefined {
  const { delivery, logger, identities, env = process.env } = options
  const { auth, tls, proxy, timeout } = delivery
  const { aws, google, azure } = auth ?? {}
  if (aws === undefined && google === undefined && azure === undefined) return undefined
  return identities.share(JSON.stringify([{ aws, google, azure }, tls, proxy, timeout]), () => {
    const asking = new Asking(options)
    const end = (how: 'abort' | 'close'): Promise<void> => asking.end(how)
    if (aws !== undefined) return new AwsIdentity({ aws, env, logger, ask: asking.ask, end })
    const ask = privately(asking.ask)
    const { exchange, source } =
      google === undefined ? new AzureExchange({ ...azure, ask, env }) : new GoogleExchange({ ...google, ask, env })
    return new TokenIdentity({ kind: google === undefined ? 'azure' : 'google', source, exchange, logger, end })
  })
}

/** Requests of an identity's own: one connection per address, for as long as it is used. */
export class Asking {
  readonly #options: ConfiguredOptions
  readonly #transports = new Map<string, Transport>()
  #aborted = false

  constructor(options: ConfiguredOptions) {
    this.#options = options
  }

  readonly ask: Ask = ({ url, method, headers: fields, body, beside }) => {
    const { 'content-type': contentType = 'text/plain', ...headers } = fields
    const head = { method, path: url.pathname + url.search, headers }
    const transport = this.#transport(url, beside)
    return transport.send({ head, contentType, encoding: undefined, body: Buffer.from(body) })
  }

  async end(how: 'abort' | 'close'): Promise<void> {
    const all = [...this.#transports.values()]
    if (how === 'close') await Promise.all(all.map(transport => transport.close()))
    else for (const transport of all) transport.abort()
    this.#aborted ||= how === 'abort'
  }

  #transport(url: URL, beside: boolean): Transport {
    const key = `${url.origin} ${beside}`
    const known = this.#transports.get(key)
    if (known) return known
    const { delivery, logger, userAgent, env } = this.#options
    const { timeout, tls, proxy } = delivery
    const transport = new HttpTransport({
      endpoint: new URL(url.origin),
      userAgent,
      logger,
      ...(env && { env }),
      delivery: {
        concurrency: 1,
        timeout: beside ? BESIDE : timeout,
        headers: {},
        // The server's name is the endpoint's own.
        tls: beside ? undefined : tls && { ...tls, serverName: undefined },
        proxy: beside ? 'off' : proxy,
      },
    })
    if (this.#aborted) transport.abort()
    this.#transports.set(key, transport)
    return transport
  }
}
