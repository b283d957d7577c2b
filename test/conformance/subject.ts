/**
 * What the conformance suite must know of a backend type: how to configure it, how to read its requests independently of
 * how they were written, and what its server says.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Answer, Verdict } from '../../src/backends/backend.ts'

/** One request as the scripted server saw it, its body decompressed. */
export interface Request {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** As it came. */
  readonly wire?: Buffer
}

/** One record as a decoder that shares no code with the encoder reads it. */
export interface Decoded {
  readonly message: string
  /** Nanoseconds since the epoch, as exact as the format says; undefined where it has no time. */
  readonly time?: bigint | undefined
  /** Stable id, where the format has one. */
  readonly id?: string | undefined
  /** Everything else that is said about it, flat: labels, attributes, source, file. */
  readonly attributes: Readonly<Record<string, string>>
  /** It says that it was cut. */
  readonly truncated: boolean
}

/** An answer of the server as its documentation shows it, and what it means for a request of `records` records. */
export interface Case {
  readonly name: string
  readonly answer: Answer
  readonly verdict: Verdict
}

export interface Subject {
  readonly type: string
  /** Further variants of the configuration are subjects of their own: `otlp (json)`. */
  readonly name: string
  /** Times are no finer than this. Default: nanoseconds, so that no two records have the same. */
  readonly clock?: 'milliseconds'
  /** The only attributes that a record has room for. Default: all of them. */
  readonly says?: readonly string[]
  /** Frames go out as they were read: nothing is trimmed, and nothing is said about them. */
  readonly verbatim?: true
  /** The backend's entry in a configuration, without `name`. `origin`: for instance `http://127.0.0.1:1234`. */
  config(origin: string): Readonly<Record<string, unknown>>
  /** What its source says, beside where its files are. */
  readonly source?: Readonly<Record<string, unknown>>
  /** Throws if the request is not what the server's documentation asks for: path, content type, headers, grammar. */
  decode(request: Request): Decoded[]
  /** A complete success for a request of `records` records. */
  success(records: number, request: Request): Answer
  /** Of a request of four records, the second is refused for good and all others are stored. Undefined: it cannot tell. */
  poisoned?(request: Request): Answer
  /** Lines without a character are not sent, and count as rejected (`blank`). */
  readonly blank?: 'refused'
  /** Every answer worth a line in docs/answers.md, for a request of four records. */
  readonly cases: readonly Case[]
}
