/**
 * Runs of records that are equal but for numbers at their head: a time stands there, or a number that counts.
 *
 *     10:00:01 cannot connect        equal, and so is what differs in how many digits a number has
 *     10:00:02 cannot connect
 *     10:00:02 cannot connect: no    not equal
 */
import { NO_TIME, ROW_REPEATED, ROW_TIME } from '../layout'
import { column, count, ends, first, rowBytes, rows, start } from '../parameters'

/** Numbers that begin so far from the first byte of the earlier record are not compared. A multiple of 16. */
const HEAD: usize = 64

/**
 * Gives all records of a run but its last one `verdict`, and says in that one's row how many they are; returns how many
 * have got it. A run ends with a record that is not equal, and `window` nanoseconds after its first record, by the times of
 * records that have one.
 */
export function repeats(verdict: u32, window: i64): u32 {
  let dropped: u32 = 0
  let from = start
  // The record before: its verdict's place, and its bytes.
  let before: usize = 0
  let begin: usize = 0
  let end: usize = 0
  let run: u32 = 0
  let since: i64 = NO_TIME
  for (let n: u32 = 0; n < count; n++) {
    const frame = <usize>(first + n)
    const to = <usize>load<u32>(ends + (frame << 2))
    const cell = column + (frame << 2)
    if ((load<u32>(cell) & 0xff) == 0) {
      const at = rows + frame * rowBytes
      const time = load<i64>(at, ROW_TIME)
      const late = time != NO_TIME && since != NO_TIME && time - since > window
      // What ends a line is not compared.
      const stop = to > from && load<u8>(to - 1) == 13 ? to - 1 : to
      if (before != 0 && !late && alike(begin, end, from, stop)) {
        store<u32>(before, verdict)
        dropped++
        run++
        store<u32>(at, run, ROW_REPEATED)
      } else {
        run = 1
        since = time
      }
      before = cell
      begin = from
      end = stop
    }
    from = to + 1
  }
  return dropped
}

// @ts-ignore: decorator
@inline
function isDigit(byte: u32): bool {
  return byte - 48 < 10
}

/** Digits among 16 bytes, a bit for each. */
// @ts-ignore: decorator
@inline
function digits(bytes: v128): u32 {
  return <u32>i8x16.bitmask(i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(48)), i8x16.splat(10)))
}

/** Whether two records are equal but for numbers at their head. */
function alike(a: usize, aEnd: usize, b: usize, bEnd: usize): bool {
  // As a rule numbers have as many digits, or the records are none that are alike: both show in a step or two.
  let at: usize = 0
  const short = min(aEnd - a, bEnd - b)
  while (at + 16 <= short) {
    const x = v128.load(a + at)
    const y = v128.load(b + at)
    let other = <u32>i8x16.bitmask(i8x16.ne(x, y))
    if (other != 0) {
      const inX = digits(x)
      const inY = digits(y)
      if (at >= HEAD) {
        if (at > HEAD || ((inX | inY) & 1) == 0) return false
        // A number that began before goes on.
        break
      }
      // Digits in the place of digits are as good as equal.
      other &= ~(inX & inY)
      if (other != 0) {
        // A number with more digits than that in its place: from there on nothing stands where it stands in the other one.
        if ((((inX | inY) >> ctz(other)) & 1) == 0) return false
        break
      }
    }
    at += 16
  }
  return at + 16 > short && aEnd - a == bEnd - b && at == aEnd - a ? true : alikeByByte(a, aEnd, b, bEnd)
}

function alikeByByte(a: usize, aEnd: usize, b: usize, bEnd: usize): bool {
  const head = a + HEAD
  while (a < head) {
    if (a == aEnd || b == bEnd) return a == aEnd && b == bEnd
    const x = <u32>load<u8>(a)
    const y = <u32>load<u8>(b)
    if (isDigit(x) && isDigit(y)) {
      while (a < aEnd && isDigit(<u32>load<u8>(a))) a++
      while (b < bEnd && isDigit(<u32>load<u8>(b))) b++
      continue
    }
    if (x != y) return false
    a++
    b++
  }
  const bytes = aEnd - a
  if (bytes != bEnd - b) return false
  let at: usize = 0
  while (at + 16 <= bytes) {
    if (v128.any_true(v128.xor(v128.load(a + at), v128.load(b + at)))) return false
    at += 16
  }
  while (at < bytes) {
    if (load<u8>(a + at) != load<u8>(b + at)) return false
    at++
  }
  return true
}
