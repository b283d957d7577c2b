/**
 * A configuration that was written to a file and loaded, as the program does it: for tests of what is built from one.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../src/config/config.ts'
import { formatProblem, loadConfig } from '../src/config/load.ts'

/**
 * `dir` gets `config.yaml`; the sources are its `logs/*.log`, and the state is in `state`, unless `own` says otherwise.
 */
export async function configured(dir: string, own: object): Promise<Config> {
  const whole = { sources: [{ paths: [join(dir, 'logs/*.log')] }], state: { dir: join(dir, 'state') }, ...own }
  const file = join(dir, 'config.yaml')
  writeFileSync(file, JSON.stringify(whole))
  const loaded = await loadConfig({ file, paths: [], env: {}, cwd: dir })
  if (loaded.kind === 'ok') return loaded.config
  throw new Error(loaded.problems.map(formatProblem).join('\n'))
}
