/** The documentation of the repository, as its tests read it. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '../..')

export interface Block {
  /** Where it begins: `docs/metrics.md:12`. */
  readonly at: string
  readonly language: string
  readonly text: string
}

export interface Document {
  /** Relative to the repository. */
  readonly file: string
  readonly text: string
  readonly blocks: readonly Block[]
  /** The text without its blocks. */
  readonly prose: string
}

const PATTERNS = ['*.md', 'docs/**/*.md', 'k8s/*.md', 'k8s/charts/*/*.md', 'docker/*.md', '.github/**/*.md']

export const DOCUMENTS: readonly Document[] = globSync(PATTERNS, { cwd: ROOT })
  .sort()
  .map(file => {
    const text = readFileSync(join(ROOT, file), 'utf8')
    const blocks = [...text.matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```$/gm)].map(({ index, 1: language, 2: body }) => ({
      at: `${file}:${text.slice(0, index).split('\n').length}`,
      language: language!,
      text: body!,
    }))
    // As many lines as before, so that places stay right.
    const prose = text.replace(/^ *```\w*\n[\s\S]*?^ *```$/gm, block => '\n'.repeat(block.split('\n').length - 1))
    return { file, text, blocks, prose }
  })

export function document(file: string): Document {
  const found = DOCUMENTS.find(each => each.file === file)
  if (!found) throw new Error(`${file} is not there`)
  return found
}

/** The simple commands of a shell block: comments, prompts and files that output goes to taken off, lines that go on joined, pipes taken apart. */
export function commandsOf({ text }: Pick<Block, 'text'>): string[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map(line => line.replace(/(^|\s)#\s.*$/, '').trim())
    .map(line => line.replace(/\s+>\s*[\w./-]+$/, ''))
    .flatMap(line => line.split(/ && | \| |; /))
    .map(command => command.trim())
    .filter(command => command !== '')
}

/** The words of a simple command; quotes taken off. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'),
  )
}
