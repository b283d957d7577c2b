import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import t from 'tap'
import { compress } from '../../src/delivery/compress.ts'

const LINES = Buffer.from('2026-01-02T03:04:05Z INFO request served in 12 ms\n'.repeat(500))

t.test('what was compressed is what comes out, and the same twice', async t => {
  t.same(gunzipSync(compress(LINES, 'gzip')!), LINES)
  t.same(zstdDecompressSync(compress(LINES, 'zstd')!), LINES)
  t.same(compress(LINES, 'gzip'), compress(LINES, 'gzip'))
})

t.test('what would not get smaller is left as it is', async t => {
  t.equal(compress(Buffer.from('short'), 'gzip'), undefined)
  t.equal(compress(Buffer.from('short'), 'zstd'), undefined)
  t.equal(compress(LINES, 'none'), undefined)
})
