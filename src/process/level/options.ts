/** What can be said about the level of a record. */
import * as z from 'zod/mini'
import { LEVELS, type LevelName } from './words.ts'

/** What numbers mean. */
export const SCALES = ['pino', 'otel', 'syslog'] as const
export type Scale = (typeof SCALES)[number]

const name = z.string().check(z.minLength(1, { error: 'the name of a value' }))
const names = z.array(name).check(z.minLength(1, { error: 'at least one name' }))
const level = z.enum(Object.keys(LEVELS) as [LevelName, ...LevelName[]])

const rule = z.strictObject({
  field: z
    .optional(z.union([name, names], { error: 'the name of a value, or a list of them' }))
    .check(z.describe('Value of a parsed record that holds the level; of a list, the first that is there.')),
  map: z
    .optional(
      z.union([z.enum(SCALES), z.record(z.string(), level)], {
        error: `${SCALES.join(', ')}, or a map of words and numbers to levels (trace, debug, info, warn, error, fatal)`,
      }),
    )
    .check(z.describe('What numbers mean (pino, otel or syslog), or levels by the words or numbers for them.')),
})

export const levelShape = {
  level: z
    .optional(z.union([name, rule], { error: 'none, auto, text, the name of a value, or a map with field or map' }))
    .check(
      z.describe(
        'Where the level of a record stands: auto (a usual value of a parsed record, or a word in the text), text, the name of a value, or a map. Default: auto where records are parsed or something goes by it, else none.',
      ),
    ),
}

export interface LevelRule extends z.infer<typeof rule> {}

export interface LevelOptions {
  /** `none`, `auto`, `text` or the name of a value; or more. */
  readonly level?: string | LevelRule | undefined
}
