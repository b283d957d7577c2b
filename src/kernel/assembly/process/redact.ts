/**
 * Redaction: finds what the rules of a table are about, and writes over it in place.
 *
 *     text      … user=joe password=hunter2 from 10.1.2.3 …
 *     places             ^p                    ^.            by 64 bytes at once: three bytes of a word (teddy.ts), an @,
 *                                                            digits with what belongs between them (bits and shifts)
 *     matches              password=└──┬──┘   └───┬──┘       each place is looked at by the rule it is about
 *
 * Where two rules could match, the one whose place comes first does. Literals are in groups by the three
 * bytes that the prefilter knows, and these in a list for each of its buckets, up to a group of 0 bytes:
 *
 *     group      │ three bytes u32 │ bits of letters whose case does not matter u32 │ bits that count u32 │ bytes u32 │ literals …
 *     literal    │ bytes │ place │ kind │ rule │ flags │ class │ least u16 │ most u16 │ the literal …
 *
 * `place` says where in the literal the three bytes are; without regard to case it is written in lower case (FOLDED).
 *
 * Guarantees: nothing outside of a match is changed, and nothing before `wall`; the time is linear in the bytes, whatever
 * they are: what is more than that is masked instead (redaction.ts, `spend`).
 */
import { address, longAddress, localStart, mail } from './addresses'
import { isKeyHead, keyLine, keyParts, MOST_KEY, open, privateKey, setOpen } from './keys'
import { mask, maskRest } from './mask'
import { account, beginsLikeCard, card, security, start } from './numbers'
import { pair } from './pairs'
import {
  begin,
  clean,
  CUT,
  count,
  dirty,
  DOMAIN,
  edge,
  EMAIL,
  end,
  exhausted,
  floor,
  forgetRun,
  goesOn,
  HALF,
  IBAN,
  IPV4,
  IPV6,
  is,
  CAPITAL,
  isDigit,
  isHex,
  judge,
  LISTS,
  LOCAL,
  moveFloor,
  openRecord,
  PAN,
  PREFILTER,
  reopen,
  SCAN_RULES,
  SCANS,
  SIGNS,
  SSN,
  STOP,
  table,
  THREES,
  useTable,
  WHOLE,
  WORDS,
} from './redaction'
import { ahead, AT, BETWEEN, COLON, DIGIT, DOT, HEX_LETTER, kind16, kind64, LEAD, UPPER } from './signs'
import { bucketsAt, candidates, isThree, marks } from './teddy'
import { credentials, token, userInfo, webToken } from './tokens'

/** Kinds of literals: what follows them. */
export const PAIR: u32 = 0
export const TOKEN: u32 = 1
export const WEB_TOKEN: u32 = 2
export const SCHEME: u32 = 3
export const URL: u32 = 4
export const KEY: u32 = 5
export const MAIL_SIGN: u32 = 6

/** A flag of every kind: the literal is compared without regard to case. */
export const FOLDED: u32 = 128

const ENTRY: usize = 10
const GROUP: usize = 16
const LINE_FEED: u32 = 10

/** The frame at hand: where its end stands in the table of ends, and how many are left with it. */
let row: usize = 0
let left: u32 = 0
/** How the only frame of a call ends. */
let lastEdge: u32 = 0

/**
 * Redacts `count` frames, of which the first begins at `from` and whose ends stand at `ends`. `wall`: nothing before that
 * address is written, what stands there is a context. `how`: whether what they hold is all of it (WHOLE, PARTIAL, CUT).
 * `key`: bytes that a private key may still have which is open before them; the result says the same behind them.
 * `head`: they stand at the beginning of a file.
 */
export function redact(at: usize, from: usize, ends: usize, frames: u32, wall: usize, how: u32, key: u32, head: bool): u32 {
  useTable(at, wall)
  forgetRun()
  setOpen(key)
  row = ends
  left = frames
  lastEdge = how
  const to = <usize>load<u32>(ends + (<usize>(frames - 1) << 2))
  openRecord(from, <usize>load<u32>(ends), how)
  if (from < wall) lookBack(from, wall)
  const keys = keyRule()
  if (keys != NO_RULE && head && isKeyHead(from, end, to)) setOpen(MOST_KEY)
  let next = from
  while (next < to) {
    if (open == 0 || keys == NO_RULE) {
      const line = next
      next = scan(line, to)
      if (dirty) settle(max(line, begin), min(next, end))
      continue
    }
    // A line at a time while a key is open.
    moveTo(next)
    const stop = lineEnd(next, end)
    if (!keyLine(next, stop, keys)) {
      scan(next, stop)
      forgetRun()
      keyParts(next, stop, keys)
      if (dirty) settle(next, stop)
    }
    next = stop + 1
  }
  if (how != WHOLE) {
    seal()
    for (let pass = 0; dirty && pass < PASSES; pass++) {
      settle(max(begin, wall), end)
      seal()
    }
  }
  return <u32>open
}

