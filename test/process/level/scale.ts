/** Levels of lines as the kernel finds them, by what is configured. */
import type { Unlevelled } from '../../../src/kernel/kernel.ts'
import { LAYOUT } from '../../../src/kernel/module.ts'
import { compileLevel, type LevelPlan } from '../../../src/process/level/compile.ts'
import type { LevelOptions } from '../../../src/process/level/options.ts'
import { Slots } from '../../../src/process/parse/slots.ts'
import type { ProcessProblem } from '../../../src/process/problem.ts'
import { Bed, type Values } from '../rows.ts'

type Level = LevelOptions['level']

export interface Found {
  readonly levels: readonly number[]
  /** As they were written; undefined: nowhere. */
  readonly texts: readonly (string | undefined)[]
  readonly flags: readonly number[]
  readonly unlevelled: Unlevelled
}

export class Scale {
  readonly bed = new Bed()
  readonly #plans = new Map<string, LevelPlan>()

  /** Reads lines; with `values` these stand in slots, in the order in which a level asks for them. */
  read(level: Level, lines: readonly string[], values?: readonly Values[], form: number = LAYOUT.JSON): Found {
    const { bed } = this
    const key = JSON.stringify([level, values !== undefined])
    const plan = this.#plans.get(key) ?? compiled(level, values && new Slots('any'))
    this.#plans.set(key, plan)
    const address = bed.lay(key, () => plan.table)
    const unlevelled = bed.kernel.levels(address, bed.place(lines, values, form))
    const all = [...lines.keys()]
    return {
      levels: all.map(line => bed.levelOf(line)),
      texts: all.map(line => bed.textOf(line, plan.slot)),
      flags: all.map(line => bed.flagsOf(line)),
      unlevelled,
    }
  }

  /** The levels of values, each of which is all of its line. */
  valueLevels(level: Level, values: readonly string[]): readonly number[] {
    return this.read(
      level,
      values,
      values.map(value => ({ 0: value })),
    ).levels
  }
}

function compiled(level: Level, slots: Slots | undefined): LevelPlan {
  const plan = compileLevel({ level }, slots, problem => {
    throw new Error(JSON.stringify(problem))
  })
  if (plan === undefined) throw new Error('nothing was compiled')
  return plan
}

/** What is reported about these options. */
export function problemsOf(level: Level, slots?: Slots): ProcessProblem[] {
  const problems: ProcessProblem[] = []
  compileLevel({ level }, slots, problem => void problems.push(problem))
  return problems
}
