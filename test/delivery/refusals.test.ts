/**
 * What is refused: records that are at fault are found and cost no other record anything; an address that refuses
 * everything costs time. Over real sockets.
 */
import t, { type Test } from 'tap'
import type { Slab } from '../../src/chunk.ts'
import type { RejectedRecord } from '../../src/delivery/outcome/settlement.ts'
import { until } from '../program.ts'
import { answer, type FileLines, messages, numbered, origin, type Received, Receiver, type Rig, rig } from './rig.ts'

const A = origin('/var/log/app/a.log')
const B = origin('/var/log/app/b.log')

/** What the receiver says to these lines: 204 if nothing. */
type Say = (lines: readonly string[], request: Received) => number | undefined

const isBad = (line: string): boolean => line.startsWith('bad')
/** A receiver that objects to some lines: it refuses every request with one of them. */
const objects: Say = lines => (lines.some(isBad) ? 400 : undefined)

interface Laid extends Rig {
  readonly receiver: Receiver
  /** Lines of requests that were accepted, in order, and of those that were rejected. */
  readonly accepted: string[]
  readonly rejected: { line: string; reason: string; status: number | undefined }[]
  say: Say
  /** Sends slabs as a pipeline does: the next when the last was sent. Resolves when all have settled. */
  flow(slabs: readonly (readonly FileLines[])[]): Promise<void>
  /** Only until all were sent, or are aside. */
  sent(...files: FileLines[]): Promise<{ settled: Promise<unknown>; slab: Slab }>
}

async function lay(t: Test, say: Say, ...more: [own?: object, options?: object, fields?: object]): Promise<Laid> {
  const accepted: string[] = []
  const rejected: Laid['rejected'] = []
  const receiver = new Receiver((request, response, count) => {
    const lines = messages([request])
    const status = laid.say(lines, request) ?? 204
    if (status < 300) accepted.push(...lines)
    answer(status, {}, status < 300 ? '' : 'the words of the server')(request, response, count)
  })
  const url = await receiver.listen()
  const [own = {}, options = {}, fields = {}] = more
  const onRejected = ({ frame, reason, status }: RejectedRecord) =>
    void rejected.push({ line: frame.toString(), reason, status })
  const made = rig(url, own, options, { onRejected, random: Math.random, ...fields })
  const { arena, delivery } = made
  t.teardown(() => {
    delivery.stop()
    return receiver.close()
  })
  const sent = async (...files: FileLines[]) => {
    const slab = arena.slab(...files)
    const ready = Promise.withResolvers<void>()
    const release = () => arena.budget.release(slab.extent)
    const settled = delivery.ship(slab, { onSent: () => ready.resolve(), onFree: release }).then(shipped => {
      ready.resolve()
      return shipped
    })
    await ready.promise
    return { settled, slab }
  }
  const flow = async (slabs: readonly (readonly FileLines[])[]) => {
    const all = []
    for (const files of slabs) all.push((await sent(...files)).settled)
    await Promise.all(all)
  }
  const laid: Laid = { ...made, receiver, accepted, rejected, say, flow, sent }
  return laid
}

/** Lines of one file, so that offsets go on from run to run. */
function file(of = A) {
  let fileStart = 0
  return (lines: readonly string[]): FileLines => {
    const run = { lines, origin: of, fileStart }
    fileStart += lines.reduce((sum, line) => sum + line.length + 1, 0)
    return run
  }
}

// Searching takes as long as the machine needs for a thousand requests.
t.setTimeout(180_000)

t.test('one bad line in twenty costs its neighbours nothing, and they stay in order', async t => {
  const laid = await lay(t, objects)
  const next = file()
  const lines = numbered(500).map((line, at) => (at % 20 === 7 ? `bad ${at}` : line))
  await laid.flow([0, 1, 2, 3].map(at => [next(lines.slice(at * 125, at * 125 + 125))]))
  t.strictSame(
    laid.accepted,
    lines.filter(line => !isBad(line)),
  )
  t.strictSame(new Set(laid.rejected.map(({ line }) => line)), new Set(lines.filter(isBad)))
  t.equal(laid.rejected.length, 25, 'each of them once')
  t.equal(laid.arena.budget.used, 0, 'nothing is held')
  t.ok(laid.receiver.received.length < 25 * 15, `${laid.receiver.received.length} requests`)
})

