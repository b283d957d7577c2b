/**
 * References to variables: what a peer writes for one as our configuration writes it, and secrets, which become
 * references.
 *
 *     text of the input ─► marked references in it ─► `ours`, when the draft becomes plain data
 *
 * Guarantees: a secret that stands in the input in plain text is in neither the result nor a remark; what looks like a
 * reference to us and is none to the peer is escaped. Every variable that the result names is known, so that it can be
 * validated where none of them is set.
 */

/** What a text or a secret stands in. */
export interface Holder {
  raw(): string | undefined
  note(why: string): void
}

export interface Dialect {
  /**
   * What stands between a variable and its default: `:-` as in a shell, or `:` alone. `marked`: texts have no references
   * but those that whoever read them has marked.
   */
  readonly fallback: ':-' | ':' | 'none' | 'marked'
  /** `$NAME` is a reference too, and `$$` a dollar. */
  readonly bare?: boolean
}

/** A secret as our configuration names it. */
export interface SecretReference {
  readonly env: string
}

/** Around a reference while it is part of a text: of Unicode's private signs. */
const OPEN = '\uE000'
const CLOSE = '\uE001'

/** A text as our configuration writes it: what is marked is a reference, and nothing else is. */
export function ours(text: string): string {
  return text
    .replaceAll('${', () => '$${')
    .replaceAll(/\uE000([^\uE000\uE001]*)\uE001/g, (_, inner: string) => `\${${inner}}`)
}

/** Whether a variable has a say in the text. */
export function refers(text: string): boolean {
  return text.includes(OPEN)
}

const NAME = /^[A-Za-z_]\w*$/

export class References {
  readonly #dialect: Dialect
  /** Values that the input itself gives to names. */
  readonly #known = new Map<string, string>()
  readonly #variables = new Map<string, string>()
  readonly #secrets = new Map<string, string>()

  constructor(dialect: Dialect) {
    this.#dialect = dialect
  }

  define(name: string, value: string): undefined {
    this.#known.set(name, value)
  }

  /** Every variable of the result, with a value that may stand there. */
  get placeholders(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#variables)
  }

  /** A text of the input with the references in it marked. */
  written(text: string, setting: Holder): string {
    const { bare = false, fallback } = this.#dialect
    if (fallback === 'marked') return text
    const pattern = bare ? /\$\$|\$\{[^}]*\}|\$[A-Za-z_]\w*/g : /\$?\$\{[^}]*\}/g
    return text.replace(pattern, found => {
      if (found === '$$') return '$'
      if (found.startsWith('$$')) return found.slice(1)
      const reference = this.#reference(found.startsWith('${') ? found.slice(2, -1) : found.slice(1))
      if (reference === undefined) setting.note('${…} in it is no variable, and stays a text')
      return reference ?? found
    })
  }

  #reference(inner: string): string | undefined {
    const [, name, sign, rest = ''] = /^\s*(\w+)\s*(?:(:-|:\?|:=|:|-)([\s\S]*))?$/.exec(inner) ?? []
    if (name === undefined || !NAME.test(name)) return undefined
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const { fallback } = this.#dialect
    if (sign === undefined || fallback === 'none') return this.variable(name)
    if (sign === ':?') return this.variable(name, `:?${rest}`)
    return sign === ':' && fallback !== ':' ? undefined : this.variable(name, `:-${rest}`)
  }

  /** A reference to a variable, marked. */
  variable(name: string, rest = ''): string {
    // One with a default need not be set.
    if (!rest.startsWith(':-') && !this.#variables.has(name)) this.#variables.set(name, '1')
    return `${OPEN}${name}${rest}${CLOSE}`
  }

  /** What may stand for the variable that a text begins with: of a path, of an address. */
  example(text: string, value: string): undefined {
    const name = /^\uE000(\w+)/.exec(text)?.[1]
    if (name !== undefined) this.#variables.set(name, value)
  }

  /** The value is a secret: where it is no reference already, the result names a variable to set. */
  secret(setting: Holder, suggestion: string): SecretReference | undefined {
    const raw = setting.raw()
    return raw === undefined || raw === '' ? undefined : this.secretOf(raw, setting, suggestion)
  }

  /** The same of a part of a setting. */
  secretOf(raw: string, setting: Holder, suggestion: string): SecretReference {
    const [, marked, braced, plain] =
      /^(?:\uE000(\w+)\uE001|\$\{\s*([A-Za-z_]\w*)\s*\}|\$([A-Za-z_]\w*))$/.exec(raw) ?? []
    const name = marked ?? braced ?? (this.#dialect.bare ? plain : undefined) ?? ''
    const known = this.#known.get(name)
    if (name !== '' && known === undefined) {
      this.#variables.set(name, '1')
      return { env: name }
    }
    const value = known ?? raw
    let env = suggestion.toUpperCase().replaceAll(/\W+/g, '_')
    for (let number = 2; (this.#secrets.get(env) ?? value) !== value; number++)
      env = `${suggestion.toUpperCase()}_${number}`
    this.#secrets.set(env, value)
    this.#variables.set(env, '1')
    setting.note(`a secret is not written into the result: set the variable ${env}, or name a file in place of { env }`)
    return { env }
  }
}

/** Names of settings, headers and parameters whose values are secrets. */
export function isSecretive(name: string): boolean {
  return /auth(?!or)|token|secret|passw|api[-_]?key|license|access[-_]?key|cookie|credential|signature/i.test(name)
}
