import fc from 'fast-check'
import t from 'tap'
import { echoes } from '../../../src/delivery/outcome/echo.ts'
import { character } from '../../character.ts'

const LINE = 'user="bob" pass="hunter2" id="4711" path=C:\\new\\table café 50% <b>&</b>'
const FRAMES = Buffer.from(`GET /health 200\n${LINE}\n{"msg":"said \\"yes\\" to mary"}\n`)

/** The forms in which error messages repeat what they object to. */
const FORMS: Record<string, (text: string) => string> = {
  'as it was': text => text,
  'as JSON': text => JSON.stringify(text),
  'as JSON within JSON': text => JSON.stringify(JSON.stringify(text)),
  'as JSON within JSON within JSON': text => JSON.stringify(JSON.stringify(JSON.stringify(text))),
  'as JSON in ASCII': text =>
    JSON.stringify(text).replace(/[^ -~]/g, each => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`),
  'every character as \\u': text =>
    [...text].map(each => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  'quoted for a shell': text => `'${text.replaceAll("'", "'\\''")}'`,
  'quoted as C does': text =>
    [...Buffer.from(text)]
      .map(byte => (byte > 126 || byte < 32 ? `\\${byte.toString(8).padStart(3, '0')}` : String.fromCharCode(byte)))
      .join('')
      .replaceAll('"', '\\"'),
  'as \\x': text => Buffer.from(text).toString('hex').replace(/../g, '\\x$&'),
  'in a URL': text => encodeURIComponent(text),
  'in a form': text => new URLSearchParams({ q: text }).toString(),
  'in HTML': text => text.replace(/[<>&"]/g, each => `&#${each.charCodeAt(0)};`),
  'in HTML, hexadecimal': text => text.replace(/\W/g, each => `&#x${each.codePointAt(0)!.toString(16)};`),
  'in HTML, by name': text => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;'),
  'in capitals': text => text.toUpperCase(),
  'in other quotes': text => text.replaceAll('"', '`'),
  'with its blanks doubled': text => text.replaceAll(' ', '  '),
  'in base64': text => Buffer.from(text).toString('base64'),
  'in base64url': text => Buffer.from(text).toString('base64url'),
  'in base64 of more': text => Buffer.from(`x${text}`).toString('base64'),
  'in hexadecimal': text => Buffer.from(text).toString('hex'),
  'in capitals of hexadecimal': text => Buffer.from(text).toString('hex').toUpperCase(),
  'as a hexdump': text => Buffer.from(text).toString('hex').replace(/../g, '$& '),
  'in base32': text => base32(text),
  'in base64 that is folded': text => Buffer.from(text).toString('base64').replace(/.{12}/g, '$&\n '),
  'in wide letters': text => text.replace(/[!-~]/g, each => String.fromCharCode(each.charCodeAt(0) + 0xfee0)),
  'with marks over its letters': text => [...text].map(each => `${each}\u0301`).join(''),
  'with blanks of no width': text => [...text].join('\u200b'),
  'as U+': text =>
    codes(text, 16, 4)
      .map(code => `U+${code}`)
      .join(' '),
  'as \\x{}': text =>
    codes(text, 16)
      .map(code => `\\x{${code}}`)
      .join(''),
  'as \\u{}': text =>
    codes(text, 16)
      .map(code => `\\u{${code}}`)
      .join(''),
  'as %u': text =>
    codes(text, 16, 4)
      .map(code => `%u${code}`)
      .join(''),
  'in quoted-printable, every byte': text => Buffer.from(text).toString('hex').replace(/../g, '=$&'),
  'in binary': text => codes(text, 2, 8).join(' '),
  'as an object of bytes': text => JSON.stringify({ ...codes(text, 10).map(Number) }),
  'as a slice of bytes in Go': text => `[${[...Buffer.from(text)].join(' ')}]`,
  'as an array of bytes': text => `[${[...Buffer.from(text)].join(', ')}]`,
}

function codes(text: string, radix: number, digits = 1): string[] {
  return [...text].map(each => each.codePointAt(0)!.toString(radix).padStart(digits, '0'))
}

function base32(text: string): string {
  const bits = [...Buffer.from(text)].map(byte => byte.toString(2).padStart(8, '0')).join('')
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  return (bits.match(/.{1,5}/g) ?? []).map(each => letters[Number.parseInt(each.padEnd(5, '0'), 2)]).join('')
}

t.test('an echo is known in every form', t => {
  for (const [form, write] of Object.entries(FORMS)) {
    t.ok(echoes(`cannot parse: ${write(LINE)} (at 1)`, FRAMES), form)
    t.ok(echoes(write(LINE.slice(5, 37)), FRAMES), `a part of it ${form}`)
  }
  t.ok(echoes('cannot parse said "yes" to mary', FRAMES), 'what was escaped in the line is known without its escapes')
  t.end()
})

t.test('any part of any line is known in any form', t => {
  const word = fc.string({ unit: fc.constantFrom(...'abcXYZ0123456789'), minLength: 16, maxLength: 40 })
  const mark = fc.string({ unit: fc.constantFrom(...' "\\\'=<>&%{}[]:,é'), maxLength: 6 })
  fc.assert(
    fc.property(mark, word, mark, fc.constantFrom(...Object.keys(FORMS)), (before, secret, after, form) => {
      const line = `${before}${secret}${after}`
      return echoes(`no: ${FORMS[form]!(line)}`, Buffer.from(`other\n${line}\n`))
    }),
    { numRuns: 250 },
  )
  t.end()
})

t.test('what servers say for themselves is not taken for an echo', t => {
  const frames = Buffer.from(
    Array.from(
      { length: 2000 },
      (_, n) => `2026-11-20T10:00:00Z info request ${n} to /api/v1/things took ${n % 37} ms, user ${n * 7919}\n`,
    ).join(''),
  )
  for (const said of [
    'no org id',
    'entry too far behind',
    'Ingestion rate limit exceeded for user fake (limit: 4194304 bytes/sec)',
    'stream limit exceeded',
    '{"code":6,"text":"Invalid data format","invalid-event-number":3}',
    'failed to parse field [status] of type [long]',
    "Code: 27. DB::Exception: Cannot parse input: expected '\"' before: (at row 2)",
    '<html><head><title>503 Service Temporarily Unavailable</title></head></html>',
    'index_not_found_exception: no such index [logs-2026]',
    'deadbeefdeadbeefdeadbeefdeadbeef',
    'bm90aGluZyBvZiB0aGVpcnMgYXQgYWxs',
    'limit 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15',
    '100% &&& \\ \\x \\u12 %zz &#x110000; &#; &nothing-at-all;',
    '',
  ]) {
    t.notOk(echoes(said, frames), said)
  }
  t.end()
})

t.test('whatever is said of whatever, there is an answer', t => {
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 400 }), fc.uint8Array({ maxLength: 300 }), (text, frames) => {
      echoes(text, frames)
    }),
  )
  t.end()
})
