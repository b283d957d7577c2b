import assert from 'node:assert/strict'
import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { divide, type Need, needOf } from '../src/arena.ts'
import { Budget } from '../src/budget.ts'
import { Delivery } from '../src/delivery/delivery.ts'
import type { Transport } from '../src/delivery/transport/transport.ts'
import { Kernel } from '../src/kernel/kernel.ts'
import { Ledger } from '../src/ledger.ts'
import { Pipeline } from '../src/pipeline.ts'
import type { ProcessOptions } from '../src/process/options.ts'
import { NO_PLANS, planOf, rowBytes, tableBytes } from '../src/process/plan.ts'
import { Stage } from '../src/process/stage.ts'
import { StateDirectory } from '../src/state.ts'
import { formOf } from '../src/tail/framing/form.ts'
import { Framer } from '../src/tail/framing/framer.ts'
import { Reader } from '../src/tail/framing/reader.ts'
import { CheckpointStore } from '../src/tail/state/checkpoint.ts'
import { Tail } from '../src/tail/tail.ts'
import { Sweep } from '../src/tail/watching/sweep.ts'
import { HandClock } from './clock.ts'
import { answer, httpBackend, messages, numbered, Receiver, transportTo } from './delivery/rig.ts'
import { scratch } from './scratch.ts'
import { Journal, source } from './tail/rig.ts'

t.setTimeout(120_000)

const BATCH = { maxBytes: 1 << 20, maxRecords: 10_000, interval: 0 }
const MAX_LINE = 64 * 1024

interface Circumstances {
  /** What is done with records. */
  readonly process?: ProcessOptions
  readonly dir?: string
  /** Where offsets are saved; by default nowhere. */
  readonly state?: string
  readonly now?: () => number
  /** What the pipeline goes by. */
  readonly clock?: HandClock
}

/** One pipeline over a room of real files and a receiver. */
async function flow(
  t: Test,
  batch: Partial<typeof BATCH> = {},
  concurrency = 2,
  arenaBytes: number | ((need: Need) => number) = 4 << 20,
  maxLine = MAX_LINE,
  through?: Transport,
  { process = {}, dir = scratch(t), state, now, clock }: Circumstances = {},
) {
  const receiver = new Receiver()
  const endpoint = await receiver.listen()
  const journal = new Journal()
  const sources = [source(join(dir, '*.log'), { maxLineBytes: maxLine })]
  const ledger = new Ledger()
  const directory = state === undefined ? null : new StateDirectory(state, journal)
  const store = new CheckpointStore(directory, journal)
  const tail = new Tail(sources, new Sweep(sources, journal), store, ledger, journal)
  const planned = planOf({ ...sources[0]!, ...process })
  assert(planned.kind === 'plan')
  const plans = planned.plan ? new Map([['app', planned.plan]]) : NO_PLANS
  const options = { batch: { ...BATCH, ...batch }, retry: { initial: 10, max: 20 }, compression: 'none' } as const
  const transport = through ?? transportTo(endpoint, { concurrency })
  const backend = httpBackend(endpoint)
  const need = needOf({ batch: options.batch, concurrency, longestLine: maxLine, row: rowBytes(plans), backend })
  const kernel = Kernel.create(typeof arenaBytes === 'number' ? arenaBytes : arenaBytes(need), tableBytes(plans))
  const budget = new Budget(kernel.arena, kernel.arenaBytes, divide(need, kernel.arenaBytes).payloads)
  const onTruncated = (_: unknown, records: number) => ledger.account('app', 'main').truncated(records)
  const fields = { name: 'main', backend, kernel, budget, transport, options, logger: journal, onTruncated }
  const delivery = new Delivery(fields)
  const reader = new Reader('main', new Framer(kernel, () => formOf(sources[0]!)), tail.events)
  tail.join({ reader, sources: new Set(['app']) })
  const parts = {
    name: 'main',
    sources: ['app'],
    backend,
    kernel,
    budget,
    slab: need.slab,
    stage: new Stage(kernel, plans, now),
    reader,
    delivery,
    logger: journal,
    transport,
    deadLetters: undefined,
    endpoint: null,
    rejectReasons: [],
    dropReasons: {},
    batch: options.batch,
    ...(clock && { clock }),
  }
  const pipeline = new Pipeline({ ...parts, concurrency })
  let ended = false
  /** Ends the tail, or hands over what it knows; only the first time. */
  const end = async (last: () => Promise<unknown> = () => tail.stop(true)): Promise<void> => {
    if (ended) return
    ended = true
    await pipeline.stop()
    await last()
  }
  t.teardown(async () => {
    await end()
    await receiver.close()
  })
  const until = async (holds: () => boolean): Promise<boolean> => {
    const end = performance.now() + 60_000
    while (!holds() && performance.now() < end) await new Promise(resolve => setTimeout(resolve, 5))
    return holds()
  }
  return {
    dir,
    receiver,
    tail,
    budget,
    pipeline,
    journal,
    until,
    /** A new empty file is followed: the tail has looked since, and a reader that could read had its chance. */
    end,
    looked: async (name: string): Promise<boolean> => {
      const path = join(dir, name)
      writeFileSync(path, '')
      return until(() => [...tail.tailers].some(tailer => tailer.path === path && tailer.state.kind !== 'closed'))
    },
    account: () => ledger.account('app', 'main').statement(),
  }
}

