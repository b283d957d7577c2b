/**
 * Gzip members (RFC 1952) made by the deflate module, each in the place of what it was made of.
 *
 *     payload   │ piece 1 │ piece 2 │ piece 3 │
 *                    │  out        ▲ in: its block is smaller
 *                    ▼             │
 *     module    window · one piece · one block, in a small memory of its own
 *
 * A piece is copied out before its block is copied in, so there is no second buffer as large as a payload, and memory
 * is the same 448 KiB for payloads of any size and any number of pipelines. Both copies together cost a twentieth of
 * what the compression does.
 *
 * Guarantees: the same bytes become the same member; a payload is left as it was unless the member is smaller; nothing
 * is allocated that grows with it.
 */
import { crc32 } from 'node:zlib'
import { DEFLATE, DEFLATE_LAYOUT } from './module.ts'

interface Exports {
  begin(): void
  deflate(bytes: number, last: boolean): number
  fold(from: number, to: number, state: number): number
}

const { PIECE, PIECE_BYTES, OUTPUT, END, LEFT } = DEFLATE_LAYOUT
/** Pages of 64 KiB that the module's tables take; see assembly/deflate/layout.ts. */
const PAGES = Math.ceil(END / 65536)

/** Magic, deflate, no flags, no time (or the same bytes would differ), fastest, unknown system. */
const HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255])
const TAIL_BYTES = 8
/** What a block adds at most to a piece that it stores: two stored blocks' heads. */
const OVERHEAD = 10

export class Gzip {
  readonly #bytes: Buffer
  readonly #exports: Exports

  private constructor(memory: WebAssembly.Memory, exports: Exports) {
    this.#bytes = Buffer.from(memory.buffer)
    this.#exports = exports
  }

  /** Throws what WebAssembly does, if there is no memory for it or no SIMD in it. */
  static create(): Gzip {
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES })
    const module = new WebAssembly.Module(Buffer.from(DEFLATE, 'base64'))
    const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports
    return new Gzip(memory, exports)
  }

  /**
   * Turns `payload` into a gzip member, which is its head then; returns how many bytes that is. If it would not be
   * smaller, or the first 64 KiB do not get smaller, the payload stays as it is, and 0 is returned.
   */
  pack(payload: Buffer): number {
    const length = payload.length
    const pieces = Math.max(1, Math.ceil(length / PIECE_BYTES))
    this.#exports.begin()
    let checksum = 0
    let size = HEAD.length
    for (let piece = 1; piece <= pieces; piece++) {
      const from = (piece - 1) * PIECE_BYTES
      const to = Math.min(length, from + PIECE_BYTES)
      payload.copy(this.#bytes, PIECE, from, to)
      checksum = this.#checksum(to - from, checksum)
      const block = this.#exports.deflate(to - from, piece === pieces)
      if (piece === 1) {
        // Even if nothing of the rest gets smaller, the member must not catch up with what has yet to be read.
        if (size + block + (pieces - 1) * OVERHEAD + TAIL_BYTES >= to) return 0
        payload.set(HEAD)
      }
      this.#bytes.copy(payload, size, OUTPUT, OUTPUT + block)
      size += block
    }
    payload.writeUInt32LE(checksum, size)
    payload.writeUInt32LE(length >>> 0, size + 4)
    return size + TAIL_BYTES
  }

  /** The CRC-32 of what came before, which is `checksum`, and the `bytes` bytes of the piece. */
  #checksum(bytes: number, checksum: number): number {
    if (bytes <= LEFT) return crc32(this.#bytes.subarray(PIECE, PIECE + bytes), checksum)
    const left = this.#exports.fold(PIECE, PIECE + bytes, ~checksum)
    // zlib's register is the complement of its argument: this one begins with zeros.
    return crc32(this.#bytes.subarray(left, left + LEFT + (bytes % 16)), 0xffffffff)
  }
}
