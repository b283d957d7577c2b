/**
 * Lines of access logs, as nginx and Apache write them (`common`, `combined`), and what another format has behind them.
 *
 *     client ident user [time] "method path?query protocol" status bytes "referer" "agent" "forwarded" rest
 *     └─ host before it: Apache's `vhost_combined`      └ or `request`, which is anything
 *
 * What stands in quotes ends at the first one that no backslash stands before. A value that is not there has no place.
 */
import { behindQuotes } from './logfmt'
import { group } from './names'

/** The values of a line: numbers of groups. */
const HOST: u32 = 0
const CLIENT: u32 = 1
const USER: u32 = 2
const TIME: u32 = 3
const METHOD: u32 = 4
const PATH: u32 = 5
const QUERY: u32 = 6
const PROTOCOL: u32 = 7
const REQUEST: u32 = 8
const STATUS: u32 = 9
const BYTES: u32 = 10
const REFERER: u32 = 11
const AGENT: u32 = 12
const FORWARDED: u32 = 13
const REST: u32 = 14

const SPACE: u32 = 0x20

/**
 * Whether [from, to) is such a line; notes where its values stand. `apache`: a host may stand before it, and no
 * forwarded address behind it.
 */
export function access(table: usize, groups: usize, apache: bool, from: usize, to: usize): bool {
  let client = from
  let clientEnd = find(client, to, SPACE)
  let user = find(clientEnd + 1, to, SPACE) + 1
  const bracket = find(user, to, 0x5b)
  // Behind the user stands a space.
  if (bracket >= to || user + 1 >= bracket || load<u8>(bracket - 1) != SPACE) return false
  let host: usize = 0
  if (apache) {
    const second = find(user, bracket, SPACE) + 1
    // Four words: the first of them is the host.
    if (second + 1 < bracket && find(second, bracket, SPACE) == bracket - 1) {
      host = clientEnd
      client = clientEnd + 1
      clientEnd = user - 1
      user = second
    }
  }
  const time = bracket + 1
  const timeEnd = find(time, to, 0x5d)
  if (timeEnd == time || timeEnd + 3 > to || load<u16>(timeEnd, 1) != 0x2220) return false
  const request = timeEnd + 3
  const behind = behindQuotes(request, to)
  if (behind == 0) return false
  const status = behind + 1
  const statusEnd = digits(status, to)
  if (statusEnd == status || statusEnd >= to || load<u8>(behind) != SPACE || load<u8>(statusEnd) != SPACE) return false
  const size = statusEnd + 1
  const sizeEnd = size < to && load<u8>(size) == 0x2d ? size + 1 : digits(size, to)
  if (sizeEnd == size || (sizeEnd < to && load<u8>(sizeEnd) != SPACE)) return false
  if (!tail(table, groups, apache, sizeEnd, to)) return false
  if (host != 0) group(table, groups, HOST, from, host)
  group(table, groups, CLIENT, client, clientEnd)
  group(table, groups, USER, user, bracket - 1)
  group(table, groups, TIME, time, timeEnd)
  asked(table, groups, request, behind - 1)
  group(table, groups, STATUS, status, statusEnd)
  group(table, groups, BYTES, size, sizeEnd)
  return true
}

/** What stands behind the number of bytes. */
function tail(table: usize, groups: usize, apache: bool, at: usize, to: usize): bool {
  const quoted: u32 = apache ? 2 : 3
  for (let n: u32 = 0; n < quoted; n++) {
    if (at + 2 > to || load<u16>(at) != 0x2220) break
    const behind = behindQuotes(at + 2, to)
    if (behind == 0 || (behind < to && load<u8>(behind) != SPACE)) return false
    group(table, groups, n == 0 ? REFERER : n == 1 ? AGENT : FORWARDED, at + 2, behind - 1)
    at = behind
  }
  if (at < to) group(table, groups, REST, at + 1, to)
  return true
}

/** Notes what was asked for: parts of a request, or all of what is none. */
function asked(table: usize, groups: usize, from: usize, to: usize): void {
  const method = capitals(from, to)
  if (method > from && method < to && load<u8>(method) == SPACE) {
    const path = method + 1
    const target = find(path, to, SPACE)
    if (target == to || (target + 1 < to && find(target + 1, to, SPACE) == to)) {
      group(table, groups, METHOD, from, method)
      const query = find(path, target, 0x3f)
      group(table, groups, PATH, path, query)
      if (query < target) group(table, groups, QUERY, query + 1, target)
      if (target < to) group(table, groups, PROTOCOL, target + 1, to)
      return
    }
  }
  group(table, groups, REQUEST, from, to)
}

/** The first place of a byte in [at, to), or `to`. */
// @ts-ignore: decorator
@inline
function find(at: usize, to: usize, byte: u32): usize {
  while (at < to) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(<i8>byte)))
    if (found != 0) {
      at += <usize>ctz(found)
      break
    }
    at += 16
  }
  return at < to ? at : to
}

/** The first byte in [at, to) that is no capital, or `to`. */
// @ts-ignore: decorator
@inline
function capitals(at: usize, to: usize): usize {
  while (at < to) {
    const others = i8x16.bitmask(i8x16.gt_u(i8x16.sub(v128.load(at), i8x16.splat(0x41)), i8x16.splat(25)))
    if (others != 0) {
      at += <usize>ctz(others)
      break
    }
    at += 16
  }
  return at < to ? at : to
}

/** The first byte in [at, to) that is no digit, or `to`. */
// @ts-ignore: decorator
@inline
function digits(at: usize, to: usize): usize {
  while (at < to) {
    const others = i8x16.bitmask(i8x16.gt_u(i8x16.sub(v128.load(at), i8x16.splat(0x30)), i8x16.splat(9)))
    if (others != 0) {
      at += <usize>ctz(others)
      break
    }
    at += 16
  }
  return at < to ? at : to
}
