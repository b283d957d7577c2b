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
  TIME_SECONDS,
  TIME_YEAR,
} from '../layout'

const SECOND: i64 = 1_000_000_000
const DAY: i64 = 86_400

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
  let days = seconds / DAY
  let second = seconds % DAY
  if (second < 0) {
    second += DAY
    days--
  }
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
  out = digits(<u64>yearNumber, 4, out)
  store<u8>(out, 0x2d)
  out = digits(<u64>monthNumber, 2, out + 1)
  store<u8>(out, 0x2d)
  out = digits(<u64>ofMonth, 2, out + 1)
  store<u8>(out, 0x54)
  out = digits(<u64>(second / 3600), 2, out + 1)
  store<u8>(out, 0x3a)
  out = digits(<u64>((second / 60) % 60), 2, out + 1)
  store<u8>(out, 0x3a)
  out = digits(<u64>(second % 60), 2, out + 1)
  store<u8>(out, 0x2e)
  // To the millisecond if there is no more, for that is what most times have.
  out = rest % 1_000_000 == 0 ? digits(<u64>(rest / 1_000_000), 3, out + 1) : digits(<u64>rest, 9, out + 1)
  store<u8>(out, 0x5a)
  return out + 1
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
