/**
 * The budget: how many bytes one pipeline may have in flight, and where in its arena they lie.
 *
 * The arena is one fixed linear memory, cut into pages of 64 KiB. A grant is a contiguous run of pages, found first
 * fit; there are a handful of grants at any time, so the search is a walk over at most a few hundred marks.
 *
 *     page   0   1   2   3   4   5   6   7   8 …
 *          ┌───┬───────────┬───────┬───────────┐
 *          │   │ slab      │ free  │ payload   │
 *          └───┴───────────┴───────┴───────────┘
 *
 * Guarantees: the sum of all grants never exceeds the budget; a byte granted is released exactly once (a second
 * release throws `ERR_INVARIANT`); nothing here allocates per byte or per line. A grant that cannot be had is
 * `undefined`, never an error: the caller waits for `onRelease`. This is the only source of backpressure.
 */
import { invariant } from './errors.ts'

export const PAGE = 65536

/** A contiguous run of bytes of the arena, owned by whoever asked for it until released. */
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
  /** Bytes of the whole arena. */
  readonly total: number
  readonly #base: number
  readonly #taken: Uint8Array
  #used = 0
  #peak = 0
  #onRelease: () => void = () => {}

  /** `base` is the address of the first usable byte, `total` the number of bytes from there, rounded down to pages. */
  constructor(base: number, total: number) {
    this.#base = base
    this.#taken = new Uint8Array(Math.floor(total / PAGE))
    this.total = this.#taken.length * PAGE
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

  /** `bytes` contiguous bytes, rounded up to pages, or `undefined` if they cannot be had now. */
  grant(bytes: number): Extent | undefined {
    const pages = Math.max(1, Math.ceil(bytes / PAGE))
    let run = 0
    for (let page = 0; page < this.#taken.length; page++) {
      run = this.#taken[page] === 0 ? run + 1 : 0
      if (run < pages) continue
      const first = page - pages + 1
      this.#taken.fill(1, first, page + 1)
      this.#used += pages * PAGE
      if (this.#used > this.#peak) this.#peak = this.#used
      const grant: Grant = { address: this.#base + first * PAGE, bytes: pages * PAGE, live: true }
      return grant
    }
    return undefined
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

  #free(address: number, bytes: number): void {
    const first = (address - this.#base) / PAGE
    this.#taken.fill(0, first, first + bytes / PAGE)
    this.#used -= bytes
  }
}
