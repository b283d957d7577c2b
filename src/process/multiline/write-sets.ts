/**
 * Writes sets.ts: the automata of the presets. To compile those of all takes hundreds of milliseconds, which a start that
 * only reads logs of Java should not pay for.
 *
 * Runs when a preset or the compiler changes: `npm run presets`. test/process/multiline/sets.test.ts fails until then.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import { compileEvery } from '../expression/compile.ts'
import { ExpressionError } from '../expression/failure.ts'
import { PRESETS } from './options.ts'
import { MACHINES } from './presets.ts'

const COLUMNS = 112

const lines = PRESETS.flatMap(name => {
  const set = compileEvery(Object.values(MACHINES[name].expressions))
  if (set instanceof ExpressionError) throw set
  const text = deflateRawSync(set, { level: 9 }).toString('base64')
  const parts = text.match(new RegExp(`.{1,${COLUMNS}}`, 'g')) ?? []
  return [`  ${name}: [`, ...parts.map(part => `    '${part}',`), '  ],']
})
writeFileSync(
  fileURLToPath(new URL('./sets.ts', import.meta.url)),
  [
    '/** The automata of the presets, deflated, in base64. Written by write-sets.ts. */',
    "import type { PresetName } from './options.ts'",
    '',
    'export const SETS: Readonly<Record<PresetName, readonly string[]>> = {',
    ...lines,
    '}',
    '',
  ].join('\n'),
)
