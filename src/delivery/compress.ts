/**
 * Compression of a whole payload, at level 1: higher levels cost four times the processor for a sixth less output.
 *
 * `gzip` is made by our own module (kernel/gzip.ts), at half the cost of zlib's level 1 and no worse a ratio. `zlib` is
 * the same on the wire, made by Node's zlib, which also steps in where our module cannot be made.
 *
 * Guarantees: what comes out stands where the payload was, and is smaller; what does not get smaller stays as it is.
 * The same bytes give the same output, so a payload that is made again is the same payload.
 */
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { Gzip } from '../kernel/gzip.ts'
import type { Compression } from './options.ts'

const GZIP = { level: 1 }
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Compression never waits, so one is enough for all pipelines. Made when it is first needed. */
let shared: Gzip | undefined

function sharedGzip(): Gzip {
  shared ??= Gzip.create()
  return shared
}

/** Turns a payload into its compressed form. Returns how many bytes that has, or 0 if the payload is as it was. */
type Pack = (payload: Buffer) => number

export class Compressor {
  /** As the receiver knows it: RFC 9110 §8.4.1, RFC 8878. */
  readonly encoding: 'gzip' | 'zstd' | undefined
  /** Why gzip is left to zlib, which costs twice as much, if it should not be. */
  readonly trouble: unknown
  readonly #pack: Pack

  /** `make` is for those who want to see it fail. */
  constructor(compression: Compression, make: () => Gzip = sharedGzip) {
    this.encoding = compression === 'none' ? undefined : compression === 'zstd' ? 'zstd' : 'gzip'
    this.#pack = compression === 'zstd' ? zstd : zlib
    if (compression !== 'gzip') return
    try {
      const gzip = make()
      this.#pack = payload => gzip.pack(payload)
    } catch (error) {
      this.trouble = error
    }
  }

  /** The compressed form of `payload`, which takes its place, or `undefined` if it stays as it is. */
  compress(payload: Buffer): Buffer | undefined {
    if (this.encoding === undefined) return undefined
    const size = this.#pack(payload)
    return size > 0 ? payload.subarray(0, size) : undefined
  }
}

const zlib: Pack = payload => put(payload, gzipSync(payload, GZIP))
const zstd: Pack = payload => put(payload, zstdCompressSync(payload, ZSTD))

function put(payload: Buffer, output: Buffer): number {
  if (output.length >= payload.length) return 0
  return output.copy(payload)
}
