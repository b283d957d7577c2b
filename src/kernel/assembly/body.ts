/**
 * Writes text of a frame into a record: as it is or escaped for a JSON string, and with U+FFFD for what is not UTF-8, if
 * the frames at hand hold such.
 */
import { copy } from './copy'
import { escape } from './escape'
import { sequence, wellFormed } from './repair'

/** Something in the frames is not UTF-8, and is replaced. */
let repairing: bool = false
/** How often that was done in the record at hand. */
export let repairs: u32 = 0

export function repairIf(does: bool): void {
  repairing = does
}

/** Begins a record. */
export function beginRecord(): void {
  repairs = 0
}

export function isRepairing(): bool {
  return repairing
}

/** Writes [from, to) for a JSON string. Returns the address behind it, or 0 if it would pass `limit`. */
export function escaped(from: usize, to: usize, out: usize, limit: usize): usize {
  return repairing ? repairedBody(from, to, out, limit, true) : escape(from, to, out, limit)
}

/** Writes [from, to) as it is. */
export function plain(from: usize, to: usize, out: usize, limit: usize): usize {
  return repairing ? repairedBody(from, to, out, limit, false) : copy(from, to, out, limit)
}

/** Writes [from, to) in runs of well-formed text, with U+FFFD for what lies between them. */
function repairedBody(from: usize, to: usize, out: usize, limit: usize, escapes: bool): usize {
  while (true) {
    const good = wellFormed(from, to)
    out = escapes ? escape(from, good, out, limit) : copy(from, good, out, limit)
    if (out == 0 || good == to) return out
    if (out + 3 > limit) return 0
    store<u16>(out, 0xbfef)
    store<u8>(out + 2, 0xbd)
    out += 3
    repairs++
    from = good - sequence(good, to)
  }
}
