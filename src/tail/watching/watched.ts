/**
 * Which directories are watched: a limited number of them, and of names in them. Where patterns begin and what is missing
 * on the way there comes first, then what changed last.
 */
import { opendirSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Directory } from '../directories/directory.ts'
import type { Tree } from '../directories/tree.ts'
import type { Limits } from '../files/limits.ts'

/** Names above a missing directory that are worth watching. */
const MOST_ABOVE = 500

export interface Chosen {
  /** By path. */
  readonly watched: ReadonlyMap<string, Directory>
  /** Directories above those that are missing. */
  readonly ways: readonly string[]
}

export function chooseWatched(tree: Tree, { watches, watchedNames }: Limits): Chosen {
  const able = [...tree].filter(({ listed, names }) => (listed || names > 0) && names <= watchedNames)
  const rank = ({ parent, changed }: Directory) => (parent ? changed : Number.MAX_VALUE)
  if (able.length > watches) able.sort((one, other) => rank(other) - rank(one))
  const missing = tree.roots.flatMap(({ listed, path }) => (listed ? [] : (wayTo(path) ?? [])))
  const ways = [...new Set(missing)].slice(0, Math.ceil(watches / 2))
  const watched = new Map<string, Directory>()
  let names = 0
  for (const directory of able) {
    if (watched.size + ways.length >= watches) break
    if (names + directory.names > watchedNames) continue
    names += directory.names
    watched.set(directory.path, directory)
  }
  return { watched, ways }
}

/** The closest directory above a missing one: it shows when that comes. */
function wayTo(path: string): string | undefined {
  const above = dirname(path)
  if (statDirectory(above)?.isDirectory() !== true) return above === path ? undefined : wayTo(above)
  return hasFewNames(above) ? above : undefined
}

function hasFewNames(path: string): boolean {
  try {
    const open = opendirSync(path)
    try {
      let names = 0
      while (names <= MOST_ABOVE && open.readSync() !== null) names++
      return names <= MOST_ABOVE
    } finally {
      open.closeSync()
    }
  } catch {
    return false
  }
}

/** Undefined if there is nothing, or it cannot be told. */
export function statDirectory(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}
