/**
 * Cases: records that stand apart from their file, because they were refused alone or fail for themselves, and when each is
 * retried.
 *
 * Guarantees: each is retried when there is new evidence about it, and else after waits that grow as those of requests; none
 * is forgotten. One that fails for itself is given up only where its backend allows it, after a quarter of an hour and ten
 * attempts in which others were accepted.
 */

import type { RetryOptions } from '../options.ts'
import type { Evidence } from '../outcome/evidence.ts'
import { backoff } from '../retry.ts'
import type { AsideRecord, Trouble } from './stash.ts'

/** Attempts and milliseconds after which one is given up. */
const GIVE_UP = { attempts: 10, after: 15 * 60_000 }

/** Those that are named are retried together: waits that are longer end at multiples of this, in milliseconds. */
const TOGETHER = 1_000

/** The longest wait once there is a hurry: milliseconds. */
const HURRIED_WAIT = 1_000

export interface CasesFields {
  readonly evidence: Evidence
  readonly retry: RetryOptions
  readonly random: () => number
  /** As `performance.now`. */
  readonly now: () => number
}

export class Cases {
  readonly #fields: CasesFields
  readonly #records = new Set<AsideRecord>()
  #failing = 0
  #hurried = false

  constructor(fields: CasesFields) {
    this.#fields = fields
  }

  get size(): number {
    return this.#records.size
  }

  /** The record was refused alone. `byName`: among others. Returns whether that condemns it. */
  refused(record: AsideRecord, byName: boolean): boolean {
    const { evidence } = this.#fields
    if (record.known) evidence.again(record.known)
    else record.known = evidence.open(record.since)
    this.close(record)
    this.#open(record, { kind: 'refused', byName, due: this.#due(record.known.refusals) })
    return evidence.condemns(record.known)
  }

  /** The record failed for itself. `final`: it may be given up if that stays so. Returns whether it is. */
  failed(record: AsideRecord, byName: boolean, final: boolean): boolean {
    const { evidence, now } = this.#fields
    const { trouble } = record
    if (trouble?.kind !== 'failing') {
      this.close(record)
      evidence.refused()
      const since = now()
      const { tick: latest } = evidence
      const due = this.#due(1, byName)
      this.#open(record, { kind: 'failing', since, attempts: 1, latest, byName, doubt: !byName, due })
      return false
    }
    trouble.attempts++
    trouble.due = this.#due(trouble.attempts, byName)
    const others = evidence.acceptedSince(trouble.latest)
    if (others && trouble.doubt) {
      trouble.doubt = false
      record.lane.doubts--
    }
    trouble.latest = evidence.tick
    return final && others && trouble.attempts >= GIVE_UP.attempts && now() - trouble.since >= GIVE_UP.after
  }

  /** The record stands apart no more. */
  close(record: AsideRecord): void {
    if (!this.#records.delete(record)) return
    if (record.trouble?.kind === 'failing') {
      this.#failing--
      record.share.failing--
    }
    if (isDoubt(record.trouble)) record.lane.doubts--
    record.trouble = undefined
  }

  #open(record: AsideRecord, trouble: Trouble): void {
    record.trouble = trouble
    this.#records.add(record)
    if (trouble.kind === 'failing') {
      this.#failing++
      record.share.failing++
    }
    if (isDoubt(trouble)) record.lane.doubts++
  }

  /** Of those that fail for themselves and are due: one, or all of them where each is named. */
  failing(): readonly AsideRecord[] {
    if (this.#failing === 0) return []
    const now = this.#fields.now()
    const isDue = ({ trouble }: AsideRecord) => trouble?.kind === 'failing' && !trouble.doubt && trouble.due <= now
    const due = [...this.#records].filter(isDue)
    // However many there are, each has its turn.
    return companions(due.sort((one, other) => one.trouble!.due - other.trouble!.due))
  }

  /** They were refused together, and are named no more: from now on each is tried for itself. */
  untold(records: readonly AsideRecord[]): void {
    for (const record of records) {
      const { trouble } = record
      if (trouble === undefined) continue
      this.close(record)
      const due = this.#due(1)
      this.#open(
        record,
        trouble.kind === 'refused'
          ? { ...trouble, byName: false, due }
          : { ...trouble, byName: false, doubt: true, due },
      )
    }
  }

  /** Of one file, before this place: what was refused alone, or failed so, before another was accepted; in order. */
  proven(lane: AsideRecord['lane'], place: number): readonly AsideRecord[] {
    if (lane.doubts === 0) return []
    const proven: AsideRecord[] = []
    for (const record of this.#records) {
      if (record.lane !== lane || record.place >= place || !isDoubt(record.trouble)) continue
      if (this.#isProven(record)) proven.push(record)
    }
    return proven.sort((one, other) => one.place - other.place)
  }

  /** Of one file, the first of those that were refused alone, or failed so, and after which nothing was accepted. */
  unproven(lane: AsideRecord['lane']): AsideRecord | undefined {
    if (lane.doubts === 0) return undefined
    let first: AsideRecord | undefined
    for (const record of this.#records) {
      if (record.lane !== lane || !isDoubt(record.trouble) || this.#isProven(record)) continue
      if (first === undefined || record.place < first.place) first = record
    }
    return first
  }

  /** When the next one is due: milliseconds. */
  due(): number | undefined {
    let due: number | undefined
    for (const { trouble } of this.#records) due = Math.min(due ?? Number.POSITIVE_INFINITY, trouble!.due)
    return due
  }

  /** The draining has begun: what waits is due now, and waits are short from now on. */
  hurry(): void {
    this.#hurried = true
    for (const { trouble } of this.#records) trouble!.due = this.#fields.now()
  }

  /** Something was accepted since it was refused or failed last: it is not the address. */
  #isProven({ trouble, known }: AsideRecord): boolean {
    const latest = trouble?.kind === 'failing' ? trouble.latest : known?.latest
    return latest !== undefined && this.#fields.evidence.acceptedSince(latest)
  }

  #due(attempts: number, together = false): number {
    const { retry, random, now } = this.#fields
    const wait = backoff(attempts, retry, random)
    if (this.#hurried) return now() + Math.min(wait, HURRIED_WAIT)
    const due = now() + wait
    return together && wait > TOGETHER ? Math.ceil(due / TOGETHER) * TOGETHER : due
  }
}

/** It may be the address as well. */
function isDoubt(trouble: Trouble | undefined): boolean {
  return trouble?.kind === 'refused' || trouble?.doubt === true
}

/** The first, and all others that can be tried with it because each is named. */
export function companions(records: readonly AsideRecord[]): readonly AsideRecord[] {
  return records[0]?.trouble?.byName ? records.filter(({ trouble }) => trouble?.byName) : records.slice(0, 1)
}
