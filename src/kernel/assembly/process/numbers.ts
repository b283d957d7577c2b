/**
 * Card numbers, social security numbers and account numbers: by their form, and then by their check digits. Ten of a
 * hundred times in milliseconds pass the check digit of a card, none of them begins like one.
 *
 * Each looks at no more bytes than the longest of them has.
 */
import { mask, maskDigits } from './mask'
import { begin, CAPITAL, end, floor, goesOn, is, isDigit, isHex, isWord, LENGTHS, table } from './redaction'

/** Digits of the shortest and of the longest card number. */
export const SHORTEST: u32 = 12
export const LONGEST: u32 = 19

/** Digits of the number at hand: the first eight as one number, and how many there are. */
let head: u32 = 0
let digits: u32 = 0

/** Whether a card number may begin with these six digits, and what lengths it may have: a bit for each. */
function lengthsOf(six: u32): u32 {
  const four = six / 100
  const two = six / 10000
  if (two >= 40 && two <= 49) return (1 << 13) | (1 << 16) | (1 << 19)
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return 1 << 16
  if (two == 34 || two == 37) return 1 << 15
  const long: u32 = (1 << 16) | (1 << 17) | (1 << 18) | (1 << 19)
  if (two == 65 || four == 6011 || (four >= 6440 && four <= 6499) || two == 62) return long
  if (four >= 3528 && four <= 3589) return long
  if ((four >= 3000 && four <= 3059) || four == 3095 || two == 36 || two == 38 || two == 39) {
    return (1 << 14) | (1 << 15) | long
  }
  if (four == 5018 || four == 5020 || four == 5038 || four == 5893 || four == 6304) return (1 << 12) | (1 << 13) | long
  if (four == 6759 || (four >= 6761 && four <= 6763)) return (1 << 12) | (1 << 13) | long
  return 0
}

/** Whether the number that begins like this may be that of a card, of which no more is at hand. */
export function beginsLikeCard(at: usize, to: usize): bool {
  let six: u32 = 0
  let n: u32 = 0
  for (let next = at; next < to && n < 6; next++) {
    const byte = <u32>load<u8>(next)
    if (!isDigit(byte)) continue
    six = six * 10 + byte - 48
    n++
  }
  return n == 6 && lengthsOf(six) != 0
}

/** Whether the check digit of [from, to), of which only digits count, is right. */
function luhn(from: usize, to: usize): bool {
  let sum: u32 = 0
  let twice = false
  for (let at = to; at > from; at--) {
    const digit = <u32>load<u8>(at - 1) - 48
    if (digit > 9) continue
    const value = twice ? 2 * digit : digit
    sum += value > 9 ? value - 9 : value
    twice = !twice
  }
  return sum % 10 == 0
}

/** Takes digits from `at` on, and groups of them with one separator between them; returns the address behind. */
function groups(at: usize): usize {
  head = 0
  digits = 0
  let next = at
  let separator: u32 = 0
  let sinceSeparator: u32 = 0
  let stop = at
  while (next < end && digits < LONGEST + 1) {
    const byte = <u32>load<u8>(next)
    if (isDigit(byte)) {
      if (digits < 6) head = head * 10 + byte - 48
      digits++
      sinceSeparator++
      stop = ++next
      continue
    }
    if (byte != 0x20 && byte != 0x2d) break
    // The first group has four digits, and no other has fewer, but for the last one.
    if (separator == 0 ? digits != 4 : byte != separator || sinceSeparator < 4) break
    if (next + 1 >= end || !isDigit(<u32>load<u8>(next + 1))) break
    separator = byte
    sinceSeparator = 0
    next++
  }
  return stop
}

/** A card number that begins at `at`, where digits begin. */
export function card(at: usize, rule: u32): bool {
  const from = start(at)
  if (from == 0) return false
  let to = groups(from)
  if (digits < SHORTEST) return false
  let lengths = lengthsOf(head)
  if (lengths == 0) return false
  // What follows in groups may be another number.
  while (true) {
    if (digits <= LONGEST && lengths & (1 << digits) && luhn(from, to) && !isWordAt(to)) {
      maskDigits(rule, from, to)
      return true
    }
    const shorter = withoutGroup(from, to)
    if (shorter == 0) return false
    digits = 0
    for (let next = from; next < shorter; next++) if (isDigit(<u32>load<u8>(next))) digits++
    if (digits < SHORTEST) return false
    to = shorter
  }
}

