/**
 * An identity of AWS: keys that are found where the pod has them, renewed before they end, and sign requests.
 *
 * Guarantees: one exchange at a time for all backends that show this identity; signatures carry the time of AWS's clock,
 * as its answers tell it, however wrong ours is; no key, token or signature is in a log line.
 */

import type { Answer } from '../../../backends/backend.ts'
import type { Environment } from '../../../environment.ts'
import { invariant } from '../../../errors.ts'
import type { Logger } from '../../../log.ts'
import { domainOf } from '../../../region.ts'
import type { AwsOptions } from '../../options.ts'
import type { Credential, Identity, Obtained, Outgoing } from '../../transport/identity.ts'
import { isLasting } from '../../transport/transport.ts'
import { identityAdvice } from '../advice.ts'
import { missingIn } from '../missing.ts'
import { type Exchanged, Renewal } from '../renewal.ts'
import { meaningOf } from './answers.ts'
import { Signer } from './sigv4.ts'
import { type Ask, type Source, sourceOf } from './sources.ts'

export interface AwsIdentityOptions {
  readonly aws: AwsOptions
  readonly ask: Ask
  readonly logger: Logger
  readonly env: Environment
  /** As `Date.now`. */
  readonly wall?: () => number
  /** Monotonic milliseconds. */
  readonly now?: () => number
  readonly random?: () => number
  /** Ends what `ask` uses. */
  readonly end: (how: 'abort' | 'close') => Promise<void>
}

export class AwsIdentity implements Identity {
  readonly #options: AwsIdentityOptions
  readonly #source: Source | undefined
  readonly #renewal: Renewal<AwsCredential>
  readonly #wall: () => number
  /** How far AWS's clock is ahead of ours: milliseconds. */
  #ahead = 0
  #announced = false

  constructor(options: AwsIdentityOptions) {
    const { aws, env, ask, wall = Date.now, now, random } = options
    this.#options = options
    this.#wall = wall
    const { region } = aws
    invariant(region !== undefined, 'a configuration without a region is not run')
    const stsEndpoint = new URL(
      aws.stsEndpoint || env['AWS_ENDPOINT_URL_STS'] || `https://sts.${region}.${domainOf(region)}`,
    )
    this.#source = sourceOf({ ...aws, region, stsEndpoint }, env, ask)
    this.#renewal = new Renewal<AwsCredential>({
      exchange: held => this.#exchange(held),
      ...(now && { now }),
      ...(random && { random }),
    })
  }

  get found(): string {
    return this.#source?.name ?? 'none'
  }

  async credential(): Promise<Obtained> {
    const got = await this.#renewal.current()
    return got.kind === 'value' ? { kind: 'credential', credential: got.value } : { ...got, code: `aws_${got.code}` }
  }

  answered(credential: Credential, answer: Answer): boolean {
    const meaning = meaningOf(answer, this.#time())
    const mine = credential as AwsCredential
    switch (meaning.kind) {
      case 'accepted':
        this.#renewal.worked(mine)
        if (answer.status >= 300) this.#tellMissing(answer)
        return false
      case 'ended':
        return this.#renewal.refused(mine)
      case 'skewed':
        return this.#correct(meaning.time)
      case 'unknown':
        return false
    }
  }

  abort(): void {
    void this.#options.end('abort')
  }

  close(): Promise<void> {
    return this.#options.end('close')
  }

  #time(): number {
    return this.#wall() + this.#ahead
  }

  /** Returns whether a request that was signed before may be accepted when it is signed with the new time. */
  #correct(time: number): boolean {
    const before = this.#ahead
    this.#ahead = time - this.#wall()
    const seconds = Math.round(this.#ahead / 1000)
    if (Math.abs(this.#ahead - before) < 30_000) return false
    this.#options.logger.warn(
      { event: 'clock_skewed', identity: 'aws', seconds },
      'the clock is wrong; requests carry the time of the backend’s clock',
    )
    return true
  }

  async #exchange(held: boolean): Promise<Exchanged<AwsCredential>> {
    const { aws, logger } = this.#options
    const found =
      this.#source === undefined ? ({ kind: 'failure', code: 'none' } as const) : await this.#source.exchange()
    if (found.kind === 'failure') {
      this.#failed(found.code, held, 'place' in found ? found.place : undefined)
      return found
    }
    const { keys, end, now } = found
    if (now !== undefined && Math.abs(now - this.#time()) > 60_000) this.#correct(now)
    const life = end === undefined ? Number.POSITIVE_INFINITY : end - (now ?? this.#time())
    if (life <= 0) {
      this.#failed('ended', held)
      return { kind: 'failure', code: 'ended' }
    }
    if (!this.#announced) {
      this.#announced = true
      logger.info(
        { event: 'identity_found', identity: 'aws', source: this.found, region: aws.region, service: aws.service },
        'an identity was found; requests are signed with it',
      )
    }
    const signer = new Signer(keys, { region: aws.region!, service: aws.service! })
    const again = this.#source?.again
    const value = new AwsCredential(signer, () => this.#time())
    return { kind: 'value', value, life, ...(again !== undefined && { again }) }
  }

  #failed(code: string, held: boolean, place?: string): void {
    const { logger } = this.#options
    if (code.endsWith('ABORTED')) return
    const reason = `aws_${code}`
    const fields = { identity: 'aws', source: this.found, reason, held, ...(place && { place }) }
    const advice = identityAdvice(reason)
    const why = advice === undefined ? '' : `: ${advice}`
    if (isLasting(reason)) logger.error({ event: 'identity_refused', ...fields }, `there are no credentials${why}`)
    else logger.warn({ event: 'identity_unavailable', ...fields }, `credentials cannot be obtained; retrying${why}`)
  }

  /** The action that the role lacks, which is no secret and not among the words of an answer that are logged. */
  #tellMissing(answer: Answer): void {
    const missing = missingIn(answer.body)
    if (missing === undefined) return
    this.#options.logger.error(
      { event: 'permission_missing', identity: 'aws', source: this.found, ...missing },
      'the identity lacks a permission; grant it',
    )
  }
}

class AwsCredential implements Credential {
  readonly #signer: Signer
  readonly #time: () => number

  constructor(signer: Signer, time: () => number) {
    this.#signer = signer
    this.#time = time
  }

  sign(request: Outgoing): Readonly<Record<string, string>> {
    return this.#signer.sign(request, this.#time())
  }
}
