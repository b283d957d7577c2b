/** JSON for people: what does not fit into a line is indented. Numbers stay as they are written, however long. */

const COLUMNS = 110

/** Text that is no JSON is returned as it is. */
export function indented(text: string): string {
  try {
    JSON.parse(text)
  } catch {
    return text
  }
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[^\s"{}[\],:]+|[{}[\],:]/g) ?? []
  return printed(valueIn(tokens[Symbol.iterator]()), '')
}

type Value = string | { readonly open: string; readonly close: string; readonly members: readonly Member[] }

interface Member {
  /** With its colon; empty in a list. */
  readonly name: string
  readonly value: Value
}

function valueIn(tokens: Iterator<string>, first: string = tokens.next().value): Value {
  if (first !== '{' && first !== '[') return first
  const close = first === '{' ? '}' : ']'
  const members: Member[] = []
  for (let token = tokens.next().value; token !== close; token = tokens.next().value) {
    if (token === ',') continue
    if (first === '[') members.push({ name: '', value: valueIn(tokens, token) })
    else {
      tokens.next()
      members.push({ name: `${token}: `, value: valueIn(tokens) })
    }
  }
  return { open: first, close, members }
}

function printed(value: Value, indent: string): string {
  if (typeof value === 'string') return value
  const { open, close, members } = value
  const flat = members.map(({ name, value }) => `${name}${printed(value, '')}`).join(', ')
  if (indent.length + flat.length <= COLUMNS && !flat.includes('\n')) {
    return open === '{' && flat !== '' ? `{ ${flat} }` : `${open}${flat}${close}`
  }
  const inner = `${indent}  `
  const lines = members.map(({ name, value }) => `${inner}${name}${printed(value, inner)}`)
  return `${open}\n${lines.join(',\n')}\n${indent}${close}`
}
