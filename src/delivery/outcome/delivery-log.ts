/**
 * The delivery log: what is logged of one backend, and counted in its stats.
 *
 * Guarantees: an outage is logged when it begins, when its reason changes, and again as long as it lasts
 * (`reminder.ts`); a backend's own words are repeated only where they hold nothing of the records that were sent, and
 * what answers refused credentials is never repeated. How often all else is logged the log's limiter decides.
 */
import type { Origin, Slab } from '../../chunk.ts'
import type { LogEvent } from '../../events.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Fields, Logger } from '../../log.ts'
import { Reminder } from '../../reminder.ts'
import type { Health } from '../circuit.ts'
import type { Payload } from '../encoding/encoder.ts'
import { quote } from './quote.ts'
import { TOO_LARGE } from './settlement.ts'
import type { DeliveryStats } from './stats.ts'
import { type Conclusion, isAccepted, isRefused, isRetryable, type RetryableFailure, refusalOf } from './verdicts.ts'

/**
 * A backend's words about much are looked at no more often than this, for comparing them with the frames costs time:
 * milliseconds, and bytes that are much.
 */
const LISTEN_AGAIN = 1_000
const MUCH = 64 * 1024
/** Reasons of one outage that are logged when they come up. */
const MOST_REASONS = 16

/**
 * What a request has changed in what is believed of the backend. `news`: it was up until now, or out for another cause.
 */
export type CircuitChange =
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly failure: RetryableFailure; readonly news: boolean }
  /** `away`: milliseconds for which it was down. */
  | { readonly kind: 'recovered'; readonly away: number }

/** What one attempt came to. */
export interface RequestEvent {
  readonly slab: Slab
  readonly payload: Payload
  readonly verdict: RetryableFailure | Conclusion
  readonly status: number | undefined
  /** Bytes that went out. */
  readonly sent: number
  readonly change: CircuitChange
}

/** Where a record lies. */
export interface RecordLocation {
  readonly origin: Origin
  readonly offset: number
}

type Words = string | undefined

export interface DeliveryLogFields {
  /** The backend's configured name. */
  readonly name: string
  readonly kernel: Kernel
  readonly stats: DeliveryStats
  readonly logger: Logger
  readonly health: () => Health
  /** Bytes on the volume that the backend has not acknowledged. */
  readonly behind?: (() => number) | undefined
  /** Monotonic milliseconds. */
  readonly now?: (() => number) | undefined
}

/** Since it was up last: what was said of it. */
interface Outage {
  readonly reminder: Reminder
  readonly reasons: Set<string>
}

export class DeliveryLog {
  readonly #fields: DeliveryLogFields
  readonly #log: Logger
  readonly #now: () => number
  #outage: Outage | undefined
  /** The backend's words that were looked at last, and what may be repeated of them. */
  #quoted: { readonly at: number; readonly words: string; readonly detail: string | undefined } | undefined

  constructor(fields: DeliveryLogFields) {
    this.#fields = fields
    this.#log = fields.logger
    this.#now = fields.now ?? (() => performance.now())
  }

  /** An attempt has a verdict: all that is said and counted of it. */
  request({ slab, payload, verdict, sent, change }: RequestEvent): void {
    if (change.kind === 'failed') this.#failed(change.failure, change.news, slab, payload)
    else if (change.kind === 'recovered') this.#recovered(change.away)
    if (isRetryable(verdict)) return
    const { records, view } = payload
    if (verdict.kind === 'split') this.#tooLarge(verdict.reason, view.length, records)
    else if (isRefused(verdict, records)) {
      const { reason, detail } = refusalOf(verdict)
      this.#fields.stats.lastError = { reason, detail: this.quotable(detail, slab, payload), at: Date.now() }
    }
    if (isAccepted(verdict, records)) this.#fields.stats.accepted(view.length, sent)
  }

  #recovered(away: number): void {
    if (this.#outage === undefined) return
    this.#outage = undefined
    const fields = { event: 'backend_recovered', backend: this.#fields.name, downSeconds: seconds(away) } as const
    this.#log.info(fields, 'backend recovered')
  }

  #failed(verdict: RetryableFailure, news: boolean, slab: Slab, payload: Payload): void {
    const { name, stats } = this.#fields
    const { reason } = verdict
    stats.retry(reason)
    // Answers to refused credentials are not quoted: they may echo the credentials.
    const words = verdict.kind === 'retry' ? this.quotable(verdict.detail, slab, payload) : undefined
    // What to do about it is worth more than what the backend says.
    const { advice } = verdict
    const detail = advice ?? words
    stats.lastError = { reason, detail, at: Date.now(), ...(advice !== undefined && { advice }) }
    const fields = { backend: name, reason, ...(detail === undefined ? {} : { detail }) }
    const now = this.#now()
    this.#outage ??= { reminder: new Reminder(now), reasons: new Set() }
    const { reminder, reasons } = this.#outage
    const kind = kindOf(verdict)
    const key = `${kind} ${reason}`
    const fresh = !reasons.has(key) && reasons.size < MOST_REASONS
    if (fresh) reasons.add(key)
    if (reminder.due(now)) {
      this.#still(kind, { ...fields, downSeconds: seconds(now - reminder.began), ...this.#outlook() })
    } else if (news || fresh) this.#began(kind, fields)
  }

