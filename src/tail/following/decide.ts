/**
 * Deciding: what follows from what a look at an open file showed.
 *
 *     observe     the tailer looks at its file, the follower at those that it may have to do with; nothing is changed
 *     decide      here: a pure function, which knows neither files nor clocks
 *     apply       the follower does it, one change after the other; it is the only one that does
 *
 * A look is decided upon in one go, with facts that belong together: where a file has to be compared with others, those
 * were looked at on both sides of the comparison, and what had happened to them was decided first (`turns.ts`).
 */
import type { Sight } from '../generation/tailer.ts'

/** What a look showed of one file. */
export interface Observed {
  readonly sight: Sight
  /** Nothing had been known of how it begins, and now something is. */
  readonly begins: boolean
  /** It was empty when its content was replaced: what is written to it first says whether it is a copy. */
  readonly emptied: boolean
  /** What stands in it may be the copy of a related file that is followed, before that is truncated. */
  readonly copied: boolean
  /** It has lost its name and holds noise: it was written over before it is removed. */
  readonly noise: boolean
  /** Nothing of it was read, and it begins like an archive. */
  readonly packed: boolean
}

export type Change =
  /** Lines were written, or what was written was changed in place: it is looked at often. `begins` as above. */
  | { readonly kind: 'written'; readonly begins: boolean }
  /** What was written to it is its own: it is no copy. */
  | { readonly kind: 'genuine' }
  /** There is something to read. */
  | { readonly kind: 'unread' }
  /** Its end was cut off: bytes are gone that not every backend had read. */
  | { readonly kind: 'shortened'; readonly bytes: number }
  /** Other content stands in it: the generation goes on in a copy or is lost, and another one begins here. */
  | { readonly kind: 'replaced' }
  /** What stands in it belongs to another file, or to none: it is not followed any more. */
  | { readonly kind: 'displaced' }
  /** It is an archive: it is not followed any more, and named. */
  | { readonly kind: 'packed' }
  /** All else has been done: whether it is to be pinned, or closed, and when it is looked at next. */
  | { readonly kind: 'looked' }

/** Whether a comparison with related files is needed to decide. */
export function needsComparison({ kind, ...sight }: Sight, emptied: boolean): boolean {
  return kind === 'replaced' || (emptied && 'unread' in sight && sight.unread)
}

/** What follows, in the order in which it is to be done. What ends the following of a file comes last, and alone. */
export function decide({ sight, begins, emptied, copied, noise, packed }: Observed): Change[] {
  switch (sight.kind) {
    case 'intact': {
      const changes: Change[] = []
      if (emptied && sight.unread) {
        if (copied) return [{ kind: 'displaced' }]
        changes.push({ kind: 'genuine' })
      }
      if (sight.changed) changes.push({ kind: 'written', begins })
      if (sight.unread && packed) return [...changes, { kind: 'packed' }]
      if (sight.unread) changes.push({ kind: 'unread' })
      return [...changes, { kind: 'looked' }]
    }
    case 'shortened':
      return [{ kind: 'shortened', bytes: sight.bytes }, { kind: 'unread' }, { kind: 'looked' }]
    case 'replaced':
      return copied || noise ? [{ kind: 'displaced' }] : [{ kind: 'replaced' }, { kind: 'looked' }]
  }
}
