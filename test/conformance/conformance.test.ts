/**
 * One suite over every backend that speaks HTTP, before a server of its kind that fails by a script: whatever happens,
 * nothing is lost, what is said twice is the same, and the account is what the server stored.
 */
import t, { type Test } from 'tap'
import type { Answer } from '../../src/backends/backend.ts'
import type { Fault } from './server.ts'
import { judgeOf, METADATA, ORIGIN, SHORT, stage } from './stage.ts'
import type { Subject } from './subject.ts'
import { REMOTE_TYPES, SUBJECTS } from './subjects.ts'

const says = (status: number, headers: Record<string, string> = {}, body = ''): Answer => ({ status, headers, body })
const HTML = { 'content-type': 'text/html; charset=utf-8' }
const JSON_TYPE = { 'content-type': 'application/json' }

interface Trouble {
  readonly name: string
  readonly faults: readonly Fault[]
  /** All of it may come twice: what was accepted was not heard of. */
  readonly twice?: true
  /** The first request is not sent again as it was. */
  readonly changes?: true
  /** Milliseconds that pass before the next attempt, at the least. */
  readonly wait?: number
  /** The request is given up when its time has run out. */
  readonly patience?: true
}

const refused = (answer: Answer): Fault => ({ kind: 'answer', answer })

const TROUBLES: readonly Trouble[] = [
  { name: 'nothing at all', faults: [] },
  { name: 'an error of the server, three times', faults: [500, 502, 503].map(status => refused(says(status))) },
  { name: 'too many requests', faults: [refused(says(429, { 'retry-after': '1' }))], wait: 1000 },
  { name: 'a maintenance window with a date', faults: [refused(says(503, { 'retry-after': in1s() }))] },
  { name: 'a server that never answers', faults: [{ kind: 'silence' }], patience: true },
  { name: 'a reset before the body was accepted', faults: [{ kind: 'cut', after: 0 }] },
  { name: 'a reset after the body was accepted', faults: [{ kind: 'accepted' }], twice: true },
  { name: 'a request that is too large', faults: [refused(says(413))], changes: true },
  { name: 'refused credentials', faults: [refused(says(401, {}, 'who are you?'))] },
  { name: 'a login page', faults: [refused(says(200, HTML, '<!doctype html><title>Sign in</title>'))] },
  { name: 'a redirect', faults: [refused(says(307, { location: 'http://192.0.2.1/' }))] },
  { name: 'a wrong address', faults: [refused(says(404, HTML, '<h1>Not Found</h1>'))] },
  { name: 'an error page of ten megabytes', faults: [refused(says(500, HTML, 'x'.repeat(10 << 20)))] },
  { name: 'an answer without an end', faults: [{ kind: 'endless' }], patience: true },
  {
    name: 'an answer that breaks off',
    faults: [{ kind: 'stored', answer: says(200, JSON_TYPE, '{"a":[{"b') }],
    twice: true,
  },
]

function in1s(): string {
  return new Date(Date.now() + 1000).toUTCString()
}

const LINES = ['one', 'two', 'six', 'ten']
const BYTES = 16

t.test('every type that speaks HTTP has a subject', async t => {
  t.same(new Set(SUBJECTS.map(({ type }) => type)), new Set(REMOTE_TYPES))
  t.equal(new Set(SUBJECTS.map(({ name }) => name)).size, SUBJECTS.length, 'each by its own name')
})

// Every subject meets all its troubles at once, each of which may be a time limit.
t.setTimeout(180_000)
t.jobs = 2
for (const subject of SUBJECTS) {
  t.test(subject.name, { buffered: true }, async t => {
    t.jobs = TROUBLES.length
    const all = TROUBLES.map(trouble => t.test(trouble.name, { buffered: true }, t => survives(t, subject, trouble)))
    for (const { name, answer, verdict } of subject.cases) {
      if (verdict.kind !== 'bisect' && verdict.kind !== 'split') continue
      const title = `to everything for a while: ${name}`
      all.push(t.test(title, { buffered: true }, t => outlives(t, subject, answer)))
    }
    all.push(t.test('what a record says', { buffered: true }, t => speaks(t, subject)))
    if (subject.poisoned) all.push(t.test('one record of four', { buffered: true }, t => isolates(t, subject)))
    await Promise.all(all)
  })
}