t.test('an idle pipeline sends what comes at once', async t => {
  const { dir, receiver, tail, until, pipeline, budget } = await flow(t, { interval: 60_000 })
  await tail.start()
  writeFileSync(join(dir, 'a.log'), 'one\n')
  t.ok(await until(() => receiver.received.length === 1))
  t.strictSame(messages(receiver.received), ['one'])
  await pipeline.whenIdle()
  t.equal(budget.used, 0, 'nothing stays granted')
})

t.test('what cannot be processed is not sent, and nothing more is read', async t => {
  const { dir, receiver, tail, until, pipeline, journal, account } = await flow(t)
  await tail.start()
  writeFileSync(join(dir, 'a.log'), 'one\n')
  t.ok(await until(() => receiver.received.length === 1))
  await pipeline.whenIdle()
  pipeline.parts.stage.apply = () => {
    throw new RangeError('a broken table')
  }
  appendFileSync(join(dir, 'a.log'), 'two\n')
  t.ok(await until(() => journal.said.some(({ fields }) => fields['event'] === 'processing_failed')))
  writeFileSync(join(dir, 'b.log'), 'three\n')
  pipeline.hurry()
  await pipeline.whenIdle()
  t.strictSame(messages(receiver.received), ['one'])
  t.equal(account().inFlight.lines, 1, 'what was read is not settled')
  t.type(pipeline.stalledSince, 'number')
  t.equal(pipeline.parts.budget.used, 0, 'nothing stays granted')
})

t.test('while requests are under way what comes is gathered, and goes when one may start', async t => {
  const { dir, receiver, tail, until, pipeline, account } = await flow(t, {}, 1)
  let open = (): void => {}
  receiver.respond = (request, response, count) => {
    open = () => answer(204)(request, response, count)
    if (count > 1) open()
  }
  const log = join(dir, 'a.log')
  writeFileSync(log, 'first\n')
  await tail.start()
  await until(() => receiver.received.length === 1)
  for (const line of numbered(20)) {
    appendFileSync(log, `${line}\n`)
    const { lines } = account().read
    await until(() => account().read.lines > lines)
  }
  t.equal(receiver.received.length, 1)
  open()
  t.ok(await until(() => receiver.received.length === 2))
  t.strictSame(messages(receiver.received), ['first', ...numbered(20)], 'in one request, in order')
  await pipeline.whenIdle()
  t.ok(pipeline.idle)
})

/** Holds the first request back until `open` is called; the others are answered at once. */
function held(receiver: Receiver) {
  let open = (): void => {}
  receiver.respond = (request, response, count) => {
    const now = () => answer(204)(request, response, count)
    if (count === 1) open = now
    else now()
  }
  return () => open()
}

const INTERVAL = 200

