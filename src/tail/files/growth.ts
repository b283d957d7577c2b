/**
 * Growth: when the bytes of a file were written, as far as looks at its size can tell.
 *
 *     size │                    ┌──────  a stretch: bytes from..to were seen to come between `first` and `last`,
 *          │             ┌──────┘        and are taken to have come evenly
 *          │  ┌──────────┘
 *          └──┴─────────────────────── time
 *
 * It answers one question: since when is there something behind this offset, which is how late a backend is whose
 * committed offset that is. The answer is an estimate:
 *   - a byte counts from the look that saw it: up to a quarter of a second late in a file that is being written, up to
 *     4 s in an idle one;
 *   - looks within a second are one stretch, and once there are more than `MOST` the neighbours are joined that are the
 *     narrowest for their age: the answer is off by a second, or by a few percent of the lag;
 *   - what was written before we came is dated by the file itself: from its birth to its last modification if nothing of
 *     it is known, otherwise at its last modification, which is the latest it can have been.
 *
 * Guarantees: memory is bounded; a look that shows no change costs one comparison; what every cursor has passed is
 * forgotten. Times are milliseconds of the monotonic clock, and of the epoch where they are saved.
 */
import type { BigIntStats } from 'node:fs'

interface Stretch {
  readonly from: number
  to: number
  readonly first: number
  last: number
}

/** As it is saved: from, to, first, last. */
export type SavedStretch = readonly [from: number, to: number, first: number, last: number]

/** What is seen within so many milliseconds is one stretch. */
const RESOLUTION = 1000
/** How many stretches are kept, and how many of them are saved. */
const MOST = 64
const SAVED = 8
/** Less lag than this is not worth saving: milliseconds. After a restart it counts from the last modification. */
const WORTH = 2000

export class Growth {
  readonly #stretches: Stretch[] = []
  /** The size up to which the bytes are dated. */
  #size = 0

  /** `saved`: of an earlier process, or of the configuration before. */
  constructor(saved: readonly SavedStretch[] = [], now = performance.now(), wall = Date.now()) {
    const ago = now - wall
    for (const row of saved.slice(0, MOST)) {
      // Others may write to the state directory. Nothing but a number on a page depends on this.
      if (!Array.isArray(row) || !row.every(each => Number.isFinite(each))) continue
      const [from, to, first, last] = row as SavedStretch
      if (from < this.#size || to <= from || last < first) continue
      this.#stretches.push({ from, to, first: Math.min(now, first + ago), last: Math.min(now, last + ago) })
      this.#size = to
    }
  }

  /**
   * The file was found with so many bytes that were written before: what is not dated yet is dated by the file. All
   * before `settled` is no concern of anybody any more.
   */
  found({ size, mtimeMs, birthtimeMs }: FileTimes, settled: number, now = performance.now(), wall = Date.now()): void {
    const from = Math.max(this.#size, settled)
    this.#size = Math.max(this.#size, size)
    if (size <= from) return
    const then = (at: number) => Math.min(now, now - (wall - at))
    const born = birthtimeMs > 0 ? birthtimeMs : mtimeMs
    // A time of modification before the birth was copied from another file.
    const modified = then(Math.max(mtimeMs, born))
    this.#stretches.push({
      from,
      to: size,
      first: from === 0 ? Math.min(then(born), modified) : modified,
      last: modified,
    })
  }

  /** A look showed `size`. Returns whether there is something new to date. */
  saw(size: number, now: number): boolean {
    if (size === this.#size) return false
    if (size < this.#size) {
      this.#shorten(size)
      return false
    }
    const last = this.#stretches.at(-1)
    if (last?.to === this.#size && now - last.first < RESOLUTION) {
      last.to = size
      last.last = now
    } else this.#stretches.push({ from: this.#size, to: size, first: now, last: now })
    this.#size = size
    return true
  }

  /** Every cursor has passed `offset`. */
  passed(offset: number, now: number): void {
    while (this.#stretches[0] && this.#stretches[0].to <= offset) this.#stretches.shift()
    while (this.#stretches.length > MOST) join(this.#stretches, now)
  }

  /** Since when the byte at `offset` has been there, or `undefined` if there is none. */
  since(offset: number): number | undefined {
    const stretch = this.#stretches.find(({ to }) => to > offset)
    if (stretch === undefined) return undefined
    const { from, to, first, last } = stretch
    return offset <= from ? first : first + ((last - first) * (offset - from)) / (to - from)
  }

  /** What the next process should know, or `undefined` if it is not worth it. `offset`: every cursor has passed it. */
  save(offset: number, now = performance.now(), wall = Date.now()): readonly SavedStretch[] | undefined {
    const since = this.since(offset)
    if (since === undefined || now - since < WORTH) return undefined
    const stretches = this.#stretches.filter(({ to }) => to > offset).map(stretch => ({ ...stretch }))
    while (stretches.length > SAVED) join(stretches, now)
    const then = (at: number) => Math.round(wall - (now - at))
    return stretches.map(({ from, to, first, last }) => [from, to, then(first), then(last)])
  }

  /** The end was cut off. */
  #shorten(size: number): void {
    this.#size = size
    while ((this.#stretches.at(-1)?.from ?? -1) >= size) this.#stretches.pop()
    const last = this.#stretches.at(-1)
    if (last) last.to = Math.min(last.to, size)
  }
}

export interface FileTimes {
  readonly size: number
  readonly mtimeMs: number
  /** 0 if the file system does not tell. */
  readonly birthtimeMs: number
}

export function timesOf({ size, mtimeNs, birthtimeNs }: BigIntStats): FileTimes {
  const milliseconds = (ns: bigint) => Number(ns / 1000n) / 1000
  return { size: Number(size), mtimeMs: milliseconds(mtimeNs), birthtimeMs: milliseconds(birthtimeNs) }
}

/** Joins the two neighbours that are the narrowest together for their age. */
function join(stretches: Stretch[], now: number): void {
  let best = 0
  let narrowest = Number.POSITIVE_INFINITY
  for (let at = 0; at + 1 < stretches.length; at++) {
    const { first } = stretches[at]!
    const width = (stretches[at + 1]!.last - first) / (now - first + RESOLUTION)
    if (width < narrowest) {
      narrowest = width
      best = at
    }
  }
  const [{ from, first }, { to, last }] = [stretches[best]!, stretches[best + 1]!]
  stretches.splice(best, 2, { from, to, first, last })
}
