/**
 * Finds the time of each record, and writes it to its row: nanoseconds since the epoch.
 *
 *     2024-03-31 02:30:05,123 INFO  [main] …
 *     └── kept ──────┘└steps┘                   the first bytes of a line are mostly those of the last one
 *
 * What a text says is its time, whatever stood before it: what is kept of the last line is what its bytes said, and no
 * choice is remembered. Digits that the text does not have come from the offset of the record, so that order is kept and
 * equal lines stay two, and a line that is read again has the time that it had:
 *
 *     time = milliseconds · 10⁶ + (offset + salt) mod 10⁶        fewer digits where the text has more
 *
 * A local time that comes twice is the first; one that does not exist is as much later as the clock was put forward. What
 * is no time, or lies before 1990 or more than a day behind the read time, is none: the row has NO_TIME, and is counted.
 */
import { ABSENT, NO_TIME, ROW_FLAGS, ROW_SLOTS, ROW_TIME, SLOT, TIME_UNREAD } from '../layout'
import {
  AUTO_BASIC,
  AUTO_CTIME,
  AUTO_DAY_FIRST,
  AUTO_ISO,
  AUTO_KLOG,
  AUTO_MONTH_FIRST,
  AUTO_SYSLOG,
  STEP_BLANK,
  STEP_DATE_SIGN,
  STEP_DAY,
  STEP_DAY_NAME,
  STEP_EPOCH,
  STEP_FRACTION,
  STEP_HALF_HOUR,
  STEP_HOUR,
  STEP_LITERAL,
  STEP_MAYBE_FRACTION,
  STEP_MAYBE_SECOND,
  STEP_MAYBE_ZONE,
  STEP_MINUTE,
  STEP_MONTH,
  STEP_MONTH_NAME,
  STEP_NOON,
  STEP_SECOND,
  STEP_SHORT_YEAR,
  STEP_TIME_SIGN,
  STEP_YEAR,
  STEP_YEAR_DAY,
  STEP_ZONE,
  STEP_ZONE_NAME,
  TIMES_ANY_UNIT,
  TIMES_AUTO,
  TIMES_BRACKET,
  TIMES_COUNT,
  TIMES_EPOCH,
  TIMES_FLAGS,
  TIMES_HEAD,
  TIMES_HOW,
  TIMES_LETTER,
  TIMES_NEAR,
  TIMES_PROGRAM,
  TIMES_PROGRAMS,
  TIMES_SLOTS,
  TIMES_UNIT,
  TIMES_ZONE,
} from './time-layout'
import { days, daysIn, monthAt, skipName, two, yearOf } from './calendar'

/** How many of the last call have no time: there was none; it could not be read; it is too old; it lies ahead. */
export let timesMissing: u32 = 0
export let timesUnreadable: u32 = 0
export let timesOld: u32 = 0
export let timesAhead: u32 = 0

const OLDEST: i64 = 631152000
const DAY: i64 = 86400
/** Nanoseconds of a millisecond: what the offset says of a time. */
const BELOW: i64 = 1000000
/** A time at the head of a line behind other things begins within so many bytes. */
const BRACKET_WITHIN: usize = 256

// What the steps have found.
let year: i32 = -1
let month: u32 = 0
let day: u32 = 0
let yearDay: u32 = 0
let hour: u32 = 0
let minute: u32 = 0
let second: u32 = 0
/** 1 before noon, 2 after it. */
let noon: u32 = 0
let nanos: u32 = 0
/** Digits of a second that were written. */
let digits: u32 = 0
let zoned: bool = false
let offset: i64 = 0
let epochSeconds: i64 = NO_TIME
/** The last of the steps that are kept took fewer digits than it may: what follows decided how far it reaches. */
let narrow: bool = false
/** Address behind what the last step took. */
let behind: usize = 0

// What is kept of the last text whose first steps were followed: its first bytes, how many of them, and what they said.
let keptProgram: usize = 0
let keptBytes: v128 = i8x16.splat(0)
let keptMask: u32 = 0
let keptYear: i32 = 0
let keptMonth: u32 = 0
let keptDay: u32 = 0
let keptHour: u32 = 0
let keptMinute: u32 = 0
let keptNoon: u32 = 0
let keptYearDay: u32 = 0
let keptWidth: usize = 0
/** Of AUTO: a text that begins with these bytes is read by this program. The letter of klog stands before them. */
let keptHead: bool = false
/** And no value that begins with them is a number. */
let keptSigned: bool = false
/** Seconds at the beginning of that day, if the steps that are kept say it; else NO_TIME. */
let keptDate: i64 = NO_TIME
/** The beginning of the day at hand, if it is known already. */
let date: i64 = NO_TIME

/** Where the steps at hand found minutes, seconds and a fraction; 0: nowhere, or not as usual. */
let minuteAt: usize = 0
let secondAt: usize = 0
let fractionAt: usize = 0

