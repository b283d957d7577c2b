/**
 * Evidence: what the answers of a backend prove about its address, and about single records.
 *
 * An answer that is given to everything is about the address. A record is at fault only if the address takes others: so
 * refusals are compared with what was accepted after them. Time is counted in requests: one that was begun before a
 * refusal was heard proves nothing against it.
 *
 * Guarantees: a record is condemned only by refusals of it alone with something accepted between them, or, where
 * nothing else comes, by many of them after others of the request that it was refused with were accepted; an address
 * that has contradicted itself must say so more often.
 */

/** A moment before all requests. */
export const NEVER = -1

/** So many records, or files' records, refused and nothing accepted: it is the address. */
const DOUBT = 8
/** So long that it may be many records after all: milliseconds. */
const STUBBORN = 30_000

/** Refusals of one record alone, with something accepted between each two, that condemn it. */
const CONDEMNED = 2
/** The same, while it is known that this address also refuses what it takes a moment later; and for how long: milliseconds. */
const CONDEMNED_STRICTLY = 8
const STRICT = 5 * 60_000
/** Refusals of one record alone that condemn it where nothing else is sent that could be accepted. */
const CONDEMNED_IN_QUIET = 6

/** What is known of one record from requests that were about it alone. */
export interface Case {
  /** Refusals, and those of them before which something was accepted since the one before (the first counts). */
  refusals: number
  separate: number
  /** When it was refused first and last. */
  readonly first: number
  latest: number
  /** Whether others of the request that it was refused with were accepted afterwards. */
  others: boolean
}

export class Evidence {
  /** Called when something was accepted. */
  onAccepted: () => void = () => {}
  readonly #now: () => number
  readonly #final: boolean
  #tick = 0
  /** When the latest request that was accepted began. */
  #lastAccepted = NEVER
  /** Records and files that were refused since something was accepted, and when the first of them was. */
  #refused = 0
  #refusedSince = NEVER
  #refusedAt = 0
  /** When something was refused last that nothing had been known of. */
  #unexplainedAt = NEVER
  #strictUntil = Number.NEGATIVE_INFINITY

  /** `now` as `performance.now`. `final`: the first refusal of a record alone condemns it, for it was proven before. */
  constructor({ now, final = false }: { readonly now: () => number; readonly final?: boolean }) {
    this.#now = now
    this.#final = final
  }

  get final(): boolean {
    return this.#final
  }

  /** The present moment. */
  get tick(): number {
    return this.#tick
  }

  /** A request begins. Returns the moment. */
  begin(): number {
    return ++this.#tick
  }

  /** Something of a request that began then was accepted. */
  accepted(begun: number): void {
    this.#lastAccepted = Math.max(this.#lastAccepted, begun)
    if (begun > this.#refusedSince) this.#refused = 0
    this.onAccepted()
  }

  acceptedSince(tick: number): boolean {
    return this.#lastAccepted > tick
  }

  /** Everything that was tried of late is refused: it is the address. */
  get doubting(): boolean {
    return !this.#final && this.#refused >= DOUBT
  }

  /** That has been so for long: an address is rather mended by then. */
  get stubborn(): boolean {
    return this.doubting && this.#now() - this.#refusedAt >= STUBBORN
  }

  /** Nothing was accepted since something was refused. */
  get uneasy(): boolean {
    return this.#refused > 0
  }

  /** One more record, or one more file's records, were refused. */
  refused(): void {
    if (this.#refused++ > 0) return
    this.#refusedSince = this.#tick
    this.#refusedAt = this.#now()
  }

  /** What was refused had been in no request that was refused. */
  strange(): void {
    this.#unexplainedAt = this.#tick
  }

  /** A record was refused alone for the first time; a request with it was refused first at `since`. */
  open(since: number): Case {
    const others = since !== NEVER && this.acceptedSince(since)
    this.refused()
    if (!others) this.strange()
    return { refusals: 1, separate: 1, first: this.#tick, latest: this.#tick, others }
  }

  /** And once more. */
  again(known: Case): void {
    known.refusals++
    if (this.acceptedSince(known.latest)) known.separate++
    known.latest = this.#tick
  }

  /** A record that was refused alone was accepted after all: the answers do not depend on what is sent. */
  contradicted(): void {
    this.#strictUntil = this.#now() + STRICT
  }

  /** The record is at fault. */
  condemns(known: Case): boolean {
    if (this.#final) return true
    const needed = this.#now() < this.#strictUntil ? CONDEMNED_STRICTLY : CONDEMNED
    return known.separate >= needed || (known.refusals >= CONDEMNED_IN_QUIET && this.pointsToRecord(known))
  }

  /** Rather the record than the address: others of its request were accepted, and nothing new was refused since. */
  pointsToRecord({ others, first }: Case): boolean {
    return others && this.#unexplainedAt <= first
  }
}
