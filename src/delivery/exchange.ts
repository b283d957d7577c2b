/**
 * What delivery asks of a transport: one exchange at a time, whose outcome is a value.
 */
import type { Answer, RequestHead } from '../backends/backend.ts'

/** One request. `body` may lie in the arena: it must stay as it is until the exchange has its reply. */
export interface Exchange {
  readonly head: RequestHead
  readonly contentType: string
  readonly encoding: 'gzip' | 'zstd' | undefined
  readonly body: Buffer
}

/**
 * `answer`: it was read to its end. `failure`: there is none, and `code` says why (a system code or one of undici's);
 * `sentBefore` says that some of the request may have reached the other side, so that sending it again may repeat it.
 */
export type Reply =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'failure'; readonly code: string; readonly sentBefore: boolean }

export interface Transport {
  /** Never rejects. When it resolves, nothing reads `body` any more. */
  send(exchange: Exchange): Promise<Reply>
  /** Reads credentials and certificates again. Returns whether they are others than before. */
  reload(): boolean
  /** Drops what is under way: it fails with `ABORTED`, as does whatever is sent later. */
  abort(): void
  /** Ends idle connections; call it when nothing is under way. */
  close(): Promise<void>
}
