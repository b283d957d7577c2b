/**
 * What container runtimes write around a line.
 *
 *     cri      2026-11-23T10:00:00.123456789Z stdout F said hi       the line is whole (F), or a part of one (P)
 *              └──────────── time ──────────┘ stream tag message
 *     docker   {"log":"said hi\n","stream":"stdout","time":"2026-11-23T10:00:00.123456789Z"}
 */
import { group } from './names'

/** The values of a line of CRI: numbers of groups. */
const TIME: u32 = 0
const STREAM: u32 = 1
const TAG: u32 = 2
const MESSAGE: u32 = 3

/** `2026-11-23T10:00:00Z` */
const SHORTEST_TIME: usize = 20

/** Whether [from, to) is a line of CRI; notes where its values stand for those that want them. */
export function cri(table: usize, groups: usize, from: usize, to: usize): bool {
  const time = wordEnd(from, to)
  if (time == to || time - from < SHORTEST_TIME || load<u8>(from, 4) != 0x2d || load<u8>(from, 10) != 0x54) return false
  const stream = time + 1
  const head = stream + 6 < to ? load<u32>(stream) : 0
  const tail = <u32>load<u16>(stream, 4)
  const known = (head == 0x6f647473 && tail == 0x7475) || (head == 0x65647473 && tail == 0x7272) // stdout, stderr
  if (!known || load<u8>(stream, 6) != 0x20) return false
  const tag = stream + 7
  const end = wordEnd(tag, to)
  if (end == tag || (load<u8>(tag) != 0x46 && load<u8>(tag) != 0x50)) return false
  if (end > tag + 1 && load<u8>(tag, 1) != 0x3a) return false
  group(table, groups, TIME, from, time)
  group(table, groups, STREAM, stream, stream + 6)
  group(table, groups, TAG, tag, end)
  group(table, groups, MESSAGE, end < to ? end + 1 : to, to)
  return true
}

/**
 * Joins the parts of a line of CRI, which are the lines of the record [from, to): they move together, the prefixes in
 * between go, and the tag of the last part is that of all. Returns where the record ends now; as it was if a line in it is
 * no part of the first one's stream.
 *
 *     2026-11-23T10:00:00Z stdout P said ⏎ 2026-11-23T10:00:00Z stdout F hi
 *     2026-11-23T10:00:00Z stdout F said hi▢▢▢ …
 */
export function joinParts(from: usize, to: usize): usize {
  const first = partOf(from, to)
  if (first == 0) return to
  // Whether all lines are parts is known before anything moves.
  let last = from
  for (let at = lineEnd(from, to); at < to; at = lineEnd(last, to)) {
    last = at + 1
    const body = partOf(last, to)
    if (body == 0 || load<u32>(streamOf(last, to)) != load<u32>(streamOf(from, to))) return to
  }
  if (last == from) return to
  store<u8>(streamOf(from, to) + 7, load<u8>(streamOf(last, to) + 7))
  let out = lineEnd(from, to)
  for (let at = out; at < to; ) {
    const body = partOf(at + 1, to)
    const stop = lineEnd(at + 1, to)
    memory.copy(out, body, stop - body)
    out += stop - body
    at = stop
  }
  return out
}

/** Where the text of a line of CRI begins, or 0: it is none. */
function partOf(from: usize, to: usize): usize {
  const end = lineEnd(from, to)
  const stream = streamOf(from, end)
  if (stream == 0) return 0
  const tag = wordEnd(stream + 7, end)
  return tag < end ? tag + 1 : end
}

/** Where the stream of a line of CRI stands, or 0: it is none. */
function streamOf(from: usize, to: usize): usize {
  const time = wordEnd(from, to)
  if (time - from < SHORTEST_TIME || time + 9 > to) return 0
  const stream = time + 1
  const head = load<u32>(stream)
  const tail = <u32>load<u16>(stream, 4)
  const known = (head == 0x6f647473 && tail == 0x7475) || (head == 0x65647473 && tail == 0x7272)
  const tag = <u32>load<u8>(stream, 7)
  return known && load<u8>(stream, 6) == 0x20 && (tag == 0x46 || tag == 0x50) ? stream : 0
}

function lineEnd(at: usize, to: usize): usize {
  while (at < to && load<u8>(at) != 10) at++
  return at
}

/** The address of the space at which a word ends, or `to`. */
function wordEnd(at: usize, to: usize): usize {
  while (at < to && load<u8>(at) != 0x20) at++
  return at
}

/**
 * Takes the line feed out of the text in quotes at [from, to), with which docker ends each line: the quote moves before
 * it, and two spaces take their places. Returns how many bytes the text has now.
 *
 *     "said hi\n"    →    "said hi"▢▢
 */
export function withoutLineFeed(from: usize, to: usize): usize {
  if (to - from < 4 || load<u16>(to - 3) != 0x6e5c) return to - from
  // Of a backslash that is escaped itself the `n` is a letter.
  let slashes: u32 = 0
  for (let at = to - 3; at > from && load<u8>(at) == 0x5c; at--) slashes++
  if ((slashes & 1) == 0) return to - from
  store<u8>(to - 3, 0x22)
  store<u16>(to - 2, 0x2020)
  return to - from - 2
}
