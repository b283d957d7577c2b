/**
 * Whether every link of a built site leads somewhere: to a file in it, and to an element in that. Links to elsewhere are
 * only looked at for their form, for nothing here asks the network.
 */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** What is wrong, one line each. */
export function check(directory: string): readonly string[] {
  const pages = globSync('**/*.html', { cwd: directory }).sort()
  const ids = new Map(pages.map(page => [page, idsOf(readFileSync(join(directory, page), 'utf8'))]))
  const wrong: string[] = []
  for (const page of pages) {
    const html = readFileSync(join(directory, page), 'utf8')
    const twice = duplicates(html)
    if (twice.length > 0) wrong.push(`${page}: several elements are called ${twice.join(', ')}`)
    for (const [, attribute, value] of html.matchAll(/<[a-z][^>]*? (href|src)="([^"]*)"/g)) {
      const problem = wrongWith(page, value!.replaceAll('&amp;', '&'), attribute!)
      if (problem !== undefined) wrong.push(`${page}: ${value}: ${problem}`)
    }
  }
  return wrong

  function wrongWith(page: string, link: string, attribute: string): string | undefined {
    if (/^[a-z]+:/.test(link)) {
      if (attribute === 'src') return 'a page fetches nothing from elsewhere'
      return URL.canParse(link) && /^(https?|mailto|urn):/.test(link) ? undefined : 'no address'
    }
    const [path = '', anchor] = link.split('#')
    const to = path === '' ? page : normalize(join(dirname(page), path))
    if (to.startsWith('..')) return 'it leads out of the site'
    if (!existsSync(join(directory, to))) return 'no such file'
    if (anchor === undefined) return undefined
    return ids.get(to)?.has(decodeURIComponent(anchor)) ? undefined : 'no such heading'
  }
}

function names(html: string): string[] {
  return [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id!)
}

function idsOf(html: string): ReadonlySet<string> {
  return new Set(names(html))
}

function duplicates(html: string): string[] {
  const all = names(html)
  return all.filter((id, index) => all.indexOf(id) !== index)
}
