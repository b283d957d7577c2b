import t from 'tap'
import { Budget } from '../../src/budget.ts'
import { type Origin, Slab, type WrittenChunk } from '../../src/chunk.ts'
import { Kernel, NO_TIME } from '../../src/kernel/kernel.ts'
import { LAYOUT } from '../../src/kernel/module.ts'
import { Account } from '../../src/ledger.ts'
import { type PlanSubject, type Plans, planOf, rowBytes, type SourcePlan, tableBytes } from '../../src/process/plan.ts'
import { Stage, saltOf } from '../../src/process/stage.ts'

const READ = Date.UTC(2026, 10, 27, 12)
const PAGE = 65536

function planned(options: Partial<PlanSubject>): SourcePlan {
  const planned = planOf({ name: 'app', maxLineBytes: 1024 * 1024, encoding: 'utf-8', ...options })
  if (planned.kind === 'problems') throw new Error(JSON.stringify(planned.problems))
  if (planned.plan === undefined) throw new Error('there is no plan')
  return planned.plan
}

function originOf(source: string, generation = '0123456789abcdef'): Origin {
  return { source, path: `/logs/${source}.log`, generation, labels: {} }
}

/** A stage for these sources, and what it makes of chunks. */
class Rig {
  readonly kernel: Kernel
  readonly stage: Stage
  readonly plans: Plans
  readonly #budget: Budget

  /** What the stage said of records in which it did not find what it looked for. */
  readonly account = new Account()

  constructor(plans: Plans) {
    this.plans = plans
    this.kernel = Kernel.create(16 * PAGE, tableBytes(plans))
    this.stage = new Stage(this.kernel, plans)
    this.stage.onUnparsed = (_, records) => this.account.unparsed(records)
    this.stage.onUntimed = (_, records) => this.account.untimed(records)
    this.stage.onUnlevelled = (_, records) => this.account.unlevelled(records)
    this.#budget = new Budget(this.kernel.arena, this.kernel.arenaBytes, PAGE)
  }

