/**
 * Rules of redaction as bytes that the kernel follows: see kernel/assembly/process/redaction.ts for what they mean.
 *
 * Guarantees: what is wrong is reported at its key, before the first byte is read; offsets are relative to the table. The
 * key of a hash is not in it: it is read when the table is laid down.
 */
import { LAYOUT } from '../../kernel/module.ts'
import type { ProcessProblem } from '../problem.ts'
import type { RedactChoice, RedactOptions, RedactRule } from './options.ts'
import { compileOwn } from './own.ts'
import { bytesAt, type Placed, prefilterOf } from './prefilter.ts'
import { ACCOUNT_LENGTHS, GROUPS, keyLiteral, LITERALS, type Literal, type RuleName, SCANS, SCHEMES } from './rules.ts'
import { signTable } from './signs.ts'

export interface RedactPlan {
  readonly table: Uint8Array
  /** Their names, in the order of the table's numbers. */
  readonly rules: readonly string[]
  /** Where the table has the counts of each. */
  readonly counts: number
  /** Where the key of a hash is to be read; undefined: there is none. */
  readonly key: NonNullable<RedactRule['key']> | undefined
  /** A private key may go on from one record to the next. */
  readonly keys: boolean
  /** Where the table has its expressions, or 0, and bytes of room for what they find in a record. */
  readonly own: number
  readonly room: number
}

/** Bytes of a key, for hashes, at the least. */
export const KEY_BYTES = 16
const KEEP = 4
const ENTRY = 10
const GROUP = 16
const NO_RULE = 255
/** Where the table has the number of the rule of private keys. */
const PRIVATE_KEY = LAYOUT.REDACT_SCAN_RULES + 7
const HOW = { replace: LAYOUT.REDACT_REPLACE, mask: LAYOUT.REDACT_KEEP, hash: LAYOUT.REDACT_HASH }

type Report = (problem: ProcessProblem) => void

/** What is said about redaction, compiled; undefined: nothing is redacted, or something was reported. */
export function compileRedact({ redact }: RedactOptions, report: Report): RedactPlan | undefined {
  if (redact === undefined || redact === 'none') return undefined
  const said: Partial<RedactRule> =
    typeof redact === 'string' || Array.isArray(redact) ? { rules: redact as RedactChoice[] } : (redact as RedactRule)
  const { rules, keys, match, keep, key } = said
  const how = said.how ?? (key ? 'hash' : keep === undefined ? 'replace' : 'mask')
  if (rules === undefined && keys === undefined && match === undefined) {
    report({ path: ['redact'], found: 'none of them', allowed: 'rules, keys, match, or several of them' })
    return undefined
  }
  if (keep !== undefined && how !== 'mask') {
    report({ path: ['redact', 'keep'], found: `keep beside how: ${how}`, allowed: 'keep with how: mask only' })
    return undefined
  }
  if ((key !== undefined) !== (how === 'hash')) {
    const found = key === undefined ? 'no key' : `a key beside how: ${how}`
    report({ path: ['redact', 'key'], found, allowed: 'a key with how: hash, and only with that' })
    return undefined
  }
  const presets = chosen([rules ?? []].flat())
  const own = [...new Set([keys ?? []].flat().map(each => each.toLowerCase()))]
  const written = new Map([keys ?? []].flat().map(each => [each.toLowerCase(), each]))
  const known = [...presets, ...own.map(each => written.get(each)!)]
  const expressions = match && compileOwn(match, known, report)
  if (match !== undefined && expressions === undefined) return undefined
  const names = [...known, ...(expressions?.names ?? [])]
  const literals = [
    ...presets.flatMap((name, rule) => (LITERALS[name] ?? []).map(literal => ({ literal, rule }))),
    ...own.map((each, index) => ({ literal: keyLiteral(each), rule: presets.length + index })),
  ]
  const { table: base, counts } = tableOf(presets, names, literals)
  const table = Buffer.concat([base, expressions?.section ?? Buffer.alloc(0)])
  const view = new DataView(table.buffer, table.byteOffset)
  view.setUint32(LAYOUT.REDACT_HOW, HOW[how], true)
  view.setUint32(LAYOUT.REDACT_KEEP_BYTES, keep ?? KEEP, true)
  return {
    ...{ table, counts, rules: names, key, keys: presets.includes('private-key') },
    ...{ own: expressions === undefined ? 0 : base.length, room: expressions?.room ?? 0 },
  }
}

