/**
 * Values that have a place of their own in a record, so that they are not sent once more beside it: always, if the record
 * has a time or a level, if they say the level's word, tell the record apart, or are an id. Any value that stands in such a
 * place is meant.
 *
 *     list     from u32 │ to u32 │ …        of the record at hand; with the highest bit what is not shown elsewhere after all
 */
import {
  HIDDEN,
  NO_TIME,
  SHOWN_ID_16,
  SHOWN_ID_8,
  SHOWN_LEVELLED,
  SHOWN_PARTITIONED,
  SHOWN_SAME_LEVEL,
  SHOWN_TIMED,
} from '../layout'
import { saysNothing } from './partition'
import { find, form, from, level, partition, time, to } from './row'
import { HEAD } from './rules'
import { saysWord } from './severity'
import { isIdentifier } from './value'

const PLACE: usize = 8
const SENT: u32 = 0x80000000

/** Behind the last of the list. */
let last: usize = HIDDEN

/** Finds them, for the record at hand. */
export function noteHidden(names: usize): void {
  last = HIDDEN
  // Nothing stands at 0.
  v128.store(HIDDEN, i8x16.splat(0))
  v128.store(HIDDEN, i8x16.splat(0), 16)
  const count = <usize>load<u16>(names)
  for (let n: usize = 0; n < count; n++) {
    const at = names + HEAD + (n << 1)
    if (!find(<u32>load<u8>(at))) continue
    // Of two that mean one value the first says what becomes of it.
    let known = HIDDEN
    while (known < last && ((load<u32>(known) & ~SENT) != <u32>from || load<u32>(known, 4) != <u32>to)) known += PLACE
    if (known < last) continue
    store<u32>(last, isShown(<u32>load<u8>(at, 1)) ? <u32>from : <u32>from | SENT)
    store<u32>(last, <u32>to, 4)
    last += PLACE
  }
}

/** Whether the value [from, to) has a place of its own. */
// @ts-ignore: decorator
@inline
export function isHidden(from: usize, to: usize): bool {
  const value = <u64>from | (<u64>to << 32)
  // There are seldom more than four.
  const four = i64x2.splat(value)
  const same = v128.or(i64x2.eq(four, v128.load(HIDDEN)), i64x2.eq(four, v128.load(HIDDEN, 16)))
  return v128.any_true(same) || (last > HIDDEN + 4 * PLACE && isFurther(value))
}

function isFurther(value: u64): bool {
  for (let at = HIDDEN + 4 * PLACE; at < last; at += PLACE) if (load<u64>(at) == value) return true
  return false
}

/** Whether the value that was asked for last is shown in its own place. */
function isShown(when: u32): bool {
  if (when == SHOWN_TIMED) return time() != NO_TIME
  if (when == SHOWN_LEVELLED) return level() != 0
  if (when == SHOWN_SAME_LEVEL) return level() != 0 && saysWord(from, to, form(), level())
  if (when == SHOWN_PARTITIONED) return partition() != 0 && !saysNothing(from, to, form())
  if (when == SHOWN_ID_16) return isIdentifier(from, to, form(), 16)
  if (when == SHOWN_ID_8) return isIdentifier(from, to, form(), 8)
  return true
}
