/**
 * When to save: a moment after something changed, at most one save at a time, and sooner when a file was taken up, for
 * until that is on disk a death would forget that the file ever had its name.
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
  #timer: NodeJS.Timeout | undefined

  constructor(store: CheckpointStore, snapshot: () => Snapshot) {
    this.#store = store
    this.#snapshot = snapshot
  }

  later(): void {
    this.#ask('later')
  }

  soon(): void {
    this.#ask('soon')
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

  /** Saves at once, if need be after a save that runs. Resolves to whether it is on disk. */
  async now(): Promise<boolean> {
    if (this.#state === 'held') await this.#free
    return this.#store.save(this.#snapshot)
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

  #save(): void {
    this.#state = 'saving'
    this.#wish = 'none'
    void this.#store.save(this.#snapshot).then(() => {
      if (this.#state === 'stopped') return
      this.#state = 'clean'
      if (this.#wish !== 'none') this.#wait()
    })
  }
}
