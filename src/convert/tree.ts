/** The text of a YAML, JSON or TOML file as settings, each with its line. */
import { parseDocument } from '../config/document.ts'
import type { KeyPath, Problem } from '../config/problem.ts'
import type { Input } from './conversion.ts'
import { type Context, type Setting, settingOf } from './setting.ts'

export type ReadTree =
  | { readonly kind: 'tree'; readonly root: Setting }
  | { readonly kind: 'unreadable'; readonly problems: readonly Problem[] }

export async function readYaml(input: Input, context: Context, nameOf?: (name: string) => string): Promise<ReadTree> {
  const { file, text, linesBefore } = input
  // What of several documents of nothing but comments and white space remains is one.
  const parsed = await parseDocument(
    file,
    text.replace(/^(\s*(#.*)?\n)*---[ \t]*\n/, lines => lines.replace('---', '#--')),
  )
  if (parsed.kind === 'invalid') {
    const problems = parsed.problems.map(each => ({ ...each, line: each.line && each.line + linesBefore }))
    return { kind: 'unreadable', problems }
  }
  const lineOf = (path: KeyPath): number | undefined => {
    if (parsed.kind === 'empty') return undefined
    const line = parsed.lineOf(path)?.line
    return line && line + linesBefore
  }
  const tree = parsed.kind === 'empty' ? {} : parsed.tree
  return { kind: 'tree', root: settingOf(tree, context, file, lineOf, nameOf) }
}
