/**
 * The contract of a backend: a template and a judge.
 *
 * A backend says how a record looks (`segments`, around which the kernel renders each frame), how records stand in a
 * payload (`format`, `group`), where a request goes (`request`), and what an answer means (`judge`). It holds no state,
 * opens no connection and never sees a clock: delivery does all of that, the same way for every backend.
 */
import type { Chunk } from '../chunk.ts'
import type { Segment } from '../kernel/template.ts'
import type { Metadata } from '../metadata.ts'
import type { Partitioning } from '../partition.ts'

/** How records stand in a payload. */
export interface Format {
  readonly contentType: string
  /** Before the first record, between two records, behind the last one. */
  readonly prefix: Uint8Array
  readonly separator: Uint8Array
  readonly suffix: Uint8Array
  /** Between two groups, where records are grouped. */
  readonly groupSeparator?: Uint8Array
  /**
   * `text`: a CR before the line feed, NULs before the line and a byte order mark are trimmed and invalid UTF-8 is
   * replaced by U+FFFD. `bytes`: frames go out as they were read.
   */
  readonly treatment: 'text' | 'bytes'
}

/**
 * What encloses the records of a chunk: a Loki stream, an OTLP resource. Chunks that follow each other with equal
 * `open` share one.
 */
export interface Group {
  readonly open: Uint8Array
  /** What follows `open` behind the text of a partition: each has a group of its own. */
  readonly behind?: Uint8Array
  readonly close: Uint8Array
  /**
   * Places in `open` where five bytes wait for a length: a varint (Protocol Buffers) of how many bytes follow up to the
   * group's end, `close` included.
   */
  readonly lengths?: readonly number[]
}

/** What a backend takes at the most, before compression. */
export interface Limits {
  readonly payloadBytes: number
  readonly records: number
  /** One record as it stands in the payload, and the message in it: what is longer is cut and says so. */
  readonly recordBytes?: number
  readonly messageBytes?: number
  /**
   * Records whose time is older, or in the future, are refused or left out in silence: they are given a new time.
   * Milliseconds.
   */
  readonly age?: number
  /**
   * A request in which a time is before the one that stands before it, or in which times lie farther apart than so many
   * milliseconds, is refused. Only of a template whose times are milliseconds.
   */
  readonly ascending?: number
  /** Lines without a character are refused: they are settled as rejected (`blank`) and never sent. */
  readonly blank?: 'refused'
}

/**
 * How much a `delivered` of this backend is worth. Published in docs/backends.md.
 *
 * `stored`: it is on the backend's disk, or as safe as the backend makes it. `accepted`: it was taken over, and may
 * still be lost or refused there without our hearing of it. `written`: it went into our own standard output.
 */
export type AckLevel = 'stored' | 'accepted' | 'written'

/** An answer that was read to its end. `body` is cut to the backend's `answerBytes` and decoded as UTF-8. */
export interface Answer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** A success's body as it came. A complaint has none: it may repeat secrets, which `body` is cleared of. */
  readonly bytes?: Uint8Array
  /** It went on beyond what is ever read of an answer: what it said there is not known. */
  readonly unread?: true
}

/** One record of a request that was not stored: its place in the payload, from 0. */
export interface Item {
  readonly index: number
  readonly reason: string
  readonly detail?: string
  /**
   * Of one that may be sent again: the fault seems to be its own. If it stays for long while others are accepted, the
   * record is rejected under this reason.
   */
  readonly rejectAs?: string
}

/**
 * What an answer means. `reason` is one short word or status from a bounded set: it becomes a metric label.
 * `detail` is the backend's own message, for one log line: delivery trims it.
 */
