/** Counts the records of one slab that are aside: its shipment waits until all have settled or were abandoned. */
export class WaitGroup {
  readonly #done = Promise.withResolvers<boolean>()
  /** Resolves when it is sealed and all have settled, or to false when that was abandoned. */
  readonly done = this.#done.promise
  #open = 0
  #sealed = false

  add(records: number): void {
    this.#open += records
  }

  /** One of them has settled. */
  settle(): void {
    this.#open--
    this.#look()
  }

  /** Nothing more is added. */
  seal(): Promise<boolean> {
    this.#sealed = true
    this.#look()
    return this.done
  }

  abandon(): void {
    this.#done.resolve(false)
  }

  #look(): void {
    if (this.#sealed && this.#open === 0) this.#done.resolve(true)
  }
}
