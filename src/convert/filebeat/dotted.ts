/** Names with dots, which in Filebeat are the same as maps within maps: `output.elasticsearch.hosts`. */
import { Setting } from '../setting.ts'

/** The same settings with a map for each dot. */
export function undotted(setting: Setting): Setting {
  const { content, place, context } = setting
  if (content.kind === 'list') return new Setting(place, { kind: 'list', items: content.items.map(undotted) }, context)
  if (content.kind !== 'map') return setting
  const entries = new Map<string, Setting[]>()
  for (const [name, all] of content.entries) {
    for (const each of all) put(entries, name.split('.'), undotted(each))
  }
  return new Setting(place, { kind: 'map', entries }, context)
}

function put(entries: Map<string, Setting[]>, [name = '', ...rest]: readonly string[], setting: Setting): undefined {
  const before = entries.get(name)?.[0]
  const inner = rest.length === 0 ? setting : within(rest, setting)
  entries.set(name, [before === undefined ? inner : merged(before, inner)])
}

function within(names: readonly string[], setting: Setting): Setting {
  const entries = new Map<string, Setting[]>()
  put(entries, names, setting)
  return new Setting(setting.place, { kind: 'map', entries }, setting.context)
}

/** Of two values the second one holds. */
function merged(one: Setting, other: Setting): Setting {
  if (one.content.kind !== 'map' || other.content.kind !== 'map') {
    if (one.content.kind !== 'value' || one.content.value !== null) one.lose('it is there again further down')
    return other
  }
  const entries = new Map(one.content.entries) as Map<string, Setting[]>
  for (const [name, all] of other.content.entries) {
    const before = entries.get(name)?.[0]
    entries.set(name, before === undefined ? [...all] : [merged(before, all[0]!)])
  }
  return new Setting(one.place, { kind: 'map', entries }, one.context)
}

/** Values by the names that they have with their dots. */
export function dottedPairs(setting: Setting | undefined, prefix = ''): [name: string, setting: Setting][] {
  return (setting?.names() ?? []).flatMap(name => {
    const inner = setting!.at(name)!
    const full = prefix === '' ? name : `${prefix}.${name}`
    return inner.content.kind === 'map' ? dottedPairs(inner, full) : [[full, inner] as [string, Setting]]
  })
}
