/** Records of a file are the same as the framer cuts them, wherever a window ends. */
import t from 'tap'
import { Kernel } from '../../../src/kernel/kernel.ts'
import { type PlanSubject, planOf } from '../../../src/process/plan.ts'
import { Cutter, type FileRecord, type TextForm } from '../../../src/process/preview/cutter.ts'
import { Stage } from '../../../src/process/stage.ts'

const PAGE = 65536
const UTF8: TextForm = { maxBytes: 1024 * 1024, encoding: undefined, unit: 1, end: 10 }

function cut(file: Buffer, form: Partial<TextForm> = {}, multiline?: PlanSubject['multiline']): FileRecord[] {
  const whole = { ...UTF8, ...form }
  const kernel = Kernel.create(PAGE, Cutter.bytes(whole) + 4 * PAGE)
  const planned = planOf({ name: 'app', maxLineBytes: whole.maxBytes, encoding: 'utf-8', multiline })
  if (planned.kind === 'problems') throw new Error(JSON.stringify(planned.problems))
  const stage = new Stage(kernel, new Map(planned.plan ? [['app', planned.plan]] : []))
  const cutter = new Cutter(kernel, whole, stage.readingOf('app').rule)
  return [...cutter.records((position, bytes) => file.subarray(position, position + bytes))]
}

const textsOf = (records: readonly FileRecord[]) => records.map(({ text }) => text.toString())

t.test('lines of many windows are each there once, with their numbers and places', t => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `${index} ${'x'.repeat(index % 97)}`)
  const file = Buffer.from(`${lines.join('\n')}\n`)
  const records = cut(file)
  t.strictSame(textsOf(records), lines)
  t.ok(records.every(({ firstLine, lastLine }, index) => firstLine === index + 1 && lastLine === firstLine))
  t.ok(records.every(({ from, to, text }) => file.subarray(from, to - 1).equals(text)))
  t.ok(records.every(({ to }, index) => to === (records[index + 1]?.from ?? file.length)))
  t.end()
})

t.test('records of several lines cross windows, and the last one is open', t => {
  const traces = Array.from({ length: 3000 }, (_, index) => `E${index}\n${'  at x\n'.repeat(index % 40)}`.trimEnd())
  const records = cut(Buffer.from(`${traces.join('\n')}\n`), {}, 'indent')
  t.strictSame(textsOf(records), traces)
  t.strictSame(
    records.filter(({ open }) => open).map(({ text }) => text.toString()),
    [traces.at(-1)],
  )
  t.ok(records.every(({ firstLine, lastLine }, index) => lastLine - firstLine === index % 40))
  t.end()
})

t.test('what goes on with a record that had to end says so', t => {
  const file = Buffer.from('a\n  b\n  c\n  d\ne\n')
  const records = cut(file, {}, { ...{ preset: 'indent', maxLines: 2, flush: 1000, maxBytes: 4096 } })
  t.strictSame(textsOf(records), ['a\n  b', '  c\n  d', 'e'])
  t.strictSame(
    records.map(({ continued }) => continued),
    [false, true, false],
  )
  t.end()
})

t.test('a line that is longer than a window is cut between two characters, and counted as one', t => {
  const file = Buffer.from(`one\n${'é'.repeat(400_000)}\nthree\n${'y'.repeat(600_000)}`)
  const records = cut(file, { maxBytes: 1025 })
  t.strictSame(
    records.map(({ text, firstLine, cutFrom, partial }) => [text.length, firstLine, cutFrom, partial]),
    [
      [3, 1, 0, false],
      [1024, 2, 800_000, false],
      [5, 3, 0, false],
      [1025, 4, 600_000, true],
    ],
  )
  t.end()
})

t.test('NULs before lines are padding, and those at the end room that was set aside', t => {
  const records = cut(Buffer.from('\0\0a\n\0\0\nb\n\0\0\0'))
  t.strictSame(
    records.map(({ text, from, firstLine }) => [text.toString(), from, firstLine]),
    [
      ['a', 2, 1],
      ['b', 7, 3],
    ],
  )
  t.end()
})

t.test('other encodings and line ends are read as they are written', t => {
  const utf16 = { encoding: 'utf-16be', unit: 2 } as const
  const file = Buffer.from('\ufeffgrün\nzwei\ndrei', 'utf16le').swap16()
  const records = cut(file, utf16)
  t.strictSame(textsOf(records), ['grün', 'zwei', 'drei'])
  t.strictSame(
    records.map(({ from, to }) => [from, to]),
    [
      [0, 12],
      [12, 22],
      [22, 30],
    ],
  )
  t.strictSame(textsOf(cut(Buffer.from('gr\xfcn\n', 'latin1'), { encoding: 'latin-1' })), ['grün'])
  t.strictSame(textsOf(cut(Buffer.from('a\0b\0'), { end: 0 })), ['a', 'b'])
  t.strictSame(textsOf(cut(Buffer.from('a\rb\n\r'), { end: 13 })), ['a', 'b\n'])
  t.end()
})
