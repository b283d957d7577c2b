/**
 * A setting of a peer's configuration: a value, a list or a map, that knows where it stands and whether it was used.
 *
 *     unused ─► used       its value was taken
 *            ─► lost       it cannot be carried over, and why
 *            ─► needless   nothing has to be done about it
 *
 * Guarantees: what is still unused at the end is reported by `leftovers`, whatever a converter knows of the peer. Asking
 * for a value of another shape than the setting has does not use it.
 */
import type { References } from './references.ts'
import type { Place, Remarks } from './remarks.ts'

export type Scalar = string | number | boolean | null

/** A name may stand more than once in a map of some peers. */
export type Content =
  | { readonly kind: 'value'; readonly value: Scalar }
  /** What only the peer itself can work out: a reference to a component, a call. */
  | { readonly kind: 'expression'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Setting[] }
  | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, readonly Setting[]> }

/** What all settings of one conversion share. */
export interface Context {
  readonly remarks: Remarks
  readonly references: References
}

const UNKNOWN = 'convert does not know this setting'
const TRUE = /^(true|on|yes|1)$/i
const FALSE = /^(false|off|no|0)$/i

export class Setting {
  readonly place: Place
  readonly content: Content
  readonly context: Context
  #used = false
  #opened = false
  #idle: string | undefined
  #active = false

  constructor(place: Place, content: Content, context: Context) {
    this.place = place
    this.content = content
    this.context = context
  }

