/** The search for bad records in one file, against an oracle that refuses every request with one of them. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Lane, type Queued } from '../../../src/delivery/aside/lane.ts'
import { NEVER } from '../../../src/delivery/outcome/evidence.ts'

interface Line extends Queued {
  readonly bad: boolean
}

const lines = (bad: readonly boolean[], from = 0): Line[] =>
  bad.map((bad, at) => ({ bad, place: from + at, since: NEVER }))

/** Searches the lane to its end. */
function search(lane: Lane<Line>) {
  const accepted: Line[] = []
  const alone: Line[] = []
  let requests = 0
  while (lane.size > 0) {
    const tried = lane.next()
    assert.ok(tried.length > 0, 'there is always something to try')
    requests++
    if (!tried.some(({ bad }) => bad)) {
      lane.accepted(tried)
      accepted.push(...tried)
    } else {
      lane.refused(tried, requests)
      if (tried.length === 1) alone.push(tried[0]!)
    }
    assert.ok(requests < 100_000)
  }
  return { accepted, alone, requests }
}

t.test('every good record is accepted, every bad one is refused alone once, in order', t => {
  const bad = fc.array(
    fc.integer({ min: 0, max: 9 }).map(n => n === 0),
    { minLength: 1, maxLength: 600 },
  )
  fc.assert(
    fc.property(bad, fc.boolean(), (bad, tainted) => {
      const lane = new Lane<Line>('a')
      const all = lines(bad)
      lane.add(all, tainted && bad.includes(true))
      const { accepted, alone } = search(lane)
      assert.deepEqual(new Set(alone), new Set(all.filter(({ bad }) => bad)))
      assert.equal(accepted.length + alone.length, all.length)
      const early = accepted.filter(({ place }, at) => at > 0 && place < accepted[at - 1]!.place)
      assert.ok(early.length <= alone.length)
    }),
  )
  t.end()
})

t.test('one bad record among many costs as many requests as their number has bits, and few more', t => {
  const lane = new Lane<Line>('a')
  const all = lines(Array.from({ length: 4096 }, (_, at) => at === 2777))
  lane.add(all, true)
  const { requests, alone } = search(lane)
  t.strictSame(
    alone.map(({ place }) => place),
    [2777],
  )
  t.ok(requests <= 12 + 6, `${requests} requests`)
  t.end()
})

t.test('a half that must hold it, since the other was accepted, is not asked about as a whole', t => {
  const lane = new Lane<Line>('a')
  lane.add(lines([false, false, false, true]), true)
  const first = lane.next()
  t.equal(first.length, 2)
  t.equal(lane.accepted(first), false)
  t.equal(lane.next().length, 1, 'half of the other half')
  t.end()
})

t.test('one bad record in twenty costs some dozen requests each', t => {
  const lane = new Lane<Line>('a')
  const all = lines(Array.from({ length: 4000 }, (_, at) => at % 20 === 7))
  lane.add(all)
  const { requests, accepted } = search(lane)
  t.ok(requests < 200 * 12, `${requests} requests`)
  t.equal(accepted.length, 3800)
  t.end()
})

t.test('where nothing is accepted, a round is the first record and more and more of those that follow', t => {
  const lane = new Lane<Line>('a')
  lane.add(lines(Array(150).fill(true)))
  const rounds: number[] = []
  while (lane.size > 0) {
    t.equal(lane.begin(), true)
    let tried = 0
    for (let more = true; more; tried++) {
      const further = lane.further()
      t.equal(further.records.length, 1)
      lane.refused(further.records, 1)
      more = further.more
    }
    rounds.push(tried)
  }
  t.strictSame(rounds, [1, 1, 1, 1, 1, 1, 1, 1, 4, 8, 16, 32, 64, 18])
  t.equal(lane.begin(), false)
  t.end()
})

t.test('what comes when a round has run out of records is for the next one', t => {
  const lane = new Lane<Line>('a')
  lane.add(lines([true]))
  for (let n = 0; n < 12; n++) lane.begin()
  const { records, more } = lane.further()
  t.equal(more, false)
  lane.refused(records, 1)
  lane.add(lines([false], 1))
  t.strictSame(lane.further(), { records: [], more: false })
  t.end()
})

t.test('a round ends when something is accepted, and the next one is small again', t => {
  const lane = new Lane<Line>('a')
  lane.add(lines(Array(20).fill(false)))
  for (let n = 0; n < 12; n++) lane.begin()
  lane.accepted(lane.further().records)
  t.strictSame(lane.further(), { records: [], more: false })
  lane.begin()
  t.equal(lane.further().more, false)
  t.end()
})

t.test('a group that was refused and of which all are accepted contradicts itself', t => {
  const lane = new Lane<Line>('a')
  lane.add(lines([false, false]), true)
  t.equal(lane.accepted(lane.next()), false, 'it may be the other')
  t.equal(lane.accepted(lane.next()), true, 'it was none')
  t.end()
})

t.test('nothing behind a given place is tried', t => {
  const lane = new Lane<Line>('a')
  lane.add(lines(Array(10).fill(false)))
  t.strictSame(
    lane.next(4).map(({ place }) => place),
    [0, 1, 2, 3],
  )
  t.end()
})

t.test('what is put back comes in its place again', t => {
  const lane = new Lane<Line>('a')
  lane.add(lines(Array(6).fill(false)))
  const first = lane.next(2)
  lane.accepted(first)
  lane.restore(first)
  t.strictSame(
    lane.next().map(({ place }) => place),
    [0, 1, 2, 3, 4, 5],
  )
  lane.drop(first)
  t.equal(lane.head, 2)
  t.end()
})