// What followed what is kept: the last bytes of the time, how many, which of them are digits of minutes, seconds and a
// fraction, where these begin, and what the others said. A text that has others there only in those is read by this.
let tailBytes: v128 = i8x16.splat(0)
let tailMore: v128 = i8x16.splat(0)
/** 0: there is none. */
let tailWidth: usize = 0
let tailDigits: u32 = 0
let tailMinute: usize = 0
let tailSecond: usize = 0
let tailFraction: usize = 0
let tailWritten: u32 = 0
/** The text ended with it. */
let tailEnds: bool = false
let tailHour: u32 = 0
let tailMinutes: u32 = 0
let tailZoned: bool = false
let tailOffset: i64 = 0

// Where the offset of the zone at hand holds: local times from, up to, and the offset.
let zoneFrom: i64 = 0
let zoneUpTo: i64 = 0
let zoneOffset: i64 = 0

let table: usize = 0
let latest: i64 = 0
let latestYear: i32 = 0

/**
 * Finds the time of each of the `count` frames from `first` on in the table at `ends`; the first of them begins at `start`.
 * Rows begin at `rows`, and are filled but for that. A frame's offset in its file is `base` and its address, or where
 * `column` is not 0, `base` and its row in the table of u32 there, which begins with the first of them. `readAt`:
 * milliseconds.
 */
export function times(
  plan: usize,
  ends: usize,
  first: u32,
  count: u32,
  start: usize,
  rows: usize,
  row: usize,
  base: f64,
  column: usize,
  salt: u32,
  readAt: f64,
): void {
  timesMissing = timesUnreadable = timesOld = timesAhead = 0
  table = plan
  keptProgram = 0
  keptHead = false
  tailWidth = 0
  zoneFrom = zoneUpTo = 0
  latest = <i64>Math.floor(readAt / 1000) + DAY
  latestYear = yearOf(latest / DAY)
  const slots = <u32>load<u16>(table, TIMES_COUNT)
  const flags = <u32>load<u8>(table, TIMES_FLAGS)
  const from = <i64>base + <i64>salt
  let begin = start
  // What is left of the place of the frame at hand by BELOW: it grows with the address.
  let place = remainder(from + <i64>start)
  for (let n: u32 = 0; n < count; n++) {
    const end = <usize>load<u32>(ends + (<usize>(first + n) << 2))
    const at = rows + row * <usize>(first + n)
    let value: usize = 0
    let stop: usize = 0
    for (let s: u32 = 0; s < slots; s++) {
      const slot = at + ROW_SLOTS + <usize>load<u16>(table + TIMES_SLOTS + (<usize>s << 1)) * SLOT
      const where = <usize>load<u16>(slot)
      if (where == <usize>ABSENT) continue
      value = begin + where
      stop = value + <usize>load<u16>(slot, 2)
      break
    }
    let found: bool
    let missing = false
    let instant: i64
    if (value != 0) {
      if (stop - value >= 2 && load<u8>(value) == 34) {
        value++
        stop--
      }
      found = keptSigned && isAgain(value, stop) && atEnd(stop)
      if (found) instant = now()
      else {
        found = ofValue(value, stop)
        instant = found ? resolve() : NO_TIME
      }
    } else if (flags & TIMES_HEAD) {
      found = isAgain(begin, end) && noDigit(end)
      if (found) instant = now()
      else {
        found = ofText(begin, end, flags)
        missing = !found && behind == 0
        instant = found ? resolve() : NO_TIME
      }
    } else {
      found = false
      missing = true
      instant = NO_TIME
    }
    if (found) {
      if (instant == NO_TIME) {
        timesUnreadable++
        found = false
      } else if (instant < OLDEST) {
        timesOld++
        found = false
      } else if (instant > latest) {
        timesAhead++
        found = false
      } else {
        if (column != 0) place = remainder(from + <i64>load<u32>(column + (<usize>n << 2)))
        store<i64>(at, instant * 1000000000 + <i64>(nanos + below(place)), ROW_TIME)
      }
    } else if (missing) timesMissing++
    else timesUnreadable++
    if (!found && !missing) store<u16>(at, load<u16>(at, ROW_FLAGS) | <u16>TIME_UNREAD, ROW_FLAGS)
    place += <u32>(end + 1 - begin)
    if (place >= <u32>BELOW) place %= <u32>BELOW
    begin = end + 1
  }
}

/** Of AUTO: whether what stands at `at` is what is kept, but for the digits behind it: most texts are. */
// @ts-ignore: decorator
@inline
function isAgain(at: usize, to: usize): bool {
  return keptHead && tailWidth != 0 && isKept(at, to) && isTail(at + keptWidth, to)
}

/** Seconds since the epoch of what was found to be so. */
// @ts-ignore: decorator
@inline
function now(): i64 {
  return toUtc(keptDate + <i64>(hour * 3600 + minute * 60 + second))
}

// @ts-ignore: decorator
@inline
function remainder(place: i64): u32 {
  const rest = place % BELOW
  return <u32>(rest < 0 ? rest + BELOW : rest)
}

