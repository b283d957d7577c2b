/** `logshipper replay` without a process of its own: what comes of dead-letter files that were written by hand. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { replay } from '../../src/cli/replay.ts'
import type { Interruption } from '../../src/cli/run.ts'
import { StateDirectory } from '../../src/state.ts'
import { claim } from '../../src/tail/state/lock.ts'
import { configured } from '../configured.ts'
import { type Behaviour, Receiver, refuse } from '../program.ts'
import { scratch } from '../scratch.ts'
import { Journal } from '../tail/rig.ts'

const GENERATION = 'a1b2c3d4e5f60718'

/** A line of a dead-letter file, of a line with this message at this offset. */
const letter = (message: string, offset: number): string =>
  `${JSON.stringify({
    ...{
      rejectedAt: '2026-01-02T03:04:05.678Z',
      reason: 'http_409',
      status: 409,
      source: 'app',
      file: '/var/log/a.log',
    },
    ...{
      generation: GENERATION,
      offset,
      labels: {},
      readAt: Date.UTC(2026, 0, 2),
      cutFrom: 0,
      partial: false,
      message,
    },
  })}\n`

const letters = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, n) => letter(`line ${from + n}`, (from + n) * 10)).join('')

async function staged(t: Test, own: object = {}) {
  const dir = scratch(t, { logs: {} })
  const receiver = await Receiver.start(t)
  const backend = { type: 'http', name: 'main', endpoint: receiver.url, ids: true, compression: 'none' }
  const statuses = { rejected: [409] }
  const config = await configured(dir, { backends: [{ ...backend, statuses }], ...own })
  const kept = join(dir, 'state', 'dead-letter')
  mkdirSync(kept, { recursive: true, mode: 0o700 })
  const journal = new Journal()
  return {
    dir,
    receiver,
    config,
    journal,
    path: (name: string) => join(kept, name),
    put: (name: string, text: string) => writeFileSync(join(kept, name), text, { mode: 0o600 }),
    /** The files of dead letters, without sockets. */
    left: () => readdirSync(kept).filter(name => name.endsWith('.ndjson')),
    async replay({
      json = false,
      backend,
      interrupt,
    }: {
      json?: boolean
      backend?: string
      interrupt?: Behaviour
    } = {}) {
      let [out, err] = ['', '']
      const streams = {
        out: { write: (text: string) => void (out += text) },
        err: { write: (text: string) => void (err += text) },
      }
      const listeners: ((interruption: Interruption) => void)[] = []
      if (interrupt) {
        receiver.behaviour = (...of) => {
          for (const listener of listeners) listener({ signal: 'SIGTERM', end: () => {} } as unknown as Interruption)
          return interrupt(...of)
        }
      }
      const code = await replay(config, { backend, json }, journal, listener => void listeners.push(listener), streams)
      return { code, out, err }
    },
  }
}

t.test('more records than one slab holds arrive in order, under their ids, and the file is removed', async t => {
  const stage = await staged(t)
  stage.put('main.ndjson', letters(0, 2500))
  t.same(await stage.replay(), { code: 0, out: 'main: 2500 delivered, 0 rejected again\n', err: '' })
  t.strictSame(
    stage.receiver.records.map(({ message }) => message),
    Array.from({ length: 2500 }, (_, n) => `line ${n}`),
  )
  t.equal(stage.receiver.records[16]!.id, `${GENERATION}-0000000000a0`)
  t.strictSame(stage.left(), [])
})

t.test('what an interrupted replay left goes before what was rejected since', async t => {
  const stage = await staged(t)
  stage.put('main.replaying.ndjson', letters(0, 3))
  stage.put('main.ndjson', letters(3, 6))
  t.match(await stage.replay(), { code: 0, out: 'main: 6 delivered, 0 rejected again\n' })
  t.strictSame(
    stage.receiver.records.map(({ message }) => message),
    Array.from({ length: 6 }, (_, n) => `line ${n}`),
  )
})

