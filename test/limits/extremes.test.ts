/** Every configuration of extremes has memory enough, or says before the start how much it needs. */
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Transport } from '../../src/delivery/transport/transport.ts'
import { createDestination } from '../../src/destination.ts'
import { Ledger } from '../../src/ledger.ts'
import { NO_METADATA } from '../../src/metadata.ts'
import { Pipeline } from '../../src/pipeline.ts'
import { formOf } from '../../src/tail/framing/form.ts'
import { Framer } from '../../src/tail/framing/framer.ts'
import { Reader } from '../../src/tail/framing/reader.ts'
import { CheckpointStore } from '../../src/tail/state/checkpoint.ts'
import { Tail } from '../../src/tail/tail.ts'
import { Sweep } from '../../src/tail/watching/sweep.ts'
import { scratch } from '../scratch.ts'
import { Journal } from '../tail/rig.ts'

const EXTREMES = {
  budget: [undefined, '256KiB', '2GiB'],
  backends: [1, 7],
  maxBytes: ['64KiB', '64MiB'],
  maxRecords: [1, 1_000_000],
  maxLineBytes: ['1KiB', '8MiB'],
  concurrency: [1, 32],
}

type Settings = { [key in keyof typeof EXTREMES]: (typeof EXTREMES)[key][number] }

function* combinations(keys = Object.keys(EXTREMES) as (keyof Settings)[]): Generator<Settings> {
  const [key, ...rest] = keys
  if (key === undefined) return yield {} as Settings
  for (const others of combinations(rest)) for (const value of EXTREMES[key]) yield { ...others, [key]: value }
}

function configurationOf({ budget, backends, maxBytes, maxRecords, maxLineBytes, concurrency }: Settings, log: string) {
  const backend = (_: unknown, n: number) => ({
    name: `b${n}`,
    type: 'http',
    endpoint: 'http://127.0.0.1/',
    format: (['ndjson', 'json', 'text'] as const)[n % 3],
    compression: 'none',
    batch: { maxBytes, maxRecords },
    concurrency,
  })
  return JSON.stringify({
    sources: [{ paths: [log], maxLineBytes }],
    backends: Array.from({ length: backends }, backend),
    ...(budget === undefined ? {} : { memory: { budget } }),
  })
}

/** What of `lines` arrives at the last of the backends, through the parts that the configuration asks for. */
async function shipped(t: Test, config: Config, log: string): Promise<number> {
  const journal = new Journal()
  const ledger = new Ledger()
  const sweep = new Sweep(config.sources, journal)
  const tail = new Tail(config.sources, sweep, new CheckpointStore(null, journal), ledger, journal)
  const entry = config.backends.at(-1)!
  const { name, delivery } = entry
  const transport: Transport = {
    send: async () => ({ kind: 'answer', answer: { status: 204, headers: {}, body: '' } }),
    reload: () => false,
    abort() {},
    async close() {},
  }
  const fields = { metadata: () => NO_METADATA, log: journal, onClosed: () => {}, transport }
  const destination = createDestination(config, entry, fields)
  const reader = new Reader(name, new Framer(destination.kernel, () => formOf(config.sources[0]!)), tail.events)
  tail.join({ reader, sources: new Set(['app']) })
  const { batch, concurrency } = delivery
  const parts = { ...destination, name, sources: ['app'], reader, batch, concurrency, logger: journal }
  const pipeline = new Pipeline(parts)
  await tail.start()
  const { account } = { account: () => ledger.account('app', name).statement() }
  for (let turn = 0; account().delivered.lines < 3 && turn < 1000; turn++) await new Promise(r => setTimeout(r, 2))
  await pipeline.stop()
  await tail.stop(true)
  const { delivered, truncatedLines } = account()
  t.equal(truncatedLines, 0, 'no line is too long')
  t.equal(delivered.bytes, statSync(log).size)
  return delivered.lines
}

t.test(
  'every configuration of extremes is refused, with what would do, or ships lines of any length',
  { timeout: 120_000 },
  async t => {
    let refused = 0
    let ran = 0
    const cwd = scratch(t)
    for (const settings of combinations()) {
      const log = join(cwd, 'app.log')
      // The longest line there may be takes its time, and one backend of several is as good as one alone.
      const longest = settings.maxLineBytes === '8MiB' && settings.backends === 1 ? 8 << 20 : 1024
      writeFileSync(log, `first\n${'x'.repeat(longest)}\nlast\n`)
      const load = async (what: Settings) => {
        writeFileSync(join(cwd, 'config.yaml'), configurationOf(what, log))
        return loadConfig({ file: 'config.yaml', env: {}, cwd })
      }
      let loaded = await load(settings)
      if (loaded.kind === 'invalid') {
        refused++
        const [problem, ...others] = loaded.problems
        t.match(problem, { file: 'config.yaml', line: 1, key: 'memory.budget', found: /^256KiB for [17] backend/ })
        t.equal(others.length, 0)
        const enough = /^at least (\d+MiB): backend b\d needs \d+KiB$/.exec(problem!.allowed)?.[1]
        loaded = await load({ ...settings, budget: enough as '2GiB' })
      }
      if (loaded.kind === 'invalid') t.fail(`${JSON.stringify(settings)}: ${loaded.problems[0]!.allowed}`)
      else {
        ran++
        t.equal(await shipped(t, loaded.config, log), 3, JSON.stringify(settings))
      }
    }
    t.ok(refused > 20 && ran === 96, `${refused} were refused`)
  },
)
