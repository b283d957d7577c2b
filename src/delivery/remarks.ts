/**
 * Remarks: what delivery says of one destination, in its log and in its numbers.
 *
 * Guarantees: the same thing is said once a minute; a backend's own words are repeated only where they hold nothing of
 * the records that were sent, and what answers refused credentials is never repeated.
 */
import type { Item, Verdict } from '../backends/backend.ts'
import type { Slab } from '../chunk.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { type Logger, rateLimited } from '../log.ts'
import type { Payload } from './encoder.ts'
import type { DeliveryNumbers } from './numbers.ts'
import { quote } from './quote.ts'
import { type Final, TOO_LARGE } from './settlement.ts'

/** The log says the same thing about a destination once a minute. */
const SAY_AGAIN = 60_000

/** A backend's words are looked at no more often: milliseconds. Comparing them with the frames costs time. */
const LISTEN_AGAIN = 1_000

export interface RemarksFields {
  /** The backend's configured name. */
  readonly name: string
  readonly kernel: Kernel
  readonly numbers: DeliveryNumbers
  readonly logger: Logger
}

export class Remarks {
  readonly #fields: RemarksFields
  readonly #log: Logger
  #listened = Number.NEGATIVE_INFINITY

  constructor(fields: RemarksFields) {
    this.#fields = fields
    this.#log = rateLimited(fields.logger, SAY_AGAIN)
  }

  back(away: number): void {
    this.#fields.logger.info({ backend: this.#fields.name, away }, 'destination is back')
  }

  /** `news`: it was up until now. */
  away(
    verdict: Extract<Verdict, { kind: 'retry' | 'unauthorized' }>,
    news: boolean,
    slab: Slab,
    payload: Payload,
  ): void {
    const { name, logger, numbers } = this.#fields
    const { reason } = verdict
    numbers.retry(reason)
    // Answers to refused credentials are not quoted: they may echo the credentials.
    const detail = verdict.kind === 'retry' ? this.#listen(verdict.detail, slab, payload) : undefined
    numbers.lastError = { reason, detail, at: Date.now() }
    const fields = { backend: name, reason, ...(detail === undefined ? {} : { detail }) }
    if (verdict.kind === 'unauthorized') this.#log.error({ ...fields, about: reason }, 'credentials are refused')
    else if (verdict.misconfigured) this.#log.error({ ...fields, about: reason }, 'destination is misconfigured')
    else if (news) logger.warn(fields, 'destination is down')
  }

  /** A payload of so many bytes and records. */
  tooLarge(reason: string, bytes: number, records: number): void {
    const { name, numbers } = this.#fields
    numbers.retry(reason)
    numbers.lastError = { reason, detail: undefined, at: Date.now() }
    if (records === 1) {
      this.#log.error({ backend: name, reason: TOO_LARGE, bytes }, 'a record was too large')
    } else {
      this.#log.warn({ backend: name, reason, bytes }, 'payload was too large, sending halves')
    }
  }

  unconfirmed(records: number): void {
    this.#fields.numbers.retry('unconfirmed')
    this.#log.warn({ backend: this.#fields.name, records }, 'an accepted request was never confirmed; it is sent again')
  }

  /** Says what was refused, and why. What is told item by item is said once, in the words about the first. */
  refused(verdict: Final, hopeful: boolean, slab: Slab, payload: Payload): void {
    const say = (reason: string, words: string | undefined, records: number): void => {
      this.#log.error(this.#told(reason, words, records, slab, payload), 'records were rejected')
    }
    switch (verdict.kind) {
      case 'rejected':
        say(verdict.reason, verdict.detail, payload.records)
        break
      case 'suspect':
        if (payload.records > 1 && hopeful) this.#fields.numbers.retry(verdict.reason)
        else say(verdict.reason, verdict.detail, payload.records)
        break
      case 'counted':
        say(verdict.reason, verdict.detail, verdict.rejected)
        break
      case 'items': {
        const [first] = verdict.rejected
        if (first) say(first.reason, first.detail, verdict.rejected.length)
        break
      }
      case 'delivered':
      case 'split':
        break
    }
  }

  /** Some records of a request were turned away in passing. */
  heldBack({ reason, detail }: Item, records: number, slab: Slab, payload: Payload): void {
    this.#fields.numbers.retry(reason)
    this.#log.warn(this.#told(reason, detail, records, slab, payload), 'records are sent again')
  }

  #told(reason: string, words: string | undefined, records: number, slab: Slab, payload: Payload) {
    const detail = this.#listen(words, slab, payload)
    this.#fields.numbers.lastError = { reason, detail, at: Date.now() }
    return { backend: this.#fields.name, reason, records, about: reason, ...(detail === undefined ? {} : { detail }) }
  }

  /** The backend's words, where they may be repeated and were not just heard. */
  #listen(words: string | undefined, slab: Slab, payload: Payload): string | undefined {
    const now = performance.now()
    if (words === undefined || now - this.#listened < LISTEN_AGAIN) return undefined
    this.#listened = now
    const { from } = payload.runs[0]!
    const first = slab.chunks.find(chunk => from < chunk.firstFrame + chunk.frames)!
    const last = payload.runs.at(-1)!.to - 1
    return quote(words, this.#fields.kernel.bytes.subarray(slab.startOf(first, from), slab.endOf(last)))
  }
}
