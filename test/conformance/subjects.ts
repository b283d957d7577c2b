/** Every subject of the conformance suite: those of each type in the registry that speaks HTTP. */
import { BACKENDS, type BackendType } from '../../src/backends/registry.ts'
import type { Subject } from './subject.ts'

interface Module {
  readonly subject?: Subject
  readonly subjects?: readonly Subject[]
}

export const REMOTE_TYPES = (Object.keys(BACKENDS) as BackendType[]).filter(type => BACKENDS[type].transport === 'http')

/** Rejects if a type has no file beside this one, or one without a subject of that type. */
async function subjectsOf(type: BackendType): Promise<readonly Subject[]> {
  const { subject, subjects = [] }: Module = await import(`./${type}.ts`)
  const all = subject === undefined ? subjects : [subject, ...subjects]
  if (!all.some(each => each.type === type))
    throw new Error(`test/conformance/${type}.ts has no subject of type ${type}`)
  return all
}

export const SUBJECTS: readonly Subject[] = (await Promise.all(REMOTE_TYPES.map(subjectsOf))).flat()
