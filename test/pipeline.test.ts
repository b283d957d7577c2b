import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Budget } from '../src/budget.ts'
import { Delivery } from '../src/delivery/delivery.ts'
import { Kernel } from '../src/kernel/kernel.ts'
import { Ledger } from '../src/ledger.ts'
import { Pipeline } from '../src/pipeline.ts'
import { CheckpointStore } from '../src/tail/checkpoint.ts'
import { formOf } from '../src/tail/form.ts'
import { Framer } from '../src/tail/framer.ts'
import { Reader } from '../src/tail/reader.ts'
import { Sweep } from '../src/tail/sweep.ts'
import { Tail } from '../src/tail/tail.ts'
import { answer, httpBackend, messages, numbered, Receiver, transportTo } from './delivery/rig.ts'
import { scratch } from './scratch.ts'
import { Journal, source } from './tail/rig.ts'

const BATCH = { maxBytes: 1 << 20, maxRecords: 10_000, maxAge: 1000, linger: 0 }
const MAX_LINE = 64 * 1024

/** One pipeline over a room of real files and a receiver. */
async function flow(t: Test, batch: Partial<typeof BATCH> = {}, concurrency = 2, arenaBytes = 4 << 20) {
  const dir = scratch(t)
  const receiver = new Receiver()
  const endpoint = await receiver.listen()
  const journal = new Journal()
  const sources = [source(join(dir, '*.log'), { maxLineBytes: MAX_LINE })]
  const ledger = new Ledger()
  const tail = new Tail(sources, new Sweep(sources, journal), new CheckpointStore(null, journal), ledger, journal)
  const kernel = Kernel.create(arenaBytes)
  const budget = new Budget(kernel.arena, kernel.arenaBytes)
  const options = { batch: { ...BATCH, ...batch }, retry: { initial: 10, max: 20 }, compression: 'none' } as const
  const transport = transportTo(endpoint, { concurrency })
  const backend = httpBackend(endpoint)
  const delivery = new Delivery({ name: 'main', backend, kernel, budget, transport, options, logger: journal })
  const reader = new Reader('main', new Framer(kernel, () => formOf(sources[0]!)), tail.events)
  tail.join({ reader, sources: new Set(['app']) })
  const parts = {
    name: 'main',
    sources: ['app'],
    backend,
    kernel,
    budget,
    reader,
    delivery,
    transport,
    deadLetters: undefined,
    batch: options.batch,
  }
  const pipeline = new Pipeline({ ...parts, concurrency, maxLine: MAX_LINE })
  t.teardown(async () => {
    await pipeline.stop()
    await tail.stop(true)
    await receiver.close()
  })
  const until = async (holds: () => boolean): Promise<boolean> => {
    const end = performance.now() + 5000
    while (!holds() && performance.now() < end) await new Promise(resolve => setTimeout(resolve, 5))
    return holds()
  }
  return { dir, receiver, tail, budget, pipeline, until, account: () => ledger.account('app', 'main').statement() }
}

t.test('an idle pipeline sends what comes at once', async t => {
  const { dir, receiver, tail, until, pipeline, budget } = await flow(t, { maxAge: 60_000 })
  await tail.start()
  writeFileSync(join(dir, 'a.log'), 'one\n')
  t.ok(await until(() => receiver.received.length === 1))
  t.strictSame(messages(receiver.received), ['one'])
  await pipeline.whenIdle()
  t.equal(budget.used, 0, 'nothing stays granted')
})

t.test('while requests are under way what comes is gathered, and goes when one may start', async t => {
  const { dir, receiver, tail, until, pipeline } = await flow(t, { maxAge: 60_000 }, 1)
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
    await new Promise(resolve => setTimeout(resolve, 15))
  }
  t.equal(receiver.received.length, 1)
  open()
  t.ok(await until(() => receiver.received.length === 2))
  t.strictSame(messages(receiver.received), ['first', ...numbered(20)], 'in one request, in order')
  await pipeline.whenIdle()
  t.ok(pipeline.idle)
})

t.test('a dead backend stops reading at the budget, and nothing is lost when it comes back', async t => {
  const { dir, receiver, tail, until, pipeline, budget, account } = await flow(t, {}, 2, 2 << 20)
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
  await new Promise(resolve => setTimeout(resolve, 200))
  const { bytes } = account().read
  t.ok(bytes > 0 && bytes <= budget.total, 'no more was read than there is room for')
  await new Promise(resolve => setTimeout(resolve, 200))
  t.equal(account().read.bytes, bytes, 'reading waits')
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
  const { dir, receiver, tail, until, pipeline, account } = await flow(t, { maxRecords: 10 }, 1)
  receiver.respond = () => {}
  writeFileSync(join(dir, 'a.log'), `${numbered(50_000).join('\n')}\n`)
  await tail.start()
  t.ok(await until(() => receiver.received.length > 0))
  const before = account().read.lines
  await pipeline.stop()
  await new Promise(resolve => setTimeout(resolve, 100))
  t.equal(account().read.lines, before)
  t.equal(account().delivered.lines, 0)
  t.equal(receiver.received.length, 1, 'and sends nothing more')
})
