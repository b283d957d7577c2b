import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { StateDirectory } from '../../../src/state.ts'
import { type Checkpoint, CheckpointStore, parseCheckpoint } from '../../../src/tail/state/checkpoint.ts'
import { HandClock } from '../../clock.ts'
import { scratch } from '../../scratch.ts'
import { Journal } from '../rig.ts'

const CHECKPOINT: Checkpoint = {
  epoch: '0123456789abcdef',
  generations: [
    {
      source: 'app',
      origin: '/logs/app.log',
      path: '/logs/ünïcödé\n.log',
      inode: { dev: '1', ino: '18446744073709551615', birth: '1700000000000000001' },
      id: 'a1b2c3d4e5f60718',
      key: '0011223344556677',
      head: { length: 1024, hash: '0123456789abcdef0123' },
      size: 2 ** 45,
      cursors: { main: { offset: 2 ** 44, marker: { length: 64, crc: 2 ** 32 - 1 } } },
    },
  ],
  totals: [
    {
      source: 'app',
      backend: 'main',
      settled: { delivered: { lines: 1, bytes: 2 }, rejected: { '400': { lines: 3, bytes: 4 } }, dropped: {} },
    },
  ],
  clean: true,
}

const BOOT = '0b4e7a58-0a5e-4c34-9a3e-3a0a3d1c9f10'

function encoded(body: Uint8Array, version = 1): Buffer {
  return Buffer.concat([Buffer.from(`logshipper-checkpoint ${version} ${crc32(body)} ${body.length}\n`), body])
}

const at = (dir: string) => new StateDirectory(dir, new Journal())

const whole = encoded(Buffer.from(JSON.stringify(CHECKPOINT)))

t.test('what was saved is loaded by the next process', async t => {
  const dir = join(scratch(t), 'not', 'there', 'yet')
  const journal = new Journal()
  t.equal(await new CheckpointStore(at(dir), journal).save(() => CHECKPOINT), true)
  t.strictSame(await new CheckpointStore(at(dir), journal).load(), CHECKPOINT)
  t.strictSame(readdirSync(dir), ['checkpoint', 'checkpoint.previous'], 'no temporary file stays behind')
  t.equal(statSync(join(dir, 'checkpoint')).mode & 0o777, 0o600, 'no other user may read it')
  t.equal(statSync(dir).mode & 0o777, 0o700)
  t.strictSame(journal.said, [])
})

t.test('a checkpoint of thousands of generations is written in pieces and read as one', async t => {
  const dir = scratch(t)
  const [one] = CHECKPOINT.generations
  for (const count of [0, 1, 256, 257, 2000]) {
    const generations = Array.from({ length: count }, (_, n) => ({ ...one!, key: n.toString(16).padStart(16, '0') }))
    const checkpoint = { ...CHECKPOINT, generations }
    t.equal(await new CheckpointStore(at(dir), new Journal()).save(() => checkpoint), true)
    t.strictSame(await new CheckpointStore(at(dir), new Journal()).load(), checkpoint, `${count}`)
  }
})

t.test('without a directory nothing is saved, and every start is fresh', async t => {
  const store = new CheckpointStore(null, new Journal())
  t.equal(await store.save(() => CHECKPOINT), false)
  const [one, other] = [await store.load(), await store.load()]
  t.match(one.epoch, /^[0-9a-f]{16}$/)
  t.not(one.epoch, other.epoch, 'an epoch is never used again')
  t.equal(store.fault, undefined)
})

t.test('any byte string is a whole checkpoint or a reason', t => {
  t.equal(parseCheckpoint(whole).kind, 'ok')
  for (let length = 0; length < whole.length; length++)
    assert.equal(parseCheckpoint(whole.subarray(0, length)).kind, 'bad')
  fc.assert(
    fc.property(fc.nat({ max: whole.length * 8 - 1 }), bit => {
      const flipped = Buffer.from(whole)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      assert.equal(parseCheckpoint(flipped).kind, 'bad')
    }),
    { numRuns: 500 },
  )
  fc.assert(fc.property(fc.uint8Array(), bytes => assert.equal(parseCheckpoint(Buffer.from(bytes)).kind, 'bad')))
  fc.assert(
    fc.property(fc.json(), json => {
      const result = parseCheckpoint(encoded(Buffer.from(json)))
      assert.equal(result.kind, 'bad', 'a right checksum does not make it a checkpoint')
    }),
  )
  t.end()
})

