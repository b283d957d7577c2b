/** The hashes of the kernel in plain TypeScript, as slow as they like. */
const MASK = (1n << 64n) - 1n
const A = 0x9e3779b97f4a7c15n
const B = 0xbf58476d1ce4e5b9n
const C = 0x94d049bb133111ebn

const times = (a: bigint, b: bigint): bigint => (a * b) & MASK
const rotated = (word: bigint, by: bigint): bigint => ((word << by) | (word >> (64n - by))) & MASK

function mixed(hash: bigint, word: bigint): bigint {
  return times(rotated(times(hash ^ word, A), 29n), B)
}

function finished(hash: bigint): bigint {
  const first = times(hash ^ (hash >> 30n), B)
  const second = times(first ^ (first >> 27n), C)
  return second ^ (second >> 31n)
}

/** The hash of a value. */
export function hash(bytes: Uint8Array, seed: bigint): bigint {
  let state = seed ^ times(BigInt(bytes.length), C)
  for (let at = 0; ; at += 8) {
    const word = Buffer.alloc(8)
    word.set(bytes.subarray(at, at + 8))
    state = mixed(state, word.readBigUInt64LE())
    if (bytes.length - at < 8) return finished(state)
  }
}

/** The hash of a place in a file. */
export function placeHash(generation: string, offset: number, salt: bigint): bigint {
  return finished(mixed(BigInt(`0x${generation}`) ^ salt, BigInt(offset)))
}

/** Whether a sample of this share has what hashes to that. */
export function isChosen(hash: bigint, share: number): boolean {
  return Number(hash >> 32n) < Math.round(share * 2 ** 32)
}

/** Whether two records are equal but for numbers that begin in the first 64 bytes of the earlier one. */
export function alike(earlier: string, later: string): boolean {
  let [a, b] = [0, 0]
  const [x, y] = [earlier.replace(/\r$/, ''), later.replace(/\r$/, '')]
  while (a < 64 && a < x.length && b < y.length) {
    const number = /^\d+/
    const [one, other] = [number.exec(x.slice(a)), number.exec(y.slice(b))]
    if (one && other) {
      a += one[0].length
      b += other[0].length
    } else if (x[a++] !== y[b++]) return false
  }
  return x.slice(a) === y.slice(b)
}
