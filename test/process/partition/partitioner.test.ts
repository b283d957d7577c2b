/** Which partition each record gets, and for how long. */
import t from 'tap'
import { Budget } from '../../../src/budget.ts'
import { Slab, type WrittenChunk } from '../../../src/chunk.ts'
import { Kernel } from '../../../src/kernel/kernel.ts'
import { type Partitioning, type PartitionPart, partitionIn } from '../../../src/partition.ts'
import {
  type Asked,
  type PlanSubject,
  planOf,
  plansFor,
  routesOf,
  rowBytes,
  type SourcePlan,
  tableBytes,
} from '../../../src/process/plan.ts'
import { Stage } from '../../../src/process/stage.ts'

const MIB = 1 << 20
const HOUR = 3_600_000

const LEVEL: PartitionPart = { kind: 'level', path: ['labels', 0] }
const time = (period: number): PartitionPart => ({ kind: 'time', period, path: ['index'] })
const value = (name: string): PartitionPart => ({ kind: 'value', name, path: ['labels', 1, 'field'] })

const by = (...parts: PartitionPart[]): Partitioning => ({
  by: parts,
  key: 'maxLabelSets',
  most: 10,
  window: HOUR,
  text: values => values.map((text, index) => (text === undefined ? '' : ` ${index}=${text}`)).join(''),
})

type Sources = Readonly<Record<string, Partial<PlanSubject>>>

/** A pipeline's stage up to its partitions. */
class Rig {
  now = 0
  readAt = 0
  readonly beyond: [source: string, records: number][] = []
  readonly stage: Stage
  readonly #kernel: Kernel
  readonly #budget: Budget
  readonly #row: number

