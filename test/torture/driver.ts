/**
 * The driver of both tortures (`torture.ts`, `processing.ts`): chooses programs by the command line, runs some at a time,
 * counts, shrinks what failed and prints the command that replays it.
 *
 *     --minutes N        for that long, from a random seed
 *     --seed N           one seed; with --programs K: so many from there
 *     --replay FILE      one program as it was printed
 *     --<list> WORD      programs of the list whose names contain it: `--regression`, `--named`
 *     --parallel N       so many at a time (3)
 *     --keep             leaves the directories of failed programs
 *     --no-shrink        --first: ends at the first failure, without shrinking it
 *
 * Without `--seed`, `--replay` or `--<list>` the list of programs goes before the seeds. `mutants.ts` reads what is
 * printed: a line that begins with ✗ and the violations below it, and the line of totals.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { programUnderTest } from './machine.ts'
import type { Attempt } from './rig.ts'
import { shrink } from './shrink.ts'

export interface ProgramOf<A> {
  readonly name: string
  readonly actions: readonly A[]
}

export interface WorldOf<O extends Attempt> {
  readonly directory: string
  run(): Promise<O>
  /** Writes what it saw into its directory. */
  keep(): void
  remove(): void
}

export interface Torture<A, P extends ProgramOf<A>, O extends Attempt> {
  /** The name of its file. */
  readonly name: string
  /** The option that names programs of the list, and all of them. */
  readonly list: { readonly option: string; readonly programs: readonly P[] }
  /** Those that are run before the seeds. `minutes`: how long it takes; undefined: as it is without arguments. */
  readonly first: (minutes: number | undefined) => readonly P[]
  readonly generate: (seed: number, minutes: number | undefined) => P
  /** So many seeds are run without arguments. */
  readonly seeds: number
  readonly world: (program: P) => WorldOf<O>
  /** What is printed of a failed program behind its name. */
  readonly remark?: (program: P) => string
  /** Called with each outcome that counts. */
  readonly counted?: (outcome: O) => void
}

/** Resolves to how many programs failed. */
export async function drive<A, P extends ProgramOf<A>, O extends Attempt>(torture: Torture<A, P, O>): Promise<number> {
  const { name, list, world, seeds, generate } = torture
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string' },
      seed: { type: 'string' },
      programs: { type: 'string' },
      parallel: { type: 'string' },
      replay: { type: 'string' },
      [list.option]: { type: 'string' },
      keep: { type: 'boolean', default: false },
      'no-shrink': { type: 'boolean', default: false },
      first: { type: 'boolean', default: false },
    } as const,
  })
  const word = (values as Readonly<Record<string, unknown>>)[list.option] as string | undefined
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes)
  const began = performance.now()
  const totals: Record<string, number> = {}
  let programs = 0
  let failed = 0

  async function once(program: P): Promise<O> {
    const its = world(program)
    const outcome = await its.run()
    if (values.keep && outcome.violations.length > 0) {
      console.log(`kept: ${its.directory}`)
      its.keep()
    } else its.remove()
    return outcome
  }

  async function attempt(program: P): Promise<void> {
    const outcome = await once(program)
    programs++
    for (const [part, value] of Object.entries(outcome.numbers)) totals[part] = (totals[part] ?? 0) + value
    torture.counted?.(outcome)
    const { violations } = outcome
    if (violations.length === 0) return
    failed++
    const remark = torture.remark?.(program) ?? ''
    console.log(`\n✗ ${program.name}${remark}\n${violations.map(text => `    ${text}`).join('\n')}`)
    if (values.first) return
    if (values['no-shrink']) return print(program)
    const small = await shrink<A, P>(program, async candidate => (await once(candidate)).violations.length > 0)
    console.log(`  shrunk from ${program.actions.length} to ${small.actions.length} actions:`)
    for (const action of small.actions) console.log(`    ${JSON.stringify(action)}`)
    print(small)
  }

  function print(program: P): void {
    const path = join(tmpdir(), `${name}-${program.name.replaceAll(/[^a-z0-9]+/gi, '-')}.json`)
    writeFileSync(path, JSON.stringify(program))
    console.log(`  replay: node test/torture/${name}.ts --replay ${path}`)
  }

  function* chosen(): Generator<P> {
    if (values.replay !== undefined) return yield JSON.parse(readFileSync(values.replay, 'utf8')) as P
    if (word !== undefined) {
      const called = list.programs.filter(program => program.name.includes(word))
      if (called.length > 0) return yield* called
      throw new Error(`--${list.option} ${word}: none of ${list.programs.length} is called so`)
    }
    const seed = values.seed === undefined ? undefined : Number(values.seed)
    if (seed !== undefined && values.programs === undefined) return yield generate(seed, minutes)
    if (seed === undefined) yield* torture.first(minutes)
    const from = seed ?? (minutes === undefined ? 1 : Date.now() % 1_000_000)
    const usual = minutes === undefined ? seeds : Number.POSITIVE_INFINITY
    const count = values.programs === undefined ? usual : Number(values.programs)
    const until = minutes === undefined ? Number.POSITIVE_INFINITY : began + minutes * 60_000
    for (let n = 0; n < count && performance.now() < until; n++) yield generate(from + n, minutes)
  }

  console.log(`under test: ${programUnderTest()}`)
  const toRun = chosen()
  await Promise.all(
    Array.from({ length: Number(values.parallel ?? 3) }, async () => {
      for (let next = toRun.next(); !next.done; next = toRun.next()) {
        if (values.first && failed > 0) return
        await attempt(next.value)
      }
    }),
  )
  const seconds = Math.round((performance.now() - began) / 1000)
  const counts = Object.entries(totals).map(([part, total]) => `${part} ${total}`)
  console.log(`\n${programs} programs, ${failed} failed; ${counts.join(', ')}; ${seconds} s`)
  return failed
}