function withoutGroup(from: usize, to: usize): usize {
  let at = to
  while (at > from && isDigit(<u32>load<u8>(at - 1))) at--
  return at > from + 1 ? at - 1 : 0
}

// @ts-ignore: decorator
@inline
function isWordAt(at: usize): bool {
  return at < end && isWord(<u32>load<u8>(at))
}

/** Where a number begins whose digits begin at `at`: behind the digits of an escape sequence. 0: something goes on. */
export function start(at: usize): usize {
  if (at > begin) {
    const before = <u32>load<u8>(at - 1)
    if (before == 0x25 && at + 2 < end) return isHex(<u32>load<u8>(at)) && isHex(<u32>load<u8>(at + 1)) ? at + 2 : at
    if (before == 0x75 && at > begin + 1 && load<u8>(at - 2) == 0x5c) return at + 4 <= end ? at + 4 : 0
    if (before == 0x2e && at > begin + 1 && isDigit(<u32>load<u8>(at - 2))) return 0
  }
  return goesOn(at) ? 0 : at
}

/** A social security number of the United States that begins at `at`. */
export function security(at: usize, rule: u32): bool {
  if (at + 11 > end || goesOn(at) || (at > begin && load<u8>(at - 1) == 0x2d)) return false
  if (load<u8>(at + 3) != 0x2d || load<u8>(at + 6) != 0x2d) return false
  if (isWordAt(at + 11) || (at + 11 < end && load<u8>(at + 11) == 0x2d)) return false
  const area = number(at, 3)
  const group = number(at + 4, 2)
  const serial = number(at + 7, 4)
  if (area == 0 || area == 666 || area > 899 || group == 0 || group > 99 || serial == 0 || serial > 9999) return false
  mask(rule, at, at + 11)
  return true
}

/** The number of so many digits at `at`; more than they can say if one of them is none. */
function number(at: usize, n: usize): u32 {
  let value: u32 = 0
  for (let i: usize = 0; i < n; i++) {
    const digit = <u32>load<u8>(at + i) - 48
    if (digit > 9) return 100000
    value = value * 10 + digit
  }
  return value
}

/** The length of an international account number of the country whose letters stand at `at`; 0: there is none. */
export function accountLength(at: usize): u32 {
  const country = <u32>load<u16>(at)
  let row = table + <usize>load<u32>(table, LENGTHS)
  while (true) {
    const known = <u32>load<u16>(row)
    if (known == country) return <u32>load<u16>(row, 2)
    if (known == 0) return 0
    row += 4
  }
}

/** An international account number (ISO 13616) that begins at `at`, in one piece or in groups of four. */
export function account(at: usize, rule: u32): bool {
  if (at < floor || goesOn(at)) return false
  const length = accountLength(at)
  if (length == 0) return false
  let rest: u32 = 0
  let n: u32 = 0
  let next = at
  while (n < length) {
    if (next >= end) return false
    const byte = <u32>load<u8>(next)
    if (byte == 0x20 && n > 0 && n % 4 == 0 && load<u8>(next - 1) != 0x20) {
      next++
      continue
    }
    if (!is(byte, CAPITAL)) return false
    // The country and the check digits come last.
    if (n >= 4) rest = add(rest, byte)
    n++
    next++
  }
  for (let i: usize = 0; i < 4; i++) rest = add(rest, <u32>load<u8>(at + i))
  if (rest != 1 || isWordAt(next)) return false
  mask(rule, at, next)
  return true
}

// @ts-ignore: decorator
@inline
function add(rest: u32, byte: u32): u32 {
  return isDigit(byte) ? (rest * 10 + byte - 48) % 97 : (rest * 100 + byte - 55) % 97
}