/** A pipeline whose time passes by hand. */
const paced = (t: Test, concurrency: number, batch: Partial<typeof BATCH> = {}) => {
  const clock = new HandClock()
  const made = flow(t, { interval: INTERVAL, ...batch }, concurrency, undefined, undefined, undefined, { clock })
  return made.then(flowing => ({
    ...flowing,
    clock,
    /** Appends a line, which is read: it gathers, or goes. */
    gather: async (line: string): Promise<void> => {
      const { lines } = flowing.account().read
      appendFileSync(join(flowing.dir, 'a.log'), `${line}\n`)
      await flowing.until(() => flowing.account().read.lines > lines)
    },
  }))
}

const lengths = ({ received }: Receiver) => received.map(({ body }) => body.trimEnd().split('\n').length)

t.test('a line after silence goes at once, those that follow together when the interval is over', async t => {
  const { receiver, tail, until, pipeline, clock, gather } = await paced(t, 1)
  await tail.start()
  await gather('first')
  t.ok(await until(() => receiver.received.length === 1))
  await pipeline.whenIdle()
  for (const line of numbered(20)) await gather(line)
  t.strictSame(lengths(receiver), [1], 'though the backend is idle')
  clock.pass(INTERVAL)
  t.ok(await until(() => receiver.received.length === 2))
  t.strictSame(messages(receiver.received), ['first', ...numbered(20)], 'in one request, in order')
  await pipeline.whenIdle()
  clock.pass(INTERVAL)
  await gather('last')
  t.ok(await until(() => receiver.received.length === 3), 'there was silence again')
})

t.test('with one request at a time nothing goes beside it, and what has gathered as it ends', async t => {
  const { receiver, tail, until, clock, gather } = await paced(t, 1)
  const open = held(receiver)
  await tail.start()
  await gather('first')
  t.ok(await until(() => receiver.received.length === 1))
  for (const line of numbered(20)) await gather(line)
  clock.pass(10 * INTERVAL)
  await gather('one more')
  t.strictSame(lengths(receiver), [1])
  open()
  t.ok(await until(() => receiver.received.length === 2))
  t.strictSame(lengths(receiver), [1, 21])
})

t.test('where one more request may start it starts an interval after the one before it', async t => {
  const { receiver, tail, until, clock, gather } = await paced(t, 2)
  held(receiver)
  await tail.start()
  await gather('first')
  t.ok(await until(() => receiver.received.length === 1))
  await gather('second')
  await gather('third')
  t.strictSame(lengths(receiver), [1])
  clock.pass(INTERVAL)
  t.ok(await until(() => receiver.received.length === 2))
  t.strictSame(lengths(receiver), [1, 2])
})

t.test('without an interval what comes goes beside the request under way', async t => {
  const { receiver, tail, until, gather } = await paced(t, 2, { interval: 0 })
  held(receiver)
  await tail.start()
  await gather('first')
  t.ok(await until(() => receiver.received.length === 1))
  await gather('second')
  t.ok(await until(() => receiver.received.length === 2))
})

t.test('a batch that has as many lines as it may waits for nothing, though no more are there', async t => {
  const { dir, receiver, tail, until, gather } = await paced(t, 1, { maxRecords: 5 })
  await tail.start()
  await gather('first')
  t.ok(await until(() => receiver.received.length === 1))
  appendFileSync(join(dir, 'a.log'), `${numbered(12).join('\n')}\n`)
  t.ok(await until(() => receiver.received.length === 3))
  await gather('more')
  t.strictSame(lengths(receiver), [1, 5, 5], 'what is not full does')
})

t.test('a hurry sends what waits', async t => {
  const { receiver, tail, until, pipeline, gather } = await paced(t, 1)
  await tail.start()
  await gather('first')
  t.ok(await until(() => receiver.received.length === 1))
  await gather('second')
  const idle = pipeline.whenIdle()
  pipeline.hurry()
  await idle
  t.strictSame(messages(receiver.received), ['first', 'second'])
})