  constructor(partitioning: Partitioning, sources: Sources = { app: { parse: 'json' } }, backend: object = {}) {
    const named = partitioning.by.flatMap(part => (part.kind === 'value' ? [part.name] : []))
    const asked: Asked = { named, levels: partitioning.by.some(({ kind }) => kind === 'level') }
    const plans = new Map<string, SourcePlan>()
    for (const [name, own] of Object.entries(sources)) {
      const planned = planOf({ name, maxLineBytes: 65536, encoding: 'utf-8', ...own }, asked)
      if (planned.kind === 'problems') throw new Error(JSON.stringify(planned.problems))
      if (planned.plan) plans.set(name, planned.plan)
    }
    const names = Object.keys(sources)
    const routed = routesOf(backend, names, plans, partitioning)
    if (routed.kind === 'problems') throw new Error(JSON.stringify(routed.problems))
    const all = plansFor(plans, names, routed.routes)
    this.#row = rowBytes(all)
    this.#kernel = Kernel.create(4 * MIB, tableBytes(all))
    this.#budget = new Budget(this.#kernel.arena, this.#kernel.arenaBytes)
    this.stage = new Stage(this.#kernel, all, () => this.now, undefined, partitioning)
    this.stage.onBeyond = ({ source }, records) => void this.beyond.push([source, records])
  }

  /** The slab of lines of sources that were just read. */
  slab(...chunks: [source: string, ...lines: string[]][]): Slab {
    const written = chunks.map(([source, ...lines]): WrittenChunk => {
      const origin = { source, path: `/logs/${source}.log`, generation: '0123456789abcdef', labels: {} }
      const bytes = lines.map(line => Buffer.from(line))
      const { readAt } = this
      return { owner: { settled: () => {} }, origin, lines: bytes, fileStart: 0, readAt, cutFrom: 0, partial: false }
    })
    const slab = Slab.holding(this.#kernel.memory.buffer, this.#budget, written, this.#row)!
    this.#kernel.bytes.fill(0xa5, slab.rows, slab.rows + slab.row * slab.frames)
    return slab
  }

  /** The text of the partition of each frame that is left. */
  texts(slab: Slab): string[] {
    return slab.chunks.flatMap(({ shape, firstFrame, frames }) =>
      Array.from({ length: frames }, (_, index) => {
        const { partition } = shape ?? {}
        if (partition === undefined) return 'none'
        const number = partitionIn(this.#kernel.bytes, slab.rowOf(firstFrame + index), partition)
        return Buffer.from(partition.partitions.texts[number]!.bytes).toString()
      }),
    )
  }

  of(...lines: string[]): string[] {
    const slab = this.slab(['app', ...lines])
    this.stage.apply(slab, 0)
    const texts = this.texts(slab)
    this.#budget.release(slab.extent)
    return texts
  }
}

t.test('a value tells records apart by what it says, however it is written', async t => {
  const rig = new Rig(by(LEVEL, value('a')))
  t.strictSame(rig.of('{"a":"x","level":"info"}', '{"level":"INFO","a":"\\u0078"}', '{"level":"info4","a":"x"}'), [
    ' 0=info 1=x',
    ' 0=info 1=x',
    ' 0=info 1=x',
  ])
  t.strictSame(rig.of('{"a":5}', '{"a":"5"}', '{"a":true}', '{"a":{"b": 1}}', '{"a":"é"}'), [
    ' 1=5',
    ' 1=5',
    ' 1=true',
    ' 1={"b": 1}',
    ' 1=é',
  ])
  t.equal(rig.stage.partitions, 5)
  t.strictSame(rig.beyond, [])
})

t.test('what says nothing tells nothing, and what is too long is counted', async t => {
  const rig = new Rig(by(value('a')))
  t.strictSame(rig.of('{"a":null}', '{"a":""}', '{"b":1}', 'a line', '{}'), ['', '', '', '', ''])
  t.strictSame(rig.beyond, [])
  t.strictSame(rig.of(`{"a":"${'x'.repeat(254)}"}`, `{"a":"${'x'.repeat(255)}"}`), [` 0=${'x'.repeat(254)}`, ''])
  t.strictSame(rig.beyond, [['app', 1]])
})

t.test('there are so many in a window, and in the next one as many again', async t => {
  const rig = new Rig(by(value('a')))
  const lines = Array.from({ length: 15 }, (_, n) => `{"a":${n}}`)
  const known = lines.map((_, n) => (n < 10 ? ` 0=${n}` : ''))
  t.strictSame(rig.of(...lines), known)
  t.strictSame(rig.of(...lines), known, 'those that are known go on')
  t.strictSame(rig.beyond, [
    ['app', 5],
    ['app', 5],
  ])
  const before = rig.slab(['app', '{"a":3}'])
  rig.stage.apply(before, 0)
  rig.now = HOUR
  t.strictSame(rig.of('{"a":14}', '{"a":3}'), [' 0=14', ' 0=3'])
  t.equal(rig.stage.partitions, 2)
  t.strictSame(rig.texts(before), [' 0=3'], 'what was numbered before keeps its text')
})

t.test('many ways to write one value take no more room than there is', async t => {
  const rig = new Rig({ ...by(value('a')), most: 2 })
  const lines = Array.from({ length: 100 }, (_, n) => `{"a":{"b":${' '.repeat(n)}1}}`)
  const texts = rig.of('{"a":"x"}', ...lines)
  t.equal(texts[0], ' 0=x')
  t.ok(texts.slice(3).every(text => text === ''))
  const one = new Rig({ ...by(value('a')), most: 2, text: values => (values[0] === undefined ? '' : 'one') })
  const all = one.of(...lines)
  const told = all.filter(text => text === 'one').length
  t.ok(told >= 8 && told < 100, `${told} combinations`)
  t.strictSame(one.beyond, [['app', 100 - told]])
})

t.test('sources are told apart by what each of them has', async t => {
  const sources = { app: { parse: 'json' as const }, web: { parse: 'logfmt' as const }, raw: {} }
  const rig = new Rig(by(LEVEL, value('a')), sources)
  const slab = rig.slab(
    ['app', '{"a":"x","level":"warn"}'],
    ['raw', 'an ERROR'],
    ['web', 'a=x level=warn', 'a="x y" b=1', 'a="" b=2'],
    ['app', '{"a":"x","level":"warn"}'],
  )
  rig.stage.apply(slab, 0)
  const both = ' 0=warn 1=x'
  t.strictSame(rig.texts(slab), [both, ' 0=error', both, ' 1=x y', '', both])
  t.equal(rig.stage.partitions, 3)
  const named = new Rig(by(value('a')), sources)
  const other = named.slab(['raw', 'an ERROR'], ['app', '{"a":"x"}'])
  named.stage.apply(other, 0)
  t.strictSame(named.texts(other), ['none', ' 0=x'], 'records without values are not looked at')
})

t.test('a time tells records apart by its period, but for the one in which they were read', async t => {
  const rig = new Rig(by(value('a'), time(24 * HOUR)))
  const at = (text: string) => `{"a":"x","time":"${text}"}`
  rig.readAt = Date.parse('2026-11-27T00:00:05Z')
  t.strictSame(
    rig.of(at('2026-11-27T00:00:04Z'), at('2026-11-26T23:59:59Z'), '{"a":"x"}', at('2026-11-27T07:00:00Z')),
    [' 0=x', ' 0=x 1=2026-11-26T00:00:00.000Z', ' 0=x', ' 0=x'],
  )
  rig.readAt = Date.parse('2026-11-26T23:59:59Z')
  t.strictSame(rig.of(at('2026-11-26T23:59:59Z'), at('2026-11-27T00:00:00Z')), [
    ' 0=x',
    ' 0=x 1=2026-11-27T00:00:00.000Z',
  ])
  t.equal(rig.stage.partitions, 3)
  t.strictSame(rig.beyond, [])
})

t.test('a time for which there is no number leaves the other values theirs', async t => {
  const rig = new Rig(by(value('a'), time(HOUR)))
  rig.readAt = Date.parse('2026-11-27T00:30:00Z')
  const hours = Array.from({ length: 15 }, (_, n) => `{"a":"x","time":"2026-11-25T${10 + (n % 14)}:0${n % 7}:00Z"}`)
  const texts = rig.of('{"a":"x"}', ...hours, '{"a":"y"}')
  t.equal(new Set(texts).size, 11, 'a text without a time, nine with one, and that of records without a number')
  t.strictSame(texts.slice(10, 15), Array(5).fill(' 0=x'))
  t.equal(texts[15], texts[1])
  t.equal(texts[16], '', 'there is no number for it any more')
  t.strictSame(rig.beyond, [['app', 6]])
})

t.test('lines without values are told apart by their time alone', async t => {
  const rig = new Rig(by(time(HOUR)), { app: { time: 'auto' }, raw: {} })
  rig.readAt = Date.parse('2026-11-27T00:30:00Z')
  t.strictSame(rig.of('2026-11-27T00:00:00Z a', '2026-11-26T23:00:00Z b', 'c'), ['', ' 0=2026-11-26T23:00:00.000Z', ''])
  const raw = rig.slab(['raw', '2026-11-26T23:00:00Z b'])
  rig.stage.apply(raw, 0)
  t.strictSame(rig.texts(raw), ['none'])
})

t.test('what is dropped makes no partition, and what is sent again has its own', async t => {
  const rig = new Rig(by(value('a')), { app: { parse: 'json', filter: { drop: 'noise' } } }, { filter: 'error' })
  const lines = ['{"a":"p","x":"noise"}', '{"a":"q"}', '{"a":"r","level":"info"}', '{"a":"s","level":"fatal"}']
  const slab = rig.slab(['app', ...lines])
  rig.stage.apply(slab, 0)
  t.strictSame(rig.texts(slab), [' 0=q', ' 0=s'])
  t.equal(rig.stage.partitions, 2)
  const again = rig.slab(['app', '{"a":"s"}'])
  rig.stage.revisit(again)
  t.strictSame(rig.texts(again), [' 0=s'])
  t.equal(rig.stage.partitions, 2)
})

t.test('what no record can have is an error where it is said', async t => {
  const problems = (partitioning: Partitioning, sources: Sources) => {
    try {
      new Rig(partitioning, sources)
      return []
    } catch (error) {
      return JSON.parse((error as Error).message)
    }
  }
  const web = { web: { parse: 'nginx' as const } }
  t.match(problems(by(value('svc')), web), [
    { path: ['labels', 1, 'field'], found: 'the unknown field svc', allowed: /status/ },
  ])
  t.strictSame(problems(by(value('svc')), { ...web, app: { parse: 'json' } }), [])
  t.match(problems(by(value('a')), { raw: {} }), [{ found: /not parsed/, allowed: /parse/ }])
  t.match(problems(by(LEVEL), { raw: { level: 'none' } }), [{ path: ['labels', 0], found: /the level/ }])
})