/** How often a record is looked at again at the most. */
const PASSES: i32 = 4

/** Leaves [from, to) of the record at hand as it would be left again: a mask may end what went on before. */
function settle(from: usize, to: usize): void {
  const key = open
  for (let pass = 0; dirty && pass < PASSES; pass++) {
    reopen()
    moveFloor(from)
    scan(from, to)
  }
  setOpen(max(key, open))
  clean()
}

/** What stands in [from, wall) is a context: the record's line begins in it, or before. */
function lookBack(from: usize, wall: usize): void {
  let line = wall
  while (line > from && load<u8>(line - 1) != LINE_FEED) line--
  judge(line)
  if (line > from || wall - from < LONG) return
  // A word without an end: it began where nothing is known of, and what follows may be the rest of it.
  for (let at = from; at < wall; at++) if (is(<u32>load<u8>(at), STOP)) return
  maskRest(0, wall)
}

/** A word of so many bytes may be longer than what is at hand of it. */
const LONG: usize = 4096
const NO_RULE: u32 = 255

/** The rule of private keys, which is the last of the scans' rules. */
function keyRule(): u32 {
  return <u32>load<u8>(table, SCAN_RULES + 7)
}

function lineEnd(from: usize, to: usize): usize {
  let at = from
  while (at < to && load<u8>(at) != LINE_FEED) at++
  return at
}

/** The record in which `at` stands is the one at hand. */
function moveTo(at: usize): void {
  if (at <= end || left == 1) return
  let to = end
  let from = begin
  while (at > to && left > 1) {
    from = to + 1
    row += 4
    left--
    to = <usize>load<u32>(row)
  }
  openRecord(from, to, lastEdge)
}

// @ts-ignore: decorator
@inline
function ruleOf(scan: u32): u32 {
  return <u32>load<u8>(table + <usize>scan, SCAN_RULES)
}

/**
 * Looks at all places in [from, to). Returns where it stopped: at `to`, or behind the line in which a private key began, or
 * behind a record in which something was written that has to be looked at again.
 */
