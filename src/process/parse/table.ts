/**
 * Parsers and the values that they look for, as bytes that the kernel follows: kernel/assembly/process/extract.ts says how
 * a table begins, names.ts how names stand in it.
 *
 * Guarantees: no address stands in it; the same question gives the same bytes.
 */
import { keyOf } from '../../kernel/fields.ts'
import { LAYOUT } from '../../kernel/module.ts'
import type { Wanted } from './slots.ts'

/** One parser, as the kernel has it. */
export interface Parser {
  readonly kind: number
  /** Of objects and pairs: what may stand in which slot. Of others each value has a name, in order. */
  readonly values: { readonly kind: 'names'; readonly wanted: readonly Wanted[] } | NamedValues
  /** Table of an expression. */
  readonly set?: Uint8Array | undefined
  /** What a kind of parser has to know beside that. */
  readonly detail?: number | undefined
}

export interface NamedValues {
  readonly kind: 'values'
  readonly names: readonly string[]
  readonly wanted: readonly Wanted[]
}

interface Target {
  readonly slot: number
  /** The place of the name among those of the slot. */
  readonly rank: number
  readonly kinds: number
  /** The slot has no other name. */
  readonly sole: boolean
}

interface Node {
  readonly members: Map<string, { readonly targets: Target[]; readonly node: Node }>
}

/** A name of more members within members than this is taken for its whole only. */
const DEEPEST = 4
const MULTIPLIERS = 64
const U64 = (1n << 64n) - 1n
const SPREADING = 0x9e3779b97f4a7c15n
const { PARSER, PARSERS, ENTRY, NODE_PLACES, SCRATCH_BYTES } = LAYOUT

/** The table of these parsers, tried in this order. A record of more than `most` members is taken by none. */
export function tableOf(parsers: readonly Parser[], slots: number, most: number): Uint8Array {
  const bytes = new Bytes()
  const head = bytes.room(PARSERS + PARSER * parsers.length)
  bytes.u32(head, parsers.length)
  bytes.u32(head + 4, slots)
  bytes.u32(head + 8, most)
  const roots = new Map<string, number>()
  for (const [index, parser] of parsers.entries()) {
    const at = head + PARSERS + PARSER * index
    bytes.u32(at, parser.kind)
    bytes.u32(
      at + 4,
      parser.values.kind === 'names' ? shared(bytes, roots, parser.values.wanted) : groups(bytes, parser.values),
    )
    bytes.u32(at + 8, parser.set ? bytes.put(parser.set) : 0)
    bytes.u32(at + 12, parser.detail ?? 0)
  }
  bytes.u32(head + 12, bytes.room(SCRATCH_BYTES))
  return bytes.all
}

/** The root of wanted names: parsers that look for the same share one. */
function shared(bytes: Bytes, roots: Map<string, number>, wanted: readonly Wanted[]): number {
  const key = JSON.stringify(wanted)
  let root = roots.get(key)
  if (root === undefined) {
    root = layNode(bytes, treeOf(wanted))
    roots.set(key, root)
  }
  return root
}

/** For each value where its targets are, and how many; and one more than its slot, if that is its only one. */
function groups(bytes: Bytes, { names, wanted }: NamedValues): number {
  const at = bytes.room(8 * names.length)
  for (const [index, name] of names.entries()) {
    const targets = wanted.flatMap(({ names: all, kinds }, slot) =>
      all.flatMap((each, rank) => (each === name ? [{ slot, rank, kinds, sole: all.length === 1 }] : [])),
    )
    bytes.u32(at + 8 * index, layTargets(bytes, targets))
    const [only] = targets
    const alone = targets.length === 1 && only!.sole && (only!.kinds & LAYOUT.KIND_TEXT) !== 0
    bytes.u32(at + 8 * index + 4, targets.length | (alone ? (only!.slot + 1) << 16 : 0))
  }
  return at
}

function treeOf(wanted: readonly Wanted[]): Node {
  const root: Node = { members: new Map() }
  for (const [slot, { names, kinds }] of wanted.entries()) {
    for (const [rank, name] of names.entries()) {
      const target = { slot, rank, kinds, sole: names.length === 1 }
      for (const path of pathsOf(name)) insert(root, path, target)
    }
  }
  return root
}

