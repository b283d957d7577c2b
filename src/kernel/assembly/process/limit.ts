/**
 * A limit of so many bytes, or records, a second: a bucket that fills with time and is emptied by records.
 *
 * A record passes while there is anything in the bucket, and may leave it owing: so a record that is larger than the bucket
 * passes once it is full, and over time no more passes than may.
 */
import { NO_TIME, ROW_TIME } from '../layout'
import { column, count, ends, first, rowBytes, rows, start } from '../parameters'

/** What is in the bucket, and how much is added each millisecond and fits in; 0 and 0: there is no such limit. */
export let bytesLeft: f64 = 0
export let bytesPerMs: f64 = 0
export let recordsLeft: f64 = 0
export let recordsPerMs: f64 = 0
/** Up to when it has been filled: milliseconds. */
export let filledAt: f64 = 0

/** Milliseconds of filling that a bucket holds. */
const HOLDS: f64 = 1000
/** A time that is so much earlier is of a clock that was set back, or of another one: it is followed. */
const BACK: f64 = 60000

/**
 * Gives the frames for which the bucket has nothing left `verdict`; returns how many. It fills by the records' own times
 * where they have some (`timed`), else by `now`, in milliseconds of the same clock. 0: all of them pass.
 */
export function limit(verdict: u32, now: f64, timed: bool): u32 {
  let dropped: u32 = 0
  let from = start
  for (let n: u32 = 0; n < count; n++) {
    const frame = <usize>(first + n)
    const to = <usize>load<u32>(ends + (frame << 2))
    const cell = column + (frame << 2)
    if ((load<u32>(cell) & 0xff) == 0) {
      const own = timed ? load<i64>(rows + frame * rowBytes, ROW_TIME) : NO_TIME
      fill(own == NO_TIME ? now : <f64>own / 1e6)
      const empty = (bytesPerMs != 0 && bytesLeft <= 0) || (recordsPerMs != 0 && recordsLeft <= 0)
      if (empty && verdict != 0) {
        store<u32>(cell, verdict)
        dropped++
      } else {
        bytesLeft -= <f64>(to - from + 1)
        recordsLeft -= 1
      }
    }
    from = to + 1
  }
  return dropped
}

// @ts-ignore: decorator
@inline
function fill(time: f64): void {
  // A time that is a little earlier is the same moment: records of several writers stand in one file.
  if (time <= filledAt) {
    if (filledAt - time > BACK) filledAt = time
    return
  }
  const ms = time - filledAt
  filledAt = time
  bytesLeft = min(bytesLeft + ms * bytesPerMs, HOLDS * bytesPerMs)
  recordsLeft = min(recordsLeft + ms * recordsPerMs, HOLDS * recordsPerMs)
}
