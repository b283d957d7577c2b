/**
 * Whether a text repeats something of the frames it is about, in whatever form an error message has it: as it was,
 * quoted as JSON, Go, C, HTML or a URL do, in other letters, with marks or blanks between them, in base64 or base32, in
 * hexadecimal, as numbers in whatever writing, or a part of it.
 *
 * Both sides are read with and without their escapes, and compared by what is left of them in lower case without
 * anything but letters and digits. A run of `FOLDED` of those, or of `RAW` bytes as they are, is an echo. Shorter ones
 * are not seen; and a long word that both use by chance is taken for one, for that costs no more than a quotation.
 */
const RAW = 16
const FOLDED = 12
/** How often a message may have been quoted: an error within an error within an error. */
const LEVELS = 3

export function echoes(text: string, frames: Uint8Array): boolean {
  const readings = readingsOf(text)
  const folded = readings.map(fold)
  return (
    share(frames, readings, RAW) ||
    share(fold(frames), folded, FOLDED) ||
    share(fold(unescaped(frames)), folded, FOLDED)
  )
}

/** What a message may say: itself, without its escapes, and what is encoded in it. */
function readingsOf(text: string): Uint8Array[] {
  const readings: Uint8Array[] = [Buffer.from(text)]
  // Other widths of letters, and what stands over them or between them and is not seen.
  const bare = text.normalize('NFKD').replace(/[\p{M}\p{Cf}]/gu, '')
  for (let level = 0; level < LEVELS; level++) readings.push(unescaped(readings.at(-1)!))
  if (bare !== text) readings.push(Buffer.from(bare))
  // Folded into lines, as mail does.
  for (const plain of [...readings.slice(0, 2), Buffer.from(text.replace(/\s+/g, ''))]) {
    for (const decoded of decodings(Buffer.from(plain).toString('latin1'))) readings.push(decoded, unescaped(decoded))
  }
  return readings
}

function* decodings(text: string): Generator<Uint8Array> {
  for (const [run] of text.matchAll(/[\w+/-]{16,}/g)) {
    // What we know of may begin anywhere in it.
    for (let at = 0; at < 4; at++) yield Buffer.from(run.slice(at), 'base64url')
  }
  for (const [run] of text.matchAll(/[A-Z2-7]{20,}/g)) {
    for (let at = 0; at < 8; at++) yield base32(run.slice(at))
  }
  yield* numbers(text)
  for (const [run] of text.matchAll(/(?:(?:0x|\\x)?[0-9a-f]{2}[\s:,-]{0,2}){12,}/gi)) {
    const digits = run.replace(/0x|\\x|[^0-9a-f]/gi, '')
    for (let at = 0; at < 2; at++) yield Buffer.from(digits.slice(at), 'hex')
  }
  for (const [run] of text.matchAll(/(?:\d{1,3}[\s,;]{1,2}){11,}\d{1,3}/g)) {
    yield Uint8Array.from(run.split(/[\s,;]+/), Number)
  }
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** RFC 4648, as far as it goes. */
function base32(text: string): Uint8Array {
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const letter of text) {
    held = ((held << 5) | BASE32.indexOf(letter)) & 0xffff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((held >> bits) & 0xff)
  }
  return Uint8Array.from(bytes)
}

/**
 * What the numbers in a text say as characters, whatever stands between them (`U+0041`, `\x{41}`, `=41`, `01000001`):
 * all of them, and every other one, for they may be counted.
 */
function* numbers(text: string): Generator<Uint8Array> {
  const words = text.match(/[0-9a-f]+/gi) ?? []
  if (words.length < FOLDED) return
  for (const radix of [2, 8, 10, 16]) {
    const codes = words.map(word => (/^[0-7]*$/.test(word) || radix > 8 ? Number.parseInt(word, radix) : Number.NaN))
    const letters = codes.map(code => (code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ''))
    yield Buffer.from(letters.join(''))
    for (const odd of [0, 1]) yield Buffer.from(letters.filter((_, at) => at % 2 === odd).join(''))
  }
}

/** Whether any `length` bytes in a row of one of `needles` stand in `hay`. By their hashes alone: see above. */
function share(hay: Uint8Array, needles: readonly Uint8Array[], length: number): boolean {
  const hashes = new Set<number>()
  for (const needle of needles) for (const hash of rolling(needle, length)) hashes.add(hash)
  if (hashes.size === 0) return false
  const maybe = new Uint8Array(1 << 16)
  for (const hash of hashes) maybe[hash & 0xffff] = 1
  const top = power(length)
  let hash = 0
  // A megabyte of this is all that an error costs: no calls, no objects.
  for (let at = 0; at < hay.length; at++) {
    hash = (Math.imul(hash, BASE) + hay[at]! + 1) | 0
    if (at >= length) hash = (hash - Math.imul(hay[at - length]! + 1, top)) | 0
    if (maybe[hash & 0xffff] === 1 && at >= length - 1 && hashes.has(hash)) return true
  }
  return false
}

