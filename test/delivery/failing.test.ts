/** Records that fail for themselves, told by name: the stream goes on without them, and what becomes of them in the end. */
import t, { type Test } from 'tap'
import type { Answer, Backend, Verdict } from '../../src/backends/backend.ts'
import type { RejectedRecord } from '../../src/delivery/outcome/settlement.ts'
import { until } from '../program.ts'
import { answer, httpBackend, messages, numbered, origin, Receiver, rig } from './rig.ts'

type Fate = 'accepted' | 'refused' | 'failing' | 'busy'

/** A backend that tells of every record by name; `fate` says what, of each line. */
async function lay(t: Test, fate: (line: string) => Fate, fields: object = {}) {
  const accepted: string[] = []
  const rejected: [line: string, reason: string][] = []
  const receiver = new Receiver((request, response, count) => {
    const lines = messages([request])
    const named = lines.map((line, index) => ({ index, is: fate(line), line }))
    accepted.push(...named.filter(({ is }) => is === 'accepted').map(({ line }) => line))
    const of = (is: Fate) => named.filter(each => each.is === is)
    const verdict: Verdict = {
      kind: 'items',
      rejected: of('refused').map(({ index }) => ({ index, reason: 'mapping', detail: 'no such field' })),
      retry: [
        ...of('failing').map(({ index }) => ({ index, reason: 'npe', detail: 'it is null', rejectAs: 'http_500' })),
        ...of('busy').map(({ index }) => ({ index, reason: 'queue_full' })),
      ].sort((one, other) => one.index - other.index),
    }
    const all = verdict.rejected.length + verdict.retry.length === 0
    answer(200, {}, JSON.stringify(all ? { kind: 'delivered' } : verdict))(request, response, count)
  })
  const url = await receiver.listen()
  const backend: Backend = { ...httpBackend(url), judge: ({ body }: Answer) => JSON.parse(body) as Verdict }
  const onRejected = ({ frame, reason }: RejectedRecord) => void rejected.push([frame.toString(), reason])
  const made = rig(url, {}, {}, { backend, onRejected, random: Math.random, ...fields })
  t.teardown(() => {
    made.delivery.stop()
    return receiver.close()
  })
  let fileStart = 0
  const ship = (lines: readonly string[], from = origin()) => {
    const slab = made.arena.slab({ lines, fileStart, origin: from })
    fileStart += lines.reduce((sum, line) => sum + line.length + 1, 0)
    const sent = Promise.withResolvers<void>()
    const settled = made.delivery
      .ship(slab, { onSent: sent.resolve, onFree: () => made.arena.budget.release(slab.extent) })
      .then(shipped => {
        sent.resolve()
        return shipped
      })
    return { sent: sent.promise, settled }
  }
  return { ...made, receiver, accepted, rejected, ship }
}

const fateOf = (line: string): Fate => (line.startsWith('bad') ? 'failing' : 'accepted')
/** A file of another source. */
const OTHER = { ...origin('/var/log/other.log'), source: 'other' }
const QUARTER = 15 * 60_000

t.test('a record that alone fails again and again steps aside: later ones go on', async t => {
  const laid = await lay(t, fateOf)
  const first = laid.ship(['line 0', 'bad 0', 'line 1'])
  await first.sent
  t.strictSame(laid.accepted, ['line 0', 'line 1'])
  t.equal(laid.delivery.aside, 1)
  t.equal(laid.arena.budget.used, 0, 'it holds no place in the arena')
  await laid.ship(['line 2', 'line 3']).settled
  t.strictSame(laid.accepted, numbered(4))
  t.strictSame(laid.rejected, [])
  t.match(
    laid.listener.said.find(({ sentence }) => sentence.includes('apart from the others')),
    { level: 'warn', fields: { reason: 'npe', detail: 'it is null', offset: 7 } },
  )
})

t.test('it is accepted when it can be', async t => {
  let mended = false
  const laid = await lay(t, line => (mended ? 'accepted' : fateOf(line)))
  const { sent, settled } = laid.ship(['line 0', 'bad 0'])
  await sent
  await laid.ship(['line 1']).settled
  mended = true
  t.match(await settled, { kind: 'settled' })
  t.strictSame(laid.accepted, ['line 0', 'line 1', 'bad 0'])
  t.strictSame(laid.rejected, [])
})

t.test(
  'it is given up after a quarter of an hour in which others were accepted, under a reason of its own',
  async t => {
    let now = 0
    const laid = await lay(t, fateOf, { now: () => now })
    const { sent, settled } = laid.ship(['line 0', 'bad 0'])
    await sent
    const attempts = () => laid.receiver.received.filter(request => messages([request]).includes('bad 0')).length
    // Attempts alone do not do it.
    for (let at = 1; attempts() < 30; at++) {
      now += 1_000
      await laid.ship([`line ${at}`]).settled
    }
    t.strictSame(laid.rejected, [])
    now += QUARTER
    const before = attempts()
    t.ok(await until(() => attempts() > before))
    let over = false
    void settled.then(() => {
      over = true
    })
    for (let at = 100; !over; at++) {
      now += 60_000
      await laid.ship([`line ${at}`]).settled
    }
    t.strictSame(laid.rejected, [['bad 0', 'http_500']])
    t.match(laid.arena.outcome, { rejected: { http_500: { lines: 1, bytes: 6 } } })
  },
)

