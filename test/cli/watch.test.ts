/** `status --watch`, against a real admin port: what it prints where, and what ends it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import type { Ended } from '../../src/cli/output.ts'
import { watch } from '../../src/cli/watch.ts'
import { CLOCK } from '../../src/clock.ts'
import { startServer } from '../../src/server/server.ts'
import { PROGRAM } from '../program.ts'
import { DOWN, Stage } from '../server/rig.ts'
import { leash } from '../support/leash.ts'
import { Journal } from '../tail/rig.ts'

async function shipper(t: Test) {
  const stage = new Stage()
  let now = 0
  const clock = { ...CLOCK, now: () => (now += 1000) }
  const options = { port: null, admin: { host: '127.0.0.1', port: 0 } }
  const running = await startServer(options, stage, new Journal(), clock)
  t.teardown(() => running.close())
  return { stage, running, admin: `127.0.0.1:${running.ports.adminPort}` }
}

interface Shown {
  readonly json?: boolean
  readonly size?: { readonly columns: number; readonly rows: number }
  /** How the output of each turn ends. */
  readonly ended?: (turn: number) => Ended
  /** Between two turns; the last one ends it. */
  readonly between: readonly (() => unknown)[]
}

/** What each turn printed. */
async function watched(admin: string, { json = false, size, ended, between }: Shown): Promise<string[]> {
  const turns: string[] = []
  let interrupt = (): void => {}
  const left = [...between]
  const code = await watch(
    { admin, json },
    {
      out: { write: text => void turns.push(text), end: async () => ended?.(turns.length) ?? { kind: 'written' } },
      terminal: () => size,
      onInterruption: listener => {
        interrupt = listener
      },
      pause: async () => {
        const next = left.shift()
        if (next === undefined) interrupt()
        else await next()
      },
    },
  )
  t.equal(code, 0)
  return turns
}

t.test('without a terminal one status follows the other, and a backend that dies and comes back is shown', async t => {
  const { stage, admin } = await shipper(t)
  const { healthy } = stage
  const turns = await watched(admin, {
    between: [
      () => {
        stage.healthy = { ...healthy, backends: [DOWN] }
      },
      () => {
        stage.healthy = healthy
      },
    ],
  })
  t.equal(turns.length, 3)
  t.match(turns[0], /^main .* up /m)
  t.match(turns[1], /^main .* down: ECONNREFUSED, /m)
  t.match(turns[2], /^main .* up /m)
  for (const turn of turns) {
    t.notMatch(turn, '\x1b')
    t.ok(turn.endsWith('\n\n'), 'an empty line stands between them')
  }
})

t.test('on a terminal each takes the place of the one before, and what is too long is cut and counted', async t => {
  const { admin } = await shipper(t)
  const [whole] = await watched(admin, { size: { columns: 200, rows: 100 }, between: [] })
  t.match(whole, /^\x1b\[Hlogshipper 1\.2\.3: ok, .*\x1b\[K\n/)
  t.ok(whole!.endsWith('\x1b[K\n\x1b[J'))
  t.notMatch(whole, 'more lines')
  const all = whole!.split('\n').length - 1
  const [cut] = await watched(admin, { size: { columns: 200, rows: 6 }, between: [] })
  const lines = cut!.split('\n').slice(0, -1)
  t.equal(lines.length, 5)
  t.equal(lines.at(-1), `… ${all - 4} more lines\x1b[K`)
})

t.test('as JSON it is one line each; a shipper that does not answer is said, and asked again', async t => {
  const { running, admin } = await shipper(t)
  const turns = await watched(admin, { json: true, between: [() => running.close()] })
  t.equal(turns.length, 2)
  t.match(JSON.parse(turns[0]!), { health: { version: '1.2.3' } })
  t.match(JSON.parse(turns[1]!).error, `cannot connect to ${admin} (ECONNREFUSED)`)
  for (const turn of turns) t.equal(turn.indexOf('\n'), turn.length - 1)
  t.match(await watched(admin, { between: [] }), [/^logshipper: cannot connect to /])
})

t.test('it ends when its reader has gone', async t => {
  const { admin } = await shipper(t)
  const ended = (turn: number): Ended => ({ kind: turn === 2 ? 'unread' : 'written' })
  const turns = await watched(admin, { ended, between: [() => {}, () => {}, () => {}] })
  t.equal(turns.length, 2)
})

t.test('as a process it ends with 0 on a signal, and when its reader goes', async t => {
  const { admin } = await shipper(t)
  for (const end of ['SIGINT', 'SIGTERM', 'reader'] as const) {
    const child = leash(
      spawn(process.execPath, [PROGRAM, 'status', '--watch', '--admin', admin], { stdio: ['ignore', 'pipe', 'pipe'] }),
    )
    t.teardown(() => child.kill('SIGKILL'))
    const closed = once(child, 'exit')
    await once(child.stdout, 'data')
    if (end === 'reader') child.stdout.destroy()
    else child.kill(end)
    t.strictSame(await closed, [0, null], end)
  }
})
