/**
 * Plain data as YAML 1.2 that a person goes on with: maps and lists in blocks, short lists of values in one line,
 * expressions in single quotes, so that their backslashes stay single.
 */

const PLAIN = /^(?:[A-Za-z_/](?:[\w./@%+~:-]*[\w/])?|\d+(?:ms|s|m|h|KiB|MiB))$/
/** What YAML, of this version or of the one before, takes for something else than a text. */
const WORDS = /^(true|false|null|yes|no|on|off|y|n|nan|inf)$/i
/** Columns of a list that stays in one line. */
const WIDTH = 90

export type Tree = Readonly<Record<string, unknown>>

export function print(tree: Tree): string {
  return `${block(tree, '').join('\n')}\n`
}

function block(value: unknown, indent: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap(each => {
      if (!isContainer(each) || isFlow(each)) return [`${indent}- ${inline(each)}`]
      const [first = '', ...rest] = block(each, `${indent}  `)
      return [`${indent}- ${first.trimStart()}`, ...rest]
    })
  }
  return Object.entries(value as Tree).flatMap(([name, each]) => {
    const key = `${indent}${scalar(name)}:`
    if (!isContainer(each) || isFlow(each)) return [`${key} ${inline(each)}`]
    return [key, ...block(each, `${indent}  `)]
  })
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** A list of values, or a map of one, that is short. */
function isFlow(value: object): boolean {
  const inner = Object.values(value)
  if (inner.some(isContainer) || (!Array.isArray(value) && inner.length > 1)) return false
  return inline(value).length <= WIDTH
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (!isContainer(value)) return scalar(value)
  const inner = Object.entries(value).map(([name, each]) => `${scalar(name)}: ${inline(each)}`)
  return inner.length === 0 ? '{}' : `{ ${inner.join(', ')} }`
}

function scalar(value: unknown): string {
  if (typeof value !== 'string') return String(value)
  if (PLAIN.test(value) && !WORDS.test(value)) return value
  if (/[\p{C}\p{Zl}\p{Zp}]/u.test(value)) return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029]/g, escaped)
  return value.includes("'") && !value.includes('\\') ? JSON.stringify(value) : `'${value.replaceAll("'", "''")}'`
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