t.test('bad lines of one file cost the lines of another nothing, not even their place', async t => {
  const laid = await lay(t, objects)
  const a = file(A)
  const b = file(B)
  const lines = numbered(1500)
  const slabs = Array.from({ length: 15 }, (_, at) => [
    a(Array.from({ length: at === 0 ? 40 : 5 }, (_, n) => `bad ${at} ${n}`)),
    b(lines.slice(at * 100, at * 100 + 100)),
  ])
  const flowing = laid.flow(slabs)
  t.ok(await until(() => laid.accepted.length === lines.length), 'however long the search takes')
  t.strictSame(laid.accepted, lines)
  // The last bad ones are known to be when another one is accepted.
  let at = lines.length
  const timer = setInterval(() => void laid.sent(b([`line ${at++}`])), 20)
  t.teardown(() => clearInterval(timer))
  await flowing
  t.equal(laid.rejected.length, 40 + 14 * 5)
  t.ok(laid.rejected.every(({ line, reason, status }) => isBad(line) && reason === 'http_400' && status === 400))
  const mixed = laid.receiver.received.filter(request => {
    const all = messages([request])
    return all.some(isBad) && all.some(line => !isBad(line))
  })
  t.ok(mixed.length <= 6, `${mixed.length} requests had lines of both, before it was known`)
})

t.test('a stream does not wait for the search in a file that is bad from end to end', async t => {
  const laid = await lay(t, objects)
  const a = file(A)
  const b = file(B)
  const { settled } = await laid.sent(
    a(Array.from({ length: 150 }, (_, n) => `bad ${n} ${'x'.repeat(1200)}`)),
    b(numbered(10)),
  )
  for (let at = 1; at < 20; at++) await laid.sent(b(numbered(10, at * 10)))
  t.ok(laid.rejected.length < 150, 'it is not through yet')
  t.ok(laid.delivery.withholds(A), 'no more should be read of it')
  t.notOk(laid.delivery.withholds(B))
  t.strictSame(laid.accepted, numbered(200))
  // A proof that the address works is needed now and then.
  let at = 200
  const timer = setInterval(() => void laid.sent(b([`line ${at++}`])), 5)
  t.teardown(() => clearInterval(timer))
  await settled
  t.equal(laid.rejected.length, 150)
  t.notOk(laid.delivery.withholds(A))
})

t.test('what finds no room aside waits in its slab, and all else of that slab is sent', async t => {
  const laid = await lay(t, objects)
  const a = file(A)
  const b = file(B)
  const bad = (count: number) => Array.from({ length: count }, (_, n) => `bad ${n} ${'x'.repeat(1000)}`)
  await laid.sent(a(bad(1100)))
  t.equal(laid.delivery.aside, 1100, 'in two requests, so that the slab can go')
  const { settled } = await laid.sent(a(bad(3)), b(numbered(10)))
  t.strictSame(laid.accepted, numbered(10), 'the next slab may go')
  t.equal(laid.delivery.aside, 1100)
  await laid.sent(b(numbered(10, 10)))
  t.strictSame(laid.accepted, numbered(20))
  laid.delivery.makeRoom()
  t.equal(laid.delivery.aside, 1103)
  laid.delivery.stop()
  t.match(await settled, { kind: 'abandoned' })
  t.ok(await until(() => laid.arena.budget.used === 0), 'the slab has been given up')
})

t.test('of a request that is refused the sources of which nothing was refused before are tried first', async t => {
  const laid = await lay(t, objects)
  await laid.sent(file(A)(['bad 0', 'bad 1']))
  const others = Array.from({ length: 9 }, (_, n) => file(origin(`/var/log/app/${n}.log`))(['bad']))
  const quiet = file({ ...origin('/var/log/quiet.log'), source: 'quiet' })(numbered(10))
  await laid.sent(...others.slice(0, 5), quiet, ...others.slice(5))
  t.strictSame(laid.accepted, numbered(10))
  const tried = laid.receiver.received.map(request => messages([request])).filter(all => all.includes('line 0'))
  t.strictSame(tried.slice(1), [numbered(10)], 'alone, after one refusal with the others')
})

