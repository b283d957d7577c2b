/**
 * The ceiling: the largest payload that a backend is believed to take, as its "too large" has taught us. It is doubted
 * now and then, for whoever set the limit may have raised it.
 */

/** Payloads after which what was learned is doubted, and raised by half. */
const DOUBT = 64
const LEAST = 1024

export class Ceiling {
  readonly #configured: number
  #bytes = Number.POSITIVE_INFINITY
  #taken = 0

  /** `configured`: no payload is larger anyhow. */
  constructor(configured: number) {
    this.#configured = configured
  }

  get bytes(): number {
    return this.#bytes
  }

  /** A payload of so many bytes was too large. */
  lower(bytes: number): void {
    this.#bytes = Math.max(LEAST, Math.min(this.#bytes, Math.floor(bytes / 2)))
    this.#taken = 0
  }

  /** A payload was taken. */
  took(): void {
    if (this.#bytes === Number.POSITIVE_INFINITY || ++this.#taken < DOUBT) return
    this.#taken = 0
    this.#bytes *= 1.5
    if (this.#bytes >= this.#configured) this.#bytes = Number.POSITIVE_INFINITY
  }
}
