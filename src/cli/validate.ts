/** `logshipper validate`: whether a configuration can be used, and everything that is wrong with it. Sends nothing. */
import { formatProblem, type LoadRequest, loadConfig } from '../config/load.ts'
import { EXIT } from './exit.ts'
import type { Streams } from './output.ts'
import { inWords, remarksOn } from './sources.ts'
import { counted } from './table.ts'

/** Resolves to the exit code. */
export async function validate(request: LoadRequest, json: boolean, { out, err }: Streams): Promise<number> {
  const loaded = await loadConfig(request)
  const valid = loaded.kind === 'ok'
  const warnings = valid ? [...loaded.warnings, ...remarksOn(loaded.config.sources).map(inWords)] : []
  const problems = valid ? [] : loaded.problems
  if (json) out.write(`${JSON.stringify({ valid, problems, warnings }, null, 2)}\n`)
  else {
    for (const warning of warnings) err.write(`warning: ${warning}\n`)
    for (const problem of problems) err.write(`${formatProblem(problem)}\n`)
    if (valid) {
      const { sources, backends } = loaded.config
      out.write(`valid: ${counted(sources.length, 'source')}, ${counted(backends.length, 'backend')}\n`)
    }
  }
  return valid ? EXIT.ok : EXIT.configuration
}
