/**
 * A torture program: a list of plain actions, made from a seed, printable and replayable.
 *
 * The generator leans towards what rotates and destroys, because that is where shippers lose lines. Every action can
 * stand anywhere: one whose file is not there does nothing, so any action can be dropped when a program is shrunk.
 */

import { SCHEMES, type Scheme } from './schemes.ts'

/** The names that writers write to. Which other names the shipper follows depends on `Program.pattern`. */
export const FILES = ['app.log', 'db.log', 'sub/web.log'] as const
export const BACKENDS = ['left', 'right'] as const
/** Lines over this are cut by the shipper under test. */
export const MAX_LINE = 16 * 1024

export type File = (typeof FILES)[number]
export type BackendName = (typeof BACKENDS)[number]

/** What a receiver does with one request, or with all until it is told to be well again. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: number }
  | { readonly kind: 'html' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'resetBefore' }
  | { readonly kind: 'resetAfter' }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'tooLarge'; readonly bytes: number }

export type Action =
  | { readonly do: 'append'; readonly file: File; readonly lines: number; readonly size: number }
  | { readonly do: 'half'; readonly file: File }
  | { readonly do: 'bytes'; readonly file: File }
  | { readonly do: 'block'; readonly file: File; readonly bytes: number }
  | { readonly do: 'long'; readonly file: File; readonly bytes: number }
  | { readonly do: 'late'; readonly file: File; readonly lines: number }
  | { readonly do: 'rotate'; readonly file: File; readonly create: boolean }
  | { readonly do: 'rotateOften'; readonly file: File; readonly times: number; readonly lines: number }
  | { readonly do: 'moveAway'; readonly file: File }
  | { readonly do: 'rename'; readonly file: File }
  /**
   * `pause`: milliseconds behind the copy; `busy`: lines are written then, `gap` milliseconds before the truncation; `over`: onto the same rotation as the last time; `scheme`:
   * the name of the copy, and without one numbers that are shifted, the oldest removed; `stale`: the writer goes on where
   * it was, so that its next line lies behind a hole.
   */
  | {
      readonly do: 'copytruncate'
      readonly file: File
      readonly busy: boolean
      readonly pause?: number
      readonly gap?: number
      readonly over?: boolean
      readonly scheme?: Scheme | 'odd'
      readonly stale?: boolean
    }
  /**
   * So many rotations in a row, with lines between them. `pack`: what was rotated is compressed at once; `away`: into
   * another directory, as logrotate's `olddir` has it.
   */
  | {
      readonly do: 'tool'
      readonly file: File
      readonly scheme: Scheme
      readonly times: number
      readonly pack?: boolean
      readonly away?: boolean
    }
  | { readonly do: 'copy'; readonly file: File }
  | { readonly do: 'truncate'; readonly file: File }
  | { readonly do: 'shorten'; readonly file: File; readonly keep: number }
  | { readonly do: 'overwrite'; readonly file: File }
  /** The application starts again: it empties its file and writes the same beginning, or all but the first line of it. */
  | { readonly do: 'restart'; readonly file: File; readonly same: boolean; readonly lines: number }
  | { readonly do: 'delete'; readonly file: File; readonly recreate: boolean }
  | { readonly do: 'gzip'; readonly file: File }
  /** Files are made beside the log that no pattern matches: what they say must not be shipped. */
  | { readonly do: 'unmatched files'; readonly file: File }
  /** The rotated file is overwritten in place with noise, and then removed. */
  | { readonly do: 'shred'; readonly file: File }
  /** A second file that begins with the same banner, of a KiB and a half, grows beside the first until it is followed. */
  | { readonly do: 'banner'; readonly file: File; readonly end: 'delete' | 'rotate' | 'stay' }
  | { readonly do: 'hole'; readonly file: File; readonly bytes: number }
  | { readonly do: 'link'; readonly file: File }
  | { readonly do: 'swap'; readonly lines: number }
  | { readonly do: 'chmod'; readonly file: File; readonly mode: number }
  | { readonly do: 'directory' }
  | { readonly do: 'twins'; readonly lines: number }
  | { readonly do: 'fault'; readonly backend: BackendName; readonly fault: Fault; readonly times: number }
  | { readonly do: 'down'; readonly backend: BackendName }
  /** What stands in front of the backend answers this to everything, until all is well again. */
  | { readonly do: 'refuse'; readonly backend: BackendName; readonly status: 400 | 413 | 422 }
  /**
   * Lines for which the backend answers 400 to the whole request: always, or until all is well again. `between`: so many
   * good ones stand before each; good ones of another file are written beside them.
   */
  | {
      readonly do: 'poison'
      readonly file: File
      readonly beside: File
      readonly backend: BackendName
      readonly lines: number
      readonly between: number
      readonly always: boolean
    }
  | { readonly do: 'up' }
  | { readonly do: 'kill' }
  /**
   * The machine loses its power, and is started again: what was not synchronized of the state may be gone. `lose`: so many
   * bytes at the end of this file are gone too, at the least, and other lines stand there when the shipper starts.
   */
  | { readonly do: 'powerCut'; readonly file: File; readonly lose?: number }
  | { readonly do: 'term'; readonly grace: number }
  | { readonly do: 'start' }
  /** The configuration file is written anew, and then lines are, for so many milliseconds or until it is applied. */
  | {
      readonly do: 'reload'
      readonly file: File
      readonly records: number
      readonly budget: number
      readonly ms: number
    }
  | { readonly do: 'freeze' }
  | { readonly do: 'thaw' }
  | { readonly do: 'wait'; readonly ms: number }
  /** Waits until everything that can still be read has arrived. */
  | { readonly do: 'settle' }

