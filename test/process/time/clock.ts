/** Times of lines as the kernel finds them, by what is configured. */
import type { Timing, Untimed } from '../../../src/kernel/kernel.ts'
import { Slots } from '../../../src/process/parse/slots.ts'
import type { ProcessProblem } from '../../../src/process/problem.ts'
import { compileTime } from '../../../src/process/time/compile.ts'
import type { TimeOptions } from '../../../src/process/time/options.ts'
import { Bed, type Values } from '../rows.ts'

/** When lines are read, unless something else is said. */
export const READ = Date.UTC(2026, 10, 27, 12)

export interface Found {
  /** Nanoseconds, or undefined. */
  readonly times: readonly (bigint | undefined)[]
  readonly flags: readonly number[]
  readonly untimed: Untimed
}

type Time = TimeOptions['time']

export class Clock {
  readonly bed = new Bed()

  /** Reads lines; with `values` their time stands in slot 0, which is asked for first. */
  read(time: Time, lines: readonly (string | Uint8Array)[], timing: Partial<Timing> = {}, values?: Values[]): Found {
    const { bed } = this
    const key = JSON.stringify([time, values !== undefined])
    const address = bed.lay(key, () => compiled(time, values && new Slots('any')))
    const filling = bed.place(lines, values)
    const untimed = bed.kernel.times(address, filling, {
      base: -bed.start,
      column: 0,
      salt: 0,
      readAt: READ,
      ...timing,
    })
    const all = [...lines.keys()]
    return { times: all.map(line => bed.timeOf(line)), flags: all.map(line => bed.flagsOf(line)), untimed }
  }

  /** Times as texts of ISO 8601 in milliseconds; null: none. */
  dates(time: Time, lines: readonly (string | Uint8Array)[], timing: Partial<Timing> = {}): (string | null)[] {
    return this.read(time, lines, timing).times.map(isoOf)
  }

  /** The same of values, each of which is all of its line. */
  valueDates(time: Time, values: readonly string[]): (string | null)[] {
    return this.read(
      time,
      values,
      {},
      values.map(value => ({ 0: value })),
    ).times.map(isoOf)
  }
}

export function isoOf(time: bigint | undefined): string | null {
  return time === undefined ? null : new Date(Number(time / 1_000_000n)).toISOString()
}

function compiled(time: Time, slots: Slots | undefined): Uint8Array {
  const plan = compileTime({ time }, slots, problem => {
    throw new Error(JSON.stringify(problem))
  })
  if (plan === undefined) throw new Error('nothing was compiled')
  return plan.table
}

/** What is reported about these options. */
export function problemsOf(time: Time, slots?: Slots): ProcessProblem[] {
  const problems: ProcessProblem[] = []
  compileTime({ time }, slots, problem => void problems.push(problem))
  return problems
}
