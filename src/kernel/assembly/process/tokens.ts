/**
 * Secrets that are known by how they begin: tokens with a prefix, JSON web tokens, credentials behind the name of their
 * scheme, passwords in URLs.
 *
 * Where a record goes on elsewhere (`edge`), what has begun there is masked: the rest of it is not known.
 */
import { mask, masked } from './mask'
import { blanks } from './pairs'
import {
  BASE64,
  count,
  edge,
  end,
  goesOn,
  is,
  isDigit,
  isWord,
  runOf,
  slashesBefore,
  spend,
  TOKEN68,
  URL_SAFE,
  WHOLE,
} from './redaction'

/** A scheme is followed by what a client sends as it is, or by a name and a password in base64. */
export const BASIC: u32 = 1

/** A token with the prefix [from, to) and a run of one class behind it. */
export function token(from: usize, to: usize, rule: u32, kind: u32, least: usize, most: usize): bool {
  if (goesOn(from) || slashesBefore(from) & 1) return false
  const stop = runOf(to, kind)
  spend(stop - to)
  const length = stop - to
  if (stop == end && edge != WHOLE) {
    if (length == 0 || length > most) return false
    if (length < least) count(rule, true)
  } else if (length < least || length > most || (stop < end && isWord(<u32>load<u8>(stop)))) return false
  mask(rule, from, stop)
  return true
}

/** A JSON web token: parts of base64url with dots between them, of which the first is an object. */
export function webToken(from: usize, rule: u32): bool {
  if (goesOn(from) || slashesBefore(from) & 1) return false
  let stop = runOf(from, URL_SAFE)
  spend(stop - from)
  let parts = 1
  while (stop < end && load<u8>(stop) == 0x2e) {
    const next = runOf(stop + 1, URL_SAFE)
    if (parts == 1 && next - stop <= 5 && (next < end || edge == WHOLE)) break
    stop = next
    parts++
  }
  if (stop == end && edge != WHOLE && stop - from >= 5) count(rule, true)
  else if (parts < 2 || stop - from < 16) return false
  mask(rule, from, stop)
  return true
}

/** What follows the word [from, to) that names a scheme. */
export function credentials(from: usize, to: usize, rule: u32, flags: u32): bool {
  if (goesOn(from)) return false
  const at = blanks(to)
  if (at == to || at >= end) return false
  const stop = runOf(at, TOKEN68)
  const open = stop == end && edge != WHOLE
  if (!open && !(flags & BASIC ? isBasic(at, stop) : isToken(at, stop))) return false
  if (stop == at) return false
  if (open) count(rule, true)
  mask(rule, at, stop)
  return true
}

/** Whether it is no word of a sentence, and no name of a parameter. */
function isToken(at: usize, to: usize): bool {
  if (to - at < 8) return false
  if (load<u8>(to - 1) == 0x3d && to < end && load<u8>(to) == 0x22 && isName(at, to - 1)) return false
  if (to - at >= 24) return true
  let capitals: usize = 0
  for (let n = at; n < to; n++) {
    const byte = <u32>load<u8>(n)
    if (isDigit(byte)) return true
    if (byte - 65 < 26 && n > at) capitals++
  }
  return capitals > 0
}

/** Whether it is a name of small letters: `realm`, `error_description`. */
function isName(at: usize, to: usize): bool {
  let next = at
  while (next < to && (<u32>load<u8>(next) - 97 < 26 || load<u8>(next) == 0x5f)) next++
  return next == to
}

/** Whether it is base64 for a text with a colon in it. */
function isBasic(at: usize, to: usize): bool {
  if (to - at < 4) return false
  let bits: u32 = 0
  let have: u32 = 0
  for (let n = at; n < to; n++) {
    const byte = <u32>load<u8>(n)
    if (byte == 0x3d) break
    if (!is(byte, BASE64)) return false
    const six =
      byte - 65 < 26 ? byte - 65 : byte - 97 < 26 ? byte - 71 : isDigit(byte) ? byte + 4 : byte == 0x2b ? 62 : 63
    bits = (bits << 6) | six
    have += 6
    if (have < 8) continue
    have -= 8
    const said = (bits >> have) & 255
    if (said < 0x20) return false
    if (said == 0x3a) return true
  }
  return false
}

/** The password, or the only word, before the @ of a URL whose authority begins at `at`. */
export function userInfo(at: usize, rule: u32): bool {
  let to = at
  let sign: usize = 0
  let colon: usize = 0
  while (to < end) {
    const byte = <u32>load<u8>(to)
    if (byte <= 0x20 || byte == 0x2f || byte == 0x3f || byte == 0x23 || byte == 0x22 || byte == 0x5c) break
    if (byte == 0x3c || byte == 0x3e || byte == 0x60) break
    if (byte == 0x5b) {
      // What was masked has colons of its own.
      const own = masked(to, end)
      if (own != 0) {
        to = own
        continue
      }
    }
    if (byte == 0x40) sign = to
    else if (byte == 0x3a && colon == 0) colon = to
    to++
  }
  spend(to - at)
  if (sign == 0 && to == end && edge != WHOLE && colon != 0) {
    // It may be a port.
    if ((end - colon <= 6 && allDigits(colon + 1)) || masked(colon + 1, end) == end) return false
    count(rule, true)
    mask(rule, colon + 1, end)
    return true
  }
  if (sign == 0) return false
  const from = colon != 0 && colon < sign ? colon + 1 : at
  // A user without a password is none to hide, unless it is a token.
  if (from == at && sign - at < 20) return false
  if (sign == from || masked(from, sign) == sign) return false
  mask(rule, from, sign)
  return true
}

function allDigits(from: usize): bool {
  let at = from
  while (at < end && isDigit(<u32>load<u8>(at))) at++
  return at == end
}