  get #items(): readonly Setting[] {
    const { content } = this
    if (content.kind === 'list') return content.items
    return content.kind === 'map' ? [...content.entries.values()].flat() : []
  }

  /** Whether its text has more than one line, and so begins in the line behind its key. */
  get multiline(): boolean {
    return this.content.kind === 'value' && typeof this.content.value === 'string' && this.content.value.includes('\n')
  }

  get used(): boolean {
    return this.#used
  }

  /** Whether it, or something in it, was looked at. */
  get #touched(): boolean {
    return this.#used || this.#opened || this.#items.some(each => each.#touched)
  }

  /** It and all in it. */
  use(): this {
    this.#used = true
    for (const each of this.#items) each.use()
    return this
  }

  /** It was understood, and what is in it is looked at by itself. */
  open(): this {
    if (this.content.kind === 'map' || this.content.kind === 'list') this.#opened = true
    else this.#used = true
    return this
  }

  lose(why: string): undefined {
    this.use()
    this.context.remarks.say('lost', this.place, why)
  }

  needless(why: string): undefined {
    this.use()
    this.context.remarks.say('not needed', this.place, why)
  }

  note(why: string): undefined {
    this.context.remarks.say('note', this.place, why)
  }

  /** It says nothing about one of those that it is for: if that holds for all of them, nothing needs to be done. */
  idle(why: string): undefined {
    this.#idle = why
  }

  active(): undefined {
    this.#active = true
  }

  /** Reports what nothing was made of. */
  leftovers(): undefined {
    if (this.#used) return
    if (this.#idle !== undefined && !this.#active) return this.needless(this.#idle)
    if (!this.#touched) return this.lose(UNKNOWN)
    for (const each of this.#items) each.leftovers()
  }

  /** The value as it is written, for what decides by it; `undefined`: it is a list, a map or empty. */
  raw(): string | undefined {
    const { content } = this
    if (content.kind === 'expression') return this.lose('convert does not work out this expression')
    if (content.kind !== 'value' || content.value === null) return undefined
    this.#used = true
    return String(content.value)
  }

  /** An expression as it is written. */
  expression(): string | undefined {
    if (this.content.kind !== 'expression') return undefined
    this.#used = true
    return this.content.text
  }

  /** The value as our configuration writes it: with our references to variables. */
  text(): string | undefined {
    const raw = this.raw()
    return raw === undefined ? undefined : this.context.references.written(raw, this)
  }

  /** A number; a text that is none is lost. */
  number(): number | undefined {
    const raw = this.raw()
    if (raw === undefined) return undefined
    const number = Number(raw)
    return raw.trim() !== '' && Number.isFinite(number) ? number : this.lose('it is no number')
  }

  flag(): boolean | undefined {
    const raw = this.raw()?.trim()
    if (raw === undefined) return undefined
    if (TRUE.test(raw)) return true
    return FALSE.test(raw) ? false : this.lose('it is neither true nor false')
  }

  /** The elements of a list; of a single value that one. Elements that are no values stay unused. */
  values(): readonly Setting[] {
    const { content } = this
    if (content.kind === 'value') return content.value === null ? [] : [this]
    if (content.kind !== 'list') return []
    if (content.items.length === 0) this.#used = true
    return content.items.filter(each => each.content.kind === 'value')
  }

  /** The elements of a list; of anything else none. */
  items(): readonly Setting[] {
    if (this.content.kind !== 'list') return []
    if (this.content.items.length === 0) this.#used = true
    return this.content.items
  }

  /** The names in a map. */
  names(): readonly string[] {
    if (this.content.kind !== 'map') return []
    if (this.content.entries.size === 0) this.#used = true
    return [...this.content.entries.keys()]
  }

  has(name: string): boolean {
    return this.content.kind === 'map' && this.content.entries.has(name)
  }

  /** All settings of a name. */
  each(name: string): readonly Setting[] {
    return (this.content.kind === 'map' && this.content.entries.get(name)) || []
  }

  /** The setting of a name. Of several the last holds, and the others are lost. */
  at(name: string): Setting | undefined {
    const all = this.each(name)
    for (const each of all.slice(0, -1)) each.lose('it is there again further down')
    return all.at(-1)
  }

  /** The setting at the end of a path of names. */
  find(...path: readonly string[]): Setting | undefined {
    let found: Setting | undefined = this
    for (const name of path) found = found?.at(name)
    return found
  }

  /** Names to settings that are values, all of them. */
  pairs(): [name: string, setting: Setting][] {
    return this.names().flatMap(name => {
      const found = this.at(name)
      return found?.content.kind === 'value' ? [[name, found] as [string, Setting]] : []
    })
  }

  loseAll(why: string, ...names: readonly string[]): undefined {
    for (const name of names) for (const each of this.each(name)) each.lose(why)
  }

  needlessAll(why: string, ...names: readonly string[]): undefined {
    for (const name of names) for (const each of this.each(name)) each.needless(why)
  }
}

/** Plain data as settings. `lineOf` says where a path stands; `nameOf` how a map's name is known. */
export function settingOf(
  value: unknown,
  context: Context,
  file: string,
  lineOf: (path: readonly (string | number)[]) => number | undefined,
  nameOf: (name: string) => string = name => name,
): Setting {
  const visit = (each: unknown, path: readonly (string | number)[], key: string): Setting => {
    const place = { file, line: lineOf(path), key }
    if (Array.isArray(each)) {
      const items = each.map((item, index) => visit(item, [...path, index], `${key}[${index}]`))
      return new Setting(place, { kind: 'list', items }, context)
    }
    if (typeof each === 'object' && each !== null && !(each instanceof Date)) {
      const entries = new Map<string, Setting[]>()
      for (const [name, inner] of Object.entries(each)) {
        const setting = visit(inner, [...path, name], key === '' ? name : `${key}.${name}`)
        entries.set(nameOf(name), [...(entries.get(nameOf(name)) ?? []), setting])
      }
      return new Setting(place, { kind: 'map', entries }, context)
    }
    return new Setting(place, { kind: 'value', value: scalar(each) }, context)
  }
  return visit(value, [], '')
}

function scalar(value: unknown): Scalar {
  if (value === null || value === undefined) return null
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') return value
  return value instanceof Date ? value.toISOString() : String(value)
}
