/** What can be said about which values of records are sent, and under which names. */
import * as z from 'zod/mini'

const name = z
  .string()
  .check(z.minLength(1, { error: 'a name' }), z.maxLength(255, { error: 'at most 255 characters' }))

const choice = z.strictObject({
  rename: z
    ._default(z.record(name, name), {})
    .check(z.describe('Values under other names. Where a record has a value of the new name both keep theirs.')),
  drop: z._default(z.array(name), []).check(z.describe('Values that are not sent.')),
  keep: z
    ._default(z.array(name), [])
    .check(z.describe('Only these values are sent, and those that are renamed. Default: all.')),
  flatten: z
    ._default(z.boolean(), false)
    .check(z.describe('Members of objects are values of their own: {"a":{"b":1}} is sent as a.b.')),
})

export const fieldsShape = {
  fields: z
    .optional(choice)
    .check(
      z.describe(
        'Which values of a parsed record are sent as fields. Message, time and level have places of their own, and stay.',
      ),
    ),
}

export type FieldsRule = z.infer<typeof choice>

export interface FieldsOptions {
  readonly fields?: FieldsRule | undefined
}