/** The digits that the text does not have. */
// @ts-ignore: decorator
@inline
function below(place: u32): u32 {
  if (digits <= 3) return place
  return digits >= 9 ? 0 : place % tens(9 - digits)
}

/** 10 to the power of up to 9. */
function tens(power: u32): u32 {
  if (power == 6) return 1000000
  if (power == 3) return 1000
  let value: u32 = 1
  for (; power > 0; power--) value *= 10
  return value
}

/** Seconds since the epoch of what was found, or NO_TIME if there is no such day. */
function resolve(): i64 {
  if (epochSeconds != NO_TIME) return epochSeconds
  if (noon != 0) {
    if (hour - 1 > 11) return NO_TIME
    hour = (hour % 12) + (noon == 2 ? 12 : 0)
  }
  const clock = <i64>(hour * 3600 + minute * 60 + second)
  if (date != NO_TIME) return toUtc(date + clock)
  if (year >= 0) return hasDay(year) ? toUtc(dayOf(year) * DAY + clock) : NO_TIME
  // The last year in which this is not too far ahead. A 29th of February is at most eight years back.
  for (let y = latestYear + 1; y > latestYear - 9; y--) {
    if (!hasDay(y)) continue
    const instant = toUtc(dayOf(y) * DAY + clock)
    if (instant <= latest) return instant
  }
  return NO_TIME
}

// @ts-ignore: decorator
@inline
function hasDay(y: i32): bool {
  if (yearDay != 0) return yearDay <= (daysIn(y, 2) == 29 ? 366 : 365)
  return month - 1 < 12 && day - 1 < daysIn(y, month)
}

// @ts-ignore: decorator
@inline
function dayOf(y: i32): i64 {
  return yearDay != 0 ? days(y, 1, 1) + <i64>(yearDay - 1) : days(y, month, day)
}

/** Seconds since the epoch of a local time. */
function toUtc(local: i64): i64 {
  if (zoned) return local - offset
  if (local < zoneFrom || local >= zoneUpTo) lookUp(local)
  return local - zoneOffset
}

/** Finds where the offset that holds at a local time begins and ends. */
function lookUp(local: i64): void {
  const zone = table + <usize>load<u32>(table, TIMES_ZONE)
  let low: u32 = 0
  let high = load<u32>(zone)
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (<i64>load<u32>(zone + 4 + (<usize>middle << 3)) <= local) low = middle
    else high = middle
  }
  const at = zone + 4 + (<usize>low << 3)
  zoneFrom = low == 0 ? i64.MIN_VALUE : <i64>load<u32>(at)
  zoneUpTo = low + 1 < load<u32>(zone) ? <i64>load<u32>(at, 8) : i64.MAX_VALUE
  zoneOffset = <i64>load<i32>(at, 4)
}

/** Reads a value that is a time and nothing else, but for what follows a blank or a bracket. */
function ofValue(at: usize, to: usize): bool {
  while (at < to && load<u8>(at) == 32) at++
  if (at == to) return false
  forget()
  const how = <u32>load<u16>(table, TIMES_HOW)
  if (how == TIMES_EPOCH) return number(at, to, <u32>load<u8>(table, TIMES_UNIT)) && atEnd(to)
  if (how == TIMES_AUTO) {
    if (keptHead && keptSigned && isKept(at, to)) {
      if (follow(keptProgram, at, to)) return atEnd(to)
      forget()
    }
    const c = <u32>load<u8>(at)
    if ((c - 48 < 10 || c == 45) && number(at, to, TIMES_ANY_UNIT) && atEnd(to)) return true
    forget()
    return known(at, to) && atEnd(to)
  }
  if (<u32>load<u8>(table, TIMES_FLAGS) & TIMES_LETTER) at = letter(at, to)
  return follow(table + <usize>load<u32>(table, TIMES_PROGRAM), at, to) && atEnd(to)
}

/** What follows a time in a value is not part of it. */
// @ts-ignore: decorator
@inline
function atEnd(to: usize): bool {
  if (behind >= to) return true
  const c = <u32>load<u8>(behind)
  return c == 32 || c == 91
}

