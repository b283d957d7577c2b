/**
 * The pages of the site: which documents become one, under which address, and where each stands in the navigation.
 *
 * Guarantees: every document that the README leads to is a page, in one group; the tree of addresses is that of the
 * repository, so that relative links stay as they are but for their ends.
 */
import { globSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '../..')

const PATTERNS = ['*.md', 'docs/**/*.md', 'k8s/*.md', 'k8s/charts/*/*.md', 'docker/*.md']

export interface Group {
  readonly title: string
  readonly files: readonly string[]
}

const docs = (...names: string[]): string[] => names.map(name => `docs/${name}.md`)

/** Files that no group names stand in the last one. */
const GROUPS: readonly Group[] = [
  { title: 'Begin', files: ['README.md', ...docs('quickstart', 'faq', 'comparison', 'migrate')] },
  {
    title: 'Install',
    files: [
      ...docs('install', 'kubernetes', 'platforms', 'gitops', 'sizing', 'upgrade', 'versioning'),
      'k8s/README.md',
      'k8s/charts/logshipper/README.md',
      'k8s/charts/logshipper-injector/README.md',
      'docker/README.md',
    ],
  },
  { title: 'Configure', files: docs('configuration', 'parsing', 'processing', 'rotation', 'limits') },
  { title: 'Backends', files: docs('backends', 'answers') },
  {
    title: 'Operate',
    files: docs('operations', 'symptoms', 'troubleshooting', 'runbooks', 'metrics'),
  },
  { title: 'Security', files: ['SECURITY.md', ...docs('security')] },
  { title: 'Project', files: ['CHANGELOG.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md'] },
]

/** All pages, by group. */
export function groups(): readonly Group[] {
  const all = globSync(PATTERNS, { cwd: ROOT }).sort()
  const guides = all.filter(file => file.startsWith('docs/backends/'))
  const named = GROUPS.map(({ title, files }) => ({
    title,
    files: title === 'Backends' ? [...files, ...guides] : files,
  }))
  const rest = all.filter(file => !named.some(({ files }) => files.includes(file)))
  return named.map((group, index) =>
    index === named.length - 1 ? { ...group, files: [...group.files, ...rest] } : group,
  )
}

/** `README.md` is the front page of its directory. */
export function addressOf(file: string): string {
  return file.replace(/(^|\/)README\.md$/, '$1index.html').replace(/\.md$/, '.html')
}
