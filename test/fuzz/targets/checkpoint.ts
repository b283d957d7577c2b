/**
 * A checkpoint, to what reads it at a start. Others may have written into the directory before it was the shipper's
 * alone, so the checksum is right whatever the bytes are: an input is the body, and a header that fits is put in front
 * of it.
 *
 * Nothing throws. What is accepted holds what `saved.ts` and `belonging.ts` promise, said here once more in other words, is
 * read again as it is after a save, and every entry is either accepted or counted as refused.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { StateDirectory } from '../../../src/state.ts'
import { isBelow } from '../../../src/tail/files/open.ts'
import { belonging } from '../../../src/tail/state/belonging.ts'
import { type Checkpoint, CheckpointStore } from '../../../src/tail/state/checkpoint.ts'
import type { SavedCursor, SavedGeneration, SavedTotals } from '../../../src/tail/state/saved.ts'
import { Sweep } from '../../../src/tail/watching/sweep.ts'
import { Journal, source } from '../../tail/rig.ts'
import { change } from '../structure.ts'
import type { Target } from '../target.ts'

const MARKER = { length: 64, crc: 7 }
const GENERATION = {
  source: 'app',
  origin: '/logs/app.log',
  path: '/logs/old/app.log.1',
  inode: { dev: '1', ino: '2', birth: '3' },
  id: 'a1b2c3d4e5f60718',
  key: '0011223344556677',
  head: { length: 1024, hash: '0123456789abcdef0123', crc: 5 },
  size: 2000,
  cursors: { main: { offset: 1500, marker: MARKER } },
}
const WHOLE = {
  ...GENERATION,
  begun: '1700000000000000000',
  seen: { offset: 1900, marker: MARKER },
  ends: [{ offset: 1800, marker: MARKER }],
  written: [[0, 100, 1, 2]],
  done: true,
  gone: true,
  emptied: '1700000000000000001',
  cursors: {
    main: { offset: 9, marker: { length: 0, crc: 0 }, end: 9 },
    other: { offset: 0, marker: { length: 0, crc: 0 } },
  },
}
const TOTALS = {
  source: 'app',
  backend: 'main',
  settled: {
    delivered: { lines: 1, bytes: 2 },
    rejected: { http_400: { lines: 3, bytes: 4 } },
    dropped: { padding: { lines: 0, bytes: 9 } },
  },
  lostBytes: 5,
}

/** What may stand in a value, or be a member's name. */
const TEXTS = [
  ...[
    '/..',
    '/../secrets/token',
    '/.',
    '/',
    '/logs/',
    'x.log',
    '/secrets/b.log',
    '/logs/../secrets/x.log',
    '\0',
    '\n',
    'é',
  ],
  ...['0', 'A', 'x', '99999999999999999999', 'app', 'main', 'other', '__proto__', 'constructor', 'length', 'a b'],
  ...['x'.repeat(65), `/${'x'.repeat(5000)}`, 'offset', 'marker', 'crc', 'end', ...Object.keys(WHOLE)],
]

const body = (generations: readonly unknown[], totals: readonly unknown[], more: object = {}) =>
  Buffer.from(JSON.stringify({ epoch: '0123456789abcdef', generations, totals, clean: true, ...more }))

const BOOT = '0b4e7a58-0a5e-4c34-9a3e-3a0a3d1c9f10'

function headed(bytes: Buffer): Buffer {
  if (bytes.subarray(0, 21).equals(Buffer.from('logshipper-checkpoint'))) return bytes
  return Buffer.concat([Buffer.from(`logshipper-checkpoint 1 ${crc32(bytes)} ${bytes.length}\n`), bytes])
}

