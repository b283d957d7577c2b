/**
 * Identities by what is configured: backends that are to show the same one share it, and its exchanges.
 *
 * Guarantees: an identity lives as long as one transport uses it; a transport that is aborted no longer waits, and ends
 * an exchange only if no other waits for it.
 */
import type { Answer } from '../../backends/backend.ts'
import type { Credential, Identity, Obtained } from '../transport/identity.ts'

const ABORTED: Obtained = { kind: 'failure', code: 'ABORTED' }

/** A transport no longer uses an identity; `end` is called if it was the last. */
type Leave = (end: (identity: Identity) => Promise<void> | void) => Promise<void> | void

interface Shared {
  readonly identity: Identity
  /** How many transports use it. */
  uses: number
}

export class Identities {
  readonly #shared = new Map<string, Shared>()

  /** The identity of this key, made if there is none. Two that are made alike have equal keys. */
  share(key: string, make: () => Identity): Identity {
    const known = this.#shared.get(key)
    const shared = known ?? { identity: make(), uses: 0 }
    this.#shared.set(key, shared)
    shared.uses++
    let ended = false
    const leave: Leave = end => {
      if (ended) return
      ended = true
      if (--shared.uses > 0) return
      if (this.#shared.get(key) === shared) this.#shared.delete(key)
      return end(shared.identity)
    }
    return new Use(shared.identity, leave)
  }
}

class Use implements Identity {
  readonly #identity: Identity
  readonly #leave: Leave
  readonly #waiting = new Set<(obtained: Obtained) => void>()
  #aborted = false

  constructor(identity: Identity, leave: Leave) {
    this.#identity = identity
    this.#leave = leave
  }

  get found(): string {
    return this.#identity.found
  }

  credential(): Promise<Obtained> {
    if (this.#aborted) return Promise.resolve(ABORTED)
    const { promise, resolve } = Promise.withResolvers<Obtained>()
    this.#waiting.add(resolve)
    void this.#identity.credential().then(obtained => {
      this.#waiting.delete(resolve)
      resolve(obtained)
    })
    return promise
  }

  answered(credential: Credential, answer: Answer): boolean {
    return this.#identity.answered(credential, answer)
  }

  abort(): void {
    this.#aborted = true
    for (const resolve of this.#waiting) resolve(ABORTED)
    this.#waiting.clear()
    void this.#leave(identity => identity.abort())
  }

  async close(): Promise<void> {
    await this.#leave(identity => identity.close())
  }
}
