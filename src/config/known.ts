/**
 * Every key that there is. The bundle holds what this returns as it was at build time (build.ts): to take it from the
 * schema anew is a tenth of the time to start.
 */
import { type Key, keysOf } from './keys.ts'
import { jsonSchema } from './schema.ts'

export function knownKeys(): Key {
  return keysOf(jsonSchema())
}