export function checkpoint(): Target {
  const dir = mkdtempSync(join(tmpdir(), 'logshipper-fuzz-'))
  const file = join(dir, 'checkpoint')
  const sweep = new Sweep([source('/logs/*.log')], new Journal())
  const sources = {
    has: (name: string) => name === 'app',
    matches: (name: string, path: string) => sweep.matches(name, path),
    reaches: (name: string, path: string) =>
      sweep.rootsOf(name).some(root => isBelow(path, root)) || sweep.boundsOf(name).some(bound => bound.holds(path)),
  }
  const load = async () => {
    const journal = new Journal()
    const state = new StateDirectory(dir, journal)
    try {
      return { checkpoint: await new CheckpointStore(state, journal).load(), said: journal.said }
    } finally {
      state.close()
    }
  }
  return {
    name: 'checkpoint',
    covers: [
      '/src/tail/state/saved.ts',
      '/src/tail/state/entries.ts',
      '/src/tail/state/belonging.ts',
      '/src/tail/state/checkpoint.ts',
    ],
    seeds: [
      body([GENERATION], [TOTALS]),
      body([WHOLE, GENERATION], []),
      body(
        [
          { ...GENERATION, origin: '/secrets/token' },
          { ...GENERATION, path: '/secrets/token' },
        ],
        [TOTALS, TOTALS],
      ),
      body(
        [
          { ...GENERATION, origin: '/logs/../secrets/x.log' },
          { ...GENERATION, path: '/logs/../secrets/token' },
        ],
        [],
      ),
      body(
        [
          { ...WHOLE, written: [[0, 1, null, 2]] },
          { ...GENERATION, key: '../token' },
          { ...GENERATION, more: [{}, {}] },
        ],
        [{}],
      ),
      body([], []),
      body([GENERATION], [], { boot: BOOT, salt: 'fedcba9876543210' }),
      body([], [], { boot: `${BOOT}0`, salt: null }),
      headed(body([GENERATION], [])),
      Buffer.from('{}'),
    ],
    words: [
      ...[
        '/../',
        '/./',
        '/logs/',
        '.log',
        '\\u0000',
        '\\u002e',
        '\\"',
        '\\\\',
        '"',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        'null',
      ],
      ...Object.keys(WHOLE).map(name => `"${name}":`),
      ...[
        '"offset":',
        '"marker":',
        '"length":',
        '"crc":',
        '"end":',
        '"hash":',
        '"generations":',
        '"totals":',
        '"epoch":',
        `"boot":"${BOOT}",`,
        '"salt":"fedcba9876543210",',
      ],
      ...['"clean":true', '"__proto__":', '"constructor":', '"settled":', '"rejected":', '"lostBytes":'],
      ...['{"lines":1,"bytes":1}', '{"offset":1,"marker":{"length":1,"crc":0}}', `${JSON.stringify(GENERATION)},`],
      `logshipper-checkpoint 1 0 0\n`,
    ],
    change: (input, mutator) => change(input, mutator, TEXTS),
    async run(input) {
      writeFileSync(file, headed(input), { mode: 0o600 })
      const { checkpoint, said } = await load()
      assert.match(checkpoint.epoch, /^[0-9a-f]{16}$/, 'the epoch')
      assert.match(checkpoint.salt ?? '0123456789abcdef', /^[0-9a-f]{16}$/, 'the salt')
      assert.match(checkpoint.boot ?? BOOT, /^[0-9a-f-]{36}$/, 'the boot')
      checkpoint.generations.forEach(isBounded)
      checkpoint.totals.forEach(isCounted)
      const events = said.map(({ fields }) => fields['event'])
      if (events.includes('checkpoint_unusable')) {
        assert.deepEqual([checkpoint.generations, checkpoint.totals], [[], []], 'what is unusable is not used')
        assert.deepEqual(events, ['checkpoint_unusable'])
        return
      }
      assert(
        events.every(event => event === 'checkpoint_entry_refused'),
        'what is usable is used',
      )
      const refused = said.reduce((sum, { fields }) => sum + Number(fields['entries']), 0)
      const entries = entriesOf(input)
      if (entries !== undefined) {
        const kept = checkpoint.generations.length + checkpoint.totals.length
        assert.equal(kept + refused, entries, 'each entry is accepted or counted')
      }
      belongs(checkpoint, belonging(checkpoint, sources))
      // A save waits for the disk: one in eight is enough.
      if (crc32(input) % 8 !== 0) return
      const journal = new Journal()
      const state = new StateDirectory(dir, journal)
      assert(await new CheckpointStore(state, journal).save(() => checkpoint), 'what is accepted can be saved')
      state.close()
      assert.deepEqual((await load()).checkpoint, checkpoint, 'and is read again as it is')
      for (const name of ['checkpoint', 'checkpoint.previous']) rmSync(join(dir, name), { force: true })
    },
    async close() {
      sweep.close()
      rmSync(dir, { recursive: true })
    },
  }
}