t.test('a dead backend stops reading at the budget, and nothing is lost when it comes back', async t => {
  const { dir, receiver, tail, until, looked, pipeline, budget, account } = await flow(t, {}, 2, 2 << 20)
  const waiting: (() => void)[] = []
  let dead = true
  receiver.respond = (request, response, count) => {
    if (dead) waiting.push(() => answer(204)(request, response, count))
    else answer(204)(request, response, count)
  }
  const lines = numbered(100_000).map(line => `${line} ${'x'.repeat(60)}`)
  writeFileSync(join(dir, 'a.log'), `${lines.join('\n')}\n`)
  await tail.start()
  await until(() => waiting.length > 0)
  let bytes = 0
  for (let n = 0; bytes < account().read.bytes; n++) {
    bytes = account().read.bytes
    t.ok(await looked(`${n}.log`))
  }
  t.ok(bytes > 0 && bytes <= budget.total, 'no more was read than there is room for')
  dead = false
  for (const respond of waiting) respond()
  t.ok(await until(() => account().delivered.lines === lines.length))
  t.strictSame([...messages(receiver.received)].sort(), [...lines].sort(), 'every line came once')
  await pipeline.whenIdle()
  t.ok(budget.peak <= budget.total)
  t.equal(budget.used, 0)
})

t.test('a batch holds no more records than it may', async t => {
  const { dir, receiver, tail, until, account } = await flow(t, { maxRecords: 100 })
  writeFileSync(join(dir, 'a.log'), `${numbered(1050).join('\n')}\n`)
  await tail.start()
  t.ok(await until(() => account().delivered.lines === 1050))
  t.ok(receiver.received.every(({ body }) => body.trimEnd().split('\n').length <= 100))
})

t.test('a pipeline that was stopped reads nothing more', async t => {
  const { dir, receiver, tail, until, looked, pipeline, account } = await flow(t, { maxRecords: 10 }, 1)
  receiver.respond = () => {}
  writeFileSync(join(dir, 'a.log'), `${numbered(50_000).join('\n')}\n`)
  await tail.start()
  t.ok(await until(() => receiver.received.length > 0))
  const before = account().read.lines
  await pipeline.stop()
  t.ok(await looked('later.log'))
  t.equal(account().read.lines, before)
  t.equal(account().delivered.lines, 0)
  t.equal(receiver.received.length, 1, 'and sends nothing more')
})

t.test('a pipeline without memory that anything will release says so, and goes on when there is some', async t => {
  const { dir, receiver, tail, until, pipeline, budget, journal } = await flow(t)
  const elsewhere = budget.grant(budget.slabs)!
  writeFileSync(join(dir, 'a.log'), 'one\n')
  await tail.start()
  t.ok(await until(() => pipeline.stalledSince !== undefined))
  const errors = () => journal.said.filter(({ level }) => level === 'error')
  t.match(errors(), [{ sentence: /reading stalled/, fields: { backend: 'main', total: budget.total } }], 'once')
  t.equal(pipeline.idle, false)
  budget.release(elsewhere)
  t.ok(await until(() => receiver.received.length === 1))
  t.equal(pipeline.stalledSince, undefined)
  t.equal(errors().length, 1)
})

t.test('a line that only the largest slab holds waits for one, and keeps its place', async t => {
  // One slab of the longest line, so that a second one is a small one.
  const longestLine = 2 << 20
  const { dir, receiver, tail, until, account } = await flow(
    t,
    { maxBytes: 64 * 1024 },
    1,
    ({ required }) => required,
    longestLine,
  )
  const lines = Array.from({ length: 30 }, (_, n) => `${n} ${'x'.repeat(n % 10 === 5 ? 1 << 20 : 20_000)}`)
  writeFileSync(join(dir, 'a.log'), `${lines.join('\n')}\n`)
  await tail.start()
  t.ok(await until(() => account().delivered.lines === lines.length))
  t.strictSame(messages(receiver.received), lines)
})

