/**
 * `node test/bench/compress.ts`: what a compression costs alone, and what comes of it.
 *
 * The codecs take turns with every payload, and the best time of each with it counts: so they are compared with one
 * another under the same disturbances, and the ratio to zlib holds on a machine that is not quiet.
 */
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { Compressor } from '../../src/delivery/encoding/compress.ts'
import { zstdOnce } from '../../src/delivery/encoding/zstd.ts'
import { block } from './corpus.ts'

const GIB = 1024 ** 3
const PAYLOAD = 768 * 1024
const ROUNDS = 12

type Codec = (payload: Buffer) => Buffer

const gzip = new Compressor('gzip')
const zlib = new Compressor('zlib')
const zstd = new Compressor('zstd')
const CODECS: Record<string, Codec> = {
  zlib: payload => zlib.compress(payload) ?? payload,
  gzip: payload => gzip.compress(payload) ?? payload,
  zstd: payload => zstd.compress(payload) ?? payload,
  'zstd, one-shot': zstdOnce,
}

/** A stream of numbers that is the same in every run. */
function random(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) % below
  }
}

/** Lines that repeat less of each other: times, trace ids, words, numbers. */
function application(size: number): string {
  const next = random(7)
  const words =
    'connection request timeout user order payment failed retry service database cache token session upstream response'.split(
      ' ',
    )
  const word = () => words[next(words.length)]
  const hex = () => next(2 ** 24).toString(16)
  let text = ''
  for (let at = 1.7e12; text.length < size; at += next(50)) {
    const said = Array.from({ length: 6 + next(12) }, word).join(' ')
    const level = ['INFO', 'INFO', 'WARN', 'ERROR'][next(4)]
    text += `${new Date(at).toISOString()} ${level} [${word()}-${next(64)}] trace=${hex()}${hex()} ${said} id=${next(1e6)}\n`
  }
  return text
}

/** As the http backend writes it. */
const ndjson = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((message, n) => `${JSON.stringify({ message, file: '/var/log/app/app.log', offset: n * 190 })}\n`)
    .join('')

const access = block(8 * 1024 ** 2).toString()
const app = application(8 * 1024 ** 2)
const CORPORA = { 'access log': access, 'access, NDJSON': ndjson(access), 'app log': app, 'app, NDJSON': ndjson(app) }

const names = Object.keys(CODECS)
console.log(`CPU-s/GiB (of zlib's) · output/input\n${''.padEnd(16)}${names.map(name => name.padEnd(24)).join('')}`)
for (const [corpus, text] of Object.entries(CORPORA)) {
  const bytes = Buffer.from(text)
  const payloads: Buffer[] = []
  for (let at = 0; at + PAYLOAD <= bytes.length; at += PAYLOAD) payloads.push(bytes.subarray(at, at + PAYLOAD))
  const best = names.map(() => payloads.map(() => Number.POSITIVE_INFINITY))
  const out = names.map(() => 0)
  const work = Buffer.alloc(PAYLOAD)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [p, payload] of payloads.entries()) {
      for (const [c, name] of names.entries()) {
        payload.copy(work)
        const before = process.hrtime.bigint()
        const output = CODECS[name]!(work)
        const took = Number(process.hrtime.bigint() - before) / 1e9
        best[c]![p] = Math.min(best[c]![p]!, took)
        if (round > 0) continue
        out[c]! += output.length
        const plain = name.startsWith('zstd') ? zstdDecompressSync(output) : gunzipSync(output)
        if (!plain.equals(payload)) throw new Error(`${name} did not survive`)
      }
    }
  }
  const size = payloads.length * PAYLOAD
  const cost = best.map(times => (times.reduce((sum, one) => sum + one) * GIB) / size)
  const cells = names.map((_, c) => {
    const of = (cost[c]! / cost[0]!).toFixed(2)
    return `${cost[c]!.toFixed(2)} (${of}) · ${(out[c]! / size).toFixed(4)}`.padEnd(24)
  })
  console.log(corpus.padEnd(16) + cells.join(''))
}
