/**
 * A program of the torture of processing: a list of plain actions, made from a seed, printable and replayable.
 *
 * It leans towards what happens in the middle of a record: pauses about as long as the flush timer, ends and deaths of
 * the process, rotations. Any action can stand anywhere, so any can be dropped when a program is shrunk.
 */
import { BACKENDS, type BackendName, type Fault, random } from '../program.ts'
import type { KindName } from './records.ts'
import { FLUSH, MAX_LINE, SOURCE, SOURCES, type SourceName } from './sources.ts'

export type Action =
  /** Records in one write. */
  | { readonly do: 'append'; readonly source: SourceName; readonly records: number; readonly kind?: KindName }
  /** One record in so many pieces, with a pause before each but the first: milliseconds. */
  | {
      readonly do: 'pieces'
      readonly source: SourceName
      readonly pieces: number
      readonly pause: number
      readonly kind?: KindName
    }
  /** The beginning of a record; `lines`: so many lines of it, and with `half` a part of the next one. */
  | {
      readonly do: 'begin'
      readonly source: SourceName
      readonly lines: number
      readonly half: boolean
      readonly kind?: KindName
    }
  /** The rest of what was begun. */
  | { readonly do: 'go on'; readonly source: SourceName }
  | { readonly do: 'long'; readonly source: SourceName; readonly bytes: number }
  /** A record for which the backend refuses the request. */
  | {
      readonly do: 'poison'
      readonly source: SourceName
      readonly backend: BackendName
      readonly poison: 'always' | 'passing'
    }
  /** Records that a filter drops, and ones that it keeps. */
  | { readonly do: 'unwanted'; readonly source: SourceName; readonly records: number }
  /** Records that differ in their serial numbers alone; `pause`: milliseconds before each but the first. */
  | {
      readonly do: 'run'
      readonly source: SourceName
      readonly records: number
      readonly phrase: number
      readonly pause: number
    }
  | { readonly do: 'rotate'; readonly source: SourceName; readonly create: boolean }
  /** `pause`: milliseconds between the copy and the truncation. */
  | { readonly do: 'copytruncate'; readonly source: SourceName; readonly pause: number }
  | { readonly do: 'fault'; readonly backend: BackendName; readonly fault: Fault; readonly times: number }
  | { readonly do: 'down'; readonly backend: BackendName }
  | { readonly do: 'up' }
  | { readonly do: 'kill' }
  /** SIGTERM, with so many seconds of grace. */
  | { readonly do: 'stop'; readonly grace: number }
  | { readonly do: 'start' }
  | { readonly do: 'reload' }
  | { readonly do: 'wait'; readonly ms: number }
  /** Until all that was begun before has arrived, be it in parts. */
  | { readonly do: 'settle' }

export interface Program {
  readonly name: string
  readonly seed: number
  readonly actions: readonly Action[]
}

