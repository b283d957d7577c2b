/** What lines may be, in every format and compression: the receiver has what the application meant. */
import { appendFileSync, closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import t from 'tap'
import { Stage, until } from '../program.ts'

t.jobs = 3

const lines = [
  'plain',
  '',
  '"quoted" \\n \\u0041',
  'tab\tand \u0001 \u007f',
  'ünïcödé 🦊 \u2028',
  ' spaces ',
  '{"a":1}',
  '[',
  ',',
]

for (const format of ['ndjson', 'json', 'text'] as const) {
  for (const compression of ['none', 'gzip', 'zstd'] as const) {
    t.test(`${format}, ${compression}: lines of any kind come as they were written`, async t => {
      const stage = await Stage.set(t, {
        LOGSHIPPER_BACKEND_FORMAT: format,
        LOGSHIPPER_BACKEND_COMPRESSION: compression,
      })
      const program = await stage.start()
      const text = `${lines.join('\n')}\n`
      writeFileSync(stage.log, text.repeat(300))
      t.ok(await until(() => stage.receiver.lines.length >= 300 * lines.length))
      const { code, ledger } = await program.kill('SIGTERM')
      t.equal(code, 0)
      t.strictSame(stage.receiver.lines, Array.from({ length: 300 }, () => lines).flat())
      t.equal(ledger[0]!.statement.delivered.lines, 300 * lines.length)
      t.equal(ledger[0]!.statement.delivered.bytes, 300 * Buffer.byteLength(text))
      const encodings = new Set(stage.receiver.heads.map(head => head['content-encoding']))
      t.ok(compression === 'none' ? encodings.has(undefined) : encodings.has(compression))
    })
  }
}

for (const format of ['ndjson', 'text'] as const) {
  t.test(`${format}: NULs before a line are padding, whatever their number`, async t => {
    const stage = await Stage.set(t, { LOGSHIPPER_BACKEND_FORMAT: format, LOGSHIPPER_BACKEND_IDS: 'true' })
    const program = await stage.start()
    const holes = [1, 1000, 40_000, 200_000, 300_000]
    const parts = holes.flatMap(bytes => [Buffer.alloc(bytes), Buffer.from(`behind ${bytes}\n`)])
    writeFileSync(stage.log, Buffer.concat([...parts, Buffer.from('\0\0\0\nwith\0in\n')]))
    t.ok(await until(() => stage.receiver.lines.length >= holes.length + 2))
    const { code, ledger } = await program.kill('SIGTERM')
    t.equal(code, 0)
    const lines = holes.map(bytes => `behind ${bytes}`)
    t.strictSame(stage.receiver.lines, [...lines, '', 'with\0in'])
    if (format === 'ndjson') {
      let at = 0
      for (const [index, bytes] of holes.entries()) {
        at += bytes
        const offset = at.toString(16).padStart(12, '0')
        t.ok(stage.receiver.records[index]!.id!.endsWith(offset), 'an id names the first byte that is no NUL')
        at += lines[index]!.length + 1
      }
    }
    const { delivered, dropped } = ledger[0]!.statement
    t.strictSame(dropped, { padding: { lines: 0, bytes: 3 + holes.reduce((sum, bytes) => sum + bytes, 0) } })
    t.strictSame(delivered, { lines: lines.length + 2, bytes: lines.join('\n').length + 1 + 9 })
  })
}

t.test('half a million tiny lines, empty ones among them', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  const all = Array.from({ length: 500_000 }, (_, n) => (n % 3 === 0 ? '' : String(n)))
  writeFileSync(stage.log, `${all.join('\n')}\n`)
  t.ok(await until(() => stage.receiver.records.length >= all.length))
  t.equal((await program.kill('SIGTERM')).code, 0)
  const got = stage.receiver.lines
  t.equal(got.length, all.length)
  t.equal(
    got.findIndex((line, n) => line !== all[n]),
    -1,
    'each in its place',
  )
})

t.test('nothing but line feeds', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  writeFileSync(stage.log, '\n'.repeat(70_000))
  t.ok(await until(() => stage.receiver.records.length >= 70_000))
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.equal(ledger[0]!.statement.delivered.bytes, 70_000)
  t.ok(stage.receiver.lines.every(line => line === ''))
})