function scan(from: usize, to: usize): usize {
  const scans = load<u32>(table, SCANS)
  const words = (scans & (1 << WORDS)) != 0
  const signs = (scans & ~(1 << WORDS)) != 0
  const emails = (scans & (1 << EMAIL)) != 0
  const cards = (scans & (1 << PAN)) != 0
  const securities = (scans & (1 << SSN)) != 0
  const accounts = (scans & (1 << IBAN)) != 0
  const fours = (scans & (1 << IPV4)) != 0
  const sixes = (scans & (1 << IPV6)) != 0
  const grouped = cards || securities
  const numbers = grouped || accounts || fours
  const half = v128.load(table, HALF)
  const l0 = v128.load(table, PREFILTER)
  const u0 = v128.load(table, PREFILTER + 16)
  const l1 = v128.load(table, PREFILTER + 32)
  const u1 = v128.load(table, PREFILTER + 48)
  const l2 = v128.load(table, PREFILTER + 64)
  const u2 = v128.load(table, PREFILTER + 80)
  const ls = v128.load(table, SIGNS)
  const us = v128.load(table, SIGNS + 16)
  const threes = table + THREES
  // The last of the 64 bytes before is a digit.
  let digitBefore: u64 = 0
  // Where something was written the record is looked at again, before those behind it are looked at.
  let stop = to
  for (let at = from; at < stop; at += 64) {
    // Lower and upper halves of the bytes.
    let v = v128.load(at)
    const la = v128.and(v, half)
    const ua = v128.and(i16x8.shr_u(v, 4), half)
    v = v128.load(at, 16)
    const lb = v128.and(v, half)
    const ub = v128.and(i16x8.shr_u(v, 4), half)
    v = v128.load(at, 32)
    const lc = v128.and(v, half)
    const uc = v128.and(i16x8.shr_u(v, 4), half)
    v = v128.load(at, 48)
    const ld = v128.and(v, half)
    const ud = v128.and(i16x8.shr_u(v, 4), half)
    v = v128.load(at, 64)
    const le = v128.and(v, half)
    const ue = v128.and(i16x8.shr_u(v, 4), half)
    let word: u64 = 0
    let mailed: u64 = 0
    let carded: u64 = 0
    let secured: u64 = 0
    let accounted: u64 = 0
    let four: u64 = 0
    let six: u64 = 0
    if (words) {
      const b1 = marks(l1, u1, lb, ub)
      const b2 = marks(l2, u2, lb, ub)
      const wa = candidates(marks(l0, u0, la, ua), marks(l1, u1, la, ua), b1, marks(l2, u2, la, ua), b2)
      const c1 = marks(l1, u1, lc, uc)
      const c2 = marks(l2, u2, lc, uc)
      const wb = candidates(marks(l0, u0, lb, ub), b1, c1, b2, c2)
      const d1 = marks(l1, u1, ld, ud)
      const d2 = marks(l2, u2, ld, ud)
      const wc = candidates(marks(l0, u0, lc, uc), c1, d1, c2, d2)
      const wd = candidates(marks(l0, u0, ld, ud), d1, marks(l1, u1, le, ue), d2, marks(l2, u2, le, ue))
      if (v128.any_true(v128.or(v128.or(wa, wb), v128.or(wc, wd)))) {
        const none = i8x16.splat(0)
        word =
          ~(<u64>i8x16.bitmask(i8x16.eq(wa, none)) |
            (<u64>i8x16.bitmask(i8x16.eq(wb, none)) << 16) |
            (<u64>i8x16.bitmask(i8x16.eq(wc, none)) << 32) |
            (<u64>i8x16.bitmask(i8x16.eq(wd, none)) << 48))
      }
    }
    if (signs) {
      const a = marks(ls, us, la, ua)
      const b = marks(ls, us, lb, ub)
      const c = marks(ls, us, lc, uc)
      const d = marks(ls, us, ld, ud)
      const e = marks(ls, us, le, ue)
      // What begins here may go on behind it.
      const any = v128.or(v128.or(v128.or(a, b), v128.or(c, d)), e)
      if (emails && has(any, AT)) mailed = kind64(a, b, c, d, AT)
      if (numbers && has(any, DIGIT)) {
        const digit = kind64(a, b, c, d, DIGIT)
        const then = kind16(e, DIGIT)
        const behind = (digit << 1) | digitBefore
        digitBefore = digit >> 63
        if (fours && has(any, DOT)) {
          // A dot within a number, two to four places behind it another, and a third.
          const dot = kind64(a, b, c, d, DOT) & behind & ahead(digit, then, 1)
          if (dot != 0) {
            const dotThen = kind16(e, DOT) & ((then << 1) | digitBefore) & (then >> 1)
            const two = dot & (ahead(dot, dotThen, 2) | ahead(dot, dotThen, 3) | ahead(dot, dotThen, 4))
            const twoThen = dotThen & ((dotThen >> 2) | (dotThen >> 3) | (dotThen >> 4))
            four = two & (ahead(two, twoThen, 2) | ahead(two, twoThen, 3) | ahead(two, twoThen, 4))
          }
        }
        const twice = digit & ahead(digit, then, 1)
        const twiceThen = then & (then >> 1)
        if (accounts) {
          const upper = kind64(a, b, c, d, UPPER)
          accounted = upper & ahead(upper, kind16(e, UPPER), 1) & ahead(twice, twiceThen, 2)
        }
        const three = twice & ~behind & ahead(digit, then, 2)
        if (grouped && three != 0) {
          const between = kind64(a, b, c, d, BETWEEN)
          const betweenThen = kind16(e, BETWEEN)
          if (securities) {
            secured =
              three &
              ahead(between, betweenThen, 3) &
              ahead(twice, twiceThen, 4) &
              ahead(between, betweenThen, 6) &
              ahead(twice, twiceThen, 7) &
              ahead(twice, twiceThen, 9)
          }
          const four4 = twice & ahead(twice, twiceThen, 2)
          if (cards && (three & four4) != 0) {
            // Twelve digits, or four and what may stand between groups.
            const part = digit | between
            const partThen = then | betweenThen
            const p2 = part & ahead(part, partThen, 1)
            const p2Then = partThen & (partThen >> 1)
            const p4 = p2 & ahead(p2, p2Then, 2)
            const p4Then = p2Then & (p2Then >> 2)
            carded = three & four4 & ahead(p4, p4Then, 4) & ahead(p4, p4Then, 8)
            if (carded != 0) {
              const four4Then = twiceThen & (twiceThen >> 2)
              const separate = ahead(between, betweenThen, 4) & ahead(four4, four4Then, 5)
              const straight = ahead(four4, four4Then, 4) & ahead(four4, four4Then, 8)
              const likely = carded & kind64(a, b, c, d, LEAD) & (separate | straight)
              carded = likely | escaped(at, carded & ~likely)
            }
          }
        }
      } else digitBefore = 0
      if (sixes && has(any, COLON)) {
        const colon = kind64(a, b, c, d, COLON)
        const then = kind16(e, COLON)
        // A colon in the next five places: the digits between them are four at the most.
        const two = colon & ahead(colon, then, 1)
        const near =
          two |
          (colon &
            (ahead(colon, then, 2) | ahead(colon, then, 3) | ahead(colon, then, 4) | ahead(colon, then, 5)))
        six = two
        const nearThen = then & ((then >> 1) | (then >> 2) | (then >> 3) | (then >> 4) | (then >> 5))
        if ((near | nearThen) != 0) six |= full(a, b, c, d, e, near, nearThen, at == from ? 0 : at)
      }
    }
    let all = word | mailed | carded | secured | accounted | four | six
    if (all == 0) continue
    while (all != 0) {
      const bit = <u64>ctz(all)
      const one = (<u64>1) << bit
      all &= all - 1
      const place = at + <usize>bit
      if (place >= to) break
      const worded = (word & one) != 0 && isThree(threes, place) != 0 && perhaps(place)
      let signed = ((carded | secured | four | six) & one) != 0
      if (accounted & one) signed = signed || capitalsAt(place)
      if (mailed & one) signed = isMail(place)
      if (!worded && !signed) continue
      if (place > end) {
        if (dirty) return end + 1
        moveTo(place)
      }
      if (place < floor) continue
      if (worded) {
        const keyed = literals(place)
        if (keyed) {
          if (open != 0) return lineEnd(place, end) + 1
        }
        if (place < floor) continue
      }
      if (!signed) continue
      if (mailed & one && mail(place, place + 1, ruleOf(EMAIL))) continue
      if (four & one && address(place, ruleOf(IPV4))) continue
      if (carded & one && card(place, ruleOf(PAN))) continue
      if (secured & one && security(place, ruleOf(SSN))) continue
      if (accounted & one && account(place, ruleOf(IBAN))) continue
      if (six & one) longAddress(place, ruleOf(IPV6))
    }
    if (dirty) stop = min(to, end)
  }
  return stop < to ? end + 1 : to
}

