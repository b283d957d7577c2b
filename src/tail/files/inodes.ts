/**
 * Inodes and the names that lead to them: looks at directories, without opening a file.
 *
 * Guarantees: links are followed only where it says so; a bounded number of names is looked at; nothing throws.
 */
import { type BigIntStats, lstatSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Inode, inodeKey, inodeOf } from './fingerprint.ts'

/** Names looked at below a source's root at the most. */
const MAX_NAMES_BELOW = 20_000

/** The file that the path leads to now, if any. */
export function statPath(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/** The regular file of this name, links not followed; undefined where there is none, or none that we may see. */
export function fileAt(path: string): BigIntStats | undefined {
  const stats = entryAt(path)
  return stats?.isFile() ? stats : undefined
}

/** Whatever has this name. */
export function entryAt(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true })
  } catch {
    // It left while we looked, or its directory lists names and no more.
    return undefined
  }
}

/** The same incarnation of an inode, as far as the file system can tell. */
export function sameBirth(one: Inode, other: Inode): boolean {
  return one.birth === other.birth || one.birth === '0' || other.birth === '0'
}

/** Whether these are the stats of that incarnation of an inode. */
export function isInode(stats: BigIntStats, inode: Inode): boolean {
  const found = inodeOf(stats)
  return inodeKey(found) === inodeKey(inode) && sameBirth(found, inode)
}

/**
 * Where inodes are below `roots`, by key. Looks at a bounded number of names, those that lie nearest first, and does not
 * walk into links. Pauses after each name, so that its caller can do something else in between.
 */
export function* locate(
  roots: Iterable<string>,
  keys: ReadonlySet<string>,
): Generator<void, ReadonlyMap<string, string>, void> {
  const places = new Map<string, string>()
  // A set goes on with what is added to it.
  const directories = new Set(roots)
  let names = 0
  for (const directory of directories) {
    if (places.size >= keys.size) break
    for (const name of namesIn(directory)) {
      if (++names > MAX_NAMES_BELOW) return places
      const path = join(directory, name)
      yield
      try {
        const stats = lstatSync(path, { bigint: true })
        const key = inodeKey(inodeOf(stats))
        if (stats.isDirectory()) directories.add(path)
        else if (keys.has(key)) places.set(key, path)
      } catch {
        // It left while we looked, or may not be looked at.
      }
    }
  }
  return places
}

/** The names in a directory, or none. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

/** The names of the regular files in a directory, by the key of their inodes. */
export function inodesIn(directory: string): Map<string, string> {
  const names = new Map<string, string>()
  for (const name of namesIn(directory)) {
    const path = join(directory, name)
    const stats = fileAt(path)
    if (stats) names.set(inodeKey(inodeOf(stats)), path)
  }
  return names
}
