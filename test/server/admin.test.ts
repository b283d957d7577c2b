import { createHash } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { Script } from 'node:vm'
import t from 'tap'
import { PAGE } from '../../src/server/page.ts'
import { startServer } from '../../src/server/server.ts'
import { Journal } from '../tail/rig.ts'
import { ask, FILE, Stage } from './rig.ts'

/** An address of this machine that is not loopback's. */
function address(): string | undefined {
  return Object.values(networkInterfaces())
    .flatMap(all => all ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address
}

const outside = () => (address() === undefined ? 'this machine has no address but loopback' : false)

const server = async (t: { teardown(end: () => Promise<void>): void }, host = '127.0.0.1') => {
  const stage = new Stage()
  const running = await startServer({ port: null, admin: { host, port: 0 } }, stage, new Journal())
  t.teardown(() => running.close())
  return { stage, port: running.ports.adminPort! }
}

t.test('/status and /ledger show the shipper as it is', async t => {
  const { stage, port } = await server(t)
  const status = JSON.parse((await ask(port, '/status')).body)
  t.match(status, { draining: false, problems: [], more: { problems: 0, files: 0, refused: 0 } })
  t.strictSame(status.identity, { namespace: 'shop', pod: 'web-0', node: 'node-1' })
  t.strictSame(status.health, stage.healthy)
  t.strictSame(status.pipelines, stage.piped)
  t.strictSame(status.files, stage.followed)
  t.strictSame(status.refused, stage.notFollowed)
  t.strictSame(status.ledger, stage.accounts)
  t.strictSame(JSON.parse((await ask(port, '/ledger')).body), stage.accounts)
  t.match(await ask(port, '/metrics'), { status: 404, body: 'there are / /status /ledger /tap /prestop\n' })
})

t.test('a directory with very many files is an answer of bounded size that says how many more there are', async t => {
  const { stage, port } = await server(t)
  stage.followed = Array.from({ length: 1500 }, () => FILE)
  stage.wrong = Array.from({ length: 25 }, (_, n) => `problem ${n}`)
  stage.notFollowed = Array.from({ length: 101 }, () => ({ source: 'app', path: '/x', reason: 'EACCES' }))
  const status = JSON.parse((await ask(port, '/status')).body)
  t.equal(status.files.length, 1000)
  t.equal(status.refused.length, 100)
  t.equal(status.problems.length, 20)
  t.strictSame(status.more, { problems: 5, files: 500, refused: 1 })
})

t.test('the files that are furthest behind come first, open or not, and a page that asks often gets 50', async t => {
  const { stage, port } = await server(t)
  const behind = (path: string, lagSeconds: number, committed: number) => ({
    ...{ ...FILE, path },
    cursors: [{ backend: 'main', read: 1000, committed, lagSeconds }],
  })
  const idle = Array.from({ length: 60 }, (_, n) => behind(`/idle-${n}`, 0, 1000))
  stage.followed = [...idle, behind('/late', 5, 900), behind('/late-and-long', 5, 100)]
  stage.unopened = [{ ...behind('/latest', 60, 0), generation: null, state: 'waiting' }]
  const first = ['/latest', '/late-and-long', '/late', '/idle-0']
  for (const [path, length, files] of [
    ['/status', 63, 0],
    ['/status?worst', 50, 13],
  ] as const) {
    const status = JSON.parse((await ask(port, path)).body)
    t.equal(status.files.length, length, path)
    t.equal(status.more.files, files, path)
    t.strictSame(
      status.files.slice(0, 4).map((file: { path: string }) => file.path),
      first,
      path,
    )
  }
  const { body } = await ask(port, '/status')
  t.equal(JSON.parse(body).files[0].state, 'waiting')
})

t.test('on loopback it answers to loopback’s names only', async t => {
  const { port } = await server(t)
  for (const host of ['localhost', 'LOCALHOST', `localhost:${port}`, '127.0.0.1:8080', '127.1.2.3', '[::1]:9615']) {
    t.equal((await ask(port, '/status', { headers: { host } })).status, 200, host)
  }
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example:9615',
    '10.0.0.1',
  ]) {
    const { status, body } = await ask(port, '/status', { headers: { host } })
    t.equal(status, 403, host)
    t.notMatch(body, 'health')
  }
})

t.test('a container of the pod marks the start of termination by POST; a web page cannot', async t => {
  const { stage, port } = await server(t)
  t.match(await ask(port, '/prestop'), { status: 405, headers: { allow: 'POST' } })
  const origin = 'http://evil.example'
  t.equal((await ask(port, '/prestop', { method: 'POST', headers: { origin } })).status, 403)
  t.equal((await ask(port, '/prestop', { method: 'POST', headers: { host: 'evil.example' } })).status, 403)
  t.strictSame(stage.marks, [])
  t.equal((await ask(port, '/prestop', { method: 'POST' })).status, 200)
  t.strictSame(stage.marks, ['pod'])
})

t.test(
  'where the admin port is not on loopback a caller from elsewhere is unverified',
  { skip: outside() },
  async t => {
    const { stage, port } = await server(t, '0.0.0.0')
    const host = address()!
    t.equal((await ask(port, '/prestop', { method: 'POST', host })).status, 200)
    t.strictSame(stage.marks, ['unverified'])
  },
)

t.test('another page may not read it, frame it or guess its type', async t => {
  const { port } = await server(t)
  for (const path of ['/', '/status', '/ledger']) {
    const { headers } = await ask(port, path, { headers: { origin: 'http://evil.example' } })
    t.equal(headers['access-control-allow-origin'], undefined, path)
    t.match(headers, { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' }, path)
  }
  t.match((await ask(port, '/')).headers['content-security-policy'], /frame-ancestors 'none'/)
})

t.test('the page needs nothing from elsewhere, and its policy allows exactly its own script and style', async t => {
  const { port } = await server(t)
  const { status, headers, body } = await ask(port, '/')
  t.equal(status, 200)
  t.match(headers['content-type'], 'text/html; charset=utf-8')
  t.notMatch(body, /https?:\/\//)
  t.notMatch(body, /\s(?:style|on\w+)="/, 'nothing inline that the policy would refuse')
  const policy = String(headers['content-security-policy'])
  t.match(policy, /^default-src 'none';/)
  t.notMatch(policy, 'unsafe')
  for (const kind of ['script', 'style']) {
    const code = new RegExp(`<${kind}>([\\s\\S]*?)</${kind}>`).exec(body)?.[1]
    const hash = createHash('sha256').update(code!).digest('base64')
    t.ok(policy.includes(`${kind}-src 'sha256-${hash}'`), kind)
  }
})

t.test('the page’s script parses, and turns nothing from outside into markup', t => {
  const script = /<script>([\s\S]*?)<\/script>/.exec(PAGE)![1]!
  t.doesNotThrow(() => new Script(script))
  t.notMatch(script, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|setHTML/)
  t.end()
})