/** Whether there is anything of a kind, where these are kinds of 16 bytes or what is known of several. */
// @ts-ignore: decorator
@inline
function has(kinds: v128, kind: i32): bool {
  return v128.any_true(v128.and(kinds, i8x16.splat(<i8>(128 >> kind))))
}

/**
 * Where 15 bytes of hexadecimal digits and colons begin, with up to four digits before a colon that is `near` to the next
 * one. `at`: their address, or 0: nothing stands before them.
 */
function full(a: v128, b: v128, c: v128, d: v128, e: v128, near: u64, nearThen: u64, at: usize): u64 {
  const hex = kind64(a, b, c, d, COLON) | kind64(a, b, c, d, DIGIT) | kind64(a, b, c, d, HEX_LETTER)
  const then = kind16(e, COLON) | kind16(e, DIGIT) | kind16(e, HEX_LETTER)
  let before: u64 = 0
  if (at != 0) {
    const byte = <u32>load<u8>(at - 1)
    before = <u64>(isHex(byte) || byte == 0x3a)
  }
  const h2 = hex & ahead(hex, then, 1)
  const t2 = then & (then >> 1)
  const h4 = h2 & ahead(h2, t2, 2)
  const t4 = t2 & (t2 >> 2)
  const h8 = h4 & ahead(h4, t4, 4)
  const t8 = t4 & (t4 >> 4)
  const first = hex & ~((hex << 1) | before) & h8 & ahead(h8, t8, 7)
  return (
    first & (near | ahead(near, nearThen, 1) | ahead(near, nearThen, 2) | ahead(near, nearThen, 3) | ahead(near, nearThen, 4))
  )
}

