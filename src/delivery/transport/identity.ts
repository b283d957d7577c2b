/**
 * What a transport sees of an identity: a credential that was obtained from elsewhere, ends after a time, and proves
 * each request by header fields.
 *
 *     request ─► credential() ─► sign ─► exchange ─► answered() ─┬─► reply
 *                     ▲                                          │
 *                     └── refused, and another may be accepted: once
 *
 * An identity may be shared by many transports. Who obtains credentials, and how, is in `delivery/identity`.
 */
import type { Answer } from '../../backends/backend.ts'

/** A request as it goes out: the header fields that it has already, and the body after compression. */
export interface Outgoing {
  readonly method: string
  /** Of the endpoint: with a port that is not the scheme's own. */
  readonly host: string
  /** Path and query, to the letter. */
  readonly path: string
  /** Lower-case names. The host is not among them unless the configuration names another one. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** What holds for a time. Two of them are different objects. */
export interface Credential {
  /**
   * Header fields that prove who sends this request, in lower case. They replace fields of the same name, and an answer
   * that repeats the value of one is shown without it. Never throws.
   */
  sign(request: Outgoing): Readonly<Record<string, string>>
}

/** `code` is bounded: it becomes a metric label. It begins with the identity's kind (`aws_`, `google_`). */
export type Obtained =
  | { readonly kind: 'credential'; readonly credential: Credential }
  | { readonly kind: 'failure'; readonly code: string }

export interface Identity {
  /** Where its credentials come from, in words without secrets. */
  readonly found: string
  /** Never rejects. Waits only where there is no credential that holds. */
  credential(): Promise<Obtained>
  /**
   * What the backend answered to a request with this credential. Returns whether the same request may be accepted with
   * another one that can be had at once: it then goes out again within the attempt.
   */
  answered(credential: Credential, answer: Answer): boolean
  /** Drops an exchange that is under way, if it is under way for this transport alone: it fails with `ABORTED`. */
  abort(): void
  close(): Promise<void>
}
