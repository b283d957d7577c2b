/** Live configuration: the file is changed while lines are written, and the program goes on with what it says now. */
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { HealthReport } from '../../src/server/shipper-view.ts'
import { PROGRAM, Program, Receiver, refuse, Stage, sleep, until } from '../program.ts'

t.jobs = 3

interface Backend {
  readonly [key: string]: unknown
}

/** A stage whose configuration stands in a file. */
class Configured {
  readonly stage: Stage
  readonly file: string
  readonly #app: Record<string, unknown>
  readonly main: Backend

  private constructor(stage: Stage, file: string) {
    this.stage = stage
    this.file = file
    this.#app = { name: 'app', paths: [join(stage.logs, '*.log')] }
    this.main = { name: 'main', type: 'http', endpoint: stage.receiver.url, retry: { initial: '50ms', max: '300ms' } }
  }

  static async set(t: Test): Promise<Configured> {
    const stage = await Stage.set(t)
    return new Configured(stage, join(stage.logs, '../config.yaml'))
  }

  /** JSON is YAML. */
  text(changes: Record<string, unknown> = {}): string {
    return JSON.stringify({
      sources: [this.#app],
      backends: [this.main],
      state: { dir: this.stage.state },
      server: { port: 0, admin: '127.0.0.1:0' },
      ...changes,
    })
  }

  write(changes: Record<string, unknown> = {}): void {
    writeFileSync(this.file, this.text(changes))
  }

  app(changes: Record<string, unknown>): Record<string, unknown> {
    return { ...this.#app, ...changes }
  }

  start(): Promise<Program> {
    // The environment would win.
    for (const name of Object.keys(this.stage.env)) delete this.stage.env[name]
    return this.stage.start({}, ['--config', this.file])
  }
}

const applied = (program: Program) => program.said.filter(({ msg }) => msg === 'config reloaded').length
const health = async (program: Program) => JSON.parse((await program.get('/health')).text) as HealthReport

async function counters(program: Program): Promise<Map<string, number>> {
  const { text } = await program.get('/metrics')
  const samples = text.split('\n').filter(line => /_total\b/.test(line) && !line.startsWith('#'))
  return new Map(samples.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]))
}

/** Lines are written without a pause until the promise has settled. */
async function writing<T>(stage: Stage, work: Promise<T>): Promise<T> {
  const timer = setInterval(() => stage.write(5), 5)
  try {
    return await work
  } finally {
    clearInterval(timer)
  }
}

t.test('labels and batches change while lines are written: none is missing, none comes twice', async t => {
  const place = await Configured.set(t)
  const { stage } = place
  place.write()
  const program = await place.start()
  await writing(
    stage,
    (async () => {
      let before = await counters(program)
      for (const [at, maxRecords] of [3, 400, 50].entries()) {
        const app = place.app({ labels: { round: String(at) } })
        place.write({ sources: [app], backends: [{ ...place.main, batch: { maxRecords } }] })
        t.ok(await until(() => applied(program) === at + 1), 'it is applied')
        const after = await counters(program)
        for (const [name, value] of before) t.ok((after.get(name) ?? 0) >= value, `${name} does not go back`)
        before = after
      }
    })(),
  )
  t.ok(await stage.arrived())
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  stage.complete(t)
  t.match(ledger, [
    { source: 'app', backend: 'main', statement: { delivered: { lines: stage.written }, inFlight: { lines: 0 } } },
  ])
  const rounds = new Set((stage.receiver.records as unknown as { round?: string }[]).map(({ round }) => round))
  t.strictSame(rounds, new Set([undefined, '0', '1', '2']), 'the labels are those of the time')
})

t.test('a backend and a source come and go', async t => {
  const place = await Configured.set(t)
  const { stage } = place
  const other = await Receiver.start(t)
  const second = { ...place.main, name: 'second', endpoint: other.url, sources: ['app'] }
  const more = { name: 'more', paths: [join(stage.logs, 'more', '*.txt')] }
  place.write()
  const program = await place.start()
  stage.write(1000)
  t.ok(await stage.arrived())
  await writing(
    stage,
    (async () => {
      place.write({ backends: [place.main, second], sources: [place.app({}), more] })
      t.ok(await until(() => applied(program) === 1))
      t.ok(await until(() => other.records.length >= 1000), 'a new backend gets what is on the volume')
      mkdirSync(join(stage.logs, 'more'))
      stage.write(100, join(stage.logs, 'more', 'a.txt'))
      t.ok(await until(() => stage.receiver.records.some(({ file }) => file.endsWith('a.txt'))), 'a new source is read')
      other.behaviour = refuse(503)
      place.write()
      t.ok(await until(() => applied(program) === 2))
    })(),
  )
  t.ok(program.says('backend or source removed by the reload'))
  t.ok(await stage.arrived())
  const { code } = await program.kill('SIGTERM')
  t.equal(code, 0, 'nothing waits for what was removed')
  stage.complete(t, { ordered: false })
  const lines = other.lines.length
  t.equal(new Set(other.lines).size, lines, 'the other one had nothing twice either')
})

