/** An expression as a tree: what `parse.ts` makes and everything else reads. */
import type { Characters } from './characters.ts'

export type Assertion = 'text-start' | 'text-end' | 'line-start' | 'line-end' | 'boundary' | 'no-boundary'

export type Tree =
  | { readonly kind: 'empty' }
  /** One character out of a set; none matches where the set is empty. */
  | { readonly kind: 'set'; readonly characters: Characters }
  | { readonly kind: 'sequence'; readonly parts: readonly Tree[] }
  /** The first that leads to a match is taken. */
  | { readonly kind: 'choice'; readonly parts: readonly Tree[] }
  /** `most` may be infinite; a greedy one prefers to go on. */
  | {
      readonly kind: 'repeat'
      readonly part: Tree
      readonly least: number
      readonly most: number
      readonly greedy: boolean
    }
  /** A group that captures, by its number from 0. */
  | { readonly kind: 'group'; readonly index: number; readonly part: Tree }
  | { readonly kind: 'assertion'; readonly what: Assertion }

export interface Expression {
  readonly tree: Tree
  /** The names of the groups that capture, in the order of their opening brackets; '' where one has none. */
  readonly groups: readonly string[]
}

/** Whether it can match without taking a character. */
export function nullable(tree: Tree): boolean {
  switch (tree.kind) {
    case 'empty':
    case 'assertion':
      return true
    case 'set':
      return false
    case 'sequence':
      return tree.parts.every(nullable)
    case 'choice':
      return tree.parts.some(nullable)
    case 'repeat':
      return tree.least === 0 || nullable(tree.part)
    case 'group':
      return nullable(tree.part)
  }
}
