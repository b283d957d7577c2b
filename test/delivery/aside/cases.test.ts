/** When a record that stands apart from its file is retried, and when it is given up. */
import t from 'tap'
import { Cases, companions } from '../../../src/delivery/aside/cases.ts'
import { Lane } from '../../../src/delivery/aside/lane.ts'
import { Share } from '../../../src/delivery/aside/share.ts'
import type { AsideRecord } from '../../../src/delivery/aside/stash.ts'
import { Evidence, NEVER } from '../../../src/delivery/outcome/evidence.ts'
import { HandClock } from '../../clock.ts'

const MINUTE = 60_000

/** Records of one file, and a backend that answers as the test says. */
class Apart {
  readonly clock = new HandClock()
  readonly evidence = new Evidence({ now: () => this.clock.now() })
  readonly cases: Cases
  readonly lane = new Lane<AsideRecord>('app.log')
  readonly share = new Share<AsideRecord>('app')
  #places = 0

  constructor() {
    const retry = { initial: 100, max: 10 * MINUTE }
    this.cases = new Cases({ evidence: this.evidence, retry, random: () => 1, now: () => this.clock.now() })
  }

  record(lane = this.lane): AsideRecord {
    const { share } = this
    const place = this.#places++
    const record = { lane, share, place, since: NEVER, booked: false, known: undefined, trouble: undefined }
    return record as unknown as AsideRecord
  }

  /** A request with other records is accepted. */
  accept(): void {
    this.evidence.accepted(this.evidence.begin())
  }

  /** A request with this record alone is refused. Returns whether that condemns it. */
  refuse(record: AsideRecord): boolean {
    this.evidence.begin()
    return this.cases.refused(record, false)
  }

  /** A request with this record fails for it. Returns whether it is given up. */
  fail(record: AsideRecord, final = true): boolean {
    this.evidence.begin()
    return this.cases.failed(record, false, final)
  }

  /** How long until the next one is retried: milliseconds. */
  get wait(): number {
    return this.cases.due()! - this.clock.now()
  }
}

t.test('a record is retried after waits that grow as those of requests, to their limit', t => {
  const apart = new Apart()
  const record = apart.record()
  const waits: number[] = []
  for (let n = 0; n < 20; n++) {
    apart.fail(record)
    waits.push(apart.wait)
    apart.clock.pass(apart.wait)
  }
  for (const [n, wait] of waits.entries()) t.ok(n === 0 || wait >= waits[n - 1]!, `${wait} ms`)
  t.ok(waits[0]! <= 100 && waits.at(-1)! > 5 * MINUTE && waits.at(-1)! <= 10 * MINUTE, `${waits.at(-1)} ms`)
  t.end()
})

t.test('a record that was refused alone is retried as soon as another one is accepted, in the order of its file', t => {
  const apart = new Apart()
  const [one, two] = [apart.record(), apart.record()]
  for (const record of [two, one]) apart.refuse(record)
  t.strictSame(apart.cases.proven(apart.lane, Number.POSITIVE_INFINITY), [])
  t.equal(apart.cases.unproven(apart.lane), one, 'until then the first one may be tried')
  apart.accept()
  t.strictSame(apart.cases.proven(apart.lane, Number.POSITIVE_INFINITY), [one, two])
  t.strictSame(apart.cases.proven(apart.lane, two.place), [one])
  t.strictSame(apart.cases.proven(new Lane('other.log'), Number.POSITIVE_INFINITY), [], 'not those of another file')
  t.equal(apart.cases.unproven(apart.lane), undefined)
  for (const record of [one, two]) apart.cases.close(record)
  t.equal(apart.lane.doubts, 0, 'once both are settled the file is as any other')
  t.end()
})

t.test('a record is condemned by refusals with something accepted between them, and by nothing less', t => {
  const apart = new Apart()
  const record = apart.record()
  for (let n = 0; n < 30; n++) t.notOk(apart.refuse(record), 'nothing else is accepted')
  apart.accept()
  t.ok(apart.refuse(record))
  t.end()
})

t.test(
  'one that fails for itself is given up after ten attempts and a quarter of an hour, if others are accepted',
  t => {
    const tried = (others: boolean, final: boolean, minutes: number): number => {
      const apart = new Apart()
      const record = apart.record()
      for (let attempt = 1; attempt <= 100; attempt++) {
        if (apart.fail(record, final)) return attempt
        apart.clock.pass(minutes * MINUTE)
        if (others) apart.accept()
      }
      return Number.POSITIVE_INFINITY
    }
    t.equal(tried(true, true, 2), 10, 'eighteen minutes')
    t.equal(tried(true, true, 0.5), 31, 'a quarter of an hour')
    t.equal(tried(false, true, 2), Number.POSITIVE_INFINITY, 'it may be the address')
    t.equal(tried(true, false, 2), Number.POSITIVE_INFINITY, 'its backend does not allow it')
    t.end()
  },
)

t.test('none is forgotten: each that fails is offered once it is due, however many there are', t => {
  const apart = new Apart()
  const records = Array.from({ length: 64 }, () => apart.record())
  apart.accept()
  for (const record of records) apart.fail(record)
  t.notOk(apart.share.mayFail, 'more than that of one source may not fail at a time')
  t.strictSame(apart.cases.failing(), [], 'none is due')
  apart.accept()
  const offered = new Set<AsideRecord>()
  for (let n = 0; n < 500 && offered.size < records.length; n++) {
    apart.clock.pass(apart.wait > 0 ? apart.wait : 0)
    for (const record of apart.cases.failing()) {
      offered.add(record)
      // It was accepted at last: each that is tried is one less.
      apart.cases.close(record)
    }
    for (const record of records) {
      if (record.trouble?.kind === 'failing' && record.trouble.doubt) {
        apart.fail(record)
        apart.accept()
      }
    }
  }
  t.equal(offered.size, records.length)
  t.equal(apart.share.failing, 0)
  t.equal(apart.cases.size, 0)
  t.equal(apart.lane.doubts, 0)
  t.end()
})

t.test('when the shipper drains every wait is over, and those that follow are of a second at the most', t => {
  const apart = new Apart()
  const record = apart.record()
  for (let n = 0; n < 15; n++) apart.fail(record)
  t.ok(apart.wait > MINUTE)
  apart.cases.hurry()
  t.equal(apart.wait, 0)
  apart.fail(record)
  t.ok(apart.wait <= 1000)
  t.end()
})

t.test('those that an answer names are retried together, each other one alone', t => {
  const apart = new Apart()
  const [one, two, three] = [apart.record(), apart.record(), apart.record()]
  apart.cases.refused(one, true)
  apart.cases.refused(two, false)
  apart.cases.refused(three, true)
  t.strictSame(companions([one, two, three]), [one, three])
  t.strictSame(companions([two, one, three]), [two])
  apart.cases.untold([one, three])
  t.strictSame(companions([one, two, three]), [one], 'until they are refused together, and none is named')
  t.end()
})

t.test('those that an answer names and that are waited for for long are due at the same moments', t => {
  const apart = new Apart()
  const records = Array.from({ length: 20 }, () => apart.record())
  const dues = new Set<number>()
  for (let attempt = 0; attempt < 8; attempt++) {
    for (const record of records) {
      apart.clock.pass(1)
      apart.cases.failed(record, true, false)
    }
  }
  for (const { trouble } of records) dues.add(trouble!.due)
  t.equal(dues.size, 1, 'they go in one request')
  t.end()
})
