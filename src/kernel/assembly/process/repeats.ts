/**
 * Runs of records that are equal but for numbers at their head: a time stands there, or a number that counts.
 *
 *     10:00:01 cannot connect        equal, and so is what differs in how many digits a number has
 *     10:00:02 cannot connect
 *     10:00:02 cannot connect: no    not equal
 *
 * What is compared is the text as it stands in the file, of records that follow each other there. So where runs begin and
 * end is known while a file is read, and the last one is left in it until it has ended (tail/framing).
 */
import { NO_TIME, ROW_REPEATED, ROW_TIME } from '../layout'
import { column, count, ends, first, rowBytes, rows, start } from '../parameters'

/** Numbers that begin so far from the first byte of the earlier record are not compared. A multiple of 16. */
const HEAD: usize = 64

/** Records and bytes of a run, at the most; with more another one begins. A record that is longer than LONGEST is in none. */
const MOST: u32 = 500
const MOST_BYTES: usize = 131072
export const LONGEST: usize = 16384

/** The record before, without what ends its line; where its run begins, and how many records that has. */
let begin: usize = 0
let end: usize = 0
let head: usize = 0
let records: u32 = 0

/** Whether the record that lies in [from, to) goes on with the run of the one before it. It is the one before from then on. */
function follows(from: usize, to: usize): bool {
  // What ends a line is not compared.
  const stop = to > from && load<u8>(to - 1) == 13 ? to - 1 : to
  const goes =
    records != 0 &&
    records < MOST &&
    to - head <= MOST_BYTES &&
    end - begin <= LONGEST &&
    stop - from <= LONGEST &&
    alike(begin, end, from, stop)
  begin = from
  end = stop
  if (goes) records++
  else {
    records = 1
    head = from
  }
  return goes
}

/**
 * Notes in the column which frames go on with the run of the frame before them: before anything is written into them, so
 * that it does not matter what.
 */
export function link(): void {
  records = 0
  let from = start
  for (let n: u32 = 0; n < count; n++) {
    const frame = <usize>(first + n)
    const to = <usize>load<u32>(ends + (frame << 2))
    store<u32>(column + (frame << 2), follows(from, to) ? 1 : 0)
    from = to + 1
  }
}

/** What `link` has noted goes into the rows, for the column is needed. */
export function unlink(): void {
  for (let n: u32 = 0; n < count; n++) {
    const frame = <usize>(first + n)
    store<u32>(rows + frame * rowBytes, load<u32>(column + (frame << 2)), ROW_REPEATED)
  }
}

/**
 * How many of the `frames` frames from `from` on stand before the run that the last of them is of, and with which what
 * follows may go on; all of them if there is none.
 */
export function beforeRun(from: usize, ends: usize, frames: u32): u32 {
  let row: u32 = frames - 1
  // Runs are looked for from where the last frames that are alike begin.
  while (row > 0) {
    const to = <usize>load<u32>(ends + (<usize>row << 2))
    const middle = <usize>load<u32>(ends + (<usize>(row - 1) << 2)) + 1
    const earlier = row == 1 ? from : <usize>load<u32>(ends + (<usize>(row - 2) << 2)) + 1
    records = 0
    follows(earlier, middle - 1)
    if (!follows(middle, to)) break
    row--
  }
  records = 0
  let run = row
  let at = row == 0 ? from : <usize>load<u32>(ends + (<usize>(row - 1) << 2)) + 1
  for (let next = row; next < frames; next++) {
    const to = <usize>load<u32>(ends + (<usize>next << 2))
    if (!follows(at, to)) run = next
    at = to + 1
  }
  return records == MOST || end - begin > LONGEST ? frames : run
}

/**
 * Gives all records of a run but its last one `verdict`, and says in that one's row how many they are; returns how many
 * have got it. Those that have a verdict already are not counted. A run ends where `link` has said so, and `window`
 * nanoseconds after its first record, by the times of records that have one.
 */
export function repeats(verdict: u32, window: i64): u32 {
  let dropped: u32 = 0
  // Where the verdict of the record before is.
  let before: usize = 0
  let run: u32 = 0
  let since: i64 = NO_TIME
  for (let n: u32 = 0; n < count; n++) {
    const frame = <usize>(first + n)
    const cell = column + (frame << 2)
    const at = rows + frame * rowBytes
    if (load<u32>(at, ROW_REPEATED) == 0) before = 0
    store<u32>(at, 0, ROW_REPEATED)
    if ((load<u32>(cell) & 0xff) != 0) continue
    const time = load<i64>(at, ROW_TIME)
    const late = time != NO_TIME && since != NO_TIME && time - since > window
    if (before != 0 && !late) {
      store<u32>(before, verdict)
      dropped++
      run++
      store<u32>(at, run, ROW_REPEATED)
    } else {
      run = 1
      since = time
    }
    before = cell
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
