/**
 * Private keys in PEM: all that stands between `-----BEGIN … PRIVATE KEY-----` and `-----END`.
 *
 *     one line     "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq…\n-----END PRIVATE KEY-----\n"
 *     several      -----BEGIN RSA PRIVATE KEY-----⏎ MIIEpAIBAAKCAQEA…⏎ …⏎ -----END RSA PRIVATE KEY-----⏎
 *
 * Of several lines, each is a record as a rule. So what is known is carried on: bytes that may still be within a key (0:
 * none is open). Lines that cannot be part of a key are left alone, for something else may be written meanwhile.
 */
import { mask, masked } from './mask'
import { BASE64, count, edge, end, is, json, runOf, slashesBefore, WHOLE } from './redaction'

/** A key has no more bytes than this. */
export const MOST_KEY: usize = 65536
/** A line behind a prefix that something put before it, and a line at the head of a file: so much of base64 at least. */
const LONG: usize = 40
/** And the last one, which says by its `=` what it is. */
const SHORT: usize = 4
/** A line in which there is nothing of a key counts for so many bytes of one. */
const OTHER: usize = 4096
/** What stands between BEGIN and the hyphens behind it. */
const MOST_TITLE: usize = 48

const HYPHENS: u32 = 0x2d2d2d2d

/** Bytes that the key that is open may still have; 0: none is. */
export let open: usize = 0

export function setOpen(bytes: usize): void {
  open = bytes
}

/** Where the title of a private key ends, behind the hyphens, that begins at `at`; 0: it is no private key. */
function titleEnd(at: usize, to: usize): usize {
  const stop = min(to, at + MOST_TITLE)
  let known = false
  let next = at
  for (; next < stop && load<u8>(next) != 0x2d; next++) {
    const byte = <u32>load<u8>(next)
    if (byte != 0x20 && !(byte - 65 < 26) && !(byte - 48 < 10)) return 0
    // PRIV
    if (next + 11 <= to && load<u32>(next) == 0x56495250 && load<u32>(next + 7) == 0x59454b20) known = true
  }
  return known && next + 5 <= to && load<u32>(next) == HYPHENS && load<u8>(next + 4) == 0x2d ? next + 5 : 0
}

/** Where a line ends that begins at `at`. */
function lineEnd(at: usize, to: usize): usize {
  let next = at
  while (next < to && load<u8>(next) != 10) next++
  return next
}

// @ts-ignore: decorator
@inline
function isBlank(byte: u32): bool {
  return byte == 0x20 || byte == 0x09 || byte == 13
}

/** Where the part of a key ends that begins at `at`: base64, blanks and escape sequences. */
function bodyEnd(at: usize, to: usize): usize {
  let next = at
  while (next < to) {
    const byte = <u32>load<u8>(next)
    if (byte == 0x5c) {
      let escaped = next
      while (escaped < to && load<u8>(escaped) == 0x5c) escaped++
      if (escaped == to) return to
      const what = <u32>load<u8>(escaped)
      if (what != 0x6e && what != 0x72 && what != 0x74 && what != 0x75 && what != 0x2f) return next
      next = escaped + 1
    } else if (is(byte, BASE64) || isBlank(byte)) next++
    else return next
  }
  return next
}

/** A key whose title begins at `at`, behind BEGIN. Returns whether it is one. */
export function privateKey(at: usize, rule: u32): bool {
  const body = titleEnd(at, end)
  if (body == 0) return false
  const line = lineEnd(body, end)
  const own = masked(body, line)
  const to = bodyEnd(own != 0 ? own : body, line)
  const whole = to == line
  // Spaces before what follows are not part of it.
  const last = trimmed(body, to)
  // Where nothing of the key is in this line, it is in those that follow.
  let some = own != 0
  for (let at = body; at < last && !some; at++) some = last - at >= 8 && is(<u32>load<u8>(at), BASE64)
  open = whole || !some ? MOST_KEY : 0
  if (!some || own != 0) return true
  if (whole && last == end && edge != WHOLE) count(rule, true)
  mask(rule, body, last)
  return true
}

/** Whether `-----END` stands at `at`. */
// @ts-ignore: decorator
@inline
function isEnd(at: usize, to: usize): bool {
  return at + 8 <= to && load<u32>(at) == HYPHENS && load<u32>(at + 4) == 0x444e452d
}

/**
 * The line [from, to) while a key is open, if all of it may be part of the key: it is masked, and there is nothing else to
 * look at.
 */
export function keyLine(from: usize, to: usize, rule: u32): bool {
  const last = trimmed(from, to)
  // In a record of several lines it may be indented; in JSON that is a number or a word.
  const first = json ? from : indented(from, last)
  let part = first
  while (part < last && is(<u32>load<u8>(part), BASE64)) part++
  if (part < last) return false
  take(to - from + 1)
  if (last > first && to == end && edge != WHOLE) count(rule, true)
  mask(rule, first, last)
  return true
}

/** Any other line, once its own secrets are masked: what may be part of the key, amid something else, or before its end. */
export function keyParts(from: usize, to: usize, rule: u32): void {
  const last = trimmed(from, to)
  let found = false
  let at = from
  while (at < last) {
    const byte = <u32>load<u8>(at)
    if (byte == 0x2d && isEnd(at, last)) {
      open = 0
      return
    }
    if (!is(byte, BASE64)) {
      at++
      continue
    }
    const stop = min(runOf(at, BASE64), last)
    const ends = stop + 8 <= to && isEnd(stop, to)
    const padded = stop == last && stop - at >= SHORT && load<u8>(stop - 1) == 0x3d
    if (stop - at >= LONG || padded || (ends && at == from)) {
      mask(rule, slashesBefore(at) & 1 ? at + 1 : at, stop)
      found = true
    }
    at = stop
  }
  take(found ? to - from + 1 : OTHER)
}

function take(bytes: usize): void {
  open = open > bytes ? open - bytes : 0
}

function trimmed(from: usize, to: usize): usize {
  let last = to
  while (last > from && isBlank(<u32>load<u8>(last - 1))) last--
  return last
}

function indented(from: usize, to: usize): usize {
  let first = from
  while (first < to && isBlank(<u32>load<u8>(first))) first++
  return first
}

/** Whether the line that begins at `from`, at the head of a file, may be part of a key: `next` is the line behind it. */
export function isKeyHead(from: usize, to: usize, limit: usize): bool {
  const last = trimmed(from, lineEnd(from, to))
  const first = indented(from, last)
  if (last == first) return false
  for (let at = first; at < last; at++) if (!is(<u32>load<u8>(at), BASE64)) return false
  const next = lineEnd(from, to) + 1
  if (next < limit && isEnd(indented(next, limit), limit)) return true
  if (last - first < LONG) return false
  if (next >= limit) return true
  const second = trimmed(next, lineEnd(next, limit))
  const head = indented(next, second)
  if (second == head) return false
  for (let at = head; at < second; at++) if (!is(<u32>load<u8>(at), BASE64)) return false
  return true
}
