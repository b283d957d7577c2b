/** Lines of CRI that were written in parts: one record comes of them, wherever reading stops. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { planOf, rowBytes } from '../../../src/process/plan.ts'
import { Stage } from '../../../src/process/stage.ts'
import { type Handling, kernel, Reading } from '../../tail/reading.ts'

function handling(options: object = {}): Handling {
  const planned = planOf({ name: 'app', maxLineBytes: 1 << 20, encoding: 'utf-8', parse: 'cri', ...options })
  if (planned.kind === 'problems') throw new Error(JSON.stringify(planned.problems))
  const stage = new Stage(kernel, new Map([['app', planned.plan!]]), () => 0)
  return {
    ...stage.readingOf('app'),
    row: rowBytes(new Map([['app', planned.plan!]])),
    process: slab => void stage.apply(slab, 0),
  }
}

const CRI = handling()
const REDACTED = handling({ redact: ['password', 'github'] })

type Tag = 'P' | 'F'
const line = (stream: string, tag: Tag, text: string): string =>
  `2026-11-23T10:00:00.123456789Z ${stream} ${tag} ${text}`
const text = (lines: readonly string[]): string => lines.map(each => `${each}\n`).join('')

function read(lines: readonly string[], how: Handling = CRI): string[] {
  const reading = new Reading(1 << 20, 1024, how)
  reading.append(text(lines))
  reading.read()
  reading.read('quiet')
  const { delivered, read: all } = reading.account.statement()
  assert.deepEqual([delivered.bytes, all.bytes], [text(lines).length, text(lines).length])
  reading.close()
  return reading.frames.map(({ bytes }) => bytes.toString())
}

t.test('parts of one stream that follow each other are one line, up to the last', async t => {
  const [out, err] = ['stdout', 'stderr']
  t.strictSame(
    read([line(out, 'F', 'a'), line(out, 'P', 'b'), line(out, 'P', 'c'), line(out, 'F', 'd'), line(out, 'F', 'e')]),
    [line(out, 'F', 'a'), line(out, 'F', 'bcd'), line(out, 'F', 'e')],
  )
  t.strictSame(read([line(err, 'P', ''), line(err, 'F', ''), line(out, 'P', 'x')]), [
    line(err, 'F', ''),
    line(out, 'P', 'x'),
  ])
  const mixed = [line(out, 'P', 'a'), line(err, 'F', 'b'), line(out, 'F', 'c')]
  t.strictSame(read(mixed), mixed, 'another stream ends it')
  const others = [line(out, 'P', 'a'), 'no line of CRI', line(out, 'F', 'b')]
  t.strictSame(read(others), others)
})

t.test('a line that is whole waits for nothing, and a part waits for the next one', async t => {
  const reading = new Reading(1 << 20, 1024, CRI)
  reading.append(text([line('stdout', 'F', 'a')]))
  t.equal(reading.read(), 'dry')
  t.equal(reading.frames.length, 1)
  reading.append(text([line('stdout', 'P', 'b')]))
  t.equal(reading.read(), 'open')
  t.equal(reading.frames.length, 1)
  reading.append(text([line('stdout', 'F', 'c')]))
  t.equal(reading.read(), 'dry')
  t.equal(reading.frames[1]!.bytes.toString(), line('stdout', 'F', 'bc'))
  t.equal(reading.frames[1]!.offset, line('stdout', 'F', 'a').length + 1)
  reading.close()
})

t.test('a secret that was parted is redacted', async t => {
  const parts = [
    line('stdout', 'P', 'x password=hun'),
    line('stdout', 'F', 'ter2 ghp_abcdefghijklmnopqrstuvwxyz0123456789'),
  ]
  const [record] = read(parts, REDACTED)
  t.match(record, /^2026-11-23T10:00:00\.123456789Z stdout F x password=\*{7} \[github\]\*{32}$/)
})

t.test('what comes of a file is the same in whatever pieces it is written', async () => {
  const part = fc.tuple(
    fc.constantFrom('stdout', 'stderr'),
    fc.constantFrom<Tag>('P', 'P', 'F'),
    fc.nat({ max: 20_000 }),
  )
  const parts = fc.array(part, { maxLength: 12 })
  fc.assert(
    fc.property(parts, fc.array(fc.nat({ max: 30_000 }), { maxLength: 20 }), (all, cuts) => {
      const lines = all.map(([stream, tag, bytes], index) => line(stream, tag, `${index}${'x'.repeat(bytes)}`))
      const reading = new Reading(1 << 20, 1024, CRI)
      const whole = text(lines)
      let at = 0
      for (const bytes of [...cuts, whole.length]) {
        reading.append(whole.slice(at, at + bytes))
        at += bytes
        reading.read()
      }
      reading.read('quiet')
      assert.deepEqual(
        reading.frames.map(({ bytes }) => bytes.toString()),
        joined(all.map(([stream, tag], index) => ({ stream, tag, text: lines[index]!.slice(40) }))),
      )
      assert.equal(reading.cursor.committed.offset, whole.length)
      reading.close()
    }),
    { numRuns: 100 },
  )
})

/** The definition. Nothing here is longer than a record may be. */
function joined(parts: readonly { readonly stream: string; readonly tag: Tag; readonly text: string }[]): string[] {
  const records: { stream: string; tag: Tag; text: string }[] = []
  for (const { stream, tag, text } of parts) {
    const last = records.at(-1)
    if (last?.tag === 'P' && last.stream === stream) Object.assign(last, { tag, text: last.text + text })
    else records.push({ stream, tag, text })
  }
  return records.map(({ stream, tag, text }) => line(stream, tag, text))
}
