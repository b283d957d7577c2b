/**
 * `node test/torture/mutants.ts`: does the torture bite? Each mutant is a copy of the program in which one invariant is
 * broken on purpose; the fast torture, or where a death cannot show it the test that is named, must catch every one.
 *
 *     node test/torture/mutants.ts                  all of them, about a quarter of an hour
 *     node test/torture/mutants.ts marker pins      those whose name contains one of the words
 *     node test/torture/mutants.ts --check          runs nothing: whether every mutation still applies
 *     node test/torture/mutants.ts --table          only the list, as Markdown, as it stands in docs/development/testing.md
 *
 * The list is `mutations.ts`. A mutation is a replacement of text. One whose text is not there any more, or twice, is an
 * error: it has to follow the code that it breaks, which `mutants.test.ts` asserts with every change.
 */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { apply, MUTANTS, type Mutant, misplaced, table } from './mutations.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const COPIED = [
  'src',
  'test',
  'docker',
  'licences',
  // The build, whatever it consists of.
  ...readdirSync(ROOT).filter(name => name.endsWith('.ts')),
  'package.json',
  'tsconfig.json',
  '.taprc',
]
/** The fast torture's time: minutes. */
const BUDGET = 3
/** Tests of parts run the sources; the others, and the torture, the bundle. */
const OF_PARTS = /^test\/(tail|delivery)\/|^test\/private\.test\.ts$/
/** A test of tap that failed. */
const FAILED = /^ *not ok/

/** A copy of the project with the mutation in it, built where that is what is run. */
function mutate(mutant: Mutant): string {
  const { name } = mutant
  const directory = mkdtempSync(join(tmpdir(), 'logshipper-mutant-'))
  // The program under test runs as nobody.
  chmodSync(directory, 0o755)
  for (const part of COPIED) cpSync(join(ROOT, part), join(directory, part), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  apply(mutant, directory)
  if (mutant.test !== undefined && OF_PARTS.test(mutant.test)) return directory
  const built = spawnSync(process.execPath, ['build.ts'], { cwd: directory, encoding: 'utf8' })
  if (built.status !== 0) throw new Error(`"${name}" does not build: ${built.stderr}`)
  return directory
}

interface Catch {
  /** What was wrong, by the first program or test that saw it; undefined: nothing. */
  readonly by: string | undefined
  /** Programs that were run until then. */
  readonly programs: number | undefined
}

async function hunt(mutant: Mutant, directory: string): Promise<Catch> {
  const programs = mutant.program === undefined ? [] : ['--regression', mutant.program]
  const torture =
    mutant.processing === undefined
      ? ['test/torture/torture.ts', '--first', ...programs]
      : ['test/torture/processing.ts', '--first', '--named', mutant.processing]
  const command = mutant.test === undefined ? torture : [mutant.test]
  const child = spawn(process.execPath, command, { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] })
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGTERM')
  }, BUDGET * 60_000)
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    // One thing that is wrong is enough.
    if (mutant.test !== undefined && FAILED.test(line)) child.kill('SIGTERM')
  }
  clearTimeout(timer)
  if (mutant.test !== undefined) {
    const failed = lines.find(line => FAILED.test(line))
    return {
      by: failed === undefined ? undefined : `${mutant.test}: ${failed.replace(/^ *not ok \d+ - /, '')}`,
      programs: undefined,
    }
  }
  const at = lines.findIndex(line => line.startsWith('✗'))
  const run = lines.map(line => /^(\d+) programs/.exec(line)?.[1]).find(count => count !== undefined)
  if (at < 0 && run === undefined && !late) {
    throw new Error(`"${mutant.name}": the torture ended without a result`)
  }
  if (at < 0) return { by: undefined, programs: run === undefined ? undefined : Number(run) }
  return {
    by: `${lines[at]!.slice(2)}: ${lines[at + 1]!.trim().slice(0, 110)}`,
    programs: run === undefined ? undefined : Number(run),
  }
}

const [option] = process.argv.slice(2)
if (option === '--table') {
  console.log(table())
  process.exit(0)
}
if (option === '--check') {
  const wrong = misplaced(ROOT)
  for (const complaint of wrong) console.log(complaint)
  console.log(`${MUTANTS.length} mutants, ${wrong.length} mutations that do not apply`)
  process.exit(wrong.length > 0 ? 1 : 0)
}
const words = process.argv.slice(2)
const chosen = MUTANTS.filter(({ name }) => words.length === 0 || words.some(word => name.includes(word)))
if (chosen.length === 0) throw new Error(`${words.join(' ')}: none of ${MUTANTS.length} mutants is called so`)
let survived = 0
for (const mutant of chosen) {
  const began = performance.now()
  const directory = mutate(mutant)
  const { by, programs } = await hunt(mutant, directory)
  rmSync(directory, { recursive: true, force: true })
  if (by === undefined) survived++
  const seconds = Math.round((performance.now() - began) / 1000)
  console.log(
    `${by === undefined ? 'SURVIVED' : 'caught  '}  ${mutant.name.padEnd(60)} ${String(programs ?? '').padStart(3)} programs ${String(seconds).padStart(4)} s  ${by ?? ''}`,
  )
}
console.log(`\n${chosen.length} mutants, ${survived} survived`)
process.exit(survived > 0 ? 1 : 0)