for (const status of [400, 409, 413, 422]) {
  t.test(`an address that says ${status} to everything rejects nothing, is waited for, and loses no order`, async t => {
    let down = true
    const laid = await lay(t, () => (down ? status : undefined), {}, { retry: { initial: 50, max: 100 } })
    const next = file()
    const lines = numbered(5000)
    const slabs = [0, 1, 2, 3, 4].map(at => [next(lines.slice(at * 1000, at * 1000 + 1000))])
    const flowing = laid.flow(slabs)
    t.ok(await until(() => laid.delivery.health.kind === 'down'))
    const { received } = laid.receiver
    t.ok(received.length < 60, `${received.length} requests until it was clear`)
    const before = received.length
    const attempts = () => (laid.delivery.health.kind === 'up' ? 0 : laid.delivery.health.attempts)
    const begun = attempts()
    t.ok(await until(() => attempts() >= begun + 3))
    const [requests, more] = [received.length - before, attempts() - begun]
    t.ok(requests <= more + 1, `from then on one request an attempt: ${requests} in ${more}`)
    t.strictSame(laid.rejected, [])
    t.match(laid.delivery.health, { kind: 'down', reason: `http_${status}` })
    const errors = laid.listener.said.filter(({ level }) => level === 'error')
    if (status !== 413) t.match(errors.at(-1)!.fields, { reason: `http_${status}`, detail: 'the words of the server' })
    down = false
    await flowing
    t.strictSame(laid.rejected, [])
    t.strictSame([...laid.accepted].sort(), [...lines].sort(), 'each line once')
    // But for one, if the address is there again between the first record and the one that is tried behind it.
    const places = new Map(lines.map((line, at) => [line, at]))
    const early = laid.accepted.filter((line, at) => at > 0 && places.get(line)! < places.get(laid.accepted[at - 1]!)!)
    t.ok(early.length <= 1, `${early.length} came behind later ones`)
    t.equal(laid.arena.budget.used, 0)
    t.equal(laid.delivery.health.kind, 'up')
  })
}

t.test(
  'a bad line alone in a quiet stream is kept until another one is accepted, and does not hold that up',
  async t => {
    const laid = await lay(t, objects)
    const next = file()
    const { settled } = await laid.sent(next(['bad 0']))
    t.ok(await until(() => laid.listener.said.some(({ sentence }) => sentence.includes('no other was accepted since'))))
    t.strictSame(laid.rejected, [])
    t.equal(laid.delivery.aside, 1)
    t.equal(laid.arena.budget.used, 0, 'it takes no place in the arena')
    await laid.sent(next(['line 1']))
    await settled
    t.match(laid.rejected, [{ line: 'bad 0', reason: 'http_400' }])
    t.strictSame(laid.accepted, ['line 1'])
  },
)

t.test('bad lines at the end of a request whose others were accepted are rejected though nothing follows', async t => {
  const laid = await lay(t, objects)
  await laid.flow([[file()([...numbered(20), 'bad 0', 'bad 1'])]])
  t.strictSame(laid.accepted, numbered(20))
  t.strictSame(
    laid.rejected.map(({ line }) => line),
    ['bad 0', 'bad 1'],
  )
})

t.test('many bad lines in front of the first good one do not hide it for ever', async t => {
  // Half a minute in a second.
  const laid = await lay(t, objects, {}, {}, { now: () => performance.now() * 30 })
  const bad = Array.from({ length: 60 }, (_, n) => `bad ${n}`)
  await laid.flow([[file()([...bad, ...numbered(50)])]])
  t.strictSame([...laid.accepted].sort(), numbered(50).sort())
  t.equal(laid.rejected.length, 60)
})

t.test('an address that refuses at random is found out after a line or two', async t => {
  let random = 0x2545f491
  const laid = await lay(t, () => {
    // A balancer that leads to one broken server in three.
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0
    return random % 3 === 0 ? 400 : undefined
  })
  const next = file()
  const lines = numbered(3000)
  await laid.flow(Array.from({ length: 60 }, (_, at) => [next(lines.slice(at * 50, at * 50 + 50))]))
  t.equal(laid.accepted.length + laid.rejected.length, 3000)
  t.ok(laid.rejected.length <= 3, `${laid.rejected.length} were`)
})

