/**
 * Renaming and copytruncate done by the test itself, in the ways that are common, and an application that appends, or
 * that writes where it stood before (without O_APPEND: its first write behind a truncation leaves a hole).
 */
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import type { Log, LogDirectory, Rotation } from './rotation.ts'

interface Move {
  readonly name: string
  readonly how: 'rename' | 'copy' | 'truncate'
  /** The name that the nth rotation gives; with `shifts` the newest is always 1. Not said: `app.log.<n>`. */
  readonly to?: (n: number) => string
  readonly shifts?: boolean
  /** So many rotated files are kept. */
  readonly keeps?: number
  readonly follows?: readonly string[]
  readonly order?: 'log' | 'file'
  readonly destroys?: boolean
  readonly anonymous?: boolean
  /** The application opens its log without O_APPEND and keeps its handle. */
  readonly leavesHoles?: boolean
}

const date = (n: number) => `app.log.2026-01-0${n}`

const renames: readonly Move[] = [
  { name: 'renamed, numbers shifted', how: 'rename', shifts: true },
  { name: 'renamed, numbers shifted, all in the pattern', how: 'rename', shifts: true, follows: ['app.log*'] },
  { name: 'renamed to dates', how: 'rename', to: date },
  { name: 'renamed, two kept', how: 'rename', shifts: true, keeps: 2 },
]

const copies: readonly Move[] = [
  { name: 'copied, numbers shifted', how: 'copy', shifts: true },
  { name: 'copied, numbers shifted, all in the pattern', how: 'copy', shifts: true, follows: ['app.log*'] },
  { name: 'copied, two kept', how: 'copy', shifts: true, keeps: 2 },
  { name: 'copied, two kept, all in the pattern', how: 'copy', shifts: true, keeps: 2, follows: ['app.log*'] },
  { name: 'copied to dates', how: 'copy', to: date },
  { name: 'copied to dates within the pattern', how: 'copy', to: n => `app-2026010${n}.log`, follows: ['*.log'] },
  { name: 'copied to names without meaning', how: 'copy', to: n => `${'abcdefghi'[n]}f3e1.dat`, anonymous: true },
  { name: 'copied, the writer without O_APPEND', how: 'copy', shifts: true, leavesHoles: true },
]

const destructions: readonly Move[] = [
  { name: 'copied over the copy before', how: 'copy', to: () => 'app.log.old', destroys: true },
  { name: 'truncated without a copy', how: 'truncate', destroys: true },
]

const rotation = (move: Move): Rotation => ({ ...move, begin: place => new Moved(place, move) })

export const renaming = renames.map(rotation)
export const copying = copies.map(rotation)
export const destroying = destructions.map(rotation)

class Moved implements Log {
  /** Bytes of the holes so far. */
  holes = 0
  readonly #place: LogDirectory
  readonly #move: Move
  #rotations = 0
  #file: number | undefined
  /** Where the writer without O_APPEND stands, and where in the file it stood when that was truncated last. */
  #position = 0
  #cut = 0

  constructor(place: LogDirectory, move: Move) {
    this.#place = place
    this.#move = move
  }

  write(lines: string): void {
    if (!this.#move.leavesHoles) {
      appendFileSync(this.#place.path(), lines)
      return
    }
    this.holes += this.#cut
    this.#cut = 0
    this.#file ??= openSync(this.#place.path(), 'w')
    this.#position += writeSync(this.#file, lines, this.#position)
  }

  rotate(): void {
    const { how, shifts = false, keeps, to = (n: number) => `app.log.${n}` } = this.#move
    const rotations = ++this.#rotations
    const path = this.#place.path()
    const at = (n: number) => this.#place.path(to(n))
    if (shifts) for (let n = rotations; n > 1; n--) if (existsSync(at(n - 1))) renameSync(at(n - 1), at(n))
    const target = at(shifts ? 1 : rotations)
    if (how === 'rename') renameSync(path, target)
    else {
      if (how === 'copy') copyFileSync(path, target)
      truncateSync(path)
      this.#cut = this.#position
    }
    if (keeps !== undefined) rmSync(at(shifts ? keeps + 1 : rotations - keeps), { force: true })
  }

  end(): void {
    if (this.#file !== undefined) closeSync(this.#file)
  }
}
