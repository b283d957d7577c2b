/**
 * The room: all files that are followed, and everything that happens to them between a sweep and a checkpoint.
 *
 *     sweep ──► candidates ──► tailers ──► (cursors with something to read) ──► readers, one per pipeline
 *                     │               ▲
 *                 └─► parked: more files than handles
 *
 *     scheduler: when to look    recovery: what a checkpoint knows    lineage: new generations    saver: when to save
 *     missed: paths that lost their file    truncation: files that lost their content    pinning: files that may go
 *     follower: what happens to a file between two looks
 *
 * Guarantees: polling is the truth and watch events only bring it forward; a file is followed by identity, never by
 * name; a handle closes only when its file is read, acknowledged and quiet; what can provably not be read any more is
 * counted as lost; what is refused is named once and looked at again; nothing here ends the process.
 */
import type { Island } from '../chunk.ts'
import { type Ledger, total } from '../ledger.ts'
import type { Logger } from '../log.ts'
import type { FileEvents } from '../progress.ts'
import { Effort } from './directories/effort.ts'
import { inodeKey } from './files/fingerprint.ts'
import { Habits } from './files/names.ts'
import type { OpenFile } from './files/open.ts'
import { isBelow } from './files/open.ts'
import { Candidates, type Refusal } from './following/candidates.ts'
import { Follower } from './following/follower.ts'
import type { Handover } from './following/handover.ts'
import { dropUnread, heldBytes, overLimit } from './following/held.ts'
import { Pinning } from './following/pinning.ts'
import { NO_PREVIOUS, type PreviousEnd, previousEnd, unsettledLater, type Waiting } from './following/previous.ts'
import { recover } from './following/recovery.ts'
import { Scheduler } from './following/scheduler.ts'
import type { ReaderEvents } from './framing/reader.ts'
import { FileLog } from './generation/file-log.ts'
import type { Generation } from './generation/generation.ts'
import { Lineage, type Member } from './generation/lineage.ts'
import { Table } from './generation/table.ts'
import type { Tailer } from './generation/tailer.ts'
import { Truncation } from './generation/truncation.ts'
import type { HeldOptions, SourceOptions } from './options.ts'
import { Archives } from './rotation/archives.ts'
import { Handles } from './rotation/handles.ts'
import { Lent } from './rotation/lent.ts'
import { Missed } from './rotation/missed.ts'
import { Search } from './rotation/search.ts'
import { Unpacked, type UnpackLimits } from './rotation/unpack.ts'
import { belonging } from './state/belonging.ts'
import { inBoot } from './state/boot.ts'
import type { Checkpoint, CheckpointStore, LastSave, Snapshot } from './state/checkpoint.ts'
import { type PinHealth, Pins } from './state/pins.ts'
import type { SavedGeneration } from './state/saved.ts'
import { Saver } from './state/saver.ts'
import type { Sweep } from './watching/sweep.ts'

/** What looks at every file take in one turn, once so many were looked at: milliseconds. */
const SLICE = 50
const LEAST = 8

/** What is looked for: the path it had, or that of its archive; bytes as far as they are known. */
export interface Sought extends Omit<Waiting, 'since'> {
  readonly room: boolean
}

export class Tail {
  readonly #sweep: Sweep
  readonly #store: CheckpointStore
  readonly #ledger: Ledger
  readonly #log: Logger
  readonly #heldOptions: HeldOptions
  readonly #table = new Table()
  readonly #pins: Pins
  readonly #lineage: Lineage
  readonly #fileLog: FileLog
  readonly #scheduler: Scheduler
  readonly #candidates: Candidates
  readonly #follower: Follower
  readonly #search: Search
  readonly #archives: Archives
  readonly #missed: Missed
  readonly #unpacked: Unpacked
  readonly #habits = new Habits(path => this.#table.isFollowed(path))
  readonly #lent = new Lent()
  readonly #sources: ReadonlyMap<string, SourceOptions>
  readonly #saver: Saver
  #swept = false
  /** Looks at every file that are under way. */
  #looking: Generator<void, void, void> | undefined
  #previous = NO_PREVIOUS

