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

const JSON_LINE = JSON.stringify({ level: 'info', list: Array.from({ length: 86_000 }, (_, n) => `"${n}"`) })

t.test('a line below the limit of a line arrives whole, however much its record grows', async t => {
  const stage = await set(t)
  const program = await stage.start({}, configured(stage, [{}]))
  const lines = [
    JSON_LINE,
    '"'.repeat(1024 ** 2),
    '\u0001'.repeat(1024 ** 2),
    `${'é'.repeat(1024 ** 2 / 2 - 1)}\\"`,
    'last',
  ]
  t.ok(JSON_LINE.length > 1_000_000 && JSON_LINE.length < 1024 ** 2, String(JSON_LINE.length))
  writeFileSync(stage.log, `${lines.join('\n')}\n`)
  t.ok(await until(() => stage.receiver.records.length === lines.length))
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.ok(stage.receiver.records.every(({ message, truncated }, at) => message === lines[at] && truncated === undefined))
  t.equal(ledger[0]!.statement.truncatedLines, 0)
})

t.test(
  'a line above the limit, whose record is too large for the memory too, is cut, marked and counted once',
  async t => {
    const stage = await set(t)
    const args = configured(stage, [{ batch: { maxBytes: '64KiB' } }], { memory: { budget: '3MiB' } })
    const program = await stage.start({}, args)
    const long = '\u0001'.repeat(3 * 1024 ** 2)
    writeFileSync(stage.log, `before\n${long}\nafter\n`)
    t.ok(await until(() => stage.receiver.records.length === 3))
    const { code, ledger } = await program.kill('SIGTERM')
    t.equal(code, 0)
    const [before, cut, after] = stage.receiver.records
    t.match([before!.message, after!.message], ['before', 'after'])
    t.match({ ...cut, message: '' }, { truncated: true, originalBytes: long.length })
    t.match(ledger[0]!.statement, { truncatedLines: 1, delivered: { lines: 3, bytes: long.length + 14 } })
  },
)

t.test('what a backend refuses whole is taken cut, and the lines around it arrive', async t => {
  const stage = await set(t)
  stage.receiver.behaviour = (request, response) => {
    // As a proxy with a limit of its own.
    const large = Number(request.headers['content-length']) > 1_200_000
    response.writeHead(large ? 413 : 204).end()
    return !large
  }
  const program = await stage.start({}, configured(stage, [{}]))
  writeFileSync(stage.log, `before\n${'"'.repeat(1_000_000)}\nafter\n`)
  t.ok(await until(() => stage.receiver.records.length === 3))
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  const [before, cut, after] = stage.receiver.records
  t.match([before!.message, after!.message], ['before', 'after'])
  t.match({ ...cut, message: '' }, { truncated: true, originalBytes: 1_000_000 })
  t.match(ledger[0]!.statement, { truncatedLines: 1, rejected: {}, delivered: { lines: 3 } })
})

t.test('a budget that is too small for what is configured ends the start, with what would do', async t => {
  const stage = await set(t)
  const args = configured(stage, [{ batch: { maxBytes: '16MiB' } }, {}], { memory: { budget: '16MiB' } })
  await t.rejects(
    stage.start({}, args),
    /memory.budget: found 16MiB for 2 backends; allowed: at least \d+MiB: backend b0/,
  )
})
