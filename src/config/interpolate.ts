/**
 * `${VAR}`, `${VAR:-default}`, `${VAR:?message}` and `${file:/path}` inside one text; `$${` stands for `${`.
 *
 * It runs on texts that were already parsed, so a value can hold quotes, colons or line feeds and never becomes more
 * than a value; what it puts in is not looked at again. As in a shell, `:-` and `:?` also apply to an empty variable.
 */
import type { Environment } from '../environment.ts'
import { readText } from './read.ts'

export type Interpolated =
  | { readonly kind: 'same' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'refused'; readonly found: string; readonly allowed: string; readonly hint?: string }

/** What references lead to. */
export interface References {
  readonly env: Environment
  /** Told the path of every file that was asked for, readable or not. */
  onFile(path: string): void
}

const FILE_LIMIT = 64 * 1024
const FORMS = '${VAR}, ${VAR:-default}, ${VAR:?message} or ${file:/path}; $${ for a plain ${'

export function interpolate(text: string, references: References): Interpolated {
  if (!text.includes('${')) return { kind: 'same' }
  let result = ''
  let at = 0
  while (at < text.length) {
    const open = text.indexOf('${', at)
    if (open === -1) break
    if (text[open - 1] === '$' && open > at) {
      result += `${text.slice(at, open - 1)}\${`
      at = open + 2
      continue
    }
    result += text.slice(at, open)
    const close = text.indexOf('}', open)
    if (close === -1) return { kind: 'refused', found: 'a ${ that is never closed', allowed: FORMS }
    const value = resolve(text.slice(open + 2, close), references)
    if (value.kind !== 'text') return value
    result += value.text
    at = close + 1
  }
  return { kind: 'text', text: result + text.slice(at) }
}

function resolve(expression: string, { env, onFile }: References): Exclude<Interpolated, { kind: 'same' }> {
  if (expression.startsWith('file:')) return fromFile(expression.slice(5), onFile)
  const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::([-?])(.*))?$/s.exec(expression)
  if (!match) return { kind: 'refused', found: 'a ${…} that is none of the known forms', allowed: FORMS }
  const [, name, form, rest] = match as unknown as [string, string, string | undefined, string | undefined]
  const value = env[name]
  if (value !== undefined && !(value === '' && form !== undefined)) return { kind: 'text', text: value }
  if (form === '-') return { kind: 'text', text: rest! }
  const found = `\${${name}}, a variable that is ${value === '' ? 'empty' : 'not set'}`
  const allowed = `a variable that is set, or \${${name}:-default}`
  return form === '?' && rest ? { kind: 'refused', found, allowed, hint: rest } : { kind: 'refused', found, allowed }
}

function fromFile(path: string, onFile: (path: string) => void): Exclude<Interpolated, { kind: 'same' }> {
  if (!path.startsWith('/')) {
    return { kind: 'refused', found: `\${file:${path}}`, allowed: 'the absolute path of a file: ${file:/path}' }
  }
  onFile(path)
  const file = readText(path, FILE_LIMIT)
  if (file.kind === 'text') return { kind: 'text', text: file.text.replace(/\r?\n$/, '') }
  return { kind: 'refused', found: `\${file:${path}}, ${file.found}`, allowed: file.allowed }
}
