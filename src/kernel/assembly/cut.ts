/**
 * Where a frame must be cut for its record to fit: the longest head of it, in whole characters, that does.
 *
 *     room       │ {"message":"  said \"hi\" and went  ","offset":"00000000002a"}⏎ │
 *     fixed      └───────────┘                        └──────────────────────────┘
 *     frame                     said "hi" and went ▲ on for long
 *
 * All but the message has the same length in any record of the template, so one walk over the frame is enough. Frames
 * are cut seldom: it goes character by character.
 */
import {
  AS_STRING,
  BASE64,
  COMMA,
  COUNTER,
  FIXED64,
  LENGTH,
  LENGTH_BYTES,
  LEVEL,
  LITERAL,
  MEMBERS,
  MESSAGE,
  OFFSET,
  OFFSET_DIGITS,
  PARTITION,
  PROGRAM,
  RANGE,
  RANGE_DIGITS,
  RAW,
  REPEATED,
  STEP,
  TEXT_VALUE,
  TIME,
} from './layout'
import { width } from './escape'
import { messageBytes } from './parameters'
import { MOMENT_BYTES } from './process/moment'
import { textBytes } from './process/partition-text'
import { LEVEL_BYTES } from './process/severity'
import { sequence } from './repair'

/** Bytes of U+FFFD. */
const REPLACEMENT: usize = 3

/**
 * The end of the longest head of the trimmed frame [from, to) whose record has at most `room` bytes, and whose message
 * is no longer than it may be; 0 if there is none. `last`: behind the program's last step. `repairing`: what is not
 * UTF-8 is replaced.
 */
export function headOf(from: usize, to: usize, room: usize, last: usize, repairing: bool): usize {
  let fixed: usize = 0
  // How often the frame stands in a record, escaped and as it is.
  let escaped: usize = 0
  let plain: usize = 0
  let encodes = false
  for (let step = PROGRAM; step < last; step += STEP) {
    const kind = load<u32>(step)
    if (kind == MESSAGE) escaped++
    else if (kind == RAW) plain++
    else if (kind == LITERAL || kind == COUNTER) fixed += <usize>load<u32>(step, 4)
    else if (kind == OFFSET) fixed += OFFSET_DIGITS
    else if (kind == RANGE) fixed += RANGE_DIGITS
    else if (kind == FIXED64) fixed += 8
    else if (kind == LENGTH) fixed += LENGTH_BYTES
    else if (kind == TEXT_VALUE) {
      if (load<u32>(step, 4) == AS_STRING) escaped++
      else plain++
    } else if (kind == TIME) fixed += MOMENT_BYTES
    else if (kind == LEVEL) fixed += LEVEL_BYTES
    else if (kind == REPEATED) fixed += 20
    else if (kind == COMMA) fixed++
    else if (kind == BASE64) encodes = true
    else if (kind == PARTITION) fixed += textBytes()
    else if (kind == MEMBERS) {
      // What was cut is no object, but for one with blanks behind it, and that takes less than it does as a message.
      escaped++
      fixed += <usize>load<u32>(step, 4) + 1
    }
  }
  // As if all of the record were encoded: a few bytes less than there might be.
  if (encodes) room = room < 8 ? 0 : (room >> 2) * 3 - 3
  if (fixed > room) return 0
  let left = room - fixed
  let message = messageBytes
  let at = from
  while (at < to) {
    const found = sequence(at, to)
    const bytes = <usize>abs(found)
    let takes: usize
    let counts = bytes
    if (found < 0 && repairing) {
      takes = REPLACEMENT * (escaped + plain)
      // As in `record`: each replacement may be two bytes longer than what it stands for.
      counts += 2 * (escaped + plain)
    } else takes = escaped * (bytes == 1 ? width(<u32>load<u8>(at)) : bytes) + plain * bytes
    if (takes > left || counts > message) break
    left -= takes
    message -= counts
    at += bytes
  }
  return at
}
