/**
 * The ceiling: the largest payload that a backend is believed to take, as its "too large" has taught us. It is doubted
 * now and then, for the limit may have been raised; and forgotten when what is said to be too large is smaller
 * than any limit.
 *
 * Guarantees: a payload with a single record may always have what is configured for a payload: its record is cut down
 * to that and no further, and one that is refused even so is given up elsewhere.
 */

/** Payloads after which what was learned is doubted, and raised by half. */
const DOUBT = 64

/** No server limits requests to less: what is no larger and called too large is refused for another reason. Bytes. */
export const FLOOR = 1024

export class Ceiling {
  readonly #configured: number
  readonly #most: number
  #bytes = Number.POSITIVE_INFINITY
  #alone = Number.POSITIVE_INFINITY
  #accepted = 0
  /** The largest that was accepted, as it was encoded and as it was sent. */
  #largest = 0
  #largestSent = 0

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
    this.#bytes = Math.max(FLOOR, Math.min(this.#bytes, Math.floor(bytes / 2)))
    this.#accepted = 0
  }

  /** A single record made a payload of so many bytes, and that was too large. */
  lowerAlone(bytes: number): void {
    this.#alone = Math.max(this.#configured, Math.min(this.#alone, Math.floor(bytes / 2)))
    this.#accepted = 0
  }

  /** It was not the size. */
  forget(): void {
    this.#bytes = Number.POSITIVE_INFINITY
    this.#alone = Number.POSITIVE_INFINITY
    this.#accepted = 0
  }

  /** Whether one as large as that was ever accepted. */
  hasAccepted(bytes: number, sent: number): boolean {
    return bytes <= this.#largest && sent <= this.#largestSent
  }

  /** A payload of so many bytes, and so many on the wire, was accepted. */
  raise(bytes: number, sent: number): void {
    this.#largest = Math.max(this.#largest, bytes)
    this.#largestSent = Math.max(this.#largestSent, sent)
    if (Math.min(this.#bytes, this.#alone) === Number.POSITIVE_INFINITY || ++this.#accepted < DOUBT) return
    this.#accepted = 0
    this.#bytes *= 1.5
    if (this.#bytes >= this.#configured) this.#bytes = Number.POSITIVE_INFINITY
    this.#alone *= 1.5
    if (this.#alone >= this.#most) this.#alone = Number.POSITIVE_INFINITY
  }
}
