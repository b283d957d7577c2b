/**
 * When to save: a moment after something changed, at most one save at a time, and sooner when a file was taken up, for
 * until that is saved a death would forget that the file ever had its name. A name that was never followed before is
 * synchronized, for a power cut would forget it too. What is saved and not synchronized is so within a minute, even if
 * nothing changes any more.
 */
import type { CheckpointStore, Snapshot } from './checkpoint.ts'

/** Milliseconds from a change to the save that holds it: of an offset, of a file that was taken up. */
const LATER = 1000
const SOON = 10

export class Saver {
  readonly #store: CheckpointStore
  readonly #snapshot: () => Snapshot
  #state: 'held' | 'clean' | 'waiting' | 'saving' | 'stopped' = 'clean'
  /** Resolves once saves are not held. */
  #free = Promise.resolve()
  #release = (): void => {}
  /** What changed since the save that waits or runs: nothing, an offset, a file. */
  #wish: 'none' | 'later' | 'soon' = 'none'
  /** The next save is to be synchronized. */
  #sync = false
  #timer: NodeJS.Timeout | undefined

  constructor(store: CheckpointStore, snapshot: () => Snapshot) {
    this.#store = store
    this.#snapshot = snapshot
  }

  later(): void {
    this.#ask('later')
  }

  /** `sync`: not even a power cut may undo it. */
  soon(sync = false): void {
    this.#sync ||= sync
    this.#ask('soon')
  }

  /** Whether what was there at a moment (monotonic milliseconds) is on the disk, whatever happens to the power. */
  isSynced(at: number): boolean {
    return this.#store.isSynced(at)
  }

  /** What a snapshot would say is not the whole of it: nothing is saved until `release`. */
  hold(): void {
    this.#state = 'held'
    this.#free = new Promise(resolve => {
      this.#release = resolve
    })
  }

  release(): void {
    this.#state = 'clean'
    this.#release()
    if (this.#wish !== 'none') this.#wait()
  }

  /** Saves at once, if need be after a save that runs. Resolves to whether it is saved. */
  async now(sync = false): Promise<boolean> {
    if (this.#state === 'held') await this.#free
    const saved = await this.#store.save(this.#snapshot, sync)
    if (this.#state === 'clean') this.#rest()
    return saved
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#state = 'stopped'
  }

  #ask(wish: 'later' | 'soon'): void {
    const sooner = wish === 'soon' && this.#wish !== 'soon'
    if (this.#wish === 'none' || sooner) this.#wish = wish
    switch (this.#state) {
      case 'clean':
        this.#wait()
        break
      case 'waiting':
        if (sooner) this.#wait()
        break
      case 'held':
      case 'saving':
      case 'stopped':
        break
    }
  }

  #wait(): void {
    clearTimeout(this.#timer)
    this.#state = 'waiting'
    this.#timer = setTimeout(() => this.#save(), this.#wish === 'soon' ? SOON : LATER)
  }

  /** Nothing is to be saved: what is not synchronized yet will be. */
  #rest(): void {
    const due = this.#store.syncDue
    clearTimeout(this.#timer)
    if (due !== undefined) this.#timer = setTimeout(() => this.#save(true), due)
  }

  #save(sync = this.#sync): void {
    this.#state = 'saving'
    this.#wish = 'none'
    this.#sync = false
    void this.#store.save(this.#snapshot, sync).then(saved => {
      // It is asked for again with the next change.
      this.#sync ||= sync && !saved
      if (this.#state === 'stopped') return
      this.#state = 'clean'
      if (this.#wish !== 'none') this.#wait()
      else this.#rest()
    })
  }
}
