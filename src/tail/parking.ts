/**
 * Parking: more files than file handles. The handles of files that are idle and acknowledged are closed; their positions
 * are kept, and their names are watched instead.
 */
import type { SavedGeneration } from './checkpoint.ts'
import { inodeKey, inodeOf } from './fingerprint.ts'
import { statPath, type Tailer } from './tailer.ts'

/** Files are parked once they have been idle for so long: milliseconds. */
const PARK_AFTER = 2000

/** A file whose handle was given up: what to save of it, and how it looked. */
interface Parked {
  readonly saved: SavedGeneration
  readonly size: number
  readonly modified: bigint
}

/** `asleep`: nothing has changed. `changed`: its path leads to it and there is something new. `moved`: it does not. */
export type Rest = 'asleep' | 'changed' | 'moved'

export class Parking {
  readonly #parked = new Map<string, Parked>()

  get size(): number {
    return this.#parked.size
  }

  get paths(): Iterable<string> {
    return this.#parked.keys()
  }

  *saved(): Generator<SavedGeneration> {
    for (const { saved } of this.#parked.values()) yield saved
  }

  /** Which of `tailers` can be parked to make room: some of those that have been idle the longest. */
  choose(tailers: Iterable<Tailer>): Tailer[] {
    const now = performance.now()
    const idle = [...tailers]
      .filter(({ state, changedAt }) => state.kind === 'live' && now - changedAt > PARK_AFTER)
      .filter(({ generation, size }) => generation.doneAt(size))
      .sort((one, other) => one.changedAt - other.changedAt)
    return idle.slice(0, Math.max(64, idle.length / 2))
  }

  park({ path, size, modified, generation }: Tailer): void {
    this.#parked.set(path, { saved: generation.save(path), size, modified })
  }

  has(path: string): boolean {
    return this.#parked.has(path)
  }

  look(path: string): Rest {
    const parked = this.#parked.get(path)
    const stats = statPath(path)
    if (parked === undefined || stats === undefined) return 'moved'
    if (inodeKey(inodeOf(stats)) !== inodeKey(parked.saved.inode)) return 'moved'
    return Number(stats.size) === parked.size && stats.mtimeNs === parked.modified ? 'asleep' : 'changed'
  }

  /** Takes a file out, because it is taken up again or looked for elsewhere. */
  leave(path: string): SavedGeneration | undefined {
    const parked = this.#parked.get(path)
    this.#parked.delete(path)
    return parked?.saved
  }
}
