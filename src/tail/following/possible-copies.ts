/**
 * Possible copies: files that may be copies of followed ones, held back until the truncation that explains them.
 *
 * Guarantees: none is held back for ever, however it grows; a bounded number of them is kept open, so that one that is
 * removed before it is explained can still be read; each descriptor is handed over or closed, exactly once.
 */
import { closeSync } from 'node:fs'
import type { OpenFile } from '../files/open.ts'
import type { HeldCopy } from '../rotation/search.ts'
import type { Found } from '../watching/sweep.ts'

/** What may be a copy of a followed file is held back for this long, counted from when it last grew: milliseconds. */
const HOLD = 5000
/** And for this long in all: a file that is written beside the followed one, line by line, is no copy. */
const HOLD_GROWING = 120_000
/** So many of them are kept open meanwhile: one that is removed before it is explained is no copy, and is read. */
const MOST_KEPT = 16
/** What may be a copy: its size, when it was first seen, and when it last grew towards the size of the followed file. */
export interface PossibleCopy {
  readonly since: number
  readonly grown: number
  readonly size: bigint
  /** The key of the generation that it was compared with last, at that size. */
  readonly of: string
  readonly candidate: Found
  /** Undefined where too many are kept open. */
  readonly opened: OpenFile | undefined
}

/** The followed file that another may be a copy of. */
interface Original {
  readonly size: number
  readonly generation: { readonly key: string }
}

export class PossibleCopies {
  /** By path. */
  readonly #copies = new Map<string, PossibleCopy>()

  has(path: string): boolean {
    return this.#copies.has(path)
  }

  get(path: string): PossibleCopy | undefined {
    return this.#copies.get(path)
  }

  paths(): string[] {
    return [...this.#copies.keys()]
  }

  /** Those that are kept open. */
  *open(): Generator<HeldCopy> {
    for (const [path, { opened, of, size }] of this.#copies) if (opened) yield { path, opened, of, compared: size }
  }

  /** It is none any more: its descriptor, if it is kept open, is the caller's. */
  release(path: string): void {
    this.#copies.delete(path)
  }

  /** It is none any more. Returns whether it was one. */
  clear(path: string): boolean {
    const copy = this.#copies.get(path)
    if (copy?.opened) closeSync(copy.opened.fd)
    return this.#copies.delete(path)
  }

  /**
   * Whether it is waited for: a large file takes its time to be copied. If so the descriptor is kept or closed here. `now`:
   * monotonic milliseconds.
   */
  hold(candidate: Found, opened: OpenFile, original: Original, now: number): boolean {
    const { path } = candidate
    const { size, ino } = opened.stats
    const { key: of } = original.generation
    if (this.#isOther(path, ino)) this.clear(path)
    const known = this.#copies.get(path)
    const { since, grown } = known ?? { since: now, grown: now }
    const growing = known === undefined || (known.size < size && size < BigInt(original.size))
    if (now - (growing ? now : grown) > HOLD || now - since > HOLD_GROWING) return false
    let kept = known?.opened
    if (kept === undefined && this.#copies.size < MOST_KEPT) kept = opened
    else closeSync(opened.fd)
    this.#copies.set(path, { since, grown: growing ? now : grown, size, of, candidate, opened: kept })
    return true
  }

  /** Another file has its name by now. */
  #isOther(path: string, ino: bigint): boolean {
    const known = this.#copies.get(path)?.opened
    return known !== undefined && known.stats.ino !== ino
  }
}
