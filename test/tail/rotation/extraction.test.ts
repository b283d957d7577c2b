/** One archive, decompressed into a new file: what is written, and why nothing is. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { StateDirectory } from '../../../src/state.ts'
import { inodeOf } from '../../../src/tail/files/fingerprint.ts'
import { fileAt } from '../../../src/tail/files/inodes.ts'
import { Extraction, type Plan } from '../../../src/tail/rotation/extraction.ts'
import { scratch } from '../../scratch.ts'
import { Journal } from '../rig.ts'

const CONTENT = Array.from({ length: 20_000 }, (_, n) => `line ${n}\n`).join('')
const HEAD = 100

async function extracting(
  t: Test,
  bytes: Buffer,
  own: Partial<Plan> & { room?: number; now?: () => number; prepare?: (target: string) => void } = {},
) {
  const { room = 1 << 20, now = () => 0, prepare = () => {}, ...plan } = own
  const dir = scratch(t, { logs: {} })
  const archive = join(dir, 'logs', 'app.log.1.gz')
  writeFileSync(archive, bytes)
  const state = new StateDirectory(join(dir, 'state'), new Journal(), {})
  t.teardown(() => state.close())
  const directory = state.sub('unpacked')
  prepare(directory.pathOf('target'))
  const extraction = new Extraction(directory, 'target', room, now)
  const heads: string[] = []
  const isHead = (head: Buffer) => {
    heads.push(String(head))
    return String(head) === CONTENT.slice(0, HEAD)
  }
  const whole: Plan = { headBytes: HEAD, isHead, keepFrom: 0, bounds: [{ holds: () => true }], ...plan }
  const ran = await extraction.run(archive, whole).catch(() => 'threw')
  return {
    ...{ ran, extraction, heads },
    written: () =>
      directory.stat('target') === undefined ? undefined : readFileSync(directory.pathOf('target'), 'utf8'),
  }
}

for (const [name, compress] of [
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const) {
  t.test(`${name}: the content, whole, and its head is asked about once`, async t => {
    const { ran, written, heads, extraction } = await extracting(t, compress(CONTENT))
    t.equal(ran, true)
    t.equal(written(), CONTENT)
    t.strictSame(heads, [CONTENT.slice(0, HEAD)])
    t.equal(extraction.written, CONTENT.length)
  })

  t.test(`${name}: what is acknowledged is a hole behind the head, and takes nothing of the room`, async t => {
    const keepFrom = 150_000
    const kept = CONTENT.length - keepFrom
    const { ran, written } = await extracting(t, compress(CONTENT), { keepFrom, room: kept })
    t.equal(ran, true)
    const text = written()!
    t.equal(text.slice(0, HEAD), CONTENT.slice(0, HEAD))
    t.match(text.slice(HEAD, keepFrom), /^\0+$/)
    t.equal(text.slice(keepFrom), CONTENT.slice(keepFrom))
  })
}

t.test('zstd: frames without content, as pzstd writes them, are passed over', async t => {
  const skipped = (size: number): Buffer => {
    const frame = Buffer.alloc(8 + size)
    frame.writeUInt32LE(0x184d2a50 + (size % 16))
    frame.writeUInt32LE(size, 4)
    return frame
  }
  const frames = [0, 4, 100_000].flatMap((size, n) => [
    skipped(size),
    zstdCompressSync(CONTENT.slice((n * CONTENT.length) / 3, ((n + 1) * CONTENT.length) / 3)),
  ])
  const { ran, written } = await extracting(t, Buffer.concat(frames))
  t.equal(ran, true)
  t.equal(written(), CONTENT)
})

t.test('where the new file cannot be made nothing follows for the archive', async t => {
  const { ran, extraction } = await extracting(t, gzipSync(CONTENT), { prepare: path => mkdirSync(path) })
  t.strictSame([ran, extraction.failure, extraction.unwritable], ['threw', 'later', true])
})

t.test('where the head is another nothing is written', async t => {
  const { ran, written, extraction } = await extracting(t, gzipSync(`another ${CONTENT}`))
  t.strictSame([ran, extraction.failure, written()], [false, 'other', undefined])
})

t.test('content that is shorter than a head is asked about as it is', async t => {
  const { ran, heads, extraction } = await extracting(t, gzipSync('short\n'))
  t.strictSame([ran, extraction.failure, heads], [false, 'other', ['short\n']])
})

t.test('an archive that breaks off is damaged behind the head, and cannot be decoded before it', async t => {
  const packed = gzipSync(CONTENT)
  const behind = await extracting(t, packed.subarray(0, packed.length - 100))
  t.strictSame([behind.ran, behind.extraction.failure], ['threw', 'damaged'])
  const before = await extracting(t, packed.subarray(0, 15))
  t.strictSame([before.ran, before.extraction.failure, before.written()], ['threw', 'undecodable', undefined])
  const short = await extracting(t, packed.subarray(0, 1))
  t.strictSame([short.ran, short.extraction.failure], [false, 'undecodable'])
  const other = await extracting(t, Buffer.from('not compressed, only called so'))
  t.strictSame([other.ran, other.extraction.failure], [false, 'other'])
})

t.test('without room for all of it, or time, it ends', async t => {
  const full = await extracting(t, gzipSync(CONTENT), { room: 1000 })
  t.strictSame([full.ran, full.extraction.failure, full.extraction.full], [false, 'later', true])
  let now = 0
  const late = await extracting(t, gzipSync(CONTENT), { now: () => (now += 700_000) })
  t.strictSame([late.ran, late.extraction.failure, late.extraction.full], [false, 'damaged', false])
})

t.test('where another file has its name by now nothing is written', async t => {
  const elsewhere = join(scratch(t, { other: 'x' }), 'other')
  const inode = inodeOf(fileAt(elsewhere)!)
  const { ran, written, extraction } = await extracting(t, gzipSync(CONTENT), { inode })
  t.strictSame([ran, extraction.failure, written()], [false, 'moved', undefined])
})