t.test('it is never given up while nothing else is accepted', async t => {
  let now = 0
  const laid = await lay(t, fateOf, { now: () => now })
  void laid.ship(['bad 0'])
  const { received } = laid.receiver
  while (received.length < 40) {
    now += 60_000
    await new Promise(resolve => setTimeout(resolve, 2))
  }
  t.strictSame(laid.rejected, [])
  t.equal(laid.arena.outcome.rejected['http_500'], undefined)
})

t.test('what fails for the backend’s own sake is never given up', async t => {
  let now = 0
  const laid = await lay(t, line => (line.startsWith('bad') ? 'busy' : 'accepted'), { now: () => now })
  const { sent } = laid.ship(['line 0', 'bad 0'])
  await sent
  for (let at = 1; at < 60; at++) {
    now += 60_000
    await laid.ship([`line ${at}`]).settled
  }
  t.strictSame(laid.rejected, [])
  t.equal(laid.delivery.aside, 1)
})

t.test(
  'only so many of a source stand apart: its others wait, the stream goes on, and all come in the end',
  async t => {
    let mended = false
    const laid = await lay(t, line => (mended ? 'accepted' : fateOf(line)))
    const bad = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `bad ${from + n}`)
    const asides = () => new Set(laid.receiver.received.flatMap(request => messages([request]))).size
    await laid.ship(['line 0', ...bad(0, 60)]).sent
    t.equal(laid.delivery.aside, 60)
    const more = laid.ship(['line 1', ...bad(60, 400)])
    await more.sent
    t.equal(laid.delivery.aside, 400)
    t.ok(await until(() => laid.arena.budget.used === 0), 'they hold no place in the arena')
    await laid.ship(['line 2'], OTHER).settled
    t.strictSame(laid.accepted, ['line 0', 'line 1', 'line 2'])
    const later = laid.receiver.received.length + 20
    t.ok(await until(() => laid.receiver.received.length > later), 'those that stand apart are retried')
    const most = Math.max(...laid.receiver.received.slice(later - 20).map(request => messages([request]).length))
    t.ok(most <= 64, `${most} of them, and none of the others`)
    mended = true
    await more.settled
    t.ok(await until(() => laid.delivery.aside === 0))
    t.strictSame(laid.rejected, [])
    t.equal(laid.accepted.length, 403)
    t.equal(asides(), 403)
  },
)

t.test('records of one source that fail for themselves take no place of another one', async t => {
  const laid = await lay(t, fateOf)
  const bad = (count: number) => Array.from({ length: count }, (_, n) => `bad ${n}`)
  await laid.ship(['line 0', ...bad(500)]).sent
  await laid.ship(['bad of its own', 'line 1'], OTHER).sent
  const tries = () => laid.receiver.received.filter(each => messages([each]).includes('bad of its own')).length
  t.ok(await until(() => tries() > 5), 'it is retried as if it were alone')
  t.strictSame(laid.accepted, ['line 0', 'line 1'])
  t.strictSame(laid.rejected, [])
})

t.test('what is refused by name is rejected at once if the same answer took another one', async t => {
  const laid = await lay(t, line => (line.startsWith('bad') ? 'refused' : 'accepted'))
  await laid.ship(['line 0', 'bad 0', 'line 1', 'bad 1']).settled
  t.strictSame(laid.rejected, [
    ['bad 0', 'mapping'],
    ['bad 1', 'mapping'],
  ])
  t.equal(laid.receiver.received.length, 1)
})

t.test(
  'where every record is refused by name it is the index: none is rejected, and all come when it is mended',
  async t => {
    let mended = false
    const laid = await lay(t, () => (mended ? 'accepted' : 'refused'))
    const shipped = [laid.ship(numbered(300))]
    await shipped[0]!.sent
    shipped.push(laid.ship(numbered(300, 300)))
    t.ok(await until(() => laid.delivery.health.kind === 'down'))
    t.match(laid.delivery.health, { reason: 'mapping' })
    t.match(
      laid.listener.said.find(({ level }) => level === 'error'),
      { fields: { reason: 'mapping', detail: 'no such field' } },
    )
    const before = laid.receiver.received.length
    const attempts = () => (laid.delivery.health.kind === 'up' ? 0 : laid.delivery.health.attempts)
    const begun = attempts()
    t.ok(await until(() => attempts() >= begun + 3))
    const [requests, more] = [laid.receiver.received.length - before, attempts() - begun]
    t.ok(requests <= more + 1, `${requests} requests in ${more} attempts`)
    t.strictSame(laid.rejected, [])
    mended = true
    await Promise.all(shipped.map(({ settled }) => settled))
    t.strictSame([...laid.accepted].sort(), numbered(600).sort())
    t.strictSame(laid.rejected, [])
  },
)

t.test('one refused by name alone is rejected when another was accepted', async t => {
  const laid = await lay(t, line => (line.startsWith('bad') ? 'refused' : 'accepted'))
  const { sent, settled } = laid.ship(['bad 0'])
  await sent
  t.strictSame(laid.rejected, [])
  await laid.ship(['line 0']).settled
  await settled
  t.strictSame(laid.rejected, [['bad 0', 'mapping']])
})
