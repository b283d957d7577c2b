/**
 * Pinning: which files get a pin, and when they lose it.
 *
 * Only a file that has lost its name and is not acknowledged does. A file under its own name is never linked: logrotate refuses to
 * rotate files with two links, and an outage must not keep the application's logs from rotating. Where the directory shows
 * that rotated files are compressed there is no pin either: `gzip`, and logrotate's `delaycompress`, refuse such files
 * too, and what is compressed is found again by the identity of its decompressed head.
 */
import { basename, dirname } from 'node:path'
import { LISTINGS } from '../files/listings.ts'
import { isRotationOf, stemOf } from '../files/names.ts'
import type { Tailer } from '../generation/tailer.ts'
import type { Pins } from '../state/pins.ts'

/** A file that could not be pinned is retried after so long: milliseconds. */
const TRY_AGAIN = 1000
/** Whether files are compressed in a directory is looked at again after so long; so many directories are remembered. */
const FRESH = 400
const MOST_DIRECTORIES = 64
/** A rotation is left alone for so long: multilog gives up a file that has two names while it is at it. Milliseconds. */
const SETTLED = 400

export class Pinning {
  readonly #pins: Pins
  readonly #due = new WeakMap<Tailer, number>()
  /** By directory: names of compressed files, and until when they count. */
  readonly #compressed = new Map<string, { readonly names: readonly string[]; readonly until: number }>()

  constructor(pins: Pins) {
    this.#pins = pins
  }

  /** Pins the file or lets go of it, as it stands. Returns true if it has just been pinned. */
  keep(tailer: Tailer): boolean {
    const { generation, inode, path, state } = tailer
    const away = state.kind === 'rotated' || (state.kind === 'live' && path !== generation.origin.path)
    if (generation.doneAt(tailer.size) || (state.kind === 'live' && !away)) {
      if (tailer.pinned) this.release(tailer)
      return false
    }
    if (tailer.pinned || !away) return false
    const now = performance.now()
    const due = this.#due.get(tailer) ?? now + SETTLED
    if (now < due) {
      this.#due.set(tailer, due)
      return false
    }
    this.#due.set(tailer, now + TRY_AGAIN)
    const { path: origin } = generation.origin
    if (new Set([dirname(origin), dirname(path)]).values().some(each => this.#areCompressed(each, origin, now)))
      return false
    // There may be thousands of them in a directory of thousands of names: the system tells where each is.
    const name = LISTINGS.nameOfHandle(tailer.fd, inode, path)
    if (name !== undefined) tailer.pinned = this.#pins.pin(generation.key, name, inode)
    return tailer.pinned
  }

  release(tailer: Tailer): void {
    this.#pins.release(tailer.generation.key)
    tailer.pinned = false
  }

  /** Whether rotations of the file are compressed, in a form that can be read, in a directory. */
  #areCompressed(directory: string, origin: string, now: number): boolean {
    const original = basename(origin)
    const stem = stemOf(original)
    return this.#compressedIn(directory, now).some(name => name.includes(stem) && isRotationOf(name, original))
  }

  #compressedIn(directory: string, now: number): readonly string[] {
    const known = this.#compressed.get(directory)
    if (known && now < known.until) return known.names
    if (this.#compressed.size >= MOST_DIRECTORIES) this.#compressed.clear()
    const names = LISTINGS.names(directory).filter(name => /\.(gz|zst)$/.test(name))
    this.#compressed.set(directory, { names, until: now + FRESH })
    return names
  }
}