/** Reads the time at the head of a text; if there is none `behind` is 0, unless there is one that cannot be read. */
function ofText(at: usize, to: usize, flags: u32): bool {
  forget()
  behind = 0
  while (at < to && load<u8>(at) == 0) at++
  if (at + 3 <= to && load<u8>(at) == 0xef && load<u8>(at, 1) == 0xbb && load<u8>(at, 2) == 0xbf) at += 3
  if (at == to) return false
  const how = <u32>load<u16>(table, TIMES_HOW)
  if (how == TIMES_AUTO) {
    if (keptHead && isKept(at, to)) {
      if (follow(keptProgram, at, to)) return noDigit(to)
      forget()
      behind = 0
    }
    const place = near(at, to)
    if (known(place, to)) return noDigit(to)
    if (behind != 0) return false
    const second = pastWord(place, to)
    if (second != 0) {
      if (known(second, to)) return noDigit(to)
      if (behind != 0) return false
    }
    const bracket = behindBracket(at, to)
    if (bracket == 0) return false
    if (keptProgram == autoProgram(AUTO_DAY_FIRST) && isKept(bracket, to)) {
      if (follow(keptProgram, bracket, to)) return noDigit(to)
      forget()
      behind = 0
    }
    return dayFirst(bracket, to) && known(bracket, to) && noDigit(to)
  }
  if (flags & TIMES_BRACKET) {
    at = behindBracket(at, to)
    if (at == 0) return false
  }
  if (flags & TIMES_NEAR) at = near(at, to)
  let found = false
  if (how == TIMES_EPOCH) {
    const c = <u32>load<u8>(at)
    if (at < to && (c - 48 < 10 || c == 45)) {
      found = number(at, to, <u32>load<u8>(table, TIMES_UNIT)) && noDigit(to)
      behind = at
    }
    return found
  }
  const place = flags & TIMES_LETTER ? letter(at, to) : at
  if (follow(table + <usize>load<u32>(table, TIMES_PROGRAM), place, to)) found = noDigit(to)
  // A line of a record, or of another program: it begins with no digit and no name where a time does.
  if (!found) behind = place < to && <u32>load<u8>(place) - 48 < 10 ? place : 0
  return found
}

// @ts-ignore: decorator
@inline
function autoProgram(which: u32): usize {
  return table + <usize>load<u32>(table + TIMES_PROGRAMS + (<usize>which << 2))
}

/** Whether the text begins with what is kept. */
// @ts-ignore: decorator
@inline
function isKept(at: usize, to: usize): bool {
  return (
    (<u32>i8x16.bitmask(i8x16.eq(v128.load(at), keptBytes)) & keptMask) == keptMask && at + keptWidth <= to
  )
}

// @ts-ignore: decorator
@inline
function noDigit(to: usize): bool {
  return behind >= to || <u32>load<u8>(behind) - 48 > 9
}

/** Past blanks, a priority (`<34>1 `) and opening brackets. */
function near(at: usize, to: usize): usize {
  while (at < to && isBlank(<u32>load<u8>(at))) at++
  if (at < to && load<u8>(at) == 60) {
    let digit = at + 1
    while (digit < to && digit < at + 4 && <u32>load<u8>(digit) - 48 < 10) digit++
    if (digit > at + 1 && digit < to && load<u8>(digit) == 62) {
      at = digit + 1
      if (at + 1 < to && load<u8>(at) == 49 && load<u8>(at, 1) == 32) at += 2
    }
  }
  while (at < to && isOpening(<u32>load<u8>(at))) at++
  return at
}

/** Past a word in capitals or brackets, which may be a level; 0: there is none. */
function pastWord(at: usize, to: usize): usize {
  let word = at
  let small = false
  while (word < to && word < at + 11) {
    const c = <u32>load<u8>(word)
    if ((c | 32) - 97 > 25) break
    if (c & 32) small = true
    word++
  }
  if (word < at + 3 || word == to) return 0
  let closed = false
  let next = word
  while (next < to && next < word + 6) {
    const c = <u32>load<u8>(next)
    if (c == 93 || c == 41 || c == 58) closed = true
    else if (!isBlank(c) && !isOpening(c) && c != 45) break
    next++
  }
  return next > word && (!small || closed) ? next : 0
}

/** Behind the first [ in the first bytes; 0: there is none. */
function behindBracket(at: usize, to: usize): usize {
  const stop = min(to, at + BRACKET_WITHIN)
  const bracket = i8x16.splat(91)
  for (; at < stop; at += 16) {
    const bits = <u32>i8x16.bitmask(i8x16.eq(v128.load(at), bracket))
    if (bits == 0) continue
    const found = at + <usize>ctz(bits) + 1
    return found < stop ? found : 0
  }
  return 0
}

// @ts-ignore: decorator
@inline
function isBlank(c: u32): bool {
  return c == 32 || c == 9
}

// @ts-ignore: decorator
@inline
function isOpening(c: u32): bool {
  return c == 91 || c == 40 || c == 34 || c == 39 || c == 124
}

/** Past the letter of a klog head, if there is one. */
// @ts-ignore: decorator
@inline
function letter(at: usize, to: usize): usize {
  return at < to && (<u32>load<u8>(at) | 32) - 97 < 26 ? at + 1 : at
}

/** `14/Nov/`, `14 Nov `, `4-Nov-`. */
function dayFirst(at: usize, to: usize): bool {
  if (at + 11 > to || <u32>load<u8>(at) - 48 > 9) return false
  const sign = <u32>load<u8>(at, 1) - 48 < 10 ? at + 2 : at + 1
  const c = <u32>load<u8>(sign)
  return (c == 32 || c == 45 || c == 47 || c == 92) && monthAt(c == 92 ? sign + 2 : sign + 1) != 0
}

