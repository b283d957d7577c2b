/**
 * Writes levels. A level is a severity of OpenTelemetry ("Logs Data Model", SeverityNumber): 1 to 4 trace, 5 to 8 debug, 9
 * to 12 info, 13 to 16 warn, 17 to 20 error, 21 to 24 fatal.
 */
import { copy } from '../copy'
import {
  AS_STRING,
  LEVEL_BYTE,
  LEVEL_NUMBER,
  LEVEL_SEVERITY,
  LEVEL_SYSLOG,
  LEVEL_WRITTEN,
  SCRATCH,
} from '../layout'
import { decimal } from './moment'
import { find, form, from, level, to } from './row'
import { isQuoted, write } from './value'

/** The longest word. */
export const LEVEL_BYTES: usize = 8

/** Writes the level of the row at hand; `slot`: where it stands as it was written. */
export function severity(how: u32, slot: u32, out: usize, limit: usize): usize {
  if (how == LEVEL_WRITTEN && find(slot) && from < to) return write(from, to, form(), false, AS_STRING, out, limit)
  if (out + LEVEL_BYTES > limit) return 0
  const number = level()
  if (how == LEVEL_NUMBER) return decimal(<u64>number, out)
  if (how == LEVEL_BYTE) {
    store<u8>(out, <u8>number)
    return out + 1
  }
  if (how == LEVEL_SYSLOG) {
    store<u8>(out, <u8>(0x30 + syslog(number)))
    return out + 1
  }
  return how == LEVEL_SEVERITY ? google(number, out) : word(number, out)
}

/** RFC 5424, section 6.2.1: 7 debug, 6 informational, 5 notice, 4 warning, 3 error, 2 critical, 1 alert, 0 emergency. */
function syslog(number: u32): u32 {
  if (number < 9) return 7
  if (number < 13) return number == 10 ? 5 : 6
  if (number < 17) return 4
  if (number < 21) return number == 18 || number == 19 ? 2 : 3
  return number < 23 ? 1 : 0
}

/** Without a branch: which level comes next cannot be guessed. */
function word(number: u32, out: usize): usize {
  let text: u64 = 0x6e776f6e6b6e75 // unknown
  text = select<u64>(0x6563617274, text, number > 0) // trace
  text = select<u64>(0x6775626564, text, number > 4) // debug
  text = select<u64>(0x6f666e69, text, number > 8) // info
  text = select<u64>(0x6e726177, text, number > 12) // warn
  text = select<u64>(0x726f727265, text, number > 16) // error
  text = select<u64>(0x6c61746166, text, number > 20) // fatal
  return put(text, out)
}

/**
 * LogSeverity of Google Cloud. Fatal errors are CRITICAL: most loggers know nothing above. EMERGENCY is none of them, for
 * that word is a fatal error here.
 */
function google(number: u32, out: usize): usize {
  let text: u64 = 0x4755424544 // DEBUG
  text = select<u64>(0x4f464e49, text, number > 8) // INFO
  text = select<u64>(0x454349544f4e, text, number == 10) // NOTICE
  text = select<u64>(0x474e494e524157, text, number > 12) // WARNING
  text = select<u64>(0x524f525245, text, number > 16) // ERROR
  text = select<u64>(0x4c41434954495243, text, number == 18 || number > 20) // CRITICAL
  text = select<u64>(0x5452454c41, text, number == 19 || number > 22) // ALERT
  return put(text, out)
}

/** Up to eight letters, the first one lowest. */
function put(text: u64, out: usize): usize {
  store<u64>(out, text)
  return out + 8 - (<usize>clz(text) >> 3)
}

/** Whether a value says the word of a level, in letters of any case. */
export function saysWord(from: usize, to: usize, form: u32, number: u32): bool {
  if (isQuoted(from, to, form)) {
    from++
    to--
  }
  const bytes = word(number, SCRATCH) - SCRATCH
  if (to - from != bytes) return false
  for (let n: usize = 0; n < bytes; n++) if ((load<u8>(from + n) | 0x20) != load<u8>(SCRATCH + n)) return false
  return true
}
