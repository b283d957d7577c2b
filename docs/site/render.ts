/**
 * A document as a page of the site: Markdown by marked, with the anchors that GitHub gives headings, and links that lead
 * to other pages, to files that are copied beside them, or to the repository.
 */
import { existsSync, statSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { Marked, type Tokens } from 'marked'
import { addressOf, type Group, ROOT } from './pages.ts'

export interface Page {
  readonly file: string
  readonly title: string
  readonly html: string
  /** Files of the repository that it links to, which are no pages. */
  readonly copied: readonly string[]
}

interface Heading {
  readonly id: string
  readonly text: string
}

export interface Site {
  readonly groups: readonly Group[]
  /** Titles of all pages, by their file. */
  readonly titles: ReadonlyMap<string, string>
  /** Address of the repository, for directories and what is not copied. */
  readonly source: string
}

export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, sign => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]!)
}

/** What stands in a heading, without marks. */
function plain(markdown: string): string {
  return markdown.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '')
}

/** The text of the first heading. */
export function titleOf(markdown: string): string {
  return plain(/^# (.*)$/m.exec(markdown)?.[1] ?? '')
}

/** As GitHub makes the anchor of a heading; one that is there already gets a number. */
export function anchorOf(heading: string, taken: Map<string, number>): string {
  const anchor = plain(heading)
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
  const count = taken.get(anchor) ?? 0
  taken.set(anchor, count + 1)
  return count === 0 ? anchor : `${anchor}-${count}`
}

export function render(file: string, markdown: string, site: Site): Page {
  const taken = new Map<string, number>()
  const headings: Heading[] = []
  const copied = new Set<string>()
  const body = new Marked({
    gfm: true,
    renderer: {
      heading({ tokens, depth, text }: Tokens.Heading): string {
        const id = anchorOf(text, taken)
        if (depth === 2) headings.push({ id, text: plain(text) })
        return `<h${depth} id="${id}">${this.parser.parseInline(tokens)}</h${depth}>\n`
      },
      link({ href, tokens }: Tokens.Link): string {
        return `<a href="${escaped(target(file, href, site, copied))}">${this.parser.parseInline(tokens)}</a>`
      },
      table({ header, rows }: Tokens.Table): string {
        const cells = (tag: string, row: readonly Tokens.TableCell[]): string =>
          row.map(({ tokens }) => `<${tag}>${this.parser.parseInline(tokens)}</${tag}>`).join('')
        const head = header.some(({ text }) => text !== '') ? `<thead><tr>${cells('th', header)}</tr></thead>\n` : ''
        const lines = rows.map(row => `<tr>${cells('td', row)}</tr>\n`).join('')
        return `<div class="wide"><table>\n${head}<tbody>\n${lines}</tbody>\n</table></div>\n`
      },
      // Marks of generated parts.
      html: ({ text }: Tokens.HTML | Tokens.Tag): string => (/^<!--[\s\S]*-->\s*$/.test(text) ? '' : escaped(text)),
    },
  }).parse(markdown, { async: false })
  const title = titleOf(markdown)
  return { file, title, html: framed(file, title, body, headings, site), copied: [...copied] }
}

/** Where a link of a document leads in the site. */
function target(file: string, href: string, { titles, source }: Site, copied: Set<string>): string {
  if (/^[a-z]+:/.test(href)) return href
  const [path = '', anchor] = href.split('#')
  const behind = anchor === undefined ? '' : `#${anchor}`
  if (path === '') return behind
  const to = normalize(join(dirname(file), path)).replace(/\/$/, '')
  const whole = join(ROOT, to)
  if (titles.has(to)) return between(file, addressOf(to)) + behind
  if (existsSync(whole) && statSync(whole).isFile()) {
    copied.add(to)
    return between(file, to) + behind
  }
  return `${source}/tree/HEAD/${to}${behind}`
}

/** The way from one page to an address. */
function between(file: string, address: string): string {
  return relative(dirname(addressOf(file)), address)
}

function framed(file: string, title: string, body: string, headings: readonly Heading[], site: Site): string {
  const link = (to: string, text: string, here = false): string =>
    `<li><a href="${between(file, addressOf(to))}"${here ? ' aria-current="page"' : ''}>${escaped(text)}</a></li>`
  const navigation = site.groups.map(({ title, files }) => {
    const links = files.map(each => link(each, site.titles.get(each)!, each === file))
    return `<details${files.includes(file) ? ' open' : ''}><summary>${title}</summary><ul>${links.join('\n')}</ul></details>`
  })
  const contents = headings.map(({ id, text }) => `<li><a href="#${id}">${escaped(text)}</a></li>`)
  const here =
    contents.length < 2 ? '' : `<nav class="contents" aria-label="On this page"><ul>${contents.join('\n')}</ul></nav>`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self'; img-src 'self'">
<title>${escaped(title)}${title === 'logshipper' ? '' : ' – logshipper'}</title>
<link rel="stylesheet" href="${between(file, 'style.css')}">
</head>
<body>
<a class="skip" href="#content">To the content</a>
<nav class="pages" aria-label="Pages">
<p><a href="${between(file, 'index.html')}">logshipper</a></p>
${navigation.join('\n')}
</nav>
<main id="content">
${here}
${body}</main>
</body>
</html>
`
}
