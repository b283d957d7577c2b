/** The parts of the documentation that are made from the code: `npm run docs` writes them, a test holds them against it. */
import { SUBJECTS } from '../../test/conformance/subjects.ts'
import { table } from '../../test/conformance/verdicts.ts'
import { table as mutants } from '../../test/torture/mutations.ts'
import { answers, GUIDES, limits, record } from './backends.ts'
import { commands } from './commands.ts'
import { exits } from './exits.ts'
import { reference } from './keys.ts'
import { metrics } from './metrics.ts'
import { rotations } from './rotations.ts'
import { checks, examples, fleets, memories } from './sizing.ts'

export interface Part {
  /** Below docs/. */
  readonly file: string
  readonly name: string
  readonly text: () => string
}

export const PARTS: readonly Part[] = [
  { file: 'configuration.md', name: 'keys', text: reference },
  { file: 'answers.md', name: 'verdicts', text: () => table(SUBJECTS) },
  { file: 'metrics.md', name: 'metrics', text: metrics },
  { file: 'operations.md', name: 'commands', text: commands },
  { file: 'operations.md', name: 'exits', text: exits },
  { file: 'rotation.md', name: 'rotations', text: rotations },
  { file: 'development/testing.md', name: 'mutants', text: mutants },
  { file: 'sizing.md', name: 'examples', text: examples },
  { file: 'sizing.md', name: 'memories', text: memories },
  { file: 'sizing.md', name: 'checks', text: checks },
  { file: 'sizing.md', name: 'fleets', text: fleets },
  ...GUIDES.flatMap(type => [
    { file: `backends/${type}.md`, name: 'record', text: () => record(type) },
    { file: `backends/${type}.md`, name: 'limits', text: () => limits(type) },
    // What goes into a pipe is not answered.
    ...(type === 'stdout' ? [] : [{ file: `backends/${type}.md`, name: 'answers', text: () => answers(type) }]),
  ]),
]

/** `document` with `text` in the place of the part. */
export function placed({ file, name }: Pick<Part, 'file' | 'name'>, document: string, text: string): string {
  const begin = `<!-- generated: ${name} -->`
  const end = `<!-- /generated: ${name} -->`
  const from = document.indexOf(begin)
  const to = document.indexOf(end)
  if (from < 0 || to < from) throw new Error(`docs/${file} has no ${begin} … ${end}`)
  return `${document.slice(0, from)}${begin}\n${text}\n${document.slice(to)}`
}
