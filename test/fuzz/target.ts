/** What can be fuzzed: a part of the program that takes bytes which an attacker can write. */

import type { Mutator } from './mutate.ts'

export interface Target {
  readonly name: string
  /** Files of the program whose coverage guides the search: parts of their paths. */
  readonly covers: readonly string[]
  /** Inputs to begin with, beside the committed ones. */
  readonly seeds: readonly Uint8Array[]
  /** Words of its grammar. */
  readonly words: readonly string[]
  /** Changes an input as only who knows its form can; about half of the inputs are made by it. */
  change?(input: Buffer, mutator: Mutator): Buffer
  /** Tries one input. Throws what is wrong, if anything is. */
  run(input: Buffer): void | Promise<void>
  /** Gives back what `run` holds. */
  close?(): Promise<void>
}
