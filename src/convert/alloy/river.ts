/**
 * The language of Alloy: blocks that hold attributes and blocks. Texts, numbers, lists and objects are settings; calls of
 * `sys.env` become references to variables, and any other expression is kept as it is written.
 *
 *     file := { attribute | block }      block := name { "." name } [ text ] "{" file "}"
 *
 * Guarantees: reads every text to its end or says in which line it is none.
 */
import type { Context, Scalar } from '../setting.ts'
import { type Content, Setting } from '../setting.ts'

/** A block at the top: its name, and its label. */
export interface Component {
  readonly name: string
  readonly label: string
  readonly body: Setting
}

export type ReadRiver =
  | { readonly kind: 'river'; readonly components: readonly Component[]; readonly attributes: readonly Setting[] }
  | { readonly kind: 'unreadable'; readonly line: number; readonly found: string }

type Kind = 'name' | 'text' | 'number' | 'sign' | 'end'

interface Token {
  readonly kind: Kind
  readonly text: string
  readonly line: number
  readonly at: number
  /** Behind the token. */
  readonly end: number
}

class RiverError extends Error {
  readonly line: number

  constructor(line: number, found: string) {
    super(found)
    this.line = line
  }
}

/** Blocks and values within each other. */
const DEEPEST = 64
const TOKEN =
  /(?<space>\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|(?<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?<number>\d[\d.]*(?:[eE][+-]?\d+)?)|(?<name>[A-Za-z_]\w*)|(?<sign>==|!=|<=|>=|&&|\|\||\?\?|[-+*/%^{}[\](),.=<>!;])/y

export function readRiver(text: string, file: string, linesBefore: number, context: Context): ReadRiver {
  try {
    return new River(text, file, linesBefore, context).read()
  } catch (error) {
    if (!(error instanceof RiverError)) throw error
    return { kind: 'unreadable', line: error.line, found: error.message }
  }
}

class River {
  readonly #text: string
  readonly #file: string
  readonly #context: Context
  readonly #tokens: Token[]
  #next = 0

  constructor(text: string, file: string, linesBefore: number, context: Context) {
    this.#text = text
    this.#file = file
    this.#context = context
    this.#tokens = tokens(text, linesBefore)
  }

  read(): ReadRiver {
    const components: Component[] = []
    const attributes: Setting[] = []
    while (this.#peek().kind !== 'end') {
      const member = this.#member('', 0)
      if (member.block) components.push({ name: member.name, label: member.label, body: member.setting })
      else attributes.push(member.setting)
    }
    return { kind: 'river', components, attributes }
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)]!
  }

  #take(): Token {
    const token = this.#peek()
    this.#next++
    return token
  }

  #expect(sign: string): Token {
    const token = this.#take()
    if (token.text !== sign || token.kind !== 'sign')
      throw new RiverError(token.line, `${shown(token)} where ${sign} belongs`)
    return token
  }

  #isSign(sign: string, ahead = 0): boolean {
    const token = this.#peek(ahead)
    return token.kind === 'sign' && token.text === sign
  }

  #member(prefix: string, depth: number): { block: boolean; name: string; label: string; setting: Setting } {
    const first = this.#take()
    if (first.kind !== 'name') throw new RiverError(first.line, `${shown(first)} where a name belongs`)
    if (depth > DEEPEST) throw new RiverError(first.line, 'blocks that are nested too deeply')
    let name = first.text
    while (this.#isSign('.')) {
      this.#take()
      name += `.${this.#take().text}`
    }
    const place = (key: string) => ({ file: this.#file, line: first.line, key })
    if (this.#isSign('=')) {
      this.#take()
      const key = `${prefix}${name}`
      return { block: false, name, label: '', setting: new Setting(place(key), this.#value(key, depth), this.#context) }
    }
    const label = this.#peek().kind === 'text' ? unquoted(this.#take()) : ''
    const key = `${prefix}${name}${label === '' ? '' : ` "${label}"`}`
    this.#expect('{')
    const entries = new Map<string, Setting[]>()
    while (!this.#isSign('}')) {
      const inner = this.#member(`${key}: `, depth + 1)
      entries.set(inner.name, [...(entries.get(inner.name) ?? []), inner.setting])
    }
    this.#take()
    return { block: true, name, label, setting: new Setting(place(key), { kind: 'map', entries }, this.#context) }
  }

  /** A literal is what it says; anything else is an expression up to its end. */
  #value(key: string, depth: number): Content {
    if (depth > DEEPEST) throw new RiverError(this.#peek().line, 'values that are nested too deeply')
    const begin = this.#peek()
    const before = this.#next
    const literal = this.#literal(key, depth)
    if (literal !== undefined && this.#atEnd()) return literal
    this.#next = before
    this.#skip()
    const end = this.#tokens[this.#next - 1]!.end
    const text = this.#text.slice(begin.at, end)
    const joined = this.#joined(text)
    return joined === undefined ? { kind: 'expression', text } : { kind: 'value', value: joined }
  }

  #literal(key: string, depth: number): Content | undefined {
    const token = this.#peek()
    const value = (value: Scalar): Content => {
      this.#take()
      return { kind: 'value', value }
    }
    switch (token.kind) {
      case 'text':
        return value(unquoted(token))
      case 'number':
        return value(Number(token.text))
      case 'name':
        if (token.text === 'true' || token.text === 'false') return value(token.text === 'true')
        return token.text === 'null' ? value(null) : undefined
      case 'sign':
        if (token.text === '[') return this.#list(key, depth)
        return token.text === '{' ? this.#object(key, depth) : undefined
      case 'end':
        throw new RiverError(token.line, 'the end of the file where a value belongs')
    }
  }

  #list(key: string, depth: number): Content {
    this.#take()
    const items: Setting[] = []
    while (!this.#isSign(']')) {
      const name = `${key}[${items.length}]`
      const place = { file: this.#file, line: this.#peek().line, key: name }
      items.push(new Setting(place, this.#value(name, depth + 1), this.#context))
      if (!this.#isSign(']')) this.#expect(',')
    }
    this.#take()
    return { kind: 'list', items }
  }

  #object(key: string, depth: number): Content {
    this.#take()
    const entries = new Map<string, Setting[]>()
    while (!this.#isSign('}')) {
      const token = this.#take()
      if (token.kind !== 'name' && token.kind !== 'text') {
        throw new RiverError(token.line, `${shown(token)} where a name belongs`)
      }
      const name = token.kind === 'text' ? unquoted(token) : token.text
      this.#expect('=')
      const inner = `${key}.${name}`
      const place = { file: this.#file, line: token.line, key: inner }
      entries.set(name, [
        ...(entries.get(name) ?? []),
        new Setting(place, this.#value(inner, depth + 1), this.#context),
      ])
      // The comma may be left out at the end of a line.
      if (this.#isSign(',')) this.#take()
    }
    this.#take()
    return { kind: 'map', entries }
  }

  /** Whether a value ends here: in the next line, or with what closes or separates. */
  #atEnd(): boolean {
    const token = this.#peek()
    const line = this.#tokens[this.#next - 1]?.line
    if (token.kind === 'end' || [',', ']', '}', ')'].includes(token.text)) return true
    return token.line !== line && token.kind !== 'sign'
  }

  /** Over an expression: brackets are balanced, and it ends with its line, unless an operator stands there. */
  #skip(): void {
    let depth = 0
    for (let first = true; ; first = false) {
      const token = this.#peek()
      if (token.kind === 'end') {
        if (depth > 0 || first) throw new RiverError(token.line, 'the end of the file within a value')
        return
      }
      const before = this.#tokens[this.#next - 1]!
      if (!first && depth === 0) {
        if (token.kind === 'sign' && [',', ']', '}', ')'].includes(token.text)) return
        if (token.line !== before.line && before.kind !== 'sign') return
        if (token.line !== before.line && [')', ']', '}'].includes(before.text)) return
      }
      if (token.kind === 'sign' && ['(', '[', '{'].includes(token.text)) depth++
      if (token.kind === 'sign' && [')', ']', '}'].includes(token.text)) depth--
      if (depth < 0) throw new RiverError(token.line, `${shown(token)} that was not opened`)
      this.#take()
    }
  }

  /** `sys.env("NAME")`, alone or joined with texts by +. */
  #joined(text: string): string | undefined {
    const parts = text.split(/\s*\+\s*(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    let result = ''
    for (const part of parts) {
      const [, name] = /^(?:sys\.)?env\(\s*"([A-Za-z_]\w*)"\s*\)$/.exec(part.trim()) ?? []
      const [, literal] = /^("(?:[^"\\\n]|\\.)*")$/.exec(part.trim()) ?? []
      if (name !== undefined) result += this.#context.references.variable(name)
      else if (literal !== undefined) result += unescaped(literal)
      else return undefined
    }
    return result
  }
}

function tokens(text: string, linesBefore: number): Token[] {
  const all: Token[] = []
  let line = 1 + linesBefore
  TOKEN.lastIndex = 0
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)
    if (match === null) throw new RiverError(line, `the sign ${JSON.stringify(text[at])}`)
    const [written] = match
    const groups = match.groups!
    const kind = (['text', 'number', 'name', 'sign'] as const).find(each => groups[each] !== undefined)
    if (kind !== undefined) all.push({ kind, text: written, line, at, end: at + written.length })
    line += written.split('\n').length - 1
  }
  all.push({ kind: 'end', text: '', line, at: text.length, end: text.length })
  return all
}

function shown({ kind, text }: Token): string {
  return kind === 'end' ? 'the end of the file' : kind === 'text' ? 'a text' : text
}

function unquoted({ text }: Token): string {
  return unescaped(text)
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' }

function unescaped(written: string): string {
  if (written.startsWith('`')) return written.slice(1, -1)
  return written
    .slice(1, -1)
    .replaceAll(
      /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/g,
      (_, wide?: string, narrow?: string, sign?: string) => {
        const code = wide ?? narrow
        return code === undefined ? (ESCAPES[sign!] ?? sign!) : String.fromCharCode(Number.parseInt(code, 16))
      },
    )
}
