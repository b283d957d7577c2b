/** Every link, path and heading that the documentation names is there. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import t from 'tap'
import { DOCUMENTS, document, ROOT } from './documents.ts'

/** As GitHub makes the anchor of a heading. */
function anchors(text: string): Set<string> {
  return new Set(
    [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

t.test('every link leads to a file, and to a heading in it', t => {
  let seen = 0
  for (const { file, prose } of DOCUMENTS) {
    for (const [, link] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link!)) continue
      seen++
      const [path, anchor] = link!.split('#')
      const target = path === '' ? file : normalize(join(dirname(file), path!))
      t.ok(existsSync(join(ROOT, target)), `${file}: ${link}`)
      if (anchor !== undefined) t.ok(anchors(document(target).text).has(anchor), `${file}: ${link}`)
    }
  }
  t.ok(seen > 60)
  t.end()
})

const sources = globSync(['src/**/*.ts', 'test/**/*.ts', 'docs/**/*.ts', '*.ts', 'docker/*.ts'], { cwd: ROOT })
const names = new Set(sources.map(each => basename(each)))

t.test('every path of the repository in it leads to a file or a directory', t => {
  let seen = 0
  for (const { file, text } of DOCUMENTS) {
    for (const [path] of text.matchAll(/(?<![\w./-])(?:src|test|docs|docker|config|k8s|\.github|\.ci)\/[\w./-]+/g)) {
      const trimmed = path.replace(/[./]+$/, '')
      // In capitals stands what a reader puts there.
      if (/NAME/.test(trimmed)) continue
      seen++
      t.ok(existsSync(join(ROOT, trimmed)), `${file}: ${path}`)
    }
  }
  t.ok(seen > 100)
  t.end()
})

t.test('every source file that is named, below src/ or by its last name, is there', t => {
  let seen = 0
  for (const { file, prose } of DOCUMENTS) {
    for (const [, path] of prose.matchAll(/`([\w./-]+\.ts)`/g)) {
      if (/NAME/.test(path!)) continue
      seen++
      const there = sources.includes(path!) || sources.includes(`src/${path}`) || sources.includes(`test/${path}`)
      t.ok(there || (!path!.includes('/') && names.has(path!)), `${file}: ${path}`)
    }
  }
  t.ok(seen > 50)
  t.end()
})

t.test('every document is led to from the README', t => {
  const reached = new Set(['README.md'])
  const follow = (file: string): void => {
    for (const [, link] of document(file).prose.matchAll(/\]\(([^)\s#]+)/g)) {
      const target = normalize(join(dirname(file), link!))
      if (!target.endsWith('.md') || reached.has(target) || !existsSync(join(ROOT, target))) continue
      reached.add(target)
      follow(target)
    }
  }
  follow('README.md')
  t.strictSame(
    DOCUMENTS.map(({ file }) => file).filter(file => !file.startsWith('.github/') && !reached.has(file)),
    [],
  )
  t.end()
})

t.test('the map in ARCHITECTURE.md has every directory of src, and no other', t => {
  const tree = document('ARCHITECTURE.md').blocks[0]!.text
  const drawn: string[] = []
  let room = ''
  for (const [, indent, name] of tree.matchAll(/^( {2,4})([a-z]+)\//gm)) {
    if (indent!.length === 2) room = name!
    drawn.push(indent!.length === 2 ? name! : `${room}/${name}`)
  }
  const rooms = globSync('*/', { cwd: join(ROOT, 'src') }).map(each => each.replace(/\/$/, ''))
  const within = ['tail', 'delivery', 'process'].flatMap(each => globSync(`${each}/*/`, { cwd: join(ROOT, 'src') }))
  t.strictSame(drawn.sort(), [...rooms, ...within.map(each => each.replace(/\/$/, ''))].sort())
  for (const [name] of tree.matchAll(/[a-z]+\.ts/g)) t.ok(existsSync(join(ROOT, 'src', name)) || names.has(name), name)
  t.end()
})

t.test('prose has 120 columns', t => {
  const documents = DOCUMENTS.filter(({ file }) => !/^(k8s|docker)\/|^SECURITY/.test(file))
  t.ok(documents.length > 20)
  const long = documents.flatMap(({ file, prose }) =>
    prose.split('\n').flatMap((line, at) => (line.length > 120 && !/^ *\|/.test(line) ? [`${file}:${at + 1}`] : [])),
  )
  t.strictSame(long, [])
  t.end()
})

/** What is about the source, which the package does not hold. */
const SOURCE = /^(ARCHITECTURE|CONTRIBUTING)\.md$|^docker\/|^docs\/development\//

t.test('a page that is in the package links to what is in it, or to what is about the source', t => {
  const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] }
  const packed = new Set(
    files.flatMap(pattern => globSync([pattern, `${pattern}/**`], { cwd: ROOT })).map(path => normalize(path)),
  )
  let seen = 0
  for (const { file, prose } of DOCUMENTS) {
    if (!packed.has(file)) continue
    for (const [, link] of prose.matchAll(/\]\(([^)\s#]+)/g)) {
      const target = normalize(join(dirname(file), link!)).replace(/\/$/, '')
      if (/^https?:/.test(link!) || SOURCE.test(target)) continue
      seen++
      t.ok(packed.has(target), `${file}: ${link}`)
    }
  }
  t.ok(seen > 50)
  t.end()
})
