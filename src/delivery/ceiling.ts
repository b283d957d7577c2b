/**
 * The ceiling: the largest payload that a backend is believed to take, as its "too large" has taught us. It is doubted
 * now and then, for whoever set the limit may have raised it.
 *
 * Guarantees: a payload with a single record may always have what is configured for a payload: its record is cut down
 * to that and no further, and one that is refused even so is given up elsewhere.
 */

/** Payloads after which what was learned is doubted, and raised by half. */
const DOUBT = 64
const LEAST = 1024

export class Ceiling {
  readonly #configured: number
  readonly #most: number
  #bytes = Number.POSITIVE_INFINITY
  #alone = Number.POSITIVE_INFINITY
  #taken = 0

  /** `configured`: no payload is larger anyhow, but for one with a single record, and that has at most `most` bytes. */
  constructor(configured: number, most = configured) {
    this.#configured = configured
    this.#most = most
  }

  get bytes(): number {
    return this.#bytes
  }

  /** What a single record may have. */
  get alone(): number {
    return this.#alone
  }

  /** A payload of so many bytes was too large. */
  lower(bytes: number): void {
    this.#bytes = Math.max(LEAST, Math.min(this.#bytes, Math.floor(bytes / 2)))
    this.#taken = 0
  }

  /** A single record made a payload of so many bytes, and that was too large. */
  lowerAlone(bytes: number): void {
    this.#alone = Math.max(this.#configured, Math.min(this.#alone, Math.floor(bytes / 2)))
    this.#taken = 0
  }

  /** A payload was taken. */
  took(): void {
    if (Math.min(this.#bytes, this.#alone) === Number.POSITIVE_INFINITY || ++this.#taken < DOUBT) return
    this.#taken = 0
    this.#bytes *= 1.5
    if (this.#bytes >= this.#configured) this.#bytes = Number.POSITIVE_INFINITY
    this.#alone *= 1.5
    if (this.#alone >= this.#most) this.#alone = Number.POSITIVE_INFINITY
  }
}