t.test('a line that comes a byte at a time is one line', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  const line = 'slowly: é\u2028🦊\r\n'
  const file = openSync(stage.log, 'a')
  for (const byte of Buffer.from(line + line)) {
    writeSync(file, Buffer.of(byte))
    await new Promise(resolve => setTimeout(resolve, 12))
  }
  closeSync(file)
  t.ok(await until(() => stage.receiver.lines.length >= 2))
  t.equal((await program.kill('SIGTERM')).code, 0)
  t.strictSame(stage.receiver.lines, ['slowly: é\u2028🦊', 'slowly: é\u2028🦊'])
})

t.test(
  'around the limit of a line: as long as allowed is whole, one byte more is cut, many times more is one record',
  async t => {
    const LIMIT = 4096
    const stage = await Stage.set(t, { LOGSHIPPER_SOURCE_MAX_LINE_BYTES: String(LIMIT) })
    const program = await stage.start()
    const lengths = [LIMIT - 1, LIMIT, LIMIT + 1, 3 * LIMIT, 700_000, 3, 9_000_000, 5]
    writeFileSync(stage.log, lengths.map(length => `${'x'.repeat(length)}\n`).join(''))
    t.ok(await until(() => stage.receiver.lines.at(-1) === 'xxxxx'))
    const { code, ledger } = await program.kill('SIGTERM')
    t.equal(code, 0)
    t.strictSame(
      stage.receiver.records.map(({ message, truncated, originalBytes }) => [message.length, truncated, originalBytes]),
      lengths.map(length => (length > LIMIT ? [LIMIT, true, length] : [length, undefined, undefined])),
    )
    const { delivered, truncatedLines } = ledger[0]!.statement
    t.equal(delivered.lines, lengths.length)
    t.equal(
      delivered.bytes,
      lengths.reduce((sum, length) => sum + length + 1, 0),
    )
    t.equal(truncatedLines, 4)
  },
)

t.test('a line without an end that is longer than all memory ends with the program, as one record', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  const file = openSync(stage.log, 'a')
  const piece = Buffer.alloc(1024 * 1024, 'x')
  for (let n = 0; n < 40; n++) writeSync(file, piece)
  closeSync(file)
  await until(() => stage.receiver.records.length > 0, 1)
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.equal(stage.receiver.records.length, 1)
  t.match(stage.receiver.records[0], { truncated: true })
  t.equal(ledger[0]!.statement.delivered.bytes, 40 * piece.length)
})

t.test('labels, the source and the file travel with every record, whatever they hold', async t => {
  const stage = await Stage.set(t, {
    LOGSHIPPER_SOURCE_LABELS: 'team=che"ck\\out,umlaut=ü',
    LOGSHIPPER_SOURCE_NAME: 'web',
  })
  const program = await stage.start()
  const path = stage.log.replace('app.log', 'a "quoted"\nname ü.log')
  const before = Date.now()
  appendFileSync(path, 'one\n')
  t.ok(await until(() => stage.receiver.lines.length > 0))
  t.equal((await program.kill('SIGTERM')).code, 0)
  const { timestamp, ...record } = stage.receiver.records[0] as unknown as Record<string, string>
  t.strictSame(record, { message: 'one', source: 'web', file: path, team: 'che"ck\\out', umlaut: 'ü' })
  const at = Date.parse(timestamp!)
  t.ok(at >= before && at <= Date.now(), 'the time of its reading')
})

t.test('binary noise is delivered as text, mended and counted', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  const noise = Buffer.alloc(300_000)
  let state = 7
  // No NUL bytes: those are holes.
  for (let at = 0; at < noise.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    noise[at] = 1 + ((state >>> 16) % 255)
  }
  noise[noise.length - 1] = 0x0a
  writeFileSync(stage.log, noise)
  const frames = noise.toString('latin1').split('\n').length - 1
  t.ok(await until(() => stage.receiver.lines.length >= frames))
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  let at = 0
  const expected: string[] = []
  for (let n = 0; n < frames; n++) {
    const end = noise.indexOf(0x0a, at)
    const last = end > at && noise[end - 1] === 0x0d ? end - 1 : end
    expected.push(noise.toString('utf8', at, last))
    at = end + 1
  }
  t.strictSame(stage.receiver.lines, expected, 'as the WHATWG decoder reads it')
  t.equal(ledger[0]!.statement.delivered.bytes, noise.length)
  t.ok(ledger[0]!.statement.repairedSequences > 1000)
})
