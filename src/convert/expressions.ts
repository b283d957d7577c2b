/** Expressions of peers that mean no more than a few texts, and what a condition over a record comes to. */
import type { Setting } from './setting.ts'

export type Condition =
  /** Looked for in the whole record. */
  | { readonly kind: 'matching'; readonly expression: string }
  | { readonly kind: 'equal'; readonly field: string; readonly values: string | readonly string[] }

/** The texts that an expression means: `^(a|b)$`, `a|b`, `a`. `undefined`: it means more. */
export function isEquality(expression: string): string | readonly string[] | undefined {
  const inner = expression
    .replace(/^\^/, '')
    .replace(/\$$/, '')
    .replace(/^\((?:\?:)?([^()]*)\)$/, '$1')
  const texts = inner.split('|').map(each => each.replaceAll(/\\([.\-/_])/g, '$1'))
  const plain = inner.split('|').every(each => /^(?:[\w \-/:@]|\\[.\-/_])+$/.test(each))
  if (!plain) return undefined
  return texts.length === 1 ? texts[0] : texts
}

/** An expression without ^ and $ is found within a value too. */
export function unmeant(setting: Setting): undefined {
  setting.note('ours compares the whole value, where the expression is found within it too')
}
