/** How much is sent at once: batches and records of any size that may be configured, through a process. */
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { Stage, until } from '../program.ts'

t.jobs = 3

/** The stage's receiver under several names, each as `more` says. */
function configured(stage: Stage, backends: readonly object[], more: object = {}): string[] {
  const file = join(dirname(stage.logs), 'config.json')
  const base = { type: 'http', endpoint: stage.receiver.url, compression: 'none' }
  const all = backends.map((backend, n) => ({ name: `b${n}`, ...base, ...backend }))
  const sources = [{ paths: [join(stage.logs, '*.log')] }]
  writeFileSync(file, JSON.stringify({ sources, backends: all, ...more }))
  return ['--config', file]
}

/** The program takes what it is to do from a file only. */
async function set(t: Parameters<typeof Stage.set>[0]): Promise<Stage> {
  const stage = await Stage.set(t)
  for (const key of Object.keys(stage.env)) if (/_(SOURCE|BACKEND)_/.test(key)) delete stage.env[key]
  return stage
}

t.test('as many records as may be allowed in a batch, to two backends: both get every line', async t => {
  const stage = await set(t)
  const batch = { maxRecords: 1_000_000 }
  const program = await stage.start({}, configured(stage, [{ batch }, { batch, format: 'json' }]))
  const text = stage.take(2000)
  writeFileSync(stage.log, text)
  t.ok(await until(() => stage.receiver.records.length === 4000))
  t.match(JSON.parse((await program.get('/health')).text), {
    status: 'ok',
    backends: [{ stalledSince: null }, { stalledSince: null }],
  })
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.match(
    ledger.map(({ statement }) => statement.delivered),
    [
      { lines: 2000, bytes: text.length },
      { lines: 2000, bytes: text.length },
    ],
  )
})

t.test('a batch of 8 MiB is one request, whatever the records become', async t => {
  const stage = await set(t)
  const batch = { maxBytes: '8MiB', maxRecords: 1_000_000 }
  const program = await stage.start({}, configured(stage, [{ batch, format: 'text' }]))
  // Nothing is sent while it is written.
  const sizes: number[] = []
  stage.receiver.behaviour = (request, response) => {
    sizes.push(Number(request.headers['content-length']))
    response.writeHead(204).end()
    return true
  }
  writeFileSync(stage.log, stage.take(1_000_000))
  t.ok(await until(() => stage.receiver.records.length === 1_000_000, 20))
  const { code } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.ok(Math.max(...sizes) > 0.9 * 8 * 1024 ** 2, String(sizes))
  t.ok(Math.max(...sizes) <= 8 * 1024 ** 2, String(sizes))
})

t.test('a budget that is too small for what is configured ends the start, with what would do', async t => {
  const stage = await set(t)
  const args = configured(stage, [{ batch: { maxBytes: '16MiB' } }, {}], { memory: { budget: '16MiB' } })
  await t.rejects(
    stage.start({}, args),
    /memory.budget: found 16MiB for 2 backends; allowed: at least \d+MiB: backend b0/,
  )
})