t.test('an outage that begins while a bad line is searched costs no good line', async t => {
  let count = 0
  const laid = await lay(t, (lines, request) => {
    count++
    if (count > 3 && count < 40) return 400
    return objects(lines, request)
  })
  const next = file()
  const lines = numbered(2000).map((line, at) => (at === 3 ? 'bad 3' : line))
  await laid.flow([0, 1, 2, 3].map(at => [next(lines.slice(at * 500, at * 500 + 500))]))
  t.match(laid.rejected, [{ line: 'bad 3' }])
  t.strictSame([...laid.accepted].sort(), lines.filter(line => !isBad(line)).sort())
})

t.test('a record that is small is not too large, whatever the address says', async t => {
  let allowed = false
  const laid = await lay(t, lines => (lines.some(isBad) && !allowed ? 413 : undefined))
  const next = file()
  const { settled } = await laid.sent(next([...numbered(5), 'bad 0', ...numbered(5, 5)]))
  t.ok(await until(() => laid.accepted.length === 10 && laid.delivery.aside === 1), 'the others go on')
  await laid.sent(next(numbered(5, 10)))
  t.strictSame(laid.rejected, [])
  allowed = true
  await settled
  t.equal(laid.accepted.length, 16)
})

t.test('one that is much smaller than what was accepted before is not too large either', async t => {
  const long = `bad ${'x'.repeat(4000)}`
  const laid = await lay(t, lines => (lines.includes(long) ? 413 : undefined))
  const next = file()
  await laid.flow([[next(numbered(1000))]])
  await laid.sent(next([long]))
  t.ok(await until(() => laid.listener.said.some(({ sentence }) => sentence.includes('keeps failing'))))
  await laid.flow([[next(numbered(5))]])
  t.strictSame(laid.rejected, [])
  t.equal(laid.delivery.aside, 1)
})

t.test('a record that really is too large is rejected once others were accepted', async t => {
  const long = `bad ${'x'.repeat(5000)}`
  const laid = await lay(t, (_, { body }) => (body.length > 3000 ? 413 : undefined))
  const next = file()
  await laid.flow([[next(['line 0', 'line 1', long])], [next(['line 2'])]])
  t.match(laid.rejected, [{ line: long, reason: 'too_large', status: 413 }])
  t.strictSame(laid.accepted, numbered(3))
})

t.test('a status that is configured as rejected rejects, whatever else is refused', async t => {
  const laid = await lay(t, () => 409, { statuses: { rejected: [409] } })
  await laid.flow([[file()(numbered(100))]])
  t.equal(laid.rejected.length, 100)
  t.equal(laid.receiver.received.length, 1)
})

t.test('records that were rejected once are rejected again by their first refusal alone', async t => {
  const laid = await lay(t, () => 400, {}, {}, { final: true })
  await laid.flow([[file()(numbered(10))]])
  t.equal(laid.rejected.length, 10)
})

t.test('a stop leaves what is aside unsettled, and holds nothing', async t => {
  const laid = await lay(t, objects)
  const { settled, slab } = await laid.sent(file()([...numbered(3), 'bad 0']))
  await laid.sent(file(B)(['bad 1']))
  laid.delivery.stop()
  t.match(await settled, { kind: /settled|abandoned/ })
  t.equal(laid.arena.budget.used, 0)
  t.ok(slab.chunks[0]!.unsettled <= 4)
  t.match(await laid.delivery.ship(laid.arena.slab({ lines: ['x'] })), { kind: 'abandoned' })
})

t.test('what is mended in lines that go aside is booked once', async t => {
  const repaired: number[] = []
  const onRepaired = (_: unknown, sequences: number) => void repaired.push(sequences)
  const laid = await lay(t, objects, {}, {}, { onRepaired })
  const broken = (text: string) => Buffer.concat([Buffer.from(text), Buffer.from([0xff])])
  const lines = [broken('line 0'), broken('bad'), broken('line 1'), Buffer.from('line 2')]
  await laid.flow([[{ lines, origin: A }]])
  t.equal(laid.accepted.length, 3)
  t.equal(
    repaired.reduce((sum, one) => sum + one, 0),
    3,
  )
})
