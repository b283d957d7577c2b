/** What every converter gets, and what a conversion comes to. */
import type { Problem } from '../config/problem.ts'
import type { Draft } from './draft.ts'
import type { References } from './references.ts'
import type { Remark, Remarks } from './remarks.ts'
import type { Context } from './setting.ts'

/** A file that was named, and those that it may name. */
export interface Input {
  readonly file: string
  readonly text: string
  /** Lines of the file that stand in front of the text. */
  readonly linesBefore: number
  /** Another file, by the name that the input has for it; `undefined`: it cannot be read. */
  readonly other: (name: string) => Input | undefined
}

export interface Conversion extends Context {
  readonly remarks: Remarks
  readonly references: References
  readonly draft: Draft
}

/** `problems`: the input cannot be read. */
export type Read = { readonly kind: 'read' } | { readonly kind: 'unreadable'; readonly problems: readonly Problem[] }

export type Converted =
  | { readonly kind: 'converted'; readonly text: string; readonly remarks: readonly Remark[] }
  | { readonly kind: 'nothing'; readonly remarks: readonly Remark[] }
  | { readonly kind: 'unreadable'; readonly problems: readonly Problem[] }
  /** What is printed is not valid. */
  | {
      readonly kind: 'bug'
      readonly text: string
      readonly remarks: readonly Remark[]
      readonly problems: readonly Problem[]
    }