/** Of the places in the 64 bytes at `at`, those in an escape sequence, behind which a number begins later. */
// @ts-ignore: decorator
@inline
function escaped(at: usize, places: u64): u64 {
  let found: u64 = 0
  for (; places != 0; places &= places - 1) {
    const before = <u32>load<u8>(at + <usize>ctz(places) - 1)
    if (before == 0x25 || before == 0x75) found |= places & (0 - places)
  }
  return found
}

/** Whether there may be an address of mail around an @. */
// @ts-ignore: decorator
@inline
function isMail(at: usize): bool {
  const next = <u32>load<u8>(at, 1)
  return is(<u32>load<u8>(at - 1), LOCAL) && (is(next, DOMAIN) || next >= 0x80)
}

/** `://` */
const SCHEME_END: u32 = 0x2f2f3a

/** Whether the authority of a URL that begins at `at` may have a user: most hosts end within 16 bytes. */
function perhapsUser(at: usize): bool {
  const v = v128.load(at)
  const ends = v128.or(
    v128.or(i8x16.eq(v, i8x16.splat(0x2f)), i8x16.eq(v, i8x16.splat(0x22))),
    v128.or(i8x16.eq(v, i8x16.splat(0x3f)), i8x16.eq(v, i8x16.splat(0x20))),
  )
  const others = v128.or(
    v128.or(i8x16.eq(v, i8x16.splat(0x40)), i8x16.eq(v, i8x16.splat(0x5b))),
    i8x16.lt_u(v, i8x16.splat(0x20)),
  )
  const end = ctz(<u32>i8x16.bitmask(ends))
  return end >= ctz(<u32>i8x16.bitmask(others))
}

/** Whether the three bytes of a literal stand at `place`. */
function perhaps(place: usize): bool {
  const lists = table + <usize>load<u32>(table, LISTS)
  const three = load<u32>(place)
  let buckets = bucketsAt(table + PREFILTER, place)
  while (buckets != 0) {
    const bucket = ctz(buckets)
    buckets &= buckets - 1
    let group = table + <usize>load<u32>(lists + (<usize>bucket << 2))
    for (let size = <usize>load<u32>(group, 12); size != 0; size = <usize>load<u32>(group, 12)) {
      if (((three | load<u32>(group, 4)) & load<u32>(group, 8)) == load<u32>(group)) {
        return (three & 0xffffff) != SCHEME_END || perhapsUser(place + 3)
      }
      group += GROUP + size
    }
  }
  return false
}

/** Tries the literals that may have their three bytes at `place`; returns whether a private key began. */
function literals(place: usize): bool {
  let buckets = bucketsAt(table + PREFILTER, place)
  while (buckets != 0) {
    const bucket = ctz(buckets)
    buckets &= buckets - 1
    let group = table + <usize>load<u32>(table + <usize>load<u32>(table, LISTS) + (<usize>bucket << 2))
    for (let size = <usize>load<u32>(group, 12); size != 0; size = <usize>load<u32>(group, 12)) {
      const list = group + GROUP
      group = list + size
      if (((load<u32>(place) | load<u32>(list - 12)) & load<u32>(list - 8)) != load<u32>(list - 16)) continue
      for (let entry = list; entry < group; ) {
        const length = <usize>load<u8>(entry)
        const from = place - <usize>load<u8>(entry, 1)
        if (from >= floor && from >= begin && from + length <= end && same(entry, from, length)) {
          const kind = <u32>load<u8>(entry, 2)
          if (follow(entry, from, from + length)) return kind == KEY
          if (exhausted) {
            maskRest(<u32>load<u8>(entry, 3), max(floor, from))
            return false
          }
        }
        entry += ENTRY + length
      }
    }
  }
  return false
}

/** Whether the literal of an entry stands at `at`. */
function same(entry: usize, at: usize, length: usize): bool {
  const text = entry + ENTRY
  if (load<u8>(entry, 4) & FOLDED) {
    for (let n: usize = 0; n < length; n++) {
      const byte = <u32>load<u8>(at + n)
      const known = <u32>load<u8>(text + n)
      // Only letters have another case.
      if (byte != known && !(known - 97 < 26 && (byte | 32) == known)) return false
    }
    return true
  }
  for (let n: usize = 0; n < length; n++) if (load<u8>(at + n) != load<u8>(text + n)) return false
  return true
}

