/** What a checkpoint may say of a file, and of an account. */
import t from 'tap'
import { generationOf, type SavedGeneration, totalsOf, writtenOf } from '../../../src/tail/state/saved.ts'

const MARKER = { length: 64, crc: 7 }
const GENERATION = {
  source: 'app',
  origin: '/logs/app.log',
  path: '/logs/app.log.1',
  inode: { dev: '1', ino: '2', birth: '3' },
  id: 'a1b2c3d4e5f60718',
  key: '0011223344556677',
  head: { length: 1024, hash: '0123456789abcdef0123', crc: 5 },
  size: 2000,
  begun: '1700000000000000000',
  seen: { offset: 1900, marker: MARKER },
  ends: [{ offset: 1800, marker: MARKER }],
  written: [[0, 100, 1, 2]],
  cursors: { main: { offset: 1500, marker: MARKER }, other: { offset: 0, marker: { length: 0, crc: 0 } } },
}
const TOTALS = {
  source: 'app',
  backend: 'main',
  settled: { delivered: { lines: 1, bytes: 2 }, rejected: { http_400: { lines: 3, bytes: 4 } }, dropped: {} },
  lostBytes: 5,
}

t.test('a path that a file has from its beginning is written once, and read as both', t => {
  for (const path of ['/logs/app.log', '/logs/app.log.1']) {
    const generation: SavedGeneration = { ...(GENERATION as unknown as SavedGeneration), path }
    const text = JSON.stringify(writtenOf(generation))
    t.equal(text.split('"/logs/').length - 1, path === generation.origin ? 1 : 2)
    t.strictSame(generationOf(JSON.parse(text)), generation)
  }
  t.end()
})

t.test('what this program writes is accepted as it is', t => {
  t.strictSame(generationOf(GENERATION), GENERATION)
  t.strictSame(totalsOf(TOTALS), TOTALS)
  const blank = { ...GENERATION, head: { length: 0, hash: '' }, done: true, gone: true }
  t.ok(generationOf(blank), 'of a file that was never read')
  const given = { ...GENERATION, cursors: { main: { offset: 9, marker: { length: 0, crc: 0 }, end: 9 } } }
  t.ok(generationOf(given), 'of a file that was given up by an earlier version')
  const short = { ...GENERATION, cursors: { main: { offset: 900, marker: { length: 10, crc: 1 } } } }
  t.ok(generationOf(short), 'of a file that could not be read before its offset')
  t.ok(generationOf({ ...GENERATION, cursors: { main: { offset: 2 ** 44, marker: MARKER } } }), 'of a very large one')
  t.ok(generationOf({ ...GENERATION, origin: '/logs/..ünï\n.log' }), 'of one with a strange name')
  t.end()
})

t.test('of an entry nothing is kept that this program does not write', t => {
  const more = { more: [{}, {}] }
  const cursor = { offset: 1500, marker: { ...MARKER, ...more }, ...more }
  const padded = {
    ...GENERATION,
    ...more,
    inode: { ...GENERATION.inode, ...more },
    head: { ...GENERATION.head, ...more },
    seen: { ...GENERATION.seen, ...more },
    cursors: { ...GENERATION.cursors, main: cursor },
  }
  t.strictSame(generationOf(padded), GENERATION)
  t.strictSame(totalsOf({ ...TOTALS, ...more, settled: { ...TOTALS.settled, ...more } }), TOTALS)
  t.end()
})

const cursor = (offset: unknown, length: unknown, more = {}) => ({
  cursors: { main: { offset, marker: { length, crc: 0 }, ...more } },
})

