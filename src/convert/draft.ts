/**
 * Our configuration while it is put together. Each part knows of which setting of the input it was made, so that what
 * our own validator refuses can be taken out again and reported as lost.
 *
 * Guarantees: a list or a map of which all parts were taken out is not there; a backend of which all sources were is
 * not there either.
 */
import { formatKey, type KeyPath } from '../config/problem.ts'
import { Made } from './made.ts'
import type { Tree } from './print.ts'
import { ours } from './references.ts'
import type { Setting } from './setting.ts'
import type { SourceDraft } from './source.ts'

export interface BackendDraft {
  readonly made: Made
  /** What stands beside `type`. */
  readonly tree: Record<string, unknown>
  readonly sources: readonly SourceDraft[]
  readonly from: Setting
}

/** The draft as plain data, and of what each part was made, by its key. */
export interface Flat {
  readonly tree: Tree
  readonly origins: ReadonlyMap<string, Made>
}

export class Draft {
  readonly sources: SourceDraft[] = []
  readonly backends: BackendDraft[] = []
  /** Keys of the top besides sources and backends. */
  readonly rest: Record<string, unknown> = {}

  backend(type: string, tree: Record<string, unknown>, sources: readonly SourceDraft[], from: Setting): BackendDraft {
    const draft = { made: new Made(undefined, from), tree, sources, from }
    tree['type'] = type
    this.backends.push(draft)
    return draft
  }

  /** A name that no other backend has. */
  #named(): Map<BackendDraft, string> {
    const names = new Map<BackendDraft, string>()
    const taken = new Set<string>()
    for (const each of this.backends) {
      const type = String(each.tree['type'])
      let name = type
      for (let number = 2; taken.has(name); number++) name = `${type}-${number}`
      taken.add(name)
      names.set(each, name)
    }
    return names
  }

  flat(): Flat {
    const origins = new Map<string, Made>()
    const sources = this.sources.filter(each => !each.made.dropped && each.paths.some(path => !path.dropped))
    nameApart(sources)
    const names = this.#named()
    const backends = this.backends.flatMap(each => {
      const own = each.sources.filter(source => sources.includes(source))
      if (own.length === 0) return []
      const name = names.get(each)!
      const { type, ...others } = each.tree
      const which = own.length === sources.length ? {} : { sources: own.map(source => source.name) }
      each.made.value = { ...(name === type ? {} : { name }), type, ...which, ...others }
      return [each.made]
    })
    const all = {
      ...(sources.length > 0 ? { sources: sources.map(each => each.tree()) } : {}),
      ...(backends.length > 0 ? { backends } : {}),
      ...this.rest,
    }
    const tree = plain(all, [], origins)
    return { tree: (tree ?? {}) as Tree, origins }
  }
}

function nameApart(sources: readonly SourceDraft[]): undefined {
  const taken = new Set<string>()
  for (const each of sources) {
    const wanted =
      each.wanted
        .replaceAll(/[^A-Za-z0-9_.-]+/g, '-')
        .replaceAll(/^[-.]+|[-.]+$/g, '')
        .slice(0, 56) || 'app'
    let name = wanted
    for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`
    taken.add(name)
    each.name = name
  }
}

/** `undefined`: nothing of it is left. */
function plain(value: unknown, path: KeyPath, origins: Map<string, Made>): unknown {
  if (value instanceof Made) {
    if (value.dropped) return undefined
    origins.set(formatKey(path), value)
    return plain(value.value, path, origins)
  }
  if (Array.isArray(value)) {
    const list: unknown[] = []
    for (const each of value) {
      const item = plain(each, [...path, list.length], origins)
      if (item !== undefined) list.push(item)
    }
    return list.length > 0 || value.length === 0 ? list : undefined
  }
  if (typeof value === 'string') return ours(value)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).flatMap(([name, each]) => {
    const item = plain(each, [...path, name], origins)
    return item === undefined ? [] : [[name, item] as const]
  })
  return entries.length > 0 || Object.keys(value).length === 0 ? Object.fromEntries(entries) : undefined
}
