/**
 * A configuration file, to the loader. It never throws, and always says one of two things: a configuration, or at least
 * one problem that names the file. Read again it says the same.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatProblem, loadConfig } from '../../../src/config/load.ts'
import type { Target } from '../target.ts'

const EXAMPLES = join(import.meta.dirname, '../../../config')

export function config(): Target {
  const dir = mkdtempSync(join(tmpdir(), 'logshipper-fuzz-'))
  const file = join(dir, 'c.yaml')
  const load = () => loadConfig({ env: { HOME: '/root' }, cwd: dir, file, defaultFile: join(dir, 'none.yaml') })
  return {
    name: 'config',
    covers: ['/src/config/', '/src/size.ts', '/src/duration.ts', '/options.ts', '/src/backends/'],
    seeds: readdirSync(EXAMPLES)
      .filter(name => name.endsWith('.yaml'))
      .map(name => readFileSync(join(EXAMPLES, name))),
    words: [
      'sources:\n  - paths: [',
      'backends:\n  - type: ',
      '${VAR}',
      '${file:/etc/hostname}',
      '${env:HOME:-x}',
      '<<: *a',
      '&a ',
      '*a',
      '!!binary ',
      '__proto__: ',
      'constructor: {prototype: ',
      '? ',
      '|-\n  ',
      '1GiB',
      '5m',
      '[[',
      '{{',
      '\u0000',
      '\ufeff',
      '---\n',
    ],
    async run(input) {
      writeFileSync(file, input)
      const loaded = await load()
      if (loaded.kind === 'invalid') {
        assert(loaded.problems.length > 0, 'it is refused for no reason')
        for (const problem of loaded.problems) assert(formatProblem(problem).length > 0)
      } else assert(loaded.config.sources.length > 0, 'it has no source')
      assert.equal((await load()).kind, loaded.kind, 'read again it is something else')
    },
    async close() {
      rmSync(dir, { recursive: true })
    },
  }
}
