/**
 * Compression of a whole payload, at level 1: higher levels cost four times the processor for a sixth less output.
 *
 * `gzip` is made by our own module (kernel/gzip.ts), at half the cost of zlib's level 1 and no worse a ratio. `zlib` is
 * the same on the wire, made by Node's zlib, which also steps in where our module cannot be made. `zstd` is Node's.
 *
 * Guarantees: what comes out stands where the payload was, and is smaller; what does not get smaller stays as it is.
 * The same bytes give the same output, so a payload that is made again is the same payload.
 */
import { gzipSync } from 'node:zlib'
import { Gzip } from '../../kernel/gzip.ts'
import type { Compression } from '../options.ts'
import { Zstd, zstdOnce } from './zstd.ts'

const GZIP = { level: 1 }

/** Compression never waits, so one of each is enough for all pipelines. Made when it is first needed. */
let gzip: Gzip | undefined
let zstd: Zstd | 'one-shot' | undefined

function sharedGzip(): Gzip {
  gzip ??= Gzip.create()
  return gzip
}

function packZstd(payload: Buffer): number {
  zstd ??= Zstd.create() ?? 'one-shot'
  if (zstd !== 'one-shot') {
    const size = zstd.pack(payload)
    if (!zstd.broken) return size
    zstd = 'one-shot'
  }
  return put(payload, zstdOnce(payload))
}

function packZlib(payload: Buffer): number {
  return put(payload, gzipSync(payload, GZIP))
}

function put(payload: Buffer, output: Buffer): number {
  return output.length < payload.length ? output.copy(payload) : 0
}

export class Compressor {
  /** As the receiver knows it: RFC 9110 §8.4.1, RFC 8878. */
  readonly encoding: 'gzip' | 'zstd' | undefined
  /** Why gzip is left to zlib, which costs twice as much, if it should not be. */
  readonly trouble: unknown
  /** Puts the compressed form in the payload's place; returns its bytes, or 0 if the payload is as it was. */
  readonly #pack: (payload: Buffer) => number

  /** `make` is for those who want to see it fail. */
  constructor(compression: Compression, make: () => Gzip = sharedGzip) {
    this.encoding = compression === 'none' ? undefined : compression === 'zstd' ? 'zstd' : 'gzip'
    this.#pack = compression === 'zstd' ? packZstd : packZlib
    if (compression !== 'gzip') return
    try {
      const own = make()
      this.#pack = payload => own.pack(payload)
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
