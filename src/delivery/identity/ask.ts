/**
 * How an identity asks the servers that it is obtained from.
 *
 * Guarantees: what proves an identity (a token of the pod, a key's signature, a secret) is sent in the clear to no other
 * machine.
 */
import type { Answer } from '../../backends/backend.ts'

/** A request of our own. `beside`: to an address beside the pod. */
export interface Question {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly beside: boolean
}

export type Ask = (
  question: Question,
) => Promise<{ readonly kind: 'answer'; readonly answer: Answer } | { readonly kind: 'failure'; readonly code: string }>

/** Asks nothing of an address with http:// but beside the pod, or on this machine. */
export function privately(ask: Ask): Ask {
  return async question => {
    const { url, beside } = question
    return beside || isPrivate(url) ? ask(question) : { kind: 'failure', code: 'HTTPS_EXPECTED' }
  }
}

function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(hostname))
}
