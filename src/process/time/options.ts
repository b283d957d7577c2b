/** What can be said about the time of a record. */
import * as z from 'zod/mini'

/** Formats that have a name; others are written with %. */
export const FORMATS = ['rfc3339', 'epoch_s', 'epoch_ms', 'epoch_us', 'epoch_ns', 'clf', 'syslog', 'klog'] as const
export type FormatName = (typeof FORMATS)[number]

const name = z.string().check(z.minLength(1, { error: 'the name of a value' }))

const rule = z.strictObject({
  field: z
    .optional(
      z.union([name, z.array(name).check(z.minLength(1), z.maxLength(16))], {
        error: 'the name of a value, or a list of them',
      }),
    )
    .check(z.describe('Value of a parsed record that holds the time; of a list, the first that is there.')),
  format: z
    .optional(z.string().check(z.minLength(1)))
    .check(z.describe(`${FORMATS.join(', ')}, or a format with % such as '%Y-%m-%d %H:%M:%S,%f'.`)),
  zone: z
    .optional(z.string())
    .check(z.describe('Zone of times that do not say theirs, such as Europe/Berlin or +02:00. Default: UTC.')),
})

export const timeShape = {
  time: z
    .optional(
      z.union([name, rule], {
        error: 'none, auto, the name of a value, or a map with field, format or zone',
      }),
    )
    .check(
      z.describe(
        'Where the time of a record stands: auto (a usual value of a parsed record, or the head of the line), the name of a value, or a map. Default: auto where records are parsed, else none: the time at which it was read.',
      ),
    ),
}

export interface TimeRule extends z.infer<typeof rule> {}

export interface TimeOptions {
  /** `none`, `auto` or the name of a value; or more. */
  readonly time?: string | TimeRule | undefined
}