t.test('a checkpoint that is none is refused as a whole', t => {
  for (const value of [
    null,
    [],
    { ...CHECKPOINT, epoch: 1 },
    { ...CHECKPOINT, epoch: '../../etc' },
    { ...CHECKPOINT, generations: {} },
  ]) {
    t.strictSame(parseCheckpoint(encoded(Buffer.from(JSON.stringify(value)))), {
      kind: 'bad',
      why: 'not what a checkpoint holds',
    })
  }
  t.strictSame(parseCheckpoint(encoded(Buffer.from('{}'), 2)), { kind: 'bad', why: 'format 2, this program reads 1' })
  t.end()
})

t.test('of totals with more reasons in all than there can be the first are kept, and the others counted', t => {
  const settled = {
    ...CHECKPOINT.totals[0]!.settled,
    rejected: Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`reason_${n}`, { lines: 1, bytes: 1 }])),
  }
  const totals = Array.from({ length: 50 }, (_, n) => ({ source: `s${n}`, backend: 'main', settled }))
  const result = parseCheckpoint(encoded(Buffer.from(JSON.stringify({ ...CHECKPOINT, totals }))))
  t.equal(result.kind, 'ok')
  t.match(result, { checkpoint: { totals: { length: 40 } }, refused: 10 })
  t.end()
})

const DAMAGE: Record<string, (path: string) => void> = {
  'cut off': path => truncateSync(path, 100),
  empty: path => truncateSync(path),
  'larger than any checkpoint': path => truncateSync(path, 65 * 1024 * 1024),
  'of a newer version': path => writeFileSync(path, encoded(Buffer.from('{}'), 99)),
  'another file': path => writeFileSync(path, 'root:x:0:0\n'),
}

t.test('when the checkpoint cannot be used, the copy before it is, and that is said', async t => {
  for (const [what, damage] of Object.entries(DAMAGE)) {
    const dir = scratch(t)
    const journal = new Journal()
    const store = new CheckpointStore(at(dir), journal)
    await store.save(() => CHECKPOINT)
    await store.save(() => ({ ...CHECKPOINT, epoch: '2222222222222222' }))
    damage(join(dir, 'checkpoint'))
    t.equal((await store.load()).epoch, CHECKPOINT.epoch, what)
    t.equal(journal.said[0]?.level, 'warn')
    damage(join(dir, 'checkpoint.previous'))
    t.strictSame((await store.load()).generations, [], `both ${what}`)
    t.equal(journal.said[1]?.level, 'error')
  }
})

t.test('a directory in the place of the checkpoint is a reason, not an end', async t => {
  const dir = scratch(t)
  mkdirSync(join(dir, 'checkpoint'))
  t.strictSame((await new CheckpointStore(at(dir), new Journal()).load()).generations, [])
})

const EVERY = 60_000

t.test('what is synchronized is kept beside what is saved after it, and takes its place once a minute', async t => {
  const dir = scratch(t)
  const clock = new HandClock()
  const store = new CheckpointStore(at(dir), new Journal(), clock, BOOT)
  const kept = () => JSON.parse(readFileSync(join(dir, 'checkpoint.previous'), 'utf8').split('\n')[1]!).epoch[0]
  const save = async (digit: string, sync?: boolean) => {
    t.equal(await store.save(() => ({ ...CHECKPOINT, epoch: digit.repeat(16) }), sync), true)
    t.equal((await store.load()).epoch, digit.repeat(16), 'the newest is loaded')
  }
  t.equal(store.isSynced(0), false)
  clock.pass(1)
  await save('1')
  t.equal(kept(), '1', 'the first save')
  t.equal(store.syncDue, undefined)
  t.strictSame([store.isSynced(0), store.isSynced(1)], [true, false], 'what came later need not be in it')
  for (const digit of ['2', '3']) {
    clock.pass(EVERY / 2 - 1)
    await save(digit)
    t.equal(kept(), '1')
  }
  t.equal(store.syncDue, 1000, 'a second at least, though two milliseconds are left')
  clock.pass(2)
  await save('4')
  t.equal(kept(), '4', 'a minute after the one before')
  await save('5')
  t.equal(store.syncDue, EVERY)
  await save('6', true)
  t.equal(kept(), '6', 'when it is asked for')
})

