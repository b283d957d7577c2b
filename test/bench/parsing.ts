/**
 * What finding values costs, by format: seconds of one core per GiB of lines, and as a multiple of crc32 over the same.
 *
 *     node test/bench/parsing.ts [rounds]
 *
 * Each chunk counts with the best of its rounds, so that what else runs on the machine falls out.
 */
import { crc32 } from 'node:zlib'
import { Kernel } from '../../src/kernel/kernel.ts'
import { LAYOUT } from '../../src/kernel/module.ts'
import { compileParse, parsingOf } from '../../src/process/parse/compile.ts'
import type { ParseOptions } from '../../src/process/parse/options.ts'
import { block, jsonBlock } from './corpus.ts'

const GIB = 1024 ** 3
const CHUNK = 1024 * 1024
const CHUNKS = 8
const rounds = Number(process.argv[2] ?? 7)

function logfmtBlock(size: number): Buffer {
  const lines = jsonBlock(size).toString().trimEnd().split('\n')
  const flat = (value: unknown) =>
    typeof value === 'string' && /[ "=]/.test(value) ? JSON.stringify(value) : String(value)
  return Buffer.from(
    lines
      .map(line => JSON.parse(line) as Record<string, unknown>)
      .map(({ user, ...rest }) => ({ ...rest, ...(user as object) }))
      .map(
        pairs =>
          `${Object.entries(pairs)
            .map(([name, value]) => `${name}=${flat(value)}`)
            .join(' ')}\n`,
      )
      .join(''),
  )
}

const criBlock = (size: number) =>
  Buffer.from(block(size).toString().replaceAll(/^/gm, '2026-11-23T10:00:00.123456789Z stdout F ').slice(0, -40))
const dockerBlock = (size: number) =>
  Buffer.from(
    block(size)
      .toString()
      .replaceAll(
        /(.*)\n/g,
        (_, log) => `${JSON.stringify({ log: `${log}\n`, stream: 'stdout', time: '2026-11-23T10:00:00Z' })}\n`,
      ),
  )
const klogBlock = (size: number) =>
  Buffer.from('I1123 10:00:00.123456       1 controller.go:42] Reconciled the object in 3 ms\n'.repeat(size / 77))

const CASES: readonly [string, ParseOptions['parse'], Buffer, readonly string[]][] = [
  ['json', 'json', jsonBlock(CHUNK * CHUNKS), ['time', 'status', 'bytes', 'client', 'user.id', 'seconds']],
  ['json, 0 of its own', 'json', jsonBlock(CHUNK * CHUNKS), []],
  ['logfmt', 'logfmt', logfmtBlock(CHUNK * CHUNKS), ['time', 'status', 'bytes', 'client', 'id', 'seconds']],
  ['nginx', 'nginx', block(CHUNK * CHUNKS), []],
  ['apache', 'apache', block(CHUNK * CHUNKS), []],
  ['klog', 'klog', klogBlock(CHUNK * CHUNKS), []],
  ['docker', 'docker', dockerBlock(CHUNK * CHUNKS), ['time']],
  ['cri', 'cri', criBlock(CHUNK * CHUNKS), []],
  ['json, of text', 'json', block(CHUNK * CHUNKS), []],
  [
    'own, two passes',
    { match: '(?P<ip>\\d+\\.\\S+) .*?" (?P<status>\\d+) ', types: {}, fields: [], else: 'keep' },
    block(CHUNK * CHUNKS),
    [],
  ],
]

function problem(found: unknown): never {
  throw new Error(JSON.stringify(found))
}

process.stdout.write(
  `${'format'.padEnd(20)} ${['taken', 's/GiB', '× crc32', 'ns/record'].map(head => head.padStart(10)).join('')}\n`,
)
for (const [name, parse, data, wanted] of CASES) {
  const parsing = parsingOf({ parse }, problem)!
  for (const each of wanted) parsing.slots.slotFor(each)
  const plan = compileParse(parsing, problem)!
  const kernel = Kernel.create(32 * CHUNK, plan.table.length + plan.room)
  const table = kernel.lay(plan.table)
  const spans = kernel.reserve(plan.room)
  const row = Math.ceil((LAYOUT.ROW_SLOTS + LAYOUT.SLOT * plan.slots) / 8) * 8
  const [ends, rows, start] = [kernel.arena, kernel.arena + CHUNK, kernel.arena + 24 * CHUNK]
  let [seconds, checksum, bytes, records, unparsed] = [0, 0, 0, 0, 0]
  for (let chunk = 0; chunk + CHUNK <= data.length; chunk += CHUNK) {
    const from = chunk === 0 ? 0 : data.lastIndexOf(10, chunk) + 1
    const part = data.subarray(from, data.lastIndexOf(10, chunk + CHUNK - 1) + 1)
    let [best, bestSum] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    let count = 0
    for (let round = 0; round < rounds; round++) {
      kernel.bytes.set(part, start)
      count = kernel.frames(start, start + part.length, ends, CHUNK / 4)
      const begun = performance.now()
      unparsed += kernel.extract({ table, ends, first: 0, count, start, rows, row, atFileStart: false, spans }) / rounds
      const extracted = performance.now()
      crc32(part)
      best = Math.min(best, extracted - begun)
      bestSum = Math.min(bestSum, performance.now() - extracted)
    }
    seconds += best / 1000
    checksum += bestSum / 1000
    bytes += part.length
    records += count
  }
  const figures = [
    `${Math.round(100 - (100 * unparsed) / records)} %`,
    ((seconds * GIB) / bytes).toFixed(2),
    (seconds / checksum).toFixed(1),
    ((seconds * 1e9) / records).toFixed(0),
  ]
  process.stdout.write(`${name.padEnd(20)} ${figures.map(figure => figure.padStart(10)).join('')}\n`)
}