/** Reads a time in one of the known ways at `at`. If none has its shape `behind` is 0. */
function known(at: usize, to: usize): bool {
  behind = 0
  if (at + 8 > to) return false
  const c = <u32>load<u8>(at)
  let auto: u32
  if (c - 48 < 10) {
    const digits = digitsAt(at)
    const sign = <u32>load<u8>(at, 4)
    if ((digits & 15) == 15 && (sign == 45 || sign == 47 || sign == 92)) auto = AUTO_ISO
    else if ((digits & 255) == 255) {
      if ((<u32>load<u8>(at, 8) | 32) == 116) auto = AUTO_BASIC
      else if ((digits & 0x7ff) == 0x3ff && load<u8>(at, 10) == 46) {
        // Seconds and a fraction: a number without one may be anything.
        if (at + 12 > to || !number(at, to, 9)) return false
        return true
      } else return false
    } else if (dayFirst(at, to)) auto = AUTO_DAY_FIRST
    else return false
  } else if ((c | 32) - 97 < 26) {
    if ((digitsAt(at) & 31) == 30 && load<u8>(at, 5) == 32) {
      if (c != 73 && c != 87 && c != 69 && c != 70 && c != 68) return false
      auto = AUTO_KLOG
      at++
    } else if (monthAt(at) != 0 && load<u8>(at, 3) == 32) {
      const comma = load<u8>(at, 5) == 44 || load<u8>(at, 6) == 44
      auto = comma ? AUTO_MONTH_FIRST : AUTO_SYSLOG
      if (<u32>load<u8>(at, 4) - 48 > 9 && load<u8>(at, 4) != 32) return false
    } else {
      const name = skipName(at, to)
      if (name != at + 3 || name + 10 > to) return false
      const sign = <u32>load<u8>(name)
      if (sign == 44 && load<u8>(name, 1) == 32 && dayFirst(name + 2, to)) {
        at = name + 2
        auto = AUTO_DAY_FIRST
      } else if (sign == 32 && monthAt(name + 1) != 0) auto = AUTO_CTIME
      else return false
    }
  } else return false
  const place = at
  if (follow(autoProgram(auto), at, to)) return true
  behind = place
  return false
}

/** A bit for each of the next 16 bytes that is a digit. */
// @ts-ignore: decorator
@inline
function digitsAt(at: usize): u32 {
  return <u32>i8x16.bitmask(i8x16.lt_u(i8x16.sub(v128.load(at), i8x16.splat(48)), i8x16.splat(10)))
}

// @ts-ignore: decorator
@inline
function forget(): void {
  year = -1
  month = day = 1
  yearDay = hour = minute = second = noon = nanos = digits = 0
  zoned = narrow = false
  epochSeconds = date = NO_TIME
}

/** Follows a program over [at, to); `behind` is the address behind what it took. */
function follow(program: usize, at: usize, to: usize): bool {
  const first = program + 4
  const last = first + (<usize>load<u8>(program) << 1)
  const kept = <usize>load<u8>(program, 1)
  if (kept == 0) return steps(first, last, at, to)
  const middle = first + (kept << 1)
  const bytes = v128.load(at)
  if (keptProgram == program && isKept(at, to)) {
    if (tailWidth != 0 && isTail(at + keptWidth, to)) return true
    year = keptYear
    month = keptMonth
    day = keptDay
    hour = keptHour
    minute = keptMinute
    noon = keptNoon
    yearDay = keptYearDay
    date = keptDate
    minuteAt = secondAt = fractionAt = 0
    if (steps(middle, last, at + keptWidth, to)) {
      keepTail(at + keptWidth, to)
      return true
    }
    forget()
  }
  if (!steps(first, middle, at, to)) return false
  const width = behind - at
  date = NO_TIME
  tailWidth = 0
  if (width <= 16 && !narrow && !zoned && epochSeconds == NO_TIME) {
    keptProgram = program
    const auto = <u32>load<u16>(table, TIMES_HOW) == TIMES_AUTO
    keptHead = auto && program != autoProgram(AUTO_KLOG)
    keptSigned = isSigned(at)
    keptBytes = bytes
    keptMask = <u32>((<u64>1 << width) - 1)
    keptWidth = width
    keptYear = year
    keptMonth = month
    keptDay = day
    keptHour = hour
    keptMinute = minute
    keptNoon = noon
    keptYearDay = yearDay
    // A program says whether all of its date is among the steps that are kept.
    const whole = load<u8>(program, 2) != 0 && year >= 0 && hasDay(year)
    keptDate = date = whole ? dayOf(year) * DAY : NO_TIME
  }
  return steps(middle, last, behind, to)
}

/** Whether the digits that a text begins with are ended by a sign that no number has, and behind which none is followed. */
// @ts-ignore: decorator
@inline
function isSigned(at: usize): bool {
  const digits = <usize>ctz(~digitsAt(at))
  if (digits == 0) return (<u32>load<u8>(at) | 32) - 97 < 26
  const sign = <u32>load<u8>(at + digits)
  return digits < 16 && (sign == 45 || sign == 47 || (sign | 32) == 116)
}

