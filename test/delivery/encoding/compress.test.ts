import { randomBytes } from 'node:crypto'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import t from 'tap'
import { Compressor } from '../../../src/delivery/encoding/compress.ts'
import { Zstd, zstdOnce } from '../../../src/delivery/encoding/zstd.ts'

const LINES = Buffer.from('2026-01-02T03:04:05Z INFO request served in 12 ms\n'.repeat(5000))

for (const [compression, encoding, plain] of [
  ['gzip', 'gzip', gunzipSync],
  ['zlib', 'gzip', gunzipSync],
  ['zstd', 'zstd', zstdDecompressSync],
] as const) {
  t.test(`${compression}: what was compressed is what comes out, the same twice, and stands where it was`, async t => {
    const compressor = new Compressor(compression)
    const payload = Buffer.from(LINES)
    const packed = compressor.compress(payload)!
    t.equal(compressor.encoding, encoding)
    t.same([packed.buffer, packed.byteOffset], [payload.buffer, payload.byteOffset])
    t.ok(plain(packed).equals(LINES))
    t.ok(packed.length < LINES.length / 20)
    const again = new Compressor(compression).compress(Buffer.from(LINES))!
    t.ok(again.equals(packed))
  })

  t.test(`${compression}: what would not get smaller is left as it is`, async t => {
    const payload = Buffer.from('short')
    t.equal(new Compressor(compression).compress(payload), undefined)
    t.equal(payload.toString(), 'short')
  })
}

t.test('no compression is none', async t => {
  const compressor = new Compressor('none')
  t.equal(compressor.encoding, undefined)
  t.equal(compressor.compress(Buffer.from(LINES)), undefined)
})

t.test('where the WebAssembly gzip is unavailable zlib is used, and that is reported', async t => {
  const trouble = new RangeError('could not allocate memory')
  const compressor = new Compressor('gzip', () => {
    throw trouble
  })
  t.equal(compressor.trouble, trouble)
  t.equal(compressor.encoding, 'gzip')
  t.ok(gunzipSync(compressor.compress(Buffer.from(LINES))!).equals(LINES))
  t.equal(new Compressor('gzip').trouble, undefined)
})

const OTHER = process.version.startsWith('v26.') ? false : 'another Node, where the one-shot call is used'

t.test(
  'zstd: one context gives what a new one for each payload gives, whatever it did before',
  { skip: OTHER },
  async t => {
    const zstd = Zstd.create()!
    const payloads = [
      LINES.subarray(0, 100),
      LINES,
      randomBytes(70_000),
      LINES.subarray(7, 3000),
      Buffer.alloc(3_000_000),
    ]
    for (const plain of [...payloads, ...payloads, Buffer.alloc(0), Buffer.from('x')]) {
      const payload = Buffer.from(plain)
      const size = zstd.pack(payload)
      const expected = zstdOnce(plain)
      if (expected.length >= plain.length) t.ok(size === 0 && payload.equals(plain), 'left as it was')
      else t.ok(payload.subarray(0, size).equals(expected), `${plain.length} bytes`)
    }
  },
)

t.test('zstd: a Node with another inside is noticed before it is relied upon', async t => {
  t.equal(Zstd.create(undefined, 'v27.0.0'), undefined, 'by its version')
  t.equal(Zstd.create({}, 'v26.0.0'), undefined)
  const left = new Uint32Array(2)
  t.equal(
    Zstd.create({ _handle: { reset() {}, writeSync() {} }, _writeState: left }, 'v26.0.0'),
    undefined,
    'by what it gives',
  )
})
