/** Makes new inputs of known ones: the same for the same numbers. */

/** Bytes of an input at the most. */
const LARGEST = 64 * 1024
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x0d, 0x20, 0x22, 0x5b, 0x5d, 0x7b, 0x7d]

/** `random`: numbers in [0, 1). */
export class Mutator {
  readonly #random: () => number
  readonly #words: readonly Buffer[]

  constructor(random: () => number, words: readonly string[]) {
    this.#random = random
    this.#words = words.map(word => Buffer.from(word))
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** One of the inputs, changed in one place or in several. */
  next(inputs: readonly Buffer[]): Buffer {
    let bytes = Buffer.from(this.pick(inputs))
    for (let n = 1 + this.below(4); n > 0; n--) bytes = this.#changed(bytes, inputs)
    return bytes.subarray(0, LARGEST)
  }

  #changed(bytes: Buffer, inputs: readonly Buffer[]): Buffer<ArrayBuffer> {
    const at = this.below(bytes.length + 1)
    const length = Math.min(bytes.length - at, 1 + this.below(this.below(8) === 0 ? 4096 : 16))
    const [before, cut, after] = [bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at + length)]
    switch (this.below(9)) {
      case 0: {
        const flipped = Buffer.from(bytes)
        if (at < flipped.length) flipped[at]! ^= 1 << this.below(8)
        return flipped
      }
      case 1:
        return Buffer.concat([before, Buffer.from([this.pick(EDGES)]), bytes.subarray(at + this.below(2))])
      case 2:
        return Buffer.concat([before, after])
      case 3:
        return Buffer.concat([before, cut, cut, after])
      case 4: {
        const times = 1 + this.below(this.below(10) === 0 ? 2000 : 20)
        return Buffer.concat([before, ...Array.from({ length: times }, () => cut), after])
      }
      case 5: {
        const other = this.pick(inputs)
        const from = this.below(other.length + 1)
        return Buffer.concat([before, other.subarray(from, from + 1 + this.below(64)), after])
      }
      case 6:
      case 7:
        return Buffer.concat([before, this.#words.length > 0 ? this.pick(this.#words) : cut, after])
      default:
        return Buffer.concat([before, Buffer.from(this.#number()), after])
    }
  }

  #number(): string {
    const numbers = ['0', '-1', '1e999', '-0', '9007199254740993', '18446744073709551616', '0x10', '1e-7', 'NaN', '']
    return this.pick([...numbers, String(this.below(2 ** 31))])
  }
}

/** The smallest input that `fails` still, found by taking parts out. */
export async function shrink(input: Buffer, fails: (input: Buffer) => Promise<boolean>): Promise<Buffer> {
  let smallest = input
  for (let part = Math.ceil(input.length / 2); part > 0; part = part === 1 ? 0 : Math.ceil(part / 2)) {
    for (let at = 0; at < smallest.length; ) {
      const shorter = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + part)])
      if (await fails(shorter)) smallest = shorter
      else at += part
    }
  }
  return smallest
}