/** The rules that are meant, each once, in an order that does not depend on how they were written. */
function chosen(choices: readonly RedactChoice[]): RuleName[] {
  const asked = new Set(
    choices.flatMap(choice => (choice in GROUPS ? GROUPS[choice as keyof typeof GROUPS] : [choice as RuleName])),
  )
  return [...GROUPS.secrets, ...GROUPS.pii].filter(name => asked.has(name))
}

function tableOf(
  presets: readonly RuleName[],
  names: readonly string[],
  literals: readonly { readonly literal: Literal; readonly rule: number }[],
): { table: Uint8Array; counts: number } {
  const { buckets, table: prefilter } = prefilterOf(literals.map(({ literal }) => literal))
  const ruleOf = new Map(literals.map(({ literal, rule }) => [literal, rule]))
  const parts: Buffer[] = []
  let size: number = LAYOUT.REDACT_LITERALS
  /** Adds bytes behind what is there; returns where. */
  const add = (bytes: Buffer): number => {
    const at = size
    const padded = Buffer.alloc(Math.ceil(bytes.length / 16) * 16)
    bytes.copy(padded)
    parts.push(padded)
    size += padded.length
    return at
  }
  const lists = buckets.map(placed => add(Buffer.concat([...groupsOf(placed, ruleOf), Buffer.alloc(GROUP)])))
  const listsAt = add(u32s(lists))
  const labels = add(Buffer.concat(names.map(labelOf)))
  const counts = add(Buffer.alloc(names.length * LAYOUT.REDACT_COUNT))
  const lengths = add(Buffer.concat([...Object.entries(ACCOUNT_LENGTHS).map(lengthOf), Buffer.alloc(4)]))
  const words = SCHEMES.map(each => Buffer.concat([Buffer.of(each.length), Buffer.from(each)]))
  const schemes = add(Buffer.concat([...words, Buffer.alloc(1)]))

  const table = Buffer.alloc(size)
  let at: number = LAYOUT.REDACT_LITERALS
  for (const part of parts) at += part.copy(table, at)
  const scans = presets.map(name => SCANS[name]).filter(scan => scan !== undefined)
  const words_ = literals.length > 0 ? [LAYOUT.REDACT_WORDS] : []
  table.writeUInt32LE(
    [...scans, ...words_].reduce((bits, scan) => bits | (1 << scan), 0),
    LAYOUT.REDACT_SCANS,
  )
  table.writeUInt32LE(names.length, LAYOUT.REDACT_RULES)
  table.writeUInt32LE(labels, LAYOUT.REDACT_LABELS)
  table.writeUInt32LE(counts, LAYOUT.REDACT_COUNTS)
  table.writeUInt32LE(listsAt, LAYOUT.REDACT_LISTS)
  table.writeUInt32LE(lengths, LAYOUT.REDACT_LENGTHS)
  table.writeUInt32LE(schemes, LAYOUT.REDACT_SCHEMES)
  for (const [rule, name] of presets.entries()) {
    const scan = SCANS[name]
    if (scan !== undefined) table[LAYOUT.REDACT_SCAN_RULES + scan] = rule
  }
  const privateKey = presets.indexOf('private-key')
  table[PRIVATE_KEY] = privateKey < 0 ? NO_RULE : privateKey
  table.set(prefilter, LAYOUT.REDACT_PREFILTER)
  table.set(threesOf(buckets.flat()), LAYOUT.REDACT_THREES)
  table.set(signTable(), LAYOUT.REDACT_SIGNS)
  table.fill(15, LAYOUT.REDACT_HALF, LAYOUT.REDACT_HALF + 16)
  for (let byte = 0; byte < 256; byte++) table[LAYOUT.REDACT_CLASSES + byte] = classOf(byte)
  return { table, counts }
}

