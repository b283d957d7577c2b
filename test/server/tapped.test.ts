/** The stream of records on a real admin port: which clients get it, what it is bounded by, and what ends it. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { networkInterfaces } from 'node:os'
import t, { type Test } from 'tap'
import { CLOCK, type Clock } from '../../src/clock.ts'
import { startServer } from '../../src/server/server.ts'
import { MOST_VIEWERS, RATE, Tap, TapInlet } from '../../src/tap.ts'
import { Arena } from '../delivery/rig.ts'
import { until } from '../program.ts'
import { Journal } from '../tail/rig.ts'
import { ask, open, Stage } from './rig.ts'

/** Ticks when it is told to. */
class Ticking implements Clock {
  readonly #due: (() => void)[] = []
  now = CLOCK.now
  after(_ms: number, run: () => void): () => void {
    this.#due.push(run)
    return () => void this.#due.splice(this.#due.indexOf(run), 1)
  }
  tick(): void {
    for (const run of this.#due.splice(0)) run()
  }
  get waiting(): number {
    return this.#due.length
  }
}

/** By default one second goes on for ever: how many records come in one is what is bounded. */
async function server(t: Test, { host = '127.0.0.1', tap = new Tap(true, () => 0) } = {}) {
  const stage = new Stage()
  stage.tap = tap
  const clock = new Ticking()
  const journal = new Journal()
  const running = await startServer({ port: null, admin: { host, port: 0 } }, stage, journal, clock)
  t.teardown(() => running.close())
  const arena = new Arena()
  const inlet = new TapInlet(tap, 'main', arena.kernel.bytes)
  /** So many records of this text are delivered. */
  const deliver = (text: string, records = 1): void => {
    const slab = arena.slab({ lines: Array.from({ length: records }, () => text) })
    inlet.frames(slab, [{ from: 0, to: records }], 'delivered')
    arena.budget.release(slab.extent)
  }
  return { stage, clock, journal, running, port: running.ports.adminPort!, deliver }
}

/** A client that reads the stream. */
class Client {
  readonly response: IncomingMessage
  text = ''
  ended = false

  constructor(response: IncomingMessage) {
    this.response = response
    response.setEncoding('utf8').on('data', part => (this.text += part))
    response.on('error', () => {})
    response.on('close', () => (this.ended = true))
  }

  static async open(t: Test, port: number, query = ''): Promise<Client> {
    const asking = request({ port, host: '127.0.0.1', path: `/tap${query}`, agent: false })
    asking.on('error', () => {})
    asking.end()
    t.teardown(() => asking.destroy())
    const [response] = (await once(asking, 'response')) as [IncomingMessage]
    return new Client(response)
  }

  get lines(): Record<string, unknown>[] {
    return this.text
      .split('\n')
      .slice(0, -1)
      .flatMap(line => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]))
  }

  async holds(lines: number): Promise<boolean> {
    return until(() => this.lines.length >= lines)
  }
}

