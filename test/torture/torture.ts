/**
 * `npm run torture`: random file-system programs against the real shipper.
 *
 *     node test/torture/torture.ts                      the fast list, two to three minutes, and that of processing.ts
 *     node test/torture/torture.ts --minutes 30         for that long, from a random seed
 *     node test/torture/torture.ts --seed 17            one seed
 *     node test/torture/torture.ts --replay FILE        one program as it was printed
 *
 * More: `--programs N`, `--parallel N` (3), `--keep` (leaves the folders of failed programs), `--no-shrink`,
 * `--first` (ends at the first failure, without shrinking it).
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Numbers } from './judge.ts'
import { programUnderTest } from './machine.ts'
import { generate, type Program, type Scale } from './program.ts'
import { REGRESSIONS, SLOW_REGRESSIONS } from './regressions.ts'
import { shrink } from './shrink.ts'
import { type Outcome, World } from './world.ts'

const FAST: Scale = { block: 3 << 20, actions: 40 }
const LONG: Scale = { block: 100 << 20, actions: 80 }
const FAST_SEEDS = 40
const PROCESSING = join(import.meta.dirname, 'processing.ts')

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string' },
    programs: { type: 'string' },
    parallel: { type: 'string' },
    replay: { type: 'string' },
    regression: { type: 'string' },
    keep: { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
    first: { type: 'boolean', default: false },
  },
})

const began = performance.now()
const minutes = values.minutes === undefined ? undefined : Number(values.minutes)
const totals: Record<string, number> = {}
const excuses: Record<string, number> = {}
let programs = 0
let failed = 0
const peak = { resident: 0, anonymous: 0 }

async function once(program: Program): Promise<Outcome> {
  const world = new World(program)
  const outcome = await world.run()
  if (values.keep && outcome.violations.length > 0) {
    console.log(`kept: ${world.folder}`)
    writeFileSync(join(world.folder, 'said'), world.said.join('\n'))
    for (const [name, lines] of world.arrived) writeFileSync(join(world.folder, `arrived.${name}`), lines.join('\n'))
  } else world.remove()
  return outcome
}

function add(numbers: Numbers): void {
  const { reasons, ...counts } = numbers
  for (const [name, value] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + value
  for (const [why, lines] of Object.entries(reasons)) excuses[why] = (excuses[why] ?? 0) + lines
}

async function attempt(program: Program): Promise<void> {
  const outcome = await once(program)
  programs++
  add(outcome.numbers)
  peak.resident = Math.max(peak.resident, outcome.peak.resident)
  peak.anonymous = Math.max(peak.anonymous, outcome.peak.anonymous)
  if (outcome.violations.length === 0) return
  failed++
  console.log(`\n✗ ${program.name} (${program.pattern})\n${outcome.violations.map(text => `    ${text}`).join('\n')}`)
  if (values.first) return
  if (values['no-shrink']) return keep(program)
  const small = await shrink(program, async candidate => (await once(candidate)).violations.length > 0)
  console.log(`  shrunk from ${program.actions.length} to ${small.actions.length} actions:`)
  for (const action of small.actions) console.log(`    ${JSON.stringify(action)}`)
  keep(small)
}

function keep(program: Program): void {
  const path = join(tmpdir(), `torture-${program.name.replaceAll(/[^a-z0-9]+/gi, '-')}.json`)
  writeFileSync(path, JSON.stringify(program))
  console.log(`  replay: node test/torture/torture.ts --replay ${path}`)
}

function* list(): Generator<Program> {
  if (values.replay) return yield JSON.parse(readFileSync(values.replay, 'utf8')) as Program
  if (values.regression !== undefined) {
    const all = [...REGRESSIONS, ...SLOW_REGRESSIONS]
    const named = all.filter(({ name }) => name.includes(values.regression!))
    if (named.length === 0) throw new Error(`--regression ${values.regression}: none of ${all.length} is called so`)
    yield* named
    return
  }
  const scale = minutes !== undefined && minutes >= 5 ? LONG : FAST
  if (values.seed !== undefined && values.programs === undefined) return yield generate(Number(values.seed), scale)
  if (values.seed === undefined) yield* REGRESSIONS
  if (values.seed === undefined && scale === LONG) yield* SLOW_REGRESSIONS
  const first = values.seed !== undefined ? Number(values.seed) : minutes === undefined ? 1 : Date.now() % 1_000_000
  const count =
    values.programs !== undefined
      ? Number(values.programs)
      : minutes === undefined
        ? FAST_SEEDS
        : Number.POSITIVE_INFINITY
  const until = minutes === undefined ? Number.POSITIVE_INFINITY : began + minutes * 60_000
  for (let n = 0; n < count && performance.now() < until; n++) yield generate(first + n, scale)
}

console.log(`under test: ${programUnderTest()}`)
const programsToRun = list()
await Promise.all(
  Array.from({ length: Number(values.parallel ?? 3) }, async () => {
    for (let next = programsToRun.next(); !next.done; next = programsToRun.next()) {
      if (values.first && failed > 0) return
      await attempt(next.value)
    }
  }),
)
const seconds = Math.round((performance.now() - began) / 1000)
const parts = [
  'actions',
  'kills',
  'rotations',
  'reloads',
  'lines',
  'bytes',
  'missing',
  'excused',
  'duplicates',
  'repeated',
]
console.log(
  `\n${programs} programs, ${failed} failed; ${parts.map(name => `${name} ${totals[name] ?? 0}`).join(', ')}; ${seconds} s`,
)
console.log(
  `excused: ${
    Object.entries(excuses)
      .map(([why, lines]) => `${why} ${lines}`)
      .join(', ') || 'none'
  }`,
)
const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0)
console.log(
  `most memory of any process: ${mebibytes(peak.anonymous)} MiB anonymous, ${mebibytes(peak.resident)} MiB resident`,
)
// Without arguments the stage between reading and delivery has its turn.
const more = process.argv.length === 2 ? spawnSync(process.execPath, [PROCESSING], { stdio: 'inherit' }).status : 0
process.exit(failed > 0 || more !== 0 ? 1 : 0)
