/** Names of zones: all that our table holds. */
import { ZONES } from '../../../src/process/time/zones.ts'

const isName = (word: string) => /^[A-Z]/.test(word)

export function zoneNames(): string[] {
  return ZONES.split(/\s+/).filter(isName)
}

/** One name of each history. */
export function distinctZones(): string[] {
  const entries = ZONES.split('@').slice(1)
  return entries.map(entry => entry.split(/\s+/).find(isName)!)
}
