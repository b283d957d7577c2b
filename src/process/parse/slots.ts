/**
 * Slots: which values of a record are found, and the number of the place in its row where each stands.
 *
 * The parts that go by values ask for them here while a source is compiled (`slotFor`), and the same question has the same
 * answer; table.ts makes bytes of all of them together.
 *
 *     slotFor('status')                      the value of this name
 *     slotFor(['level', 'lvl'], 'scalar')    of the first of these names that has one of this kind
 */
import { LAYOUT } from '../../kernel/module.ts'

export const MOST_SLOTS = LAYOUT.MOST_SLOTS

/** Which values are meant. Values of pairs and expressions are texts. */
export type Kind = 'any' | 'text' | 'scalar'

const { KIND_TEXT, KIND_NUMBER, KIND_BOOLEAN, KIND_NULL, KIND_OBJECT, KIND_ARRAY } = LAYOUT
const KINDS: Record<Kind, number> = {
  any: KIND_TEXT | KIND_NUMBER | KIND_BOOLEAN | KIND_NULL | KIND_OBJECT | KIND_ARRAY,
  text: KIND_TEXT,
  scalar: KIND_TEXT | KIND_NUMBER,
}

/** What stands in one slot. */
export interface Wanted {
  readonly names: readonly string[]
  /** Bits of the kinds of values that are meant. */
  readonly kinds: number
}

/** Names that values can have: any, where records say them themselves. */
export type Known = 'any' | readonly string[]

export class Slots {
  readonly #known: Known
  readonly #wanted: Wanted[] = []
  readonly #numbers = new Map<string, number>()

  constructor(known: Known) {
    this.#known = known
  }

  /** What stands in each slot, by number. There may be more than `MOST_SLOTS`: then they cannot be laid down. */
  get wanted(): readonly Wanted[] {
    return this.#wanted
  }

  /** Whether a record can have a value of this name. */
  has(name: string): boolean {
    return this.#known === 'any' || this.#known.includes(name)
  }

  /** Names that values can have, if these are known. */
  get names(): readonly string[] | undefined {
    return this.#known === 'any' ? undefined : this.#known
  }

  /** A slot for what no parser finds. */
  own(): number {
    return this.#wanted.push({ names: [], kinds: 0 }) - 1
  }

  /** The slot for the value of one of these names, the first that has one; undefined: no record can have any of them. */
  slotFor(names: string | readonly string[], kind: Kind = 'any'): number | undefined {
    const all = (typeof names === 'string' ? [names] : names).filter(name => this.has(name))
    if (all.length === 0) return undefined
    const key = JSON.stringify([kind, ...all])
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const slot = this.#wanted.push({ names: all, kinds: KINDS[kind] }) - 1
    this.#numbers.set(key, slot)
    return slot
  }
}