  run(chunks: readonly (Pick<WrittenChunk, 'origin' | 'fileStart'> & { readonly lines: readonly string[] })[]): Slab {
    const written = chunks.map(
      ({ lines, ...rest }): WrittenChunk => ({
        owner: { settled: () => {} },
        readAt: READ,
        cutFrom: 0,
        partial: false,
        lines: lines.map(line => Buffer.from(line)),
        ...rest,
      }),
    )
    const slab = Slab.holding(this.kernel.memory.buffer, this.#budget, written, rowBytes(this.plans))!
    this.kernel.bytes.fill(0xa5, slab.rows, slab.rows + slab.row * slab.frames)
    this.stage.apply(slab, 0)
    return slab
  }

  times(slab: Slab): (bigint | undefined)[] {
    const read = (frame: number) => this.kernel.bytes.readBigInt64LE(slab.rowOf(frame) + LAYOUT.ROW_TIME)
    return Array.from({ length: slab.frames }, (_, frame) => (read(frame) === NO_TIME ? undefined : read(frame)))
  }

  levels(slab: Slab): number[] {
    return Array.from({ length: slab.frames }, (_, frame) => this.kernel.bytes[slab.rowOf(frame) + LAYOUT.ROW_LEVEL]!)
  }

  /** What a slot of a frame of the first chunk holds. */
  textOf(slab: Slab, frame: number, slot: number): string | undefined {
    const at = slab.rowOf(frame) + LAYOUT.ROW_SLOTS + LAYOUT.SLOT * slot
    const [where, bytes] = [this.kernel.bytes.readUInt16LE(at), this.kernel.bytes.readUInt16LE(at + 2)]
    if (where === LAYOUT.ABSENT) return undefined
    const from = slab.startOf(slab.chunks[slab.chunkAt(frame)]!, frame) + where
    return this.kernel.bytes.toString('utf8', from, from + bytes)
  }
}

const LINES = ['2024-01-02T03:04:05.678Z INFO said hi', '\tat Main.run', '2024-01-02T03:04:06.678Z WARN said more']
const nanos = (text: string) => BigInt(Date.parse(text)) * 1_000_000n

t.test('lines have times and levels without a parser', t => {
  const rig = new Rig(new Map([['app', planned({ time: 'auto', level: 'auto' })]]))
  const origin = originOf('app')
  const slab = rig.run([{ origin, fileStart: 5000, lines: LINES }])
  const salt = BigInt(saltOf(origin.generation))
  const second = 5000n + BigInt(LINES[0]!.length + LINES[1]!.length + 2)
  t.strictSame(rig.times(slab), [
    nanos('2024-01-02T03:04:05.678Z') + ((5000n + salt) % 1_000_000n),
    undefined,
    nanos('2024-01-02T03:04:06.678Z') + ((second + salt) % 1_000_000n),
  ])
  t.strictSame(rig.levels(slab), [9, 0, 13])
  const { shape } = slab.chunks[0]!
  t.match(shape, { slots: [], message: undefined, level: 0, timed: true, levelled: true })
  t.equal(rig.textOf(slab, 0, 0), 'INFO')
  t.equal(rig.textOf(slab, 1, 0), undefined)
  const { untimedRecords, unlevelledRecords } = rig.account
  t.match(untimedRecords, { missing: 1, unreadable: 0 })
  t.match(unlevelledRecords, { missing: 1, unknown: 0 })
  t.end()
})

t.test('a line that is read again, in whichever slab, has the time that it had', t => {
  const plans = new Map([['app', planned({ time: 'auto' })]])
  const origin = originOf('app')
  const once = new Rig(plans).run([{ origin, fileStart: 0, lines: LINES }])
  const whole = new Rig(plans)
  const times = whole.times(whole.run([{ origin, fileStart: 0, lines: LINES }]))
  const apart = new Rig(plans)
  const from = LINES[0]!.length + LINES[1]!.length + 2
  const slab = apart.run([
    { origin, fileStart: from, lines: [LINES[2]!] },
    { origin, fileStart: 0, lines: LINES.slice(0, 2) },
  ])
  const [third, first, second] = apart.times(slab)
  t.strictSame([first, second, third], times)
  t.equal(once.frames, 3)
  const other = new Rig(plans)
  const moved = other.times(other.run([{ origin: originOf('app', 'fedcba9876543210'), fileStart: 0, lines: LINES }]))
  t.not(moved[0], times[0], 'the same line of another file has another time')
  t.end()
})

t.test('values of a parsed record go before its text', t => {
  const rig = new Rig(new Map([['app', planned({ parse: 'json', time: 'auto', level: 'auto' })]]))
  const lines = [
    '{"time":"2024-01-02T03:04:05Z","level":"warn","msg":"an ERROR"}',
    '{"ts":1704164645.25,"msg":"an ERROR","severityNumber":21}',
    '{"msg":"[error] without a level"}',
    '2024-01-02T03:04:05Z ERROR a text',
  ]
  const slab = rig.run([{ origin: originOf('app'), fileStart: 0, lines }])
  const millis = rig.times(slab).map(time => time && time / 1_000_000n)
  const at = BigInt(Date.UTC(2024, 0, 2, 3, 4, 5))
  t.strictSame(millis, [at, at + 250n, undefined, at])
  t.strictSame(rig.levels(slab), [13, 21, 17, 17])
  const { shape } = slab.chunks[0]!
  t.strictSame(
    lines.map((_, frame) => rig.textOf(slab, frame, shape!.level!)),
    ['"warn"', '21', undefined, 'ERROR'],
  )
  t.match(rig.account, { unparsedRecords: 1, untimedRecords: { missing: 1 }, unlevelledRecords: { missing: 0 } })
  t.end()
})

t.test('a level has a slot where no parser finds one', t => {
  const rig = new Rig(new Map([['app', planned({ parse: 'cri', level: 'text' })]]))
  const lines = ['2024-01-02T03:04:05.123456789Z stdout F [error] said']
  const slab = rig.run([{ origin: originOf('app'), fileStart: 0, lines }])
  const { shape } = slab.chunks[0]!
  t.strictSame([rig.levels(slab), rig.textOf(slab, 0, shape!.level!)], [[17], 'error'])
  t.equal(rig.textOf(slab, 0, shape!.message!), '[error] said')
  t.end()
})

t.test('a source without a plan is not looked at, whatever the others have', t => {
  const rig = new Rig(new Map([['app', planned({ time: 'auto', level: 'auto' })]]))
  const slab = rig.run([
    { origin: originOf('other'), fileStart: 0, lines: LINES },
    { origin: originOf('app'), fileStart: 0, lines: LINES },
  ])
  t.equal(slab.chunks[0]!.shape, undefined)
  const untouched = rig.kernel.bytes.subarray(slab.rowOf(0), slab.rowOf(3))
  t.ok(untouched.every(byte => byte === 0xa5))
  t.strictSame(rig.levels(slab).slice(3), [9, 0, 13])
  t.end()
})

t.test('records without a time or a level are counted by why', t => {
  const rig = new Rig(new Map([['app', planned({ parse: 'json', time: 'auto', level: 'level' })]]))
  const lines = ['none', '1980-01-01T00:00:00Z', '2090-01-01T00:00:00Z', '2024-13-01T00:00:00Z', '{"level":"odd"}']
  rig.run([{ origin: originOf('app'), fileStart: 0, lines }])
  t.strictSame(rig.account.untimedRecords, { missing: 2, unreadable: 1, old: 1, ahead: 1 })
  t.strictSame(rig.account.unlevelledRecords, { missing: 4, unknown: 1 })
  t.end()
})

t.test('rows are as long as what is asked for, and nothing where nothing is', t => {
  const row = (options: Partial<PlanSubject>) => rowBytes(new Map([['app', planned(options)]]))
  t.equal(row({ multiline: 'java' }), 0)
  t.equal(row({ time: 'auto' }), 16)
  t.equal(row({ level: 'auto' }), 24)
  t.equal(planOf({ name: 'app', maxLineBytes: 1, encoding: 'utf-8', time: 'none', level: 'none' }).kind, 'plan')
  t.match(planOf({ name: 'app', maxLineBytes: 1, encoding: 'utf-8', time: 'none' }), { plan: undefined })
  t.match(planOf({ name: 'app', maxLineBytes: 1, encoding: 'utf-8', time: 'ts' }), { kind: 'problems' })
  t.end()
})

t.test('what a client asked for is no level, unless the text is to say it', async t => {
  const line = (query: string) => `10.0.0.1 - - [23/Nov/2026:10:00:00 +0000] "GET /orders?${query} HTTP/1.1" 200 5`
  const lines = [line('level=error'), line('x=[warn]'), '2026/11/23 10:00:00 [error] 7#7: no such file']
  const chunks = [{ origin: originOf('app'), fileStart: 0, lines }]
  const levels = (options: Partial<PlanSubject>) => {
    const rig = new Rig(new Map([['app', planned(options)]]))
    return rig.levels(rig.run(chunks))
  }
  const [error, warn] = [17, 13]
  t.strictSame(levels({ parse: 'nginx' }), [0, 0, error], 'the log of errors has one of its own')
  t.strictSame(levels({ parse: 'nginx', level: { map: 'otel' } }), [0, 0, error])
  t.strictSame(levels({ parse: 'nginx', level: 'text' })[0], error)
  t.strictSame(levels({ parse: 'nginx', level: 'text' })[1], warn)
})
