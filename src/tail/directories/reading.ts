/**
 * The names in a directory, one after the other.
 *
 * To read all of them at once is cheaper where there are few, and takes too much memory where there are very many. How many
 * there are is not told; but file systems that keep names on a disk, or count them, say how large a directory is.
 */
import { type Dirent, opendirSync, readdirSync, statfsSync } from 'node:fs'
import type { Directory } from './directory.ts'

/** File systems whose directories are the larger the more names are in them (statfs(2)): ext, XFS, btrfs, tmpfs. */
const TELLING = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994])
/** Names that are read at a time where there may be many. */
const AT_A_TIME = 256
/** Devices that are remembered. */
const MOST_DEVICES = 100

export interface Names {
  /** Throws as the file system does. */
  next(): Dirent | undefined
  close(): void
}

export class Reading {
  /** By device: whether its directories tell how large they are. */
  readonly #telling = new Map<number, boolean>()

  /** Opens a directory. Throws as the file system does. */
  open({ path, device, compact }: Directory): Names {
    return compact && this.#tells(path, device) ? allOf(path) : partsOf(path)
  }

  #tells(path: string, device: number): boolean {
    let telling = this.#telling.get(device)
    if (telling === undefined) {
      telling = TELLING.has(statfsSync(path).type)
      if (this.#telling.size >= MOST_DEVICES) this.#telling.clear()
      this.#telling.set(device, telling)
    }
    return telling
  }
}

function allOf(path: string): Names {
  const all = readdirSync(path, { withFileTypes: true })
  let at = 0
  return { next: () => all[at++], close() {} }
}

function partsOf(path: string): Names {
  const directory = opendirSync(path, { bufferSize: AT_A_TIME })
  const close = () => {
    try {
      directory.closeSync()
    } catch {
      // There is nothing more to do.
    }
  }
  return { next: () => directory.readSync() ?? undefined, close }
}
