/**
 * A compressed file that the application wrote, to what unpacks it. Nothing throws, nothing is left behind that was not
 * found, and what is found is what a decompressor of its own makes of it.
 */
import assert from 'node:assert/strict'
import { closeSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { StateDirectory } from '../../../src/state.ts'
import { HEAD_BYTES } from '../../../src/tail/files/fingerprint.ts'
import { Unpacked } from '../../../src/tail/rotation/unpack.ts'
import type { Target } from '../target.ts'

const KEY = '0123456789abcdef'
const TEXT = Buffer.from(Array.from({ length: 300 }, (_, n) => `${n} a line of the application\n`).join(''))

export function archives(): Target {
  const dir = mkdtempSync(join(tmpdir(), 'logshipper-fuzz-'))
  let now = 0
  const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }
  const unpacked = new Unpacked(new StateDirectory(join(dir, 'state'), silent), { now: () => now })
  const archive = join(dir, 'app.log.1.gz')
  const plainOf = (input: Buffer): Buffer => (input[0] === 0x1f ? gunzipSync(input) : zstdDecompressSync(input))
  return {
    name: 'archives',
    covers: ['/src/tail/rotation/unpack.ts', '/src/tail/files/open.ts'],
    seeds: [
      gzipSync(TEXT),
      zstdCompressSync(TEXT),
      gzipSync(TEXT.subarray(0, 20)),
      Buffer.concat([gzipSync(TEXT), gzipSync(TEXT)]),
      gzipSync(Buffer.alloc(0)),
      gzipSync(Buffer.alloc(100_000)),
      TEXT.subarray(0, 100),
    ],
    words: ['\u001f', String.fromCharCode(0x1f, 0x8b, 8), '\n'],
    async run(input) {
      writeFileSync(archive, input)
      // What was unpacked in vain is of no account.
      now += 60_001
      const result = await unpacked.take(KEY, archive, [], () => [])
      const made = join(dir, 'state', 'unpacked')
      const left = existsSync(made) ? readdirSync(made) : []
      if (result.kind !== 'found') {
        assert.deepEqual(left, [], 'something is left behind')
        return
      }
      closeSync(result.sibling.opened.fd)
      assert.deepEqual(left, [KEY], 'one file is made')
      const content = readFileSync(join(made, KEY))
      assert(content.equals(plainOf(input)), 'it holds what the archive held')
      assert(content.length > 0 || HEAD_BYTES > 0)
      unpacked.release(KEY)
    },
    async close() {
      rmSync(dir, { recursive: true })
    },
  }
}
