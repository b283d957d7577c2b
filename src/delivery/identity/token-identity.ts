/**
 * An identity that is an access token (RFC 6750): obtained by an exchange, shown in the header Authorization.
 *
 * Guarantees: those of `Renewal`. A token that was good and is refused with 401 is replaced within the attempt; what is
 * forbidden (403) may be allowed with a new token, but not in this moment, so the request waits as after any failure. No
 * token is in a log line.
 */
import type { Answer } from '../../backends/backend.ts'
import type { Logger } from '../../log.ts'
import type { Credential, Identity, Obtained } from '../transport/identity.ts'
import { isLasting } from '../transport/transport.ts'
import { identityAdvice } from './advice.ts'
import { type Exchanged, Renewal } from './renewal.ts'
import type { AccessToken, Granted } from './token-answer.ts'

export interface TokenIdentityFields {
  /** Its codes begin with it. */
  readonly kind: 'google' | 'azure'
  /** Where the pod has it, in words without secrets. */
  readonly source: () => string
  /** Never rejects. */
  readonly exchange: () => Promise<Granted>
  readonly logger: Logger
  /** Ends what the exchange has under way; it then fails with `ABORTED`. */
  readonly end: (how: 'abort' | 'close') => Promise<void>
  /** Monotonic milliseconds. */
  readonly now?: () => number
  /** As `Math.random`. */
  readonly random?: () => number
}

class Bearer implements Credential {
  readonly held: AccessToken

  constructor(held: AccessToken) {
    this.held = held
  }

  sign(): Readonly<Record<string, string>> {
    return { authorization: `Bearer ${this.held.token}` }
  }
}

export class TokenIdentity implements Identity {
  readonly #fields: TokenIdentityFields
  readonly #renewal: Renewal<AccessToken>
  #announced = false

  constructor(fields: TokenIdentityFields) {
    this.#fields = fields
    const { now, random } = fields
    this.#renewal = new Renewal({
      exchange: held => this.#exchange(held),
      ...(now && { now }),
      ...(random && { random }),
    })
  }

  get found(): string {
    return this.#fields.source()
  }

  async credential(): Promise<Obtained> {
    const current = await this.#renewal.current()
    if (current.kind === 'value') return { kind: 'credential', credential: new Bearer(current.value) }
    // Of the renewal's own, and of the exchange.
    const { kind } = this.#fields
    const { code } = current
    return { kind: 'failure', code: code === 'ABORTED' || code.startsWith(`${kind}_`) ? code : `${kind}_${code}` }
  }

  answered(credential: Credential, { status }: Answer): boolean {
    if (!(credential instanceof Bearer)) return false
    if (status === 401 || status === 403) return this.#renewal.refused(credential.held) && status === 401
    if (status < 300) this.#renewal.worked(credential.held)
    return false
  }

  abort(): void {
    void this.#fields.end('abort')
  }

  close(): Promise<void> {
    return this.#fields.end('close')
  }

  async #exchange(held: boolean): Promise<Exchanged<AccessToken>> {
    const got = await this.#fields.exchange()
    if (got.kind === 'failure') {
      this.#failed(got, held)
      return { kind: 'failure', code: got.code }
    }
    if (!this.#announced) {
      this.#announced = true
      const { kind: identity, logger } = this.#fields
      logger.info(
        { event: 'identity_found', identity, source: this.found },
        'an identity was found; requests show its access token',
      )
    }
    return got
  }

  #failed({ code: reason, place, what: code }: Extract<Granted, { kind: 'failure' }>, held: boolean): void {
    if (reason === 'ABORTED') return
    const { kind: identity, logger } = this.#fields
    const fields = { identity, source: this.found, reason, held, ...(place && { place }), ...(code && { code }) }
    const advice = identityAdvice(reason)
    const why = advice === undefined ? '' : `: ${advice}`
    if (isLasting(reason)) logger.error({ event: 'identity_refused', ...fields }, `there is no access token${why}`)
    else {
      logger.warn({ event: 'identity_unavailable', ...fields }, `an access token cannot be obtained; retrying${why}`)
    }
  }
}
