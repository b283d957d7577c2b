/**
 * Texts to look for all at once, as the bytes that the kernel follows: kernel/assembly/process/texts.ts draws them.
 *
 * The fingerprint of a text is taken where its bytes are rarest in logs: `GET /healthz` is looked for by `thz`, not by what
 * every line of an access log has.
 */

/** A text, and the bit that stands for it. */
export interface Sought {
  readonly text: Uint8Array
  readonly bit: number
}

const HALVES = 16
const BUCKETS = 112
const TEXTS = 176
const TEXT = 16
const BUCKET_COUNT = 8
const LONGEST_FINGERPRINT = 3

/** The section of these texts. `enough`: once one of these bits is found, nothing else of a frame matters. */
export function textsOf(sought: readonly Sought[], enough: number): Uint8Array {
  const size = Math.min(LONGEST_FINGERPRINT, ...sought.map(({ text }) => text.length))
  const bytesAt = TEXTS + TEXT * sought.length
  const section = Buffer.alloc(sought.reduce((sum, { text }) => sum + text.length, bytesAt))
  section.writeUInt32LE(size, 0)
  section.writeUInt32LE(enough >>> 0, 4)
  // Where fingerprints end their halves say nothing.
  section.fill(0xff, HALVES + 32 * size, BUCKETS)
  // Those with the same fingerprint share a bucket, and the others are dealt out.
  const marked = sought
    .map(({ text, bit }) => ({ text, bit, at: rarest(text, size) }))
    .sort((a, b) => Buffer.compare(mark(a, size), mark(b, size)))
  let text = TEXTS
  let bytes = bytesAt
  const each = marked.length / BUCKET_COUNT
  for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) {
    const some = marked.slice(Math.ceil(bucket * each), Math.ceil((bucket + 1) * each))
    section.writeUInt32LE(text, BUCKETS + 8 * bucket)
    section.writeUInt32LE(some.length, BUCKETS + 8 * bucket + 4)
    for (const one of some) {
      for (const [index, byte] of mark(one, size).entries()) {
        section[HALVES + 32 * index + (byte & 15)]! |= 1 << bucket
        section[HALVES + 32 * index + 16 + (byte >> 4)]! |= 1 << bucket
      }
      section.writeUInt32LE(bytes, text)
      section.writeUInt32LE(one.text.length, text + 4)
      section.writeUInt32LE(one.at, text + 8)
      section.writeUInt32LE(one.bit >>> 0, text + 12)
      section.set(one.text, bytes)
      text += TEXT
      bytes += one.text.length
    }
  }
  return section
}

function mark({ text, at }: { readonly text: Uint8Array; readonly at: number }, size: number): Uint8Array {
  return text.subarray(at, at + size)
}

/** Where the `size` bytes begin that stand in logs least often. */
function rarest(text: Uint8Array, size: number): number {
  let best = 0
  let least = Number.POSITIVE_INFINITY
  for (let at = 0; at + size <= text.length; at++) {
    let weight = 1
    for (let n = at; n < at + size; n++) weight *= weightOf(text[n]!)
    if (weight < least) [best, least] = [at, weight]
  }
  return best
}

const FREQUENT = 'etaoinsr0123456789 "'

/** How often a byte stands in logs, about: of a thousand. */
function weightOf(byte: number): number {
  const sign = String.fromCharCode(byte)
  if (FREQUENT.includes(sign)) return 50
  if (/[ldcumpghf:/.,-]/.test(sign)) return 20
  // Methods and levels stand in every line.
  if (/[GETPOSHINFRDA]/.test(sign)) return 30
  if (/[A-Z=_]/.test(sign)) return 12
  if (/[jqxzvkwyb]/.test(sign)) return 6
  return byte < 32 || byte > 126 ? 2 : 8
}
