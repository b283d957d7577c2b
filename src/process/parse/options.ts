/** What can be said about the format of records. */
import * as z from 'zod/mini'

/** Formats that are known: see formats.ts. */
export const FORMATS = ['json', 'logfmt', 'nginx', 'apache', 'klog', 'syslog', 'cri', 'docker'] as const
export type FormatName = (typeof FORMATS)[number]

const format = z.enum(FORMATS)
const formats = z.array(format).check(z.minLength(1, { error: 'at least one format' }))
const name = z.string().check(z.minLength(1, { error: 'a name' }))

const expression = z.string().check(z.minLength(1, { error: 'an expression' }))
const expressions = z.array(expression).check(z.minLength(1, { error: 'at least one expression' }))

const rule = z.strictObject({
  format: z
    .optional(z.union([format, formats], { error: `one of ${FORMATS.join(', ')}, or a list of them` }))
    .check(z.describe('What a record may be: the first that it is holds.')),
  match: z
    .optional(z.union([expression, expressions], { error: 'an expression, or a list of them' }))
    .check(z.describe('Expressions with named groups, tried behind formats: the first that matches holds.')),
  types: z
    ._default(z.record(name, z.enum(['text', 'number'])), {})
    .check(z.describe('Values of pairs and groups are texts. One that is to be a number, and is none, stays a text.')),
  fields: z
    ._default(z.array(name), [])
    .check(z.describe('Names of values that are found for what goes by names; dots name members of members.')),
  else: z
    ._default(z.enum(['keep', 'drop']), 'keep')
    .check(z.describe('What becomes of a record that is none of these: it is sent as its message, or dropped.')),
})

export const parseShape = {
  parse: z
    .optional(
      z.union([z.literal('none'), format, formats, rule], {
        error: `none, one of ${FORMATS.join(', ')}, a list of them, or a map with format or match`,
      }),
    )
    .check(z.describe('What records are: their values are sent as fields. Of a list the first that fits holds.')),
}

export type ParseRule = z.infer<typeof rule>

export interface ParseOptions {
  readonly parse?: 'none' | FormatName | readonly FormatName[] | ParseRule | undefined
}