export interface Program {
  readonly name: string
  readonly seed: number
  /** Whether the names of rotated files match the shipper's pattern too; `exact`: it has no wildcards. */
  readonly pattern: 'outside' | 'inside' | 'exact'
  /** The files belong to the shipper's user, as they do where a pod runs as one: then it may link to them. */
  readonly owned: boolean
  readonly actions: readonly Action[]
}

/** A small generator of numbers in [0, 1), the same for the same seed everywhere (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Schemes whose names tell a rotation by themselves. Of others its life has to, which random programs make too short. */
const TELLING = SCHEMES.filter(scheme =>
  ['number', 'numberBehindStem', 'date', 'dateInStem', 'dottedDate', 'time', 'dateAndNumber'].includes(scheme),
)

/**
 * A program in which the power is cut, again and again. What is destroyed in it is destroyed by that, and by rotations that
 * leave what they rotate: of a file that is truncated just before, an older checkpoint cannot know what it was.
 */
export function generatePowerCuts(seed: number): Program {
  const next = random(seed * 6271 + 5)
  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  const pick = <T>(of: readonly T[]): T => of[int(0, of.length - 1)]!
  const favourite = pick(FILES)
  const file = () => (next() < 0.7 ? favourite : pick(FILES))
  const append = (): Action => ({ do: 'append', file: file(), lines: int(1, 60), size: int(8, 300) })
  const cut = (): Action[] => [
    { do: 'powerCut', file: file(), ...(next() < 0.7 && { lose: pick([1, 100, 600, 3000, 20_000]) }) },
    ...(next() < 0.3 ? [append()] : []),
    { do: 'start' },
  ]
  const kinds: [weight: number, make: () => Action[]][] = [
    [10, () => [append()]],
    [2, () => [{ do: 'half', file: file() }]],
    [1, () => [{ do: 'block', file: file(), bytes: int(50_000, 400_000) }]],
    [3, () => [{ do: 'rotate', file: file(), create: next() < 0.8 }]],
    [1, () => [{ do: 'rotateOften', file: file(), times: 2, lines: int(0, 20) }]],
    [2, () => [{ do: 'down', backend: pick(BACKENDS) }]],
    [3, () => [{ do: 'up' }]],
    [2, () => [{ do: 'fault', backend: pick(BACKENDS), fault: { kind: 'resetAfter' }, times: int(1, 2) }]],
    [3, () => [{ do: 'kill' }, { do: 'start' }]],
    [2, () => [{ do: 'term', grace: pick([1, 10]) }, append(), { do: 'start' }]],
    [5, cut],
    [8, () => [{ do: 'wait', ms: pick([1, 5, 20, 100, 300, 1200]) }]],
    [5, () => [{ do: 'settle' }]],
  ]
  const total = kinds.reduce((sum, [weight]) => sum + weight, 0)
  const actions: Action[] = [append(), { do: 'append', file: favourite, lines: 5, size: 80 }, { do: 'settle' }]
  const count = int(15, 50)
  while (actions.length < count) {
    let at = next() * total
    const [, make] = kinds.find(([weight]) => (at -= weight) < 0) ?? kinds[0]!
    actions.push(...make())
    if (next() < 0.3) actions.push(append())
  }
  actions.push({ do: 'settle' }, append(), ...cut())
  const pattern = pick(['outside', 'inside'] as const)
  return { name: `power cuts, seed ${seed}`, seed, pattern, owned: next() < 0.7, actions }
}

