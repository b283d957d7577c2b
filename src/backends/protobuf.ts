/**
 * As much of Protocol Buffers' wire format as a backend needs (protobuf.dev, "Encoding"): fields to put together, and a
 * look at the fields of an answer.
 *
 * Guarantees of reading: it ends, allocates no more than it was given, and throws a `RangeError` for bytes that are no
 * message; what it does not know it passes by.
 */

/** One field of a message that was read. `value` of a varint is its 64 bits, without a sign. */
export type Field =
  | { readonly number: number; readonly kind: 'varint'; readonly value: bigint }
  | { readonly number: number; readonly kind: 'bytes'; readonly value: Uint8Array }

const LENGTH_DELIMITED = 2

/** The byte that begins a field whose number is below 16. */
export const tag = (number: number, wireType: 0 | 1 | 2): number => (number << 3) | wireType

export function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.from([...bytes, rest])
}

/** A field of a string, bytes or a message. */
export function delimited(number: number, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const content = Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(part) : part)))
  return Buffer.concat([head(number, content.length), content])
}

/** What stands before the `length` bytes of such a field. */
export function head(number: number, length: number): Buffer {
  return Buffer.concat([Buffer.from([tag(number, LENGTH_DELIMITED)]), varint(length)])
}

/** A field of a whole number or a truth. */
export function numeric(number: number, value: number | boolean): Buffer {
  return Buffer.concat([Buffer.from([tag(number, 0)]), varint(Number(value))])
}

/** The fields of a message, in order. */
export function fields(message: Uint8Array): Field[] {
  const found: Field[] = []
  let at = 0
  const skip = (bytes: number): Uint8Array => {
    if (at + bytes > message.length) throw new RangeError('a field reaches beyond the message')
    at += bytes
    return message.subarray(at - bytes, at)
  }
  const next = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const [byte = 0] = skip(1)
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return BigInt.asUintN(64, value)
    }
    throw new RangeError('a number without an end')
  }
  while (at < message.length) {
    const key = next()
    const number = Number(key >> 3n)
    if (number === 0) throw new RangeError('a field without a number')
    switch (Number(key & 7n)) {
      case 0:
        found.push({ number, kind: 'varint', value: next() })
        break
      case 1:
        skip(8)
        break
      case LENGTH_DELIMITED:
        found.push({ number, kind: 'bytes', value: skip(Number(next())) })
        break
      case 5:
        skip(4)
        break
      default:
        throw new RangeError('a field of an unknown kind')
    }
  }
  return found
}
