/**
 * Inodes and the names that lead to them: looks at directories, without opening a file.
 *
 * Guarantees: links are followed only where it says so; a bounded number of names is looked at; nothing throws.
 */
import { type BigIntStats, lstatSync, opendirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Inode, inodeKey, inodeOf } from './fingerprint.ts'

/** Names looked at below a source's root at the most. */
const MAX_NAMES_BELOW = 20_000

/**
 * Directories of more bytes are read in parts, so many names at a time: where the file system tells how large they are these
 * have some ten thousand names, and all names of one with a million would take more memory than there is.
 */
const LARGE = 512 * 1024
const AT_A_TIME = 256
/** Names of one directory that are held together. */
const MOST_NAMES = 65_536

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

/** The names in a directory, or none; of very many those that it lists first. */
export function namesIn(directory: string): string[] {
  const names: string[] = []
  for (const some of partsOf(directory)) {
    names.push(...some)
    if (names.length >= MOST_NAMES) break
  }
  return names
}

/** All names in a directory, or none, some at a time: where there may be very many they are never held together. */
export function* partsOf(directory: string): Generator<readonly string[], void, void> {
  try {
    if (statSync(directory).size <= LARGE) yield readdirSync(directory)
    else yield* readParts(directory)
  } catch {
    // It is gone, or may not be listed.
  }
}

function* readParts(directory: string): Generator<readonly string[], void, void> {
  const open = opendirSync(directory, { bufferSize: AT_A_TIME })
  try {
    for (let names: string[] = [], next = open.readSync(); ; next = open.readSync()) {
      if (next) names.push(next.name)
      if (names.length < AT_A_TIME && next) continue
      yield names
      if (next === null) return
      names = []
    }
  } finally {
    open.closeSync()
  }
}

/** The names of the regular files in a directory, by the key of their inodes. Pauses after each. */
export function* inodesIn(directory: string): Generator<void, ReadonlyMap<string, string>, void> {
  const names = new Map<string, string>()
  for (const some of partsOf(directory)) {
    for (const name of some) {
      const path = join(directory, name)
      const stats = fileAt(path)
      if (stats) names.set(inodeKey(inodeOf(stats)), path)
      yield
    }
    if (names.size >= MOST_NAMES) break
  }
  return names
}
