/** What was rotated and compressed between two looks is found by the identity of its decompressed head. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { StateDirectory } from '../../../src/state.ts'
import { markerOf, NO_HEAD, NO_MARKER } from '../../../src/tail/files/fingerprint.ts'
import type { Beginning } from '../../../src/tail/generation/table.ts'
import { Unpacked, type UnpackLimits } from '../../../src/tail/rotation/unpack.ts'
import { scratch } from '../../scratch.ts'
import { mountTmpfs, withoutTmpfs } from '../../support/tmpfs.ts'
import { Journal, type Room, room, source } from '../rig.ts'

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
    const { delivered, lostBytes } = after.statement()
    t.equal(delivered.lines, 3010)
    t.equal(lostBytes, 0)
  })
}

t.test('what svlogd’s processor compressed while we were down is found, and later rotations with it', async t => {
  const dir = scratch(t, { logs: {}, state: {} })
  const logs = join(dir, 'logs')
  const current = join(logs, 'current')
  const options = { sources: [source(current)], state: join(dir, 'state') }
  writeFileSync(current, text(0, 2000))
  const before = await room(t, options)
  await before.came(2000)
  await before.stop()
  // No rotation was ever seen here, and the names of such archives do not say that they are any.
  appendFileSync(current, text(2000, 3000))
  writeFileSync(join(logs, '@400000006955b9001f2e3d4c.s'), gzipSync(readFileSync(current)))
  rmSync(current)
  writeFileSync(current, text(3000, 4000))
  writeFileSync(join(logs, '@400000006955b9021f2e3d4c.s'), gzipSync(readFileSync(current)))
  rmSync(current)
  writeFileSync(current, text(4000, 4010))
  const after = await room(t, options)
  t.strictSame((await after.came(2010)).toSorted(), lines(2000, 4010).toSorted())
  const { delivered, lostBytes } = after.statement()
  t.strictSame([delivered.lines, lostBytes], [4010, 0])
})

t.test('a damaged archive is no archive: what was seen and not read is counted as lost', async t => {
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
  t.ok(await after.until(() => after.statement().lostBytes === size))
  t.strictSame(readdirSync(join(dir, 'state', 'unpacked')), [])
})

/** The archives that were named as damaged; what names one twice is left to the limits of the log. */
const damaged = ({ journal }: Room) => [
  ...new Set(
    journal.said.filter(({ fields }) => fields['event'] === 'archive_damaged').map(({ fields }) => fields['archive']),
  ),
]

for (const [suffix, compress] of [
  ['gz', gzipSync],
  ['zst', zstdCompressSync],
] as const) {
  for (const bytes of [0, 2, 30]) {
    t.test(`a .${suffix} of a rotation that was cut off after ${bytes} bytes is named as damaged`, async t => {
      const dir = scratch(t, { logs: {}, state: {} })
      const log = join(dir, 'logs', 'app.log')
      const options = { sources: [source(log)], state: join(dir, 'state') }
      writeFileSync(log, text(0, 2000))
      const before = await room(t, options)
      before.holding = true
      await before.came(2000)
      await before.stop(false)
      rmSync(join(dir, 'state', 'pins'), { recursive: true, force: true })
      rmSync(log)
      writeFileSync(`${log}.1.${suffix}`, compress(text(0, 2000)).subarray(0, bytes))
      writeFileSync(join(dir, 'logs', `other.log.1.${suffix}`), compress(text(0, 10)).subarray(0, bytes))
      writeFileSync(`${log}.2.${suffix}`, 'not compressed, only called so')
      const after = await room(t, options)
      t.ok(await after.until(() => after.statement().lostBytes === text(0, 2000).length))
      t.strictSame(damaged(after), [`${log}.1.${suffix}`])
      t.strictSame(readdirSync(join(dir, 'state', 'unpacked')), [])
    })
  }

  t.test(`a .${suffix} of a file that was never seen and cannot be decoded is named, another file is not`, async t => {
    const dir = scratch(t, { logs: {}, state: {} })
    const log = join(dir, 'logs', 'app.log')
    writeFileSync(log, text(0, 10))
    const r = await room(t, { sources: [source(log)], state: join(dir, 'state') })
    await r.came(10)
    writeFileSync(`${log}.3.${suffix}`, 'not compressed, only called so')
    writeFileSync(`${log}.2.${suffix}`, compress(text(10, 2000)).subarray(0, 30))
    renameSync(log, `${log}.1`)
    writeFileSync(log, text(2000, 2010))
    t.ok(await r.until(() => damaged(r).length > 0))
    t.strictSame(damaged(r), [`${log}.2.${suffix}`])
    t.strictSame(await r.came(20), [...lines(0, 10), ...lines(2000, 2010)], 'it holds up nothing')
  })
}

