/** What delivery says of one destination, with a clock and a health that the test sets. */
import t from 'tap'
import type { Verdict } from '../../../src/backends/backend.ts'
import type { Health } from '../../../src/delivery/circuit.ts'
import type { Payload } from '../../../src/delivery/encoding/encoder.ts'
import { DeliveryLog } from '../../../src/delivery/outcome/delivery-log.ts'
import { DeliveryStats } from '../../../src/delivery/outcome/stats.ts'
import { HandClock } from '../../clock.ts'
import { Arena, Listener } from '../rig.ts'

const MINUTE = 60_000

/** `frameBytes`: of the payload that is sent. */
function remarks({ frameBytes = 100_000 } = {}) {
  const arena = new Arena()
  const slab = arena.slab({ lines: ['user=alice password=hunter2', 'GET /health 200'] })
  const payload = {
    ranges: [{ from: 0, to: 2 }],
    records: 2,
    frameBytes,
    view: Buffer.alloc(100),
  } as unknown as Payload
  const clock = new HandClock()
  const listener = new Listener()
  const stats = new DeliveryStats()
  const state: { health: Health; behind: number } = { health: { kind: 'up' }, behind: 0 }
  const made = new DeliveryLog({
    name: 'main',
    kernel: arena.kernel,
    stats,
    logger: listener,
    health: () => state.health,
    behind: () => state.behind,
    now: () => clock.now(),
  })
  let up = true
  return {
    clock,
    listener,
    stats,
    state,
    made,
    fail(verdict: Extract<Verdict, { kind: 'retry' | 'unauthorized' }>) {
      const change = { kind: 'failed', failure: verdict, news: up } as const
      made.request({ slab, payload, verdict, status: undefined, sent: 0, change })
      up = false
    },
    back(away: number) {
      const delivered = { slab, payload, verdict: { kind: 'delivered' }, status: 204, sent: 99 } as const
      made.request({ ...delivered, change: { kind: 'recovered', away } })
      up = true
    },
  }
}

t.test('an outage is said when it begins and after 1, 5, 15 and every 15 minutes, with what it means', t => {
  const { clock, listener, state, fail, back } = remarks()
  for (let second = 0; second < 31 * 60; second += 10) {
    state.behind = second * 100
    state.health = {
      kind: 'down',
      since: 0,
      reason: 'http_503',
      attempts: 1 + second / 10,
      nextAttemptAt: Date.now() + 10_000,
    }
    fail({ kind: 'retry', reason: 'http_503', detail: 'under maintenance' })
    clock.pass(10_000)
  }
  const [first, ...others] = listener.said
  const common = { backend: 'main', reason: 'http_503', detail: 'under maintenance' }
  t.strictSame(first, {
    level: 'warn',
    sentence: 'backend unavailable; retrying',
    fields: { event: 'backend_down', ...common },
  })
  t.match(
    others,
    [1, 5, 15, 30].map(minute => ({
      level: 'warn',
      sentence: 'backend still unavailable; retrying',
      fields: {
        event: 'backend_still_down',
        ...common,
        downSeconds: minute * 60,
        attempts: 1 + minute * 6,
        nextAttemptSeconds: 10,
        backlogBytes: minute * 6000,
      },
    })),
  )
  t.equal(others.length, 4)
  back(31 * MINUTE)
  t.strictSame(listener.said.at(-1), {
    level: 'info',
    sentence: 'backend recovered',
    fields: { event: 'backend_recovered', backend: 'main', downSeconds: 1860 },
  })
  t.end()
})

t.test('refused credentials and a misconfigured destination are said as often, as errors', t => {
  for (const [verdict, event, reminder, still] of [
    [
      { kind: 'unauthorized', reason: 'http_401', detail: 'no' },
      'credentials_refused',
      'credentials_still_refused',
      'credentials still refused; retrying',
    ],
    [
      { kind: 'retry', reason: 'http_404', misconfigured: true },
      'backend_misconfigured',
      'backend_still_misconfigured',
      'backend still misconfigured; retrying',
    ],
  ] as const) {
    const { clock, listener, fail } = remarks()
    for (let minute = 0; minute <= 15; minute++) {
      fail(verdict)
      clock.pass(MINUTE)
    }
    t.strictSame(
      listener.said.map(({ level, fields }) => [level, fields['event'], fields['detail']]),
      [event, reminder, reminder, reminder].map(each => ['error', each, undefined]),
    )
    t.equal(listener.said.at(-1)?.sentence, still)
  }
  t.end()
})

t.test('another reason for the same outage is said when it comes up, once, and however many there are', t => {
  const { clock, listener, fail, back } = remarks()
  for (const reason of ['ECONNREFUSED', 'http_503', 'ECONNREFUSED', 'http_503', 'http_429']) {
    fail({ kind: 'retry', reason })
    clock.pass(1000)
  }
  t.strictSame(
    listener.said.map(({ fields }) => fields['reason']),
    ['ECONNREFUSED', 'http_503', 'http_429'],
  )
  for (let n = 0; n < 1000; n++) fail({ kind: 'retry', reason: `reason ${n}` })
  t.equal(listener.said.length, 16, 'what a hostile server makes up is bounded')
  back(1000)
  fail({ kind: 'retry', reason: 'http_503' })
  t.match(listener.said.at(-1), { sentence: 'backend unavailable; retrying', fields: { reason: 'http_503' } })
  t.end()
})

t.test('what was never said to be down is not said to be back', t => {
  const { listener, back } = remarks()
  back(100)
  t.strictSame(listener.said, [])
  t.end()
})

t.test('words about much are looked at once a second; the same words are not looked at again, and stay known', t => {
  const { clock, stats, fail } = remarks()
  fail({ kind: 'retry', reason: 'http_503', detail: 'one' })
  t.equal(stats.lastError?.detail, 'one')
  fail({ kind: 'retry', reason: 'http_503', detail: 'one' })
  t.equal(stats.lastError?.detail, 'one')
  fail({ kind: 'retry', reason: 'http_503', detail: 'two' })
  t.equal(stats.lastError?.detail, undefined)
  clock.pass(1000)
  fail({ kind: 'retry', reason: 'http_503', detail: 'two' })
  t.equal(stats.lastError?.detail, 'two')
  clock.pass(1000)
  fail({ kind: 'retry', reason: 'http_503', detail: 'cannot take user=alice password=hunter2' })
  t.equal(stats.lastError?.detail, undefined, 'what was sent is not repeated')
  t.end()
})

t.test('words about a record or a few are looked at each time', t => {
  const { stats, fail } = remarks({ frameBytes: 1000 })
  for (const detail of ['one', 'two', 'three']) {
    fail({ kind: 'retry', reason: 'http_503', detail })
    t.equal(stats.lastError?.detail, detail)
  }
  fail({ kind: 'retry', reason: 'http_503', detail: 'cannot take user=alice password=hunter2' })
  t.equal(stats.lastError?.detail, undefined, 'what was sent is not repeated')
  t.end()
})