  #began(kind: OutageKind, fields: object): void {
    const log = this.#log
    if (kind === 'refused') log.error({ event: 'credentials_refused', ...fields }, 'credentials refused; retrying')
    else if (kind === 'misconfigured') {
      log.error({ event: 'backend_misconfigured', ...fields }, 'backend misconfigured; retrying')
    } else log.warn({ event: 'backend_down', ...fields }, 'backend unavailable; retrying')
  }

  #still(kind: OutageKind, fields: object): void {
    const log = this.#log
    if (kind === 'refused') {
      log.error({ event: 'credentials_still_refused', ...fields }, 'credentials still refused; retrying')
    } else if (kind === 'misconfigured') {
      log.error({ event: 'backend_still_misconfigured', ...fields }, 'backend still misconfigured; retrying')
    } else log.warn({ event: 'backend_still_down', ...fields }, 'backend still unavailable; retrying')
  }

  /** What an outage means to a person on call. */
  #outlook() {
    const health = this.#fields.health()
    const backlogBytes = this.#fields.behind?.()
    return {
      ...(health.kind === 'up'
        ? {}
        : { attempts: health.attempts, nextAttemptSeconds: seconds(Math.max(0, health.nextAttemptAt - Date.now())) }),
      ...(backlogBytes === undefined ? {} : { backlogBytes }),
    }
  }

  /** A payload of so many bytes and records. */
  #tooLarge(reason: string, bytes: number, records: number): void {
    const { name, stats } = this.#fields
    stats.retry(reason)
    stats.lastError = { reason, detail: undefined, at: Date.now() }
    if (records === 1) {
      const fields = { event: 'record_too_large', backend: name, reason: TOO_LARGE, records, bytes } as const
      this.#log.error(fields, 'record too large: it is cut or rejected')
    } else {
      this.#log.warn(
        { event: 'payload_too_large', backend: name, reason, bytes },
        'payload too large; sending it in halves',
      )
    }
  }

  /** Delivered, in an answer that is not what the backend should say. */
  unreadableAnswer(reason: string, records: number): void {
    const { name, stats } = this.#fields
    stats.lastError = { reason, detail: undefined, at: Date.now() }
    this.#log.warn(
      { event: 'answer_unreadable', backend: name, reason, records },
      'records accepted in an answer that cannot be read; whether some were rejected is unknown',
    )
  }

  unconfirmed(records: number): void {
    this.#fields.stats.retry('unconfirmed')
    const fields = { event: 'delivery_unconfirmed', backend: this.#fields.name, records } as const
    this.#log.warn(fields, 'accepted request was not confirmed in time; resending')
  }

  /** A request of several records was refused, and it is not said for which. */
  bisecting(reason: string, words: Words): void {
    this.#fields.stats.retry(reason)
    this.#log.warn(
      this.#fieldsOf('records_searched', reason, words),
      'request refused; searching for the record at fault',
    )
  }

  /** `kept`: it was refused before, and that does not condemn it, for nothing else was accepted. */
  refusedAlone(reason: string, words: Words, location: RecordLocation, kept: boolean): void {
    this.#fields.stats.retry(reason)
    if (kept) {
      const fields = this.#fieldsOf('record_kept', reason, words, at(location))
      this.#log.error(fields, 'a record is refused, and no other was accepted since: it is kept and retried')
    } else {
      const fields = this.#fieldsOf('record_refused', reason, words, at(location))
      this.#log.warn(fields, 'a record is refused: it is retried when another one was accepted')
    }
  }

  /** A record fails for itself, and is sent beside the others. */
  failing(reason: string, words: Words, location: RecordLocation): void {
    this.#fields.stats.retry(reason)
    const fields = this.#fieldsOf('record_failing', reason, words, at(location))
    this.#log.warn(fields, 'record keeps failing; retrying it apart from the others')
  }

  /** Some records of a request were turned away in passing. */
  retrying(reason: string, words: Words, records: number): void {
    this.#fields.stats.retry(reason)
    this.#log.warn(
      this.#fieldsOf('records_retried', reason, words, { records }),
      'some records of a request failed; retrying them',
    )
  }

  rejected(reason: string, records: number, words: Words, location?: RecordLocation): void {
    const fields = this.#fieldsOf('records_rejected', reason, words, { records, ...(location && at(location)) })
    this.#log.error(fields, 'records rejected')
  }

  #fieldsOf<E extends LogEvent>(event: E, reason: string, detail: Words, more: object = {}): Fields<E> {
    this.#fields.stats.lastError = { reason, detail, at: Date.now() }
    return { event, backend: this.#fields.name, reason, ...more, ...(detail === undefined ? {} : { detail }) }
  }

  /** The backend's words, where they may be repeated. */
  quotable(words: Words, slab: Slab, payload: Payload): Words {
    if (words === undefined) return undefined
    const at = this.#now()
    // Said of other records, word for word: nothing of those can be in it.
    if (this.#quoted?.words === words) return this.#quoted.detail
    if (payload.frameBytes > MUCH && this.#quoted && at - this.#quoted.at < LISTEN_AGAIN) return undefined
    const { from } = payload.ranges[0]!
    const first = slab.chunks.find(chunk => from < chunk.firstFrame + chunk.frames)!
    const last = payload.ranges.at(-1)!.to - 1
    const detail = quote(words, this.#fields.kernel.bytes.subarray(slab.startOf(first, from), slab.endOf(last)))
    this.#quoted = { at, words, detail }
    return detail
  }
}

type OutageKind = 'refused' | 'misconfigured' | 'down'

function kindOf(verdict: RetryableFailure): OutageKind {
  if (verdict.kind === 'unauthorized') return 'refused'
  return verdict.misconfigured ? 'misconfigured' : 'down'
}

function at({ origin, offset }: RecordLocation) {
  return { source: origin.source, file: origin.path, offset }
}

const seconds = (milliseconds: number): number => Math.round(milliseconds / 100) / 10
