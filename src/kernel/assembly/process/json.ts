/**
 * Walks over a whole JSON object (RFC 8259) and notes where the values of wanted names stand.
 *
 *     frame    {"level":"info","req":{"method":"GET"},"n":9007199254740993}
 *                      └ level ┘               └ req.method ┘
 *
 * A value stands as it was written, so no number is ever rounded. What a text says is not looked at but for its end;
 * whether it is UTF-8 is for the caller to know. Names are compared as what they say: `\u006c` in one is an `l`.
 */
import { PATTERNS } from '../layout'
import { blank, hasEscapes, text, word } from '../object'
import {
  find,
  KIND_ARRAY,
  KIND_BOOLEAN,
  KIND_NULL,
  KIND_NUMBER,
  KIND_OBJECT,
  KIND_TEXT,
  keyOf,
  nodeOf,
  put,
} from './names'
import { SEEN, STACK, UNESCAPED, UNESCAPED_BYTES } from './scratch'
import { beginNames, isAgain } from './twice'
import { unescape } from './unescape'

/** What `walk` found. */
export const NO_OBJECT: u32 = 0
export const OBJECT: u32 = 1
export const EMPTY_OBJECT: u32 = 2

/** Of the last object: some names at its top stand twice, or there may be such. */
export let clash: bool = false

/** Each object and array that is open is one bit. */
const DEEPEST: u32 = 64
/** Bytes for each: the node that holds outside of it, the entry of its name, where it begins. */
const LEVEL: usize = 12

/**
 * Walks over [from, to). `root` is the node of names at the top, `scratch` as scratch.ts has it. An object of more than
 * `most` members, at all depths together, is none here.
 */
export function walk(table: usize, root: usize, from: usize, to: usize, scratch: usize, most: u32): u32 {
  clash = false
  let at = blank(from, to)
  if (at == to || load<u8>(at) != 0x7b) return NO_OBJECT
  at = blank(at + 1, to)
  if (at < to && load<u8>(at) == 0x7d) return blank(at + 1, to) == to ? EMPTY_OBJECT : NO_OBJECT
  const seen = scratch + SEEN
  const plain = scratch + UNESCAPED
  const stamp = beginNames(seen)
  let node = root
  let members: u32 = 0
  let depth: u32 = 1
  // What stands open, the innermost in the lowest bit: 1 is an object, 0 an array.
  let open: u64 = 1
  while (true) {
    let entry: usize = 0
    if (open & 1) {
      if (at == to || load<u8>(at) != 0x22 || ++members > most) return NO_OBJECT
      const name = at + 1
      // Most names are short, and end within one step.
      let escapes = false
      at = name + shortName(name)
      if (at < to && load<u8>(at) == 0x22) at++
      else {
        at = text(name - 1, to)
        if (at == 0) return NO_OBJECT
        escapes = hasEscapes
      }
      let bytes = at - 1 - name
      if (escapes) {
        // Rare: then rendering looks for names that stand twice.
        if (depth == 1) clash = true
        if (node != 0) {
          bytes = unescape(name, at - 1, plain, UNESCAPED_BYTES)
          if (bytes != 0) entry = find(table, node, keyOf(plain, bytes), plain, bytes)
        }
      } else if (node != 0 || depth == 1) {
        const key = keyOf(name, bytes)
        if (depth == 1 && isAgain(seen, stamp, key, name, bytes)) clash = true
        if (node != 0) entry = find(table, node, key, name, bytes)
      }
      at = blank(at, to)
      if (at == to || load<u8>(at) != 0x3a) return NO_OBJECT
      at = blank(at + 1, to)
    }
    if (at == to) return NO_OBJECT
    const byte = <u32>load<u8>(at)
    if (byte == 0x7b || byte == 0x5b) {
      if (depth == DEEPEST) return NO_OBJECT
      const level = scratch + STACK + <usize>depth * LEVEL
      store<u32>(level, <u32>node)
      store<u32>(level, <u32>entry, 4)
      store<u32>(level, <u32>at, 8)
      node = entry != 0 && byte == 0x7b ? nodeOf(table, entry) : 0
      depth++
      open = (open << 1) | (byte == 0x7b ? 1 : 0)
      at = blank(at + 1, to)
      // Braces and brackets close two places behind the one that opens.
      if (at == to) return NO_OBJECT
      if (<u32>load<u8>(at) != byte + 2) continue
    } else {
      const start = at
      if (byte == 0x22) {
        at += 1 + shortName(at + 1)
        if (at < to && load<u8>(at) == 0x22) at++
        else at = text(start, to)
      } else at = behindWord(at, to, byte)
      if (at == 0) return NO_OBJECT
      if (entry != 0) put(table, entry, start, at, kindOf(byte))
      at = blank(at, to)
    }
    // Behind a value, or where one of nothing ends.
    while (true) {
      if (at == to) return NO_OBJECT
      const next = <u32>load<u8>(at)
      if (next == 0x2c) {
        at = blank(at + 1, to)
        break
      }
      if (next != (open & 1 ? 0x7d : 0x5d)) return NO_OBJECT
      depth--
      if (depth == 0) {
        return blank(at + 1, to) == to ? OBJECT : NO_OBJECT
      }
      const level = scratch + STACK + <usize>depth * LEVEL
      node = <usize>load<u32>(level)
      entry = <usize>load<u32>(level, 4)
      if (entry != 0) put(table, entry, <usize>load<u32>(level, 8), at + 1, open & 1 ? KIND_OBJECT : KIND_ARRAY)
      open >>= 1
      at = blank(at + 1, to)
    }
  }
}

/** How many of the first 16 bytes are neither a quote, nor a backslash, nor a control character. */
// @ts-ignore: decorator
@inline
function shortName(at: usize): usize {
  const v = v128.load(at)
  const ends = v128.or(i8x16.eq(v, v128.load(PATTERNS)), i8x16.eq(v, v128.load(PATTERNS, 16)))
  const marks = i8x16.bitmask(v128.or(ends, i8x16.eq(i8x16.min_u(v, v128.load(PATTERNS, 32)), v)))
  return <usize>ctz(marks | 0x8000)
}

/** The address behind a word or a number that begins with `byte`; most numbers are digits and nothing else. */
// @ts-ignore: decorator
@inline
function behindWord(at: usize, to: usize, byte: u32): usize {
  if (byte - 0x31 < 9) {
    let behind = at + 1
    while (behind < to && <u32>load<u8>(behind) - 0x30 < 10) behind++
    const next = behind < to ? <u32>load<u8>(behind) : 0
    if (next == 0x2c || next == 0x7d) return behind
  }
  return word(at, to)
}

/** The kind of the value that begins with `byte` and is neither an object nor an array. */
// @ts-ignore: decorator
@inline
function kindOf(byte: u32): u32 {
  if (byte == 0x22) return KIND_TEXT
  if (byte < 0x40) return KIND_NUMBER
  return byte == 0x6e ? KIND_NULL : KIND_BOOLEAN
}
