/** The static site: every document is a page that can be reached, every link leads somewhere, and no page fetches anything from elsewhere. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { build } from '../../docs/site/build.ts'
import { check } from '../../docs/site/check.ts'
import { addressOf, groups } from '../../docs/site/pages.ts'
import { anchorOf, render } from '../../docs/site/render.ts'
import { scratch } from '../scratch.ts'
import { DOCUMENTS } from './documents.ts'

const SOURCE = 'https://git.example.com/owner/logshipper'

t.test('every document is a page, in the navigation of every page, and every link leads somewhere', t => {
  const directory = scratch(t, {})
  const pages = build(directory, SOURCE)
  const documents = DOCUMENTS.map(({ file }) => file).filter(file => !file.startsWith('.github/'))
  t.equal(pages, documents.length)
  t.strictSame(
    groups()
      .flatMap(({ files }) => files)
      .sort(),
    documents.sort(),
    'each once',
  )
  t.strictSame(check(directory), [])
  for (const file of documents) {
    const html = readFileSync(join(directory, addressOf(file)), 'utf8')
    t.match(html, /<title>[^<]+<\/title>/, file)
    t.equal(html.match(/<h1 /g)?.length, 1, `${file}: one first heading`)
    t.equal(html.match(/ aria-current="page"/g)?.length, 1, `${file}: it shows where one is`)
    const [, navigation = ''] = /<nav class="pages"[^>]*>([\s\S]*?)<\/nav>/.exec(html) ?? []
    t.equal(navigation.match(/<li>/g)?.length, documents.length, `${file}: it leads to all others`)
    t.notMatch(html, /<script|<iframe|<img|<link rel="stylesheet" href="http/, `${file}: nothing from elsewhere`)
    t.notMatch(html, '<!-- generated', file)
  }
  t.end()
})

t.test('links lead to pages, to files that are copied, and for directories to the repository', t => {
  const site = {
    groups: [],
    titles: new Map([
      ['docs/a.md', 'A'],
      ['README.md', 'logshipper'],
    ]),
    source: SOURCE,
  }
  const text =
    '# A\n[b](../README.md#x) [c](../config/loki.yaml) [d](../k8s/) [e](#a) [f](https://x.example/) `<b>` <b>x</b>'
  const { html, copied, title } = render('docs/a.md', text, site)
  t.equal(title, 'A')
  t.strictSame(copied, ['config/loki.yaml'])
  for (const href of ['../index.html#x', '../config/loki.yaml', `${SOURCE}/tree/HEAD/k8s`, '#a', 'https://x.example/'])
    t.match(html, `<a href="${href}">`)
  t.match(html, '<code>&lt;b&gt;</code> &lt;b&gt;x&lt;/b&gt;', 'what looks like HTML in a document is text')
  t.end()
})

t.test('anchors are those of GitHub, also of two headings that are called alike', t => {
  const taken = new Map<string, number>()
  t.equal(anchorOf('`backends`: every type but `stdout`', taken), 'backends-every-type-but-stdout')
  t.equal(anchorOf('When should I not use this?', taken), 'when-should-i-not-use-this')
  t.equal(anchorOf('See [limits](limits.md)', taken), 'see-limits')
  t.equal(anchorOf('See limits', taken), 'see-limits-1')
  t.end()
})

t.test('what leads nowhere is told, with its page', t => {
  const directory = scratch(t, {})
  mkdirSync(join(directory, 'docs'))
  writeFileSync(join(directory, 'index.html'), '<h1 id="a">A</h1> <a href="docs/b.html#b">b</a> <a href="#a">a</a>')
  writeFileSync(
    join(directory, 'docs/b.html'),
    '<h1 id="b">B</h1><h2 id="b">B</h2><a href="../index.html#none">x</a><a href="c.html">c</a><a href="../../d">d</a>' +
      '<img src="https://x.example/a.png"><a href="javascript:x">y</a><a href="https://x.example/">z</a>',
  )
  t.strictSame(check(directory), [
    'docs/b.html: several elements are called b',
    'docs/b.html: ../index.html#none: no such heading',
    'docs/b.html: c.html: no such file',
    'docs/b.html: ../../d: it leads out of the site',
    'docs/b.html: https://x.example/a.png: a page fetches nothing from elsewhere',
    'docs/b.html: javascript:x: no address',
  ])
  t.end()
})