t.test('a batch is as large as is allowed, however large that is', async t => {
  const maxBytes = 5 << 20
  const { dir, receiver, tail, until, account } = await flow(t, { maxBytes, maxRecords: 1_000_000 }, 1, 32 << 20)
  const lines = numbered(120_000).map(line => `${line} ${'x'.repeat(100)}`)
  writeFileSync(join(dir, 'a.log'), `${lines.join('\n')}\n`)
  await tail.start()
  t.ok(await until(() => account().delivered.lines === lines.length))
  const sizes = receiver.received.map(({ body }) => Buffer.byteLength(body))
  t.ok(
    sizes.every(size => size <= maxBytes),
    String(sizes),
  )
  t.ok(Math.max(...sizes) > 0.8 * maxBytes, String(sizes))
})

t.test('however little memory there is, and whatever the backend answers, every line arrives', async t => {
  const line = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 2000 }).map(length => 'x'.repeat(length)) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: MAX_LINE }).map(length => '\u0001'.repeat(length)) },
  )
  const given = fc.record({
    lines: fc.array(line, { minLength: 1, maxLength: 150 }),
    /** 0 is what is required, 1 what is wanted. */
    memory: fc.constantFrom(0, 0.2, 0.5, 1),
    concurrency: fc.constantFrom(1, 2, 5, 32),
    maxRecords: fc.constantFrom(1, 7, 10_000),
    /** Every third request fails, or is too large beyond so much. */
    fault: fc.constantFrom('none', 'busy', 'limit'),
  })
  const run = async ({
    lines,
    memory,
    concurrency,
    maxRecords,
    fault,
  }: typeof given extends fc.Arbitrary<infer T> ? T : never) => {
    let count = 0
    const taken: { message: string; truncated?: boolean }[] = []
    const transport: Transport = {
      async send({ body }) {
        await new Promise(resolve => setImmediate(resolve))
        if (fault === 'busy' && ++count % 3 === 0) return { kind: 'failure', code: 'ECONNRESET', sentBefore: false }
        const tooLarge = fault === 'limit' && body.length > 150_000
        if (!tooLarge) for (const text of body.toString().trimEnd().split('\n')) taken.push(JSON.parse(text))
        return { kind: 'answer', answer: { status: tooLarge ? 413 : 204, headers: {}, body: '' } }
      },
      reload: () => false,
      abort() {},
      async close() {},
    }
    const options = { maxBytes: 64 * 1024, maxRecords, interval: 0 }
    const flowing = await flow(
      t,
      options,
      concurrency,
      ({ required, wanted }) => required + memory * (wanted - required),
      MAX_LINE,
      transport,
    )
    const { dir, tail, until, pipeline, budget, account } = flowing
    writeFileSync(join(dir, 'a.log'), `${lines.join('\n')}\n`)
    await tail.start()
    const arrived = await until(() => account().delivered.lines === lines.length)
    await pipeline.stop()
    await tail.stop(true)
    rmSync(join(dir, 'a.log'))
    assert.ok(arrived, JSON.stringify({ ...account(), stalled: pipeline.stalledSince }))
    assert.equal(budget.used, 0)
    const cut = taken.filter(({ truncated }) => truncated).length
    assert.equal(account().truncatedLines, cut)
    if (memory === 1 && fault !== 'limit') assert.equal(cut, 0)
    const length = ({ length }: string) => length
    if (cut === 0) assert.deepEqual(taken.map(({ message }) => length(message)).sort(), lines.map(length).sort())
    if (concurrency === 1)
      assert.ok(
        taken.every(({ message }, at) => lines[at]!.startsWith(message)),
        'in order',
      )
  }
  await fc.assert(fc.asyncProperty(given, run), { numRuns: 12 })
})

t.test('a file that is searched for bad lines is not read further meanwhile; another one is', async t => {
  const { dir, receiver, tail, until, account, pipeline } = await flow(t, {}, 1)
  const isBad = (line: string) => line.startsWith('bad')
  const taken: string[] = []
  receiver.respond = (request, response, count) => {
    const lines = messages([request])
    if (!lines.some(isBad)) taken.push(...lines)
    answer(lines.some(isBad) ? 400 : 204)(request, response, count)
  }
  const bytes = 6_000_000
  writeFileSync(join(dir, 'a.log'), `bad ${'x'.repeat(995)}\n`.repeat(bytes / 1000))
  await tail.start()
  for (let at = 0; at < 20; at++) {
    appendFileSync(join(dir, 'b.log'), `${numbered(50, at * 50).join('\n')}\n`)
    t.ok(await until(() => taken.length === at * 50 + 50))
  }
  t.strictSame(taken, numbered(1000))
  const { read } = account()
  t.ok(read.bytes < bytes / 2, `${read.bytes} bytes were read`)
  t.equal(pipeline.idle, false)
})