  constructor(
    sources: readonly SourceOptions[],
    sweep: Sweep,
    store: CheckpointStore,
    ledger: Ledger,
    log: Logger,
    held: HeldOptions = { maxBytes: Number.POSITIVE_INFINITY, policy: 'hold' },
    unpackLimits: UnpackLimits = {},
  ) {
    this.#sweep = sweep
    this.#store = store
    this.#ledger = ledger
    this.#log = log
    this.#heldOptions = held
    const table = this.#table
    const bySource = new Map(sources.map(source => [source.name, source]))
    const pins = new Pins(
      store.state,
      log,
      sources.flatMap(({ name }) => sweep.boundsOf(name)),
    )
    const unpacked = new Unpacked(store.state, unpackLimits)
    const lineage = new Lineage(table, ledger, () => this.#follower.committed())
    const saver = new Saver(store, () => this.snapshot())
    const truncation = new Truncation(table, log)
    const fileLog = new FileLog(bySource.keys(), log)
    const scheduler = new Scheduler(table, {
      poll: (tailer, now) => this.#follower.looks.look(tailer, now),
      sweep: () => this.#look(false),
      behind: () => this.#candidates.behind || this.#search.behind,
      goOn: () => {
        this.#candidates.goOn()
        if (this.#search.behind) this.#search.retry()
      },
      ticked: () => this.#limitHeld(),
      news: () => sweep.news,
      calm: () => sweep.listen(),
    })
    const habits = this.#habits
    const lent = this.#lent
    const boundsOf = (source: string) => sweep.boundsOf(source)
    const missed = new Missed({
      table,
      lineage,
      habits,
      lent,
      boundsOf,
      known: inode => table.stateOf(inode) !== undefined || this.#archives.isLookingInto(inodeKey(inode)),
      unreadable: (source, origin, path) => this.#search.unreadable(source, origin, path),
      archive: (...of) => this.#archives.take(...of),
      poll: tailer => this.#follower.looks.look(tailer),
      compare: (...of) => this.#follower.looks.compare(...of),
      knownArchive: stats => this.#archives.knows(stats),
      isCopy: (origin, opened) => this.#search.isKnown(path => path === origin, opened),
      isSearching: origin => this.#search.isSearching(origin),
      room: open => this.#candidates.room(open),
      follow: (path, opened, generation) => this.#follower.followAside(path, opened, generation),
    })
    const follower = new Follower({
      sources: bySource,
      table,
      pins,
      pinning: new Pinning(pins),
      unpacked,
      lineage,
      scheduler,
      missed,
      truncation,
      saver,
      habits,
      fileLog,
      cleared: path => this.#candidates.cleared(path),
      compressed: (path, source) => this.#candidates.compressed(path, source),
      search: entry => this.#search.find(entry, { replaced: true, truncated: true }),
      holdsBack: (origin, begun) => this.#search.holdsBack(origin, begun),
      nameless: tailer => this.#archives.learn(tailer),
    })
    const found = (path: string, opened: OpenFile, saved: SavedGeneration) => {
      const { size } = opened.stats
      follower.continueIn(path, opened, lineage.restored(bySource.get(saved.source)!, saved, saved.inode, Number(size)))
    }
    let { lessons } = habits
    const onSettled = (origin: string, more = false) => {
      // What was found may have told how rotations of the path are called: they come before what waits. There may be
      // thousands of archives, for each of which all of them would be looked at.
      if (!more || habits.lessons !== lessons) missed.catchUpAll()
      lessons = habits.lessons
      follower.order.unblock(origin)
      saver.later()
    }
    const archives = new Archives({ table, lineage, habits, unpacked, log, boundsOf, found, onSettled })
    const search = new Search({
      table,
      archives,
      truncation,
      lineage,
      habits,
      sources: bySource,
      boundsOf,
      pins,
      unpacked,
      lent,
      ledger,
      log,
      room: () => this.#candidates.room(),
      heldCopies: () => this.#candidates.heldCopies(),
      release: path => this.#candidates.release(path),
      found,
      displaced: tailer => follower.giveUp(tailer),
      onSettled,
    })
    const candidates = new Candidates({
      sweep,
      store,
      log,
      table,
      lineage,
      lent,
      missed,
      search,
      follower,
      boundsOf,
      sources: bySource,
    })
    this.#fileLog = fileLog
    this.#pins = pins
    this.#lineage = lineage
    this.#saver = saver
    this.#scheduler = scheduler
    this.#follower = follower
    this.#candidates = candidates
    this.#search = search
    this.#archives = archives
    this.#missed = missed
    this.#unpacked = unpacked
    this.#sources = bySource
  }

  /** Lets a pipeline take part. Before `start`. */
  join(member: Member): void {
    this.#lineage.members.push(member)
    this.#scheduler.interval = Math.min(...this.#lineage.members.map(({ interval = 0 }) => interval))
  }

  /**
   * Loads the checkpoint, or takes what the tail before it left; finds everything again and begins to follow. Never
   * rejects.
   */
  async start(handover?: Handover): Promise<void> {
    const checkpoint = handover?.checkpoint ?? inBoot(this.#belonging(await this.#store.load()), this.#store.boot)
    this.#lineage.epoch = checkpoint.epoch
    this.#lineage.salt = checkpoint.salt ?? ''
    for (const { source, backend, settled, lostBytes } of checkpoint.totals) {
      if (this.#lineage.wants(backend, source)) this.#ledger.account(source, backend, settled, lostBytes)
    }
    if (handover) this.#inherit(handover)
    // The epoch and the salt must outlive us, and the machine, before an id made from them leaves the house; and no
    // checkpoint may say any more that everything sent has settled.
    await this.#store.save(() => ({ ...checkpoint, clean: false }), true)
    await this.#sweep.ready()
    this.#scheduler.hold()
    this.#saver.hold()
    this.#archives.hold()
    await recover(
      {
        table: this.#table,
        candidates: this.#candidates,
        follower: this.#follower,
        missed: this.#missed,
        search: this.#search,
        habits: this.#habits,
        lineage: this.#lineage,
        lent: this.#lent,
        sources: this.#sources,
        rootsOf: source => this.#sweep.rootsOf(source),
        boundsOf: source => this.#sweep.boundsOf(source),
        pins: this.#pins,
        unpacked: this.#unpacked,
      },
      checkpoint,
      this.#candidates.first(),
      handover?.handles,
    )
    this.#archives.release()
    this.#saver.release()
    if (handover) this.#previous = handover.previous
    else void this.#reviewPrevious(checkpoint)
    // A file that is renamed now would not be found again after a death, or a power cut, that comes before it was saved.
    void this.#saver.now(true)
    this.#swept = true
    this.#sweep.watch(
      (path, what) => this.#hint(path, what),
      path => this.#table.isFollowed(path),
    )
    this.#scheduler.start()
  }

  /** What belongs to the sources that are configured. */
  #belonging(loaded: Checkpoint): Checkpoint {
    const { checkpoint, refused } = belonging(loaded, {
      has: source => this.#sources.has(source),
      matches: (source, path) => this.#sweep.matches(source, path),
      reaches: (source, path) =>
        this.#sweep.rootsOf(source).some(root => isBelow(path, root)) ||
        this.#sweep.boundsOf(source).some(bound => bound.holds(path)),
    })
    if (refused > 0) this.#store.refused(refused, 'files that no pattern of their source matches')
    return checkpoint
  }

  /** Tells what the process before this one left behind, once everything of it was looked for. */
  async #reviewPrevious(checkpoint: Checkpoint): Promise<void> {
    const lost = (totals: Iterable<{ readonly lostBytes?: number | undefined }>): number => {
      let sum = 0
      for (const { lostBytes = 0 } of totals) sum += lostBytes
      return sum
    }
    const wanted = checkpoint.totals.filter(({ source, backend }) => this.#lineage.wants(backend, source))
    const since = () => lost([...this.#ledger].map(({ account }) => account)) - lost(wanted)
    this.#previous = previousEnd(checkpoint, this.following(), this.waiting(), since())
    if (this.#previous.kind === 'none') return
    const sought = [...this.#table.sought.keys()]
    await this.#archives.ended()
    const all = this.#previous.unsettledBytes + unsettledLater(sought, this.following())
    this.#previous = { ...this.#previous, unsettledBytes: all, lostBytes: since() }
    const { kind, unsettledBytes, lostBytes } = this.#previous
    if (kind === 'clean') return
    this.#log.warn(
      { event: 'previous_unclean', unsettledBytes, lostBytes },
      'the process before this one was killed; what it had not seen acknowledged is sent now, some of it again',
    )
  }

  /** How the process before this one ended. */
  get previous(): PreviousEnd {
    return this.#previous
  }

  #inherit({ checkpoint, islands, ledger, fileEvents, mostFiles }: Handover): void {
    this.#fileLog.resume(fileEvents)
    this.#candidates.parking.most = mostFiles
    this.#lineage.inherited = new Set(checkpoint.generations.map(({ key }) => key))
    this.#lineage.islands = islands
    for (const { source, backend, account } of ledger) {
      if (this.#lineage.wants(backend, source)) this.#ledger.account(source, backend).resume(account)
    }
    for (const { key, source } of checkpoint.generations) {
      for (const [backend, list] of islands.get(key) ?? []) {
        if (!this.#lineage.wants(backend, source)) continue
        const account = this.#ledger.account(source, backend)
        for (const { outcome } of list) {
          const { lines, bytes } = total(outcome)
          account.read(lines, bytes)
          account.settle(outcome)
        }
      }
    }
  }

  /** Milliseconds of the monotonic clock at which the loop last turned. */
  get turnedAt(): number {
    return this.#scheduler.turnedAt
  }

  /** The first sweep is done. */
  get swept(): boolean {
    return this.#swept
  }

  get tailers(): Iterable<Tailer> {
    return this.#table.tailers
  }

  /** Every generation that is not done, with the size that its file has or had: without room that is set aside behind its data. */
  *following(): Generator<{ generation: Generation; size: number; path: string }> {
    for (const { generation, extent, path } of this.#table.tailers) yield { generation, size: extent, path }
    // Of a file that is gone only what was read can still be settled.
    for (const { generation, path } of this.#table.finishing) {
      yield { generation, size: generation.furthest, path }
    }
  }

  /** Files that are not open, with what is settled of them. */
  waiting(): Iterable<Waiting> {
    return this.#candidates.waiting()
  }

  /**
   * Files that are looked for, and archives that are looked into: they hold what is not read, how much is not known
   * before they are found. `room`: there is none to unpack what holds it.
   */
  *sought(): Generator<Sought> {
    for (const [{ source, origin, size, cursors }, { kind }] of this.#table.sought) {
      const offsets = Object.fromEntries(Object.entries(cursors).map(([backend, { offset }]) => [backend, offset]))
      yield { source, path: origin, size, offsets, room: kind === 'room' }
    }
    for (const { source, path, size, room = false } of this.#archives.unseen) {
      yield { source, path, size, offsets: {}, room }
    }
  }

  /** What happened to files, by source. */
  get fileEvents(): ReadonlyMap<string, Readonly<FileEvents>> {
    return this.#fileLog.events
  }

  get pins(): PinHealth {
    return this.#pins.health
  }

  /** Bytes of the volume that only we keep from being freed: files that were deleted and are not acknowledged. */
  get heldBytes(): number {
    return heldBytes(this.#table.tailers)
  }

  get refused(): Iterable<Refusal> {
    return this.#candidates.refused
  }

  /** What the readers report about a file. */
  get events(): ReaderEvents {
    return {
      replaced: tailer => this.#follower.looks.replaced(tailer),
      dry: tailer => this.#follower.order.dry(tailer),
      sent: () => this.#scheduler.sent(),
      failed: tailer => {
        this.#scheduler.backOff(tailer)
        this.#follower.order.failed(tailer)
        const { source } = tailer.generation.origin
        this.#log.warn({ event: 'file_unreadable', source, path: tailer.path }, 'file cannot be read; retrying')
      },
    }
  }

  /** From now on nothing is written any more, as far as is known: last lines without a line end are taken too. */
  finish(): void {
    this.#follower.finish()
    this.#candidates.final = true
    this.#missed.urgent = true
    const waited = this.#lineage.members.flatMap(({ reader }) => reader.finish())
    for (const tailer of waited) if (!tailer.closed) this.#follower.order.offer(tailer)
    this.look()
  }

  /**
   * Sweeps and looks at every file, in turns: the next call goes on. Returns whether anything is left to look at or to read.
   */
  look(): boolean {
    this.#looking ??= this.#lookingAtAll()
    const effort = new Effort().begin()
    for (let steps = 1; !this.#looking.next().done; steps++) {
      if (steps >= LEAST && effort.total >= SLICE) return true
    }
    this.#looking = undefined
    const { looks, order } = this.#follower
    const { behind, crowded } = this.#candidates
    const waiting = looks.behind || order.holding || this.#search.waiting || crowded || behind
    return waiting || this.#sweep.behind || this.#lineage.members.some(({ reader }) => reader.ready)
  }

  *#lookingAtAll(): Generator<void, void, void> {
    // Before the sweep, to learn which names are free for other files; after it, to look at what it found.
    for (const all of [true, false]) {
      for (const tailer of this.#table.tailers) {
        this.#follower.looks.look(tailer)
        yield
      }
      if (all) this.#look(true)
    }
  }

  /** Saves and closes everything. `clean`: the process ends in order. `complete`: everything that was sent has settled. */
  async stop(clean: boolean, complete = false): Promise<LastSave> {
    this.#scheduler.stop()
    this.#archives.stop()
    this.#saver.stop()
    // The last save may meet one that is running: then its snapshot is taken after that one.
    const saved = await this.#store.save(() => this.snapshot(clean, complete), true)
    const unsavedBytes = saved || this.#store.state === null ? 0 : this.#store.unsavedBytes(this.snapshot().totals)
    await this.#sweep.close()
    this.#candidates.close()
    for (const tailer of this.#table.tailers) tailer.close()
    if (saved || this.#store.state === null) return { kind: 'saved' }
    return { kind: 'failed', code: this.#store.fault?.code ?? 'unknown', unsavedBytes }
  }

  /** There is something that the next room could not find again: what is in flight of files that are gone. */
  get unfinished(): boolean {
    return this.#archives.seeking || this.#table.isFinishing
  }

  /** Ends, and leaves everything to another room of this process. Once no pipeline settles anything any more. */
  async handOver(): Promise<Handover> {
    this.#scheduler.stop()
    this.#archives.stop()
    this.#saver.stop()
    await Promise.all([this.#sweep.close(), this.#archives.ended()])
    this.#candidates.close()
    await this.#store.save(() => this.snapshot())
    const islands = new Map<string, ReadonlyMap<string, readonly Island[]>>()
    for (const generation of this.#table.generations()) {
      const beyond = generation.cursors.flatMap(cursor => {
        const list = cursor.islands()
        return list.length > 0 ? [[cursor.backend, list] as const] : []
      })
      if (beyond.length > 0) islands.set(generation.key, new Map(beyond))
    }
    const aside = [...this.#table.tailers].filter(({ state }) => state.kind !== 'live')
    const keys = aside.map(({ generation }) => generation.key)
    const handles = [...this.#table.tailers].map(tailer => [tailer.generation.key, tailer.release()] as const)
    return {
      checkpoint: { ...this.snapshot(), generations: [...this.#table.saved()] },
      handles: new Handles(handles, keys),
      islands,
      ledger: this.#ledger,
      fileEvents: this.#fileLog.events,
      previous: this.#previous,
      mostFiles: this.#candidates.parking.most,
    }
  }

  /** In which boot something may have been sent that a checkpoint does not know to be settled. */
  get #boot(): { readonly boot?: string } {
    const { boot } = this.#store
    return boot === null ? {} : { boot }
  }

  snapshot(clean = false, complete = false): Snapshot {
    const generations = this.#table.saved()
    const totals = [...this.#ledger].map(({ source, backend, account }) => ({
      source,
      backend,
      settled: account.committed,
      lostBytes: account.lostBytes,
    }))
    const { epoch, salt } = this.#lineage
    return { epoch, generations, totals, clean, ...(salt !== '' && { salt }), ...(!complete && this.#boot) }
  }

  /** A watch event: this path deserves a look now. */
  #hint(path: string, what: 'name' | 'content'): void {
    const tailer = this.#table.tailerAt(path)
    // Thousands of names may have moved in the same turn.
    if (tailer && what === 'name') this.#follower.lookSoon(tailer)
    else if (tailer) this.#scheduler.hinted(tailer)
    // Something appeared, left or moved. What happens in a file that is not followed is no news.
    if (what === 'name' && tailer?.state.kind !== 'live') this.#scheduler.sweepSoon()
  }

  #look(all: boolean): void {
    this.#candidates.look(all)
    this.#search.retry()
  }

  /** What the application deleted and a backend holds up must fill neither the volume nor the handles, unless it may. */
  #limitHeld(): void {
    // The other half is for files that have a name.
    const maxFiles = Math.max(1, Math.floor(this.#candidates.parking.limit / 2))
    for (const tailer of overLimit(this.#table.tailers, { ...this.#heldOptions, maxFiles }, this.#log)) {
      const { generation, path } = tailer
      dropUnread(tailer, this.#log)
      this.#table.finish(generation, path)
      this.#follower.close(tailer)
    }
  }
}
