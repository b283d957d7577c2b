/**
 * The contract of a backend: a template and a judge.
 *
 * A backend says how a record looks (`segments`, around which the kernel renders each frame), how records stand in a
 * payload (`format`), where a request goes (`request`), and what an answer means (`judge`). It holds no state, opens no
 * connection and never sees a clock: delivery does all of that, the same way for every backend.
 */
import type { Chunk } from '../chunk.ts'
import type { Segment } from '../kernel/kernel.ts'

/** How records stand in a payload. */
export interface Format {
  readonly contentType: string
  /** Before the first record, between two records, behind the last one. */
  readonly prefix: Uint8Array
  readonly separator: Uint8Array
  readonly suffix: Uint8Array
  /**
   * `text`: a CR before the line feed, NULs before the line and a byte order mark are trimmed and invalid UTF-8 is
   * replaced by U+FFFD. `bytes`: frames go out as they were read.
   */
  readonly treatment: 'text' | 'bytes'
}

/** What a backend takes at the most in one request, before compression. */
export interface Limits {
  readonly payloadBytes: number
  readonly records: number
}

/** How much a `delivered` of this backend is worth. Published in the README. */
export type AckStrength = 'stored' | 'accepted' | 'written'

/** An answer that was read to its end. `body` is cut to 64 KiB and decoded as UTF-8. */
export interface Answer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * What an answer means. `reason` is one short word or status from a bounded set: it becomes a metric label.
 * `detail` is the backend's own message, for one log line: delivery trims it.
 */
export type Verdict =
  | { readonly kind: 'delivered' }
  /** The same request would be refused again: count it and go on. */
  | { readonly kind: 'rejected'; readonly reason: string; readonly detail?: string }
  /** A passing fault: send the same payload again, not before `after` milliseconds if given. */
  | { readonly kind: 'retry'; readonly reason: string; readonly after?: number; readonly detail?: string }
  /** Credentials are refused: pause loudly, read them again, go on trying. */
  | { readonly kind: 'unauthorized'; readonly reason: string; readonly detail?: string }
  /** Too large: send it in halves and remember. */
  | { readonly kind: 'split'; readonly reason: string }

/** What one request is about. `id` is deterministic: generation and offset of its first record, and their number. */
export interface BatchInfo {
  readonly id: string
  readonly records: number
}

export interface RequestHead {
  readonly method: string
  /** Path and query, below the endpoint's origin. */
  readonly path: string
  /** Lower-case names, without content type, encoding, length and credentials: the transport adds those. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Backend {
  readonly type: string
  readonly strength: AckStrength
  readonly format: Format
  readonly limits: Limits
  /** The template of this chunk's records. Called once per chunk and request: it may allocate a little. */
  segments(chunk: Chunk): readonly Segment[]
  request(batch: BatchInfo): RequestHead
  judge(answer: Answer): Verdict
}
