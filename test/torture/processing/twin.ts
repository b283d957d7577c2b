/**
 * The twin of multiline in plain TypeScript: where a record that begins with a given line ends, line by line, by regular
 * expressions of the language. Nothing here knows of reads, timers or files.
 */
import type { Machine } from '../../../src/process/multiline/presets.ts'

export interface Bounds {
  /** Lines, and bytes between the beginning of a record and the end of its last line; 0 lines: any number. */
  readonly lines: number
  readonly bytes: number
}

export interface Walk {
  /** How many of the lines the record has. */
  readonly lines: number
  /** What follows, or the record's own last line, ends it; else it goes on as long as nothing follows. */
  readonly ended: boolean
}

interface Compiled {
  readonly expressions: ReadonlyMap<string, RegExp>
  readonly states: Machine['states']
}

interface Step {
  readonly joins: boolean
  readonly continues: boolean
  readonly ends: boolean
}

export class Twin {
  readonly #machines: readonly Compiled[]
  readonly #bounds: Bounds

  constructor(machines: readonly Machine[], bounds: Bounds) {
    this.#bounds = bounds
    this.#machines = machines.map(({ expressions, states }) => ({
      states,
      expressions: new Map(Object.entries(expressions).map(([name, text]) => [name, new RegExp(text)])),
    }))
  }

  /** The record that begins with the first of the lines. */
  walk(lines: readonly string[]): Walk {
    const states = this.#machines.map(() => 0)
    let bytes = 0
    for (const [n, line] of lines.entries()) {
      bytes += Buffer.byteLength(line)
      const { joins, ends } = this.#step(states, line)
      const over = bytes > this.#bounds.bytes || (this.#bounds.lines > 0 && n >= this.#bounds.lines)
      if (n > 0 && (!joins || over)) return { lines: n, ended: true }
      if (ends) return { lines: n + 1, ended: true }
      bytes++
    }
    return { lines: lines.length, ended: false }
  }

  /** Whether a record that begins with this line has to say that it goes on with another. */
  continues(line: string): boolean {
    return this.#step(
      this.#machines.map(() => 0),
      line,
    ).continues
  }

  #step(states: number[], line: string): Step {
    const step = { joins: false, continues: false, ends: false }
    for (const [n, { expressions, states: rules }] of this.#machines.entries()) {
      const rule = rules[states[n]!]!.find(({ on }) => on === 'any' || expressions.get(on)!.test(line))
      states[n] = rule?.to ?? 0
      step.joins ||= rule !== undefined && rule.step !== 'begins'
      step.continues ||= rule?.step === 'continues'
      step.ends ||= rule?.step === 'ends'
    }
    return step
  }
}
