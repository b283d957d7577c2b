/** Texts in which secrets, what is almost one, and what stands around them are mixed. */
import fc from 'fast-check'

const NAMES = [
  'password',
  'passwd',
  'token',
  'api_key',
  'secret',
  'Authorization',
  'pwd',
  'sessionId',
  'x-api-key',
  'sig',
]
const PARTS = [
  ...['hunter2', 'p@ss,word', '[password]', '[pas', '****', '[email]**', 'a', 'null', 'true', '12345', '-1.5e10'],
  ...['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc', 'AKIAIOSFODNN7EXAMPLE', 'xoxb-1234567890-abc'],
  ...['ghp_abcdefghijklmnopqrstuvwxyz0123456789', 'npm_', 'SG.', 'Bearer abcdef123456', 'Basic dXNlcjpwYXNz'],
  ...['joe@example.com', 'joe%40x.com', '4111111111111111', '4111 1111 1111 1111', 'DE89370400440532013000'],
  ...['123-45-6789', '10.1.2.3', '2001:db8::1', '::1', 'postgres://u:p@h/x', 'https://user:pa:ss@host'],
  ...['-----BEGIN PRIVATE KEY-----', '-----END PRIVATE KEY-----', 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA'],
  ...['été', '日本', '\\', '"', "'", '\n', '\t', '=', ':', '&', ',', ';', '{', '}', '[', ']', '(', ')', '<', '>', ' '],
  ...['--', '://', 'u003d', 'u0026', 'n', '%3D', '%26', '%20', '.', '-', '_', 'a.b', '123', '4', 'x'],
]
const JOINS = ['=', ':', ': ', '="', '":"', "': '", '\\":\\"', '\\u003d', '%3D', ' = ', "='", ' ']

const part = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...PARTS) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...JOINS)).map(both => both.join('')) },
  { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
)

export const text = fc.array(part, { maxLength: 14 }).map(parts => parts.join(''))

const name = fc.oneof(fc.constantFrom(...NAMES), fc.string({ maxLength: 5 }))

const { value } = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(4111111111111111, 12345678),
    text,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4 }),
    // JSON within a string of JSON.
    tie('value').map(inner => JSON.stringify(inner)),
  ),
}))

/** Other ways to write the same: slashes and signs escaped, as some libraries do; over several lines. */
const WAYS: ((value: unknown) => string)[] = [
  each => JSON.stringify(each),
  each => JSON.stringify(each).replaceAll('/', '\\/').replaceAll('&', '\\u0026').replaceAll('=', '\\u003d'),
  each => JSON.stringify(each, null, ' '),
]

export const json = fc
  .tuple(fc.dictionary(name, value, { minKeys: 1, maxKeys: 5 }), fc.constantFrom(...WAYS))
  .map(([object, way]) => way(object))
