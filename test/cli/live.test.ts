/** How one shipper takes another's place, with shippers that only say what is asked of them. */
import t from 'tap'
import { Live } from '../../src/cli/live.ts'
import type { Config } from '../../src/config/config.ts'
import type { Drained, LastSave, Shipper } from '../../src/shipper.ts'
import { Tap } from '../../src/tap.ts'
import { configured } from '../configured.ts'
import { scratch } from '../scratch.ts'

const SILENT = { error() {}, warn() {}, info() {}, debug() {} }
const DRAINED: Drained = { complete: true, left: [] }

/** Of a configuration only what a change is judged by. */
function config(label: string, more: object = {}): Config {
  const server = { port: null, admin: null }
  return { label, state: { dir: '/state' }, server, drain: { gracePeriod: 1000 }, backends: [], ...more } as never
}

class Fake {
  readonly name: string
  readonly #said: string[]
  unfinished = false
  /** Resolves `handOver` before it is hurried. */
  handed: Promise<void> = Promise.resolve()
  stopped: Promise<LastSave> = Promise.resolve({ kind: 'saved' })
  /** A hand-over that does not even end when it is hurried: its save hangs. */
  stuck = false

  constructor(name: string, said: string[]) {
    this.name = name
    this.#said = said
  }

  #say(what: string): void {
    this.#said.push(`${this.name} ${what}`)
  }

  remains = () => DRAINED
  terminationBegan = () => {}
  startup = () => ({ ready: true, waiting: [] })

  async handOver(hurry: AbortSignal): Promise<object> {
    this.#say('hands over')
    const hurried = new Promise<void>(resolve => hurry.addEventListener('abort', () => resolve()))
    await Promise.race([this.handed, this.stuck ? new Promise(() => {}) : hurried])
    this.#say(hurry.aborted ? 'was hurried' : 'has handed over')
    return {}
  }

  async succeed(before: Fake): Promise<void> {
    this.#say(`succeeds ${before.name}`)
  }

  async drain(): Promise<Drained> {
    this.#say('drains')
    return DRAINED
  }

  async stop(): Promise<LastSave> {
    this.#say('stops')
    return this.stopped
  }
}

function rig() {
  const said: string[] = []
  const fakes: Fake[] = []
  const build = (each: Config): Shipper => {
    const { label } = each as unknown as { label: string }
    if (label === 'impossible') throw Object.assign(new Error(), { code: 'ENOMEM' })
    fakes.push(new Fake(label, said))
    return fakes.at(-1) as unknown as Shipper
  }
  return { said, fakes, live: new Live(config('first'), build, SILENT, new Tap(true)) }
}

t.test('a change is handed over to a shipper that was built before the one before it stopped', async t => {
  const { said, live } = rig()
  t.same(await live.apply(config('first')), { kind: 'same' })
  t.same(await live.apply(config('second')), { kind: 'applied' })
  t.same(said, ['first hands over', 'first has handed over', 'second succeeds first'])
  t.same(await live.drain(), DRAINED)
  t.equal(said.at(-1), 'second drains')
})

t.test(
  'a configuration that is read again is the same, whatever is done with records, and another one is not',
  async t => {
    const dir = scratch(t, {})
    const read = (filter: string, drop: string) => {
      const source = { paths: ['/a.log'], parse: ['json', 'nginx'], redact: 'secrets', fields: { drop: [drop] } }
      const labels = ['source', 'level', { field: 'status' }]
      const backends = [{ type: 'loki', endpoint: 'http://loki', labels, filter, fields: { keep: ['x'] } }]
      return configured(dir, { sources: [source], backends })
    }
    const said: string[] = []
    const live = new Live(
      await read('info', 'a'),
      () => new Fake('next', said) as unknown as Shipper,
      SILENT,
      new Tap(true),
    )
    t.same(await live.apply(await read('info', 'a')), { kind: 'same' })
    t.same(await live.apply(await read('warn', 'a')), { kind: 'applied' }, 'what a backend says has changed')
    t.same(await live.apply(await read('warn', 'b')), { kind: 'applied' }, 'what a source says has changed')
    t.same(await live.apply(await read('warn', 'b')), { kind: 'same' })
  },
)

t.test('what cannot be built, or the process is built around, is refused, and the one before goes on', async t => {
  const { said, live } = rig()
  t.match(await live.apply(config('impossible')), { kind: 'refused', problems: [{ found: 'ENOMEM' }] })
  for (const [key, more] of [
    ['state.dir', { state: { dir: '/other' } }],
    ['server.port', { server: { port: 1, admin: null } }],
    ['server.admin', { server: { port: null, admin: { host: '::1', port: 1 } } }],
  ] as const) {
    t.match(await live.apply(config('second', more)), { kind: 'refused', problems: [{ key }] })
  }
  t.same(said, [])
})

t.test('a drain that begins in the middle of a change hurries it, and does not wait for an answer', async t => {
  const { said, fakes, live } = rig()
  // An answer that never comes.
  fakes[0]!.handed = new Promise(() => {})
  const change = live.apply(config('second'))
  await new Promise(setImmediate)
  t.same(said, ['first hands over'])
  t.same(await live.drain(), DRAINED)
  t.same(await change, { kind: 'applied' })
  t.same(said, ['first hands over', 'first was hurried', 'second succeeds first', 'second drains'])
})

t.test('a change that waits for what could not be found again is given up by a drain', async t => {
  const { said, fakes, live } = rig()
  fakes[0]!.unfinished = true
  const change = live.apply(config('second'))
  t.same(await live.drain(), DRAINED)
  t.same(await change, { kind: 'late' })
  t.same(said, ['first drains'])
})

t.test('an end waits for the last save within the grace period, and says how that ended', async t => {
  const { said, fakes, live } = rig()
  await live.drain()
  t.same(await live.stop(), { kind: 'saved' })
  const failed = { kind: 'failed', code: 'ENOSPC', unsavedBytes: 7 } as const
  fakes[0]!.stopped = Promise.resolve(failed)
  t.same(await live.stop(), failed)
  fakes[0]!.stopped = new Promise(() => {})
  t.same(await live.stop(), { kind: 'late' })
  t.same(said, ['first drains', 'first stops', 'first stops', 'first stops'])
})

t.test('neither a drain nor an end waits for a change whose save hangs', async t => {
  const { said, fakes, live } = rig()
  fakes[0]!.handed = new Promise(() => {})
  fakes[0]!.stuck = true
  void live.apply(config('second'))
  await new Promise(setImmediate)
  t.same(await live.drain(), DRAINED)
  t.same(await live.stop(), { kind: 'late' })
  t.same(said, ['first hands over', 'first drains'])
})
