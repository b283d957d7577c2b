/**
 * Lines that break what is careless, through every backend that speaks HTTP and read again by a decoder of its own: each
 * arrives as it was written, or says that it was cut.
 */
import fc from 'fast-check'
import t from 'tap'
import { character } from '../character.ts'
import { Arena } from '../delivery/rig.ts'
import { seedOf } from '../support/seed.ts'
import { type Staged, stage } from './stage.ts'
import type { Subject } from './subject.ts'
import { SUBJECTS } from './subjects.ts'

const MIB = 1 << 20
/** No backend takes less of a line: bytes. */
const LEAST = 32 * 1024

const ATOMS: readonly (string | readonly number[])[] = [
  '"',
  '\\',
  '\\u0000',
  '\\"}',
  '{"a":',
  '[',
  ']',
  '}{',
  ',',
  '\t',
  '\b\f',
  '\r',
  '\0',
  '\u0001\u001f',
  '\u007f',
  '\u0085',
  '\u2028',
  '\u2029',
  '\ufeff',
  '\ufffd',
  '\uffff',
  'ü€',
  '😀',
  '👩‍👩‍👧',
  'e\u0301',
  '%7B',
  '${x}',
  '{{y}}',
  '<script>&amp;',
  "'; DROP TABLE logs; --",
  // Not UTF-8: no character at all, one that breaks off, a surrogate, a longer form than needed, one beyond the last.
  [0xff],
  [0xc3],
  [0xe2, 0x82],
  [0xed, 0xa0, 0x80],
  [0xc0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0x80, 0xbf],
]

const atom = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...ATOMS).map(one => Buffer.from(one as string)) },
  { weight: 1, arbitrary: fc.string({ unit: character, maxLength: 12 }).map(text => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 24 }).map(bytes => Buffer.from(bytes)) },
)

const line = fc
  .tuple(fc.array(atom, { maxLength: 8 }), fc.boolean())
  .map(([atoms, cr]) => Buffer.concat([...atoms, Buffer.from(cr ? '\r' : '')]))
  // A line feed ends a line.
  .map(bytes => bytes.map(byte => (byte === 0x0a ? 0x20 : byte)) as Buffer)

/** What becomes of a line: it loses a CR, NULs before it and a byte order mark, and is made UTF-8 (WHATWG Encoding). */
function asRead(line: Buffer, atHead: boolean, { verbatim }: Subject): string {
  if (verbatim) return line.toString()
  let text = line.at(-1) === 0x0d ? line.subarray(0, -1) : line
  while (text[0] === 0) text = text.subarray(1)
  return new TextDecoder('utf-8', { ignoreBOM: !atHead }).decode(text)
}

/** Ships the lines as the head of a file, and returns what the server stored of them and what it should have. */
async function through(subject: Subject, { server, ship, arena }: Staged, lines: readonly Buffer[]) {
  server.stored.length = 0
  server.seen.length = 0
  const before = arena.outcome
  await ship({ lines })
  if (server.wrong.length > 0) throw server.wrong[0]
  const texts = lines.map((line, at) => asRead(line, at === 0, subject))
  const expected = subject.blank ? texts.filter(text => text !== '') : texts
  const settled = arena.outcome
  const rejected = (outcome: typeof before) => outcome.rejected['blank']?.lines ?? 0
  return {
    stored: server.stored,
    expected,
    delivered: settled.delivered.lines - before.delivered.lines,
    refused: rejected(settled) - rejected(before),
  }
}

t.setTimeout(180_000)
for (const subject of SUBJECTS) {
  t.test(`${subject.name}: hostile lines arrive as they were written`, async t => {
    const staged = await stage(t, subject)
    const seed = seedOf()
    const property = fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 30 }), async lines => {
      const { stored, expected, delivered, refused } = await through(subject, staged, lines)
      const messages = stored.map(({ message }) => message)
      const same = messages.length === expected.length && messages.every((message, at) => message === expected[at])
      return same && delivered === expected.length && refused === lines.length - expected.length
    })
    // Each waits for the confirmation, which is asked for now and then only.
    const numRuns = staged.backend.confirmation ? 2 : 40
    await t.resolves(fc.assert(property, { seed, numRuns }), `seed ${seed}, ${numRuns} runs`)
  })

  t.test(`${subject.name}: a line of a mebibyte arrives whole, or says that it was cut`, async t => {
    const staged = await stage(t, subject, { arena: new Arena(16 * MIB) })
    const stuff = { letters: 'x', quotes: '"', controls: '\u0001', emoji: '😀', 'no UTF-8': [0xff] } as const
    for (const [name, one] of Object.entries(stuff)) {
      const piece = Buffer.from(one as string)
      const long = Buffer.alloc(MIB, piece)
      const lines = [Buffer.from('before'), long, Buffer.from('after')]
      const { stored, expected, delivered } = await through(subject, staged, lines)
      t.same([stored[0]?.message, stored[2]?.message, stored.length, delivered], ['before', 'after', 3, 3], name)
      const { message = '', truncated = false } = stored[1] ?? {}
      if (truncated) {
        t.ok(expected[1]!.startsWith(message) && message.length < expected[1]!.length, `${name}: its head`)
        t.ok(Buffer.byteLength(message) >= LEAST, `${name}: as much of it as goes`)
      } else t.ok(message === expected[1], `${name}: all of it`)
    }
  })
}
