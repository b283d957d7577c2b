import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { formOf } from '../../../src/tail/framing/form.ts'
import { hintFor, Notices } from '../../../src/tail/framing/notices.ts'
import { Journal, source } from '../rig.ts'

const PLAIN = formOf(source('/*'))
const TEXT = 'first line, with Grüßen\nsecond line\n'
const origin = (path: string) => ({ source: 'app', path, generation: '0'.repeat(16), labels: {} })
const utf16 = (text: string) => Buffer.from(text, 'utf16le')

t.test('text in another encoding is told by its beginning, with the option that would help', t => {
  const cases: [what: string, bytes: Buffer, lines: boolean, key: string, value: string][] = [
    ['UTF-16LE with a mark', utf16(`\ufeff${TEXT}`), true, 'encoding', 'utf-16le'],
    ['UTF-16BE with a mark', utf16(`\ufeff${TEXT}`).swap16(), true, 'encoding', 'utf-16be'],
    ['UTF-16LE without one', utf16(TEXT), true, 'encoding', 'utf-16le'],
    ['UTF-16BE without one', utf16(TEXT).swap16(), true, 'encoding', 'utf-16be'],
    ['Latin-1', Buffer.from(TEXT, 'latin1'), true, 'encoding', 'latin-1, windows-1252'],
    ['records that end in CR', Buffer.from('one\rtwo\rthree\r'), false, 'lineEnd', 'cr'],
    ['records that end in NUL', Buffer.from('one\0two\0three\0'), false, 'lineEnd', 'nul'],
  ]
  for (const [what, bytes, lines, key, value] of cases) t.match(hintFor(bytes, 0, lines, PLAIN), { key, value }, what)
  t.match(hintFor(utf16(TEXT).subarray(1), 1, true, PLAIN), { value: 'utf-16le' }, 'from any offset')
  t.end()
})

t.test('what a source says already is no news, but what contradicts it is', t => {
  const marked = utf16(`\ufeff${TEXT}`)
  t.equal(hintFor(marked, 0, true, formOf(source('/*', { encoding: 'utf-16le' }))), undefined)
  t.match(hintFor(marked, 0, true, formOf(source('/*', { encoding: 'utf-16be' }))), { value: 'utf-16le' })
  t.match(hintFor(marked, 0, true, formOf(source('/*', { encoding: 'latin-1' }))), { value: 'utf-16le' })
  t.equal(hintFor(Buffer.from('a\rb\rc\r'), 0, true, formOf(source('/*', { lineEnd: 'cr' }))), undefined)
  t.equal(hintFor(Buffer.from('a\0b\0c\0d\0e\0'), 0, true, formOf(source('/*', { lineEnd: 'nul' }))), undefined)
  t.equal(hintFor(Buffer.from(TEXT, 'latin1'), 0, true, formOf(source('/*', { encoding: 'latin-1' }))), undefined)
  t.end()
})

t.test('of UTF-8 nothing is said, wherever its beginning is cut off and however it is padded', t => {
  const line = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 60 }).filter(text => !/[\0\r]/.test(text)),
    fc.constantFrom('', 'plain text', 'progress 10%\rprogress 100%', '漢字', 'Grüße'),
  )
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 30 }), fc.nat(2000), fc.nat(300), (lines, cut, room) => {
      const text = Buffer.from(`${lines.join('\n')}\n`)
      const seen = text.subarray(0, cut)
      const bytes = Buffer.concat([seen, Buffer.alloc(cut > text.length ? room : 0)])
      assert.equal(hintFor(bytes, 0, seen.includes(10), PLAIN)?.key === 'encoding', false)
      if (seen.includes(10)) assert.equal(hintFor(bytes, 0, true, PLAIN), undefined)
    }),
    { numRuns: 1000 },
  )
  t.end()
})

t.test('a file is named once for each option, other files too', t => {
  const journal = new Journal()
  const notices = new Notices(journal)
  const hint = hintFor(utf16(TEXT), 0, true, PLAIN)!
  notices.say(origin('/a.log'), hint)
  notices.say(origin('/a.log'), hint)
  notices.repaired(origin('/a.log'))
  notices.repaired(origin('/b.log'))
  t.match(journal.said, [
    { level: 'warn', fields: { source: 'app', path: '/a.log', key: 'sources[].encoding', value: 'utf-16le' } },
    { level: 'warn', fields: { path: '/b.log' } },
  ])
  t.equal(journal.said.length, 2)
  t.end()
})
