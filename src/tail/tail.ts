/**
 * The room: all files that are followed, and everything that happens to them between a sweep and a checkpoint.
 *
 *     sweep ──► candidates ──► tailers ──► (cursors with something to read) ──► readers, one per pipeline
 *                                 ▲ poll: hot files every few ms, others 250 ms, idle ones 1 s
 *
 * Guarantees: polling is the truth and watch events only bring it forward; a file is followed by identity, never by
 * name; a handle closes only when its file is read, acknowledged and quiet; what can provably not be read any more is
 * counted as vanished; what is refused is named once and looked at again; nothing here ends the process.
 */
import { closeSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { Account, type Ledger } from '../ledger.ts'
import type { Logger } from '../log.ts'
import type { Checkpoint, CheckpointStore, SavedGeneration } from './checkpoint.ts'
import { generationId, type Inode, inodeKey, inodeOf, NO_HEAD, NO_MARKER } from './fingerprint.ts'
import { Cursor, Generation } from './generation.ts'
import { type Opened, openRegular, TOO_MANY } from './open.ts'
import type { HeldOptions, SourceOptions } from './options.ts'
import { type PinHealth, Pins } from './pins.ts'
import type { Reader, ReaderEvents } from './reader.ts'
import {
  findMissed,
  findSibling,
  isGeneration,
  isRotationOf,
  mayBeCopyOf,
  nameOf,
  type Sibling,
  type Wanted,
} from './siblings.ts'
import type { Found, Sweep } from './sweep.ts'
import { statPath, Tailer } from './tailer.ts'
import { Unpacked } from './unpack.ts'

/** Milliseconds between looks: at a file that is being written, at others, at idle ones, at the folders. */
const HOT = 10
const TICK = 250
const IDLE = 1000
const SWEEP = 1000
/** A file counts as hot for this long after a change, as active for this long. */
const HOT_FOR = 1000
const ACTIVE_FOR = 10_000
/** More hot files than this are looked at every tick only. */
const MAX_HOT = 20
/** What may be a copy of a followed file is held back for this long. */
const HOLD = 5000
/** Finished files that are remembered, so that one that comes back under a followed name is not read again. */
const MAX_DONE = 512
/** When handles run out, those of files that have been idle for so long are closed. */
const PARK_AFTER = 2000
/** Milliseconds from a change to the save that holds it: of an offset, of a file that was taken up. */
const SAVE = 1000
const SAVE_URGENT = 50
/** A file is pinned when a backend has been behind on it for so long. */
const PIN_AFTER = 200

/** A file whose handle was given up: what to save of it, and how it looked. */
interface Parked {
  readonly saved: SavedGeneration
  readonly size: number
  readonly modified: bigint
}

export interface Refusal {
  readonly source: string
  readonly path: string
  readonly reason: string
}

/** A pipeline's part in the room: its reader, and the sources it wants. */
export interface Member {
  readonly reader: Reader
  readonly sources: ReadonlySet<string>
}

export class Tail {
  readonly #sweep: Sweep
  readonly #store: CheckpointStore
  readonly #ledger: Ledger
  readonly #log: Logger
  readonly #heldOptions: HeldOptions
  readonly #pins: Pins
  readonly #unpacked: Unpacked
  /** Saved generations that are looked for among compressed files. */
  readonly #sought = new Set<SavedGeneration>()
  readonly #sources: ReadonlyMap<string, SourceOptions>
  readonly #members: Member[] = []
  readonly #tailers = new Map<string, Tailer>()
  readonly #byPath = new Map<string, Tailer>()
  readonly #hot = new Set<Tailer>()
  /** Generations whose file is gone or replaced while chunks of them are still in flight. */
  readonly #finishing = new Set<{ generation: Generation; path: string }>()
  readonly #done = new Map<string, SavedGeneration>()
  readonly #refused = new Map<string, Refusal>()
  /** When the youngest file that was followed under a path was born. */
  readonly #births = new Map<string, string>()
  /** Paths that lost their file since the last sweep. */
  readonly #vacated = new Map<string, SourceOptions>()
  /** Idle files whose handles were needed elsewhere, by path. */
  readonly #parked = new Map<string, Parked>()
  readonly #suspects = new Map<string, number>()
  /** Tailers whose new generation must be on disk before anything of it is sent: its id is not derived again. */
  readonly #held = new Set<Tailer>()
  /** Generations whose id holds the time. */
  readonly #timed = new WeakSet<Generation>()
  #epoch = ''
  #final = false
  /** What asks for a save, and how it stands with it. */
  #dirty = false
  #urgent = false
  #saving = false
  #stopped = false
  #swept = false
  #turnedAt = performance.now()
  #sweepDue = 0
  #timers: { tick?: NodeJS.Timeout; hot?: NodeJS.Timeout; save?: NodeJS.Timeout; hint?: NodeJS.Timeout } = {}

  constructor(
    sources: readonly SourceOptions[],
    sweep: Sweep,
    store: CheckpointStore,
    ledger: Ledger,
    log: Logger,
    held: HeldOptions = { maxBytes: Number.POSITIVE_INFINITY, policy: 'hold' },
  ) {
    this.#sources = new Map(sources.map(source => [source.name, source]))
    this.#sweep = sweep
    this.#store = store
    this.#ledger = ledger
    this.#log = log
    this.#heldOptions = held
    this.#pins = new Pins(store.dir, log)
    this.#unpacked = new Unpacked(store.dir)
  }

  /** Lets a pipeline take part. Before `start`. */
  join(member: Member): void {
    this.#members.push(member)
  }

  /** Loads the checkpoint, finds everything again and begins to follow. Never rejects. */
  async start(): Promise<void> {
    const checkpoint = await this.#store.load()
    this.#epoch = checkpoint.epoch
    for (const { source, backend, settled, vanishedBytes } of checkpoint.totals) {
      const wanted = this.#members.some(({ reader, sources }) => reader.backend === backend && sources.has(source))
      if (wanted) this.#ledger.account(source, backend, settled, vanishedBytes)
    }
    // The epoch must outlive us before an id made from it leaves the house.
    await this.#store.save(() => ({ ...checkpoint, clean: false }))
    this.#resume(checkpoint)
    this.#swept = true
    this.#sweep.watch(path => this.#hint(path))
    this.#tick()
  }

  /** Milliseconds of the monotonic clock at which the loop last turned. */
  get turnedAt(): number {
    return this.#turnedAt
  }

  /** The first sweep is done. */
  get swept(): boolean {
    return this.#swept
  }

  get tailers(): Iterable<Tailer> {
    return this.#tailers.values()
  }

  /** Every generation that is not done, with the size that its file has or had. */
  *following(): Generator<{ generation: Generation; size: number; path: string }> {
    yield* this.#tailers.values()
    // Of a file that is gone only what was read can still be settled.
    for (const { generation, path } of this.#finishing) yield { generation, size: generation.furthest, path }
  }

  get pins(): PinHealth {
    return this.#pins.health
  }

  get refused(): Iterable<Refusal> {
    return this.#refused.values()
  }

  /** What the readers report about a file. */
  get events(): ReaderEvents {
    return {
      replaced: tailer => this.#replaced(tailer),
      failed: tailer => {
        this.#hot.delete(tailer)
        tailer.due = performance.now() + IDLE
        const { source } = tailer.generation.origin
        this.#log.warn({ about: tailer.path, source, path: tailer.path }, 'a file cannot be read; it is tried again')
      },
    }
  }

  /** From now on nobody writes any more, as far as we know: last lines without a line end are taken too. */
  finish(): void {
    this.#final = true
    for (const { reader } of this.#members) reader.final = true
    this.look()
  }

  /** Sweeps and looks at every file now. Returns whether anything is left to read. */
  look(): boolean {
    // Before the sweep, to learn which names are free for other files; after it, to look at what it found.
    for (const all of [true, false]) {
      const now = performance.now()
      for (const tailer of this.#tailers.values()) this.#poll(tailer, now)
      if (all) this.#look(true)
    }
    return this.#held.size > 0 || this.#sought.size > 0 || this.#members.some(({ reader }) => reader.ready)
  }

  /** Saves and closes everything. `clean`: the process ends in order. */
  async stop(clean: boolean): Promise<void> {
    this.#stopped = true
    for (const timer of Object.values(this.#timers)) clearTimeout(timer)
    this.#timers = {}
    // The last save may meet one that is running: then its snapshot is taken after that one.
    await this.#store.save(() => this.snapshot(clean))
    await this.#sweep.close()
    for (const tailer of this.#tailers.values()) tailer.close()
  }

  snapshot(clean = false): Checkpoint {
    const generations: SavedGeneration[] = []
    // Of several generations of one inode the last one is the file's: resuming relies on this order.
    generations.push(...this.#done.values(), ...this.#sought)
    for (const { saved } of this.#parked.values()) generations.push(saved)
    for (const { generation, path } of this.#finishing) generations.push(generation.save(path))
    for (const tailer of this.#tailers.values()) generations.push(tailer.generation.save(tailer.path))
    const totals = [...this.#ledger].map(({ source, backend, account }) => ({
      source,
      backend,
      settled: account.committed,
      vanishedBytes: account.vanishedBytes,
    }))
    return { epoch: this.#epoch, generations, totals, clean }
  }

  // ── Looking ────────────────────────────────────────────────────────────────────────────────────────────────────

  #tick(): void {
    const now = performance.now()
    this.#turnedAt = now
    if (now >= this.#sweepDue) this.#look(false)
    for (const tailer of this.#tailers.values()) if (tailer.due <= now) this.#poll(tailer, now)
    this.#limitHeld()
    this.#timers.tick = setTimeout(() => this.#tick(), TICK)
  }

  /** Bytes of the volume that only we keep from being freed: files that were deleted and are not acknowledged. */
  get heldBytes(): number {
    let bytes = 0
    for (const tailer of this.#tailers.values()) if (isHeld(tailer)) bytes += tailer.size
    return bytes
  }

  /** What the application deleted and a backend holds up must not fill the volume, unless it may. */
  #limitHeld(): void {
    const { maxBytes, policy } = this.#heldOptions
    let excess = this.heldBytes - maxBytes
    if (excess <= 0) return
    if (policy === 'hold') {
      this.#log.warn(
        { bytes: maxBytes + excess, maxBytes },
        'deleted files that are not acknowledged take more of the volume than they should',
      )
      return
    }
    // Tailers stand in the order in which they were taken up: the oldest first.
    for (const tailer of this.#tailers.values()) {
      if (excess <= 0) return
      if (!isHeld(tailer)) continue
      excess -= tailer.size
      this.#giveUp(tailer)
    }
  }

  /** Drops what is unread of a file and lets go of it; what is in flight of it goes on. */
  #giveUp(tailer: Tailer): void {
    const { generation, path, size } = tailer
    let most = 0
    for (const cursor of generation.cursors) {
      const bytes = size - cursor.read
      most = Math.max(most, bytes)
      if (bytes > 0) cursor.skipped(bytes, NO_MARKER, 'held_limit')
    }
    this.#log.error(
      { source: generation.origin.source, path, bytes: most },
      'unread bytes of a deleted file were dropped: state.held.maxBytes is reached',
    )
    if (!generation.idle) this.#finishing.add({ generation, path })
    this.#close(tailer)
  }

  #hotTick(): void {
    delete this.#timers.hot
    const now = performance.now()
    for (const tailer of this.#hot) {
      if (now - tailer.changedAt > HOT_FOR || tailer.state.kind === 'closed') this.#hot.delete(tailer)
      else this.#poll(tailer, now)
    }
    this.#keepHot()
  }

  #keepHot(): void {
    if (this.#hot.size > 0 && this.#timers.hot === undefined) this.#timers.hot = setTimeout(() => this.#hotTick(), HOT)
  }

  /** A watch event: this path deserves a look now. */
  #hint(path: string): void {
    const tailer = this.#byPath.get(path)
    if (tailer) this.#poll(tailer, performance.now())
    if (tailer?.state.kind === 'live') return
    // Something appeared, left or moved: look at the folders, soon but not for each of a burst of events.
    this.#timers.hint ??= setTimeout(() => {
      delete this.#timers.hint
      this.#look(false)
    }, HOT)
  }

  #poll(tailer: Tailer, now: number): void {
    const before = tailer.state.kind
    const sight = tailer.poll(now, this.#final)
    if (tailer.state.kind !== before) this.#moved(tailer)
    switch (sight.kind) {
      case 'intact':
        if (sight.changed && this.#hot.size < MAX_HOT) this.#hot.add(tailer)
        if (sight.unread) this.#offer(tailer)
        break
      case 'shortened':
        this.#vanished(tailer, tailer.generation, () => sight.bytes)
        this.#offer(tailer)
        break
      case 'replaced':
        this.#replaced(tailer)
        break
    }
    this.#keepPinned(tailer)
    if (tailer.finished(now)) this.#close(tailer)
    tailer.due = now + (now - tailer.changedAt < ACTIVE_FOR ? 0 : IDLE - TICK / 2)
    this.#keepHot()
  }

  /** Pins what a backend has been behind on for a moment, and lets go of what is acknowledged. */
  #keepPinned(tailer: Tailer): void {
    const { generation } = tailer
    if (tailer.pinned) {
      if (generation.doneAt(tailer.size)) this.#unpin(tailer)
      return
    }
    if (tailer.state.kind !== 'live') return
    const behind = generation.cursors.some(cursor => !cursor.idle && Date.now() - cursor.caughtUpAt > PIN_AFTER)
    if (behind) tailer.pinned = this.#pins.pin(generation.key, tailer.path, tailer.inode)
  }

  #unpin(tailer: Tailer): void {
    this.#pins.release(tailer.generation.key)
    tailer.pinned = false
  }

  #offer(tailer: Tailer): void {
    if (this.#held.has(tailer)) return
    for (const cursor of tailer.generation.cursors) {
      if ((this.#final || tailer.ending ? cursor.read : cursor.scanned) >= tailer.size) continue
      this.#members.find(({ reader }) => reader.backend === cursor.backend)?.reader.offer(tailer, cursor)
    }
  }

  /** A file lost its name: another may carry it now. */
  #moved(tailer: Tailer): void {
    if (this.#byPath.get(tailer.path) === tailer) this.#byPath.delete(tailer.path)
    const { path, source } = tailer.generation.origin
    this.#vacated.set(path, this.#sources.get(source)!)
    this.#pinRotated(tailer)
    this.#sweepDue = 0
    this.#timers.hint ??= setTimeout(() => {
      delete this.#timers.hint
      this.#look(false)
    }, 0)
    this.#saveSoon()
  }

  /** Its new name may not last: whoever keeps three files deletes the fourth. */
  #pinRotated(tailer: Tailer): void {
    const { generation, inode } = tailer
    if (tailer.pinned || generation.doneAt(tailer.size)) return
    const name = nameOf(inode, tailer.path)
    if (name !== undefined) tailer.pinned = this.#pins.pin(generation.key, name, inode)
  }

  #close(tailer: Tailer): void {
    this.#unpin(tailer)
    this.#unpacked.release(tailer.generation.key)
    const key = inodeKey(tailer.inode)
    this.#tailers.delete(key)
    this.#hot.delete(tailer)
    // A file without a name cannot come back under one.
    if (tailer.state.kind !== 'deleted') this.#remember(key, { ...tailer.generation.save(tailer.path), done: true })
    tailer.close()
    this.#saveSoon()
  }

  #remember(key: string, saved: SavedGeneration): void {
    this.#done.set(key, saved)
    if (this.#done.size > MAX_DONE) this.#done.delete(this.#done.keys().next().value!)
  }

  // ── Sweeping ───────────────────────────────────────────────────────────────────────────────────────────────────

  #look(all: boolean): void {
    this.#sweepDue = performance.now() + SWEEP
    const found = this.#sweep.look(all)
    for (const path of this.#refused.keys()) if (!found.has(path)) this.#refused.delete(path)
    for (const path of this.#suspects.keys()) if (!found.has(path)) this.#suspects.delete(path)
    for (const candidate of found.values()) {
      const known = this.#byPath.get(candidate.path)
      if (known?.state.kind === 'live' || this.#sleeps(candidate.path)) continue
      this.#consider(candidate)
    }
    for (const [path, parked] of this.#parked) if (!found.has(path)) this.#wakeUp(path, parked)
    // A name that leads nowhere now may have led somewhere for a moment.
    for (const [path, source] of this.#vacated) this.#catchUp(source, path)
    this.#vacated.clear()
  }

  /** A path of the pattern that leads to no tailer of ours. */
  #consider(candidate: Found): void {
    const opened = this.#open(candidate)
    if (opened === undefined) return
    const key = inodeKey(inodeOf(opened.stats))
    const known = this.#tailers.get(key)
    if (known) {
      // The same file under another name: renamed within the pattern, or a second link.
      closeSync(opened.fd)
      if (known.state.kind !== 'live') {
        known.path = candidate.path
        known.state = { kind: 'live' }
        this.#byPath.set(candidate.path, known)
        this.#poll(known, performance.now())
      }
      return
    }
    const done = this.#done.get(key)
    if (done) {
      this.#done.delete(key)
      if (isGeneration(opened, { head: done.head, cursors: Object.values(done.cursors) })) {
        this.#follow(candidate.path, opened, this.#restored(candidate.source, done, inodeOf(opened.stats)))
        return
      }
    }
    if (this.#isSuspect(candidate.path, opened)) {
      closeSync(opened.fd)
      return
    }
    this.#catchUp(candidate.source, candidate.path)
    // It may have been renamed since it was opened: then it was just found under its new name.
    if (this.#tailers.has(key)) {
      closeSync(opened.fd)
      return
    }
    this.#follow(
      candidate.path,
      opened,
      this.#begun(candidate.source, candidate.path, inodeOf(opened.stats), done ? Date.now() : 0),
    )
  }

  #open(candidate: Found): (Opened & { kind: 'open' }) | undefined {
    // The state folder may lie among the logs: shipping our own checkpoint would never end.
    if (this.#store.owns(candidate.path)) return undefined
    const opened = openRegular(candidate.path, [candidate.root, ...candidate.source.followSymlinks])
    switch (opened.kind) {
      case 'open':
        this.#refused.delete(candidate.path)
        return opened
      case 'absent':
        return undefined
      case 'refused': {
        const { path, source } = candidate
        // The next sweep finds handles free.
        if (opened.reason === TOO_MANY) this.#park()
        if (this.#refused.get(path)?.reason !== opened.reason) {
          this.#refused.set(path, { source: source.name, path, reason: opened.reason })
          const fields = { about: path, source: source.name, path, reason: opened.reason }
          // It is no fault of this path, and passes.
          if (opened.reason !== TOO_MANY) this.#log.warn(fields, 'a path is not followed')
        }
        return undefined
      }
    }
  }

  /** Closes the handles of files that are idle and acknowledged; their positions are kept, their names are watched. */
  #park(): void {
    const now = performance.now()
    const idle = [...this.#tailers.values()]
      .filter(({ state, changedAt }) => state.kind === 'live' && now - changedAt > PARK_AFTER)
      .filter(({ generation, size }) => generation.doneAt(size))
      .sort((one, other) => one.changedAt - other.changedAt)
    for (const tailer of idle.slice(0, Math.max(64, idle.length / 2))) {
      const { path, size, modified } = tailer
      const saved = tailer.generation.save(path)
      this.#unpin(tailer)
      this.#tailers.delete(inodeKey(tailer.inode))
      this.#byPath.delete(path)
      this.#hot.delete(tailer)
      tailer.close()
      this.#parked.set(path, { saved, size, modified })
    }
    this.#log.warn({ parked: this.#parked.size }, 'too many open files: handles of idle files are closed meanwhile')
  }

  /** Whether the path still leads to a parked file that has not changed. If it has changed, it is taken up again. */
  #sleeps(path: string): boolean {
    const parked = this.#parked.get(path)
    if (parked === undefined) return false
    const stats = statPath(path)
    const same = stats !== undefined && inodeKey(inodeOf(stats)) === inodeKey(parked.saved.inode)
    if (same && Number(stats.size) === parked.size && stats.mtimeNs === parked.modified) return true
    this.#wakeUp(path, parked, same)
    return false
  }

  /** `same`: its path still leads to it, and will be considered next. Otherwise it is looked for under other names. */
  #wakeUp(path: string, { saved }: Parked, same = false): void {
    this.#parked.delete(path)
    if (same) this.#remember(inodeKey(saved.inode), saved)
    else this.#findAgain(saved, false, key => this.#tailers.has(key))
  }

  #isSuspect(path: string, opened: Opened & { kind: 'open' }): boolean {
    if (this.#final) return false
    const now = performance.now()
    const since = this.#suspects.get(path)
    if (since !== undefined && now - since > HOLD) return false
    for (const tailer of [...this.#tailers.values()]) {
      if (tailer.state.kind !== 'live' || dirname(path) !== dirname(tailer.path)) continue
      if (!isRotationOf(basename(path), basename(tailer.path))) continue
      // The truncation that explains the copy may have happened already: then it goes on in this file.
      this.#poll(tailer, now)
      if (this.#tailers.has(inodeKey(inodeOf(opened.stats)))) return true
      if (!mayBeCopyOf(path, opened, tailer)) continue
      this.#suspects.set(path, since ?? now)
      return true
    }
    return false
  }

  #follow(path: string, opened: Opened & { kind: 'open' }, generation: Generation): Tailer {
    const now = performance.now()
    const tailer = new Tailer(opened.fd, path, opened.stats, generation, now)
    tailer.pinned = this.#pins.has(generation.key)
    this.#suspects.delete(path)
    this.#tailers.set(inodeKey(tailer.inode), tailer)
    this.#byPath.set(path, tailer)
    this.#born(generation.origin.path, tailer.inode)
    if (this.#timed.has(generation)) this.#hold(tailer)
    this.#offer(tailer)
    this.#hot.add(tailer)
    this.#keepHot()
    this.#saveSoon(true)
    return tailer
  }

  #born(path: string, { birth }: Inode): void {
    const youngest = this.#births.get(path)
    if (youngest === undefined || BigInt(birth) > BigInt(youngest)) this.#births.set(path, birth)
  }

  /** Follows the files that were rotated away from `path` before anybody saw them under it. */
  #catchUp(source: SourceOptions, path: string): void {
    const birth = this.#births.get(path)
    if (birth === undefined) return
    // A copy must not be taken for a rotated file: the truncation that explains it may have happened already.
    for (const tailer of [...this.#tailers.values()]) {
      if (tailer.generation.origin.path === path) this.#poll(tailer, performance.now())
    }
    const known = (key: string) => this.#tailers.has(key) || this.#done.has(key)
    for (const missed of findMissed(path, birth, known)) {
      if ([...this.#tailers.values()].some(tailer => mayBeCopyOf(missed.path, missed.opened, tailer))) {
        closeSync(missed.opened.fd)
        continue
      }
      const generation = this.#begun(source, path, inodeOf(missed.opened.stats), 0)
      const tailer = this.#follow(missed.path, missed.opened, generation)
      this.#rotated(tailer)
      this.#pinRotated(tailer)
    }
  }

  /** Its name is not one that it was followed by. */
  #rotated(tailer: Tailer): void {
    tailer.state = { kind: 'rotated', since: performance.now() }
    this.#byPath.delete(tailer.path)
    this.#sweepDue = 0
  }

  // ── Generations ────────────────────────────────────────────────────────────────────────────────────────────────

  /** A generation that begins now. `incarnation`: 0, or the time if its inode may have had another before. */
  #begun(source: SourceOptions, path: string, inode: Inode, incarnation: number): Generation {
    // Without birth times a reused inode would get the id of the file it belonged to before.
    const time = inode.birth === '0' ? Date.now() : incarnation
    const generation = this.#generation(source, path, generationId(this.#epoch, inode, time), inode, NO_HEAD, 0, {})
    if (time !== 0) this.#timed.add(generation)
    return generation
  }

  #restored(source: SourceOptions, saved: SavedGeneration, inode: Inode): Generation {
    return this.#generation(source, saved.origin, saved.id, inode, saved.head, saved.size, saved.cursors, saved.key)
  }

  #generation(
    source: SourceOptions,
    path: string,
    id: string,
    inode: Inode,
    head: SavedGeneration['head'],
    size: number,
    saved: SavedGeneration['cursors'],
    bare = id,
  ): Generation {
    const origin = { source: source.name, path, generation: id, labels: source.labels }
    const cursors = this.#members
      .filter(({ sources }) => sources.has(source.name))
      .map(({ reader: { backend } }) => {
        const account = new Account(this.#ledger.account(source.name, backend))
        account.generation()
        return new Cursor(backend, account, saved[backend] ?? { offset: 0, marker: NO_MARKER }, () => this.#committed())
      })
    return new Generation(origin, inode, head, size, cursors, bare)
  }

  /** Other content stands in the file: the old generation goes on in a copy if there is one, a new one begins here. */
  #replaced(tailer: Tailer): void {
    const old = tailer.generation
    // The pin holds the inode, whose content is another now.
    this.#unpin(tailer)
    const wanted: Wanted = {
      path: tailer.path,
      inode: tailer.inode,
      head: old.head,
      cursors: old.cursors.map(cursor => ({ offset: cursor.read, marker: cursor.marker })),
    }
    const source = this.#sources.get(old.origin.source)!
    tailer.generation = this.#begun(source, tailer.path, tailer.inode, Date.now())
    const copy = findSibling(wanted, 'copy', key => this.#tailers.has(key))
    if (copy) this.#continueIn(copy.path, copy.opened, old)
    else {
      this.#vanished(tailer, old, cursor => Math.max(0, old.size - cursor.read))
      if (!old.idle) this.#finishing.add({ generation: old, path: tailer.path })
    }
    this.#log.info(
      { source: old.origin.source, path: tailer.path, copy: copy?.path ?? null },
      copy ? 'a file was truncated; its copy is read to the end' : 'a file was truncated; it is read from the start',
    )
    this.#hold(tailer)
  }

  /** Its id holds the time: it must be on disk before anything of it leaves, or a restart would make another. */
  #hold(tailer: Tailer): void {
    this.#held.add(tailer)
    void this.#store
      .save(() => this.snapshot())
      .then(() => {
        this.#held.delete(tailer)
        if (tailer.state.kind !== 'closed') this.#poll(tailer, performance.now())
      })
  }

  /** Goes on with a generation in another file than the one it was begun in. */
  #continueIn(path: string, opened: Opened & { kind: 'open' }, generation: Generation): void {
    generation.inode = inodeOf(opened.stats)
    for (const cursor of generation.cursors) {
      cursor.queued = false
      cursor.scanned = cursor.read
    }
    const tailer = this.#follow(path, opened, generation)
    this.#rotated(tailer)
    this.#pinRotated(tailer)
  }

  #vanished(tailer: Tailer, generation: Generation, bytes: (cursor: Cursor) => number): void {
    let most = 0
    for (const cursor of generation.cursors) {
      const gone = bytes(cursor)
      cursor.account.vanished(gone)
      most = Math.max(most, gone)
    }
    if (most > 0) {
      this.#log.error(
        { source: generation.origin.source, path: tailer.path, bytes: most },
        'bytes were truncated before they could be read; they are counted as vanished',
      )
    }
  }

  // ── Resuming ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** The first sweep: finds every saved generation again, then takes up what is new. */
  #resume(checkpoint: Checkpoint): void {
    const ids = new Set(checkpoint.generations.map(({ key }) => key))
    this.#pins.inherit(ids)
    this.#unpacked.inherit(ids)
    const saved = new Map<string, SavedGeneration>()
    const orphans: SavedGeneration[] = []
    for (const entry of checkpoint.generations) {
      if (!this.#sources.has(entry.source)) continue
      const key = inodeKey(entry.inode)
      // Two generations of one inode: the later one is the file's, the earlier one was waiting for its end.
      const other = saved.get(key)
      if (other) orphans.push(other)
      saved.set(key, entry)
    }
    const replaced = new Set<SavedGeneration>(orphans)
    const fresh: { candidate: Found; opened: Opened & { kind: 'open' } }[] = []
    for (const candidate of this.#sweep.look(true).values()) {
      const opened = this.#open(candidate)
      if (opened === undefined) continue
      const key = inodeKey(inodeOf(opened.stats))
      if (this.#tailers.has(key)) {
        closeSync(opened.fd)
        continue
      }
      const entry = saved.get(key)
      if (
        entry &&
        sameBirth(entry.inode, inodeOf(opened.stats)) &&
        isGeneration(opened, { head: entry.head, cursors: Object.values(entry.cursors) })
      ) {
        saved.delete(key)
        this.#follow(candidate.path, opened, this.#restored(candidate.source, entry, inodeOf(opened.stats)))
      } else fresh.push({ candidate, opened })
    }
    // What was rotated away from a followed name while we were down, and never seen under it.
    for (const { origin, source, inode } of checkpoint.generations) {
      const known = this.#sources.get(source)
      if (known) this.#vacated.set(origin, known)
      this.#born(origin, inode)
    }
    const taken = (key: string) => this.#tailers.has(key)
    const freshKeys = new Set(fresh.map(({ opened }) => inodeKey(inodeOf(opened.stats))))
    for (const [key, entry] of saved) if (freshKeys.has(key)) replaced.add(entry)
    for (const entry of [...saved.values(), ...orphans]) this.#findAgain(entry, replaced.has(entry), taken)
    for (const [path, source] of this.#vacated) this.#catchUp(source, path)
    this.#vacated.clear()
    for (const { candidate, opened } of fresh) {
      const key = inodeKey(inodeOf(opened.stats))
      if (this.#tailers.has(key)) closeSync(opened.fd)
      else {
        const incarnation = saved.has(key) ? Date.now() : 0
        this.#follow(
          candidate.path,
          opened,
          this.#begun(candidate.source, candidate.path, inodeOf(opened.stats), incarnation),
        )
      }
    }
  }

  /** What an earlier process pinned: the file may have no other name. */
  #pinnedBefore(entry: SavedGeneration, wanted: Wanted, taken: (key: string) => boolean): Sibling | undefined {
    const path = this.#pins.has(entry.key) ? this.#pins.path(entry.key) : undefined
    if (path === undefined) return undefined
    const opened = openRegular(path, [dirname(path)])
    if (opened.kind !== 'open') return undefined
    if (!taken(inodeKey(inodeOf(opened.stats))) && isGeneration(opened, wanted)) return { path, opened }
    closeSync(opened.fd)
    return undefined
  }

  /** Looks for a saved generation that no path of the pattern leads to. */
  #findAgain(entry: SavedGeneration, replaced: boolean, taken: (key: string) => boolean): void {
    if (entry.done) {
      if (!replaced && nameOf(entry.inode, entry.origin) !== undefined) this.#remember(inodeKey(entry.inode), entry)
      return
    }
    const cursors = Object.values(entry.cursors)
    const wanted: Wanted = { path: entry.origin, inode: entry.inode, head: entry.head, cursors }
    const kept = this.#unpacked.before(entry.key, wanted) ?? this.#pinnedBefore(entry, wanted, taken)
    const same = kept ?? (replaced ? undefined : findSibling(wanted, 'inode', taken))
    const found = same ?? findSibling(wanted, 'copy', taken)
    if (found) this.#resumeIn(entry, found)
    else {
      this.#sought.add(entry)
      void this.#seek(entry, wanted)
    }
  }

  /** The last resort: it may have been compressed. */
  async #seek(entry: SavedGeneration, wanted: Wanted): Promise<void> {
    const found = await this.#unpacked.find(entry.key, wanted)
    this.#sought.delete(entry)
    if (this.#stopped) {
      if (found) closeSync(found.opened.fd)
    } else if (found) this.#resumeIn(entry, found)
    else {
      this.#gone(entry)
      this.#saveSoon()
    }
  }

  #resumeIn(entry: SavedGeneration, { path, opened }: Sibling): void {
    this.#continueIn(path, opened, this.#restored(this.#sources.get(entry.source)!, entry, entry.inode))
  }

  /** A saved generation is nowhere: what was seen of it and not read is counted. */
  #gone(entry: SavedGeneration): void {
    let most = 0
    for (const [backend, { offset }] of Object.entries(entry.cursors)) {
      const known = this.#members.some(({ reader, sources }) => reader.backend === backend && sources.has(entry.source))
      if (!known) continue
      this.#ledger.account(entry.source, backend).vanished(entry.size - offset)
      most = Math.max(most, entry.size - offset)
    }
    if (most === 0) return
    this.#log.error(
      { source: entry.source, path: entry.origin, bytes: most },
      'a file with unread bytes is gone since the last run; they are counted as vanished',
    )
  }

  // ── Saving ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #committed(): void {
    for (const entry of this.#finishing) if (entry.generation.idle) this.#finishing.delete(entry)
    this.#saveSoon()
  }

  /** `urgent`: a file was taken up; until that is on disk, a death would forget that it ever had this name. */
  #saveSoon(urgent = false): void {
    const sooner = urgent && !this.#urgent
    this.#dirty = true
    this.#urgent ||= urgent
    if (this.#saving) return
    if (sooner) {
      clearTimeout(this.#timers.save)
      delete this.#timers.save
    }
    this.#timers.save ??= setTimeout(() => this.#save(), this.#urgent ? SAVE_URGENT : SAVE)
  }

  #save(): void {
    delete this.#timers.save
    this.#dirty = false
    this.#urgent = false
    this.#saving = true
    void this.#store
      .save(() => this.snapshot())
      .then(() => {
        this.#saving = false
        if (!this.#dirty || this.#stopped) return
        const urgent = this.#urgent
        this.#urgent = false
        this.#saveSoon(urgent)
      })
  }
}

/** The same incarnation of an inode, as far as the file system can tell. */
function sameBirth(one: Inode, other: Inode): boolean {
  return one.birth === other.birth || one.birth === '0' || other.birth === '0'
}

/** It has no name any more, and is not done. */
function isHeld(tailer: Tailer): boolean {
  return tailer.state.kind === 'deleted' && !tailer.generation.doneAt(tailer.size)
}