t.test('a file is read on when the only record of it that waited was refused', async t => {
  const maxLine = 1 << 20
  const { dir, receiver, tail, until, account, pipeline } = await flow(t, {}, 1, ({ wanted }) => wanted, maxLine)
  const { reader, delivery } = pipeline.parts
  const large = 'y'.repeat(300_000)
  let passedOver = false
  receiver.respond = async (request, response, count) => {
    const [line = ''] = messages([request])
    // Its file is passed over before it is refused.
    if (line === large && !passedOver) passedOver = await until(() => reader.withholds)
    answer(line === large || line === 'bad' ? 400 : 204)(request, response, count)
  }
  await tail.start()
  writeFileSync(join(dir, 'a.log'), 'bad\n')
  t.ok(await until(() => delivery.aside === 1))
  appendFileSync(join(dir, 'a.log'), `${large}\n`)
  t.ok(await until(() => delivery.aside === 2))
  appendFileSync(join(dir, 'a.log'), `${numbered(20).join('\n')}\n`)
  t.ok(await until(() => account().delivered.lines === 20))
  t.ok(await until(() => account().rejected['http_400']?.lines === 2))
})

/** Lines of which the first letter says what becomes of them: k is kept, d is dropped. */
const SELECT: ProcessOptions = { filter: { dropMatching: '^d' } }

t.test('a filter that drops nearly all fills requests with what is left', async t => {
  const { dir, receiver, tail, until, pipeline, account } = await flow(
    t,
    { maxBytes: 64 * 1024 },
    2,
    4 << 20,
    MAX_LINE,
    undefined,
    {
      process: SELECT,
    },
  )
  const lines = Array.from({ length: 60_000 }, (_, n) => `${n % 100 === 7 ? 'k' : 'd'} ${n} ${'x'.repeat(90)}`)
  writeFileSync(join(dir, 'a.log'), `${lines.join('\n')}\n`)
  await tail.start()
  t.ok(await until(() => account().delivered.lines === 600))
  await pipeline.whenIdle()
  t.strictSame(
    messages(receiver.received),
    lines.filter(line => line.startsWith('k')),
  )
  t.match(account(), { read: { lines: 60_000 }, dropped: { 'filter:drop': { lines: 59_400 } }, inFlight: { lines: 0 } })
  t.ok(receiver.received.length <= 6, `${receiver.received.length} requests`)
})

t.test('a filter that drops everything lets the offset advance, and the pipeline becomes idle', async t => {
  const state = scratch(t)
  const dir = scratch(t)
  const first = await flow(t, {}, 2, 4 << 20, MAX_LINE, undefined, { process: SELECT, state, dir })
  writeFileSync(join(dir, 'a.log'), 'd one\n'.repeat(50_000))
  await first.tail.start()
  t.ok(await first.until(() => first.account().dropped['filter:drop']?.lines === 50_000))
  t.ok(await first.until(() => first.pipeline.idle))
  t.equal(first.budget.used, 0)
  await first.end()
  const second = await flow(t, {}, 2, 4 << 20, MAX_LINE, undefined, { process: {}, state, dir })
  await second.tail.start()
  appendFileSync(join(dir, 'a.log'), 'd two\n')
  t.ok(await second.until(() => second.account().delivered.lines === 1), 'what was dropped is not read once more')
  t.match(second.account(), { read: { lines: 50_001 }, dropped: { 'filter:drop': { lines: 50_000 } } })
  t.strictSame(messages(second.receiver.received), ['d two'])
})

