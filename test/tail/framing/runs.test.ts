/** Equal records that follow each other: one comes of a run, however its lines arrive, and whenever reading stops. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { planOf, rowBytes } from '../../../src/process/plan.ts'
import { Stage } from '../../../src/process/stage.ts'
import { alike } from '../../process/select/twin.ts'
import { type Handling, kernel, Reading } from '../reading.ts'

const FLUSH = 2000
const WINDOW = 30_000
const MOST = 500
const MOST_BYTES = 128 * 1024
const LONGEST = 16 * 1024

/** What is done with records of a source that says this beside `repeats`. */
function handling(options: object = {}): Handling {
  const subject = { name: 'app', maxLineBytes: 1 << 20, encoding: 'utf-8' }
  const planned = planOf({ ...subject, repeats: { window: WINDOW, flush: FLUSH }, ...options })
  if (planned.kind === 'problems') throw new Error(JSON.stringify(planned.problems))
  const plans = new Map([['app', planned.plan!]])
  const stage = new Stage(kernel, plans, () => 0)
  return { ...stage.readingOf('app'), row: rowBytes(plans), process: slab => void stage.apply(slab, 0) }
}

const PLAIN = handling()
const FILTERED = handling({ filter: { drop: 'debug' }, redact: 'password' })

type Come = readonly [text: string, repeated: number]
const come = ({ frames, repeated }: Reading): Come[] =>
  frames.map(({ bytes }, index): Come => [bytes.toString(), repeated[index]!])

/** The definition: lines that follow each other and are alike are one, up to so many. */
function expectedOf(lines: readonly string[]): Come[] {
  const runs: { last: string; records: number; bytes: number }[] = []
  for (const line of lines) {
    const run = runs.at(-1)
    const isShort = line.length <= LONGEST && (run?.last.length ?? 0) <= LONGEST
    if (run && isShort && run.records < MOST && run.bytes + line.length <= MOST_BYTES && alike(run.last, line)) {
      run.last = line
      run.records++
      run.bytes += line.length + 1
    } else runs.push({ last: line, records: 1, bytes: line.length + 1 })
  }
  return runs.map(({ last, records }) => [last, records])
}

const line = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('at 1 a', 'at 22 a', 'b', '', `${'x'.repeat(300)} 1`) },
  { weight: 1, arbitrary: fc.nat({ max: 40_000 }).map(length => 'y'.repeat(length)) },
)
const lines = fc
  .array(fc.tuple(line, fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 1200 }))), { maxLength: 12 })
  .map(all =>
    all.flatMap(([text, times]) => Array.from({ length: text.length > 2000 ? 1 + (times % 3) : times }, () => text)),
  )

/** Everything that was read is in the books: sent, or dropped with its reason. */
function checkBooks(reading: Reading, bytes: number): void {
  const { read, delivered, dropped, inFlight } = reading.account.statement()
  const gone = Object.values(dropped).reduce((sum, each) => sum + each.bytes, 0)
  assert.deepEqual([read.bytes, delivered.bytes + gone, inFlight.bytes], [bytes, bytes, 0])
  assert.equal(reading.cursor.committed.offset, bytes)
}

t.test('what comes of a file is the same in whatever pieces its lines arrive', t => {
  fc.assert(
    fc.property(lines, fc.array(fc.nat({ max: 4000 }), { maxLength: 40 }), (all, cuts) => {
      const text = all.map(each => `${each}\n`).join('')
      const reading = new Reading(1 << 20, 1024, PLAIN)
      let at = 0
      for (const bytes of [...cuts, text.length]) {
        reading.append(text.slice(at, at + bytes))
        at += bytes
        reading.read()
        reading.now += FLUSH / 100
      }
      reading.read('quiet')
      assert.deepEqual(come(reading), expectedOf(all))
      checkBooks(reading, text.length)
      reading.close()
    }),
    { numRuns: 200 },
  )
  t.end()
})

