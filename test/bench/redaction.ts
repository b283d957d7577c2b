/**
 * What redaction costs, by rules: seconds of one core per GiB of lines, and as a multiple of crc32 over the same.
 *
 *     node test/bench/redaction.ts [rounds]
 *
 * One line in a hundred has a secret. Each chunk counts with the best of its rounds, so that what else runs on the machine
 * falls out; lines are put in place anew before each.
 */
import { crc32 } from 'node:zlib'
import { Kernel } from '../../src/kernel/kernel.ts'
import { LAYOUT } from '../../src/kernel/module.ts'
import { compileRedact } from '../../src/process/redact/compile.ts'
import type { RedactOptions } from '../../src/process/redact/options.ts'
import { block, jsonBlock } from './corpus.ts'

const GIB = 1024 ** 3
const CHUNK = 1024 * 1024
const CHUNKS = 8
const rounds = Number(process.argv[2] ?? 7)

const SECRETS = [
  'password=hunter2',
  'AKIAIOSFODNN7EXAMPLE',
  'joe.bloggs@example.com',
  '4111 1111 1111 1111',
  'Authorization: Bearer abcdef123456',
]

/** The same lines, with a secret in one of a hundred, in as many chunks. */
function chunksOf(text: Buffer): Buffer[] {
  const lines = text.toString('latin1').split('\n')
  const with_ = lines.map((line, n) => (n % 100 === 50 ? `${line} ${SECRETS[((n / 100) % SECRETS.length) | 0]}` : line))
  const all = Buffer.from(with_.join('\n'), 'latin1')
  const chunks: Buffer[] = []
  for (let from = 0; chunks.length < CHUNKS && from < all.length - CHUNK; ) {
    const to = all.lastIndexOf(10, from + CHUNK - 1) + 1
    chunks.push(all.subarray(from, to))
    from = to
  }
  return chunks
}

function best(work: (chunk: Buffer) => void, chunks: readonly Buffer[], before: (chunk: Buffer) => void): number {
  let sum = 0
  for (const chunk of chunks) {
    let least = Number.POSITIVE_INFINITY
    for (let round = 0; round < rounds; round++) {
      before(chunk)
      const start = process.hrtime.bigint()
      work(chunk)
      least = Math.min(least, Number(process.hrtime.bigint() - start))
    }
    sum += least
  }
  const bytes = chunks.reduce((total, { length }) => total + length, 0)
  return (sum / 1e9) * (GIB / bytes)
}

const CASES: readonly [string, RedactOptions['redact']][] = [
  ['secrets', 'secrets'],
  ['email', 'email'],
  ['pan', 'pan'],
  ['ssn', 'ssn'],
  ['iban', 'iban'],
  ['ipv4', 'ipv4'],
  ['ipv6', 'ipv6'],
  ['secrets and pii', ['secrets', 'pii']],
  ['one key', { keys: ['sessionId'] }],
]

for (const [what, text] of [
  ['access log', block(CHUNK * (CHUNKS + 1))],
  ['JSON', jsonBlock(CHUNK * (CHUNKS + 1))],
] as const) {
  const chunks = chunksOf(text)
  const crc = best(
    chunk => void crc32(chunk),
    chunks,
    () => {},
  )
  console.log(`${what}: crc32 ${crc.toFixed(2)} s/GiB`)
  for (const [name, redact] of CASES) {
    const plan = compileRedact({ redact }, problem => {
      throw new Error(JSON.stringify(problem))
    })!
    const kernel = Kernel.create(4 * CHUNK, plan.table.length)
    const table = kernel.lay(plan.table)
    const from = kernel.arena + 2 * CHUNK
    let count = 0
    const cost = best(
      () => {
        const open = 0
        kernel.redact({
          table,
          from,
          ends: kernel.arena,
          count,
          wall: from,
          how: LAYOUT.REDACT_WHOLE,
          open,
          head: false,
          own: 0,
          room: 0,
        })
      },
      chunks,
      chunk => {
        chunk.copy(kernel.bytes, from)
        count = kernel.frames(from, from + chunk.length, kernel.arena, CHUNK / 8)
      },
    )
    const times = `${cost.toFixed(2)} s/GiB, ${(cost / crc).toFixed(1)} × crc32`
    console.log(`  ${name.padEnd(16)} ${times}, ${plan.table.length} bytes of tables`)
  }
}