/** What follows a literal that stands at [from, to); returns whether something was masked. */
function follow(entry: usize, from: usize, to: usize): bool {
  const rule = <u32>load<u8>(entry, 3)
  const flags = <u32>load<u8>(entry, 4) & ~FOLDED
  switch (<u32>load<u8>(entry, 2)) {
    case PAIR:
      return pair(from, to, rule, flags)
    case TOKEN:
      return token(from, to, rule, <u32>load<u8>(entry, 5), <usize>load<u16>(entry, 6), <usize>load<u16>(entry, 8))
    case WEB_TOKEN:
      return webToken(from, rule)
    case SCHEME:
      return credentials(from, to, rule, flags)
    case URL:
      return userInfo(to, rule)
    case KEY:
      return privateKey(to, rule)
    default:
      return mail(from, to, rule)
  }
}

/**
 * The end of a record that goes on elsewhere: what may be the beginning of a number or of an address there is masked. Of
 * words rules have seen to that.
 */
function seal(): void {
  moveTo(end)
  if (left > 1) return
  const scans = load<u32>(table, SCANS)
  const least = max(floor, end - min(end - begin, 48))
  if (scans & ((1 << PAN) | (1 << SSN) | (1 << IPV4))) {
    let from = end
    while (from > least && isPart(<u32>load<u8>(from - 1))) from--
    for (let at = from; at < end; at++) {
      const begins = isDigit(<u32>load<u8>(at)) && (at == from || !isDigit(<u32>load<u8>(at - 1)))
      if (begins && start(at) == at && sealNumber(at, scans)) break
    }
  }
  if (scans & (1 << IPV6)) {
    let from = end
    let colons: u32 = 0
    while (from > max(floor, least) && (isHex(<u32>load<u8>(from - 1)) || load<u8>(from - 1) == 0x3a)) {
      if (load<u8>(--from) == 0x3a) colons++
    }
    if (colons >= 3 && !goesOn(from)) cover(IPV6, from)
  }
  if (scans & (1 << IBAN)) {
    let from = end
    while (from > max(floor, least) && (is(<u32>load<u8>(from - 1), CAPITAL) || load<u8>(from - 1) == 0x20)) from--
    for (; from + 6 < end; from++) {
      if (goesOn(from) || !capitalsAt(from)) continue
      cover(IBAN, from)
      break
    }
  }
  if (scans & (1 << EMAIL)) {
    let from = localStart(end)
    if (from > begin && load<u8>(from - 1) == 0x40) {
      const local = localStart(from - 1)
      if (local < from - 1) cover(EMAIL, local)
    } else if (edge == CUT && from < end && from >= floor) cover(EMAIL, from)
  }
}

// @ts-ignore: decorator
@inline
function isPart(byte: u32): bool {
  return isDigit(byte) || byte == 0x2e || byte == 0x2d || byte == 0x20
}

/** Masks what begins at `at`, and is digits and what stands between them to the end, if it may go on as a number. */
function sealNumber(at: usize, scans: u32): bool {
  let n: u32 = 0
  let dots: u32 = 0
  let dashes: u32 = 0
  let blanks: u32 = 0
  for (let next = at; next < end; next++) {
    const byte = <u32>load<u8>(next)
    if (isDigit(byte)) n++
    else if (byte == 0x2e) dots++
    else if (byte == 0x2d) dashes++
    else blanks++
  }
  // A card's first six digits are the bank's.
  if (scans & (1 << PAN) && dots == 0 && n > 6 && n <= 19 && beginsLikeCard(at, end)) cover(PAN, at)
  else if (scans & (1 << SSN) && dashes > 0 && dots + blanks == 0 && n <= 9 && load<u8>(at + 3) == 0x2d) cover(SSN, at)
  else if (scans & (1 << IPV4) && dots >= 2 && dashes + blanks == 0) cover(IPV4, at)
  else return false
  return true
}

// @ts-ignore: decorator
@inline
function capitalsAt(at: usize): bool {
  return (
    <u32>load<u8>(at) - 65 < 26 &&
    <u32>load<u8>(at + 1) - 65 < 26 &&
    isDigit(<u32>load<u8>(at + 2)) &&
    isDigit(<u32>load<u8>(at + 3))
  )
}

function cover(scan: u32, from: usize): void {
  if (from >= end || from < floor) return
  const rule = ruleOf(scan)
  count(rule, true)
  mask(rule, from, end)
}
