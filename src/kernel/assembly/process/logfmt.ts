/**
 * Walks over pairs, and notes where the values of wanted names stand.
 *
 *     frame    level=info msg="said \"hi\"" url=/a?b=c error=
 *                    └──┘     └───────────┘     └────┘       └ of no bytes
 *
 *     name     bytes above the space, but no `=` and no quote
 *     value    up to the next byte that is not above the space; one that begins with a quote, up to the next quote that
 *              no backslash stands before. It stands with its quotes.
 *
 * All of a record must be pairs, so that of a sentence in which one stands nothing becomes a name.
 */
import { find, KIND_TEXT, keyOf, put } from './names'
import { SEEN } from './scratch'
import { beginNames, isAgain } from './twice'

/** Of the last record: some names stand twice, or there may be such. */
export let clash: bool = false

/** Whether [from, to) is pairs, no more than `most`. `root` is the node of names, `scratch` as scratch.ts has it. */
export function pairs(table: usize, root: usize, from: usize, to: usize, scratch: usize, most: u32): bool {
  clash = false
  const seen = scratch + SEEN
  const stamp = beginNames(seen)
  let members: u32 = 0
  let at = from
  while (true) {
    while (at < to && load<u8>(at) <= 0x20) at++
    if (at == to) return members > 0
    const name = at
    at = endOfName(at, to)
    if (at == to || at == name || load<u8>(at) != 0x3d || ++members > most) return false
    const bytes = at - name
    const key = keyOf(name, bytes)
    if (isAgain(seen, stamp, key, name, bytes)) clash = true
    const value = ++at
    if (at < to && load<u8>(at) == 0x22) {
      at = behindQuotes(at + 1, to)
      if (at == 0 || (at < to && load<u8>(at) > 0x20)) return false
    } else at = endOfValue(at, to)
    const entry = find(table, root, key, name, bytes)
    if (entry != 0) put(table, entry, value, at, KIND_TEXT)
  }
}

/** The first byte that is no part of a name, or `to`. */
// @ts-ignore: decorator
@inline
export function endOfName(at: usize, to: usize): usize {
  while (at < to) {
    const v = v128.load(at)
    const ends = v128.or(i8x16.eq(v, i8x16.splat(0x3d)), i8x16.eq(v, i8x16.splat(0x22)))
    const marks = i8x16.bitmask(v128.or(ends, i8x16.le_u(v, i8x16.splat(0x20))))
    if (marks != 0) {
      at += <usize>ctz(marks)
      break
    }
    at += 16
  }
  return at < to ? at : to
}

/** The first byte that is not above the space, or `to`. */
// @ts-ignore: decorator
@inline
export function endOfValue(at: usize, to: usize): usize {
  while (at < to) {
    const marks = i8x16.bitmask(i8x16.le_u(v128.load(at), i8x16.splat(0x20)))
    if (marks != 0) {
      at += <usize>ctz(marks)
      break
    }
    at += 16
  }
  return at < to ? at : to
}

/** The address behind the quote that ends a value, or 0 if there is none. */
export function behindQuotes(at: usize, to: usize): usize {
  while (at < to) {
    const v = v128.load(at)
    const marks = i8x16.bitmask(v128.or(i8x16.eq(v, i8x16.splat(0x22)), i8x16.eq(v, i8x16.splat(0x5c))))
    if (marks == 0) {
      at += 16
      continue
    }
    at += <usize>ctz(marks)
    if (at >= to) return 0
    if (load<u8>(at) == 0x22) return at + 1
    at += 2
  }
  return 0
}
