/**
 * Zstandard at level 1 with one context for all payloads.
 *
 * Node's one-shot call makes a context and an output for every payload, which costs a fifth of a whole run. Its public
 * streams cost as much, and answer later, by an event. So this drives the binding under such a stream. That is not an
 * interface that Node promises, hence it is done only in the release line that we ship, and `create` proves on a sample
 * that it gives twice in a row what the one-shot call gives. Everywhere else, and after any error, that call does it.
 */
import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib'

const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }
const SAMPLE = Buffer.from('2026-01-02T03:04:05Z INFO request served in 12 ms\n'.repeat(100))
/** The output grows by steps of this many bytes, to the size of the largest payload. Only what is written to is memory. */
const STEP = 1024 ** 2

/** What lies under a stream of node:zlib. */
interface Binding {
  reset(): void
  writeSync(flush: number, from: Buffer, at: number, bytes: number, to: Buffer, out: number, room: number): void
}

interface Stream {
  readonly _handle: Binding
  /** After a write: the room that is left in the output, and the input that was not taken. */
  readonly _writeState: Uint32Array
  /** Also after an error of the binding's. */
  readonly destroyed: boolean
}

/** The release line whose inside this was written for: a wrong call ends the process, so there is no trying. */
const KNOWN = 'v26.'

/** Compresses with a context of its own, which is gone afterwards. */
export function zstdOnce(payload: Buffer): Buffer {
  return zstdCompressSync(payload, OPTIONS)
}

export class Zstd {
  readonly #stream: Stream
  #output = Buffer.allocUnsafeSlow(STEP)

  private constructor(stream: Stream) {
    this.#stream = stream
  }

  /** `undefined` if Node's inside is not what this was written for. Both are for tests. */
  static create(stream: unknown = undefined, version = process.version): Zstd | undefined {
    if (!version.startsWith(KNOWN)) return undefined
    try {
      const zstd = new Zstd((stream ?? createZstdCompress(OPTIONS).on('error', () => {})) as Stream)
      const expected = zstdOnce(SAMPLE)
      for (let time = 0; time < 2; time++) {
        const sample = Buffer.from(SAMPLE)
        if (!sample.subarray(0, zstd.pack(sample)).equals(expected)) return undefined
      }
      return zstd.#stream.destroyed ? undefined : zstd
    } catch {
      return undefined
    }
  }

  /** Whether it has failed once, and must not be asked again. */
  get broken(): boolean {
    return this.#stream.destroyed
  }

  /** Puts the compressed form in the payload's place; returns its bytes, or 0 if it would not be smaller. */
  pack(payload: Buffer): number {
    const room = payload.length - 1
    if (room <= 0) return 0
    if (this.#output.length < room) this.#output = Buffer.allocUnsafeSlow(Math.ceil(room / STEP) * STEP)
    const { _handle: binding, _writeState: state } = this.#stream
    binding.reset()
    binding.writeSync(constants.ZSTD_e_end, payload, 0, payload.length, this.#output, 0, room)
    const [free, untaken] = state
    // A full output may want more room; that would be no smaller than the payload.
    if (free === undefined || free === 0 || untaken !== 0) return 0
    return this.#output.copy(payload, 0, 0, room - free)
  }
}
