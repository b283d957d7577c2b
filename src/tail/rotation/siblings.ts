/**
 * Siblings: finding a generation again among the files of its directory, by identity, whatever their names.
 *
 * Two ways lead to a file that was known under another name: it is the same inode (rename), or its content says that it
 * is the copy of a file that was then truncated (copytruncate): the head, the marker before each offset that was read
 * to, and the marker before the end that was seen last. A copy that lies in the pattern is seen before the truncation
 * that explains it: such a file is held back for a moment instead of being read as if it were new.
 */
import { closeSync, fstatSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import {
  HEAD_BYTES,
  type Head,
  headMatches,
  type Inode,
  inodeKey,
  inodeOf,
  MARKER_BYTES,
  markerMatches,
  NO_HEAD,
  readHead,
  readMarker,
} from '../files/fingerprint.ts'
import { fileAt, sameBirth } from '../files/inodes.ts'
import { LISTINGS } from '../files/listings.ts'
import {
  type Habits,
  isCompressed,
  isLikely,
  isNumbered,
  isRelated,
  isRotationOf,
  stemOf,
  withoutCompression,
} from '../files/names.ts'
import {
  type Bound,
  beside,
  compressionOf,
  DENIED,
  type Likeness,
  type OpenFile,
  openLike,
  openRegular,
} from '../files/open.ts'
import type { Tailer } from '../generation/tailer.ts'
import type { SavedCursor, SavedGeneration } from '../state/saved.ts'

/** What is known of a generation that is looked for. */
export interface Wanted {
  readonly path: string
  readonly inode: Inode
  readonly head: Head
  readonly cursors: readonly SavedCursor[]
  /** The end that was seen last, if it lies beyond what was read. */
  readonly seen?: SavedCursor | undefined
  /** Ends that it had before. */
  readonly ends?: readonly SavedCursor[] | undefined
  /** When the generation began: nanoseconds since the epoch. A copy of it is younger. */
  readonly begun?: string | undefined
  /** Before this it cannot have begun, if that is known better. */
  readonly after?: bigint | undefined
  /** Its file is gone and was not truncated before, as far as is known: that it was copied has to be told by content. */
  readonly removed?: boolean
  /** Where files of its source must really lie. */
  readonly bounds: readonly Bound[]
}

/** What a file is known by. */
type Identity = Pick<Wanted, 'head' | 'cursors' | 'seen'> & Partial<Pick<Wanted, 'inode'>>

export interface Sibling {
  readonly path: string
  readonly opened: OpenFile
}

/** Names looked at in one directory at the most; and once too many files were opened for others, of those that are related. */
const MAX_NAMES = 1000
const FEWER_NAMES = 64
/** Places at which a file is compared with the one that it may be a copy of, beside its head and its end. */
const SAMPLES = 16

export function identityOf(saved: SavedGeneration): Omit<Wanted, 'path' | 'bounds'> {
  const { inode, head, cursors, seen, ends, begun } = saved
  return { inode, head, cursors: Object.values(cursors), seen, ends, begun }
}

/** Whether the open file is the wanted generation: its head, and the marker before every offset. */
export function isGeneration(opened: OpenFile, wanted: Identity): boolean {
  const size = Number(opened.stats.size)
  const { head, seen, inode } = wanted
  // Who had read more than the copy holds in which it went on knows nothing of that.
  const cursors = wanted.cursors.filter(({ offset, end }) => offset <= size || end === undefined)
  if (cursors.length === 0 && wanted.cursors.length > 0) return false
  // Where nothing was read, and no line at its beginning is known, the end that was seen has to tell.
  if (head.length === 0 && seen && cursors.every(({ offset }) => offset === 0)) {
    return seen.offset <= size && markerMatches(opened.fd, seen.offset, seen.marker)
  }
  // And where that is not known either, a file that was made since may have got the number of its inode.
  if (head.length === 0 && inode && cursors.every(({ offset }) => offset === 0) && isReborn(opened, inode)) return false
  return (
    size >= wanted.head.length &&
    headMatches(opened.fd, wanted.head) &&
    cursors.every(({ offset, marker }) => offset <= size && markerMatches(opened.fd, offset, marker))
  )
}

function isReborn({ stats }: OpenFile, inode: Inode): boolean {
  const found = inodeOf(stats)
  return inodeKey(found) === inodeKey(inode) && !sameBirth(found, inode)
}

/** What stood in directories at one moment, for a start: see `snapshot.ts`. */
export interface Stood {
  /** The name that an inode has in the directory where it was last seen. */
  nameOf(inode: Inode, path: string): string | undefined
  /** The files beside `origin` that begin as `head` says; undefined: each has to be looked at. */
  beginLike(origin: string, head: Head, bounds: readonly Bound[]): ReadonlySet<string> | undefined
}

/**
 * The wanted generation in its directory by its inode, open, or `undefined`. `taken` tells inodes that are spoken for;
 * `snapshot`, for a start, what stands in the directory.
 */
export function findInode(wanted: Wanted, tracked: (key: string) => boolean, snapshot?: Stood): Sibling | undefined {
  const name = snapshot?.nameOf(wanted.inode, wanted.path)
  if (snapshot !== undefined && name === undefined) return undefined
  const inode = inodeKey(wanted.inode)
  if (tracked(inode)) return undefined
  const likeness: Likeness = { stats: stats => inodeKey(inodeOf(stats)) === inode, content: () => true }
  for (const sibling of siblingsOf(wanted, likeness, name === undefined ? undefined : new Set([name]))) {
    if (inodeKey(inodeOf(sibling.opened.stats)) === inode && isGeneration(sibling.opened, wanted)) return sibling
    closeSync(sibling.opened.fd)
  }
  return undefined
}

/** The copy of the wanted generation in its directory, open, or `undefined`. Of several the one that says most. */
export function findCopy(
  wanted: Wanted,
  taken: (key: string, opened: OpenFile) => boolean,
  snapshot?: Stood,
): Sibling | undefined {
  let best: (Sibling & { evidence: number }) | undefined
  const { path: origin, head, bounds, ends = [], seen } = wanted
  // Of what nothing is known but the name only the name can tell (`evidenceOf`): others need not be opened.
  const named = head.length === 0 && ends.length === 0 && !seen && wanted.cursors.every(({ offset }) => offset === 0)
  const among = snapshot?.beginLike(origin, head, beside(origin, bounds))
  const likeness: Likeness = {
    stats: stats => mayBeCopy(stats, wanted),
    content: opened => headMatches(opened.fd, head) || endsAs(opened, ends),
  }
  for (const { path, opened } of siblingsOf(wanted, likeness, among, named)) {
    const key = inodeKey(inodeOf(opened.stats))
    const other = key !== inodeKey(wanted.inode) && !taken(key, opened)
    const evidence = other ? evidenceOf(path, opened, wanted) : 0
    if (evidence > 0 && (best === undefined || isBetter({ opened, evidence }, best))) {
      if (best) closeSync(best.opened.fd)
      best = { path, opened, evidence }
    } else closeSync(opened.fd)
  }
  return best
}

interface Candidate {
  readonly opened: OpenFile
  readonly evidence: number
}

/** Of those that the name alone speaks for it is the first that was made since; of others the last one holds most. */
function isBetter(one: Candidate, other: Candidate): boolean {
  if (one.evidence !== other.evidence) return one.evidence > other.evidence
  const younger = one.opened.stats.birthtimeNs > other.opened.stats.birthtimeNs
  return one.evidence === 1 ? !younger : younger
}

/**
 * How sure it is that a file is a copy of the wanted generation: 0 not at all, 3 beyond doubt. What was read is known by
 * its markers; of what was only seen the end tells, and where a copy is shorter than that its name has to.
 */
export function evidenceOf(path: string, opened: OpenFile, wanted: Wanted): 0 | 1 | 2 | 3 {
  const { head, cursors, seen, ends = [], begun = '0' } = wanted
  const size = Number(opened.stats.size)
  // A copy may have been made before the last lines were written that some backends have read already, or none.
  const within = cursors.filter(({ offset }) => offset <= size)
  const ended = endsAs(opened, ends)
  const known = within.some(({ offset }) => offset > 0) || (ended && within.length > 0)
  if (within.length < cursors.length && !known) return 0
  // How it began was seen when there was more of it than the copy holds.
  const start = ended && size < head.length ? NO_HEAD : head
  if (ended) return isGeneration(opened, { head: start, cursors: within, seen: undefined }) ? 3 : 0
  if (!isGeneration(opened, { ...wanted, cursors: within })) return 0
  const whole = seen !== undefined && seen.offset <= size && markerMatches(opened.fd, seen.offset, seen.marker)
  if (whole && seen.offset > 0) return 3
  if (cursors.some(({ offset }) => offset > 0)) return 2
  // Nothing was read: other logs of the directory may begin with the same banner.
  const name = withoutCompression(basename(path))
  const original = basename(wanted.path)
  if (!isNumbered(name, original) && !isLikely(name, original)) return 0
  if (compressionOf(opened.fd) !== undefined) return 0
  // Of its content nothing may be known at all, if the process was killed when it had just begun. Then the rotation of
  // another file of its path would be taken for its copy, and lines that were sent already get other ids.
  if (head.length === 0 && (begun === '0' || wanted.removed)) return 0
  // Where nothing is known but the name, what was copied before it was truncated may be another's.
  const after = head.length > 0 ? (wanted.after ?? BigInt(begun)) : BigInt(begun)
  return opened.stats.birthtimeNs >= after ? 1 : 0
}

/** As far as what is seen of a file without opening it tells: there may be thousands, and none of them the copy. */
function mayBeCopy(stats: OpenFile['stats'], { inode, head, ends = [] }: Wanted): boolean {
  const size = Number(stats.size)
  if (inodeKey(inodeOf(stats)) === inodeKey(inode)) return false
  return size >= head.length || ends.some(({ offset }) => offset === size)
}

/** Whether an open file ends where a generation had ended once. */
export function endsAs({ fd, stats }: OpenFile, ends: readonly SavedCursor[]): boolean {
  const size = Number(stats.size)
  return ends.some(({ offset, marker }) => offset === size && markerMatches(fd, offset, marker))
}

/**
 * Every regular file of the directory, or those `among` them, that is alike, open; those that are called as rotations of
 * the path are first. `named`: only those.
 */
function* siblingsOf(
  { path, bounds }: Wanted,
  likeness: Likeness,
  among?: ReadonlySet<string>,
  named = false,
): Generator<Sibling> {
  const directory = dirname(path)
  const original = basename(path)
  const stem = stemOf(original)
  const all = among === undefined ? LISTINGS.names(directory) : [...among].map(each => basename(each))
  // In a crowded directory the names of rotations must not fall off the end.
  const related: string[] = []
  const others: string[] = []
  for (const name of all) (name.includes(stem) && isRotationOf(name, original) ? related : others).push(name)
  const possible = named ? related : [...related, ...others]
  const names = possible.slice(0, LISTINGS.mayOpen(Math.min(possible.length, MAX_NAMES)) ? MAX_NAMES : FEWER_NAMES)
  const bound = beside(path, bounds)
  for (const name of names) {
    const sibling = join(directory, name)
    const opened = openLike(sibling, bound, likeness)
    if (opened) yield { path: sibling, opened }
  }
}

/** Whether a file that just appeared may be a copy of `tailer`'s, whole or still being written. */
export function mayBeCopyOf(path: string, opened: OpenFile, tailer: Tailer): boolean {
  return isRelated(path, tailer.path) && beginsLike(opened, tailer)
}

/**
 * Whether an open file holds what stands in `tailer`'s, as far as it goes: it may be a copy, or become one. What was
 * read is known from then; the rest is compared at its end and at a number of places.
 */
export function beginsLike(opened: OpenFile, tailer: Tailer): boolean {
  const { head, furthest, cursors } = tailer.generation
  const size = Number(fstatSync(opened.fd).size)
  const known = Math.max(head.length, Math.min(tailer.size, HEAD_BYTES))
  if (known === 0 || size === 0) return known > 0
  if (size >= head.length ? !headMatches(opened.fd, head) : !sameHead(opened.fd, tailer.fd, size)) return false
  const cursor = cursors.find(candidate => candidate.read === furthest)
  if (size >= furthest && cursor && !markerMatches(opened.fd, furthest, cursor.marker)) return false
  const length = Math.min(size, tailer.size)
  // Truncated since it was looked at: what is known of it has to tell, where that is more than how it begins.
  if (fstatSync(tailer.fd).size < length) return size >= head.length && reachesKnown(opened.fd, size, tailer.generation)
  return sameBytes(opened.fd, tailer.fd, length)
}

/** Whether an open file stands for a generation at the last place that is known of that: where it was read to, or its end. */
function reachesKnown(fd: number, size: number, { furthest, cursors, seen }: Tailer['generation']): boolean {
  const { offset, marker } =
    furthest > 0 ? { offset: furthest, marker: cursors.find(({ read }) => read === furthest)?.marker } : seen
  return offset > 0 && offset <= size && marker !== undefined && markerMatches(fd, offset, marker)
}

function sameHead(one: number, other: number, size: number): boolean {
  const length = Math.min(size, HEAD_BYTES)
  return readHead(one, length)?.hash === readHead(other, length)?.hash
}

/** Whether the first `length` bytes are the same, at the beginning, at the end and at places in between. */
function sameBytes(one: number, other: number, length: number): boolean {
  if (!sameHead(one, other, length)) return false
  for (let n = SAMPLES; n > 0; n--) {
    const at = Math.floor((length / SAMPLES) * n)
    if (at > HEAD_BYTES - MARKER_BYTES && readMarker(one, at)?.crc !== readMarker(other, at)?.crc) return false
  }
  return true
}

/** What is asked for when a followed path has lost files that were never seen under it. */
export interface MissedQuery {
  readonly origin: string
  /** When the youngest file that was followed under the path began: nanoseconds since the epoch. */
  readonly after: bigint
  /** When that one was written to last, as far as is known. */
  readonly ended: bigint
  /** When the file that stands there now was born, if there is a younger one. */
  readonly before: bigint | undefined
  readonly habits: Habits
  /** The names in a directory, or those of them that have the stem of the path: of all names all that it is asked for. */
  readonly names: (directory: string, origin: string) => readonly string[]
  /** Where the files must really lie, unless rotations are known to leave the directory of `origin`. */
  readonly bounds: readonly Bound[]
  /** Only numbers and dates count as a rotation's name: no file was ever followed under the path. */
  readonly strict: boolean
  readonly known: (inode: Inode) => boolean
  /** Whether a file is, or was, followed under a path. */
  readonly followed: (path: string) => boolean
  /** Whether an archive has been looked into. */
  readonly knownArchive: (stats: OpenFile['stats']) => boolean
  /** Whether there is a file descriptor for one more beside so many; the rest is for another look. */
  readonly room: (open: number) => boolean
  /** One that may not be opened. */
  readonly denied: (path: string) => void
  /** One that is compressed. */
  readonly compressed: (path: string) => void
}

/** The clock of file systems and of the processes that write to them need not agree to the millisecond. */
const TOLERANCE = 2_000_000_000n
/** A rotated file may still get its last lines when the next one has been born. */
const OVERLAP = 100_000_000n
/** The next file is made so soon after a rename. */
const AT_ONCE = 50_000_000n

/**
 * Files that carried `origin` for so short a time that they were never seen there: in its directory, or in one where
 * rotations of it went before, not known, born after the youngest that was followed there; and called as rotations are,
 * or as those of this path were before. A name that says little counts only if the life of the file fits between that
 * of the youngest and that of the one that stands there now. Oldest first; `whole`: all that there are.
 */
export function findMissed(query: MissedQuery): { readonly missed: Sibling[]; readonly whole: boolean } {
  const { origin, after, habits, names, bounds, strict, known, knownArchive, denied, compressed } = query
  const missed: Sibling[] = []
  const archives: { readonly path: string; readonly stats: OpenFile['stats'] }[] = []
  let whole = true
  // A chain of renames goes on while this looks: the same file may be met under one name and then under the next.
  const met = new Set<string>()
  // There may be thousands of names, and as many paths that this is asked for.
  const stem = habits.stemOf(origin)
  for (const directory of habits.directoriesOf(origin)) {
    for (const name of names(directory, origin)) {
      if (!name.includes(stem)) continue
      const says = habits.says(withoutCompression(name), origin)
      if (says === 'nothing' || (strict && says !== 'numbered')) continue
      const path = join(directory, name)
      const stats = fileAt(path)
      if (stats === undefined) continue
      if (isCompressed(name)) {
        // The archive of a file that was followed under a name of its own is looked after there.
        const other = query.followed(join(directory, withoutCompression(name)))
        if (!other && isRecent(stats, query) && !knownArchive(stats)) archives.push({ path, stats })
        continue
      }
      if (known(inodeOf(stats)) || bornAt(stats) < after) continue
      if (says !== 'numbered' && says !== 'learned') {
        // What has a name of its own is found by that: `app1.log` beside `app.log`, of which there may be thousands.
        if (query.followed(path)) continue
        if (!fits(stats, query) || (says === 'word' && !wasRenamed(stats, query))) continue
      }
      if (!query.room(missed.length)) {
        whole = false
        break
      }
      const opened = openRegular(path, beside(path, bounds))
      if (opened.kind === 'refused' && opened.reason === DENIED) denied(path)
      if (opened.kind !== 'open') continue
      if (compressionOf(opened.fd) !== undefined) {
        closeSync(opened.fd)
        if (isRecent(stats, query) && !knownArchive(stats)) archives.push({ path, stats })
        continue
      }
      const inode = inodeOf(opened.stats)
      if (bornAt(opened.stats) >= after && !known(inode) && !met.has(inodeKey(inode))) {
        met.add(inodeKey(inode))
        missed.push({ path, opened })
      } else closeSync(opened.fd)
    }
  }
  archives.sort((a, b) => Number(a.stats.mtimeNs - b.stats.mtimeNs))
  for (const { path } of archives) compressed(path)
  missed.sort((a, b) => Number(bornAt(a.opened.stats) - bornAt(b.opened.stats)))
  return { missed, whole }
}

/**
 * Whether the content of an archive may be younger than what was followed last. What was compressed before is older
 * than its archive, and compressors keep its time.
 */
function isRecent(stats: OpenFile['stats'], { after }: MissedQuery): boolean {
  return stats.mtimeNs + 1_000_000n >= after
}

/** When a file was born; where the file system does not say, it was when its content was written last, or before. */
function bornAt(stats: OpenFile['stats']): bigint {
  return stats.birthtimeNs === 0n ? stats.mtimeNs : stats.birthtimeNs
}

/** Whether a file got its name after it was written, or just before the file that stands there now was made. */
function wasRenamed(stats: OpenFile['stats'], { before }: MissedQuery): boolean {
  return stats.ctimeNs > stats.mtimeNs || (before !== undefined && before - stats.ctimeNs < AT_ONCE)
}

/**
 * Whether a file lived between the one that was followed last and the one that stands there now. Where there is none
 * now, that it was renamed after it was written has to tell.
 */
function fits(stats: OpenFile['stats'], { ended, before }: MissedQuery): boolean {
  const born = bornAt(stats)
  if (born + OVERLAP < ended) return false
  return before === undefined ? stats.ctimeNs > stats.mtimeNs : born <= before && stats.mtimeNs <= before + TOLERANCE
}
