/**
 * Pinning: which files get a pin, and when they lose it.
 *
 * Only a file that has lost its name and is not acknowledged does. A file under its own name is never linked: logrotate refuses to
 * rotate files with two links, and an outage must not keep the application's logs from rotating. Where the directory shows
 * that rotated files are compressed there is no pin either: `gzip`, and logrotate's `delaycompress`, refuse such files
 * too, and what is compressed is found again by the identity of its decompressed head.
 */
import { basename, dirname } from 'node:path'
import { nameOf, namesIn } from '../files/inodes.ts'
import { isRotationOf } from '../files/names.ts'
import type { Tailer } from '../generation/tailer.ts'
import type { Pins } from '../state/pins.ts'

/** A file that could not be pinned is retried after so long: milliseconds. */
const TRY_AGAIN = 1000
/** A rotation is left alone for so long: multilog gives up a file that has two names while it is at it. Milliseconds. */
const SETTLED = 400

export class Pinning {
  readonly #pins: Pins
  readonly #due = new WeakMap<Tailer, number>()

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
    if (areCompressed(dirname(origin), origin) || areCompressed(dirname(path), origin)) return false
    const name = nameOf(inode, path)
    if (name !== undefined) tailer.pinned = this.#pins.pin(generation.key, name, inode)
    return tailer.pinned
  }

  release(tailer: Tailer): void {
    this.#pins.release(tailer.generation.key)
    tailer.pinned = false
  }
}

/** Whether rotations of the file are compressed, in a form that can be read, in a directory. */
function areCompressed(directory: string, origin: string): boolean {
  return namesIn(directory).some(name => /\.(gz|zst)$/.test(name) && isRotationOf(name, basename(origin)))
}