export type Verdict =
  /** `warning`: all was stored as far as is known, but the answer is not what the backend should say: it is logged. */
  | { readonly kind: 'delivered'; readonly warning?: string }
  /** The same request would be refused again, whatever part of it: count all of it and go on. */
  | { readonly kind: 'rejected'; readonly reason: string; readonly detail?: string }
  /**
   * Some record in it is at fault, and the answer does not say which. Its halves are sent alone until the faulty ones
   * are found. Only for answers after which nothing was stored, or where what is sent twice is stored once.
   */
  | { readonly kind: 'bisect'; readonly reason: string; readonly detail?: string }
  /**
   * Said record by record: `rejected`, `retry` and `unread` name those that were not stored, in order; all others were.
   * Nothing is known of those that are `unread`: they go again at once.
   */
  | {
      readonly kind: 'items'
      readonly rejected: readonly Item[]
      readonly retry: readonly Item[]
      readonly unread?: readonly number[]
      /** The others are only accepted, under this receipt: as with `pending`. */
      readonly receipt?: string
    }
  /** So many were refused and must not be sent again, and the answer does not say which. All others were stored. */
  | { readonly kind: 'counted'; readonly rejected: number; readonly reason: string; readonly detail?: string }
  /** Accepted under this receipt, and stored only once the backend confirms it: see `Confirmation`. */
  | { readonly kind: 'pending'; readonly receipt: string }
  /**
   * A passing fault: send the same payload again, not before `after` milliseconds if given. `misconfigured`: it will
   * pass when the configuration is corrected, here or there. `advice`: what to correct, in our own words.
   */
  | {
      readonly kind: 'retry'
      readonly reason: string
      readonly after?: number
      readonly detail?: string
      readonly misconfigured?: boolean
      /** Which of the backend's remedies may mend it: then the same payload goes again, within the attempt. */
      readonly remedy?: string
      readonly advice?: string
    }
  /**
   * Credentials are refused: log an error, read them again, go on retrying. `advice`: what to grant to whom, in our own
   * words, which are logged; those of the backend are not.
   */
  | { readonly kind: 'unauthorized'; readonly reason: string; readonly detail?: string; readonly advice?: string }
  /** Too large: send it in halves and remember. */
  | { readonly kind: 'split'; readonly reason: string }

/** A request that makes what was missing. */
export interface Remedy {
  readonly head: RequestHead
  readonly contentType: string
  readonly body: string
  /** Whether it is there now. Any other answer is judged as if it had been given to the payload. */
  readonly done: (answer: Answer) => boolean
}

/** What one request is about. `id` is deterministic: generation and offset of its first record, and their number. */
export interface BatchInfo {
  readonly id: string
  readonly records: number
}

/** What a request can be called after. `time`: of reading its first record, in milliseconds since the epoch. */
export interface RequestInfo extends BatchInfo {
  readonly time?: number
  readonly encoding?: 'gzip' | 'zstd' | undefined
}

export interface RequestHead {
  readonly method: string
  /** Path and query, below the endpoint's origin. */
  readonly path: string
  /** Lower-case names, without content type, encoding, length and credentials: the transport adds those. */
  readonly headers: Readonly<Record<string, string>>
}

/** How a backend is asked what became of requests that it accepted. */
export interface Confirmation {
  /** The most milliseconds between two questions, and after which a request without an answer is sent again. */
  readonly every: number
  readonly patience: number
  question(receipts: readonly string[]): {
    readonly head: RequestHead
    readonly contentType: string
    readonly body: string
  }
  /** Those of `receipts` that are confirmed. A verdict, if the question itself failed. */
  confirmed(
    answer: Answer,
    receipts: readonly string[],
  ): readonly string[] | Extract<Verdict, { kind: 'retry' | 'unauthorized' }>
}

/** What a backend may know of where it runs. */
export interface BackendContext {
  /** The backend's configured name. */
  readonly name: string
  /** As it is now: it may change while we run. */
  readonly metadata: () => Metadata
}

export interface Backend {
  readonly type: string
  readonly ackLevel: AckLevel
  readonly format: Format
  readonly limits: Limits
  /** Bytes of an answer that `judge` needs to see. Default: 64 KiB. */
  readonly answerBytes?: number
  /** `judge` knows what a success means whose end is not known. Without it such an answer is none, and sent again. */
  readonly judgesUnread?: true
  readonly confirmation?: Confirmation
  /** Requests that make what an answer calls missing, by the name that the verdict gives: sent one after the other. */
  readonly remedies?: Readonly<Record<string, readonly Remedy[]>>
  /**
   * The template of this chunk's records. Called once per chunk and request: it may allocate a little. Counters and
   * fixed64 values are those of the chunk's first frame: the encoder moves them on where it begins in the middle.
   */
  segments(chunk: Chunk): readonly Segment[]
  /** By what it tells the records of a chunk apart. */
  readonly partitioning?: Partitioning | undefined
  /** What this chunk's records are enclosed in, where the format has groups. */
  group?(chunk: Chunk): Group
  request(batch: RequestInfo): RequestHead
  /** What the answer to this batch means. Pure: it may be called again. */
  judge(answer: Answer, batch: BatchInfo): Verdict
}
