/**
 * The last step of a conversion: our own validator looks at the result. What it refuses is taken out and reported as
 * lost at the setting that it was made of, until it accepts the rest.
 *
 *     draft ─► text ─► validated ─┬─ valid ─► done
 *       ▲                         ├─ refuses what was made of a setting ─► taken out ─┐
 *       └─────────────────────────┼───────────────────────────────────────────────────┘
 *                                 └─ refuses anything else ─► a bug of ours
 */
import type { Loaded, LoadRequest } from '../config/load.ts'
import type { Problem } from '../config/problem.ts'
import type { Draft, Flat } from './draft.ts'
import type { Made } from './made.ts'
import { print } from './print.ts'
import type { References } from './references.ts'

export type Load = (request: LoadRequest) => Promise<Loaded>

export type Checked =
  | { readonly kind: 'valid'; readonly text: string }
  /** Nothing in it follows a file. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'bug'; readonly text: string; readonly problems: readonly Problem[] }

/** Each takes out at least one part. */
const MOST_ROUNDS = 500

export async function checked(draft: Draft, references: References, load: Load): Promise<Checked> {
  for (let round = 0; ; round++) {
    const flat = draft.flat()
    if (flat.tree['sources'] === undefined) return { kind: 'nothing' }
    const text = print(flat.tree)
    const loaded = await load({ file: 'the result', text, env: references.placeholders, cwd: '/' })
    if (loaded.kind === 'ok') return { kind: 'valid', text }
    let blamed = 0
    for (const problem of loaded.problems) {
      const part = partBehind(problem.key, flat)
      if (part === undefined || part.dropped) continue
      blamed++
      part.dropped = true
      const hint = problem.hint === undefined ? '' : ` (${problem.hint})`
      part.from.lose(
        `ours refuses ${partName(problem.key)}: found ${problem.found}; allowed: ${problem.allowed}${hint}`,
      )
    }
    if (blamed === 0 || round === MOST_ROUNDS) return { kind: 'bug', text, problems: loaded.problems }
  }
}

/** `sources[0].filter.dropMatching[1]`: `filter.dropMatching`. */
function partName(key: string): string {
  return key.replace(/^(sources|backends)\[\d+\]\.?/, '').replace(/\[\d+\]$/, '') || 'it'
}

/** What a problem is about: the part at its key, else the smallest that holds it, else what is in it. */
function partBehind(key: string, { origins }: Flat): Made | undefined {
  let holder: { readonly key: string; readonly made: Made } | undefined
  let inside: Made | undefined
  for (const [each, made] of origins) {
    if (each === key) return made
    if (isBelow(key, each) && each.length > (holder?.key.length ?? -1)) holder = { key: each, made }
    if (isBelow(each, key)) inside = made
  }
  // What is within it is nearer to the mistake than the source or the backend as a whole.
  return inside ?? holder?.made
}

function isBelow(key: string, holder: string): boolean {
  return key.startsWith(holder) && (key[holder.length] === '.' || key[holder.length] === '[')
}
