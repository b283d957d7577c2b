/**
 * Compares the engine with RE2's semantics: random expressions over random texts, UTF-8 and not.
 *
 *     node test/process/expression/fuzz.ts [comparisons] [seed]
 *
 * What differs is printed with what replays it; the exit code says whether anything did.
 */
import { RE2JS } from 're2js'
import { compileEvery, compileFirst } from '../../../src/process/expression/compile.ts'
import { ExpressionError } from '../../../src/process/expression/failure.ts'
import { type Captures, compileCaptures } from '../../../src/process/expression/program.ts'
import { compileSearch, type Search } from '../../../src/process/expression/search.ts'
import { captured, exports, layTable, layText, searched } from './kernel.ts'
import * as make from './random.ts'
import * as twin from './twin.ts'

export interface Fuzzed {
  readonly expressions: number
  readonly comparisons: number
  /** Expressions that are too large. */
  readonly refused: number
  readonly differences: string[]
}

const EVERY_ADDRESS = 0x80000
const PROGRAM_ADDRESS = 0x90002
const SEARCH_ADDRESS = 0xd0001
type Matcher = ReturnType<RE2JS['matcher']>
const TEXTS = 20

export function fuzz(comparisons: number, seed: number): Fuzzed {
  const next = make.random(seed)
  const differences: string[] = []
  let [expressions, compared, refused] = [0, 0, 0]
  while (compared < comparisons) {
    const sources = [make.expression(next), make.expression(next)]
    const oracles = sources.map(source => RE2JS.compile(source))
    const tables = sources.map(source => compileFirst([source]))
    const every = compileEvery(sources)
    const programs = sources.map(source => compileCaptures(source))
    if (programs.some(program => program instanceof ExpressionError)) {
      refused++
      continue
    }
    if (tables.some(table => table instanceof ExpressionError) || every instanceof ExpressionError) {
      refused++
      continue
    }
    expressions += 2
    layTable(every, EVERY_ADDRESS)
    const check = (what: string, bytes: Buffer, expected: unknown, found: unknown) => {
      compared++
      if (JSON.stringify(expected) === JSON.stringify(found)) return
      const over = `${bytes.toString('hex')} (${JSON.stringify(`${bytes}`)})`
      const replay = `${what} of ${JSON.stringify(sources)} over ${over}`
      differences.push(`${replay}: RE2 ${JSON.stringify(expected)}, ours ${JSON.stringify(found)}`)
    }
    for (const [rule, oracle] of oracles.entries()) {
      const table = tables[rule] as Uint8Array
      const address = layTable(table)
      const { program } = programs[rule] as Captures
      layTable(program, PROGRAM_ADDRESS)
      layTable((compileSearch(sources[rule]!) as Search).program, SEARCH_ADDRESS)
      for (let left = TEXTS; left > 0; left--) {
        const bytes = make.text(next)
        const { string, offsets } = twin.decoded(bytes)
        const start = layText(bytes, next(16))
        const end = start + bytes.length
        const matcher = oracle.matcher(string)
        const expected = matcher.find() ? [offsets[matcher.start()], offsets[matcher.end()]] : null
        let found: number[] | null = null
        let plain: number[] | null = null
        for (const at of twin.boundaries(bytes)) {
          const to = exports.longest(address, start + at, end, start)
          if (to >= 0) found ??= [at, to - start]
          const same = twin.longest(table, bytes, at)
          if (same !== undefined) plain ??= [at, same.end]
          if (found !== null && plain !== null) break
        }
        check(`longest, rule ${rule},`, bytes, expected, found)
        check(`the twin's longest, rule ${rule},`, bytes, expected, plain)
        const place = searched(SEARCH_ADDRESS, start, bytes.length)
        check(`search, rule ${rule},`, bytes, expected ?? 'none', place)
        const groups = expected && spans(matcher, offsets)
        check(`the twin's captures, rule ${rule},`, bytes, groups, twin.captured(program, bytes).spans ?? null)
        check(`captures, rule ${rule},`, bytes, groups, captured(PROGRAM_ADDRESS, start, bytes.length) ?? null)
        const mask = oracles.reduce((all, each, index) => all | (each.matcher(string).lookingAt() ? 1 << index : 0), 0)
        check('accepts', bytes, mask, exports.accepts(EVERY_ADDRESS, start, end))
        check("the twin's accepts", bytes, mask, twin.accepts(every, bytes))
      }
    }
  }
  return { expressions, comparisons: compared, refused, differences }
}

function spans(matcher: Matcher, offsets: readonly number[]): (readonly [number, number] | null)[] {
  return Array.from({ length: matcher.groupCount() }, (_, group) => {
    const from = matcher.start(group + 1)
    return from < 0 ? null : ([offsets[from]!, offsets[matcher.end(group + 1)]!] as const)
  })
}

if (import.meta.main) {
  const [comparisons = '250000', seed = `${Date.now() % 1_000_000}`] = process.argv.slice(2)
  process.stdout.write(`seed ${seed}\n`)
  const { differences, ...counts } = fuzz(Number(comparisons), Number(seed))
  for (const each of differences.slice(0, 20)) process.stdout.write(`${each}\n`)
  process.stdout.write(`${JSON.stringify({ ...counts, differences: differences.length })}\n`)
  process.exitCode = differences.length === 0 ? 0 : 1
}