t.test('an archive that is still being written is waited for, though nothing of it can be decoded yet', async t => {
  const dir = scratch(t, { logs: {}, state: {} })
  const log = join(dir, 'logs', 'app.log')
  const options = { sources: [source(log)], state: join(dir, 'state') }
  writeFileSync(log, text(0, 2000))
  const before = await room(t, options)
  before.holding = true
  await before.came(2000)
  await before.stop(false)
  rmSync(join(dir, 'state', 'pins'), { recursive: true, force: true })
  rmSync(log)
  const packed = gzipSync(text(0, 2000))
  writeFileSync(`${log}.1.gz`, packed.subarray(0, 5))
  const after = await room(t, options)
  appendFileSync(`${log}.1.gz`, packed.subarray(5))
  t.strictSame(await after.came(2000), lines(0, 2000))
  t.strictSame(damaged(after), [])
  t.equal(after.statement().lostBytes, 0)
})

t.test('a file that was not read yet is found again as well', async t => {
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
  t.equal(after.statement().lostBytes, 0)
})

const KEY = '0011223344556677'
const OTHER = 'fedcba9876543210'
const MIB = 1024 ** 2

/** An archive of `bytes` bytes whose head is known; `limits` are those of what unpacks it. */
function packed(t: Test, limits: UnpackLimits) {
  const dir = scratch(t, { logs: {} })
  const unpacked = new Unpacked(new StateDirectory(join(dir, 'state'), new Journal()), limits)
  const archive = (name: string, content: number | string): string => {
    const path = join(dir, 'logs', name)
    const text = typeof content === 'string' ? content : `${'x'.repeat(99)}\n`.repeat(Math.ceil(content / 100))
    writeFileSync(path, gzipSync(text))
    return path
  }
  const take = async (key: string, path: string) => {
    const result = await unpacked.take(key, path, [], () => [])
    if (result.kind === 'found') closeSync(result.sibling.opened.fd)
    return result.kind
  }
  const left = () => readdirSync(join(dir, 'state', 'unpacked')).sort()
  return { dir, unpacked, archive, take, left }
}

t.test('a last line without an end is known by all of it, and by nothing less', async t => {
  const { unpacked, archive, dir } = packed(t, {})
  const text = '2026-01-01 a line that is being wri'
  const path = join(dir, 'logs', 'app.log')
  writeFileSync(path, text)
  const fd = openSync(path, 'r')
  t.teardown(() => closeSync(fd))
  const ended = { offset: text.length, marker: markerOf(Buffer.from(text)) }
  const takeBeside = async (content: string, other: Beginning) => {
    const { kind, ...found } = await unpacked.take(KEY, archive('a.gz', content), [], () => [other])
    if ('sibling' in found) closeSync(found.sibling.opened.fd)
    unpacked.release(KEY)
    return kind
  }
  const open: Beginning = { head: NO_HEAD, ends: [], fd }
  t.equal(await takeBeside(text, open), 'none', 'its file is still open')
  t.equal(await takeBeside(text.slice(0, 20), open), 'none', 'it was written to after it was compressed')
  t.equal(await takeBeside(`${text}tten\n`, open), 'found', 'another one begins alike')
  const saved: Beginning = { head: NO_HEAD, ends: [ended] }
  t.equal(await takeBeside(text, saved), 'none', 'its end was seen')
  t.equal(await takeBeside(`${text}tten\n`, saved), 'found')
  t.equal(await takeBeside(text.replace('2026', '2025'), saved), 'found')
  t.equal(await takeBeside(text, { head: NO_HEAD, ends: [{ offset: 0, marker: NO_MARKER }] }), 'found')
})

t.test('all that is unpacked keeps to its limit: what does not fit waits until others are done', async t => {
  const { unpacked, archive, take, left } = packed(t, { maxBytes: 3 * MIB })
  const [one, other] = [archive('a.gz', 2 * MIB), archive('b.gz', 2 * MIB)]
  t.equal(await take(KEY, one), 'found')
  t.equal(await take(OTHER, other), 'later')
  t.strictSame(left(), [KEY], 'and nothing of it is left')
  unpacked.release(KEY)
  t.equal(await take(OTHER, other), 'found')
})

t.test('one that would take more than all may is told from one that waits', async t => {
  const { archive, take, left } = packed(t, { maxBytes: MIB })
  t.equal(await take(KEY, archive('a.gz', 2 * MIB)), 'large')
  t.strictSame(left(), [])
})

