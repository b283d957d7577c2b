/** What was rotated and compressed while nobody looked is found by the identity of its decompressed head. */
import { appendFileSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import t from 'tap'
import { scratch } from '../scratch.ts'
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
    const dir = scratch(t, { logs: {}, state: {} })
    const log = join(dir, 'logs', 'app.log')
    const options = { sources: [source(log)], state: join(dir, 'state') }
    writeFileSync(log, text(0, 2000))
    const before = await room(t, options)
    await before.came(2000)
    await before.stop()
    appendFileSync(log, text(2000, 3000))
    writeFileSync(`${log}.2.${suffix}`, compress(text(5000, 6000)))
    writeFileSync(`${log}.1.${suffix}`, compress(readFileSync(log)))
    // Older than what was followed: it was there before, and is none of what was asked for.
    utimesSync(`${log}.2.${suffix}`, 1e9, 1e9)
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
  const dir = scratch(t, { logs: {}, state: {} })
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

t.test('a file that nobody had come to read yet is found again as well', async t => {
  const dir = scratch(t, { logs: {}, state: {} })
  const [first, log] = [join(dir, 'logs', 'a.log'), join(dir, 'logs', 'b.log')]
  const options = { sources: [source(join(dir, 'logs', '*.log'))], state: join(dir, 'state') }
  const before = await room(t, options)
  before.holding = true
  // As much as there is memory for: what comes after it has to wait.
  const filling = `${'x'.repeat(10_000)}\n`.repeat(200)
  for (let n = 1; n <= 4; n++) {
    appendFileSync(first, filling)
    await before.until(() => before.lines.length >= 200 * n, 0.3)
  }
  writeFileSync(log, `${text(0, 2000)}an unfinished line`)
  t.ok(await before.until(() => [...before.tail.following()].some(({ path }) => path === log)))
  await before.stop(false)
  t.notOk(before.texts.includes('line 0'))
  writeFileSync(`${log}.1.gz`, gzipSync(readFileSync(log)))
  rmSync(log)
  const after = await room(t, options)
  t.ok(await after.until(() => after.texts.includes('line 1999'), 10))
  t.equal(after.statement().vanishedBytes, 0)
})
