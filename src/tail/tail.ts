/**
 * The room: all files that are followed, and everything that happens to them between a sweep and a checkpoint.
 *
 *     sweep ──► candidates ──► tailers ──► (cursors with something to read) ──► readers, one per pipeline
 *     folders     │               ▲
 *                 └─► parked: more files than handles
 *
 *     lookout: when to look    recovery: what a checkpoint knows    lineage: new generations    saver: when to save
 *     vacated: names that lost their file    truncation: files that lost their content    pinning: files that may go
 *
 * Guarantees: polling is the truth and watch events only bring it forward; a file is followed by identity, never by
 * name; a handle closes only when its file is read, acknowledged and quiet; what can provably not be read any more is
 * counted as vanished; what is refused is named once and looked at again; nothing here ends the process.
 */
import type { Ledger } from '../ledger.ts'
import type { Logger } from '../log.ts'
import type { Checkpoint, CheckpointStore } from './checkpoint.ts'
import { Done } from './done.ts'
import { inodeOf } from './fingerprint.ts'
import { Folders, type Refusal, type Waiting } from './folders.ts'
import type { Generation } from './generation.ts'
import { dropUnread, heldBytes, overLimit } from './held.ts'
import { Lineage, type Member } from './lineage.ts'
import { Lookout } from './lookout.ts'
import type { OpenFile } from './open.ts'
import type { HeldOptions, SourceOptions } from './options.ts'
import { Pinning } from './pinning.ts'
import { type PinHealth, Pins } from './pins.ts'
import type { ReaderEvents } from './reader.ts'
import { Recovery } from './recovery.ts'
import { Saver } from './saver.ts'
import type { Sweep } from './sweep.ts'
import { Tailer } from './tailer.ts'
import { Tailers } from './tailers.ts'
import { Truncation } from './truncation.ts'
import { Unpacked } from './unpack.ts'
import { Vacated } from './vacated.ts'

