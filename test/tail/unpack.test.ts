/** What was rotated and compressed while nobody looked is found by the identity of its decompressed head. */
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import t from 'tap'
import { room, source } from './rig.ts'

const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `line ${from + n}`)
const text = (from: number, to: number) =>
  lines(from, to)
    .map(line => `${line}\n`)
    .join('')

for (const [suffix, compress] of [
  ['gz', gzipSync],
  ['zst', zstdCompressSync],
] as const) {
  t.test(`a file compressed as .${suffix} while we were down is read on where we stopped`, async t => {
    const dir = t.testdir({ logs: {}, state: {} })
    const log = join(dir, 'logs', 'app.log')
    const options = { sources: [source(log)], state: join(dir, 'state') }
    writeFileSync(log, text(0, 2000))
    const before = await room(t, options)
    await before.came(2000)
    await before.stop()
    appendFileSync(log, text(2000, 3000))
    writeFileSync(`${log}.2.${suffix}`, compress(text(5000, 6000)))
    writeFileSync(`${log}.1.${suffix}`, compress(readFileSync(log)))
    writeFileSync(join(dir, 'logs', 'app.log.3.gz'), 'this is not compressed')
    rmSync(log)
    writeFileSync(log, text(3000, 3010))
    const after = await room(t, options)
    t.strictSame((await after.came(1010)).toSorted(), lines(2000, 3010).toSorted())
    const { delivered, vanishedBytes } = after.statement()
    t.equal(delivered.lines, 3010)
    t.equal(vanishedBytes, 0)
  })
}

t.test('a damaged archive is no archive: what was seen and not read is counted as vanished', async t => {
  const dir = t.testdir({ logs: {}, state: {} })
  const log = join(dir, 'logs', 'app.log')
  const options = { sources: [source(log)], state: join(dir, 'state') }
  writeFileSync(log, text(0, 2000))
  const before = await room(t, options)
  before.holding = true
  await before.came(2000)
  await before.stop(false)
  const size = text(0, 2000).length
  const packed = gzipSync(text(0, 2000))
  rmSync(join(dir, 'state', 'pins'), { recursive: true, force: true })
  writeFileSync(`${log}.1.gz`, packed.subarray(0, packed.length / 2))
  rmSync(log)
  const after = await room(t, options)
  t.ok(await after.until(() => after.statement().vanishedBytes === size))
  t.strictSame(readdirSync(join(dir, 'state', 'unpacked')), [])
})
