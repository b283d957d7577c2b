/**
 * What expressions cost in the kernel, per GiB and as a multiple of crc32 over the same lines in the same run.
 *
 *     node test/bench/expression.ts [FILE]        lines of an access log by default
 *
 * Targets are from when the engine was designed: captures 4 times crc32 for an expression without open choices, 8 times
 * for any; the head of a line and a search with a fingerprint 1.2 times.
 */
import { readFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { MODULE } from '../../src/kernel/module.ts'
import { compileEvery } from '../../src/process/expression/compile.ts'
import { ExpressionError } from '../../src/process/expression/failure.ts'
import { compileCaptures } from '../../src/process/expression/program.ts'
import { compileSearch } from '../../src/process/expression/search.ts'
import { block } from './corpus.ts'

interface Exports {
  frames(from: number, to: number, ends: number, max: number, lineEnd: number): number
  accepts(table: number, at: number, end: number): number
  allow(bytes: number): void
  search(program: number, at: number, to: number, begin: number): number
  capture(program: number, from: number, to: number, out: number): number
}

const PAGES = 512
const PROGRAM = 0x10000
const OUT = 0x100000
const ENDS = 0x200000
const TEXT = 0x400000
const SIZE = 8 << 20
const ROUNDS = 5

const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES })
const kernel = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(MODULE, 'base64')), { env: { memory } })
  .exports as unknown as Exports
const bytes = Buffer.from(memory.buffer)
const [file] = process.argv.slice(2)
const text = (file === undefined ? block(SIZE) : readFileSync(file)).subarray(0, SIZE)
bytes.set(text, TEXT)
const count = kernel.frames(TEXT, TEXT + text.length, ENDS, 500_000, 10)
const ends = new Uint32Array(memory.buffer, ENDS, count)

/** The least of several runs, in seconds per GiB. */
function cost(run: () => number): { seconds: number; hits: number } {
  let seconds = Number.POSITIVE_INFINITY
  let hits = 0
  for (let round = 0; round < ROUNDS; round++) {
    const begin = process.cpuUsage()
    hits = run()
    const { user, system } = process.cpuUsage(begin)
    seconds = Math.min(seconds, ((user + system) / 1e6) * (2 ** 30 / text.length))
  }
  return { seconds, hits }
}

function each(call: (from: number, to: number) => boolean): number {
  let hits = 0
  let from = TEXT
  for (const to of ends) {
    hits += Number(call(from, to))
    from = to + 1
  }
  return hits
}

function lay(program: Uint8Array | ExpressionError): void {
  if (program instanceof ExpressionError) throw program
  bytes.set(program, PROGRAM)
}

const floor = cost(() => crc32(text)).seconds
const calls = cost(() => each(() => false)).seconds
console.log(`${count} lines of ${Math.round(text.length / count)} bytes; crc32 ${floor.toFixed(3)} s/GiB`)

function report(name: string, program: Uint8Array, run: () => number): void {
  const { seconds, hits } = cost(run)
  const ratio = (seconds / floor).toFixed(1)
  console.log(
    `${name.padEnd(34)} ${seconds.toFixed(2)} s/GiB  ${ratio} × crc32  ${hits} lines  ${program.length} bytes`,
  )
}

const CAPTURES = {
  'nginx, no open choice':
    '^(?<remote>[^ ]*) (?<host>[^ ]*) (?<user>[^ ]*) \\[(?<time>[^\\]]*)\\] "(?<method>[^ "]+) (?<path>[^ "]*) ' +
    'HTTP/(?<version>[^"]*)" (?<status>\\d+) (?<size>\\d+|-) "(?<referer>[^"]*)" "(?<agent>[^"]*)"',
  "nginx, Fluent Bit's":
    '^(?<remote>[^ ]*) (?<host>[^ ]*) (?<user>[^ ]*) \\[(?<time>[^\\]]*)\\] "(?<method>\\S+)(?: +(?<path>[^\\"]*?)' +
    '(?: +\\S*)?)?" (?<code>[^ ]*) (?<size>[^ ]*)(?: "(?<referer>[^\\"]*)" "(?<agent>[^\\"]*)")',
  'java, no open choice': '^(?<time>\\S+) (?<level>\\w+) +\\[(?<thread>[^\\]]+)\\] (?<logger>\\S+) - (?<message>.*)$',
  'java, anywhere': '(?<level>DEBUG|INFO|WARN|ERROR) .*?took (?<ms>\\d+) ms',
}
for (const [name, expression] of Object.entries(CAPTURES)) {
  const compiled = compileCaptures(expression)
  if (compiled instanceof ExpressionError) throw compiled
  lay(compiled.program)
  const run = () => each((from, to) => kernel.capture(PROGRAM, from, to, OUT) === 1)
  report(`captures: ${name}`, compiled.program, run)
}
const HEADS = {
  'a date': ['^\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d'],
  'five that go on': ['^\\s+at ', '^\\s+\\.\\.\\.', '^Caused by:', '^\\s+S', '^\\t'],
}
for (const [name, expressions] of Object.entries(HEADS)) {
  const table = compileEvery(expressions)
  if (table instanceof ExpressionError) throw table
  lay(table)
  report(`head: ${name}`, table, () => each((from, to) => kernel.accepts(PROGRAM, from, to) !== 0))
}
for (const expression of [
  'eyJ[\\w-]{5,}\\.[\\w-]{5,}',
  '(?i)bearer\\s+[\\w.~+/-]{8,}',
  '.*(?:Exception|Error)',
  '\\d+ms',
]) {
  const compiled = compileSearch(expression)
  if (compiled instanceof ExpressionError) throw compiled
  lay(compiled.program)
  report(`search (${compiled.analysis.kind}): ${expression.slice(0, 14)}`, compiled.program, () =>
    each((from, to) => {
      kernel.allow(to - from)
      return kernel.search(PROGRAM, from, to, from) >= 0
    }),
  )
}
console.log(`calling for each line alone: ${calls.toFixed(2)} s/GiB`)
