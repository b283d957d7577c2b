/** The search: inputs of a target, changed and tried until one fails or time is up. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { random } from '../torture/program.ts'
import { Coverage } from './coverage.ts'
import { Mutator, shrink } from './mutate.ts'
import type { Target } from './target.ts'

export const TARGETS: Record<string, () => Promise<Target>> = {
  judges: async () => (await import('./targets/judges.ts')).judges(),
  config: async () => (await import('./targets/config.ts')).config(),
  probes: async () => (await import('./targets/probes.ts')).probes(),
  archives: async () => (await import('./targets/archives.ts')).archives(),
  checkpoint: async () => (await import('./targets/checkpoint.ts')).checkpoint(),
}

export interface Found {
  readonly input: Buffer
  readonly error: unknown
}

export interface Outcome {
  readonly inputs: number
  /** Inputs that reached something new. */
  readonly kept: readonly Buffer[]
  /** Blocks of the program that were reached. */
  readonly reached: number
  readonly found: Found | undefined
}

export interface Limit {
  readonly seed: number
  readonly seconds?: number
  readonly inputs?: number
}

export function corpusOf(name: string): string {
  return join(import.meta.dirname, 'corpus', name)
}

/** The committed inputs of a target, in the order of their names. */
export function committed(name: string): Buffer[] {
  const dir = corpusOf(name)
  const names = existsSync(dir) ? readdirSync(dir).sort() : []
  return names.map(file => readFileSync(join(dir, file)))
}

function next(target: Target, mutator: Mutator, pool: readonly Buffer[]): Buffer {
  const byForm = target.change !== undefined && mutator.below(2) === 0
  return byForm ? target.change!(mutator.pick(pool), mutator) : mutator.next(pool)
}

export async function fuzz(target: Target, { seed, seconds, inputs: most }: Limit): Promise<Outcome> {
  const coverage = await Coverage.start(target.covers)
  const mutator = new Mutator(random(seed), target.words)
  const pool: Buffer[] = []
  const kept: Buffer[] = []
  const until = seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + seconds * 1000
  const first = [...target.seeds.map(bytes => Buffer.from(bytes)), ...committed(target.name)]
  let inputs = 0
  const wrong = async (input: Buffer): Promise<{ error: unknown } | undefined> => {
    try {
      await target.run(input)
      return undefined
    } catch (error) {
      return { error }
    }
  }
  try {
    while (inputs < first.length || (inputs < (most ?? Number.POSITIVE_INFINITY) && performance.now() < until)) {
      const given = first[inputs]
      const input = given ?? next(target, mutator, pool)
      inputs++
      const failure = await wrong(input)
      if (failure) {
        const small = await shrink(input, async candidate => (await wrong(candidate)) !== undefined)
        const error = (await wrong(small))?.error ?? failure.error
        return { inputs, kept, reached: coverage.size, found: { input: small, error } }
      }
      const isNew = await coverage.isNew()
      if (given || isNew) pool.push(input)
      if (!given && isNew) kept.push(input)
    }
    return { inputs, kept, reached: coverage.size, found: undefined }
  } finally {
    await coverage.stop()
  }
}
