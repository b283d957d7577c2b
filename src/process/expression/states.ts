/**
 * Sets of numbers that are found again: each gets the number of its first time.
 *
 * Open addressing over typed arrays: a state of an automaton is a dozen numbers, and there are tens of thousands.
 */

export class States {
  /** All sets, one behind the other. */
  #pool = new Int32Array(1024)
  /** Where each set begins; one more for where the next would. */
  #first = new Int32Array(256)
  #hashes = new Int32Array(256)
  #table = new Int32Array(512).fill(-1)
  count = 0

  /** The numbers of a set are pool[begin(state)] to pool[begin(state + 1) - 1]. */
  get pool(): Int32Array {
    return this.#pool
  }

  begin(state: number): number {
    return this.#first[state]!
  }

  /** The number of the first `length` numbers of `key`. */
  intern(key: Int32Array, length: number): number {
    let hash = 0x811c9dc5 | 0
    for (let at = 0; at < length; at++) {
      hash = Math.imul(hash ^ key[at]!, 0x01000193)
      hash ^= hash >>> 15
    }
    let slot = hash & (this.#table.length - 1)
    for (; this.#table[slot] !== -1; slot = (slot + 1) & (this.#table.length - 1)) {
      const known = this.#table[slot]!
      if (this.#hashes[known] === hash && this.#same(known, key, length)) return known
    }
    const state = this.count++
    this.#add(key, length, hash)
    this.#table[slot] = state
    if (2 * this.count > this.#table.length) this.#rehash()
    return state
  }

  #same(state: number, key: Int32Array, length: number): boolean {
    const begin = this.#first[state]!
    if (this.#first[state + 1]! - begin !== length) return false
    for (let at = 0; at < length; at++) if (this.#pool[begin + at] !== key[at]) return false
    return true
  }

  #add(key: Int32Array, length: number, hash: number): void {
    const state = this.count - 1
    const begin = this.#first[state]!
    if (begin + length > this.#pool.length) this.#pool = doubled(this.#pool, begin + length)
    if (state + 2 > this.#first.length) {
      this.#first = doubled(this.#first, state + 2)
      this.#hashes = doubled(this.#hashes, state + 2)
    }
    for (let at = 0; at < length; at++) this.#pool[begin + at] = key[at]!
    this.#first[state + 1] = begin + length
    this.#hashes[state] = hash
  }

  #rehash(): void {
    const table = new Int32Array(2 * this.#table.length).fill(-1)
    for (let state = 0; state < this.count; state++) {
      let slot = this.#hashes[state]! & (table.length - 1)
      while (table[slot] !== -1) slot = (slot + 1) & (table.length - 1)
      table[slot] = state
    }
    this.#table = table
  }
}

/** The same numbers in an array of twice the size, or more if `least` is more. */
export function doubled(numbers: Int32Array, least: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(Math.max(least, 2 * numbers.length))
  grown.set(numbers)
  return grown
}
