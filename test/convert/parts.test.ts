/** The parts that all converters stand on: what is printed, forms of times and sizes, and the validator’s last word. */
import t from 'tap'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import { checked } from '../../src/convert/checked.ts'
import { Draft } from '../../src/convert/draft.ts'
import { isEquality } from '../../src/convert/expressions.ts'
import { made } from '../../src/convert/made.ts'
import { print } from '../../src/convert/print.ts'
import { ours, References } from '../../src/convert/references.ts'
import { Remarks } from '../../src/convert/remarks.ts'
import { Setting, settingOf } from '../../src/convert/setting.ts'
import { bytesOf, sizeText } from '../../src/convert/sizes.ts'
import { SourceDraft } from '../../src/convert/source.ts'
import { fromGo, fromStrptime, milliseconds } from '../../src/convert/times.ts'

const context = () => ({ remarks: new Remarks(), references: new References({ fallback: ':-' }) })

t.test('what is printed is read as what it was', t => {
  const texts = [
    '',
    ' ',
    'a: b',
    '# c',
    "it's",
    '"q"',
    'true',
    'no',
    '~',
    '1',
    '0x1',
    '1.5',
    '-',
    '- a',
    'a:',
    '[x',
    '{x}',
    '\\d+\\s',
    "\\'",
    'a\nb',
    '\t',
    '\u2028',
    '*a',
    '&a',
    '!a',
    '%a',
    '@a',
    '`',
    'é',
    '100ms',
    'http://a:1/b',
    '${A:-b}',
    '2026-01-01',
    '=',
    '<<',
    'null',
  ]
  const tree = {
    texts,
    nested: [{ a: 1, b: { c: [true, null, 1.5], d: [] } }, 'x', [['y']]],
    names: Object.fromEntries(texts.map(text => [`k${text}`, text])),
    empty: {},
  }
  t.strictSame(parse(print(tree)), tree)
  t.end()
})

t.test('forms of times are those of strptime', t => {
  const go: [string, string][] = [
    ['RFC3339Nano', 'rfc3339'],
    ['UnixMs', 'epoch_ms'],
    ['2006-01-02T15:04:05.000Z07:00', 'rfc3339'],
    ['02/Jan/2006:15:04:05 -0700', '%d/%b/%Y:%H:%M:%S %z'],
    ['Mon Jan _2 15:04:05 2006', '%a %b %e %H:%M:%S %Y'],
    ['3:04:05 PM 1/2/06', '%l:%M:%S %p %m/%e/%y'],
    ['100% 2006', '100%% %Y'],
  ]
  for (const [layout, format] of go) t.equal(fromGo(layout), format, layout)
  t.equal(fromStrptime('%Y-%m-%dT%H:%M:%S.%LZ'), 'rfc3339')
  t.equal(fromStrptime('%+'), 'rfc3339')
  t.equal(fromStrptime('%s.%L'), 'epoch_s')
  t.equal(fromStrptime('%d %H:%M:%S%.3f %:z'), '%d %H:%M:%S.%f %z')
  t.strictSame(
    ['1m30s', '500ms', '2', '1.5h', 'soon'].map(each => milliseconds(each)),
    [90_000, 500, 2000, 5_400_000, undefined],
  )
  t.end()
})

t.test('sizes count 1024, and expressions that mean a few texts are told', t => {
  t.strictSame(['32k', '5MB', '10MiB', '7', 'x'].map(bytesOf), [32_768, 5 * 1024 ** 2, 10 * 1024 ** 2, 7, undefined])
  t.strictSame([1024 ** 2, 2048, 1000].map(sizeText), ['1MiB', '2KiB', '1000'])
  t.strictSame(['^a$', '^(a|b\\.c)$', 'a', 'a.*', '[ab]'].map(isEquality), [
    'a',
    ['a', 'b.c'],
    'a',
    undefined,
    undefined,
  ])
  t.end()
})

t.test('a setting is used, reported, or left over', t => {
  const shared = context()
  const root = settingOf(
    { a: 1, b: { c: 'x', d: ['y', { e: 1 }] }, f: 'many', g: [] },
    shared,
    'f',
    path => path.length,
  )
  t.equal(root.at('a')!.number(), 1)
  t.equal(root.find('b', 'c')!.flag(), undefined, 'no truth value is reported')
  t.equal(root.find('b', 'd')!.values()[0]!.text(), 'y')
  t.equal(root.at('f')!.number(), undefined)
  root.leftovers()
  t.strictSame(
    shared.remarks.all.map(({ kind, line, key }) => [kind, line, key]),
    [
      ['lost', 1, 'f'],
      ['lost', 1, 'g'],
      ['lost', 2, 'b.c'],
      ['lost', 3, 'b.d[1]'],
    ],
  )
  t.end()
})

t.test('references of a peer are ours, and what is none is escaped', t => {
  const setting = settingOf('', context(), 'f', () => 1)
  const table: [References, string, string][] = [
    [new References({ fallback: ':-' }), '/a/${B:-c}/${D}', '/a/${B:-c}/${D}'],
    [new References({ fallback: ':' }), '${B:c}${D:?no}', '${B:-c}${D:?no}'],
    [new References({ fallback: 'none' }), '${B}${1}', '${B}$${1}'],
    [new References({ fallback: ':-', bare: true }), '$B $$C ${D-e}', '${B} $C ${D:-e}'],
    [new References({ fallback: 'marked' }), '${B}', '$${B}'],
  ]
  for (const [references, theirs, text] of table) t.equal(ours(references.written(theirs, setting)), text, theirs)
  t.end()
})

t.test('what our validator refuses is lost at the setting that it was made of; anything else is a bug', async t => {
  const shared = context()
  const setting = (key: string) => new Setting({ file: 'f', line: 1, key }, { kind: 'value', value: 'x' }, shared)
  const draft = new Draft()
  const source = new SourceDraft('a b', setting('source'))
  source.path('/var/log/a.log', setting('path'))
  source.path('relative', setting('relative'))
  source.parseMatch('(?P<a>x', setting('expression'))
  draft.sources.push(source)
  draft.backend('loki', { endpoint: made('ftp://x', setting('endpoint')) }, [source], setting('backend'))
  const valid = await checked(draft, shared.references, loadConfig)
  t.strictSame(valid, { kind: 'valid', text: print({ sources: [{ name: 'a-b', paths: ['/var/log/a.log'] }] }) })
  t.strictSame(shared.remarks.all.map(({ key }) => key).sort(), ['backend', 'endpoint', 'expression', 'relative'])
  draft.rest['nonsense'] = 1
  t.match(await checked(draft, shared.references, loadConfig), { kind: 'bug', problems: [{ key: 'nonsense' }] })
  t.equal((await checked(new Draft(), shared.references, loadConfig)).kind, 'nothing')
})
