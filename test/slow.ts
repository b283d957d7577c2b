/**
 * The slow tests, one path per line: those that `.taprc` excludes. `npm test` runs the others, in about three minutes.
 *
 *     npm run test:slow
 */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

const ROOT = join(import.meta.dirname, '..')

interface Taprc {
  readonly include: string[]
  readonly exclude: string[]
}

/** The paths from the root of what is included, and the patterns of what is slow with the paths that match each. */
export function suites(): { readonly all: readonly string[]; readonly slow: ReadonlyMap<string, readonly string[]> } {
  const { include, exclude } = parse(readFileSync(join(ROOT, '.taprc'), 'utf8')) as Taprc
  const all = globSync(include, { cwd: ROOT }).toSorted()
  const slow = exclude.map(pattern => {
    const paths = new Set(globSync(pattern, { cwd: ROOT }))
    return [pattern, all.filter(path => paths.has(path))] as const
  })
  return { all, slow: new Map(slow) }
}

if (import.meta.main) {
  for (const paths of suites().slow.values()) for (const path of paths) process.stdout.write(`${path}\n`)
}
