/**
 * Recovery: what a checkpoint, or the configuration before, knew of the volume, and what is found of it at the start.
 *
 * First the files that had lost their names come back through the handles that were left, for what was written to them
 * first is read first. Then each followed name takes up the generation of its inode. Then every other generation is
 * searched for (`search.ts`), and the files that came and went under a followed name meanwhile (`missed.ts`). What is
 * new among the followed names comes last.
 *
 * There may be thousands of each. So this takes turns, and nothing else looks at a file or saves what is known meanwhile:
 * what has not been found yet would be forgotten.
 */
import { closeSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Inode, inodeKey, inodeOf } from '../files/fingerprint.ts'
import { fileAt, isInode, locate, sameBirth, statPath } from '../files/inodes.ts'
import type { Habits } from '../files/names.ts'
import { type Bound, beside, compressionOf, isNoise, type OpenFile, openRegular } from '../files/open.ts'
import { begunAfter } from '../generation/generation.ts'
import type { Lineage } from '../generation/lineage.ts'
import type { Table } from '../generation/table.ts'
import type { SourceOptions } from '../options.ts'
import { Handles } from '../rotation/handles.ts'
import type { Lent } from '../rotation/lent.ts'
import type { Missed } from '../rotation/missed.ts'
import type { Search } from '../rotation/search.ts'
import { identityOf, isGeneration, type Sibling } from '../rotation/siblings.ts'
import { Snapshot } from '../rotation/snapshot.ts'
import type { Unpacked } from '../rotation/unpack.ts'
import type { Checkpoint } from '../state/checkpoint.ts'
import type { Pins } from '../state/pins.ts'
import type { SavedGeneration } from '../state/saved.ts'
import type { Found } from '../watching/sweep.ts'
import type { Candidates } from './candidates.ts'
import type { Follower } from './follower.ts'

export interface RecoveryParts {
  readonly table: Table
  readonly candidates: Candidates
  readonly follower: Follower
  readonly missed: Missed
  readonly search: Search
  readonly habits: Habits
  readonly lineage: Lineage
  readonly lent: Lent
  readonly sources: ReadonlyMap<string, SourceOptions>
  /** The directories in front of the first wildcards of a source's patterns. */
  readonly rootsOf: (source: string) => readonly string[]
  /** Where files of a source must really lie. */
  readonly boundsOf: (source: string) => readonly Bound[]
  readonly pins: Pins
  readonly unpacked: Unpacked
}

/** A file of the pattern, open, of which nothing is known. */
interface Fresh extends Sibling {
  readonly candidate: Found
  readonly inode: Inode
}

/**
 * Finds every saved generation again, then takes up what is new among what the first sweep `found`. `handles` are those of the
 * configuration before, if there was one.
 */
