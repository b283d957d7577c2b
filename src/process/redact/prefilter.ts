/**
 * The prefilter's table: which three bytes of each literal are looked for, and with which other literals it shares a
 * bucket.
 *
 * A bucket knows bytes by their halves, so it takes more than its literals have: `ab` and `cd` let `ad` pass too, and what
 * passes has to be compared. Each literal gets the three bytes, and the bucket, that add the least to that by what
 * comes up in logs.
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
    const before = buckets.map(({ halves }) => rate(halves))
    let best: { cost: number; place: number; halves: Halves; bucket: number } | undefined
    for (let place = 0; place === 0 || place + LENGTH <= literal.text.length; place++) {
      const sets = Array.from({ length: LENGTH }, (_, n) => bytesAt(literal, place + n))
      for (const [bucket, { halves }] of buckets.entries()) {
        const joined = halves.map(([low, high], n): [number, number] => [
          sets[n]!.reduce((bits, byte) => bits | (1 << (byte & 15)), low),
          sets[n]!.reduce((bits, byte) => bits | (1 << (byte >> 4)), high),
        ])
        const cost = rate(joined) - before[bucket]!
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

/** How often something passes, of all places: of those of the sample, and of all that can be written. */
function rate(halves: Halves): number {
  let passes = 0
  for (let at = 0; at + LENGTH <= TRIGRAMS.length; at += LENGTH) {
    let n = 0
    for (; n < LENGTH; n++) {
      const byte = TRIGRAMS[at + n]!
      const [low, high] = halves[n]!
      if (((low >> (byte & 15)) & (high >> (byte >> 4)) & 1) === 0) break
    }
    if (n === LENGTH) passes += COUNTS[at / LENGTH]!
  }
  let product = 1
  for (const [low, high] of halves) product *= bits(low) * bits(high)
  return passes + product / 20_000
}

function bits(value: number): number {
  let count = 0
  for (let rest = value; rest > 0; rest &= rest - 1) count++
  return count
}

/** What logs are made of: the three bytes that stand in it one after the other are the frequent ones. */
const SAMPLE = [
  '10.129.236.91 - - [23/Nov/2026:10:21:52 +0000] "GET /api/cart?page=2 HTTP/1.1" 200 86929 "https://shop.example/"',
  '"Mozilla/5.0 (iPhone; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"',
  '{"time":"2026-11-23T10:13:00.61Z","level":"info","msg":"request completed","status":200,"bytes":72852,"client":"10"}',
  '{"timestamp":"2026-11-23 10:44:00","severity":"WARN","message":"slow query","duration_ms":289,"path":"/static/app.js"}',
  '2026-11-23 10:44:00,940 ERROR [http-nio-8080-exec-3] com.example.service.OrderController - Failed to process the order',
  'java.lang.IllegalStateException: connection refused at org.springframework.web.servlet.DispatcherServlet.doDispatch',
  'level=debug ts=2026-11-23T10:44:00.940Z caller=manager.go:42 component=reconciler msg="starting update" name=default',
  'trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7 user_id=1234 session=ended host=node-7 method=POST',
  'This is a message of the application that says what has been done, and for which of the customers it was started',
  'INFO: loaded configuration from /etc/app/config.yaml; listening on port 8080 (pid 1); cache hit ratio is 0.93 after 5s',
  'the server returned an error while the worker was searching for the article in the package archive: retry in 30 seconds',
].join(' ')

const sampled = new Map<string, number>()
for (let at = 0; at + LENGTH <= SAMPLE.length; at++) {
  const three = SAMPLE.slice(at, at + LENGTH)
  sampled.set(three, (sampled.get(three) ?? 0) + 1)
}
const TRIGRAMS = Buffer.from([...sampled.keys()].join(''), 'latin1')
const COUNTS = [...sampled.values()]