const BASE = 0x01000193

function power(length: number): number {
  let top = 1
  for (let n = 0; n < length; n++) top = Math.imul(top, BASE)
  return top
}

/** The hash of every `length` bytes in a row. */
function* rolling(bytes: Uint8Array, length: number): Generator<number> {
  const top = power(length)
  let hash = 0
  for (let at = 0; at < bytes.length; at++) {
    hash = (Math.imul(hash, BASE) + bytes[at]! + 1) | 0
    if (at >= length) hash = (hash - Math.imul(bytes[at - length]! + 1, top)) | 0
    if (at >= length - 1) yield hash
  }
}

/** What a byte becomes: letters lower case, digits and what is not ASCII as they are, all else nothing. */
const FOLD = Uint8Array.from({ length: 256 }, (_, byte) => {
  if ((byte >= 48 && byte <= 57) || (byte >= 97 && byte <= 122) || byte >= 128) return byte
  return byte >= 65 && byte <= 90 ? byte + 32 : 0
})

function fold(bytes: Uint8Array): Uint8Array {
  const folded = new Uint8Array(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = FOLD[bytes[at]!]!
    if (byte !== 0) folded[length++] = byte
  }
  return folded.subarray(0, length)
}

const BACKSLASH = 0x5c
const PERCENT = 0x25
const AMPERSAND = 0x26
const SEMICOLON = 0x3b
const BLANK = 0x20
/** \n, \t and the like: what they stand for is neither a letter nor a digit. */
const CONTROL = Uint8Array.from({ length: 256 }, (_, byte) => Number('abefnrtv0'.includes(String.fromCharCode(byte))))
/** How many hexadecimal digits follow \x, \u, \U. */
const DIGITS = Uint8Array.from({ length: 256 }, (_, byte) => ({ x: 2, u: 4, U: 8 })[String.fromCharCode(byte)] ?? 0)
/** The value of a hexadecimal digit, or 255. */
const HEX = Uint8Array.from({ length: 256 }, (_, byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16)
  return Number.isNaN(value) ? 255 : value
})
const LONGEST_ENTITY = 10

/** The bytes that are meant: the escapes of JSON, Go, C, URLs and HTML taken back, as far as they are well-formed. */
function unescaped(bytes: Uint8Array): Uint8Array {
  // No escape is shorter than what it stands for.
  const meant = Buffer.alloc(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at]!
    const next = bytes[at + 1] ?? 0
    if (byte !== BACKSLASH && byte !== PERCENT && byte !== AMPERSAND) {
      meant[length++] = byte
      at++
    } else if (byte === AMPERSAND) {
      const [code, size] = entityAt(bytes, at)
      if (size === 0) meant[length++] = byte
      else length += meant.write(String.fromCodePoint(code), length)
      at += Math.max(1, size)
    } else {
      const digits = byte === PERCENT ? 2 : DIGITS[next]!
      const from = byte === PERCENT ? at + 1 : at + 2
      const code = digits === 0 ? -1 : numberAt(bytes, from, digits, 16)
      if (code >= 0 && code <= 0x10ffff) {
        if (digits === 2) meant[length++] = code
        else length += meant.write(String.fromCodePoint(code), length)
        at = from + digits
      } else if (byte === PERCENT || at + 1 === bytes.length) {
        meant[length++] = byte
        at++
      } else {
        const octal = numberAt(bytes, at + 1, 3, 8)
        if (octal >= 0) meant[length++] = octal & 0xff
        else meant[length++] = CONTROL[next] === 1 ? BLANK : next
        at += octal >= 0 ? 4 : 2
      }
    }
  }
  return meant.subarray(0, length)
}

/** The number that `digits` digits from `at` on say, or -1. */
function numberAt(bytes: Uint8Array, at: number, digits: number, base: number): number {
  let value = 0
  for (let n = 0; n < digits; n++) {
    const digit = HEX[bytes[at + n] ?? 0]!
    if (digit >= base) return -1
    value = value * base + digit
  }
  return value
}

/** An entity of HTML: the character, of which only those with a number matter here, and how long it is; 0: none. */
function entityAt(bytes: Uint8Array, at: number): readonly [code: number, size: number] {
  let end = at + 1
  while (end < bytes.length && end - at < LONGEST_ENTITY && bytes[end] !== SEMICOLON) end++
  if (bytes[end] !== SEMICOLON) return [0, 0]
  const name = Buffer.from(bytes.buffer, bytes.byteOffset + at + 1, end - at - 1).toString('latin1')
  const match = /^(?:#(\d+)|#x([0-9a-f]+)|[a-z]{2,6})$/i.exec(name)
  if (match === null) return [0, 0]
  const [, decimal, hex] = match
  const code = decimal ? Number(decimal) : hex ? Number.parseInt(hex, 16) : BLANK
  return code <= 0x10ffff ? [code, end - at + 1] : [0, 0]
}