export async function recover(
  parts: RecoveryParts,
  { generations, epoch }: Checkpoint,
  found: Iterable<Found>,
  handles = new Handles(),
): Promise<void> {
  const pace = new Pace()
  const { table, candidates, follower, missed, search, habits, lineage, lent, sources, pins, unpacked } = parts
  search.handles = handles
  follower.order.suspended = true
  missed.urgent = true
  const keys = new Set(generations.map(({ key }) => key))
  pins.inherit(keys, epoch)
  unpacked.inherit(keys)
  const saved = new Map<string, SavedGeneration>()
  const orphans: SavedGeneration[] = []
  for (const entry of generations) {
    if (!sources.has(entry.source)) continue
    // Where it went other rotations of its path did, whether or not it is still there.
    if (!unpacked.holds(entry.path) && !pins.holds(entry.path)) habits.learn(entry.origin, entry.path)
    if (entry.gone) {
      table.rememberGone(entry)
      continue
    }
    // An archive is remembered as done under the key of what was unpacked of it, which may be open.
    if (!entry.done && handles.isAside(entry.key) && search.takeHandle(entry)) continue
    const key = inodeKey(entry.inode)
    // Two generations of one inode: the later one is the file's, the earlier one was waiting for its end.
    const other = saved.get(key)
    if (other) orphans.push(other)
    saved.set(key, entry)
  }
  const replaced = new Set<SavedGeneration>(orphans)
  const fresh: Fresh[] = []
  const snapshot = new Snapshot(generations)
  // What was found goes on changing while this waits for its turn.
  for (const candidate of [...found]) {
    await pace.next()
    const opened = candidates.open(candidate, fresh.length)
    if (opened === undefined) {
      const waiting = candidates.crowded ? savedAt(candidate.path, saved) : undefined
      if (waiting === undefined) continue
      saved.delete(inodeKey(waiting.inode))
      candidates.parking.keep(candidate.path, waiting)
      continue
    }
    const inode = inodeOf(opened.stats)
    const entry = saved.get(inodeKey(inode))
    if (table.isOpen(inodeKey(inode))) closeSync(opened.fd)
    else if (entry && sameBirth(entry.inode, inode) && isGeneration(opened, identityOf(entry))) {
      saved.delete(inodeKey(inode))
      handles.drop(entry.key)
      follower.follow(
        candidate.path,
        opened,
        lineage.restored(candidate.source, entry, inode, Number(opened.stats.size)),
      )
    } else {
      const file = { candidate, path: candidate.path, opened, inode }
      // With nothing to be found again nothing else has a claim to it.
      if (generations.length === 0) begin(parts, file, undefined)
      else {
        fresh.push(file)
        lent.lend(file)
        snapshot.lent(file)
      }
      if (entry) replaced.add(entry)
    }
  }
  for (const [directory, bounds] of directoriesOf([...saved.values(), ...orphans], parts.boundsOf))
    for (const _ of snapshot.look(directory, bounds)) await pace.next()
  const { standing, rewritten } = await survey(
    [...saved.values()].filter(entry => !replaced.has(entry)),
    parts.boundsOf,
    snapshot,
    pace,
  )
  for (const { entry, sibling } of rewritten) {
    replaced.add(entry)
    lent.lend(sibling)
    snapshot.lent(sibling)
  }
  for (const entry of generations) missed.followedBefore(entry)
  for (const { origin, source } of generations) {
    const known = sources.get(source)
    if (known) missed.mayHaveBeenVacated(origin, known)
  }
  const nowhere = [...saved.values()].filter(entry => !entry.done && !replaced.has(entry))
  search.elsewhere = await locateAll(nowhere, parts.rootsOf, snapshot, pace)
  // The oldest first: it has the first claim to a file that more than one of them may be in.
  const entries = [...saved.values(), ...orphans].sort((a, b) => Number(begunOf(a) - begunOf(b)))
  // What is finished is no copy of what is not.
  entries.sort((a, b) => Number(b.done ?? false) - Number(a.done ?? false))
  // What stands where it is known to be is no copy of anything else.
  search.standing = standing
  search.snapshot = snapshot
  for (const entry of entries) {
    await pace.next()
    for (const _ of snapshot.catchUp(entry.inode, entry.origin)) await pace.next()
    search.find(entry, { replaced: replaced.has(entry), truncated: false })
  }
  search.standing = new Set()
  search.snapshot = undefined
  search.elsewhere = new Map()
  handles.close()
  for (const { entry, sibling } of rewritten) {
    await pace.next()
    const { opened } = sibling
    if (!lent.take(sibling)) continue
    if (table.isOpen(inodeKey(entry.inode))) closeSync(opened.fd)
    else {
      const since = begunAfter(begunOf(entry), opened.stats.mtimeNs)
      missed.rewritten(sources.get(entry.source)!, entry.origin, sibling, since)
    }
  }
  // What was rotated away from a followed name meanwhile, and never seen under it.
  for (const _ of missed.catchingUp()) await pace.next()
  for (const file of fresh) {
    await pace.next()
    if (lent.take(file)) begin(parts, file, saved.get(inodeKey(file.inode)))
  }
  missed.urgent = false
  follower.order.suspended = false
}

/** Milliseconds for which everything else waits, so that probes are answered. */
const TURN = 25

class Pace {
  #until = performance.now() + TURN