/** Bytes that one `block` appends at the most. */
export type Scale = { readonly block: number; readonly actions: number }

export function generate(seed: number, scale: Scale): Program {
  const next = random(seed * 7919 + 17)
  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  const pick = <T>(of: readonly T[]): T => of[int(0, of.length - 1)]!
  // Most of a program happens to one file: that is what makes actions meet.
  const favourite = pick(FILES)
  const file = () => (next() < 0.7 ? favourite : pick(FILES))
  const fault = (): Fault =>
    pick<() => Fault>([
      () => ({ kind: 'status', status: pick([500, 502, 503]) }),
      () => ({ kind: 'status', status: 429, retryAfter: 1 }),
      () => ({ kind: 'html' }),
      () => ({ kind: 'hang' }),
      () => ({ kind: 'resetBefore' }),
      () => ({ kind: 'resetAfter' }),
      () => ({ kind: 'resetAfter' }),
      () => ({ kind: 'slow', ms: int(50, 400) }),
      () => ({ kind: 'tooLarge', bytes: int(24, 64) * 1024 }),
    ])()
  const chance = (of: number) => next() < of
  const copytruncate = (of: File, heavy = false): Action => {
    const busy = chance(0.3)
    return {
      do: 'copytruncate',
      file: of,
      busy,
      ...(busy && chance(0.3) ? { gap: pick([5, 40]) } : {}),
      ...(chance(heavy ? 0.1 : 0.3) ? { over: true } : {}),
      ...(chance(0.4) ? { scheme: chance(0.4) ? 'odd' : pick(TELLING) } : {}),
      ...(chance(0.1) ? { stale: true } : {}),
    }
  }
  const tool = (pack = false): Action => {
    const where = pack ? { pack } : chance(0.1) ? { away: true } : {}
    return {
      do: 'tool',
      file: file(),
      scheme: pick(TELLING),
      times: int(1, 2),
      ...where,
    }
  }
  /** Everything is down, and there is more to read than memory holds; then several rotations, perhaps a death. */
  const outage = (rotation: () => Action, pause: number): Action[] => [
    { do: 'down', backend: 'left' },
    { do: 'down', backend: 'right' },
    { do: 'block', file: favourite, bytes: int(1_200_000, 1_500_000) },
    ...Array.from({ length: int(2, 3) }, (): Action[] => [{ do: 'wait', ms: pause }, rotation(), append()]).flat(),
    ...(chance(0.3) ? ([{ do: 'wait', ms: pick([10, 2000]) }, { do: 'kill' }, { do: 'start' }] as const) : []),
    ...(chance(0.7) ? ([{ do: 'up' }] as const) : []),
  ]
  const append = (): Action => ({ do: 'append', file: file(), lines: int(1, 60), size: int(8, 300) })
  const kinds: [weight: number, make: () => Action | Action[]][] = [
    [10, append],
    [3, () => ({ do: 'half', file: file() })],
    [1, () => ({ do: 'bytes', file: file() })],
    [2, () => ({ do: 'block', file: file(), bytes: int(scale.block / 8, scale.block) })],
    [1, () => ({ do: 'long', file: file(), bytes: MAX_LINE + int(1, 400_000) })],
    [2, () => ({ do: 'late', file: file(), lines: int(1, 20) })],
    [8, () => ({ do: 'rotate', file: file(), create: chance(0.8) })],
    [4, () => ({ do: 'rotateOften', file: file(), times: int(2, 3), lines: int(0, 20) })],
    [1, () => ({ do: 'moveAway', file: file() })],
    [1, () => ({ do: 'rename', file: file() })],
    [3, () => tool()],
    [1, () => [{ do: 'freeze' }, append(), tool(), { do: 'wait', ms: 500 }, { do: 'thaw' }]],
    [
      1,
      () => [pick<Action>([{ do: 'kill' }, { do: 'term', grace: 10 }]), append(), tool(chance(0.6)), { do: 'start' }],
    ],
    [5, () => copytruncate(file())],
    [0.3, () => outage(() => copytruncate(favourite, true), 1100)],
    [0.3, () => outage(() => ({ do: 'rotate', file: favourite, create: true }), pick([20, 150]))],
    [0.5, () => ({ do: 'copy', file: file() })],
    [2, () => ({ do: 'truncate', file: file() })],
    [2, () => ({ do: 'shorten', file: file(), keep: next() })],
    [2, () => ({ do: 'overwrite', file: file() })],
    [2, () => ({ do: 'restart', file: file(), same: next() < 0.5, lines: pick([0, 0, 3, 40]) })],
    [3, () => ({ do: 'delete', file: file(), recreate: next() < 0.7 })],
    [1, () => ({ do: 'gzip', file: file() })],
    [0.7, () => ({ do: 'shred', file: file() })],
    [0.7, () => ({ do: 'unmatched files', file: file() })],
    [0.3, () => ({ do: 'banner', file: file(), end: pick(['delete', 'rotate', 'stay']) })],
    [1, () => ({ do: 'hole', file: file(), bytes: pick([10, 5000, 40_000, 300_000, 2_000_000]) })],
    [1, () => ({ do: 'link', file: file() })],
    [2, () => ({ do: 'swap', lines: int(0, 20) })],
    [1, () => ({ do: 'chmod', file: file(), mode: next() < 0.5 ? 0 : 0o644 })],
    [1, () => ({ do: 'directory' })],
    [1, () => ({ do: 'twins', lines: int(1, 30) })],
    [6, () => ({ do: 'fault', backend: pick(BACKENDS), fault: fault(), times: int(1, 3) })],
    [2, () => ({ do: 'down', backend: pick(BACKENDS) })],
    [3, () => ({ do: 'up' })],
    [0.7, () => [{ do: 'refuse', backend: pick(BACKENDS), status: pick([400, 413, 422]) }, append()]],
    [
      0.7,
      () => ({
        do: 'poison',
        file: file(),
        beside: file(),
        backend: pick(BACKENDS),
        lines: int(1, 40),
        between: int(0, 3),
        always: chance(0.6),
      }),
    ],
    [4, () => [{ do: 'kill' }, { do: 'start' }]],
    [2, () => ({ do: 'kill' })],
    [2, () => ({ do: 'term', grace: pick([1, 2, 10]) })],
    [4, () => ({ do: 'start' })],
    [
      6,
      () => ({
        do: 'reload',
        file: file(),
        records: pick([50, 2000]),
        budget: pick([2, 3]),
        ms: pick([0, 1500, 5000]),
      }),
    ],
    [2, () => ({ do: 'freeze' })],
    [2, () => ({ do: 'thaw' })],
    [8, () => ({ do: 'wait', ms: pick([1, 5, 20, 20, 100, 300, 1200]) })],
    [4, () => ({ do: 'settle' })],
  ]
  const total = kinds.reduce((sum, [weight]) => sum + weight, 0)
  const actions: Action[] = [append(), { do: 'append', file: favourite, lines: 5, size: 80 }, { do: 'settle' }]
  const count = int(12, scale.actions)
  // Some programs leave the shipper no time between two actions, others much.
  const haste = next()
  while (actions.length < count) {
    let at = next() * total
    const [, make] = kinds.find(([weight]) => (at -= weight) < 0) ?? kinds[0]!
    actions.push(...[make()].flat())
    if (next() > haste) actions.push({ do: 'wait', ms: pick([2, 8, 15, 40, 150]) })
    // A writer goes on whatever happens to its file.
    if (next() < 0.4) actions.push(append())
  }
  const pattern = pick(['outside', 'outside', 'outside', 'exact', 'inside', 'inside'] as const)
  return { name: `seed ${seed}`, seed, pattern, owned: next() < 0.7, actions }
}
