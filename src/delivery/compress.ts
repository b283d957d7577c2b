/**
 * Compression of a whole payload, at level 1: higher levels cost four times the processor for a sixth less output.
 *
 * Guarantees: the same bytes give the same output, so a request that is sent again is the same request; what does not
 * get smaller is sent as it is.
 */
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import type { Compression } from './options.ts'

const GZIP = { level: 1 }
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** The compressed form of `payload`, or `undefined` if it had better be sent as it is. */
export function compress(payload: Buffer, compression: Compression): Buffer | undefined {
  if (compression === 'none') return undefined
  const output = compression === 'gzip' ? gzipSync(payload, GZIP) : zstdCompressSync(payload, ZSTD)
  return output.length < payload.length ? output : undefined
}
