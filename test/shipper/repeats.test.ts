/** Equal records through the program: a run that is still open is met by a death, a rotation, a reload and an end. */
import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Ended, type Received, Stage, sleep, until } from '../program.ts'

t.jobs = 2

/** So long that nothing ends by time, however busy the machine is. */
const REPEATS = { window: '24h', flush: '10m' }

interface Repeated extends Received {
  readonly repeated?: number
}

class Place {
  readonly stage: Stage
  readonly #file: string

  private constructor(stage: Stage) {
    this.stage = stage
    this.#file = join(stage.logs, '../config.yaml')
  }

  static async set(t: Test): Promise<Place> {
    const place = new Place(await Stage.set(t))
    place.configure()
    return place
  }

  /** JSON is YAML. */
  configure(labels: Record<string, string> = {}): void {
    const { logs, state, receiver } = this.stage
    const config = {
      sources: [{ name: 'app', paths: [join(logs, '*.log')], repeats: REPEATS, labels }],
      backends: [{ name: 'main', type: 'http', endpoint: receiver.url }],
      state: { dir: state },
      server: { port: 0, admin: '127.0.0.1:0' },
    }
    writeFileSync(this.#file, JSON.stringify(config))
  }

  start() {
    // The environment would win.
    for (const name of Object.keys(this.stage.env)) delete this.stage.env[name]
    return this.stage.start({}, ['--config', this.#file])
  }

  /** Lines that come one by one, as far as that can be said. */
  async trickle(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      appendFileSync(this.stage.log, 'cannot connect\n')
      await sleep(30)
    }
  }

  get records(): [string, number][] {
    return (this.stage.receiver.records as readonly Repeated[]).map(({ message, repeated }) => [message, repeated ?? 1])
  }
}

/** Everything that was read was sent, or dropped for being repeated. */
function checkBooks(t: Test, { code, ledger }: Ended, sent: number, repeated: number): void {
  t.equal(code, 0)
  const { read, delivered, dropped, inFlight } = ledger[0]!.statement
  t.strictSame(
    [delivered.lines, dropped['repeats']?.lines ?? 0, inFlight.lines, read.lines],
    [sent, repeated, 0, sent + repeated],
  )
}

t.test('a run that comes in slowly is one record, and the last one is sent at the end', async t => {
  const place = await Place.set(t)
  const program = await place.start()
  await place.trickle(20)
  appendFileSync(place.stage.log, 'connected\n')
  t.ok(await until(() => place.records.length === 1))
  checkBooks(t, await program.kill('SIGTERM'), 2, 19)
  t.strictSame(place.records, [
    ['cannot connect', 20],
    ['connected', 1],
  ])
})

t.test('a run in the middle of which the program is killed is still one', async t => {
  const place = await Place.set(t)
  const first = await place.start()
  await place.trickle(10)
  await first.kill('SIGKILL')
  await place.trickle(5)
  const second = await place.start()
  await place.trickle(5)
  checkBooks(t, await second.kill('SIGTERM'), 1, 19)
  t.strictSame(place.records, [['cannot connect', 20]])
})

t.test('a run in the middle of which the file is rotated is two', async t => {
  const place = await Place.set(t)
  const program = await place.start()
  await place.trickle(10)
  renameSync(place.stage.log, `${place.stage.log}.1`)
  await place.trickle(5)
  checkBooks(t, await program.kill('SIGTERM'), 2, 13)
  t.strictSame(place.records, [
    ['cannot connect', 10],
    ['cannot connect', 5],
  ])
})

t.test('a run in the middle of which the configuration changes is one', async t => {
  const place = await Place.set(t)
  const program = await place.start()
  await place.trickle(10)
  place.configure({ version: '2' })
  t.ok(await until(() => program.says('config reloaded')))
  await place.trickle(5)
  checkBooks(t, await program.kill('SIGTERM'), 1, 14)
  t.strictSame(place.records, [['cannot connect', 15]])
})
