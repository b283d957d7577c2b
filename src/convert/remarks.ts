/**
 * What is said of a conversion beside its result: which settings were not carried over, and why.
 *
 *     lost        it did something that the result does not do
 *     not needed  what it was for is done without it, or is no matter of the configuration
 *     note        it was carried over, and there is something to know or to do
 *
 * Guarantees: no secret is ever part of a remark; a setting is not lost twice.
 */

/** Where something stands. */
export interface Place {
  readonly file: string
  /** Counted from 1; `undefined`: not known. */
  readonly line: number | undefined
  /** As the peer writes it: `[FILTER] lua: Script`, `scrape_configs[0].static_configs`. */
  readonly key: string
}

export type RemarkKind = 'lost' | 'not needed' | 'note'

export interface Remark extends Place {
  readonly kind: RemarkKind
  readonly why: string
}

export class Remarks {
  readonly #all = new Map<string, Remark>()

  say(kind: RemarkKind, { file, line, key }: Place, why: string): undefined {
    const remark = { kind, file, line, key, why }
    // Of one setting one loss is enough; different notes may stand beside each other.
    const id = JSON.stringify(kind === 'note' ? [kind, file, line, key, why] : [kind, file, line, key])
    if (!this.#all.has(id)) this.#all.set(id, remark)
  }

  /** File by file, from top to bottom. */
  get all(): readonly Remark[] {
    const line = (remark: Remark): number => remark.line ?? Number.MAX_SAFE_INTEGER
    const byFile = Map.groupBy(this.#all.values(), ({ file }) => file)
    return [...byFile.values()].flatMap(each => each.toSorted((a, b) => line(a) - line(b)))
  }
}