function insert(root: Node, path: readonly string[], target: Target): void {
  let node = root
  for (const [depth, name] of path.entries()) {
    let member = node.members.get(name)
    if (member === undefined) {
      member = { targets: [], node: { members: new Map() } }
      node.members.set(name, member)
    }
    if (depth === path.length - 1) member.targets.push(target)
    node = member.node
  }
}

/** All that a name with dots may mean: `a.b` is a member of a member, or one whose name has a dot. */
export function pathsOf(name: string): readonly (readonly string[])[] {
  const parts = name.split('.')
  if (parts.length > DEEPEST || parts.includes('')) return [[name]]
  const paths = (from: number): string[][] => {
    if (from === parts.length) return [[]]
    return parts.slice(from).flatMap((_, more) => {
      const head = parts.slice(from, from + more + 1).join('.')
      return paths(from + more + 1).map(rest => [head, ...rest])
    })
  }
  return paths(0)
}

function layNode(bytes: Bytes, { members }: Node): number {
  const names = [...members].map(([name, member]) => ({ name: Buffer.from(name), ...member }))
  const bits = Math.max(1, Math.ceil(Math.log2(8 * names.length)))
  const { multiplier, places } = placed(
    names.map(({ name }) => name),
    bits,
  )
  const at = bytes.room(NODE_PLACES + 4 * 2 ** bits)
  bytes.u64(at, multiplier)
  bytes.u32(at + 8, 64 - bits)
  for (const [index, { name, targets, node }] of names.entries()) {
    const entry = bytes.room(ENTRY)
    bytes.u64(entry, keyOf(name))
    bytes.u32(entry + 8, name.length)
    bytes.u32(entry + 12, bytes.put(name))
    bytes.u32(entry + 16, node.members.size === 0 ? 0 : layNode(bytes, node))
    bytes.u32(entry + 20, layTargets(bytes, targets))
    bytes.u32(entry + 24, targets.length)
    const place = at + NODE_PLACES + 4 * places[index]!
    bytes.u32(entry + 28, bytes.u32At(place))
    bytes.u32(place, entry)
  }
  return at
}

function layTargets(bytes: Bytes, targets: readonly Target[]): number {
  return bytes.put(Buffer.from(targets.flatMap(({ slot, rank, kinds, sole }) => [slot, rank, kinds, Number(sole)])))
}

/** The first of some multipliers with which every name has a place of its own, or the best of them. */
function placed(names: readonly Buffer[], bits: number): { multiplier: bigint; places: readonly number[] } {
  let best = { multiplier: SPREADING, places: [] as number[], taken: 0 }
  let multiplier = SPREADING
  for (let n = 0; n < MULTIPLIERS && best.taken < names.length; n++) {
    const places = names.map(name => {
      const key = keyOf(name) + BigInt(name.length)
      return Number(((key * multiplier) & U64) >> BigInt(64 - bits))
    })
    const taken = new Set(places).size
    if (taken > best.taken) best = { multiplier, places, taken }
    multiplier = ((multiplier * 6364136223846793005n + 1442695040888963407n) | 1n) & U64
  }
  return best
}

/** Bytes that grow; all that is put down begins at a multiple of 8. */
class Bytes {
  #bytes = Buffer.alloc(4096)
  #used = 0

  get all(): Uint8Array {
    return this.#bytes.subarray(0, this.#used)
  }

  room(length: number): number {
    const at = this.#used
    this.#used += Math.ceil(length / 8) * 8
    if (this.#used > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#used)])
    }
    return at
  }

  put(data: Uint8Array): number {
    const at = this.room(data.length)
    this.#bytes.set(data, at)
    return at
  }

  u32(at: number, value: number): void {
    this.#bytes.writeUInt32LE(value, at)
  }

  u32At(at: number): number {
    return this.#bytes.readUInt32LE(at)
  }

  u64(at: number, value: bigint): void {
    this.#bytes.writeBigUInt64LE(value, at)
  }
}