t.test('a backend that was dead is corrected: what waits comes, of a deleted file too', async t => {
  const place = await Configured.set(t)
  const { stage } = place
  // So that nothing but the handle keeps the file.
  const state = { dir: 'off' }
  place.write({ backends: [{ ...place.main, endpoint: 'http://127.0.0.1:9/' }], state })
  const program = await place.start()
  stage.write(20_000)
  t.ok(await until(async () => (await health(program)).backends[0]!.state === 'down'))
  unlinkSync(stage.log)
  stage.write(10)
  t.ok(await until(async () => (await health(program)).sources[0]!.files === 2))
  place.write({ state })
  t.ok(await stage.arrived())
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  stage.complete(t)
  t.match(ledger, [{ statement: { delivered: { lines: stage.written }, lostBytes: 0 } }])
})

t.test('what was acknowledged behind something that was not is not sent again', async t => {
  const place = await Configured.set(t)
  const { stage } = place
  let requests = 0
  let answer = () => {}
  // Under the old configuration the first request waits for its answer, the second passes, and no other one does.
  stage.receiver.behaviour = (request, response) => {
    const number = request.url?.endsWith('old') ? ++requests : 2
    if (number === 1) answer = () => response.writeHead(503).end()
    else response.writeHead(number === 2 ? 204 : 503).end()
    return number === 2
  }
  const batch = { maxRecords: 100, interval: '100ms' }
  place.write({ backends: [{ ...place.main, endpoint: `${stage.receiver.url}/old`, batch, concurrency: 2 }] })
  const program = await place.start()
  stage.write(100)
  t.ok(await until(() => requests === 1))
  stage.write(100)
  t.ok(await until(() => stage.receiver.records.length === 100))
  answer()
  t.ok(await until(() => requests > 3), 'the first one is retried in vain')
  place.write()
  t.ok(await stage.arrived())
  const { ledger } = await program.kill('SIGTERM')
  stage.complete(t, { ordered: false })
  t.match(ledger, [{ statement: { delivered: { lines: 200 }, inFlight: { lines: 0 } } }])
})

t.test('what cannot be used changes nothing, is shown, and is mended', async t => {
  const place = await Configured.set(t)
  const { stage } = place
  place.write()
  const program = await place.start()
  t.match((await health(program)).configuration, { kind: 'current', problems: 0 })
  const wrong: [name: string, make: () => void][] = [
    ['wrong keys', () => place.write({ backend: 1, memory: { budget: 'much' } })],
    ['half of it', () => writeFileSync(place.file, place.text().slice(0, 60))],
    ['empty', () => writeFileSync(place.file, '')],
    ['gone', () => unlinkSync(place.file)],
    ['another port', () => place.write({ server: { port: 1 } })],
    [
      'a secret that is not there',
      () => place.write({ sources: [place.app({ labels: { a: '${file:/nowhere/b}' } })] }),
    ],
  ]
  let refusals = 0
  for (const [name, make] of wrong) {
    make()
    refusals++
    t.ok(await until(() => program.said.filter(({ event }) => event === 'config_refused').length === refusals), name)
    t.match((await health(program)).configuration, { kind: 'refused' }, name)
  }
  t.match(program.said.find(({ event }) => event === 'config_refused')!['problems'], [/memory\.budget/, /backend/])
  t.equal((await health(program)).configuration.problems, 1)
  const shown = async () =>
    (JSON.parse((await program.get('/status', 'adminPort')).text) as { problems: string[] }).problems
  t.equal((await shown()).length, 1, 'and the status page says what is wrong')
  stage.write(100)
  t.ok(await stage.arrived(), 'it goes on')
  const { text } = await program.get('/metrics')
  t.match(text, /^logshipper_config_last_reload_successful 0$/m)
  t.match(text, new RegExp(`^logshipper_config_reloads_total{result="refused"} ${refusals}$`, 'm'))
  const applies = Number(/^logshipper_config_last_reload_success_timestamp_seconds ([\d.]+)$/m.exec(text)![1])
  t.ok(applies < Date.parse((await health(program)).configuration.since) / 1000, 'since before it was refused')
  place.write()
  t.ok(await until(() => program.says('the configuration file is valid again')))
  t.match((await health(program)).configuration, { kind: 'current', problems: 0 })
  t.ok(await until(async () => (await shown()).length === 0))
  t.equal(applied(program), 0)
  const { code } = await program.kill('SIGTERM')
  t.equal(code, 0)
})

