/**
 * The budget: how many bytes one pipeline may have in flight, and where in its arena they lie.
 *
 * The arena is one fixed linear memory, cut into pages of 64 KiB. A grant is a contiguous run of pages, found first
 * fit; there are a handful of grants at any time, so the search is a walk over at most a few hundred marks.
 *
 *     page   0   1   2   3   4   5   6   7 ║ 8   9 …
 *          ┌───────────┬───────┬───────────╥───────┬───────┐
 *          │ slab      │ slab  │ free      ║ payload │     │
 *          └───────────┴───────┴───────────╨───────┴───────┘
 *            slabs: only here                payloads: here first
 *
 * The last part may be set aside for payloads. Slabs never lie there, and slabs are what stays until a backend has
 * answered; so a payload that fits that part can be had once the payloads before it are released, however many slabs
 * wait for one.
 *
 * Guarantees: the sum of all grants never exceeds the budget; a byte granted is released exactly once (a second
 * release throws `ERR_INVARIANT`); nothing here allocates per byte or per line. A grant that cannot be had *now* is
 * `undefined`: the caller waits for `onRelease`. This is the only source of backpressure. One that could *never* be had
 * throws `ERR_INVARIANT`, for the caller would wait for ever.
 */
import { invariant } from './errors.ts'

export const PAGE = 65536

/** A contiguous run of bytes of the arena, owned by its caller until released. */
export interface Extent {
  /** Address of the first byte. */
  readonly address: number
  /** Bytes that may be used from there; shrinks with `Budget.shrink`. */
  readonly bytes: number
}

interface Grant extends Extent {
  bytes: number
  live: boolean
}

export class Budget {
  /** Bytes of the whole arena, of the part where slabs may lie, and of the largest payload. */
  readonly total: number
  readonly slabs: number
  readonly payloads: number
  readonly #base: number
  readonly #allocated: Uint8Array
  #used = 0
  #peak = 0
  #onRelease: () => void = () => {}

  /**
   * `base` is the address of the first usable byte, `total` the number of bytes from there, rounded down to pages.
   * `payloads`: how many of them, rounded up to pages, are set aside for payloads; if none are, both may have all.
   */
  constructor(base: number, total: number, payloads = 0) {
    this.#base = base
    this.#allocated = new Uint8Array(Math.floor(total / PAGE))
    this.total = this.#allocated.length * PAGE
    const aside = Math.ceil(payloads / PAGE) * PAGE
    invariant(aside < this.total || this.total === 0, 'payloads leave no memory for slabs')
    this.slabs = this.total - aside
    this.payloads = aside || this.total
  }

  /** Bytes granted now. */
  get used(): number {
    return this.#used
  }

  /** The most bytes that were ever granted at once. */
  get peak(): number {
    return this.#peak
  }

  /** Called after every release or shrink that freed something. One listener: the pipeline that owns the budget. */
  set onRelease(listener: () => void) {
    this.#onRelease = listener
  }

  /**
   * `bytes` contiguous bytes for a slab, rounded up to pages; or, if those cannot be had now, the most that can, but at
   * least `least`; or `undefined`.
   */
  grant(bytes: number, least = bytes): Extent | undefined {
    invariant(least <= this.slabs, 'a slab is larger than the memory that slabs may have')
    return this.#take(0, this.slabs / PAGE, bytes, least)
  }

  /** `bytes` contiguous bytes for a payload, rounded up to pages, or `undefined` if they cannot be had now. */
  grantPayload(bytes: number): Extent | undefined {
    invariant(bytes <= this.payloads, 'a payload is larger than the memory that payloads may have')
    const end = this.#allocated.length
    return this.#take(end - this.payloads / PAGE, end, bytes, bytes) ?? this.#take(0, end, bytes, bytes)
  }

  /** Gives back the pages behind the first `bytes` bytes of `extent`; keeps at least one page. */
  shrink(extent: Extent, bytes: number): void {
    const grant = extent as Grant
    invariant(grant.live, 'an extent that was released was shrunk')
    const keep = Math.max(1, Math.ceil(bytes / PAGE)) * PAGE
    if (keep >= grant.bytes) return
    this.#free(grant.address + keep, grant.bytes - keep)
    grant.bytes = keep
    this.#onRelease()
  }

  /** Gives the whole extent back. Throws `ERR_INVARIANT` if that was done before. */
  release(extent: Extent): void {
    const grant = extent as Grant
    invariant(grant.live, 'an extent was released twice')
    grant.live = false
    this.#free(grant.address, grant.bytes)
    this.#onRelease()
  }

  /** Takes the first run of pages in [from, to) that is long enough, or else the longest that has `least` bytes. */
  #take(from: number, to: number, bytes: number, least: number): Extent | undefined {
    const wanted = Math.max(1, Math.ceil(bytes / PAGE))
    let longest = Math.max(1, Math.ceil(least / PAGE)) - 1
    let first: number | undefined
    let run = 0
    for (let page = from; page < to && longest < wanted; page++) {
      run = this.#allocated[page] === 0 ? run + 1 : 0
      if (run <= longest) continue
      longest = run
      first = page - run + 1
    }
    if (first === undefined) return undefined
    this.#allocated.fill(1, first, first + longest)
    this.#used += longest * PAGE
    if (this.#used > this.#peak) this.#peak = this.#used
    const grant: Grant = { address: this.#base + first * PAGE, bytes: longest * PAGE, live: true }
    return grant
  }

  #free(address: number, bytes: number): void {
    const first = (address - this.#base) / PAGE
    this.#allocated.fill(0, first, first + bytes / PAGE)
    this.#used -= bytes
  }
}
