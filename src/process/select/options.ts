/** What can be said about which records are kept: of a source, and, after that, of a backend. */
import * as z from 'zod/mini'
import { duration } from '../../duration.ts'
import { size } from '../../size.ts'

/** Levels, and the severity of OpenTelemetry with which each begins. */
export const SEVERITIES = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 } as const
export type LevelName = keyof typeof SEVERITIES
const LEVEL_NAMES = Object.keys(SEVERITIES) as [LevelName, ...LevelName[]]

/** Texts, or expressions, of one list; rules of one filter. */
const MOST_TEXTS = 64
const MOST_RULES = 32

/** Names that rules cannot have: reasons of the filter itself are named so. */
const OWN_REASONS: readonly string[] = ['below', 'drop', 'keep']

const LEVELS = `one of ${LEVEL_NAMES.join(', ')}`
const level = z.enum(LEVEL_NAMES, { error: LEVELS })
const text = z.string().check(z.minLength(1, { error: 'a text that is not empty' }))
const list = (error: string) =>
  z.union([text, z.array(text).check(z.minLength(1, { error }), z.maxLength(MOST_TEXTS, { error }))], { error })
const texts = list(`a text, or a list of 1 to ${MOST_TEXTS}`)
const expressions = list(`an expression, or a list of 1 to ${MOST_TEXTS}`)

const scalar = z.union([z.string(), z.number(), z.boolean()])
const VALUE = 'a text, a number, true or false, or a list of them'
const value = z.union([scalar, z.array(scalar).check(z.minLength(1, { error: VALUE }))], { error: VALUE })
const conditions = z
  .record(text, value)
  .check(z.refine(map => Object.keys(map).length > 0, { error: 'at least one condition' }))

const NAME = `a name of 1 to 56 letters, digits and the signs _ . -, other than ${OWN_REASONS.join(', ')}`
const ruleName = z.string().check(
  z.regex(/^[A-Za-z0-9_.-]{1,56}$/, { error: NAME }),
  z.refine(name => !OWN_REASONS.includes(name), { error: NAME }),
)

const filterRules = z.record(
  ruleName,
  z.strictObject({
    drop: conditions.check(
      z.describe('Values of fields, and below, text or matching: a record for which all of them hold is dropped.'),
    ),
  }),
)

const filterMap = z.strictObject({
  below: z.optional(level).check(z.describe('Drop records whose level is known and lower.')),
  drop: z.optional(texts).check(z.describe('Drop records that hold one of these texts. Case matters.')),
  dropMatching: z.optional(expressions).check(z.describe('Drop records that one of these expressions matches.')),
  keep: z.optional(texts).check(z.describe('Drop records that hold none of these texts.')),
  keepMatching: z
    .optional(expressions)
    .check(
      z.describe('Drop records that none of these expressions matches; beside keep, if they hold no text either.'),
    ),
  rules: z
    .optional(
      filterRules.check(
        z.refine(rules => Object.keys(rules).length <= MOST_RULES, { error: `at most ${MOST_RULES} rules` }),
      ),
    )
    .check(z.describe('Rules by name, of conditions that all must hold.')),
})

const filter = z
  .optional(
    z.union([z.literal('none'), level, filterMap], {
      error: `none, ${LEVELS}, or a map with below, drop, dropMatching, keep, keepMatching or rules`,
    }),
  )
  .check(z.describe('Which records are dropped. One word: those below that level.'))

const SHARE = 'a number greater than 0, up to 1'
const share = z.number({ error: SHARE }).check(z.gt(0, { error: SHARE }), z.lte(1, { error: SHARE }))

const sampleMap = z.strictObject({
  keep: share.check(z.describe('The share of records that is kept.')),
  by: z
    .optional(text)
    .check(z.describe('The field whose value decides, so that records which belong together stay together.')),
  unless: z
    ._default(z.enum(['none', ...LEVEL_NAMES], { error: `none, or ${LEVELS}` }), 'error')
    .check(z.describe('Records of this level or a higher one are kept in any case.')),
})

const sample = z
  .optional(z.union([share, sampleMap], { error: `${SHARE}, or a map with keep, by, unless` }))
  .check(z.describe('Keep only a share of the records, chosen by hash.'))

const window = duration({ min: 1, max: 24 * 3_600_000 })

export const REPEATS_FLUSH = 2000
const flush = duration({ min: 10, max: 600_000 })

const repeatsMap = z.strictObject({
  window: z.prefault(window, '30s').check(z.describe('A run of equal records ends after so long.')),
  flush: z
    .prefault(flush, '2s')
    .check(z.describe('The last record, and the run it is of, are sent once their file has not grown for so long.')),
})

const repeats = z
  .optional(
    z.union([z.literal('none'), window, repeatsMap], {
      error: 'none, a duration such as 30s, or a map with window, flush',
    }),
  )
  .check(z.describe('Of records that are equal but for digits at their head the last goes on, with their number.'))

const bytes = size({ min: 1024, max: 1024 ** 4 })

const limitMap = z
  .strictObject({
    bytes: z.optional(bytes).check(z.describe('Bytes a second.')),
    records: z
      ._default(z.int().check(z.minimum(0), z.maximum(1_000_000_000)), 0)
      .check(z.describe('Records a second; 0: any number.')),
    per: z._default(z.enum(['file', 'source']), 'file').check(z.describe('What the limit is for.')),
    over: z
      ._default(z.enum(['wait', 'drop']), 'wait')
      .check(z.describe('What becomes of records beyond it: they wait in their file, or are dropped.')),
  })
  .check(z.refine(({ bytes, records }) => bytes !== undefined || records > 0, { error: 'bytes or records, or both' }))

const limit = z
  .optional(
    z.union([z.literal('none'), bytes, limitMap], {
      error: 'none, bytes a second such as 1MiB, or a map with bytes, records, per, over',
    }),
  )
  .check(z.describe('How much is sent each second.'))

/** Of a backend: what is kept of what its sources keep. */
export const routeShape = { filter, sample, limit }
export const selectShape = { filter, sample, repeats, limit }

export type FilterOptions = z.infer<typeof filterMap>
export type SampleOptions = z.infer<typeof sampleMap>
export type LimitOptions = z.infer<typeof limitMap>

export interface RouteOptions {
  readonly filter?: 'none' | LevelName | FilterOptions | undefined
  readonly sample?: number | SampleOptions | undefined
  readonly limit?: 'none' | number | LimitOptions | undefined
}

export interface SelectOptions extends RouteOptions {
  readonly repeats?: 'none' | number | { readonly window: number; readonly flush: number } | undefined
}
