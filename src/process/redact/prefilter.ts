/**
 * The prefilter's table: which three bytes of each literal are looked for, and with which other literals it shares a
 * bucket.
 *
 * A bucket knows bytes by their halves, so it takes more than its literals have: `ab` and `cd` let `ad` pass too, and what
 * passes has to be compared. Those of the presets have their places (places.ts); names from the configuration get the three
 * bytes, and the bucket, that add the least to that by what comes up in logs.
 */
import { LAYOUT } from '../../kernel/module.ts'
import { PLACES } from './places.ts'
import { LITERALS, type Literal } from './rules.ts'

export const BUCKETS = 8
/** Bytes that are looked for. */
export const LENGTH = 3
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

interface Bucket {
  readonly halves: Halves
  readonly placed: Placed[]
}

export function prefilterOf(literals: readonly Literal[]): Prefilter {
  const buckets = Array.from(
    { length: BUCKETS },
    (): Bucket => ({
      halves: [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      placed: [],
    }),
  )
  const known = new Map(PLACES.map(([text, place, bucket]) => [text, { place, bucket: buckets[bucket]! }]))
  const own: Literal[] = []
  for (const literal of literals) {
    const found = PRESETS.has(literal) ? known.get(literal.text) : undefined
    if (found === undefined) own.push(literal)
    else put(literal, found.place, found.bucket)
  }
  for (const literal of own) best(literal, buckets)
  const table = new Uint8Array(32 * LENGTH)
  for (const [bucket, { halves }] of buckets.entries()) {
    for (const [n, [low, high]] of halves.entries()) {
      for (let half = 0; half < 16; half++) {
        if (low & (1 << half)) table[32 * n + half]! |= 1 << bucket
        if (high & (1 << half)) table[32 * n + 16 + half]! |= 1 << bucket
      }
    }
  }
  const ownFirst = (placed: readonly Placed[]) => placed.toSorted((a, b) => isPreset(a) - isPreset(b))
  return { buckets: buckets.map(({ placed }) => ownFirst(placed)), table }
}

/** All that have a place already. */
const PRESETS: ReadonlySet<Literal> = new Set(Object.values(LITERALS).flat())

function isPreset({ literal }: Placed): number {
  return Number(PRESETS.has(literal))
}

function put(literal: Literal, place: number, { halves, placed }: Bucket): void {
  for (const [n, half] of halves.entries()) widen(half, bytesAt(literal, place + n))
  placed.push({ literal, place })
}

function widen(half: Halves[number], bytes: readonly number[]): void {
  for (const byte of bytes) {
    half[0] |= 1 << (byte & 15)
    half[1] |= 1 << (byte >> 4)
  }
}

/**
 * Puts a name from the configuration where it adds the least to what passes, but before each preset's that is part of it:
 * of two rules the one whose place comes first holds, and of one place the first in its bucket.
 */
function best(literal: Literal, buckets: readonly Bucket[]): void {
  const before = buckets.map(({ halves }) => rate(halves))
  const [most, only] = firstPart(literal, buckets)
  let found: { readonly cost: number; readonly place: number; readonly bucket: Bucket } | undefined
  for (let place = 0; place === 0 || (place <= most && place + LENGTH <= literal.text.length); place++) {
    const sets = Array.from({ length: LENGTH }, (_, n) => bytesAt(literal, place + n))
    for (const [index, bucket] of buckets.entries()) {
      if (place === most && bucket !== only) continue
      const joined = bucket.halves.map((half): Halves[number] => [...half])
      for (const [n, half] of joined.entries()) widen(half, sets[n]!)
      const cost = rate(joined) - before[index]!
      if (found === undefined || cost < found.cost) found = { cost, place, bucket }
    }
  }
  put(literal, found!.place, found!.bucket)
}

/** Where in a name the first place of a preset's literal is that is part of it, and the bucket of that. */
function firstPart({ text }: Literal, buckets: readonly Bucket[]): [place: number, bucket: Bucket | undefined] {
  let [first, found]: [number, Bucket | undefined] = [Number.POSITIVE_INFINITY, undefined]
  for (const bucket of buckets) {
    for (const { literal, place } of bucket.placed) {
      const at = PRESETS.has(literal) ? text.indexOf(literal.text.toLowerCase()) : -1
      if (at >= 0 && at + place < first) [first, found] = [at + place, bucket]
    }
  }
  return [first, found]
}

/** Bytes that may stand at a place of a literal. */
export function bytesAt({ text, flags }: Literal, at: number): number[] {
  if (at >= text.length) return [...BEHIND_NAME]
  const byte = text.charCodeAt(at)
  const isFolded = (flags & LAYOUT.REDACT_FOLDED) !== 0 && byte >= 97 && byte <= 122
  return isFolded ? [byte, byte - 32] : [byte]
}

/** How often something passes, of all places: of those of the sample, and of all that can be written. */
function rate(halves: Halves): number {
  const { threes, counts } = (sampled ??= sample())
  let passes = 0
  for (let at = 0; at < threes.length; at += LENGTH) {
    let n = 0
    for (; n < LENGTH; n++) {
      const byte = threes[at + n]!
      const [low, high] = halves[n]!
      if (((low >> (byte & 15)) & (high >> (byte >> 4)) & 1) === 0) break
    }
    if (n === LENGTH) passes += counts[at / LENGTH]!
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
export const SAMPLE = [
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

interface Sampled {
  readonly threes: Buffer
  readonly counts: readonly number[]
}

let sampled: Sampled | undefined

/** Three bytes each that stand in the sample, and how often. */
function sample(): Sampled {
  const all = new Map<string, number>()
  for (let at = 0; at + LENGTH <= SAMPLE.length; at++) {
    const three = SAMPLE.slice(at, at + LENGTH)
    all.set(three, (all.get(three) ?? 0) + 1)
  }
  return { threes: Buffer.from([...all.keys()].join(''), 'latin1'), counts: [...all.values()] }
}
