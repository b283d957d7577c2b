/**
 * Unpacking: a file that was rotated and compressed while nobody looked, made readable again.
 *
 * Among the folder's `.gz` and `.zst` siblings the one is wanted whose decompressed head and marker are those of the
 * generation. What is not read yet is written to the state folder, at the offsets it had, with a hole in place of what
 * is already acknowledged; there it is followed like any other rotated file, and removed when it is done.
 *
 * Guarantees: a sibling that is something else is given up at its first bytes; the result is bounded in size; nothing
 * here blocks or throws; after a death in the middle it begins anew.
 */

import { hash } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  fsync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { MARKER_BYTES } from './fingerprint.ts'
import { openRegular } from './open.ts'
import { isGeneration, isRotationOf, type Sibling, type Wanted } from './siblings.ts'

/** More than this is not unpacked: bytes. */
const MOST = 2 * 1024 ** 3

export class Unpacked {
  readonly #dir: string | undefined

  constructor(stateDir: string | null) {
    this.#dir = stateDir === null ? undefined : join(stateDir, 'unpacked')
  }

  /** Removes what an earlier process unpacked and `generations` do not name. */
  inherit(generations: ReadonlySet<string>): void {
    for (const name of namesIn(this.#dir)) if (!generations.has(name)) this.release(name)
  }

  release(generation: string): void {
    if (this.#dir === undefined) return
    try {
      unlinkSync(join(this.#dir, generation))
    } catch {
      // It was never unpacked.
    }
  }

  /** The unpacked file if there is one from before. */
  before(generation: string, wanted: Wanted): Sibling | undefined {
    return this.#dir === undefined ? undefined : opened(join(this.#dir, generation), wanted)
  }

  /** The wanted generation out of one of its compressed siblings, open, or `undefined`. Never rejects. */
  async find(generation: string, wanted: Wanted): Promise<Sibling | undefined> {
    const folder = dirname(wanted.path)
    if (this.#dir === undefined || wanted.head.length === 0) return undefined
    for (const name of namesIn(folder)) {
      const packed = /\.(gz|zst)$/.exec(name)
      if (packed === null || !isRotationOf(name, basename(wanted.path))) continue
      const target = join(this.#dir, generation)
      // Under its own name only when it is whole: a death in the middle must not leave what looks like all of it.
      const part = `${target}.part`
      try {
        mkdirSync(this.#dir, { recursive: true, mode: 0o700 })
        if (await unpack(join(folder, name), packed[1] as 'gz' | 'zst', wanted, part)) {
          renameSync(part, target)
          const found = opened(target, wanted)
          if (found) return found
        }
      } catch {
        // Not what its name says, damaged, or no room: the next one may be it.
      }
      this.release(`${generation}.part`)
      this.release(generation)
    }
    return undefined
  }
}

function namesIn(folder: string | undefined): string[] {
  try {
    return folder === undefined ? [] : readdirSync(folder)
  } catch {
    return []
  }
}

function opened(path: string, wanted: Wanted): Sibling | undefined {
  const file = openRegular(path, [dirname(path)])
  if (file.kind !== 'open') return undefined
  if (isGeneration(file, wanted)) return { path, opened: file }
  closeSync(file.fd)
  return undefined
}

/** Writes the head, the marker and everything behind the nearest offset. Returns false if the head is another. */
async function unpack(path: string, kind: 'gz' | 'zst', wanted: Wanted, target: string): Promise<boolean> {
  const source = openRegular(path, [dirname(path)])
  if (source.kind !== 'open') return false
  const keepFrom = Math.max(0, Math.min(...wanted.cursors.map(({ offset }) => offset)) - MARKER_BYTES)
  const file = openSync(target, 'w', 0o600)
  const stream = createReadStream('', { fd: source.fd })
  const plain = stream.pipe(kind === 'gz' ? createGunzip() : createZstdDecompress())
  stream.on('error', error => plain.destroy(error))
  let head = Buffer.alloc(0)
  let at = 0
  try {
    for await (const part of plain as AsyncIterable<Buffer>) {
      if (head.length < wanted.head.length) {
        head = Buffer.concat([head, part]).subarray(0, wanted.head.length)
        if (head.length === wanted.head.length) {
          if (hash('sha1', head, 'hex').slice(0, wanted.head.hash.length) !== wanted.head.hash) return false
          writeSync(file, head, 0, head.length, 0)
        }
      }
      const skip = Math.max(0, keepFrom - at)
      if (skip < part.length) writeSync(file, part, skip, part.length - skip, at + skip)
      at += part.length
      if (at > MOST) return false
    }
    await promisify(fsync)(file)
    return head.length === wanted.head.length
  } finally {
    plain.destroy()
    stream.destroy()
    closeSync(file)
  }
}