/** Where the bytes are too many, something that is not known of them could follow, or the day is not known, none is kept. */
function keepTail(at: usize, to: usize): void {
  const width = behind - at
  tailWidth = 0
  if (width > MOST_TAIL || keptDate == NO_TIME || noon != 0 || secondAt == 0 || epochSeconds != NO_TIME) return
  // 1: not of two digits, or of more than nine.
  if (minuteAt == 1 || fractionAt == 1) return
  // Of blanks more may follow.
  if (width == 0 || isBlank(<u32>load<u8>(behind - 1))) return
  tailEnds = behind == to
  if (!tailEnds && !isApart(behind, to)) return
  tailBytes = v128.load(at)
  tailMore = v128.load(at, 16)
  tailMinute = minuteAt == 0 ? NOT_THERE : minuteAt - at
  tailSecond = secondAt - at
  tailDigits = <u32>3 << <u32>tailSecond
  if (minuteAt != 0) tailDigits |= <u32>3 << <u32>tailMinute
  tailWritten = 0
  if (fractionAt != 0) {
    tailFraction = fractionAt - at
    tailWritten = digits
    tailDigits |= ((<u32>1 << digits) - 1) << <u32>tailFraction
  }
  tailHour = hour
  tailMinutes = minute
  tailZoned = zoned
  tailOffset = offset
  tailWidth = width
}

/** Bytes of a tail, and where something is that does not stand in one. */
const MOST_TAIL: usize = 31
const NOT_THERE: usize = 32

/** Whether a time that ends at `at` is not gone on with: no fraction, no zone, no digit. */
function isApart(at: usize, to: usize): bool {
  if (at + 3 > to) return false
  const one = <u32>load<u8>(at)
  if ((one | 32) - 97 < 26 || one - 43 < 16) return false
  if (one != 32) return true
  const two = <u32>load<u8>(at, 1)
  if (two == 43 || two == 45) return <u32>load<u8>(at, 2) - 48 > 9
  const letter = two | 32
  return letter != 122 && letter != 117 && letter != 103
}

/** Whether what begins at `at` has other digits than the last text there and is the same otherwise: what it says is read. */
// @ts-ignore: decorator
@inline
function isTail(at: usize, to: usize): bool {
  const stop = at + tailWidth
  if (tailEnds ? stop != to : !isApart(stop, to)) return false
  let same = <u32>i8x16.bitmask(i8x16.eq(v128.load(at), tailBytes))
  let digit = digitsAt(at)
  if (tailWidth > 16) {
    same |= <u32>i8x16.bitmask(i8x16.eq(v128.load(at, 16), tailMore)) << 16
    digit |= digitsAt(at + 16) << 16
  }
  const all = ((<u32>1 << <u32>tailWidth) - 1) & ~tailDigits
  if ((same & all) != all || (digit & tailDigits) != tailDigits) return false
  second = two(at + tailSecond)
  minute = tailMinute == NOT_THERE ? tailMinutes : two(at + tailMinute)
  if (second > 60 || minute > 59) return false
  let value: u32 = 0
  for (let n: usize = 0; n < <usize>tailWritten; n++) value = value * 10 + <u32>load<u8>(at + tailFraction + n) - 48
  digits = tailWritten
  nanos = value * tens(9 - tailWritten)
  hour = tailHour
  noon = 0
  date = keptDate
  zoned = tailZoned
  offset = tailOffset
  behind = stop
  return true
}

