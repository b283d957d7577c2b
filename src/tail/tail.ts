/**
 * The room: all files that are followed, and everything that happens to them between a sweep and a checkpoint.
 *
 *     sweep ──► candidates ──► tailers ──► (cursors with something to read) ──► readers, one per pipeline
 *                                 ▲
 *     lookout: when to look    recovery: what a checkpoint knows    lineage: new generations    saver: when to save
 *
 * Guarantees: polling is the truth and watch events only bring it forward; a file is followed by identity, never by
 * name; a handle closes only when its file is read, acknowledged and quiet; what can provably not be read any more is
 * counted as vanished; what is refused is named once and looked at again; nothing here ends the process.
 */
import { closeSync } from 'node:fs'
import type { Ledger } from '../ledger.ts'
import type { Logger } from '../log.ts'
import type { Checkpoint, CheckpointStore, SavedGeneration } from './checkpoint.ts'
import { type Inode, inodeKey, inodeOf } from './fingerprint.ts'
import type { Cursor, Generation } from './generation.ts'
import { dropUnread, heldBytes, overLimit } from './held.ts'
import { Lineage, type Member } from './lineage.ts'
import { Lookout } from './lookout.ts'
import { type OpenFile, openRegular, TOO_MANY } from './open.ts'
import type { HeldOptions, SourceOptions } from './options.ts'
import { Parking } from './parking.ts'
import { type PinHealth, Pins } from './pins.ts'
import type { ReaderEvents } from './reader.ts'
import { Recovery } from './recovery.ts'
import { Saver } from './saver.ts'
import {
  findMissed,
  findSibling,
  isGeneration,
  isRelated,
  mayBeCopyOf,
  nameOf,
  sameBirth,
  type Wanted,
} from './siblings.ts'
import type { Found, Sweep } from './sweep.ts'
import { Tailer } from './tailer.ts'
import { Unpacked } from './unpack.ts'

/** What may be a copy of a followed file is held back for this long: milliseconds. */
const HOLD = 5000
/** Finished files that are remembered, so that one that comes back under a followed name is not read again. */
const MAX_DONE = 512
/** A file is pinned when a backend has been behind on it for so long: milliseconds. */
const PIN_AFTER = 200

/** For so long after a path lost its file, what was rotated away from it is looked for: milliseconds. */
const LOOK_AGAIN = 3000

/** A path that lost its file. A look may miss a name that is being changed just then, so one look is not enough. */
interface Vacated {
  readonly source: SourceOptions
  /** When the youngest file that had been followed there was born; undefined: as it is known by then. */
  readonly birth: string | undefined
  readonly until: number
}

export interface Refusal {
  readonly source: string
  readonly path: string
  readonly reason: string
}

