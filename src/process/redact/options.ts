/** What can be said about what must not leave: names of rules, or a map for more. */
import * as z from 'zod/mini'
import { ABSOLUTE_PATH } from '../../path.ts'
import { GROUPS, PERSONAL, type RuleName, SECRETS } from './rules.ts'

const CHOICES = [...(Object.keys(GROUPS) as (keyof typeof GROUPS)[]), ...SECRETS, ...PERSONAL] as const
export type RedactChoice = keyof typeof GROUPS | RuleName

const choice = z.enum(CHOICES as unknown as [RedactChoice, ...RedactChoice[]])
const ALLOWED = `${CHOICES.join(', ')}, or a list of them`
const choices = z.union([choice, z.array(choice).check(z.minLength(1, { error: 'at least one rule' }))], {
  error: ALLOWED,
})

export const MOST_KEYS = 64
/** Expressions of one source. */
export const MOST_OWN = 32
const KEY = '2 to 64 letters, digits and the signs _ - . : of a name'
const key = z.string({ error: KEY }).check(z.regex(/^[A-Za-z0-9_.:-]{2,64}$/, { error: KEY }))
const keys = z.union(
  [
    key,
    z
      .array(key)
      .check(
        z.minLength(1, { error: 'at least one name' }),
        z.maxLength(MOST_KEYS, { error: `at most ${MOST_KEYS} names` }),
      ),
  ],
  { error: `a name, or a list of them: ${KEY}` },
)

const keep = 'a whole number from 1 to 16'
const place = z.union(
  [
    z.strictObject({
      file: z
        .string()
        .check(
          z.regex(ABSOLUTE_PATH, { error: 'the absolute path of a file' }),
          z.describe('Absolute path of a file that holds it.'),
        ),
    }),
    z.strictObject({
      env: z
        .string()
        .check(
          z.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'a variable name' }),
          z.describe('Name of the environment variable that holds it.'),
        ),
    }),
  ],
  { error: '{file: /path} or {env: NAME}' },
)

const MATCH = `names with expressions: 1 to ${MOST_OWN}, each a text or a list of them`
const NAME = `a name of 1 to 32 letters, digits and the signs _ . -, other than those of rules`
const name = z.string().check(
  z.regex(/^[A-Za-z0-9_.-]{1,32}$/, { error: NAME }),
  z.refine(text => !CHOICES.includes(text.toLowerCase() as RedactChoice), { error: NAME }),
)
const expression = z.string({ error: MATCH }).check(z.minLength(1, { error: 'an expression that is not empty' }))
const match = z
  .record(
    name,
    z.union([expression, z.array(expression).check(z.minLength(1, { error: 'at least one expression' }))], {
      error: 'an expression, or a list of them',
    }),
    { error: MATCH },
  )
  .check(
    z.refine(
      all => {
        const expressions = Object.values(all).flat().length
        return expressions > 0 && expressions <= MOST_OWN
      },
      { error: MATCH },
    ),
  )

const rule = z.strictObject({
  rules: z.optional(choices).check(z.describe('What is redacted: presets, or groups of them.')),
  keys: z
    .optional(keys)
    .check(z.describe('Names whose values are redacted: in JSON, logfmt, query strings and headers. Case is ignored.')),
  match: z
    .optional(match)
    .check(
      z.describe(
        'Expressions by the name of their rule. What one of them matches is redacted; if it has a group called secret, only that.',
      ),
    ),
  how: z
    .optional(z.enum(['replace', 'mask', 'hash']))
    .check(
      z.describe(
        'replace: the rule’s name and stars. mask: stars and the last bytes. hash: a keyed hash. Default: replace, or what goes with keep or key.',
      ),
    ),
  keep: z
    .optional(z.int({ error: keep }).check(z.minimum(1, { error: keep }), z.maximum(16, { error: keep })))
    .check(z.describe('Bytes that mask leaves at the end. Default: 4.')),
  key: z.optional(place).check(z.describe('Where the key of hash stands: 16 bytes at least.')),
})

export const redactShape = {
  redact: z
    .optional(
      z.union(
        [z.literal('none'), choice, z.array(choice).check(z.minLength(1, { error: 'at least one rule' })), rule],
        {
          error: `none, ${ALLOWED}, or a map with rules, keys or match`,
        },
      ),
    )
    .check(z.describe('Secrets and personal data that are overwritten before anything is sent or kept.')),
}

export type RedactRule = z.infer<typeof rule>

export interface RedactOptions {
  readonly redact?: 'none' | RedactChoice | readonly RedactChoice[] | Partial<RedactRule> | undefined
}