const FORGED: Record<string, object> = {
  'a key that leads elsewhere': { key: '../../../../secrets/token' },
  'a key that is a file’s name': { key: 'token' },
  'a key in capitals': { key: '0011223344556677'.replace('0', 'A') },
  'an id that is none': { id: '/etc/passwd' },
  'an origin that is no absolute path': { origin: 'app.log' },
  'an origin that leads up': { origin: '/logs/../secrets/token' },
  'a path that leads up': { path: '/logs/../../etc/shadow' },
  'a path with a NUL': { path: '/logs/a\0b' },
  'a path without an end': { path: `/${'x'.repeat(5000)}` },
  'a head that is never verified': { head: { length: 2 ** 40, hash: '0123456789abcdef0123' } },
  'a head without a hash': { head: { length: 10, hash: '' } },
  'a hash without a head': { head: { length: 0, hash: '0123456789abcdef0123' } },
  'no head': { head: undefined },
  'ends that are no list': { ends: { offset: 1800, marker: MARKER } },
  'more ends than are ever saved': { ends: Array.from({ length: 4 }, () => ({ offset: 1800, marker: MARKER })) },
  'an end that no marker proves': { ends: [{ offset: 1800, marker: { length: 0, crc: 0 } }] },
  'an offset that no marker proves': cursor(1, 0),
  'an offset behind nothing': cursor(500, 0),
  'a marker that is longer than what stands before it': cursor(10, 64),
  'a marker that is longer than any': cursor(1000, 65),
  'an offset that is no number': cursor('10', 0),
  'an offset that cannot be counted with': cursor(2 ** 53 - 1, 64),
  'a negative offset': cursor(-1, 0),
  'half an offset': cursor(1.5, 1),
  'an end that is none': cursor(0, 0, { end: 'now' }),
  'an end behind all counting': cursor(0, 0, { end: 2 ** 60 }),
  'a size that is none': { size: '1e9' },
  'an inode that is none': { inode: { dev: '1', ino: '2', birth: 'never' } },
  'a backend that is no name': { cursors: { 'a b': { offset: 0, marker: { length: 0, crc: 0 } } } },
  'a backend that every object has': JSON.parse('{"cursors":{"__proto__":{"offset":0,"marker":{"length":0,"crc":0}}}}'),
  'a thousand backends': {
    cursors: Object.fromEntries(
      Array.from({ length: 1000 }, (_, n) => [`b${n}`, { offset: 0, marker: { length: 0, crc: 0 } }]),
    ),
  },
  'a list of cursors': { cursors: [] },
  'stretches without an end': { written: Array.from({ length: 1000 }, () => [0, 1, 2, 3]) },
  'stretches that are no numbers': { written: [[{}, {}, {}, {}]] },
  'stretches that are longer than any': { written: [Array.from({ length: 1000 }, () => 0)] },
  'a flag that is none': { done: 'yes' },
}

for (const [what, part] of Object.entries(FORGED)) {
  t.test(`a generation with ${what} is none`, t => {
    t.equal(generationOf({ ...GENERATION, ...part }), undefined)
    t.end()
  })
}

const settled = (part: object) => ({ settled: { ...TOTALS.settled, ...part } })
const reasons = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`reason_${n}`, { lines: 1, bytes: 1 }]))

const FORGED_TOTALS: Record<string, object> = {
  'a text for a number': { lostBytes: 'abc' },
  'a number that cannot be counted with': settled({ delivered: { lines: 1, bytes: 2 ** 53 - 1 } }),
  'a number beyond all numbers': settled({ delivered: { lines: 1, bytes: 2 ** 53 } }),
  'half a line': settled({ delivered: { lines: 0.5, bytes: 1 } }),
  'fewer than none': settled({ dropped: { padding: { lines: -1, bytes: 1 } } }),
  'no delivered lines': settled({ delivered: 1 }),
  'a hundred thousand reasons': settled({ rejected: reasons(100_000) }),
  'a reason with a line feed': settled({ rejected: { 'a\nb': { lines: 1, bytes: 1 } } }),
  'a reason that is too long': settled({ rejected: { ['x'.repeat(65)]: { lines: 1, bytes: 1 } } }),
  'a reason of a filter without a rule': settled({ dropped: { 'filter:': { lines: 1, bytes: 1 } } }),
  'a reason of something else than a filter': settled({ dropped: { 'other:rule': { lines: 1, bytes: 1 } } }),
  'a source that is no name': { source: 'a b' },
}

for (const [what, part] of Object.entries(FORGED_TOTALS)) {
  t.test(`totals with ${what} are none`, t => {
    t.equal(totalsOf({ ...TOTALS, ...part }), undefined)
    t.end()
  })
}

t.test('totals have reasons that are rules of a filter', t => {
  const dropped = Object.fromEntries(
    ['filter:below', `filter:${'x'.repeat(56)}`, 'sample', 'repeats', 'limit', 'unparsed'].map(reason => [
      reason,
      { lines: 1, bytes: 10 },
    ]),
  )
  t.strictSame(totalsOf({ ...TOTALS, ...settled({ dropped }) })?.settled.dropped, dropped)
  t.end()
})
