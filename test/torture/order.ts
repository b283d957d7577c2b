/**
 * The order in which lines arrive for the first time, at one backend that takes one request at a time.
 *
 * Within one incarnation of a file they come as they were written. Across the files that carried one name one after the
 * other they do too, so long as the shipper had them together: see `Line.ordered`.
 */
import type { Line } from './node.ts'

export class Order {
  /** The highest `seq` of each incarnation. */
  readonly #reached = new Map<number, number>()
  /** By name: the last line, by its place in the program, that has arrived; and the last of any other incarnation. */
  readonly #latest = new Map<string, { readonly line: Line; readonly other: Line | undefined }>()

  /** Takes note of an arrival; says what is wrong with it, if anything. `within`: among the lines of one incarnation. */
  arrived(line: Line): { readonly text: string; readonly within: boolean } | undefined {
    const before = this.#reached.get(line.incarnation) ?? -1
    this.#reached.set(line.incarnation, Math.max(before, line.seq))
    const overtaken = this.#overtaken(line)
    if (line.seq < before) return { text: `line ${line.seq} after ${before}`, within: true }
    if (overtaken === undefined || !line.ordered || line.allowed > 1) return undefined
    const { incarnation, seq } = overtaken
    const text = `line ${line.seq} of incarnation ${line.incarnation} after ${seq} of ${incarnation}`
    return { text: `${text}, written later to ${line.name}`, within: false }
  }

  /** The line of another incarnation that was written later to the same name and has arrived already. */
  #overtaken(line: Line): Line | undefined {
    // What may come in any order overtakes nothing either.
    if (line.name === '' || !line.ordered) return undefined
    const known = this.#latest.get(line.name)
    const rival = known?.line.incarnation === line.incarnation ? known.other : known?.line
    if (known === undefined) this.#latest.set(line.name, { line, other: undefined })
    else if (known.line.incarnation === line.incarnation) {
      if (line.place > known.line.place) this.#latest.set(line.name, { line, other: known.other })
    } else if (line.place > known.line.place) this.#latest.set(line.name, { line, other: known.line })
    else if (line.place > (known.other?.place ?? 0)) this.#latest.set(line.name, { line: known.line, other: line })
    return rival !== undefined && rival.place > line.place ? rival : undefined
  }
}
