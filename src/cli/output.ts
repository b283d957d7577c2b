/**
 * Standard output (or standard error) of a command that ends by itself.
 *
 *     write ─► written at once, as far as there is room ─► what is left waits ─► written as the reader takes it
 *
 * Guarantees: everything that was written arrives, in order, however slowly it is read, if `end` is awaited before the
 * process ends. Nothing blocks, so signals are handled meanwhile. A reader that has gone (`| head`) is no error: the
 * rest is discarded and the command goes on. Any other failure, such as a full disk, is what `end` resolves to.
 */
import { writeSync } from 'node:fs'
import { codeOf } from '../errors.ts'
import { unblocked } from './descriptor.ts'

/** Milliseconds between looks for room. */
const LOOK = 5

/** Where text goes. Never blocks, never throws. */
export interface Sink {
  write(text: string): void
}

/** What a command writes to. */
export interface Streams {
  readonly out: Sink
  readonly err: Sink
}

/** `failed`: some of it could not be written, and `code` says why. */
export type Ended = { readonly kind: 'written' | 'unread' } | { readonly kind: 'failed'; readonly code: string }

export class Output implements Sink {
  readonly #inherited: number
  /** Opened at the first write: a command that writes nothing leaves the descriptor alone. */
  #fd: number | undefined
  /** What waits; the first one may be written in part. */
  #waiting: Buffer[] = []
  #ended: Ended = { kind: 'written' }

  constructor(fd: number) {
    this.#inherited = fd
  }

  write(text: string | Buffer): void {
    if (text.length === 0 || this.#ended.kind !== 'written') return
    this.#waiting.push(typeof text === 'string' ? Buffer.from(text) : text)
    this.#flush()
  }

  /** Resolves when everything is written, or cannot be. Never rejects. */
  async end(): Promise<Ended> {
    while (!this.#flush()) await new Promise(resolve => setTimeout(resolve, LOOK))
    return this.#ended
  }

  /** Writes what there is room for. Returns whether nothing waits any more. */
  #flush(): boolean {
    try {
      for (let [next] = this.#waiting; next !== undefined; [next] = this.#waiting) {
        this.#fd ??= unblocked(this.#inherited)
        const written = writeSync(this.#fd, next)
        if (written === next.length) this.#waiting.shift()
        else this.#waiting[0] = next.subarray(written)
      }
      return true
    } catch (error) {
      const code = codeOf(error)
      if (code === 'EAGAIN') return false
      this.#waiting = []
      this.#ended = code === 'EPIPE' ? { kind: 'unread' } : { kind: 'failed', code }
      return true
    }
  }
}
