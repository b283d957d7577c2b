/**
 * Lent files: open ones of which it is not decided yet what they are.
 *
 * Deciding it means to look at other files, and one of those may turn out to have been truncated: then its generation is
 * searched for, by the names in its directory. The open file may be the copy it is looked for in, and have no name any
 * more, since copies are compressed, shifted or removed at once. So it is lent to the search while that lasts.
 *
 * Guarantees: an open file has one owner. The part that lent it closes or follows it only if it can be taken back; otherwise a
 * generation goes on in it.
 */
import type { Sibling } from './siblings.ts'

export class Lent implements Iterable<Sibling> {
  readonly #files = new Set<Sibling>()

  lend(file: Sibling): void {
    this.#files.add(file)
  }

  [Symbol.iterator](): Iterator<Sibling> {
    return this.#files.values()
  }

  /** Whether it is still there to be taken back. */
  has(file: Sibling): boolean {
    return this.#files.has(file)
  }

  /** Ends the loan, for the part that lent it as for the search; false if the other one has ended it. */
  take(file: Sibling): boolean {
    return this.#files.delete(file)
  }
}