async function survives(t: Test, subject: Subject, { faults, twice, changes, wait, patience }: Trouble): Promise<void> {
  const { server, arena, ship, delivery } = await stage(t, subject, patience ? { timeout: SHORT } : {})
  server.faults.push(...faults)
  const shipped = ship({ lines: LINES })
  if (wait !== undefined) {
    while (delivery.health.kind === 'up') await new Promise(setImmediate)
    const { since, nextAttemptAt } = delivery.health
    t.ok(nextAttemptAt - since >= wait, 'not sooner than it was asked')
  }
  await shipped
  t.same(server.wrong, [], 'every request is as the documentation asks for')
  t.same(server.faults, [], 'the fault was met')
  const { messages } = server
  if (twice && messages.length > LINES.length) t.same(messages, [...LINES, ...LINES], 'all of it once more')
  else t.same(messages, LINES, 'nothing is missing, nothing comes twice, in order')
  t.same(arena.outcome, { delivered: { lines: 4, bytes: BYTES }, rejected: {}, dropped: {} })
  t.equal(arena.budget.used, 0, 'nothing is held')
  t.equal(delivery.health.kind, 'up')
  const [first, ...others] = server.seen
  if (changes) return
  for (const again of others) {
    t.same(again.body, first!.body, 'the same bytes again')
    t.equal(again.url, first!.url)
    t.equal(again.headers['idempotency-key'], first!.headers['idempotency-key'])
  }
}

/** So many requests, whatever is in them, are answered so. */
const WHILE = 14

/** An answer that would reject a record, given to everything, is about the address: it costs time only. */
async function outlives(t: Test, subject: Subject, answer: Answer): Promise<void> {
  const { server, arena, ship, delivery } = await stage(t, subject)
  server.faults.push(...Array<Fault>(WHILE).fill(refused(answer)))
  await ship({ lines: LINES })
  t.same(server.wrong, [], 'every request is as the documentation asks for')
  t.same(server.faults, [], 'that often')
  t.same([...server.messages].sort(), [...LINES].sort(), 'nothing is missing, nothing comes twice')
  t.same(arena.outcome, { delivered: { lines: 4, bytes: BYTES }, rejected: {}, dropped: {} })
  t.equal(arena.budget.used, 0, 'nothing is held')
  t.equal(delivery.health.kind, 'up')
}

/** Every attribute is there, ids tell records apart, times keep their order, and what was cut before says so. */
async function speaks(t: Test, subject: Subject): Promise<void> {
  const { server, ship } = await stage(t, subject)
  await ship({ lines: LINES })
  await ship({ lines: ['the head of a longer line'], fileStart: BYTES, cutFrom: 70_000 })
  await ship({ lines: ['the last line'], fileStart: BYTES + 70_000, partial: true })
  t.same(server.wrong, [])
  const { stored, messages } = server
  t.same(messages, [...LINES, 'the head of a longer line', 'the last line'])
  if (subject.verbatim) return
  const { namespace, pod } = METADATA
  const attributes = Object.entries({ source: ORIGIN.source, file: ORIGIN.path, ...ORIGIN.labels, namespace, pod })
  const wanted = attributes.filter(([name]) => subject.says?.includes(name) ?? true)
  for (const record of stored.filter(({ attributes }) => Object.keys(attributes).length > 0)) {
    const said = new Set(Object.values(record.attributes))
    for (const [name, value] of wanted) t.ok(said.has(value!), `it says its ${name}`)
    t.equal(record.truncated, record.message.startsWith('the head'), 'it says whether it was cut')
  }
  const ids = stored.flatMap(({ id }) => id ?? [])
  t.ok(ids.length === 0 || ids.length === stored.length)
  t.equal(new Set(ids).size, ids.length, 'each its own id')
  const times = stored.flatMap(({ time }) => time ?? [])
  t.ok(times.length === 0 || times.length === stored.length)
  const tie = subject.clock === 'milliseconds' ? 0n : 1n
  t.same(
    times.filter((time, at) => at > 0 && time < times[at - 1]! + tie),
    [],
    'times keep their order',
  )
}

/** The answer is believed to the letter: one record is rejected, the others are delivered and not sent again. */
async function isolates(t: Test, subject: Subject): Promise<void> {
  const { server, ship, arena, backend } = await stage(t, subject)
  server.poison = 'two'
  await ship({ lines: LINES })
  t.same(server.wrong, [])
  const verdict = judgeOf(backend)(subject.poisoned!(server.seen[0]!))
  // A server that takes equal records once may be asked about halves.
  const messages = verdict.kind === 'bisect' ? [...new Set(server.messages)] : server.messages
  t.same([...messages].sort(), ['one', 'six', 'ten'])
  const { delivered, rejected } = arena.outcome
  t.same(delivered, { lines: 3, bytes: 12 })
  t.same(Object.values(rejected), [{ lines: 1, bytes: 4 }])
  t.equal(arena.budget.used, 0, 'nothing is held')
}
