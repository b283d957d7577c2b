/** An editor with yaml-language-server and config/schema.json: what it finds wrong, what it explains, and what it offers. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ROOT } from '../docs/documents.ts'
import { type Diagnostic, LanguageServer, type Place } from '../support/language-server.ts'

const CONFIG = join(ROOT, 'config')
/** As in the examples: the schema beside the file. */
const HEAD = '# yaml-language-server: $schema=./schema.json\n'

const server = await LanguageServer.start(t)

/** As the text of a file in config/ that need not be there. */
function open(name: string, text: string): Promise<readonly Diagnostic[]> {
  return server.open(join(CONFIG, name), text.startsWith(HEAD) ? text : HEAD + text)
}

/** Opens the text, and returns the place of the mark ‸ in it. */
async function openAt(name: string, marked: string): Promise<Place> {
  await open(name, marked.replace('‸', ''))
  const before = (HEAD + marked).split('‸')[0]!.split('\n')
  return { line: before.length - 1, character: before.at(-1)!.length }
}

const said = (all: readonly Diagnostic[]): string[] =>
  all.map(({ message, range }) => `${range.start.line + 1}: ${message}`)

t.test('it finds nothing wrong with any example', async t => {
  const names = globSync('*.yaml', { cwd: CONFIG }).sort()
  t.ok(names.length > 15)
  const found = await Promise.all(names.map(name => open(name, readFileSync(join(CONFIG, name), 'utf8'))))
  for (const [index, name] of names.entries()) t.strictSame(said(found[index]!), [], name)
})

const WRONG: readonly (readonly [text: string, found: RegExp])[] = [
  ['sources: [{ paths: [/a.log], lables: { a: b } }]\nbackends: [{ type: stdout }]\n', /^2: .*lables/],
  ['sources: [{ paths: [/a.log] }]\nbackends: [{ type: stdout }]\nmemory: { budget: 5 megs }\n', /^4: /],
  ['sources: [{ paths: [/a.log] }]\nbackends: [{ type: stdout }]\ndrain: { gracePeriod: soon }\n', /^4: /],
  ['sources: [{ paths: [/a.log] }]\nbackends: [{ type: lokki, endpoint: "http://x" }]\n', /^3: /],
  ['sources: [{ paths: [/a.log] }]\nbackends: [{ type: loki }]\n', /^3: .*endpoint/],
]

t.test('it finds what validation finds, in its line', async t => {
  const found = await Promise.all(WRONG.map(([text], index) => open(`wrong-${index}.yaml`, text)))
  for (const [index, [text, words]] of WRONG.entries()) t.match(said(found[index]!)[0], words, text)
})

t.test('it explains keys, in the words of the reference', async t => {
  const explained: readonly (readonly [text: string, words: RegExp])[] = [
    ['sources:\n  - paths: [/a.log]\n    maxLine‸Bytes: 1MiB\n', /longer lines are cut/i],
    ['drain:\n  grace‸Period: 30s\n', /terminationGracePeriodSeconds/],
    ['backends:\n  - type: loki\n    endpoint: http://loki\n    max‸Age: 45m\n', /get a new time/],
  ]
  for (const [index, [text, words]] of explained.entries()) {
    const name = `explained-${index}.yaml`
    t.match(await server.hover(join(CONFIG, name), await openAt(name, text)), words, text)
  }
})

t.test('it offers keys, those of the type of a backend among them, and values', async t => {
  const offered: readonly (readonly [text: string, labels: readonly string[]])[] = [
    ['‸\n', ['sources', 'backends', 'drain']],
    ['sources:\n  - paths: [/a.log]\n    ‸\n', ['exclude', 'multiline', 'redact', 'parse']],
    ['backends:\n  - type: ‸\n', ['loki', 'elasticsearch', 'stdout']],
    ['backends:\n  - type: loki\n    endpoint: http://loki\n    ‸\n', ['tenant', 'maxLabelSets', 'batch']],
  ]
  for (const [index, [text, labels]] of offered.entries()) {
    const name = `offered-${index}.yaml`
    const all = await server.complete(join(CONFIG, name), await openAt(name, text))
    for (const label of labels) t.ok(all.includes(label), `${text}: ${label} of ${all}`)
  }
})