/** How many entries there are, by another parser; undefined if it takes this for something else. */
function entriesOf(input: Buffer): number | undefined {
  try {
    const { generations, totals } = JSON.parse(input.toString())
    return Array.isArray(generations) && Array.isArray(totals) ? generations.length + totals.length : undefined
  } catch {
    return undefined
  }
}

const isCount = (value: unknown) => assert(Number.isSafeInteger(value) && Number(value) >= 0, `a count: ${value}`)
const isName = (name: string) => assert.match(name, /^[\w.-]{1,64}$/, 'a name')

function hasOnly(value: object, names: readonly string[]): void {
  assert.equal(Object.getPrototypeOf(value), Object.prototype, 'a plain object')
  for (const name of Object.keys(value)) assert(names.includes(name), `a member that is not ours: ${name}`)
}

function isBounded(entry: SavedGeneration): void {
  hasOnly(entry, Object.keys(WHOLE))
  isName(entry.source)
  for (const id of [entry.id, entry.key]) assert.match(id, /^[0-9a-f]{16}$/, 'an id')
  for (const path of [entry.origin, entry.path]) {
    assert.equal(
      join(path, '.').replace(/\/$/, ''),
      path.replaceAll(/\/+/g, '/').replace(/\/$/, ''),
      'it does not climb',
    )
    assert(path.startsWith('/') && path.length <= 4096 && !path.includes('\0'), 'a path')
  }
  hasOnly(entry.inode, ['dev', 'ino', 'birth'])
  for (const number of Object.values(entry.inode)) assert.match(number, /^\d{1,20}$/, 'a number of the system')
  hasOnly(entry.head, ['length', 'hash', 'crc'])
  isCount(entry.head.length)
  assert(entry.head.length <= 1024 && entry.head.hash.length === (entry.head.length === 0 ? 0 : 20), 'a head')
  isCount(entry.size)
  for (const row of entry.written ?? []) assert(row.length === 4 && row.every(Number.isFinite), 'a stretch')
  assert((entry.written?.length ?? 0) <= 64)
  for (const [backend, cursor] of Object.entries(entry.cursors)) {
    isName(backend)
    isCursor(cursor)
  }
  if (entry.seen) isCursor(entry.seen)
  for (const end of entry.ends ?? []) isCursor(end)
}

function isCursor(cursor: SavedCursor): void {
  hasOnly(cursor, ['offset', 'marker', 'end'])
  hasOnly(cursor.marker, ['length', 'crc'])
  for (const count of [cursor.offset, cursor.marker.length, cursor.marker.crc, cursor.end ?? 0]) isCount(count)
  assert(cursor.marker.length <= Math.min(64, cursor.offset), 'a marker is no longer than what stands before it')
  assert(cursor.marker.length > 0 || cursor.offset === 0 || cursor.end === cursor.offset, 'an offset is proved')
}

function isCounted(entry: SavedTotals): void {
  hasOnly(entry, Object.keys(TOTALS))
  for (const name of [entry.source, entry.backend]) isName(name)
  const { delivered, rejected, dropped } = entry.settled
  for (const reason of [...Object.keys(rejected), ...Object.keys(dropped)]) isName(reason)
  for (const tally of [delivered, ...Object.values(rejected), ...Object.values(dropped)]) {
    hasOnly(tally, ['lines', 'bytes'])
    for (const count of [tally.lines, tally.bytes]) isCount(count)
  }
  isCount(entry.lostBytes ?? 0)
}

/** What is kept of the source lies where its pattern says; all else of it is counted. */
function belongs(before: Checkpoint, after: { checkpoint: Checkpoint; refused: number }): void {
  const ours = ({ generations }: Checkpoint) => generations.filter(entry => entry.source === 'app')
  for (const { origin, path } of ours(after.checkpoint)) {
    assert.match(origin, /^\/+logs\/+[^/]*\.log$/, 'a pattern of the source matches it')
    assert(path === origin || path.startsWith('/logs/'), 'its last place is one of the source')
  }
  assert.equal(ours(after.checkpoint).length + after.refused, ours(before).length, 'what does not belong is counted')
  assert.equal(after.checkpoint.generations.length + after.refused, before.generations.length, 'others stay')
}
