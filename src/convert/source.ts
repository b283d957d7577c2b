/**
 * A source while it is put together. What a peer says in steps, one after the other, ours says once for each kind of
 * thing, in an order that is fixed: a step that does not fit into that is lost, with the reason.
 */
import { type Made, made } from './made.ts'
import { isSecretive, refers } from './references.ts'
import type { Setting } from './setting.ts'

const SECOND = 'something else is said of that already, and a source says it once'

export class SourceDraft {
  readonly made: Made
  readonly from: Setting
  /** Unique among all; what was wanted, made so. */
  name = ''
  wanted: string
  readonly paths: Made[] = []
  readonly exclude: Made[] = []
  readonly labels: Record<string, Made> = {}
  readonly #options = new Map<string, { readonly value: string; readonly made: unknown }>()
  readonly #formats: Made[] = []
  readonly #matches: Made[] = []
  readonly #types: Record<string, Made> = {}
  readonly filter: { below?: Made; drop: Made[]; dropMatching: Made[]; keep: Made[]; keepMatching: Made[] } = {
    ...{ drop: [], dropMatching: [], keep: [], keepMatching: [] },
  }
  readonly #rules: Record<string, Made> = {}
  #keeper: Setting | undefined
  readonly #rename = new Map<string, Made>()
  readonly #dropped: Made[] = []
  readonly #kept: Made[] = []
  #flatten: Made | undefined
  readonly #redacted: Made[] = []

  constructor(name: string, from: Setting) {
    this.wanted = name
    this.from = from
    this.made = made(undefined, from)
  }

  /** Whether records have values that something can go by. */
  get parses(): boolean {
    return this.#formats.length > 0 || this.#matches.length > 0
  }

  /** Whether lines are those of a container runtime, which is a format of its own. */
  get runtime(): boolean {
    return this.#formats.some(each => each.value === 'cri' || each.value === 'docker')
  }

  /** An option that there is one of. */
  set(key: string, value: unknown, from: Setting): undefined {
    const before = this.#options.get(key)
    const written = JSON.stringify(value)
    if (before === undefined) this.#options.set(key, { value: written, made: made(value, from) })
    else if (before.value !== written) from.lose(SECOND)
  }

  has(key: string): boolean {
    return this.#options.has(key)
  }

  parseAs(format: string, from: Setting): undefined {
    if (!this.#formats.some(each => each.value === format)) this.#formats.push(made(format, from))
  }

  parseMatch(expression: string, from: Setting, types: Readonly<Record<string, 'number'>> = {}): undefined {
    this.#matches.push(made(expression, from))
    for (const [name, type] of Object.entries(types)) this.#types[name] = made(type, from)
  }

  /** Groups of expressions are texts unless they are said to be numbers; other values are what they were written as. */
  number(name: string, from: Setting): undefined {
    if (this.#matches.length === 0) return from.needless('values are sent as they were written')
    this.#types[name] = made('number', from)
  }

  path(glob: string, from: Setting): undefined {
    from.context.references.example(glob, '/1')
    this.paths.push(made(glob, from))
  }

  without(glob: string, from: Setting): undefined {
    from.context.references.example(glob, '/1')
    this.exclude.push(made(glob, from))
  }

  label(name: string, value: string, from: Setting): undefined {
    const { references } = from.context
    const secret = isSecretive(name) && !refers(value)
    this.labels[name] = made(secret ? references.variable(references.secretOf(value, from, name).env) : value, from)
  }

  /** `from` is one filter: what one filter keeps by several expressions is kept by any of them. */
  keepMatching(expression: string, from: Setting, filter: Setting = from): undefined {
    if (this.#keeper !== undefined && this.#keeper !== filter) {
      from.lose('a second filter that keeps: ours keeps what any of its expressions matches, not all of them')
      return
    }
    this.#keeper = filter
    this.filter.keepMatching.push(made(expression, from))
  }

  /** Drops records of which all conditions hold. */
  rule(name: string, conditions: Readonly<Record<string, unknown>>, from: Setting): undefined {
    const named = Object.entries(conditions).map(([field, value]) => [this.nameInLine(field), value] as const)
    const wanted = name.replaceAll(/[^A-Za-z0-9_.-]+/g, '-').slice(0, 50) || 'rule'
    let unique = wanted
    for (let number = 2; this.#rules[unique] !== undefined; number++) unique = `${wanted}-${number}`
    this.#rules[unique] = made({ drop: Object.fromEntries(named) }, from)
  }

  /** What a value is called in the line that is called so by now. */
  nameInLine(name: string): string {
    for (const [before, after] of this.#rename) if (after.value === name) return before
    return name
  }

  rename(before: string, after: string, from: Setting): undefined {
    this.#rename.set(this.nameInLine(before), made(after, from))
  }

  redact(expression: string, from: Setting): undefined {
    this.#redacted.push(made(expression, from))
  }

  dropField(name: string, from: Setting): undefined {
    const line = this.nameInLine(name)
    if (this.#rename.has(line)) this.#rename.delete(line)
    this.#dropped.push(made(line, from))
  }

  keepField(name: string, from: Setting): undefined {
    this.#kept.push(made(this.nameInLine(name), from))
  }

  flatten(from: Setting): undefined {
    this.#flatten = made(true, from)
  }

  /** In the order in which it is done. */
  tree(): Made {
    const { multiline, time, level, ...others } = Object.fromEntries(
      [...this.#options].map(([key, each]) => [key, each.made]),
    )
    const tree = {
      name: this.name,
      paths: this.paths,
      exclude: filled(this.exclude),
      labels: filled(this.labels),
      ...pick(others, 'maxLineBytes', 'encoding', 'lineEnd', 'followSymlinks'),
      multiline,
      redact: this.#redacted.length > 0 ? { match: { replaced: this.#redacted } } : undefined,
      parse: this.#parse(),
      time,
      level,
      filter: filled({
        below: this.filter.below,
        drop: filled(this.filter.drop),
        dropMatching: filled(this.filter.dropMatching),
        keep: filled(this.filter.keep),
        keepMatching: filled(this.filter.keepMatching),
        rules: filled(this.#rules),
      }),
      ...pick(others, 'sample', 'repeats', 'limit'),
      // Of records that are not parsed nothing goes by names.
      fields: this.parses ? this.#fields() : undefined,
    }
    this.made.value = filled(tree)
    return this.made
  }

  #fields(): unknown {
    return filled({
      rename: filled(Object.fromEntries(this.#rename)),
      drop: filled(this.#dropped),
      keep: filled(this.#kept),
      flatten: this.#flatten,
    })
  }

  /** The settings that fields are chosen by. */
  get choices(): readonly Setting[] {
    const flatten = this.#flatten === undefined ? [] : [this.#flatten]
    return [...this.#rename.values(), ...this.#dropped, ...this.#kept, ...flatten].map(each => each.from)
  }

  #parse(): unknown {
    const matches = this.#matches.filter(each => !each.dropped)
    if (matches.length === 0) {
      return this.#formats.length === 1 ? this.#formats[0] : filled(this.#formats)
    }
    return filled({ format: filled(this.#formats), match: matches, types: filled(this.#types) })
  }
}

/** What is there of it; `undefined`: nothing. */
function filled<T extends object>(value: T): T | undefined {
  if (Array.isArray(value)) return value.length > 0 ? value : undefined
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  return entries.length > 0 ? (Object.fromEntries(entries) as T) : undefined
}

function pick(tree: Readonly<Record<string, unknown>>, ...names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map(name => [name, tree[name]]))
}