export class Tail {
  readonly #sweep: Sweep
  readonly #store: CheckpointStore
  readonly #ledger: Ledger
  readonly #log: Logger
  readonly #heldOptions: HeldOptions
  readonly #sources: ReadonlyMap<string, SourceOptions>
  readonly #pins: Pins
  readonly #unpacked: Unpacked
  readonly #lineage: Lineage
  readonly #lookout: Lookout
  readonly #recovery: Recovery
  readonly #saver: Saver
  readonly #parking = new Parking()
  /** By inode, in the order in which they were taken up; and those whose path leads to them, by path. */
  readonly #tailers = new Map<string, Tailer>()
  readonly #byPath = new Map<string, Tailer>()
  /** Generations whose file is gone or replaced while chunks of them are still in flight. */
  readonly #finishing = new Set<{ generation: Generation; path: string }>()
  /** Tailers whose file is not under its followed name any more: they go before the one that took it. */
  readonly #aside = new Set<Tailer>()
  readonly #done = new Map<string, SavedGeneration>()
  readonly #refused = new Map<string, Refusal>()
  /** When the youngest file that was followed under a path was born. */
  readonly #births = new Map<string, string>()
  /** Paths that lost their file since the last sweep. */
  readonly #vacated = new Map<string, Vacated>()
  readonly #suspects = new Map<string, number>()
  /** Tailers whose new generation must be on disk before anything of it is sent: its id is not derived again. */
  readonly #held = new Set<Tailer>()
  #final = false
  #swept = false

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
    this.#saver = new Saver(store, () => this.snapshot())
    this.#lineage = new Lineage(ledger, () => this.#committed())
    this.#lookout = new Lookout(this.#tailers, {
      poll: (tailer, now) => this.#poll(tailer, now),
      sweep: () => this.#look(false),
      ticked: () => this.#limitHeld(),
    })
    this.#recovery = new Recovery({
      place: {
        taken: key => this.#tailers.has(key),
        open: candidate => this.#open(candidate),
        follow: (path, opened, generation) => void this.#follow(path, opened, generation),
        continueIn: (path, opened, generation) => this.#continueIn(path, opened, generation),
        born: (path, inode, source) => {
          this.#vacated.set(path, { source, birth: undefined, until: 0 })
          this.#born(path, inode)
        },
        catchUp: () => this.#catchUpVacated(),
        remember: (key, saved) => this.#remember(key, saved),
      },
      lineage: this.#lineage,
      sources: this.#sources,
      pins: this.#pins,
      unpacked: this.#unpacked,
      ledger,
      log,
      onSettled: () => this.#saver.later(),
    })
  }

  /** Lets a pipeline take part. Before `start`. */
  join(member: Member): void {
    this.#lineage.members.push(member)
  }

  /** Loads the checkpoint, finds everything again and begins to follow. Never rejects. */
  async start(): Promise<void> {
    const checkpoint = await this.#store.load()
    this.#lineage.epoch = checkpoint.epoch
    for (const { source, backend, settled, vanishedBytes } of checkpoint.totals) {
      if (this.#lineage.wants(backend, source)) this.#ledger.account(source, backend, settled, vanishedBytes)
    }
    // The epoch must outlive us before an id made from it leaves the house.
    await this.#store.save(() => ({ ...checkpoint, clean: false }))
    this.#recovery.resume(checkpoint, this.#sweep.look(true).values())
    this.#swept = true
    this.#sweep.watch(path => this.#hint(path))
    this.#lookout.start()
  }

  /** Milliseconds of the monotonic clock at which the loop last turned. */
  get turnedAt(): number {
    return this.#lookout.turnedAt
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

  /** Bytes of the volume that only we keep from being freed: files that were deleted and are not acknowledged. */
  get heldBytes(): number {
    return heldBytes(this.#tailers.values())
  }

  get refused(): Iterable<Refusal> {
    return this.#refused.values()
  }

  /** What the readers report about a file. */
  get events(): ReaderEvents {
    return {
      replaced: tailer => this.#replaced(tailer),
      failed: tailer => {
        this.#lookout.cool(tailer)
        const { source } = tailer.generation.origin
        this.#log.warn({ about: tailer.path, source, path: tailer.path }, 'a file cannot be read; it is tried again')
      },
    }
  }

  /** From now on nobody writes any more, as far as we know: last lines without a line end are taken too. */
  finish(): void {
    this.#final = true
    for (const { reader } of this.#lineage.members) reader.final = true
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
    const waiting = this.#held.size > 0 || this.#recovery.sought.size > 0
    return waiting || this.#lineage.members.some(({ reader }) => reader.ready)
  }

  /** Saves and closes everything. `clean`: the process ends in order. */
  async stop(clean: boolean): Promise<void> {
    this.#lookout.stop()
    this.#recovery.stop()
    this.#saver.stop()
    // The last save may meet one that is running: then its snapshot is taken after that one.
    await this.#store.save(() => this.snapshot(clean))
    await this.#sweep.close()
    for (const tailer of this.#tailers.values()) tailer.close()
  }

  snapshot(clean = false): Checkpoint {
    // Of several generations of one inode the last one is the file's: resuming relies on this order.
    const generations = [...this.#done.values(), ...this.#recovery.sought, ...this.#parking.saved()]
    for (const { generation, path } of this.#finishing) generations.push(generation.save(path, true))
    for (const tailer of this.#tailers.values()) generations.push(tailer.generation.save(tailer.path))
    const totals = [...this.#ledger].map(({ source, backend, account }) => ({
      source,
      backend,
      settled: account.committed,
      vanishedBytes: account.vanishedBytes,
    }))
    return { epoch: this.#lineage.epoch, generations, totals, clean }
  }

  // ── One file ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** A watch event: this path deserves a look now. */
  #hint(path: string): void {
    const tailer = this.#byPath.get(path)
    if (tailer) this.#poll(tailer, performance.now())
    // Otherwise something appeared, left or moved.
    if (tailer?.state.kind !== 'live') this.#lookout.sweepSoon()
  }

  #poll(tailer: Tailer, now: number): void {
    const before = tailer.state.kind
    const sight = tailer.poll(now, this.#final)
    if (tailer.state.kind !== before) this.#moved(tailer)
    switch (sight.kind) {
      case 'intact':
        if (sight.changed) this.#lookout.heat(tailer)
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
    this.#lookout.seen(tailer, now)
  }

  #offer(tailer: Tailer): void {
    if (this.#held.has(tailer)) return
    const elders = tailer.state.kind === 'live' ? this.#eldersOf(tailer) : []
    for (const cursor of tailer.generation.cursors) {
      // While an older generation is being read this one waits; the next look offers it again.
      if (
        elders.some(({ generation }) =>
          generation.cursors.some(({ backend, queued }) => queued && backend === cursor.backend),
        )
      ) {
        continue
      }
      if ((this.#final || tailer.ending ? cursor.read : cursor.scanned) >= tailer.size) continue
      this.#lineage.readerOf(cursor.backend)?.offer(tailer, cursor)
    }
  }

  /** Files that had this one's name before it, after a look at them: what was written to them last comes first. */
  #eldersOf(tailer: Tailer): Tailer[] {
    const { path } = tailer.generation.origin
    const elders = [...this.#aside].filter(({ generation }) => generation.origin.path === path)
    const now = performance.now()
    for (const elder of elders) this.#poll(elder, now)
    return elders
  }

  #follow(path: string, opened: OpenFile, generation: Generation): Tailer {
    const tailer = new Tailer(opened.fd, path, opened.stats, generation, performance.now())
    tailer.pinned = this.#pins.has(generation.key)
    this.#suspects.delete(path)
    this.#tailers.set(inodeKey(tailer.inode), tailer)
    this.#byPath.set(path, tailer)
    this.#born(generation.origin.path, tailer.inode)
    if (this.#lineage.isTimed(generation)) this.#hold(tailer)
    this.#offer(tailer)
    this.#lookout.heat(tailer)
    this.#saver.soon()
    return tailer
  }

  /** A file lost its name: another may carry it now. */
  #moved(tailer: Tailer): void {
    if (this.#byPath.get(tailer.path) === tailer) this.#byPath.delete(tailer.path)
    this.#aside.add(tailer)
    const { path, source } = tailer.generation.origin
    const birth = this.#vacated.get(path)?.birth ?? this.#births.get(path)
    this.#vacated.set(path, { source: this.#sources.get(source)!, birth, until: performance.now() + LOOK_AGAIN })
    this.#pinRotated(tailer)
    this.#lookout.sweepSoon()
    this.#saver.later()
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
    tailer.generation = this.#lineage.begun(source, tailer.path, tailer.inode, Date.now())
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
    void this.#saver.now().then(() => {
      this.#held.delete(tailer)
      if (tailer.state.kind !== 'closed') this.#poll(tailer, performance.now())
    })
  }

  /** Goes on with a generation in another file than the one it was begun in. */
  #continueIn(path: string, opened: OpenFile, generation: Generation): void {
    generation.inode = inodeOf(opened.stats)
    for (const cursor of generation.cursors) {
      cursor.queued = false
      cursor.scanned = cursor.read
    }
    this.#rotated(this.#follow(path, opened, generation))
  }

  /** The name it was taken up by is not one that is followed, and may not last. */
  #rotated(tailer: Tailer): void {
    tailer.state = { kind: 'rotated', since: performance.now() }
    this.#aside.add(tailer)
    this.#byPath.delete(tailer.path)
    this.#pinRotated(tailer)
    this.#lookout.sweepSoon()
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

  #committed(): void {
    for (const entry of this.#finishing) if (entry.generation.idle) this.#finishing.delete(entry)
    this.#saver.later()
  }

  #close(tailer: Tailer): void {
    this.#letGo(tailer)
    this.#unpacked.release(tailer.generation.key)
    // A file without a name cannot come back under one.
    if (tailer.state.kind !== 'deleted') {
      this.#remember(inodeKey(tailer.inode), { ...tailer.generation.save(tailer.path), done: true })
    }
    tailer.close()
    this.#saver.later()
  }

  #letGo(tailer: Tailer): void {
    this.#unpin(tailer)
    this.#tailers.delete(inodeKey(tailer.inode))
    this.#aside.delete(tailer)
    if (this.#byPath.get(tailer.path) === tailer) this.#byPath.delete(tailer.path)
    this.#lookout.forget(tailer)
  }

  #remember(key: string, saved: SavedGeneration): void {
    this.#done.set(key, saved)
    if (this.#done.size > MAX_DONE) this.#done.delete(this.#done.keys().next().value!)
  }

  // ── Pins and the volume ────────────────────────────────────────────────────────────────────────────────────────

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

  /** Its new name may not last: whoever keeps three files deletes the fourth. */
  #pinRotated(tailer: Tailer): void {
    const { generation, inode } = tailer
    if (tailer.pinned || generation.doneAt(tailer.size)) return
    const name = nameOf(inode, tailer.path)
    if (name !== undefined) tailer.pinned = this.#pins.pin(generation.key, name, inode)
  }

  #unpin(tailer: Tailer): void {
    this.#pins.release(tailer.generation.key)
    tailer.pinned = false
  }

  /** What the application deleted and a backend holds up must not fill the volume, unless it may. */
  #limitHeld(): void {
    for (const tailer of overLimit(this.#tailers.values(), this.#heldOptions, this.#log)) {
      const { generation, path } = tailer
      dropUnread(tailer, this.#log)
      if (!generation.idle) this.#finishing.add({ generation, path })
      this.#close(tailer)
    }
  }

  // ── The folders ────────────────────────────────────────────────────────────────────────────────────────────────

  #look(all: boolean): void {
    this.#lookout.swept()
    const found = this.#sweep.look(all)
    for (const path of this.#refused.keys()) if (!found.has(path)) this.#refused.delete(path)
    for (const path of this.#suspects.keys()) if (!found.has(path)) this.#suspects.delete(path)
    const unknown = [...found.values()].filter(({ path }) => this.#byPath.get(path)?.state.kind !== 'live')
    // A file before its copies, whose names are longer: they can be told from new files only by it.
    for (const candidate of unknown.sort((a, b) => a.path.length - b.path.length)) {
      if (!this.#sleeps(candidate.path)) this.#consider(candidate)
    }
    for (const path of this.#parking.paths) if (!found.has(path)) this.#sleeps(path)
    this.#catchUpVacated()
  }

  /** A path of the pattern that leads to no tailer of ours. */
  #consider(candidate: Found): void {
    const opened = this.#open(candidate)
    if (opened === undefined) return
    const { path, source } = candidate
    const inode = inodeOf(opened.stats)
    const key = inodeKey(inode)
    const known = this.#tailers.get(key)
    if (known) {
      // The same file under another name: renamed within the pattern, or a second link.
      closeSync(opened.fd)
      if (known.state.kind === 'live') return
      known.path = path
      known.state = { kind: 'live' }
      this.#aside.delete(known)
      this.#byPath.set(path, known)
      this.#poll(known, performance.now())
      return
    }
    const done = this.#done.get(key)
    this.#done.delete(key)
    if (done && isGeneration(opened, { head: done.head, cursors: Object.values(done.cursors) })) {
      this.#follow(path, opened, this.#lineage.restored(source, done, inode))
      return
    }
    if (this.#isSuspect(path, opened)) {
      closeSync(opened.fd)
      return
    }
    this.#catchUp(source, path, this.#vacated.get(path)?.birth)
    // It may have been renamed since it was opened: then it was just found under its new name.
    if (this.#tailers.has(key)) closeSync(opened.fd)
    else this.#follow(path, opened, this.#lineage.begun(source, path, inode, done ? Date.now() : 0))
  }

  #open({ path, root, source }: Found): OpenFile | undefined {
    // The state folder may lie among the logs: shipping our own checkpoint would never end.
    if (this.#store.owns(path)) return undefined
    const opened = openRegular(path, [root, ...source.followSymlinks])
    switch (opened.kind) {
      case 'open':
        this.#refused.delete(path)
        return opened
      case 'absent':
        return undefined
      case 'refused': {
        const { reason } = opened
        const known = this.#refused.get(path)?.reason
        this.#refused.set(path, { source: source.name, path, reason })
        // Too many open files are no fault of this path, and pass: the next sweep finds handles free.
        if (reason === TOO_MANY) this.#park()
        else if (reason !== known) {
          this.#log.warn({ about: path, source: source.name, path, reason }, 'a path is not followed')
        }
        return undefined
      }
    }
  }

  /** Gives the handles of idle files to others. */
  #park(): void {
    for (const tailer of this.#parking.choose(this.#tailers.values())) {
      this.#parking.park(tailer)
      this.#letGo(tailer)
      tailer.close()
    }
    const parked = this.#parking.size
    this.#log.warn({ parked }, 'too many open files: handles of idle files are closed meanwhile')
  }

  /** Whether the path leads to a parked file that has not changed. One that has changed is taken up or looked for. */
  #sleeps(path: string): boolean {
    if (!this.#parking.has(path)) return false
    const rest = this.#parking.look(path)
    if (rest === 'asleep') return true
    const saved = this.#parking.leave(path)!
    if (rest === 'changed') this.#remember(inodeKey(saved.inode), saved)
    else this.#recovery.findAgain(saved, false)
    return false
  }

  #isSuspect(path: string, opened: OpenFile): boolean {
    if (this.#final) return false
    const now = performance.now()
    const since = this.#suspects.get(path)
    if (since !== undefined && now - since > HOLD) return false
    for (const tailer of [...this.#tailers.values()]) {
      if (![tailer.path, tailer.generation.origin.path].some(other => isRelated(path, other))) continue
      // The truncation that explains the copy may have happened already: then it goes on in this file.
      this.#poll(tailer, now)
      if (this.#tailers.has(inodeKey(inodeOf(opened.stats)))) return true
      if (tailer.state.kind !== 'live' || !mayBeCopyOf(path, opened, tailer)) continue
      this.#suspects.set(path, since ?? now)
      return true
    }
    return false
  }

  #born(path: string, { birth }: Inode): void {
    const youngest = this.#births.get(path)
    if (youngest === undefined || BigInt(birth) > BigInt(youngest)) this.#births.set(path, birth)
  }

  /** A name that leads elsewhere now may have led somewhere else for a moment. */
  #catchUpVacated(): void {
    const now = performance.now()
    for (const [path, { source, birth, until }] of this.#vacated) {
      this.#catchUp(source, path, birth)
      if (now >= until) this.#vacated.delete(path)
    }
  }

  /** Follows the files that were rotated away from `path` before anybody saw them under it. */
  #catchUp(source: SourceOptions, path: string, birth = this.#births.get(path)): void {
    if (birth === undefined) return
    // A copy must not be taken for a rotated file: the truncation that explains it may have happened already.
    for (const tailer of [...this.#tailers.values()]) {
      if (tailer.generation.origin.path === path) this.#poll(tailer, performance.now())
    }
    // The number of an inode that was freed is given to the next file at once.
    const known = (inode: Inode) => {
      const done = this.#done.get(inodeKey(inode))
      return this.#tailers.has(inodeKey(inode)) || (done !== undefined && sameBirth(done.inode, inode))
    }
    for (const missed of findMissed(path, birth, known)) {
      if ([...this.#tailers.values()].some(tailer => mayBeCopyOf(missed.path, missed.opened, tailer))) {
        closeSync(missed.opened.fd)
        continue
      }
      const generation = this.#lineage.begun(source, path, inodeOf(missed.opened.stats), 0)
      this.#rotated(this.#follow(missed.path, missed.opened, generation))
    }
  }
}
