/**
 * Copies bytes as they are.
 *
 * Most copies are a few dozen bytes (`"host":"…","message":"`), for which calling memory.copy costs more than the copy;
 * so up to 64 bytes go in steps of 16, the last of which may write up to 15 bytes too many. Those are overwritten by
 * whatever comes next, and are only written if they lie before `limit`.
 */

/** Copies [from, to) to `out`. Returns the address behind the last byte, or 0 if it would pass `limit`. */
export function copy(from: usize, to: usize, out: usize, limit: usize): usize {
  const bytes = to - from
  if (out + bytes > limit) return 0
  if (bytes <= 64 && out + bytes + 16 <= limit) {
    for (let at: usize = 0; at < bytes; at += 16) v128.store(out + at, v128.load(from + at))
  } else {
    memory.copy(out, from, bytes)
  }
  return out + bytes
}
