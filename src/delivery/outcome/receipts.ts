/**
 * Receipts: requests that a backend has accepted and not yet confirmed (Splunk's indexer acknowledgement).
 *
 * Guarantees: every receipt comes to an end: confirmed, or lost when its patience is over, or abandoned by `stop`;
 * there is one question under way at a time, about all of them, and none while nothing is open. A question that fails
 * costs nothing but time.
 */
import type { Answer, Confirmation } from '../../backends/backend.ts'
import type { Transport } from '../transport/transport.ts'

/**
 * Milliseconds before the first question, if that is less than the backend wants. What waits holds memory, and nothing
 * is sent when there is none left: a backend that confirms quickly is asked often, one that takes its time more seldom.
 */
const SOONEST = 100

export type Fate = 'confirmed' | 'lost' | 'abandoned'

interface Open {
  readonly until: number
  readonly onFate: (fate: Fate) => void
}

export class Receipts {
  readonly #confirmation: Confirmation
  readonly #transport: Transport
  readonly #open = new Map<string, Open>()
  #timer: NodeJS.Timeout | undefined
  #pace = SOONEST
  #stopped = false

  constructor(confirmation: Confirmation, transport: Transport) {
    this.#confirmation = confirmation
    this.#transport = transport
  }

  /** Calls back once, with what becomes of the request with this receipt; at once after `stop`. */
  expect(receipt: string, onFate: (fate: Fate) => void): void {
    if (this.#stopped) {
      onFate('abandoned')
      return
    }
    // A receipt that is given twice is ambiguous: the earlier one is sent again.
    this.#end(receipt, 'lost')
    this.#open.set(receipt, { until: performance.now() + this.#confirmation.patience, onFate })
    this.#later()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    for (const receipt of [...this.#open.keys()]) this.#end(receipt, 'abandoned')
  }

  #later(): void {
    if (this.#stopped || this.#open.size === 0) return
    this.#timer ??= setTimeout(() => void this.#ask(), Math.min(this.#pace, this.#confirmation.every))
  }

  async #ask(): Promise<void> {
    const asked = [...this.#open.keys()]
    const { head, contentType, body } = this.#confirmation.question(asked)
    const reply = await this.#transport.send({ head, contentType, encoding: undefined, body: Buffer.from(body) })
    const confirmed = reply.kind === 'answer' ? this.#confirmed(reply.answer, asked) : []
    for (const receipt of confirmed) this.#end(receipt, 'confirmed')
    const pace = confirmed.length > 0 ? this.#pace / 2 : this.#pace * 2
    this.#pace = Math.max(SOONEST, Math.min(pace, this.#confirmation.every))
    const now = performance.now()
    for (const [receipt, { until }] of [...this.#open]) if (now >= until) this.#end(receipt, 'lost')
    this.#timer = undefined
    this.#later()
  }

  #confirmed(answer: Answer, asked: readonly string[]): readonly string[] {
    try {
      const said = this.#confirmation.confirmed(answer, asked)
      if ('kind' in said) {
        if (said.kind === 'unauthorized') this.#transport.reload()
        return []
      }
      return said
    } catch {
      // No answer may end the process; one that cannot be read confirms nothing.
      return []
    }
  }

  #end(receipt: string, fate: Fate): void {
    const open = this.#open.get(receipt)
    this.#open.delete(receipt)
    open?.onFate(fate)
  }
}
