/**
 * The pod's termination: since when it is under way, and how long a drain may take.
 *
 *     preStop hook ────────────── SIGTERM ─────────── killed
 *     │  the application ends      │  ours            │
 *     └────────── terminationGracePeriodSeconds ──────┘
 *
 * The grace period is shared with the application: it counts from the hook, long before our SIGTERM. But everybody who
 * reaches the probe port can call the hook, and a drain that is cut short costs lines. One that is too long costs an
 * orderly end and no line: the kubelet kills us at the time at which we would have given up. So in doubt it is long.
 *
 * Guarantees, whichever process calls and however often:
 *   1. an unverified mark leaves half of the grace period at the least, counted from SIGTERM; it counts only if it is
 *      not older than a grace period, for after that the pod would be gone; the latest one counts;
 *   2. a mark from within the pod counts before all others, and as it is: its containers share our volume anyway;
 *   3. a drain has a second at the least, for the kubelet leaves two.
 */

/** Who called the hook: `pod` came over loopback. */
export type Caller = 'pod' | 'unverified'

/** How many grace periods a mark from within the pod counts: SIGTERM comes a little later than the first one ends. */
const POD_COUNTS = 2
/** How much of the grace period is left whatever an unverified mark says. */
const LEAST = 0.5
/** Milliseconds, of which one is ours. */
const SECOND = 1000

export interface Drain {
  /** Monotonic milliseconds at which it must be over. */
  readonly until: number
  /** By whose mark it counts, if there is one. */
  readonly mark: Caller | null
}

export class Termination {
  readonly #now: () => number
  readonly #marks: Partial<Record<Caller, number>> = {}
  #signalled: number | undefined

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** The preStop hook was called. */
  mark(caller: Caller): void {
    this.#marks[caller] = this.#now()
  }

  /** SIGTERM has come. */
  signal(): void {
    this.#signalled ??= this.#now()
  }

  /** How long the drain may take that begins now. `gracePeriod`: milliseconds. */
  drain(gracePeriod: number): Drain {
    this.signal()
    const signalled = this.#signalled!
    const { mark, began } = this.#began(signalled, gracePeriod)
    return { mark, until: Math.max(began + gracePeriod - SECOND, this.#now() + SECOND) }
  }

  #began(signalled: number, gracePeriod: number): { readonly mark: Caller | null; readonly began: number } {
    const { pod, unverified } = this.#marks
    if (pod !== undefined && signalled - pod <= POD_COUNTS * gracePeriod)
      return { mark: 'pod', began: Math.min(pod, signalled) }
    if (unverified === undefined || signalled - unverified > gracePeriod) return { mark: null, began: signalled }
    const began = Math.max(unverified, signalled - LEAST * gracePeriod)
    return { mark: 'unverified', began: Math.min(began, signalled) }
  }
}
