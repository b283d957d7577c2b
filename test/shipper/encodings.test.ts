/** Files in other encodings and with other line ends: the receiver has UTF-8, the account has the files' bytes. */
import { appendFileSync, statSync } from 'node:fs'
import t from 'tap'
import { Stage, until } from '../program.ts'

t.jobs = 3

const LINES = ['Grüße', 'no "letters" \\ but ASCII', '', 'naïve café', 'x'.repeat(70_000), 'Ende']

/** Appends text as an application would that was told to write so. */
function writer(path: string, encoding: string): (text: string) => void {
  return text => {
    if (encoding === 'utf-8') return appendFileSync(path, text)
    if (!encoding.startsWith('utf-16')) return appendFileSync(path, Buffer.from(text, 'latin1'))
    const bytes = Buffer.from(text, 'utf16le')
    appendFileSync(path, encoding === 'utf-16be' ? bytes.swap16() : bytes)
  }
}

for (const [encoding, format] of [
  ['utf-16le', 'ndjson'],
  ['utf-16be', 'text'],
  ['latin-1', 'ndjson'],
  ['windows-1252', 'text'],
] as const) {
  t.test(
    `${encoding}, ${format}: lines arrive as they were meant, across a restart in the middle of the file`,
    async t => {
      const stage = await Stage.set(t, {
        LOGSHIPPER_SOURCE_ENCODING: encoding,
        LOGSHIPPER_BACKEND_FORMAT: format,
        LOGSHIPPER_BACKEND_IDS: 'true',
      })
      const write = writer(stage.log, encoding)
      if (encoding.startsWith('utf-16')) write('\ufeff')
      const first = await stage.start()
      write(`${LINES.join('\n')}\n`)
      t.ok(await until(() => stage.receiver.records.length === LINES.length))
      write('half of a ')
      t.equal((await first.kill('SIGKILL')).code, null)
      // Text is passed on as it is, with the carriage return that ends lines elsewhere.
      const end = format === 'text' ? '\n' : '\r\n'
      write(`line${end}`)
      const second = await stage.start()
      write(`${LINES.join(end)}`)
      t.ok(await until(() => stage.receiver.lines.includes('half of a line')))
      const { code, ledger } = await second.kill('SIGTERM')
      t.equal(code, 0)
      const expected = new Set(LINES).add('half of a line')
      t.strictSame(new Set(stage.receiver.lines), expected, 'nothing but what was written')
      t.equal(stage.receiver.lines.at(-1), 'Ende', 'the last line without an end')
      if (format === 'ndjson') {
        const ids = new Map<string, string>()
        for (const { id, message } of stage.receiver.records) {
          t.equal(ids.get(id!) ?? message, message, 'an id is that of one line')
          ids.set(id!, message)
        }
        t.equal(ids.size, 2 * LINES.length + 1)
      }
      const { delivered, inFlight } = ledger[0]!.statement
      t.equal(inFlight.bytes, 0)
      t.ok(delivered.bytes <= statSync(stage.log).size)
    },
  )
}

for (const [lineEnd, mark] of [
  ['cr', '\r'],
  ['nul', '\0'],
] as const) {
  t.test(`lines that end in ${lineEnd} arrive one by one, and all their bytes are accounted for`, async t => {
    const stage = await Stage.set(t, { LOGSHIPPER_SOURCE_LINE_END: lineEnd })
    const program = await stage.start()
    const lines = Array.from({ length: 1000 }, (_, n) => `record ${n}\nwith a line feed in it`)
    for (let at = 0; at < lines.length; at += 100) {
      appendFileSync(stage.log, `${lines.slice(at, at + 100).join(mark)}${mark}`)
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    t.ok(await until(() => stage.receiver.lines.length === lines.length))
    t.strictSame(stage.receiver.lines, lines)
    const { code, ledger } = await program.kill('SIGTERM')
    t.equal(code, 0)
    t.equal(ledger[0]!.statement.delivered.bytes, statSync(stage.log).size)
  })
}

t.test('a file whose source says nothing of its encoding or line ends is named once, with what would help', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  const text = 'a line with Grüßen\nand another one\n'
  const files: [name: string, write: (path: string) => void, value: string][] = [
    ['le', path => writer(path, 'utf-16le')(`\ufeff${text}`), 'utf-16le'],
    ['be', path => writer(path, 'utf-16be')(text), 'utf-16be'],
    ['latin', path => writer(path, 'latin-1')(text), 'latin-1, windows-1252'],
    ['late', path => writer(path, 'latin-1')(`${'ASCII at first\n'.repeat(500)}${text}`), 'latin-1, windows-1252'],
    ['cr', path => appendFileSync(path, 'one\rtwo\rthree\r'), 'cr'],
    ['nul', path => appendFileSync(path, 'one\0two\0three\0'), 'nul'],
  ]
  const path = (name: string) => stage.log.replace('app.log', `${name}.log`)
  const said = (name: string) => program.said.filter(entry => entry['path'] === path(name) && 'key' in entry)
  for (const [name, write] of files) write(path(name))
  appendFileSync(stage.log, 'plain\n')
  for (const [name, , value] of files) {
    t.ok(await until(() => said(name).length > 0), name)
    t.match(said(name)[0], { source: 'app', value, key: /^sources\[\]\.(encoding|lineEnd)$/ })
  }
  for (const [name, write] of files.slice(0, 4)) write(path(name))
  appendFileSync(stage.log, 'last\n')
  t.ok(await until(() => stage.receiver.lines.includes('last')))
  t.equal((await program.kill('SIGTERM')).code, 0)
  for (const [name] of files) t.equal(said(name).length, 1, `${name} is named once`)
  t.notOk(said('app').length, 'a plain file is not')
})
