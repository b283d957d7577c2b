/** Days, months and their names: the Gregorian calendar, as times in logs use it. */

/** Two digits as a number; 10,000 or more if they are none. */
// @ts-ignore: decorator
@inline
export function two(at: usize): u32 {
  const tens = <u32>load<u8>(at) - 48
  const ones = <u32>load<u8>(at, 1) - 48
  return tens > 9 || ones > 9 ? 10000 : tens * 10 + ones
}

/** Days since the epoch of a date: years begin with March here, so that the odd day is the last. */
export function days(year: i32, month: u32, day: u32): i64 {
  const y = month <= 2 ? year - 1 : year
  const m = <i32>(month <= 2 ? month + 9 : month - 3)
  // 400 years have as many days wherever they begin: nothing here is negative.
  const from = y + 400
  return <i64>(365 * from + from / 4 - from / 100 + from / 400 + (153 * m + 2) / 5 + <i32>day - 1) - 719468 - 146097
}

/** The year of a day since the epoch. */
export function yearOf(day: i64): i32 {
  let year = <i32>(1970 + day / 366)
  while (days(year + 1, 1, 1) <= day) year++
  return year
}

/** How many days a month has. */
export function daysIn(year: i32, month: u32): u32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
  return 30 + ((month + (month >> 3)) & 1)
}

/** The month whose name begins with the three letters at `at`, or 0. */
export function monthAt(at: usize): u32 {
  const c = load<u32>(at)
  const name = (c & 0xffffff) | 0x202020
  switch (name) {
    case 0x6e616a:
      return 1
    case 0x626566:
      return 2
    case 0x72616d:
      return 3
    case 0x727061:
      return 4
    case 0x79616d:
      return 5
    case 0x6e756a:
      return 6
    case 0x6c756a:
      return 7
    case 0x677561:
      return 8
    case 0x706573:
      return 9
    case 0x74636f:
      return 10
    case 0x766f6e:
      return 11
    case 0x636564:
      return 12
    default:
      return 0
  }
}

/** Past the letters at `at`. */
export function skipName(at: usize, to: usize): usize {
  while (at < to && (<u32>load<u8>(at) | 32) - 97 < 26) at++
  return at
}