/** Follows the steps [step, last) over [at, to). */
function steps(step: usize, last: usize, at: usize, to: usize): bool {
  for (; step < last; step += 2) {
    const what = <u32>load<u8>(step)
    switch (what) {
      case STEP_LITERAL: {
        if (at >= to) return false
        const wanted = load<u8>(step, 1)
        // JSON may have it escaped.
        if (load<u8>(at) == 92 && wanted == 47 && at + 1 < to) at++
        if (load<u8>(at) != wanted) return false
        at++
        break
      }
      case STEP_BLANK: {
        if (at >= to || !isBlank(<u32>load<u8>(at))) return false
        while (at < to && isBlank(<u32>load<u8>(at))) at++
        break
      }
      case STEP_YEAR: {
        if (at + 4 > to) return false
        const y = two(at) * 100 + two(at + 2)
        if (y > 9999) return false
        year = y
        at += 4
        break
      }
      case STEP_FRACTION: {
        if (at >= to || <u32>load<u8>(at) - 48 > 9) return false
        at = fraction(at, to)
        break
      }
      case STEP_MAYBE_FRACTION: {
        if (at + 1 >= to) break
        const sign = <u32>load<u8>(at)
        if ((sign == 46 || sign == 44) && <u32>load<u8>(at, 1) - 48 < 10) at = fraction(at + 1, to)
        break
      }
      case STEP_MAYBE_SECOND: {
        if (at + 2 >= to || load<u8>(at) != 58) break
        second = two(at + 1)
        if (second > 60 || at + 3 > to) return false
        secondAt = at + 1
        at += 3
        break
      }
      case STEP_MONTH_NAME: {
        if (at + 3 > to) return false
        month = monthAt(at)
        if (month == 0) return false
        at = skipName(at, to)
        break
      }
      case STEP_DAY_NAME: {
        const next = skipName(at, to)
        if (next < at + 3) return false
        at = next
        break
      }
      case STEP_NOON: {
        if (at + 2 > to) return false
        const c = <u32>load<u8>(at) | 32
        const m = <u32>load<u8>(at, 1)
        noon = c == 97 ? 1 : c == 112 ? 2 : 0
        if (noon == 0) return false
        if ((m | 32) == 109) at += 2
        else if (m == 46 && at + 4 <= to && (load<u8>(at, 2) | 32) == 109 && load<u8>(at, 3) == 46) at += 4
        else return false
        break
      }
      case STEP_ZONE: {
        at = zone(at, to, true)
        if (at == 0) return false
        break
      }
      case STEP_MAYBE_ZONE: {
        const next = maybeZone(at, to)
        if (next == 0) return false
        at = next
        break
      }
      case STEP_ZONE_NAME: {
        const next = skipLetters(at, to)
        if (next == at) return false
        if (isUtc(at, next)) {
          zoned = true
          offset = 0
        }
        at = next
        break
      }
      case STEP_EPOCH: {
        let value: i64 = 0
        const from = at
        while (at < to && <u32>load<u8>(at) - 48 < 10) value = value * 10 + <i64>(load<u8>(at++) - 48)
        if (at == from || at > from + 12) return false
        epochSeconds = value
        break
      }
      case STEP_DATE_SIGN: {
        if (at >= to) return false
        let c = <u32>load<u8>(at)
        if (c == 92 && at + 1 < to) c = <u32>load<u8>(++at)
        if (c != 45 && c != 47 && c != 32) return false
        at++
        break
      }
      case STEP_TIME_SIGN: {
        if (at >= to) return false
        const c = <u32>load<u8>(at)
        if ((c | 32) != 116 && c != 32 && c != 58) return false
        at++
        break
      }
      default: {
        // One digit or two; three for the day of a year.
        if (what == STEP_DAY || what == STEP_HOUR || what == STEP_HALF_HOUR) {
          if (at < to && load<u8>(at) == 32) at++
        }
        const from = at
        const most = at + (what == STEP_YEAR_DAY ? 3 : 2)
        let value: u32 = 0
        while (at < to && at < most) {
          const c = <u32>load<u8>(at) - 48
          if (c > 9) break
          value = value * 10 + c
          at++
        }
        if (at == from) return false
        if (at != most && step + 2 == last) narrow = true
        if (what == STEP_SECOND && at == most) secondAt = from
        if (what == STEP_MINUTE) minuteAt = at == most ? from : 1
        if (!take(what, value)) return false
      }
    }
  }
  behind = at
  return true
}

/** Takes the number of a step. */
function take(what: u32, value: u32): bool {
  switch (what) {
    case STEP_SECOND:
      second = value
      return value <= 60
    case STEP_MINUTE:
      minute = value
      return value < 60
    case STEP_HOUR:
      hour = value
      return value < 24
    case STEP_HALF_HOUR:
      hour = value
      return value - 1 < 12
    case STEP_DAY:
      day = value
      return value - 1 < 31
    case STEP_MONTH:
      month = value
      return value - 1 < 12
    case STEP_SHORT_YEAR:
      year = value + (value < 69 ? 2000 : 1900)
      return true
    case STEP_YEAR_DAY:
      yearDay = value
      return value - 1 < 366
    default:
      return false
  }
}

/** Digits of a fraction of a second; those beyond nanoseconds are passed over. Returns the address behind them. */
function fraction(at: usize, to: usize): usize {
  let value: u32 = 0
  let count: u32 = 0
  const from = at
  while (at < to) {
    const c = <u32>load<u8>(at) - 48
    if (c > 9) break
    if (count < 9) {
      value = value * 10 + c
      count++
    }
    at++
  }
  digits = count
  fractionAt = at - from == <usize>count ? from : 1
  nanos = value * tens(9 - count)
  return at
}

/** `Z`, `+01:00`, `+0100`, `+01`, and where names are allowed `UTC` or `GMT`; 0: there is none. */
function zone(at: usize, to: usize, names: bool): usize {
  if (at >= to) return 0
  const c = <u32>load<u8>(at)
  if (c == 43 || c == 45) {
    if (at + 3 > to) return 0
    const hours = two(at + 1)
    let minutes: u32 = 0
    let next = at + 3
    if (next < to && load<u8>(next) == 58) {
      if (next + 3 > to) return 0
      minutes = two(next + 1)
      next += 3
    } else if (next + 2 <= to && <u32>load<u8>(next) - 48 < 10) {
      minutes = two(next)
      next += 2
    }
    if (hours > 23 || minutes > 59) return 0
    zoned = true
    offset = <i64>(hours * 3600 + minutes * 60)
    if (c == 45) offset = -offset
    return next
  }
  const next = skipLetters(at, to)
  if (next == at + 1 ? (c | 32) == 122 : names && isUtc(at, next)) {
    zoned = true
    offset = 0
    return next
  }
  return 0
}

