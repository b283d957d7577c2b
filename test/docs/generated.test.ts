/** What is generated of the documentation is what the code says now, and each example of a key is valid. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseDocument, stringify } from 'yaml'
import { exampleKey, examples, type Leaf, sections } from '../../docs/generate/keys.ts'
import { PARTS, placed } from '../../docs/generate/parts.ts'
import { loadConfig } from '../../src/config/load.ts'
import { publishedSchema } from '../../src/config/published.ts'
import { scratch } from '../scratch.ts'
import { ROOT } from './documents.ts'

for (const part of PARTS) {
  t.test(`docs/${part.file}: ${part.name}`, t => {
    const text = readFileSync(join(ROOT, 'docs', part.file), 'utf8')
    t.equal(placed(part, text, part.text()), text, 'npm run docs makes it anew')
    t.ok(part.text().split('\n').length > 5)
    t.end()
  })
}

t.test('a document without the place of a part is told', t => {
  t.throws(() => placed({ file: 'x.md', name: 'keys' }, '# nothing', ''), /docs\/x.md has no/)
  t.end()
})

t.test('the published schema is the present one', t => {
  const published = JSON.parse(readFileSync(join(ROOT, 'config/schema.json'), 'utf8'))
  t.strictSame(published, JSON.parse(JSON.stringify(publishedSchema())), 'npm run schema makes it anew')
  t.end()
})

/** Keys of which only one may be given. */
const ALTERNATIVES = [
  ['preset', 'start', 'continue', 'end'].map(name => `sources[].multiline.${name}`),
  ['how', 'keep', 'key'].map(name => `sources[].redact.${name}`),
]

/** What a key needs besides. */
const NEEDS: Readonly<Record<string, string>> = {
  'sources[].time': 'sources[].parse',
  'sources[].level': 'sources[].parse',
}

/** The leaves that must stand beside one: those in the same map, and those that the maps around it require. */
function companions(leaf: Leaf, leaves: readonly Leaf[]): Leaf[] {
  const steps = leaf.path.split('.')
  const beside = (each: Leaf) =>
    steps.length > 2 && each.path.split('.').slice(0, -1).join('.') === steps.slice(0, -1).join('.')
  const around = (each: Leaf) =>
    each.required &&
    steps.some((_, at) => at > 0 && each.path.split('.').slice(0, -1).join('.') === steps.slice(0, at).join('.'))
  const needed = (each: Leaf) => each.path === NEEDS[steps.slice(0, 2).join('.')]
  const all = leaves.filter(each => each === leaf || beside(each) || around(each) || needed(each))
  const one = ALTERNATIVES.map(group => (group.includes(leaf.path) ? leaf.path : group[0]!))
  return all.filter(({ path }) => ALTERNATIVES.every((group, at) => !group.includes(path) || path === one[at]))
}

const given = examples()
const exampleOf = (key: string): unknown => parseDocument(given.get(key)!).toJS()

for (const { title, leaves, type } of sections()) {
  t.test(`the examples of ${title} are valid, and none is the default`, async t => {
    const file = join(scratch(t), 'config.yaml')
    for (const leaf of leaves) {
      const tree: Record<string, unknown> = {
        sources: [{ name: 'access', paths: ['/var/log/app/*.log'], parse: 'json' }],
      }
      if (leaf.path.startsWith('backends[]')) {
        const kind = type ?? (leaf.path === 'backends[].compression' ? 'http' : 'loki')
        tree['backends'] = [
          { type: kind, ...(given.has(`${kind}.endpoint`) ? { endpoint: exampleOf(`${kind}.endpoint`) } : {}) },
        ]
      }
      for (const { path } of companions(leaf, leaves)) {
        let at = tree as Record<string, unknown>
        const steps = path.split('.')
        for (const [index, step] of steps.entries()) {
          const list = step.endsWith('[]')
          const name = list ? step.slice(0, -2) : step
          if (index === steps.length - 1) {
            if (at[name]?.constructor !== Object) at[name] = exampleOf(exampleKey({ ...leaf, path }, type))
            break
          }
          // A map stands where another alternative is a text or a list.
          if (list) at[name] ??= [{}]
          else if (at[name]?.constructor !== Object) at[name] = {}
          at = (list ? (at[name] as unknown[])[0] : at[name]) as Record<string, unknown>
        }
      }
      writeFileSync(file, stringify(tree))
      const loaded = await loadConfig({ file, env: {}, cwd: '/' })
      t.equal(loaded.kind, 'ok', `${leaf.path}: ${JSON.stringify(loaded)}`)
      t.notSame(exampleOf(exampleKey(leaf, type)), leaf.schema.default, `${leaf.path}: another value than the default`)
    }
  })
}