t.test('a replay that is interrupted says so, keeps the file, and the next one sends it', async t => {
  const stage = await staged(t)
  stage.put('main.ndjson', letters(0, 3))
  const first = await stage.replay({ interrupt: refuse(503), json: true })
  t.equal(first.code, 3)
  t.match(JSON.parse(first.out), [{ backend: 'main', delivered: 0, rejected: {}, unreadable: 0, end: 'interrupted' }])
  t.strictSame(stage.left(), ['main.replaying.ndjson'])
  t.equal(readFileSync(stage.path('main.replaying.ndjson'), 'utf8'), letters(0, 3))
  stage.receiver.behaviour = undefined
  t.match(await stage.replay(), { code: 0, out: 'main: 3 delivered, 0 rejected again\n' })
  t.strictSame(stage.left(), [])
})

t.test('lines that are no records are kept beside, and the records around them are sent', async t => {
  const stage = await staged(t)
  const wrong = [
    'no JSON',
    '{}',
    letter('x', -1).trim(),
    JSON.stringify({ ...JSON.parse(letter('x', 1)), labels: { a: 1 } }),
  ]
  stage.put('main.ndjson', `${letters(0, 1)}${wrong.join('\n')}\n${letters(1, 2)}`)
  t.match(await stage.replay(), {
    code: 1,
    out: 'main: 2 delivered, 0 rejected again, 4 lines unreadable (kept beside)\n',
  })
  t.strictSame(stage.left(), ['main.unreadable.ndjson'])
  t.equal(readFileSync(stage.path('main.unreadable.ndjson'), 'utf8'), `${wrong.join('\n')}\n`)
})

t.test('what is rejected again is kept again, also where the configuration keeps no dead letters', async t => {
  const stage = await staged(t)
  stage.put('main.ndjson', letters(0, 2))
  stage.receiver.behaviour = refuse(409)
  t.match(await stage.replay(), { code: 1, out: 'main: 0 delivered, 2 rejected again (http_409), kept once more\n' })
  t.strictSame(stage.left(), ['main.ndjson'])
  const again = readFileSync(stage.path('main.ndjson'), 'utf8').trim().split('\n')
  t.match(
    again.map(line => JSON.parse(line)),
    [
      { message: 'line 0', offset: 0 },
      { message: 'line 1', offset: 10 },
    ],
  )
})

t.test('a record that no slab has room for is an error that names the file and the key, and keeps it', async t => {
  const stage = await staged(t)
  const long = letter('x'.repeat(8 << 20), 0)
  stage.put('main.ndjson', long)
  await t.rejects(stage.replay(), {
    code: 'ERR_START',
    message: /main\.replaying\.ndjson: found a record of \d+ bytes; .*memory\.budget/,
  })
  t.equal(readFileSync(stage.path('main.replaying.ndjson'), 'utf8'), long)
})

t.test('a backend that there is not, and a state that is off, are errors of the configuration', async t => {
  const stage = await staged(t)
  t.match(await stage.replay({ backend: 'other' }), {
    code: 2,
    err: 'logshipper: unknown backend other; configured: main\n',
  })
  const off = await staged(t, { state: { dir: 'off' }, backends: [{ type: 'stdout' }] })
  t.match(await off.replay(), { code: 2, err: 'logshipper: state.dir is off, so there are no dead letters\n' })
})

t.test('while another replay works on the directory nothing is done', async t => {
  const stage = await staged(t)
  stage.put('main.ndjson', letters(0, 1))
  const state = new StateDirectory(join(stage.dir, 'state'), stage.journal, { mend: false })
  t.teardown(() => state.close())
  const other = await claim({ open: () => state.sub('dead-letter') })
  t.equal(other.kind, 'claimed')
  t.match(await stage.replay(), { code: 3, err: /is being replayed already \(process \d+.*\); nothing was done\n$/ })
  t.ok(existsSync(stage.path('main.ndjson')))
  if (other.kind === 'claimed') other.claim.release()
  t.match(await stage.replay(), { code: 0 })
})
