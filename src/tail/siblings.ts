/**
 * Siblings: finding a generation again among the files of its folder, by identity, whatever their names.
 *
 * Two ways lead to a file that we knew under another name: it is the same inode (rename), or its head and the marker
 * before our offset say that it is the copy of a file that was then truncated (copytruncate). A copy that lies in the
 * pattern is seen before the truncation that explains it: such a file is held back for a moment instead of being read
 * as if it were new.
 */
import { type BigIntStats, closeSync, lstatSync, readdirSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import type { SavedCursor, SavedGeneration } from './checkpoint.ts'
import {
  HEAD_BYTES,
  type Head,
  headMatches,
  type Inode,
  inodeKey,
  inodeOf,
  markerMatches,
  readHead,
} from './fingerprint.ts'
import { DENIED, type OpenFile, openRegular } from './open.ts'
import type { Tailer } from './tailer.ts'

/** What is known of a generation that is looked for. */
export interface Wanted {
  readonly path: string
  readonly inode: Inode
  readonly head: Head
  readonly cursors: readonly SavedCursor[]
}

export interface Sibling {
  readonly path: string
  readonly opened: OpenFile
}

/** Names looked at in one folder at the most. */
const MAX_NAMES = 2000
/** Names looked at below a source's root at the most. */
const MAX_NAMES_BELOW = 20_000

export function identityOf({ head, cursors }: SavedGeneration): Pick<Wanted, 'head' | 'cursors'> {
  return { head, cursors: Object.values(cursors) }
}

/** Whether the open file is the wanted generation: its head, and the marker before every offset. */
export function isGeneration(opened: OpenFile, wanted: Pick<Wanted, 'head' | 'cursors'>): boolean {
  const size = Number(opened.stats.size)
  return (
    size >= wanted.head.length &&
    headMatches(opened.fd, wanted.head) &&
    wanted.cursors.every(({ offset, marker }) => offset <= size && markerMatches(opened.fd, offset, marker))
  )
}

/**
 * The wanted generation in its folder, open, or `undefined`. `by` says what counts: the same inode, or the same content
 * in another one (for which something must have been read). `taken` tells inodes that are spoken for.
 */
export function findSibling(
  wanted: Wanted,
  by: 'inode' | 'copy',
  taken: (key: string) => boolean,
): Sibling | undefined {
  if (by === 'copy' && wanted.cursors.every(cursor => cursor.offset === 0)) return undefined
  const folder = dirname(wanted.path)
  const names = namesIn(folder)
  // Names that look like a rotation of ours first: in a crowded folder they must not fall off the end.
  const related = (name: string) => (isRotationOf(name, basename(wanted.path)) ? 0 : 1)
  names.sort((a, b) => related(a) - related(b))
  for (const name of names.slice(0, MAX_NAMES)) {
    const path = join(folder, name)
    const opened = openRegular(path, [folder])
    if (opened.kind !== 'open') continue
    const inode = inodeOf(opened.stats)
    const key = inodeKey(inode)
    const same = key === inodeKey(wanted.inode)
    if ((by === 'inode') === same && !taken(key) && isGeneration(opened, wanted)) return { path, opened }
    closeSync(opened.fd)
  }
  return undefined
}

/** `app.log` → `app.log.1`, `app.log-20260101`, `app-20260101.log`. */
export function isRotationOf(name: string, original: string): boolean {
  if (name === original) return false
  const extension = extname(original)
  return (
    name.startsWith(original) ||
    (name.startsWith(basename(original, extension)) && extension !== '' && name.endsWith(extension))
  )
}

/** Whether one path is that of a rotation of the other. */
export function isRelated(path: string, original: string): boolean {
  return dirname(path) === dirname(original) && isRotationOf(basename(path), basename(original))
}

/** Whether a file that just appeared may be a copy of `tailer`'s, whole or still being written. */
export function mayBeCopyOf(path: string, opened: OpenFile, tailer: Tailer): boolean {
  return isRelated(path, tailer.path) && beginsLike(opened, tailer)
}

/** Whether an open file begins with what stands in `tailer`'s, as far as it goes: it may be a copy, or become one. */
export function beginsLike(opened: OpenFile, tailer: Tailer): boolean {
  const { head, furthest, cursors } = tailer.generation
  const size = Number(opened.stats.size)
  // Of what has not been read yet the file itself has to say how it begins.
  const known = furthest === 0 ? Math.min(tailer.size, HEAD_BYTES) : head.length
  const length = Math.min(size, known)
  if (known === 0) return false
  if (readHead(opened.fd, length)?.hash !== readHead(tailer.fd, length)?.hash) return false
  const cursor = cursors.find(candidate => candidate.read === furthest)
  return size < furthest || cursor === undefined || markerMatches(opened.fd, furthest, cursor.marker)
}

/** A number or a date, as rotations put it into a name: `.1`, `-20260101`, `.2026-01-01T10:00:00Z`. */
const NUMBER = /^[._-]\d[\dTZ:._+-]*$/

/** The names that a file may have had before `name`, if that is a rotation's: `app.log.1` was `app.log`. */
export function originalsOf(name: string): string[] {
  const extension = extname(name)
  const stem = basename(name, extension)
  const originals: string[] = []
  for (const { index } of name.matchAll(/[._-]\d/g)) {
    if (index === 0) continue
    if (NUMBER.test(name.slice(index))) originals.push(name.slice(0, index))
    else if (NUMBER.test(stem.slice(index))) originals.push(stem.slice(0, index) + extension)
  }
  return originals
}

/**
 * Whether the name is the original with a number or a date put in, as rotations do. Here a likely name is not enough:
 * what merely looks related (`app-audit.log`, `app.log.swp`) was never meant to be read.
 */
function isNumbered(name: string, original: string): boolean {
  const extension = extname(original)
  const stem = basename(original, extension)
  const added = name.startsWith(original)
    ? name.slice(original.length)
    : name.startsWith(stem) && name.endsWith(extension)
      ? name.slice(stem.length, name.length - extension.length)
      : ''
  return NUMBER.test(added)
}

/**
 * Files that carried `path` for so short a time that nobody saw them there: rotations of it, by name, that were born
 * after `birth` (nanoseconds, as in `Inode`) and are not `known`. Oldest first; those that may not be opened are told to
 * `denied`. Without birth times there is no telling.
 */
export function findMissed(
  path: string,
  birth: string,
  known: (inode: Inode) => boolean,
  denied: (path: string) => void = () => {},
): Sibling[] {
  const after = BigInt(birth)
  if (after === 0n) return []
  const folder = dirname(path)
  const missed: Sibling[] = []
  // A chain of renames goes on while we look: the same file may be met under one name and then under the next.
  const met = new Set<string>()
  for (const name of namesIn(folder)) {
    if (!isNumbered(name, basename(path))) continue
    const sibling = join(folder, name)
    const opened = openRegular(sibling, [folder])
    if (opened.kind === 'refused' && opened.reason === DENIED) {
      const stats = fileAt(sibling)
      if (stats && stats.birthtimeNs >= after && !known(inodeOf(stats))) denied(sibling)
    }
    if (opened.kind !== 'open') continue
    const inode = inodeOf(opened.stats)
    if (BigInt(inode.birth) >= after && !known(inode) && !met.has(inodeKey(inode))) {
      met.add(inodeKey(inode))
      missed.push({ path: sibling, opened })
    } else closeSync(opened.fd)
  }
  return missed.sort((a, b) => Number(a.opened.stats.birthtimeNs - b.opened.stats.birthtimeNs))
}

/** The regular file of this name, links not followed; undefined where there is none, or none that we may see. */
export function fileAt(path: string): BigIntStats | undefined {
  try {
    const stats = lstatSync(path, { bigint: true })
    return stats.isFile() ? stats : undefined
  } catch {
    // It left while we looked, or its folder lists names and no more.
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

/** The name that an inode has now in the folder where it was last seen. */
export function nameOf(inode: Inode, path: string): string | undefined {
  const folder = dirname(path)
  for (const name of namesIn(folder)) {
    const candidate = join(folder, name)
    const stats = fileAt(candidate)
    if (stats && isInode(stats, inode)) return candidate
  }
  return undefined
}

/**
 * Where inodes are below `roots`, by key. Looks at a bounded number of names, those that lie nearest first, and does not
 * walk into links.
 */
export function locate(roots: Iterable<string>, keys: ReadonlySet<string>): Map<string, string> {
  const places = new Map<string, string>()
  const queue = [...roots]
  let names = 0
  for (let folder = queue.shift(); folder !== undefined && places.size < keys.size; folder = queue.shift()) {
    for (const name of namesIn(folder)) {
      if (++names > MAX_NAMES_BELOW) return places
      const path = join(folder, name)
      try {
        const stats = lstatSync(path, { bigint: true })
        const key = inodeKey(inodeOf(stats))
        if (stats.isDirectory()) queue.push(path)
        else if (keys.has(key)) places.set(key, path)
      } catch {
        // It left while we looked, or may not be looked at.
      }
    }
  }
  return places
}

/** The names in a folder, or none. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