export class Tail {
  readonly #sweep: Sweep
  readonly #store: CheckpointStore
  readonly #ledger: Ledger
  readonly #log: Logger
  readonly #heldOptions: HeldOptions
  readonly #sources: ReadonlyMap<string, SourceOptions>
  readonly #tailers = new Tailers()
  readonly #done = new Done()
  readonly #pins: Pins
  readonly #pinning: Pinning
  readonly #unpacked: Unpacked
  readonly #lineage: Lineage
  readonly #lookout: Lookout
  readonly #folders: Folders
  readonly #vacated: Vacated
  readonly #truncation: Truncation
  readonly #recovery: Recovery
  readonly #saver: Saver
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
    const tailers = this.#tailers
    const done = this.#done
    const pins = new Pins(store.dir, log)
    const unpacked = new Unpacked(store.dir)
    const lineage = new Lineage(ledger, () => this.#committed())
    this.#pins = pins
    this.#pinning = new Pinning(pins)
    this.#unpacked = unpacked
    this.#lineage = lineage
    this.#saver = new Saver(store, () => this.snapshot())
    this.#truncation = new Truncation(log)
    this.#lookout = new Lookout(tailers, {
      poll: (tailer, now) => this.#poll(tailer, now),
      sweep: () => this.#look(false),
      ticked: () => this.#limitHeld(),
    })
    const poll = (tailer: Tailer) => this.#poll(tailer, performance.now())
    const follow = (path: string, opened: OpenFile, generation: Generation) => {
      this.#follow(path, opened, generation)
    }
    this.#vacated = new Vacated({
      tailers,
      lineage,
      known: key =>
        tailers.has(key) ||
        done.has(key) ||
        this.#folders.parking.pathOf(key) !== undefined ||
        this.#recovery.awaits(key),
      poll,
      room: () => this.#folders.room(),
      follow: (path, opened, generation) => this.#rotated(this.#follow(path, opened, generation)),
    })
    this.#folders = new Folders({
      sweep,
      store,
      log,
      tailers,
      done,
      lineage,
      vacated: this.#vacated,
      poll,
      follow,
      giveUp: tailer => {
        this.#letGo(tailer)
        tailer.close()
      },
      close: tailer => this.#close(tailer),
      findAgain: (saved, replaced) => this.#recovery.findAgain(saved, replaced),
      recall: key => this.#recovery.recall(key),
    })
    this.#recovery = new Recovery({
      place: {
        taken: key => tailers.has(key),
        room: () => this.#folders.room(),
        crowded: () => this.#folders.crowded,
        park: (path, saved) => this.#folders.parking.keep(path, saved),
        open: (candidate, more) => this.#folders.open(candidate, more),
        follow,
        continueIn: (path, opened, generation) => this.#continueIn(path, opened, generation),
        born: (path, inode, source) => {
          this.#vacated.mayHaveLeft(path, source)
          this.#vacated.born(path, inode)
        },
        catchUp: () => this.#vacated.catchUpAll(),
        lost: (path, generation) => this.#truncation.lost(path, generation),
        remember: saved => done.remember(saved),
      },
      lineage,
      sources: this.#sources,
      rootsOf: source => sweep.rootsOf(source),
      pins,
      unpacked,
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
    this.#recovery.resume(checkpoint, this.#folders.first())
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
    return this.#tailers
  }

  /** Every generation that is not done, with the size that its file has or had. */
  *following(): Generator<{ generation: Generation; size: number; path: string }> {
    yield* this.#tailers
    // Of a file that is gone only what was read can still be settled.
    for (const { generation, path } of this.#truncation.finishing) {
      yield { generation, size: generation.furthest, path }
    }
  }

  /** Files that are not open, with what is settled of them. */
  waiting(): Iterable<Waiting> {
    return this.#folders.waiting()
  }

  get pins(): PinHealth {
    return this.#pins.health
  }

  /** Bytes of the volume that only we keep from being freed: files that were deleted and are not acknowledged. */
  get heldBytes(): number {
    return heldBytes(this.#tailers)
  }

  get refused(): Iterable<Refusal> {
    return this.#folders.refused
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
    this.#folders.final = true
    for (const { reader } of this.#lineage.members) reader.final = true
    this.look()
  }

  /** Sweeps and looks at every file now. Returns whether anything is left to read. */
  look(): boolean {
    // Before the sweep, to learn which names are free for other files; after it, to look at what it found.
    for (const all of [true, false]) {
      const now = performance.now()
      for (const tailer of this.#tailers) this.#poll(tailer, now)
      if (all) this.#look(true)
    }
    const waiting = this.#held.size > 0 || this.#recovery.sought.size > 0 || this.#folders.crowded
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
    for (const tailer of this.#tailers) tailer.close()
  }

  snapshot(clean = false): Checkpoint {
    // Of several generations of one inode the last one is the file's: resuming relies on this order.
    const generations = [...this.#done, ...this.#recovery.sought, ...this.#folders.parking.saved()]
    for (const { generation, path } of this.#truncation.finishing) generations.push(generation.save(path, true))
    for (const tailer of this.#tailers) generations.push(tailer.generation.save(tailer.path))
    const totals = [...this.#ledger].map(({ source, backend, account }) => ({
      source,
      backend,
      settled: account.committed,
      vanishedBytes: account.vanishedBytes,
    }))
    return { epoch: this.#lineage.epoch, generations, totals, clean }
  }

  /** A watch event: this path deserves a look now. */
  #hint(path: string): void {
    const tailer = this.#tailers.at(path)
    if (tailer) this.#poll(tailer, performance.now())
    // Otherwise something appeared, left or moved.
    if (tailer?.state.kind !== 'live') this.#lookout.sweepSoon()
  }

  #look(all: boolean): void {
    this.#lookout.swept()
    this.#folders.look(all)
    this.#recovery.retry()
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
        this.#truncation.vanished(tailer.path, tailer.generation, () => sight.bytes)
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
    const elders = this.#tailers.eldersOf(tailer.generation.origin.path)
    const now = performance.now()
    for (const elder of elders) this.#poll(elder, now)
    return elders
  }

  #follow(path: string, opened: OpenFile, generation: Generation): Tailer {
    const tailer = new Tailer(opened.fd, path, opened.stats, generation, performance.now())
    tailer.pinned = this.#pins.has(generation.key)
    this.#folders.cleared(path)
    this.#tailers.add(tailer)
    this.#vacated.born(generation.origin.path, tailer.inode)
    if (this.#lineage.isTimed(generation)) this.#hold(tailer)
    this.#offer(tailer)
    this.#lookout.heat(tailer)
    this.#saver.soon()
    return tailer
  }

  /** A file lost its name: another may carry it now. */
  #moved(tailer: Tailer): void {
    this.#tailers.setAside(tailer)
    const { path, source } = tailer.generation.origin
    this.#vacated.left(path, this.#sources.get(source)!)
    this.#keepPinned(tailer)
    this.#lookout.sweepSoon()
    this.#saver.later()
  }

  /** Other content stands in the file: the old generation goes on in a copy if there is one, a new one begins here. */
  #replaced(tailer: Tailer): void {
    const old = tailer.generation
    // The pin holds the inode, whose content is another now.
    this.#pinning.release(tailer)
    const source = this.#sources.get(old.origin.source)!
    tailer.generation = this.#lineage.begun(source, tailer.path, tailer.inode, Date.now())
    const copy = this.#truncation.succeed(tailer, old, key => this.#tailers.has(key))
    if (copy) this.#continueIn(copy.path, copy.opened, old)
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
    for (const cursor of generation.cursors) cursor.again()
    this.#rotated(this.#follow(path, opened, generation))
  }

  /** The name it was taken up by is not one that is followed, and may not last. */
  #rotated(tailer: Tailer): void {
    tailer.state = { kind: 'rotated', since: performance.now() }
    this.#tailers.setAside(tailer)
    this.#keepPinned(tailer)
    this.#lookout.sweepSoon()
  }

  #committed(): void {
    this.#truncation.settled()
    this.#saver.later()
  }

  #close(tailer: Tailer): void {
    this.#letGo(tailer)
    this.#unpacked.release(tailer.generation.key)
    // A file without a name cannot come back under one.
    if (tailer.state.kind !== 'deleted') this.#done.remember({ ...tailer.generation.save(tailer.path), done: true })
    tailer.close()
    this.#saver.later()
  }

  #letGo(tailer: Tailer): void {
    this.#pinning.release(tailer)
    this.#tailers.delete(tailer)
    this.#lookout.forget(tailer)
  }

  /** A rotated file's name may not last: whoever keeps three files deletes the fourth. */
  #keepPinned(tailer: Tailer): void {
    // Its positions must be on disk too: a pin that no checkpoint names is cleared away by the next process.
    if (!this.#pinning.keep(tailer)) return
    const { key } = tailer.generation
    void this.#saver.now().then(saved => saved && this.#pins.saved(key))
  }

  /** What the application deleted and a backend holds up must not fill the volume, unless it may. */
  #limitHeld(): void {
    for (const tailer of overLimit(this.#tailers, this.#heldOptions, this.#log)) {
      const { generation, path } = tailer
      dropUnread(tailer, this.#log)
      this.#truncation.finish(generation, path)
      this.#close(tailer)
    }
  }
}