t.test('a file that would take all memory is refused, and the configuration before goes on', async t => {
  const configured = await Configured.set(t)
  const { stage } = configured
  configured.write()
  for (const name of Object.keys(stage.env)) delete stage.env[name]
  // As in the image.
  const flags = ['--max-old-space-size=64', '--max-semi-space-size=1']
  const program = new Program({}, [...flags, PROGRAM, '--config', configured.file], { command: process.execPath })
  t.teardown(() => program.kill('SIGKILL'))
  await program.started
  stage.write(10)
  t.ok(await stage.arrived())
  const sources = Array.from({ length: 20_000 }, (_, n) => ({ name: `s${n}`, paths: [`/logs/${n}.log`] }))
  const refused = () => program.said.filter(({ event }) => event === 'config_refused')
  for (const [times, text] of ['['.repeat(200_000), configured.text({ sources })].entries()) {
    writeFileSync(configured.file, text)
    t.ok(await until(() => refused().length > times))
    t.match(refused().at(-1)!['problems'], [times === 0 ? /nested too deeply/ : /too many keys and values/])
    stage.write(10)
    t.ok(await stage.arrived())
  }
  configured.write({ log: { level: 'warn' } })
  t.ok(await until(async () => (await health(program)).configuration.kind === 'current'))
  t.equal((await program.kill('SIGTERM')).code, 0)
  stage.complete(t)
})

t.test('a ConfigMap: the link to its data is swapped, and a file that it takes in', async t => {
  const place = await Configured.set(t)
  const { stage } = place
  const directory = join(stage.logs, '../volume')
  const project = (name: string, label: string) => {
    mkdirSync(join(directory, name), { recursive: true })
    const app = place.app({ labels: { team: `\${file:${directory}/team}` } })
    writeFileSync(join(directory, name, 'config.yaml'), place.text({ sources: [app] }))
    writeFileSync(join(directory, name, 'team'), label)
    symlinkSync(name, join(directory, '..data_tmp'))
    renameSync(join(directory, '..data_tmp'), join(directory, '..data'))
  }
  project('..1', 'red')
  symlinkSync('..data/config.yaml', join(directory, 'config.yaml'))
  symlinkSync('..data/team', join(directory, 'team'))
  Object.assign(place, { file: join(directory, 'config.yaml') })
  const program = await place.start()
  stage.write(10)
  t.ok(await stage.arrived())
  project('..2', 'blue')
  rmSync(join(directory, '..1'), { recursive: true })
  t.ok(await until(() => applied(program) === 1))
  stage.write(10)
  t.ok(await stage.arrived())
  await program.kill('SIGTERM')
  stage.complete(t)
  const teams = (stage.receiver.records as unknown as { team: string }[]).map(({ team }) => team)
  t.strictSame(teams, [...Array(10).fill('red'), ...Array(10).fill('blue')])
})

t.test('standard output goes on through a change, line by line', async t => {
  const place = await Configured.set(t)
  const { stage } = place
  const log = { level: 'info' }
  place.write({ backends: [{ type: 'stdout' }], log })
  const program = await place.start()
  await writing(
    stage,
    (async () => {
      place.write({ backends: [{ type: 'stdout', batch: { maxRecords: 7 } }], log })
      t.ok(await until(() => applied(program) === 1))
    })(),
  )
  await program.kill('SIGTERM')
  const lines = program.stdout.split('\n').slice(0, -1)
  t.strictSame(
    lines.map(line => Number(line.slice(0, 8))),
    Array.from({ length: stage.written }, (_, n) => n),
  )
})

t.test('a drain does not wait for a change that waits for an answer', async t => {
  const place = await Configured.set(t)
  const { stage } = place
  stage.receiver.behaviour = () => false
  place.write({ drain: { gracePeriod: '4s' } })
  const program = await place.start()
  stage.write(10)
  t.ok(await until(() => stage.receiver.requests === 1))
  place.write({ drain: { gracePeriod: '5s' } })
  // The change begins within two seconds, and would wait for the answer for thirteen.
  await sleep(3000)
  t.equal(applied(program), 0)
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 3)
  t.match(ledger, [{ statement: { delivered: { lines: 0 } } }])
})