t.test('where the boot is not told each save is synchronized', async t => {
  const dir = scratch(t)
  const store = new CheckpointStore(at(dir), new Journal(), new HandClock(), null)
  for (const digit of ['1', '2', '3']) {
    await store.save(() => ({ ...CHECKPOINT, epoch: digit.repeat(16) }))
    t.strictSame(readFileSync(join(dir, 'checkpoint.previous')), readFileSync(join(dir, 'checkpoint')))
  }
})

t.test('in a state directory that took the place of another the first save is synchronized', async t => {
  const dir = join(scratch(t), 'state')
  const state = at(dir)
  const store = new CheckpointStore(state, new Journal(), new HandClock(), BOOT)
  await store.save(() => CHECKPOINT)
  rmSync(dir, { recursive: true })
  t.equal(await store.save(() => CHECKPOINT), true)
  t.strictSame(readdirSync(dir), ['checkpoint', 'checkpoint.previous'])
})

t.test('a save that is asked for to be synchronized is so, though it waits with others that are not', async t => {
  const dir = scratch(t)
  const store = new CheckpointStore(at(dir), new Journal(), new HandClock(), BOOT)
  await store.save(() => CHECKPOINT)
  const later = { ...CHECKPOINT, epoch: 'f'.repeat(16) }
  await Promise.all([store.save(() => CHECKPOINT), store.save(() => later, true), store.save(() => later)])
  t.equal(store.syncDue, undefined)
  t.strictSame(readFileSync(join(dir, 'checkpoint.previous')), readFileSync(join(dir, 'checkpoint')))
})

t.test('the boot and the salt are read as they were saved, and are of their form or make it none', async t => {
  const dir = scratch(t)
  const told = { ...CHECKPOINT, boot: BOOT, salt: 'fedcba9876543210' }
  await new CheckpointStore(at(dir), new Journal()).save(() => told)
  t.strictSame(await new CheckpointStore(at(dir), new Journal()).load(), told)
  const bad = [null, '', 1, {}, [], true, 'g'.repeat(16), '../../../etc/passwd', 'x'.repeat(300_000), [[[BOOT]]]]
  for (const value of bad) {
    for (const name of ['boot', 'salt']) {
      const bytes = encoded(Buffer.from(JSON.stringify({ ...told, [name]: value })))
      t.equal(parseCheckpoint(bytes).kind, 'bad', `${name}: ${JSON.stringify(value).slice(0, 40)}`)
    }
  }
})

t.test('a death between the two renames leaves the copy before', async t => {
  const dir = scratch(t)
  writeFileSync(join(dir, 'checkpoint.previous'), whole)
  writeFileSync(join(dir, 'checkpoint.tmp'), 'half of the next')
  const store = new CheckpointStore(at(dir), new Journal())
  t.strictSame(await store.load(), { ...CHECKPOINT, clean: false }, 'whatever it says, more was saved after it')
  t.equal(await store.save(() => CHECKPOINT), true)
})

t.test('while the directory cannot be written the fault is named once, and gone when it can be again', async t => {
  const dir = scratch(t)
  const journal = new Journal()
  const store = new CheckpointStore(at(dir), journal)
  await store.save(() => CHECKPOINT)
  const before = readFileSync(join(dir, 'checkpoint'))
  mkdirSync(join(dir, 'checkpoint.tmp'))
  t.equal(await store.save(() => ({ ...CHECKPOINT, epoch: '2222222222222222' })), false)
  t.equal(await store.save(() => ({ ...CHECKPOINT, epoch: '2222222222222222' })), false)
  t.equal(store.fault?.code, 'EISDIR')
  t.strictSame(readFileSync(join(dir, 'checkpoint')), before, 'what was saved stays whole')
  t.equal(journal.said.length, 1)
  rmdirSync(join(dir, 'checkpoint.tmp'))
  t.equal(await store.save(() => ({ ...CHECKPOINT, epoch: '3333333333333333' })), true)
  t.equal(store.fault, undefined)
  t.strictSame(
    journal.said.map(({ level }) => level),
    ['error', 'info'],
  )
  t.equal((await store.load()).epoch, '3333333333333333')
})

