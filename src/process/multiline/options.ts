/** What can be said about records of several lines. */
import * as z from 'zod/mini'
import { duration } from '../../duration.ts'
import { size } from '../../size.ts'

/** Languages whose stack traces are known, and two rules that hold for many: see presets.ts. */
export const PRESETS = ['java', 'python', 'go', 'node', 'ruby', 'php', 'dotnet', 'rust', 'indent', 'date'] as const
export type PresetName = (typeof PRESETS)[number]

/** A record must fit into one read of a file. */
const MOST_BYTES = 255 * 1024
export const USUAL_BYTES = 128 * 1024

const preset = z.enum(PRESETS)
const presets = z.union([preset, z.array(preset).check(z.minLength(1, { error: 'at least one preset' }))], {
  error: `one of ${PRESETS.join(', ')}, or a list of them`,
})
const expression = z.string().check(z.minLength(1, { error: 'an expression' }))
const expressions = z.union(
  [expression, z.array(expression).check(z.minLength(1, { error: 'at least one expression' }))],
  { error: 'an expression, or a list of them' },
)

const rule = z.strictObject({
  preset: z.optional(presets).check(z.describe('Languages whose stack traces the files hold.')),
  start: z.optional(expressions).check(z.describe('A line that matches one of these begins a record.')),
  continue: z.optional(expressions).check(z.describe('A line that matches one of these goes on with the record.')),
  end: z.optional(expressions).check(z.describe('A line that matches one of these ends the record.')),
  flush: z
    .prefault(duration({ min: 10, max: 600_000 }), '1s')
    .check(z.describe('The last record is complete once its file has not grown for so long.')),
  maxLines: z
    ._default(z.int().check(z.minimum(0), z.maximum(1_000_000)), 0)
    .check(z.describe('A record of more lines is cut. 0: only its bytes are bounded.')),
  maxBytes: z
    .prefault(size({ min: 1024, max: MOST_BYTES }), USUAL_BYTES)
    .check(z.describe('A record of more bytes is cut between two lines.')),
})

export const multilineShape = {
  multiline: z
    .optional(
      z.union(
        [z.literal('none'), preset, z.array(preset).check(z.minLength(1, { error: 'at least one preset' })), rule],
        {
          error: `none, one of ${PRESETS.join(', ')}, a list of them, or a map with preset, start, continue or end`,
        },
      ),
    )
    .check(z.describe('Which lines make one record: the stack traces of a language, or expressions.')),
}

export type MultilineRule = z.infer<typeof rule>

export interface MultilineOptions {
  /** In a list `none` says nothing: a variable of the environment is a list. */
  readonly multiline?: 'none' | PresetName | readonly ('none' | PresetName)[] | MultilineRule | undefined
}