export function generate(seed: number, size = 40): Program {
  const next = random(seed * 6007 + 29)
  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  const pick = <T>(of: readonly T[]): T => of[int(0, of.length - 1)]!
  const chance = (of: number) => next() < of
  const favourites = [pick(SOURCES), pick(SOURCES)]
  const source = () => (chance(0.75) ? pick(favourites) : pick(SOURCES))
  const fault = (): Fault =>
    pick<() => Fault>([
      () => ({ kind: 'status', status: pick([500, 503]) }),
      () => ({ kind: 'status', status: 429, retryAfter: 1 }),
      () => ({ kind: 'resetBefore' }),
      () => ({ kind: 'resetAfter' }),
      () => ({ kind: 'resetAfter' }),
      () => ({ kind: 'slow', ms: int(50, 400) }),
      () => ({ kind: 'tooLarge', bytes: int(24, 64) * 1024 }),
    ])()
  // Well below the timer, just around it, and above.
  const pause = () => Math.round(FLUSH * pick([0.02, 0.1, 0.3, 0.6, 0.6, 0.95, 1, 1.1, 1.5]))
  const kindOf = (name: SourceName) => pick(SOURCE[name].kinds.filter(kind => kind !== 'long'))
  const append = (most = 12): Action => ({ do: 'append', source: source(), records: int(1, most) })
  const begin = (of: SourceName): Action => ({
    do: 'begin',
    source: of,
    lines: int(0, 6),
    half: chance(0.4),
    kind: kindOf(of),
  })
  /** Something happens in the middle of a record, before or after the timer. */
  const amid = (...happens: Action[]): Action[] => {
    const of = source()
    const wait = (): Action[] => (chance(0.7) ? [{ do: 'wait', ms: chance(0.5) ? pause() : FLUSH * 2 }] : [])
    return [begin(of), ...wait(), ...happens, ...wait(), { do: 'go on', source: of }]
  }
  const run = (records: number, wait: number, phrase = int(0, 2)): Action => ({
    ...({ do: 'run', source: 'repeated', phrase } as const),
    records: wait > 0 ? Math.min(records, 8) : records,
    pause: Math.round(wait),
  })
  /** What happens in a run of records that are alike. */
  const during = (): Action[] => [
    ...(chance(0.5) ? [{ do: 'wait', ms: pause() } as const] : []),
    ...pick<() => Action[]>([
      death,
      () => [{ do: 'kill' }],
      () => [{ do: 'rotate', source: 'repeated', create: chance(0.5) }],
      () => [{ do: 'copytruncate', source: 'repeated', pause: 0 }],
      () => [{ do: 'reload' }],
      () => [{ do: 'wait', ms: FLUSH * 2 }],
      () => [{ do: 'poison', source: 'repeated', backend: pick(BACKENDS), poison: 'always' }],
    ])(),
    ...(chance(0.5) ? [{ do: 'wait', ms: pause() } as const, { do: 'start' } as const] : []),
  ]
  const death = (): Action[] => [pick<Action>([{ do: 'kill' }, { do: 'stop', grace: pick([1, 10]) }]), { do: 'start' }]
  const kinds: [weight: number, make: () => Action | Action[]][] = [
    [8, append],
    [2, () => append(400)],
    [6, () => ({ do: 'pieces', source: source(), pieces: int(2, 6), pause: pause() })],
    [4, () => begin(source())],
    [3, () => ({ do: 'go on', source: source() })],
    [1, () => ({ do: 'long', source: source(), bytes: pick([5000, MAX_LINE - 1, MAX_LINE, MAX_LINE + 1, 300_000]) })],
    [3, () => ({ do: 'unwanted', source: source(), records: int(1, 20) })],
    [2, () => ({ do: 'poison', source: source(), backend: pick(BACKENDS), poison: pick(['always', 'passing']) })],
    [4, () => run(int(2, 40), pick([0, 0, FLUSH * 0.3]))],
    [1, () => run(700, 0)],
    [3, () => [run(int(1, 9), 0, 0), ...during(), run(int(1, 9), 0, 0)]],
    [2, () => ({ do: 'append', source: 'slow', records: 900 })],
    [2, () => ({ do: 'append', source: 'curbed', records: int(60, 200) })],
    [3, () => ({ do: 'rotate', source: source(), create: chance(0.8) })],
    [2, () => ({ do: 'copytruncate', source: source(), pause: pick([0, 0, 60]) })],
    [6, () => amid(...death())],
    [2, () => amid({ do: 'rotate', source: favourites[0]!, create: true })],
    [2, () => amid({ do: 'reload' })],
    [2, () => amid({ do: 'down', backend: pick(BACKENDS) }, { do: 'wait', ms: FLUSH * 2 }, { do: 'up' })],
    [2, () => death()],
    [1, () => [{ do: 'kill' }, append(), { do: 'start' }]],
    [1, () => ({ do: 'stop', grace: pick([1, 10]) })],
    [2, () => ({ do: 'start' })],
    [2, () => ({ do: 'reload' })],
    [4, () => ({ do: 'fault', backend: pick(BACKENDS), fault: fault(), times: int(1, 3) })],
    [1, () => ({ do: 'down', backend: pick(BACKENDS) })],
    [3, () => ({ do: 'up' })],
    [5, () => ({ do: 'wait', ms: pause() })],
    [2, () => ({ do: 'settle' })],
  ]
  const total = kinds.reduce((sum, [weight]) => sum + weight, 0)
  const actions: Action[] = [append(), { do: 'append', source: favourites[0]!, records: 3 }, { do: 'settle' }]
  const count = int(15, size)
  while (actions.length < count) {
    let at = next() * total
    const [, make] = kinds.find(([weight]) => (at -= weight) < 0) ?? kinds[0]!
    actions.push(...[make()].flat())
  }
  return { name: `seed ${seed}`, seed, actions }
}
