/**
 * `npm run site [DIRECTORY]`: the documentation as a static site, in `site/` unless a directory is named, with every link
 * checked. `SITE_SOURCE` is the address of the repository, which links to directories lead to.
 *
 * Nothing is fetched and no script is in a page: any web server will do, or none.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { check } from './check.ts'
import { addressOf, groups, ROOT } from './pages.ts'
import { render, type Site, titleOf } from './render.ts'

/** How many pages there are. */
export function build(directory: string, source: string): number {
  const all = groups()
  const texts = new Map(
    all.flatMap(({ files }) => files).map(file => [file, readFileSync(join(ROOT, file), 'utf8')] as const),
  )
  const titles = new Map([...texts].map(([file, text]) => [file, titleOf(text)]))
  const site: Site = { groups: all, titles, source }
  rmSync(directory, { recursive: true, force: true })
  const put = (address: string): string => {
    const path = join(directory, address)
    mkdirSync(dirname(path), { recursive: true })
    return path
  }
  for (const [file, text] of texts) {
    const { html, copied } = render(file, text, site)
    writeFileSync(put(addressOf(file)), html)
    for (const each of copied) cpSync(join(ROOT, each), put(each))
  }
  cpSync(join(import.meta.dirname, 'style.css'), put('style.css'))
  return texts.size
}

if (import.meta.main) {
  const directory = resolve(process.argv[2] ?? join(ROOT, 'site'))
  const pages = build(directory, process.env['SITE_SOURCE'] || 'https://example.com/logshipper')
  const wrong = check(directory)
  for (const line of wrong) process.stderr.write(`${line}\n`)
  process.stdout.write(`${pages} pages in ${directory}; links that lead nowhere: ${wrong.length}\n`)
  process.exitCode = wrong.length === 0 ? 0 : 1
}
