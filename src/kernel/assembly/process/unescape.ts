/** What a text of JSON says: its escapes taken out. */

/**
 * Writes what the text [from, to), which is well formed, says to `out`, and as UTF-8; returns how many bytes that is, or
 * 0 if it is more than `most` or nothing. Half of a surrogate pair becomes three bytes that are no UTF-8.
 */
export function unescape(from: usize, to: usize, out: usize, most: usize): usize {
  const start = out
  const limit = out + most - 4
  for (let at = from; at < to; at++) {
    if (out > limit) return 0
    let byte = <u32>load<u8>(at)
    if (byte == 0x5c) {
      byte = <u32>load<u8>(++at)
      if (byte == 0x75) {
        let character = unit(at + 1)
        at += 4
        if (character >> 10 == 0x36 && at + 6 < to && load<u16>(at, 1) == 0x755c && unit(at + 3) >> 10 == 0x37) {
          character = 0x10000 + ((character - 0xd800) << 10) + (unit(at + 3) - 0xdc00)
          at += 6
        }
        out = encode(character, out)
        continue
      }
      byte = control(byte)
    }
    store<u8>(out++, <u8>byte)
  }
  return out - start
}

/** What four hexadecimal digits say. */
function unit(at: usize): u32 {
  let value: u32 = 0
  for (let n: usize = 0; n < 4; n++) {
    const digit = <u32>load<u8>(at + n)
    value = (value << 4) | (digit < 0x3a ? digit - 0x30 : (digit | 0x20) - 0x57)
  }
  return value
}

function control(letter: u32): u32 {
  switch (letter) {
    case 0x62:
      return 0x08
    case 0x66:
      return 0x0c
    case 0x6e:
      return 0x0a
    case 0x72:
      return 0x0d
    case 0x74:
      return 0x09
    default:
      return letter
  }
}

function encode(character: u32, out: usize): usize {
  if (character < 0x80) {
    store<u8>(out, <u8>character)
    return out + 1
  }
  if (character < 0x800) {
    store<u8>(out, <u8>(0xc0 | (character >> 6)))
    return tail(character, out + 1)
  }
  if (character < 0x10000) store<u8>(out++, <u8>(0xe0 | (character >> 12)))
  else {
    store<u8>(out, <u8>(0xf0 | (character >> 18)))
    out = tail(character >> 12, out + 1)
  }
  return tail(character, tail(character >> 6, out))
}

function tail(bits: u32, out: usize): usize {
  store<u8>(out, <u8>(0x80 | (bits & 0x3f)))
  return out + 1
}
