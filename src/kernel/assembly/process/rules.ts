/**
 * The names that values are given: how they lie in memory, and which rule holds for a name.
 *
 *     names    hidden u16 │ rules u16 │ named u16 │ others u8 │ FLATTENS u8 │ most u32: values, bytes of a name, of a value,
 *              of all │ index u32 │ shift u32 │ heads u32 │ named at u32 │ hidden … │ rules … │ named … │ places of the index
 *     hidden   slot u8 │ when u8                                       a value that is shown elsewhere
 *     rule     what u8 │ bytes u16 │ bytes u16 │ name │ other name     names are JSON strings, with their quotes
 *     named    slot u8 │ number u8 │ bytes u16 │ ,name:"               what an expression found, without a name left out;
 *                                                                      of pairs, what is a number
 *     place    u32: where the rule of a name is, or 0; a name that finds its place taken has the next one that is free
 *
 * Where things are is said from the first byte of it all. The first rule that fits holds; `others` is what becomes of names
 * that have none. Rules for all names that begin alike stand behind those for one name, at `heads`. Without an index (0) a
 * rule may say its name otherwise than it is written, and each has to be read.
 */
import { NAMES_LINE } from '../layout'
import { keyOf, same } from './names'
import { find, from as found, to as foundEnd } from './row'

export const HIDDEN_COUNT: usize = 0
export const RULES: usize = 2
export const NAMED_COUNT: usize = 4
const OTHERS: usize = 6
export const MOST_VALUES: usize = 8
export const MOST_NAME: usize = 12
export const MOST_VALUE: usize = 16
export const MOST_BYTES: usize = 20
export const INDEX: usize = 24
const SHIFT: usize = 28
const HEADS: usize = 32
const NAMED_AT: usize = 36
export const HEAD: usize = 40
export const RULE: usize = 5
export const NAMED: usize = 4

/** Members of objects are fields of their own. */
export const FLATTENS: u32 = 1
const HOW: usize = 7

const SPREADING: u64 = 0xd6e8feb86659fd93

/** What becomes of names that have no rule. */
// @ts-ignore: decorator
@inline
export function othersOf(names: usize): u32 {
  return <u32>load<u8>(names, OTHERS)
}

/** Whether members of objects are fields of their own. */
// @ts-ignore: decorator
@inline
export function flattensBy(names: usize): bool {
  return (load<u8>(names, HOW) & FLATTENS) != 0
}

/** The first rule. */
// @ts-ignore: decorator
@inline
export function rulesOf(names: usize): usize {
  return names + HEAD + (<usize>load<u16>(names) << 1)
}

/** Where the names of values stand. */
// @ts-ignore: decorator
@inline
export function namedOf(names: usize): usize {
  return names + <usize>load<u32>(names, NAMED_AT)
}

/** The rule that holds for a name as it is written, of so many bytes and without escapes; 0: none. */
// @ts-ignore: decorator
@inline
export function ruleOf(names: usize, name: usize, bytes: usize): usize {
  const index = names + <usize>load<u32>(names, INDEX)
  const shift = <u64>load<u32>(names, SHIFT)
  const last = <usize>1 << <usize>(64 - shift)
  let place = <usize>(((keyOf(name, bytes) + <u64>bytes) * SPREADING) >> shift)
  while (true) {
    const at = <usize>load<u32>(index + (place << 2))
    if (at == 0) return load<u32>(names, HEADS) == 0 ? <usize>0 : headOf(names, name, bytes)
    const rule = names + at
    if (<usize>load<u16>(rule, 1) == bytes + 2 && same(rule + RULE + 1, name, bytes)) return rule
    place = (place + 1) & (last - 1)
  }
}

/** Whether there are rules for all names that begin alike. */
// @ts-ignore: decorator
@inline
export function hasHeads(names: usize): bool {
  return load<u32>(names, HEADS) != 0
}

/** The rule for names that begin so. */
function headOf(names: usize, name: usize, bytes: usize): usize {
  let rule = names + <usize>load<u32>(names, HEADS)
  const end = namedOf(names)
  while (rule < end) {
    const length = <usize>load<u16>(rule, 1)
    if (load<u8>(rule) == NAMES_LINE && length - 2 <= bytes && same(rule + RULE + 1, name, length - 2)) return rule
    rule += RULE + length + <usize>load<u16>(rule, 3)
  }
  return 0
}

/** The name of a value, which is a JSON string, stands between a comma and what a text begins with. */
export const NAME_FROM: usize = 1
export const NAME_TO: usize = 2

/** Whether there may not be just any number of fields, of any length. */
// @ts-ignore: decorator
@inline
export function isBounded(names: usize): bool {
  return (load<u64>(names, MOST_VALUES) & (<u64>load<u32>(names, MOST_VALUE) | 0xffffffff00000000)) != -1
}

/** Whether the value [from, to) of pairs was asked to be a number. */
export function isNumber(names: usize, from: usize, to: usize): bool {
  let at = namedOf(names)
  for (let n = <u32>load<u16>(names, NAMED_COUNT); n > 0; n--) {
    if (load<u8>(at, 1) != 0 && find(<u32>load<u8>(at)) && found == from && foundEnd == to) return true
    at += NAMED + <usize>load<u16>(at, 2)
  }
  return false
}
