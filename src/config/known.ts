/**
 * Every key that there is. The bundle holds what this returns as it was at build time (build.ts): to take it from the
 * schema anew is a tenth of the time to start. From the sources it is taken once in a process.
 */
import { type Key, keysOf } from './keys.ts'
import { jsonSchema } from './schema.ts'

let known: Key | undefined

export function knownKeys(): Key {
  known ??= keysOf(jsonSchema())
  return known
}
