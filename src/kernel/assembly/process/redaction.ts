/**
 * What redaction goes by: the table of its rules, the record at hand, and what has been found.
 *
 * The table is made by src/process/redact/compile.ts. Offsets are relative to it, numbers are u32 unless said otherwise.
 *
 *     0     scans: bits, which rules go by digits and signs rather than by words
 *     4     how a match is replaced: REPLACE, KEEP or HASH
 *     8     how many bytes KEEP leaves
 *     12    how many rules there are
 *     16    labels: for each rule how long its label is (u8), and the label: `[email]`, then stars, 40 bytes a rule
 *     20    counts: for each rule how often it matched, and how often it had to give up
 *     24    lists: for each of eight buckets its literals, 0: none (redact.ts)
 *     28    lengths: IBANs by country: two letters (u16), how long (u16), up to a country 0
 *     32    key of HASH: two u64
 *     48    rules of the scans, by bit: u8 each; the last one is that of private keys
 *     56    schemes: how long (u8), and the word; up to a length of 0
 *     60    where a frame ends that is looked at alone
 *     64    prefilter: see teddy.ts, 96 bytes
 *     160   signs: by lower and by upper half which kinds a byte may be of (signs.ts), 16 bytes each
 *     192   16 bytes of 15
 *     208   classes: for each byte bits that say what it may be part of
 *     464   threes: a bit for each hash of three bytes that a literal is found by (teddy.ts), 512 bytes
 */
export const SCANS: usize = 0
export const HOW: usize = 4
export const KEEP_BYTES: usize = 8
export const RULES: usize = 12
export const LABELS: usize = 16
export const COUNTS: usize = 20
export const LISTS: usize = 24
export const LENGTHS: usize = 28
export const HASH_KEY: usize = 32
export const SCAN_RULES: usize = 48
export const SCHEMES: usize = 56
export const END: usize = 60
export const PREFILTER: usize = 64
export const SIGNS: usize = 160
export const HALF: usize = 192
export const CLASSES: usize = 208
export const THREES: usize = 464
export const LITERALS: usize = 976

export const LABEL: usize = 40
export const COUNT: usize = 8

export const REPLACE: u32 = 0
export const KEEP: u32 = 1
export const HASH: u32 = 2

/** Rules that go by signs, as bits of `scans` and places in the table of their numbers. */
export const EMAIL: u32 = 0
export const PAN: u32 = 1
export const SSN: u32 = 2
export const IBAN: u32 = 3
export const IPV4: u32 = 4
export const IPV6: u32 = 5
/** There are literals. */
export const WORDS: u32 = 6

/** Classes of bytes: of upper-case keys, of words, of base64url, of base64, of tokens, of the part before an @, of domains. */
export const CAPITAL: u32 = 1
export const ALNUM: u32 = 2
export const URL_SAFE: u32 = 4
export const BASE64: u32 = 8
export const TOKEN68: u32 = 16
export const LOCAL: u32 = 32
export const DOMAIN: u32 = 64
/** What ends a value without quotes, or may. */
export const STOP: u32 = 128

/** Where the record at hand ends: as it was written, as far as it was written, or where it was cut. */
export const WHOLE: u32 = 0
export const PARTIAL: u32 = 1
export const CUT: u32 = 2

export let table: usize = 0
/** The record at hand, of which [begin, end) is at hand, and its edge. */
export let begin: usize = 0
export let end: usize = 0
export let edge: u32 = 0
/** Nothing before this is looked at again: it is behind the last match. */
export let floor: usize = 0
/** Nothing before this is written: it is there as a context only. */
export let wall: usize = 0
/** Bytes that may still be verified in this record, and in all of this call. */
let allowance: i32 = 0
let slack: i32 = 0
/** Nothing is left of it: what follows in the record is not looked at, but masked. */
export let exhausted: bool = false

/** How much of what is verified is allowed for each byte of a record, and beyond that in a call. */
const EACH: i32 = 8
const BEYOND: i32 = 65536

export function useTable(at: usize, least: usize): void {
  table = at
  wall = least
  slack = BEYOND
}

export function openRecord(from: usize, to: usize, how: u32): void {
  begin = from
  end = to
  edge = how
  floor = from
  allowance = <i32>(to - from) * EACH
  exhausted = false
  dirty = false
  again = false
  runKind = 0
  judge(from)
}

/** The line that begins at `from` says whether the record is JSON. */
export function judge(from: usize): void {
  stringAt = from
  inString = false
  json = looksJson(from)
}

export function moveFloor(to: usize): void {
  if (to > floor) floor = to
}

/** Takes so many bytes that are verified out of what is allowed. */
export function spend(bytes: usize): void {
  allowance -= <i32>bytes
  if (allowance >= 0) return
  slack += allowance
  allowance = 0
  if (slack >= 0) return
  slack = 0
  exhausted = true
}

/** The record begins as JSON does: what is written into it must not break it. */
export let json: bool = false