t.test('a part of what is free is left to others, however large the limit is', async t => {
  let free = 3 * MIB
  const { archive, take } = packed(t, { maxBytes: 1024 * MIB, free: () => free })
  const path = archive('a.gz', 2 * MIB)
  t.equal(await take(KEY, path), 'later')
  free = 5 * MIB
  t.equal(await take(KEY, path), 'found')
})

t.test('archives that are unpacked in vain wait after a number of them, and for a minute', async t => {
  let now = 0
  const { archive, take } = packed(t, { maxBytes: MIB, now: () => now })
  const path = archive('a.gz', 2 * MIB)
  for (let n = 0; n < 16; n++) t.equal(await take(KEY, path), 'large')
  t.equal(await take(KEY, path), 'later')
  now += 60_000
  t.equal(await take(KEY, path), 'large')
})

t.test('one that takes too long is given up', async t => {
  let now = 0
  const { archive, take, left } = packed(t, { now: () => (now += 400_000) })
  t.equal(await take(KEY, archive('a.gz', 2 * MIB)), 'incomplete')
  t.strictSame(left(), [])
})

t.test(
  'a disk that is full leaves nothing behind, and nothing is given up for it',
  { skip: withoutTmpfs() },
  async t => {
    const dir = scratch(t, { logs: {}, state: {} })
    t.ok(mountTmpfs(join(dir, 'state'), '1m'))
    t.teardown(() => void execFileSync('umount', ['-l', join(dir, 'state')]))
    const path = join(dir, 'logs', 'a.gz')
    writeFileSync(path, gzipSync(`${'x'.repeat(99)}\n`.repeat(30_000)))
    const state = new StateDirectory(join(dir, 'state'), new Journal())
    const unpacked = new Unpacked(state, { free: () => Number.POSITIVE_INFINITY })
    t.match(await unpacked.take(KEY, path, [], () => []), { kind: 'later' })
    t.strictSame(readdirSync(join(dir, 'state', 'unpacked')), [])
    state.close()
  },
)

t.test('while one waits for room younger files of its name are read, and it is read when there is room', async t => {
  const dir = scratch(t, { logs: {}, state: {} })
  const log = join(dir, 'logs', 'app.log')
  let free = 5000
  const options = { sources: [source(log)], state: join(dir, 'state'), unpack: { free: () => free } }
  writeFileSync(log, text(0, 2000))
  const before = await room(t, options)
  await before.came(2000)
  await before.stop()
  appendFileSync(log, text(2000, 3000))
  writeFileSync(`${log}.1.gz`, gzipSync(readFileSync(log)))
  rmSync(log)
  writeFileSync(log, text(3000, 3010))
  const after = await room(t, options)
  t.ok(await after.until(() => after.texts.includes('line 3009')))
  t.notOk(after.texts.includes('line 2999'))
  t.ok(after.journal.said.some(({ fields }) => fields['event'] === 'archive_waiting'))
  free = 1e9
  t.ok(await after.until(() => after.texts.includes('line 2999')))
  t.equal(after.statement().lostBytes, 0)
})

t.test('one that was written over that of a rotation before comes behind the file that was followed since', async t => {
  const dir = scratch(t, { logs: {}, state: {} })
  const log = join(dir, 'logs', 'app.log')
  const r = await room(t, { sources: [source(log)], state: join(dir, 'state') })
  const rotate = () => {
    writeFileSync(`${log}.old.gz`, gzipSync(readFileSync(log)))
    rmSync(log)
  }
  writeFileSync(log, 'a1\n')
  await r.came(1)
  rotate()
  // Birth times are as coarse as the kernel's clock.
  await new Promise(resolve => setTimeout(resolve, 50))
  writeFileSync(log, 'b1\n')
  await r.came(2)
  r.holding = true
  // More than there is memory for: the rest of it is unread when the archive has been unpacked.
  const count = 8000
  appendFileSync(log, `b2 ${'x'.repeat(996)}\n`.repeat(count))
  rotate()
  writeFileSync(log, 'c1\n')
  rotate()
  writeFileSync(log, 'd1\n')
  t.ok(await r.until(() => [...r.tail.following()].some(({ path }) => path.includes('/unpacked/'))), 'it is unpacked')
  t.ok(r.lines.length < count, 'and what was written before it is not read to its end')
  r.holding = false
  r.settle()
  await r.came(count + 4)
  const order = r.texts.map(line => line.slice(0, 2)).filter((line, at, all) => line !== all[at - 1])
  t.strictSame(order, ['a1', 'b1', 'b2', 'c1', 'd1'])
})
