/**
 * Writes times: nanoseconds since the epoch as RFC 3339, as a number, as eight bytes; or a part of one.
 */
import {
  TIME_DAY,
  TIME_FIXED64,
  TIME_HOUR,
  TIME_MILLISECONDS,
  TIME_MONTH,
  TIME_NANOSECONDS,
  TIME_RFC3339,
  TIME_SECONDS,
  TIME_YEAR,
} from '../layout'

const SECOND: i64 = 1_000_000_000
const DAY: i64 = 86_400
const DAY_NANOS: i64 = DAY * SECOND

/** Bytes that a time takes at the most: `9999-12-31T23:59:59.999999999Z`. */
export const MOMENT_BYTES: usize = 30

/** Writes a time; returns the address behind it, or 0 if it would pass `limit`. */
export function moment(nanos: i64, how: u32, out: usize, limit: usize): usize {
  if (out + MOMENT_BYTES > limit) return 0
  if (how == TIME_FIXED64) {
    store<i64>(out, nanos)
    return out + 8
  }
  if (how == TIME_NANOSECONDS) return decimal(<u64>nanos, out)
  if (how == TIME_MILLISECONDS) return decimal(<u64>(nanos / 1_000_000), out)
  if (how == TIME_RFC3339) return rfc3339(nanos, out)
  let seconds = nanos / SECOND
  let rest = nanos % SECOND
  if (rest < 0) {
    rest += SECOND
    seconds--
  }
  if (how == TIME_SECONDS) {
    out = decimal(<u64>seconds, out)
    store<u8>(out, 0x2e)
    return digits(<u64>(rest / 1_000_000), 3, out + 1)
  }
  if (how == TIME_HOUR) {
    const hour = (seconds / 3600) % 24
    return digits(<u64>(hour < 0 ? hour + 24 : hour), 2, out)
  }
  return date(seconds, how, out)
}

/** The last day and minute that were written, and their text: records that follow one another are mostly of one day. */
let keptDay: i64 = 0
let keptMinute: u32 = 0
let keptText: v128 = i8x16(49, 57, 55, 48, 45, 48, 49, 45, 48, 49, 84, 48, 48, 58, 48, 48)

/** Writes a time as RFC 3339 in UTC. */
// @ts-ignore: decorator
@inline
function rfc3339(nanos: i64, out: usize): usize {
  let ofDay = nanos - keptDay * DAY_NANOS
  if (<u64>ofDay >= <u64>DAY_NANOS) {
    const whole = nanos / DAY_NANOS
    keptDay = whole * DAY_NANOS > nanos ? whole - 1 : whole
    date(keptDay * DAY, TIME_RFC3339, out)
    // What stands behind the date is the same for all times, but for their digits.
    store<u64>(out, 0x30_30_3a_30_30_54, 10)
    keptText = v128.load(out)
    keptMinute = 0
    ofDay = nanos - keptDay * DAY_NANOS
  }
  // Faster than a division in 64 bits; the product may be the second before or behind it.
  let seconds = <i32>(<f64>ofDay * 1e-9)
  let below = <i32>(ofDay - <i64>seconds * SECOND)
  if (below < 0) {
    below += <i32>SECOND
    seconds--
  } else if (below >= <i32>SECOND) {
    below -= <i32>SECOND
    seconds++
  }
  const minute = <u32>seconds / 60
  if (minute != keptMinute) {
    const hour = minute / 60
    const hours = pair(hour)
    const minutes = pair(minute - hour * 60)
    const text = i8x16.replace_lane(i8x16.replace_lane(keptText, 11, <i8>hours), 12, <i8>(hours >> 8))
    keptText = i16x8.replace_lane(text, 7, <i16>minutes)
    keptMinute = minute
  }
  v128.store(out, keptText)
  store<u32>(out, 0x2e00003a | (pair(<u32>seconds - minute * 60) << 8), 16)
  // To the millisecond if there is no more, for that is what most times have.
  const thousands = <u32>below / 1_000_000
  if (<u32>below == thousands * 1_000_000) {
    store<u32>(out, three(thousands) | 0x5a000000, 20)
    return out + 24
  }
  const first = <u32>below / 100_000_000
  store<u8>(out, <u8>(0x30 + first), 20)
  store<u64>(out, eight(<u32>below - first * 100_000_000), 21)
  store<u8>(out, 0x5a, 29)
  return out + 30
}

/** Two decimal digits, the first in the lowest byte. */
// @ts-ignore: decorator
@inline
function pair(value: u32): u32 {
  const tens = (value * 103) >> 10
  return 0x3030 + tens + ((value - 10 * tens) << 8)
}

/** Three decimal digits, in the same way. */
// @ts-ignore: decorator
@inline
function three(value: u32): u32 {
  const hundreds = (value * 41) >> 12
  return 0x30 + hundreds + (pair(value - 100 * hundreds) << 8)
}

/** Writes the date of so many seconds since the epoch, or a part of it. */
function date(seconds: i64, how: u32, out: usize): usize {
  let days = seconds / DAY
  if (seconds % DAY < 0) days--
  // Days of the proleptic Gregorian calendar, counted from 0000-03-01 in cycles of 400 years.
  const shifted = days + 719_468
  const era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
  const day = shifted - era * 146_097
  const year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
  const ofYear = day - (365 * year + year / 4 - year / 100)
  const month = (5 * ofYear + 2) / 153
  const ofMonth = ofYear - (153 * month + 2) / 5 + 1
  const yearNumber = year + era * 400 + (month > 9 ? 1 : 0)
  const monthNumber = month < 10 ? month + 3 : month - 9
  if (how == TIME_YEAR) return digits(<u64>yearNumber, 4, out)
  if (how == TIME_MONTH) return digits(<u64>monthNumber, 2, out)
  if (how == TIME_DAY) return digits(<u64>ofMonth, 2, out)
  digits(<u64>yearNumber, 4, out)
  store<u8>(out, 0x2d, 4)
  digits(<u64>monthNumber, 2, out + 5)
  store<u8>(out, 0x2d, 7)
  return digits(<u64>ofMonth, 2, out + 8)
}

/** Eight decimal digits in the order in which they are written: pairs, and then each of them, are divided side by side. */
function eight(value: u32): u64 {
  const high = value / 10_000
  const fours = <u64>high | (<u64>(value - high * 10_000) << 32)
  const hundreds = ((fours * 10_486) >> 20) & 0x7f_0000_007f
  const twos = hundreds | ((fours - 100 * hundreds) << 16)
  const tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f
  return (tens | ((twos - 10 * tens) << 8)) + 0x3030_3030_3030_3030
}

/** Writes so many decimal digits. */
function digits(value: u64, count: usize, out: usize): usize {
  for (let at = out + count - 1; at >= out; at--) {
    store<u8>(at, <u8>(0x30 + <u32>(value % 10)))
    value /= 10
  }
  return out + count
}

/** Writes a number in as many decimal digits as it takes, at most 20. */
export function decimal(value: u64, out: usize): usize {
  let count: usize = 1
  for (let rest = value; rest >= 10; rest /= 10) count++
  return digits(value, count, out)
}
