/** `status` and `ledger`, against a real admin port. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { CLOCK } from '../../src/clock.ts'
import { startServer } from '../../src/server/server.ts'
import { inside } from '../cli/inside.ts'
import { PROGRAM } from '../program.ts'
import { Journal } from '../tail/rig.ts'
import { ACCOUNT, DOWN, SECRET_PATH, Stage, UP } from './rig.ts'

const stage = new Stage()
let now = 0
const options = { port: null, admin: { host: '127.0.0.1', port: 0 } }
const running = await startServer(options, stage, new Journal(), { ...CLOCK, now: () => (now += 1000) })
t.teardown(() => running.close())
const admin = `--admin=127.0.0.1:${running.ports.adminPort}`

t.test('status shows backends and files', async t => {
  stage.healthy = { ...stage.healthy, status: 'degraded', backends: [DOWN] }
  const lastError = { reason: 'http_401', detail: 'no org id', at: '2026-01-01T00:00:00.000Z' }
  const other = { backend: 'other', read: 1000, committed: 0, lagSeconds: 60 }
  const { followed, piped } = stage
  stage.piped = [{ ...piped[0]!, lastError }]
  stage.followed = [{ ...followed[0]!, cursors: [...followed[0]!.cursors, other] }]
  t.teardown(() => {
    stage.followed = followed
    stage.piped = piped
  })
  const { code, out } = await inside(['status', admin])
  t.equal(code, 0)
  t.match(out, /^logshipper 1\.2\.3: degraded, shop\/web-0 on node-1, since \d{4}-/)
  t.match(
    out,
    /^main +loki +https:\/\/logs\.example:3100 +down: ECONNREFUSED, attempt 3 since 2026-01-01T00:00:00\.000Z, next in 0 s /m,
  )
  t.match(out, /^last error of main, 2026-01-01T00:00:00\.000Z: http_401: “no org id”$/m)
  t.match(
    out,
    /^dead letters of main: 3 kept since the start, 1 were not kept; 700 B to replay \(logshipper replay --backend main\)$/m,
  )
  t.match(
    out,
    new RegExp(
      `^${SECRET_PATH} +app +live +1000 B +main +1000 B +800 B +200 B +1.5 s\n +other +1000 B +0 B +1000 B +60.0 s$`,
      'm',
    ),
  )
  t.match(out, `not followed: ${SECRET_PATH}.1: EACCES`)
  t.match(out, /^rejected by main: 400: 1 line$/m)
  t.match(out, /^configuration: in effect since 2026-01-02T03:04:05\.678Z; 2 reloads applied, 1 refused$/m)
  t.match(out, /^previous process shut down cleanly$/m)
  t.match(
    out,
    /^ledger: read 10 lines, 1000 B = delivered 6 lines, 600 B \+ rejected 1 line, 100 B \+ .*; lost 7 B; it adds up$/m,
  )
})

t.test(
  'status lists the backend that is down and the files that are furthest behind first, fifty at the most',
  async t => {
    const { healthy, followed } = stage
    t.teardown(() => {
      stage.healthy = healthy
      stage.followed = followed
    })
    stage.healthy = { ...healthy, backends: [UP, { ...UP, name: 'slow', lagSeconds: 9 }, { ...DOWN, name: 'dead' }] }
    stage.followed = Array.from({ length: 60 }, (_, n) => ({
      ...{ ...followed[0]!, path: `/${n}.log` },
      cursors: [{ ...followed[0]!.cursors[0]!, lagSeconds: n }],
    }))
    const { out } = await inside(['status', admin])
    t.match(out, /^dead .*\nslow .*\nmain /m)
    t.match(out, /^\/59\.log .* 59\.0 s\n\/58\.log /m)
    t.equal(out.match(/^\/\d+\.log /gm)?.length, 50)
    t.match(out, /^and 10 more files, which are less far behind \(--json\)$/m)
    t.equal(JSON.parse((await inside(['status', '--json', admin])).out).files.length, 60)
  },
)

t.test('status shows a configuration that was refused, and why', async t => {
  const { healthy } = stage
  t.teardown(() => {
    stage.healthy = healthy
    stage.wrong = []
  })
  const configuration = { kind: 'refused', since: '2026-01-02T03:04:05.678Z', problems: 1 } as const
  stage.healthy = { ...healthy, configuration }
  stage.wrong = ['config.yaml:3: backends[0].typ: found a\x1b[2J key']
  const { out } = await inside(['status', admin])
  t.match(out, 'configuration: refused at 2026-01-02T03:04:05.678Z; the previous one stays in use\n')
  t.match(out, '  config.yaml:3: backends[0].typ: found a\\u001b[2J key\n')
})

t.test('status shows what the pod bounds, and what a death left', async t => {
  const { healthy } = stage
  t.teardown(() => {
    stage.healthy = healthy
  })
  stage.healthy = {
    ...healthy,
    memory: { resident: 8e7, anonymous: 24 * 1024 ** 2, limit: 128 * 1024 ** 2, budget: 8 * 1024 ** 2 },
    volume: { bytes: 3 * 1024 ** 2, limit: 1024 ** 3, growthPerSecond: 1024, secondsLeft: 7200 },
    previous: { kind: 'unclean', unsettledBytes: 2048, lostBytes: 7 },
  }
  const { out } = await inside(['status', admin])
  t.match(out, 'memory: 24.0 MiB of 128.0 MiB; memory.budget 8.0 MiB\n')
  t.match(out, 'volume: 3.0 MiB of 1.0 GiB, full in 120 min at this rate\n')
  t.match(out, 'previous process did not shut down cleanly: 2.0 KiB were unacknowledged, 7 B lost\n')
})

t.test('ledger shows the account, why lines were not delivered, and that it adds up', async t => {
  const { code, out } = await inside(['ledger', admin])
  t.equal(code, 0)
  t.match(out, /10 lines, 1000 B +6 lines, 600 B +1 line, 100 B +1 line, 100 B +2 lines, 200 B +7 B$/m)
  t.match(out, 'app → main: rejected 1 line, 100 B: 400\napp → main: dropped 1 line, 100 B: filter\nit adds up\n')
})

t.test('a ledger that does not add up is said to, and fails', async t => {
  stage.accounts = [{ source: 'app', backend: 'main', statement: { ...ACCOUNT, inFlight: { lines: 1, bytes: 150 } } }]
  t.teardown(() => {
    stage.accounts = [{ source: 'app', backend: 'main', statement: ACCOUNT }]
  })
  const { code, out } = await inside(['ledger', admin])
  t.equal(code, 1)
  t.match(out, 'it does not add up: app → main: 1 line unaccounted for; app → main: 50 bytes unaccounted for')
})

t.test('--json is what the port says', async t => {
  const ledger = await inside(['ledger', '--json', admin])
  t.equal(ledger.code, 0)
  t.strictSame(JSON.parse(ledger.out), stage.accounts)
  const status = await inside(['status', '--json', admin])
  t.match(JSON.parse(status.out), { health: { version: '1.2.3' } })
})

t.test('a path name cannot write to the terminal', async t => {
  const [file] = stage.followed
  stage.followed = [{ ...file!, path: '/var/log/\x1b[2Jgone\n.log' }]
  t.teardown(() => {
    stage.followed = [file!]
  })
  const { out } = await inside(['status', admin])
  t.notMatch(out, /\x1b/)
  t.match(out, '/var/log/\\u001b[2Jgone\\u000a.log')
})

t.test('where nothing listens, or something else does, it says so and fails', async t => {
  const other = createServer((_request, response) => response.end('<p>hello'))
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  for (const command of ['status', 'ledger']) {
    const { code, out, err } = await inside([command, '--admin', `127.0.0.1:${port}`])
    t.strictSame(
      { code, out, err },
      { code: 1, out: '', err: `logshipper: 127.0.0.1:${port} is not the admin port of a logshipper\n` },
    )
  }
  other.close()
  const nothing = createServer().listen(0, '127.0.0.1')
  await once(nothing, 'listening')
  const closed = (nothing.address() as AddressInfo).port
  await new Promise(resolve => nothing.close(resolve))
  const { code, err } = await inside(['status', '--admin', `127.0.0.1:${closed}`])
  t.equal(code, 1)
  t.match(err, `cannot connect to 127.0.0.1:${closed} (ECONNREFUSED); is the shipper running`)
  t.match(await inside(['ledger', '--admin', 'nonsense']), {
    code: 1,
    err: 'logshipper: nonsense is not host:port\n',
  })
})

t.test('as a process it ends with the code, and what it says is where it belongs', async t => {
  const end = await new Promise(resolve => {
    const args = [PROGRAM, 'ledger', admin]
    const child = execFile(process.execPath, args, (_error, out, err) => resolve([child.exitCode, out, err]))
  })
  const { code, out } = await inside(['ledger', admin])
  t.strictSame(end, [code, out, ''])
})