/** A zone right here, or behind a blank if nothing else can be meant; 0: one that cannot be read. */
function maybeZone(at: usize, to: usize): usize {
  if (at >= to) return at
  const c = <u32>load<u8>(at)
  if (c == 43 || c == 45) {
    // A sign that stands between the time and what follows.
    if (at + 1 >= to || <u32>load<u8>(at, 1) - 48 > 9) return at
    return zone(at, to, false)
  }
  if (c != 32) {
    const next = (c | 32) - 97 < 26 ? zone(at, to, true) : 0
    return next == 0 ? at : next
  }
  const place = at + 1
  if (place >= to) return at
  const sign = <u32>load<u8>(place)
  if (sign == 43 || sign == 45) {
    // Four digits, with a colon or without one: another number is no zone.
    const colon: usize = place + 3 < to && load<u8>(place, 3) == 58 ? 1 : 0
    const end = place + 5 + colon
    if (end > to || two(place + 1) > 15 || two(place + 3 + colon) > 59) return at
    if (end < to && <u32>load<u8>(end) - 48 < 10) return at
    return zone(place, to, false)
  }
  if ((sign | 32) - 97 > 25) return at
  const next = zone(place, to, true)
  return next == 0 ? at : next
}

// @ts-ignore: decorator
@inline
function skipLetters(at: usize, to: usize): usize {
  while (at < to && (<u32>load<u8>(at) | 32) - 97 < 26) at++
  return at
}

// @ts-ignore: decorator
@inline
function isUtc(at: usize, next: usize): bool {
  if (next == at + 1) return (load<u8>(at) | 32) == 122
  if (next != at + 3) return false
  const name = (load<u32>(at) & 0xffffff) | 0x202020
  return name == 0x637475 || name == 0x746d67
}

/** Most digits before the point that are a time at all. */
const MOST_DIGITS: u32 = 19

/**
 * A number of seconds, milliseconds, … since the epoch: digits, a fraction, an exponent. It is never made a float. `unit`:
 * how many digits there are below it.
 */
function number(at: usize, to: usize, unit: u32): bool {
  let negative = false
  if (load<u8>(at) == 45) {
    negative = true
    at++
  }
  // Digits that count, and how many of them stand behind the point.
  let value: u64 = 0
  let count: u32 = 0
  let scale: i32 = 0
  let dropped: i32 = 0
  const from = at
  while (at < to) {
    const c = <u32>load<u8>(at) - 48
    if (c > 9) break
    if (count < MOST_DIGITS) {
      value = value * 10 + <u64>c
      if (value != 0) count++
    } else dropped++
    at++
  }
  if (at == from) return false
  let written: u32 = 0
  if (at + 1 < to && load<u8>(at) == 46 && <u32>load<u8>(at, 1) - 48 < 10) {
    at++
    while (at < to) {
      const c = <u32>load<u8>(at) - 48
      if (c > 9) break
      written++
      if (count < MOST_DIGITS) {
        value = value * 10 + <u64>c
        if (value != 0) count++
        scale++
      }
      at++
    }
  }
  let exponent: i32 = 0
  if (at + 1 < to && (load<u8>(at) | 32) == 101) {
    let digit = at + 1
    const sign = <u32>load<u8>(digit)
    if (sign == 43 || sign == 45) digit++
    const begin = digit
    while (digit < to && <u32>load<u8>(digit) - 48 < 10) {
      if (exponent < 100) exponent = exponent * 10 + <i32>(load<u8>(digit) - 48)
      digit++
    }
    if (digit > begin) {
      at = digit
      if (sign == 45) exponent = -exponent
    } else exponent = 0
  }
  behind = at
  // value · 10^power, in the unit
  let power = exponent - scale + dropped
  if (unit == TIMES_ANY_UNIT) {
    const size = <i32>count + power
    // 11 digits of seconds are past the year 5138; so many of milliseconds are 1973.
    unit = size <= 11 ? 9 : size <= 14 ? 6 : size <= 17 ? 3 : 0
  }
  power += <i32>unit
  const places = <i32>written - exponent + 9 - <i32>unit
  digits = places < 0 ? 0 : places > 9 ? 9 : <u32>places
  // Nanoseconds.
  while (power < 0 && value != 0) {
    value /= 10
    power++
  }
  while (power > 0 && value != 0) {
    if (value > 922337203685477580) {
      // Beyond the year 2262.
      epochSeconds = negative ? 0 : i64.MAX_VALUE
      nanos = 0
      return true
    }
    value *= 10
    power--
  }
  if (value > <u64>i64.MAX_VALUE) value = <u64>i64.MAX_VALUE
  epochSeconds = negative ? -1 : <i64>(value / 1000000000)
  nanos = negative ? 0 : <u32>(value % 1000000000)
  return true
}
