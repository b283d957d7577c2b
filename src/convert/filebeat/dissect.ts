/** A tokenizer of dissect as an expression: what stands between two keys ends the first of them. */

export interface Dissected {
  readonly expression: string
  readonly types: Readonly<Record<string, 'number'>>
}

const NUMBERS = ['integer', 'long', 'float', 'double']

/** `undefined`: a key does more than to name a value. */
export function fromTokenizer(tokenizer: string): Dissected | undefined {
  const types: Record<string, 'number'> = {}
  let expression = '^'
  let at = 0
  const keys = [...tokenizer.matchAll(/%\{([^}]*)\}/g)]
  if (keys.length === 0) return undefined
  for (const [index, key] of keys.entries()) {
    expression += escaped(tokenizer.slice(at, key.index))
    at = key.index + key[0].length
    const [, sign = '', name = '', pad, type] = /^([?*&+]?)([\w.]*)(->)?(?:\|(\w+))?$/.exec(key[1]!) ?? ['', '!']
    if (!['', '?'].includes(sign) || name.includes('.')) return undefined
    const next = tokenizer.slice(at, keys[index + 1]?.index)
    // Up to the first sign of what comes next: linear, and what dissect does where that is one sign.
    const value = next === '' ? '.*' : `[^${/[\]\\^-]/.test(next[0]!) ? `\\${next[0]}` : next[0]}]*`
    expression += sign === '?' || name === '' ? value : `(?P<${name}>${value})`
    if (pad !== undefined && next !== '') expression += `${escaped(next[0]!)}*`
    if (type !== undefined && NUMBERS.includes(type)) types[name] = 'number'
  }
  return { expression: expression + escaped(tokenizer.slice(at)), types }
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