t.test('whatever is dropped, and however often the shipper is replaced, what is kept arrives once', async t => {
  const seeds = fc.sample(
    fc.array(fc.record({ kept: fc.nat({ max: 4 }), of: fc.integer({ min: 1, max: 4 }) }), {
      minLength: 1,
      maxLength: 5,
    }),
    6,
  )
  for (const [round, shares] of seeds.entries()) {
    const dir = scratch(t)
    const lines: string[] = []
    for (const { kept, of } of shares) {
      for (let n = 0; n < 300; n++) lines.push(`${n % of < kept ? 'k' : 'd'}${'.'.repeat(n % 13)} ${lines.length}`)
    }
    const received: string[] = []
    let handover: Awaited<ReturnType<Tail['handOver']>> | undefined
    let sum = { lines: 0, dropped: 0 }
    for (let life = 0; life < 3; life++) {
      const { tail, receiver, pipeline, account, until, end } = await flow(
        t,
        { maxBytes: 4096 },
        1,
        4 << 20,
        MAX_LINE,
        undefined,
        { process: SELECT, dir },
      )
      // Each of the first lives is over when some of its requests were accepted and one is not answered.
      receiver.respond = (request, response, count) => {
        if (life < 2 && count > 2 + life) return
        received.push(...messages([request]))
        answer(204)(request, response, count)
      }
      if (life === 0) writeFileSync(join(dir, 'a.log'), `${lines.join('\n')}\n`)
      await tail.start(handover)
      const ended = () =>
        receiver.received.length > 2 + life || (pipeline.idle && account().read.lines === lines.length)
      t.ok(await until(life < 2 ? ended : () => pipeline.idle && account().read.lines === lines.length))
      const { read, delivered, dropped, inFlight } = account()
      assert.equal(read.lines, delivered.lines + (dropped['filter:drop']?.lines ?? 0) + inFlight.lines)
      sum = { lines: delivered.lines, dropped: dropped['filter:drop']?.lines ?? 0 }
      await end(async () => (life < 2 ? (handover = await tail.handOver()) : tail.stop(true)))
    }
    const kept = lines.filter(line => line.startsWith('k'))
    t.strictSame([...received].sort(), [...kept].sort(), `round ${round}`)
    t.strictSame(
      sum,
      { lines: kept.length, dropped: lines.length - kept.length },
      'and what is dropped is counted once',
    )
  }
})

t.test('a file over its limit waits in its file, and another one goes on', async t => {
  let now = 1_000_000
  const process = { limit: { bytes: 1_000_000, records: 0, per: 'file', over: 'wait' } } as const
  const { dir, tail, until, account, pipeline } = await flow(t, {}, 2, 4 << 20, MAX_LINE, undefined, {
    process,
    now: () => now,
  })
  writeFileSync(join(dir, 'a.log'), `${'a'.repeat(99)}\n`.repeat(40_000))
  await tail.start()
  t.ok(await until(() => pipeline.parts.reader.withholds))
  const { bytes } = account().read
  t.ok(bytes < 3_000_000, `${bytes} bytes were read`)
  writeFileSync(join(dir, 'b.log'), 'b\n')
  t.ok(await until(() => account().delivered.bytes === bytes + 2))
  t.equal(pipeline.idle, false, 'it knows that there is more')
  now += 2000
  t.ok(await until(() => account().read.bytes > bytes + 2), 'once time has passed it is read on')
  pipeline.hurry()
  t.ok(await until(() => account().delivered.bytes === 4_000_002), 'while draining nothing waits')
  t.strictSame(account().dropped, {})
})

t.test('what is over a limit is dropped where that is said, and counted', async t => {
  const process = { limit: { bytes: undefined, records: 5, per: 'source', over: 'drop' } } as const
  const { dir, tail, until, account, receiver } = await flow(t, {}, 2, 4 << 20, MAX_LINE, undefined, { process })
  writeFileSync(join(dir, 'a.log'), `${numbered(1000).join('\n')}\n`)
  await tail.start()
  t.ok(await until(() => account().delivered.lines > 0 && account().inFlight.lines === 0))
  t.strictSame(messages(receiver.received).slice(0, 5), numbered(5))
  const { delivered, dropped } = account()
  t.equal(delivered.lines + dropped['limit']!.lines, 1000)
  t.ok(delivered.lines < 100)
})