function looksJson(from: usize): bool {
  let at = from
  while (at < end) {
    const byte = <u32>load<u8>(at)
    if (byte == 0x22 || byte == 0x7d || byte == 0x5d) return at > from || byte == 0x22
    if (byte != 0x7b && byte != 0x5b && byte > 0x20) return false
    at++
  }
  return false
}

/** How far it is known what is within a string, and whether that place is. */
let stringAt: usize = 0
let inString: bool = false

/** Whether `at` stands within a string of a record that is JSON. Places are asked for in order. */
export function within(at: usize): bool {
  let from = stringAt
  let inside = inString
  while (from < at) {
    const byte = <u32>load<u8>(from)
    if (byte == 0x5c) from++
    else if (byte == 0x22) inside = !inside
    from++
  }
  stringAt = from
  inString = inside
  return inside
}

// @ts-ignore: decorator
@inline
export function is(byte: u32, kind: u32): bool {
  return (<u32>load<u8>(table + <usize>byte, CLASSES) & kind) != 0
}

// @ts-ignore: decorator
@inline
export function isDigit(byte: u32): bool {
  return byte - 48 < 10
}

// @ts-ignore: decorator
@inline
export function isHex(byte: u32): bool {
  return byte - 48 < 10 || (byte | 32) - 97 < 6
}

// @ts-ignore: decorator
@inline
export function isWord(byte: u32): bool {
  return is(byte, ALNUM) || byte == 0x5f
}

/** Where the bytes of a class end that begin at `at`. What was looked through last is not looked through again. */
export function runOf(at: usize, kind: u32): usize {
  if (kind == runKind && at >= runFrom && at <= runTo && runEnd == end) return runTo
  let to = at
  while (to < end && is(<u32>load<u8>(to), kind)) to++
  runKind = kind
  runFrom = at
  runTo = to
  runEnd = end
  return to
}
let runKind: u32 = 0
let runFrom: usize = 0
let runTo: usize = 0
let runEnd: usize = 0

export function forgetRun(): void {
  runKind = 0
}

/** How many backslashes stand before `at`. */
export function slashesBefore(at: usize): usize {
  let from = at
  while (from > begin && load<u8>(from - 1) == 0x5c) from--
  return at - from
}

/**
 * Whether a letter, a digit or _ goes on at `at`. The last character of an escape sequence (`\n`, `\u003d`, `%3D`) does
 * not.
 */
export function goesOn(at: usize): bool {
  if (at <= begin) return false
  const before = <u32>load<u8>(at - 1)
  if (!isWord(before)) return false
  if (at < begin + 2) return true
  const second = <u32>load<u8>(at - 2)
  if (second == 0x5c) {
    return before != 0x6e && before != 0x72 && before != 0x74 && before != 0x62 && before != 0x66
  }
  if (at < begin + 3 || !isHex(before) || !isHex(second)) return true
  if (load<u8>(at - 3) == 0x25) return false
  if (at < begin + 6 || load<u8>(at - 5) != 0x75 || load<u8>(at - 6) != 0x5c) return true
  return !isHex(<u32>load<u8>(at - 3)) || !isHex(<u32>load<u8>(at - 4))
}

/** Something was written in the record at hand, and what stands around it may mean something else now. */
export let dirty: bool = false
/** It is looked at again: what could not be said then is counted. */
let again: bool = false

/** Something was written behind what may now have an end. */
export function disturb(): void {
  dirty = true
}

/** The record at hand is not looked at again. */
export function clean(): void {
  dirty = false
}

/** Looks at the record at hand again, for what was written may have made an end where there was none. */
export function reopen(): void {
  openRecord(begin, end, edge)
  again = true
}

/** How often something was written over: it goes up. */
export let changes: u32 = 0
/** What had to be masked without knowing what it is has been counted. */
let counted: bool = false

export function change(): void {
  changes++
}

/** From now on what could not be said is not counted, or is. */
export function silence(yes: bool): void {
  counted = yes
}

/** A rule wrote over something, or had to without knowing what it is. */
export function count(rule: u32, gaveUp: bool): void {
  if (gaveUp && (again || counted)) return
  if (!gaveUp) changes++
  const at = countOf(rule) + (gaveUp ? 4 : 0)
  store<u32>(at, load<u32>(at) + 1)
}

/** Where the counts of a rule are. */
export function countOf(rule: u32): usize {
  return table + <usize>load<u32>(table, COUNTS) + <usize>rule * COUNT
}

/**
 * Where it is noted what is masked, for those who show it: rows of four u32, which rule, from, behind, and whether it had
 * to give up. 0: nowhere. `noted` of them are written, up to `mostNotes`.
 */
export let notes: usize = 0
export let mostNotes: u32 = 0
export let noted: u32 = 0

export const NOTE: usize = 16

export function note(rule: u32, from: usize, to: usize, gaveUp: bool): void {
  if (notes == 0 || noted == mostNotes || from >= to) return
  const at = notes + <usize>noted * NOTE
  store<u32>(at, rule)
  store<u32>(at, <u32>from, 4)
  store<u32>(at, <u32>to, 8)
  store<u32>(at, gaveUp ? 1 : 0, 12)
  noted++
}
