/** The stage fills the rows of what was read, says what may be found there, and what no parser took. */
import t from 'tap'
import { Budget } from '../../../src/budget.ts'
import { Slab } from '../../../src/chunk.ts'
import { Kernel } from '../../../src/kernel/kernel.ts'
import { LAYOUT } from '../../../src/kernel/module.ts'
import { type Plans, planOf, rowBytes, type SourcePlan, tableBytes } from '../../../src/process/plan.ts'
import { Stage } from '../../../src/process/stage.ts'
import { UnparsedNotices } from '../../../src/process/unparsed.ts'

function plansOf(sources: Record<string, 'json' | 'logfmt' | 'nginx' | 'none'>): Plans {
  const plans = new Map<string, SourcePlan>()
  for (const [name, parse] of Object.entries(sources)) {
    const planned = planOf({ name, parse, maxLineBytes: 1 << 20, encoding: 'utf-8' })
    if (planned.kind === 'plan' && planned.plan) plans.set(name, planned.plan)
  }
  return plans
}

const chunk = (source: string, lines: readonly string[], fileStart = 0) => ({
  owner: { settled: () => {} },
  origin: { source, path: `/logs/${source}.log`, generation: '0'.repeat(16), labels: {} },
  fileStart,
  ...{ readAt: 0, cutFrom: 0, partial: false },
  lines: lines.map(line => Buffer.from(line)),
})

t.test('chunks of several sources are each parsed as theirs says', async t => {
  const plans = plansOf({ a: 'json', b: 'nginx', plain: 'none' })
  const kernel = Kernel.create(1 << 20, tableBytes(plans))
  const budget = new Budget(kernel.arena, kernel.arenaBytes)
  const stage = new Stage(kernel, plans)
  const told: [string, number][] = []
  stage.onUnparsed = ({ source }, records) => void told.push([source, records])
  const access = '10.0.0.1 - - [23/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "x"'
  const chunks = [
    chunk('a', ['\ufeff{"msg":"one"}', 'no', '{"msg":"two"}']),
    chunk('plain', ['{"msg":"three"}']),
    chunk('b', [access, '{"msg":"four"}', 'no']),
    chunk('a', ['\ufeff{"msg":"five"}', '{"msg":"six"}'], 512),
  ]
  const slab = Slab.holding(kernel.memory.buffer, budget, chunks, rowBytes(plans))!
  const form = (frame: number) => kernel.bytes[slab.rowOf(frame) + LAYOUT.ROW_FORM]
  stage.apply(slab, 1)
  t.equal(slab.chunks[0]!.shape, undefined, 'only what was just added')
  stage.apply(slab, 0)
  const { TEXT, JSON: OBJECT, VALUES } = LAYOUT
  t.strictSame([0, 1, 2].map(form), [OBJECT, TEXT, OBJECT])
  t.equal(slab.chunks[1]!.shape, undefined)
  t.strictSame([4, 5, 6].map(form), [VALUES, TEXT, TEXT])
  t.strictSame([7, 8].map(form), [TEXT, OBJECT], 'a byte order mark stands at the head of a file')
  t.equal(slab.chunks[0]!.shape, slab.chunks[3]!.shape)
  t.strictSame(told, [
    ['b', 2],
    ['a', 1],
    ['a', 1],
    ['b', 2],
    ['a', 1],
  ])
  const { message } = slab.chunks[0]!.shape!
  const slot = slab.rowOf(2) + LAYOUT.ROW_SLOTS + LAYOUT.SLOT * message!
  const from = slab.startOf(slab.chunks[0]!, 2) + kernel.bytes.readUInt16LE(slot)
  t.equal(kernel.bytes.toString('utf8', from, from + kernel.bytes.readUInt16LE(slot + 2)), '"two"')
  t.equal(kernel.bytes[slab.window + 0], 0xef, 'rows do not reach into the window')
})

t.test('a source without a plan has no rows, and is not looked at', async t => {
  const plans = plansOf({ plain: 'none' })
  t.strictSame([rowBytes(plans), tableBytes(plans)], [0, 0])
  const kernel = Kernel.create(1 << 20)
  const stage = new Stage(kernel, plans)
  const slab = Slab.holding(kernel.memory.buffer, new Budget(kernel.arena, kernel.arenaBytes), [chunk('plain', ['x'])])!
  const before = Buffer.from(kernel.bytes)
  stage.apply(slab, 0)
  t.ok(before.equals(kernel.bytes))
  t.equal(slab.chunks[0]!.shape, undefined)
})

t.test('that records are in no format is said once an hour and source, and no more', async t => {
  let now = 5000
  const said: [string, unknown, unknown][] = []
  const lines = {
    warn: ({ event, source, path }: Record<string, unknown>) => void said.push([String(event), source, path]),
  }
  const notices = new UnparsedNotices(lines as never, () => now)
  const { origin: a } = chunk('a', [])
  const { origin: b } = chunk('b', [])
  for (let n = 0; n < 1000; n++) notices.say(a)
  notices.say(b)
  now += 3_599_999
  notices.say(a)
  t.strictSame(said, [
    ['records_unparsed', 'a', '/logs/a.log'],
    ['records_unparsed', 'b', '/logs/b.log'],
  ])
  now += 1
  notices.say(a)
  notices.say(a)
  t.equal(said.length, 3)
  notices.say(a, 'times_unread')
  notices.say(a, 'times_unread')
  t.strictSame(said.slice(3), [['times_unread', 'a', '/logs/a.log']])
})
