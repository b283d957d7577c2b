import t, { type Test } from 'tap'
import { startServer } from '../../src/server/server.ts'
import { Journal } from '../tail/rig.ts'
import { ask, DOWN, SECRET_PATH, Stage, UP } from './rig.ts'

async function serve(t: Test): Promise<{ stage: Stage; port: number }> {
  const stage = new Stage()
  const server = await startServer({ port: 0, admin: null }, stage, new Journal())
  t.teardown(() => server.close())
  return { stage, port: server.ports.port! }
}

t.test('startup is unready until nothing is waited for, and says for what', async t => {
  const { stage, port } = await serve(t)
  stage.waiting = ['the first sweep']
  for (const path of ['/startupz', '/readyz']) {
    t.match(await ask(port, path), { status: 503, body: 'waiting for the first sweep\n' }, path)
  }
  t.equal((await ask(port, '/livez')).status, 200, 'a slow start is no reason for a restart')
  stage.waiting = []
  for (const path of ['/startupz', '/readyz']) t.equal((await ask(port, path)).status, 200, path)
})

t.test('liveness fails when the tail loop has stalled for more than 30 s', async t => {
  const { stage, port } = await serve(t)
  stage.since = 30_000
  t.equal((await ask(port, '/livez')).status, 200)
  stage.since = 31_000
  t.match(await ask(port, '/livez'), { status: 503, body: 'tail loop stalled for 31 s\n' })
  t.equal((await ask(port, '/readyz')).status, 503)
})

t.test('liveness is 200 while draining, whatever stands still', async t => {
  const { stage, port } = await serve(t)
  stage.draining = true
  stage.since = 600_000
  t.match(await ask(port, '/livez'), { status: 200, body: 'draining\n' })
})

t.test('readiness and liveness do not depend on a backend unless asked', async t => {
  const { stage, port } = await serve(t)
  t.equal((await ask(port, '/readyz?strict')).status, 200)
  stage.healthy = { ...stage.healthy, status: 'degraded', backends: [DOWN] }
  for (const path of ['/startupz', '/livez', '/readyz']) t.equal((await ask(port, path)).status, 200, path)
  t.match(await ask(port, '/readyz?strict'), { status: 503, body: 'not up: main\n' })
  stage.healthy = { ...stage.healthy, backends: [{ ...UP, stalledSince: '2026-01-01T00:00:00.000Z' }] }
  t.equal((await ask(port, '/readyz')).status, 200)
  t.match(await ask(port, '/readyz?strict'), { status: 503, body: 'reading stalled: main\n' })
})

t.test('/health says how each backend stands', async t => {
  const { stage, port } = await serve(t)
  stage.healthy = { ...stage.healthy, status: 'degraded', backends: [DOWN] }
  const { status, headers, body } = await ask(port, '/health')
  t.equal(status, 200, 'it is an answer, not a probe')
  t.match(headers['content-type'], /^application\/json/)
  t.strictSame(JSON.parse(body), stage.healthy)
})

t.test('no path of a file is shown on the port that the whole network can reach', async t => {
  const { port } = await serve(t)
  for (const path of ['/startupz', '/livez', '/readyz', '/health', '/metrics', '/nothing']) {
    const { body } = await ask(port, path)
    t.ok(body.length > 0 && !body.includes(SECRET_PATH), path)
  }
  for (const path of ['/', '/status', '/ledger']) t.equal((await ask(port, path)).status, 404, path)
})

t.test('any client of the port may mark the start of termination, by GET or POST, as unverified', async t => {
  const { stage, port } = await serve(t)
  t.equal((await ask(port, '/prestop')).status, 200)
  t.equal((await ask(port, '/prestop', { method: 'POST', body: 'x' })).status, 200)
  t.strictSame(stage.marks, ['unverified', 'unverified'], 'over loopback too: a proxy in the pod may come from there')
  t.equal((await ask(port, '/prestop', { method: 'HEAD' })).status, 200)
  await ask(port, '/livez')
  t.equal(stage.marks.length, 2, 'HEAD is safe')
})

t.test('an unknown path is told which there are', async t => {
  const { port } = await serve(t)
  const { status, body } = await ask(port, '/nothing')
  t.equal(status, 404)
  for (const path of ['/startupz', '/livez', '/readyz', '/health', '/metrics', '/prestop']) t.match(body, path)
})

t.test('only GET and HEAD are allowed', async t => {
  const { stage, port } = await serve(t)
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    t.match(await ask(port, '/livez', { method }), { status: 405, headers: { allow: 'GET, HEAD' } }, method)
  }
  t.match(await ask(port, '/prestop', { method: 'DELETE' }), { status: 405, headers: { allow: 'GET, HEAD, POST' } })
  t.strictSame(stage.marks, [])
  t.match(await ask(port, '/livez', { method: 'HEAD' }), { status: 200, body: '' })
})

t.test('a view of the shipper that throws is an answer of 500 with a code, and the next answer is as ever', async t => {
  const { stage, port } = await serve(t)
  stage.snapshot = () => {
    throw Object.assign(new Error(`broken at ${SECRET_PATH}`), { code: 'ERR_INVARIANT' })
  }
  t.match(await ask(port, '/health'), { status: 500, body: 'ERR_INVARIANT\n' })
  t.equal((await ask(port, '/livez')).status, 200)
})