  /** Lets everything else have its turn if it has waited. */
  async next(): Promise<void> {
    if (performance.now() < this.#until) return
    await new Promise(setImmediate)
    this.#until = performance.now() + TURN
  }
}

/** The directories that generations are looked for in, and where their files must lie. */
function directoriesOf(
  entries: readonly SavedGeneration[],
  boundsOf: RecoveryParts['boundsOf'],
): ReadonlyMap<string, readonly Bound[]> {
  const directories = new Map<string, readonly Bound[]>()
  for (const { origin, source, done } of entries) {
    const directory = dirname(origin)
    if (!done && !directories.has(directory)) directories.set(directory, beside(origin, boundsOf(source)))
  }
  return directories
}

/** Follows a file of which nothing is known. `former`: what is known of its inode, of this file or another that had it. */
function begin(
  { table, follower, lineage }: RecoveryParts,
  { candidate: { source, path }, opened, inode }: Fresh,
  former: SavedGeneration | undefined,
): void {
  if (table.isOpen(inodeKey(inode))) {
    closeSync(opened.fd)
    return
  }
  const known = former && sameBirth(former.inode, inode) ? former : undefined
  const since = known ? begunAfter(begunOf(known), opened.stats.mtimeNs) : 0n
  const origin = known && wasWrittenBefore(opened, path, known) ? known.origin : path
  follower.follow(path, opened, lineage.begun(source, origin, inode, former ? Date.now() : 0, since))
}

/** Whether a file that has another name by now was written to under the one that is known, and then renamed. */
function wasWrittenBefore({ stats }: OpenFile, path: string, known: SavedGeneration): boolean {
  return known.path !== path && stats.ctimeNs > stats.mtimeNs
}

function begunOf(entry: SavedGeneration): bigint {
  return BigInt(entry.begun ?? entry.inode.birth)
}

interface Survey {
  /** The inodes, by key, of files that no followed name leads to and that hold what is known of them. */
  readonly standing: ReadonlySet<string>
  /** Such files that hold something else: they were emptied and written to, and then renamed, unseen. */
  readonly rewritten: readonly { readonly entry: SavedGeneration; readonly sibling: Sibling }[]
}

/** What has become of the files of saved generations that no followed name leads to. */
async function survey(
  entries: readonly SavedGeneration[],
  boundsOf: RecoveryParts['boundsOf'],
  snapshot: Snapshot,
  pace: Pace,
): Promise<Survey> {
  const standing = new Set<string>()
  const rewritten: { entry: SavedGeneration; sibling: Sibling }[] = []
  for (const entry of entries) {
    await pace.next()
    const known = fileAt(entry.path)
    const isThere = known !== undefined && isInode(known, entry.inode)
    const path = isThere ? entry.path : snapshot.placeOf(entry.inode, dirname(entry.origin))
    if (path === undefined) continue
    const opened = openRegular(path, beside(path, boundsOf(entry.source)))
    if (opened.kind !== 'open') continue
    const { fd, stats } = opened
    const isKept = isInode(stats, entry.inode) && isGeneration(opened, identityOf(entry))
    if (isKept) standing.add(inodeKey(entry.inode))
    const isOther = isInode(stats, entry.inode) && stats.size > 0n && !isKept
    // An archive in its place, or noise before it is removed, is no log.
    if (isOther && compressionOf(fd) === undefined && !isNoise(fd)) rewritten.push({ entry, sibling: { path, opened } })
    else closeSync(fd)
  }
  return { standing, rewritten }
}

/** Where the inodes are now that are not in their directories any more: below their sources' roots, if anywhere. */
async function locateAll(
  entries: readonly SavedGeneration[],
  rootsOf: (source: string) => readonly string[],
  snapshot: Snapshot,
  pace: Pace,
): Promise<ReadonlyMap<string, string>> {
  const roots = new Set<string>()
  const keys = new Set<string>()
  for (const { inode, origin, source } of entries) {
    await pace.next()
    for (const _ of snapshot.catchUp(inode, origin)) await pace.next()
    if (snapshot.nameOf(inode, origin) !== undefined) continue
    keys.add(inodeKey(inode))
    for (const root of rootsOf(source)) roots.add(root)
  }
  const places = locate(roots, keys)
  for (let next = places.next(); ; next = places.next()) {
    if (next.done) return next.value
    await pace.next()
  }
}

/** What is known of the file that the path leads to. */
function savedAt(path: string, saved: ReadonlyMap<string, SavedGeneration>): SavedGeneration | undefined {
  const stats = statPath(path)
  return stats && saved.get(inodeKey(inodeOf(stats)))
}
