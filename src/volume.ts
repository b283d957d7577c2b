/**
 * The volume: how full it is, how fast it fills, and when it will be full. The kubelet evicts a pod whose emptyDir has
 * outgrown its `sizeLimit`, and everything on it is gone; so a warning comes before.
 *
 * Counts what lies below the followed directories and the state directory in blocks, as the kubelet does, each inode once. Looks
 * only if a limit is configured, a few times a minute or the more seldom the longer it takes, and at a bounded number of
 * files; never throws and never blocks.
 */
import type { Dirent } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Logger } from './log.ts'

export interface VolumeStatus {
  readonly bytes: number
  readonly limit: number
  /** Bytes per second over the last minutes; negative when it empties. */
  readonly growth: number
  /** Until it is full, at that rate; `undefined` if it does not grow. */
  readonly secondsLeft: number | undefined
  /** There are more files than are looked at: it is fuller than this says. */
  readonly partial: boolean
}

export interface VolumeFields {
  readonly directories: readonly string[]
  readonly limit: number
  readonly log: Logger
  /** Milliseconds between two looks. */
  readonly every?: number
}

const EVERY = 10_000
/** After a look there is none for so many times what it took. */
const REST = 19
/** Looks that the growth is taken over. */
const REMEMBERED = 18
const MAX_FILES = 20_000
/** st_blocks counts in these (stat(2)). */
const BLOCK = 512
/** Shares of the limit that are warned of, and so is an end that is this near. */
const LEVELS = [0.9, 0.8] as const
const NEAR = 600
/** A level that was warned of must be left by this share before it is warned of again. */
const SLACK = 0.05

export class Volume {
  readonly #fields: VolumeFields
  readonly #looks: { readonly at: number; readonly bytes: number }[] = []
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #partial = false
  /** The level that was warned of last, and whether the end was. */
  #warned = 0
  #warnedNear = false

  constructor(fields: VolumeFields) {
    this.#fields = { ...fields, directories: outermost(fields.directories) }
  }

  /** Looks now and from time to time. */
  start(): void {
    const began = performance.now()
    void this.#look().finally(() => {
      if (this.#stopped) return
      const took = performance.now() - began
      this.#timer = setTimeout(() => this.start(), Math.max(this.#fields.every ?? EVERY, REST * took))
      this.#timer.unref()
    })
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  /** `undefined` before the first look. */
  get status(): VolumeStatus | undefined {
    const last = this.#looks.at(-1)
    if (last === undefined) return undefined
    const first = this.#looks[0]!
    const seconds = (last.at - first.at) / 1000
    const growth = seconds > 0 ? (last.bytes - first.bytes) / seconds : 0
    const { limit } = this.#fields
    const secondsLeft = growth > 0 ? Math.max(0, limit - last.bytes) / growth : undefined
    return { bytes: last.bytes, limit, growth, secondsLeft, partial: this.#partial }
  }

  async #look(): Promise<void> {
    const bytes = await this.#sum()
    this.#looks.push({ at: performance.now(), bytes })
    if (this.#looks.length > REMEMBERED) this.#looks.shift()
    this.#warn(this.status!)
  }

  #warn({ bytes, limit, growth, secondsLeft }: VolumeStatus): void {
    const { log } = this.#fields
    const share = bytes / limit
    const fields = {
      bytes,
      limit,
      growthPerSecond: Math.round(growth),
      secondsLeft: secondsLeft && Math.round(secondsLeft),
    }
    const level = LEVELS.find(each => share >= each) ?? 0
    if (level > this.#warned) {
      log.warn({ event: 'volume_filling', ...fields, percent: Math.floor(share * 100) }, 'log volume is filling up')
      this.#warned = level
    } else if (share < this.#warned - SLACK) this.#warned = level
    const near = secondsLeft !== undefined && secondsLeft < NEAR && this.#looks.length > 2
    if (near && !this.#warnedNear)
      log.warn({ event: 'volume_nearly_full', ...fields }, 'log volume will be full within ten minutes')
    this.#warnedNear = near || (this.#warnedNear && share >= LEVELS[1])
  }

  async #sum(): Promise<number> {
    const seen = new Set<string>()
    const queue = [...this.#fields.directories]
    let bytes = 0
    let files = 0
    for (let directory = queue.pop(); directory !== undefined && files < MAX_FILES; directory = queue.pop()) {
      // A few names at a time: there may be more than fit into memory.
      for await (const entry of namesIn(directory)) {
        if (++files > MAX_FILES) break
        const path = join(directory, entry.name)
        if (entry.isDirectory()) queue.push(path)
        const stats = await lstat(path).catch(() => undefined)
        if (stats === undefined) continue
        const inode = `${stats.dev}:${stats.ino}`
        if (seen.has(inode)) continue
        // Only what has several names can be met again.
        if (stats.nlink > 1 && !entry.isDirectory()) seen.add(inode)
        bytes += stats.blocks * BLOCK
      }
    }
    this.#partial = files > MAX_FILES
    return bytes
  }
}

/** Those that do not lie below another one. */
function outermost(directories: readonly string[]): string[] {
  const all = [...new Set(directories)]
  return all.filter(
    each => !all.some(other => other !== each && each.startsWith(other.endsWith(sep) ? other : other + sep)),
  )
}

/** The names in a directory, or none. */
async function* namesIn(directory: string): AsyncGenerator<Dirent, void> {
  try {
    yield* await opendir(directory)
  } catch {
    // It is gone, or may not be looked into.
  }
}
