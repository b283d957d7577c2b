/**
 * The prefilter's table: which three bytes of each literal are looked for, and with which other literals it shares a
 * bucket.
 *
 * A bucket knows bytes by their halves, so it takes more than its literals have: `ab` and `cd` let `ad` pass too, and what
 * passes has to be compared. Each literal gets the three bytes, and the bucket, that add the least to that by how often
 * bytes come up in logs.
 */
import { LAYOUT } from '../../kernel/module.ts'
import type { Literal } from './rules.ts'

export const BUCKETS = 8
const LENGTH = 3
/** What may follow a name of two letters. */
const BEHIND_NAME = Buffer.from(' \t"\':=\\%]>0123456789', 'latin1')

/** A literal and the place in it of the bytes that are looked for. */
export interface Placed {
  readonly literal: Literal
  readonly place: number
}

/** Of each bucket its literals, and the table of the kernel. */
export interface Prefilter {
  readonly buckets: readonly (readonly Placed[])[]
  readonly table: Uint8Array
}

/** For each of the three bytes, which lower and upper halves a bucket takes: a bit for each. */
type Halves = [low: number, high: number][]

export function prefilterOf(literals: readonly Literal[]): Prefilter {
  const buckets: { halves: Halves; placed: Placed[] }[] = Array.from({ length: BUCKETS }, () => ({
    halves: [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
    placed: [],
  }))
  for (const literal of literals) {
    let best: { cost: number; place: number; halves: Halves; bucket: number } | undefined
    for (let place = 0; place === 0 || place + LENGTH <= literal.text.length; place++) {
      const sets = Array.from({ length: LENGTH }, (_, n) => bytesAt(literal, place + n))
      for (const [bucket, { halves }] of buckets.entries()) {
        const joined = halves.map(([low, high], n): [number, number] => [
          sets[n]!.reduce((bits, byte) => bits | (1 << (byte & 15)), low),
          sets[n]!.reduce((bits, byte) => bits | (1 << (byte >> 4)), high),
        ])
        const cost = rate(joined) * (1 + buckets[bucket]!.placed.length / 4) - rate(halves)
        if (best === undefined || cost < best.cost) best = { cost, place, halves: joined, bucket }
      }
    }
    buckets[best!.bucket]!.halves = best!.halves
    buckets[best!.bucket]!.placed.push({ literal, place: best!.place })
  }
  const table = new Uint8Array(32 * LENGTH)
  for (const [bucket, { halves }] of buckets.entries()) {
    for (const [n, [low, high]] of halves.entries()) {
      for (let half = 0; half < 16; half++) {
        if (low & (1 << half)) table[32 * n + half]! |= 1 << bucket
        if (high & (1 << half)) table[32 * n + 16 + half]! |= 1 << bucket
      }
    }
  }
  return { buckets: buckets.map(({ placed }) => placed), table }
}

/** Bytes that may stand at a place of a literal. */
function bytesAt({ text, flags }: Literal, at: number): number[] {
  if (at >= text.length) return [...BEHIND_NAME]
  const byte = text.charCodeAt(at)
  const isFolded = (flags & LAYOUT.REDACT_FOLDED) !== 0 && byte >= 97 && byte <= 122
  return isFolded ? [byte, byte - 32] : [byte]
}

/** How often something passes, of all places. */
function rate(halves: Halves): number {
  let product = 1
  for (const [low, high] of halves) {
    let sum = 0
    for (let byte = 0; byte < 128; byte++)
      if (low & (1 << (byte & 15)) && high & (1 << (byte >> 4))) sum += OFTEN[byte]!
    product *= sum
  }
  return product
}

/** How often bytes come up in logs, of a thousand: letters as in words, what JSON and times are made of. */
const OFTEN = new Float64Array(128).fill(0.3)
for (const [text, often] of [
  ['e', 75],
  ['t', 60],
  ['a', 50],
  ['oirns', 45],
  ['lcd', 28],
  ['upm', 20],
  ['hgfbyvw', 13],
  ['kxqzj', 5],
  ['0123456789', 17],
  [' ', 60],
  ['"', 50],
  [':', 22],
  ['/.,-', 16],
  ['=_', 8],
  ['ETAOIRNSLCDUPMHGFBYVWKXQZJ', 2.5],
] as const) {
  for (const sign of text) OFTEN[sign.charCodeAt(0)] = often / 1000
}
for (const [byte, often] of OFTEN.entries()) if (often === 0.3) OFTEN[byte] = 0.0008