t.test('records come as lines of JSON, what a terminal would obey is escaped, and the viewer is logged', async t => {
  const { journal, deliver, port } = await server(t)
  deliver('before there is a viewer')
  const client = await Client.open(t, port, '?source=app&text=a')
  t.equal(client.response.statusCode, 200)
  t.match(client.response.headers, {
    'content-type': 'application/x-ndjson; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  const hostile = 'a\x1b[2J\x9b31m\u202egnp.exe\u2066\x7f\ttab'
  deliver(hostile)
  t.ok(await client.holds(1))
  t.match(client.lines, [{ verdict: 'delivered', source: 'app', backend: 'main', text: hostile }])
  t.match(client.text, /^[\x20-\x7e…]+\n$/, 'every character of it can be shown')
  t.match(journal.said, [{ level: 'info', fields: { event: 'tap_opened', source: 'app', backend: null } }])
})

t.test('a client that goes is noticed, and leaves its place', async t => {
  const { stage, clock, port } = await server(t)
  const clients: Client[] = []
  for (let n = 0; n < MOST_VIEWERS; n++) clients.push(await Client.open(t, port))
  const refused = await ask(port, '/tap')
  t.strictSame([refused.status, refused.body], [429, 'there are 4 viewers already: end one of them\n'])
  clients[0]!.response.destroy()
  t.ok(await until(() => stage.tap.viewers?.size === MOST_VIEWERS - 1))
  t.ok(await Client.open(t, port))
  for (const client of clients) client.response.destroy()
  t.ok(await until(() => stage.tap.viewers?.size === 1))
  t.equal(clock.waiting, 1, 'nothing else goes on')
})

t.test('what is over the rate is counted, and said once a second; a quiet stream gives a sign of life', async t => {
  const { clock, deliver, port } = await server(t)
  const client = await Client.open(t, port)
  deliver('one of many', RATE + 50)
  t.ok(await client.holds(RATE))
  clock.tick()
  t.ok(await client.holds(RATE + 1))
  t.match(client.lines.at(-1), { skipped: 50, why: 'rate' })
  const { length } = client.text
  for (let n = 0; n < 10; n++) clock.tick()
  t.ok(await until(() => client.text.length > length))
  t.equal(client.text.slice(length), '\n')
})

t.test('a client that does not read has records dropped and counted, and not kept', async t => {
  let now = 0
  const { stage, clock, deliver, port } = await server(t, { tap: new Tap(true, () => now) })
  const socket = await open(port)
  t.teardown(() => socket.destroy())
  socket.pause()
  socket.write('GET /tap HTTP/1.1\r\nhost: localhost\r\n\r\n')
  t.ok(await until(() => stage.tap.viewers?.size === 1))
  // More than the system keeps for a connection, and the bound of ours.
  const SECONDS = 200
  for (; now < 1000 * SECONDS; now += 1000) {
    deliver('x'.repeat(1000), RATE)
    await new Promise(resolve => setImmediate(resolve))
  }
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => (text += part))
  socket.resume()
  const skips = () => /\{[^{]*"skipped":(\d+),"why":"reader"\}\n/.exec(text.slice(-1000))
  t.ok(
    await until(() => {
      clock.tick()
      return skips() !== null
    }),
  )
  const [, skipped] = skips()!
  t.ok(Number(skipped) > 0)
  t.equal(text.split('"verdict"').length - 1 + Number(skipped), SECONDS * RATE, 'every record is shown or counted')
})

t.test('a client that may not see records is told why, and takes no place', async t => {
  const { stage, port } = await server(t)
  const refused = async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
    const { status, body } = await ask(port, path, { headers, method })
    t.equal(stage.tap.viewers, undefined)
    return [status, body.trim()]
  }
  const elsewhere = 'not from a page of another origin'
  t.strictSame(await refused('/tap', { origin: 'http://evil.example' }), [403, elsewhere])
  t.strictSame(await refused('/tap', { 'sec-fetch-site': 'same-site' }), [403, elsewhere])
  t.strictSame((await refused('/tap', { host: 'evil.example' }))[0], 403)
  t.strictSame(await refused('/tap', {}, 'HEAD'), [200, ''])
  t.strictSame((await refused('/tap', {}, 'POST'))[0], 405)
  t.strictSame(await refused('/tap?source=ap%1b'), [400, 'unknown source ap\\u001b; configured: app'])
  t.strictSame(await refused('/tap?backend=mian'), [400, 'unknown backend mian; configured: main'])
  t.match(await refused(`/tap?text=${'x'.repeat(257)}`), [400, /found 257 characters; allowed: 256/])
  stage.tap.allow(false)
  t.strictSame(await refused('/tap'), [403, 'records are not shown: server.tap is false'])
})

const outside = Object.values(networkInterfaces())
  .flatMap(all => all ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address
const without = { skip: outside === undefined ? 'this machine has no address but loopback' : false }

t.test('records are shown on loopback only, wherever the admin port is', without, async t => {
  const { port } = await server(t, { host: '0.0.0.0' })
  t.equal((await ask(port, '/status', { host: outside! })).status, 200)
  const { status, body } = await ask(port, '/tap', { host: outside! })
  t.equal(status, 403)
  t.match(body, 'on loopback only')
  t.equal((await Client.open(t, port)).response.statusCode, 200)
})

t.test('a stream ends when it is forbidden, and when the server closes, which waits for no client', async t => {
  const { stage, clock, running, port } = await server(t)
  const client = await Client.open(t, port)
  stage.tap.allow(false)
  t.ok(await until(() => client.ended))
  t.equal(client.response.complete, true, 'an end, and no fault')
  stage.tap.allow(true)
  const [reading, silent] = [await Client.open(t, port), await open(port)]
  silent.pause()
  silent.write('GET /tap HTTP/1.1\r\nhost: localhost\r\n\r\n')
  t.ok(await until(() => stage.tap.viewers?.size === 2))
  await running.close()
  t.ok(await until(() => reading.ended))
  t.ok(await until(() => stage.tap.viewers === undefined && clock.waiting === 0))
  silent.destroy()
})
