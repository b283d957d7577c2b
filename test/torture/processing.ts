/**
 * Random programs against the stage between reading and delivery of the real shipper: records of several lines, in
 * pieces, among rotations, deaths, reloads and refusals.
 *
 *     node test/torture/processing.ts                   the fast list, about a minute; run by `npm run torture` too
 *     node test/torture/processing.ts --minutes 30      for that long, from a random seed
 *     node test/torture/processing.ts --seed 17         one seed; with --programs K: so many from there
 *     node test/torture/processing.ts --replay FILE     one program as it was printed
 *     node test/torture/processing.ts --named WORD      programs of the list whose names contain it
 *
 * More: `--parallel N` (3), `--keep` (leaves the directories of failed programs), `--no-shrink`, `--first` (ends at the
 * first failure, without shrinking it).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { programUnderTest } from './machine.ts'
import { NAMED } from './processing/named.ts'
import { generate, type Program } from './processing/program.ts'
import { type Outcome, World } from './processing/world.ts'
import { shrink } from './shrink.ts'

const FAST_SEEDS = 10

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string' },
    programs: { type: 'string' },
    parallel: { type: 'string' },
    replay: { type: 'string' },
    named: { type: 'string' },
    keep: { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
    first: { type: 'boolean', default: false },
  },
})

const began = performance.now()
const totals: Record<string, number> = {}
let programs = 0
let failed = 0

async function once(program: Program): Promise<Outcome> {
  const world = new World(program)
  const outcome = await world.run()
  if (values.keep && outcome.violations.length > 0) {
    console.log(`kept: ${world.folder}`)
    writeFileSync(join(world.folder, 'said'), world.said.join('\n'))
  } else world.remove()
  return outcome
}

async function attempt(program: Program): Promise<void> {
  const { violations, numbers } = await once(program)
  programs++
  for (const [name, value] of Object.entries(numbers)) totals[name] = (totals[name] ?? 0) + (value as number)
  if (violations.length === 0) return
  failed++
  console.log(`\n✗ ${program.name}\n${violations.map(text => `    ${text}`).join('\n')}`)
  if (values.first) return
  if (values['no-shrink']) return keep(program)
  const small = await shrink(program, async candidate => (await once(candidate)).violations.length > 0)
  console.log(`  shrunk from ${program.actions.length} to ${small.actions.length} actions:`)
  for (const action of small.actions) console.log(`    ${JSON.stringify(action)}`)
  keep(small)
}

function keep(program: Program): void {
  const path = join(tmpdir(), `processing-${program.name.replaceAll(/[^a-z0-9]+/gi, '-')}.json`)
  writeFileSync(path, JSON.stringify(program))
  console.log(`  replay: node test/torture/processing.ts --replay ${path}`)
}

function* list(): Generator<Program> {
  if (values.replay) return yield JSON.parse(readFileSync(values.replay, 'utf8')) as Program
  if (values.named !== undefined) {
    const chosen = NAMED.filter(({ name }) => name.includes(values.named!))
    if (chosen.length === 0) throw new Error(`--named ${values.named}: none of ${NAMED.length} is called so`)
    return yield* chosen
  }
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes)
  if (values.seed !== undefined && values.programs === undefined) return yield generate(Number(values.seed))
  if (values.seed === undefined) yield* NAMED
  const first = values.seed !== undefined ? Number(values.seed) : minutes === undefined ? 1 : Date.now() % 1_000_000
  const usual = minutes === undefined ? FAST_SEEDS : Number.POSITIVE_INFINITY
  const count = values.programs === undefined ? usual : Number(values.programs)
  const until = minutes === undefined ? Number.POSITIVE_INFINITY : began + minutes * 60_000
  for (let n = 0; n < count && performance.now() < until; n++) yield generate(first + n)
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
const counted = Object.entries(totals).map(([name, value]) => `${name} ${value}`)
console.log(`\n${programs} programs, ${failed} failed; ${counted.join(', ')}; ${seconds} s`)
process.exit(failed > 0 ? 1 : 0)
