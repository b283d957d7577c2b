/**
 * Remembered names: those that were looked at once, so that each listing has to look at the new ones only.
 *
 * Of a name its hash is kept, eight bytes for each, for there may be very many. When there are too many all are forgotten
 * and looked at once more. Two names that have the same hash are taken for one: what is told from such a name must be
 * no more than a hint.
 */

const FIRST = 1024
const MOST = 131_072
/** Primes of FNV and of Murmur; any odd numbers that mix well. */
const ONE = 0x01000193
const OTHER = 0x5bd1e995
/** A power of two less one, and more than there are ever slots. */
const LOW = 0x1f_ffff

export class Remembered {
  readonly #most: number
  /** Open addressing; 0 is free. */
  #slots = new Float64Array(FIRST)
  #size = 0

  constructor(most = MOST) {
    this.#most = most
  }

  get size(): number {
    return this.#size
  }

  /** Adds a name; `salt` tells its directory from others. Returns whether it is new. */
  add(salt: number, name: string): boolean {
    let one = 0x811c9dc5 ^ salt
    let other = 0x9747b28c ^ salt
    for (let at = 0; at < name.length; at++) {
      const unit = name.charCodeAt(at)
      one = Math.imul(one ^ unit, ONE)
      other = Math.imul(other ^ unit, OTHER)
      other ^= other >>> 15
    }
    // 53 bits, never 0; the lower ones say where to look first.
    const low = other & LOW
    if (!this.#put((one >>> 0) * (LOW + 1) + low + 1, low)) return false
    if (this.#size > this.#most) this.#resize(FIRST, false)
    else if (this.#size * 2 > this.#slots.length) this.#resize(this.#slots.length * 2, true)
    return true
  }

  #put(key: number, low: number): boolean {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let at = low & mask; ; at = (at + 1) & mask) {
      if (slots[at] === key) return false
      if (slots[at] !== 0) continue
      slots[at] = key
      this.#size++
      return true
    }
  }

  #resize(length: number, keep: boolean): void {
    const before = this.#slots
    this.#slots = new Float64Array(length)
    this.#size = 0
    if (keep) for (const key of before) if (key !== 0) this.#put(key, (key - 1) % (LOW + 1))
  }
}

/** What tells the names of one directory from those of another: 32 bits. */
export function saltOf(directory: string): number {
  let salt = 0
  for (let at = 0; at < directory.length; at++) salt = Math.imul(salt ^ directory.charCodeAt(at), OTHER)
  return salt
}