/** A bit for each hash of three bytes that one of these literals is found by (kernel/assembly/process/teddy.ts). */
function threesOf(placed: readonly Placed[]): Uint8Array {
  const { REDACT_THREE_BITS: bits, REDACT_THREE_FACTOR: factor } = LAYOUT
  const found = new Uint8Array(2 ** bits / 8)
  for (const { literal, place } of placed) {
    const [first, second, third] = [0, 1, 2].map(n => [...new Set(bytesAt(literal, place + n).map(byte => byte | 32))])
    for (const a of first!)
      for (const b of second!)
        for (const c of third!) {
          const hash = Math.imul(a | (b << 8) | (c << 16), factor) >>> (32 - bits)
          found[hash >> 3]! |= 1 << (hash & 7)
        }
  }
  return found
}

/** The literals of a bucket, by the three bytes that are looked for, in their order. */
function groupsOf(placed: readonly Placed[], ruleOf: ReadonlyMap<Literal, number>): Buffer[] {
  const groups = new Map<string, { readonly key: Buffer; readonly entries: Buffer[] }>()
  for (const each of placed) {
    const key = Buffer.alloc(GROUP)
    for (let n = 0; n < 3; n++) {
      const bytes = bytesAt(each.literal, each.place + n)
      // What stands behind a name of two letters does not count here.
      if (bytes.length > 2) continue
      key[n] = bytes[0]!
      key[4 + n] = bytes.length === 2 ? 32 : 0
      key[8 + n] = 255
    }
    const name = key.toString('latin1')
    const group = groups.get(name) ?? { key, entries: [] }
    groups.set(name, group)
    group.entries.push(entryOf(each, ruleOf.get(each.literal)!))
  }
  return [...groups.values()].map(({ key, entries }) => {
    const list = Buffer.concat(entries)
    key.writeUInt32LE(list.length, 12)
    return Buffer.concat([key, list])
  })
}

function entryOf({ literal, place }: { readonly literal: Literal; readonly place: number }, rule: number): Buffer {
  const { text, kind, flags, made = 0, least = 0, most = 0 } = literal
  const entry = Buffer.alloc(ENTRY + text.length)
  entry.set([text.length, place, kind, rule, flags, made])
  entry.writeUInt16LE(least, 6)
  entry.writeUInt16LE(most, 8)
  entry.write(text, ENTRY, 'latin1')
  return entry
}

/** A label that does not fit into its place is none. */
function labelOf(name: string): Buffer {
  const label = Buffer.alloc(LAYOUT.REDACT_LABEL, '*')
  const text = `[${name.toLowerCase()}]`
  const short = text.length < LAYOUT.REDACT_LABEL ? text : `${text.slice(0, LAYOUT.REDACT_LABEL - 2)}]`
  label[0] = short.length
  label.write(short, 1, 'latin1')
  return label
}

function lengthOf([country, length]: [string, number]): Buffer {
  const row = Buffer.alloc(4)
  row.write(country, 'latin1')
  row.writeUInt16LE(length, 2)
  return row
}

function u32s(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, 4 * index)
  return bytes
}

/** What a byte may be part of. */
const CLASSES: readonly (readonly [bytes: RegExp, bit: number])[] = [
  [/[A-Z0-9]/, LAYOUT.REDACT_CAPITAL],
  [/[A-Za-z0-9]/, LAYOUT.REDACT_ALNUM],
  [/[A-Za-z0-9_-]/, LAYOUT.REDACT_URL_SAFE],
  [/[A-Za-z0-9+/=]/, LAYOUT.REDACT_BASE64],
  [/[A-Za-z0-9._~+/=-]/, LAYOUT.REDACT_TOKEN68],
  [/[A-Za-z0-9._+-]/, LAYOUT.REDACT_LOCAL],
  [/[A-Za-z0-9.-]/, LAYOUT.REDACT_DOMAIN],
  [/[\0-\x20"'`,;&}<\\%]/, LAYOUT.REDACT_STOP],
]

function classOf(byte: number): number {
  const sign = String.fromCharCode(byte)
  let bits = 0
  for (const [bytes, bit] of CLASSES) if (bytes.test(sign)) bits |= bit
  return bits
}