t.test('with records that are dropped between them, and secrets that are redacted, too', t => {
  const word = fc.constantFrom('warn 1', 'debug x', 'password=aaaa', 'password=bbbb', 'info')
  fc.assert(
    fc.property(fc.array(word, { maxLength: 40 }), fc.array(fc.nat({ max: 40 }), { maxLength: 20 }), (all, cuts) => {
      const text = all.map(each => `${each}\n`).join('')
      const outcomes = [[], cuts].map(pieces => {
        const reading = new Reading(1 << 20, 1024, FILTERED)
        let at = 0
        for (const bytes of [...pieces, text.length]) {
          reading.append(text.slice(at, at + bytes))
          at += bytes
          reading.read()
        }
        reading.read('quiet')
        checkBooks(reading, text.length)
        reading.close()
        return come(reading)
      })
      assert.deepEqual(outcomes[1], outcomes[0])
      assert.ok(!outcomes[0]!.some(([left]) => /debug|aaaa|bbbb/.test(left)))
    }),
    { numRuns: 200 },
  )
  t.end()
})

t.test('a run that comes in slowly is one record with its number', t => {
  const reading = new Reading(1 << 20, 1024, PLAIN)
  for (let n = 10; n < 30; n++) {
    reading.append(`10:00:${n} cannot connect\n`)
    t.equal(reading.read(), 'open')
    reading.now += 1000
  }
  t.equal(reading.cursor.read, 0, 'nothing of it was taken')
  reading.append('10:00:30 connected\n')
  t.equal(reading.read(), 'open')
  t.strictSame(come(reading), [['10:00:29 cannot connect', 20]])
  reading.now += FLUSH
  t.equal(reading.read(), 'dry')
  t.strictSame(come(reading).at(-1), ['10:00:30 connected', 1])
  checkBooks(reading, 20 * 24 + 19)
  t.strictSame(reading.account.statement().dropped['repeats'], { lines: 19, bytes: 19 * 24 })
  reading.close()
  t.end()
})

t.test('a run that does not end is said once in each window', t => {
  const reading = new Reading(1 << 20, 1024, PLAIN)
  for (let n = 0; n < 100; n++) {
    reading.append('again\n')
    reading.read()
    reading.now += 1000
  }
  const said = come(reading)
  t.ok(said.length >= 3 && said.length <= 4, JSON.stringify(said))
  for (const [text, repeated] of said) {
    t.equal(text, 'again')
    t.ok(repeated >= 29 && repeated <= 32, `${repeated}`)
  }
  reading.close()
  t.end()
})

t.test('what was written since the last look is looked at before a run has ended', t => {
  const reading = new Reading(1 << 20, 1024, PLAIN)
  reading.append('a\n')
  t.equal(reading.read(), 'open')
  reading.now += 2 * FLUSH
  reading.append('a\n')
  t.equal(reading.turn(), 'open')
  t.strictSame(come(reading), [])
  reading.read()
  reading.now += FLUSH
  reading.read()
  t.strictSame(come(reading), [['a', 2]])
  reading.close()
  t.end()
})

t.test('a program that ends takes the run, and the next one loses nothing of one that was open', t => {
  const drained = new Reading(1 << 20, 1024, PLAIN)
  drained.append('a\na\na')
  drained.read()
  drained.read('drain')
  t.strictSame(come(drained), [
    ['a', 2],
    ['a', 1],
  ])
  drained.close()
  const killed = new Reading(1 << 20, 1024, PLAIN)
  killed.append('b\na\na\n')
  killed.read()
  t.strictSame(come(killed), [['b', 1]])
  t.equal(killed.cursor.committed.offset, 2, 'what the next program begins with')
  killed.close()
  t.end()
})

t.test('a table that is too small for a run ends it, and nothing stands still', t => {
  for (const frames of [1, 2, 7]) {
    const reading = new Reading(1 << 20, frames, PLAIN)
    reading.append('x\ny\n'.repeat(3))
    reading.append('a\n'.repeat(50))
    reading.read()
    reading.read('quiet')
    const said = come(reading)
    t.equal(
      said.reduce((sum, [, repeated]) => sum + repeated, 0),
      56,
    )
    checkBooks(reading, 112)
    reading.close()
  }
  t.end()
})

t.test('records of several lines are compared as a whole', t => {
  const reading = new Reading(1 << 20, 1024, handling({ multiline: { preset: 'indent', flush: 1000 } }))
  for (let n = 0; n < 3; n++) {
    reading.append('boom\n  at a\n')
    reading.read()
    reading.append('  at b\n')
    reading.read()
    reading.now += 500
  }
  reading.append('fine\nnext\n')
  reading.read()
  t.strictSame(come(reading), [['boom\n  at a\n  at b', 3]])
  reading.close()
  t.end()
})
