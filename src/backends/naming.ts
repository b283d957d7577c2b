/**
 * What the values of a record are called: by the configuration, and by the names that are reserved.
 *
 *     the line has   chosen                    ours      sent as
 *     lvl            rename: { lvl: level }              level
 *     pid            drop: [pid]
 *     source                                   source    line_source
 *     http: { method }   flatten: true                   http.method
 *
 * Guarantees: no two values are given the same name, and none is given one that is ours.
 */
import type { FieldChoice, RecordShape } from '../chunk.ts'
import type { FieldNames, NameRule } from '../kernel/fields.ts'

export function namingOf(
  { choices = [], slots }: RecordShape,
  ours: readonly string[],
  heads: readonly string[],
): Pick<FieldNames, 'rules' | 'others' | 'flattens' | 'named'> {
  // A field without a name is none for many a backend.
  const taken = new Set([...ours, ''])
  const isOurs = (name: string): boolean => taken.has(name) || heads.some(head => name.startsWith(head))
  const others = choices.some(({ keep }) => keep.length > 0) ? 'out' : 'kept'
  const given = new Set<string>()
  const mentioned = choices.flatMap(({ rename, drop, keep }) => [...Object.keys(rename), ...drop, ...keep])
  const rules = [...new Set([...mentioned, ...taken])].map((name): NameRule => {
    const chosen = chosenName(name, choices)
    if (chosen === undefined) return { name, is: 'out' }
    if (chosen === name && !isOurs(name)) return { name, is: 'kept' }
    const other = unique(chosen, isOurs, given)
    // One that is ours can never go under its own name instead.
    return { name, is: isOurs(name) || other !== chosen ? 'line' : 'other', other }
  })
  const used = new Set<string>()
  const named = slots.map(({ name, slot, number }) => {
    const chosen = chosenName(name, choices)
    return { name: chosen === undefined ? '' : unique(chosen, isOurs, used), slot, number }
  })
  const needed = rules.filter(({ is }) => is !== others)
  const begins = others === 'out' ? [] : heads.map((name): NameRule => ({ name, is: 'begin' }))
  return { rules: [...needed, ...begins], others, flattens: choices.some(({ flatten }) => flatten), named }
}

/** What a value of this name is called; undefined: it is not sent. */
function chosenName(name: string, choices: readonly FieldChoice[]): string | undefined {
  let now = name
  for (const { rename, drop, keep } of choices) {
    if (drop.includes(now)) return undefined
    if (Object.hasOwn(rename, now)) now = rename[now]!
    else if (keep.length > 0 && !keep.includes(now)) return undefined
  }
  return now
}

function unique(name: string, isOurs: (name: string) => boolean, given: Set<string>): string {
  let free = name
  while (isOurs(free) || given.has(free)) free = `line_${free}`
  given.add(free)
  return free
}