t.test('saves that are asked for while one runs are one save, of the latest state', async t => {
  const dir = scratch(t)
  const store = new CheckpointStore(at(dir), new Journal())
  let taken = 0
  const snapshot = (epoch: string) => () => {
    taken++
    return { ...CHECKPOINT, epoch }
  }
  const saves = ['1', '2', '3', 'f'].map(digit => store.save(snapshot(digit.repeat(16))))
  t.strictSame(await Promise.all(saves), [true, true, true, true])
  t.equal(taken, 2)
  t.equal((await store.load()).epoch, 'f'.repeat(16))
  t.ok(existsSync(join(dir, 'checkpoint.previous')))
})

t.test('a save that does not end is timed, and logged once', async t => {
  const clock = new HandClock()
  const journal = new Journal()
  const store = new CheckpointStore(at(scratch(t)), journal, clock)
  t.equal(store.savingFor, 0)
  const saved = store.save(() => CHECKPOINT)
  clock.pass(29_999)
  t.equal(store.savingFor, 29_999)
  t.strictSame(journal.said, [])
  clock.pass(60_000)
  t.strictSame(
    journal.said.map(({ fields }) => fields['event']),
    ['state_write_hangs'],
  )
  t.equal(await saved, true)
  t.equal(store.savingFor, 0)
  t.equal(clock.waiting, 0)
})

t.test('a save that a death kept from its end counts if it is whole and belongs here', async t => {
  const dir = scratch(t)
  const store = new CheckpointStore(at(dir), new Journal())
  await store.save(() => CHECKPOINT)
  const unfinished = (checkpoint: Checkpoint) => {
    const bytes = encoded(Buffer.from(JSON.stringify(checkpoint)))
    writeFileSync(join(dir, 'checkpoint.tmp'), bytes)
    return bytes
  }
  const later = { ...CHECKPOINT, totals: [] }
  const bytes = unfinished(later)
  t.strictSame(await store.load(), later)
  truncateSync(join(dir, 'checkpoint.tmp'), bytes.length - 1)
  t.strictSame(await store.load(), CHECKPOINT, 'half of one is none')
  unfinished({ ...later, epoch: 'ffffffffffffffff' })
  t.strictSame(await store.load(), CHECKPOINT, 'one of another directory is none')
})

t.test('a checkpoint of another format, older or newer, is never guessed at, as docs/versioning.md says', async t => {
  for (const format of [0, 2]) {
    const dir = scratch(t)
    const journal = new Journal()
    const store = new CheckpointStore(at(dir), journal)
    const foreign = encoded(Buffer.from(JSON.stringify(CHECKPOINT)), format)
    writeFileSync(join(dir, 'checkpoint'), foreign)
    const fresh = await store.load()
    t.strictSame(fresh.generations, [], `format ${format}: all files are read again`)
    t.not(fresh.epoch, CHECKPOINT.epoch, 'and ids are other ones')
    t.equal(fresh.clean, false)
    t.match(journal.said, [
      {
        level: 'error',
        fields: { event: 'checkpoint_unusable', found: `format ${format}, this program reads 1` },
      },
    ])
    writeFileSync(join(dir, 'checkpoint.previous'), whole)
    t.strictSame(await store.load(), { ...CHECKPOINT, clean: false }, 'the copy before it is used if it can be read')
    t.match(journal.said[1], {
      level: 'warn',
      fields: { event: 'checkpoint_fallback', found: `format ${format}, this program reads 1` },
    })
    t.strictSame(readFileSync(join(dir, 'checkpoint')), foreign, 'nothing is overwritten before the first save')
    await store.save(() => CHECKPOINT)
    t.strictSame(await store.load(), CHECKPOINT)
    t.strictSame(readFileSync(join(dir, 'checkpoint.previous')), readFileSync(join(dir, 'checkpoint')))
  }
})
