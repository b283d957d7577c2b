/** Labels that are found in records: real files, the program, and a Loki that fails now and then. */
import { appendFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { Stage, until } from '../program.ts'

interface Stream {
  readonly stream: Readonly<Record<string, string>>
  readonly values: readonly (readonly [time: string, line: string, metadata: Readonly<Record<string, string>>])[]
}

/** Takes pushes; every third request is refused, and comes again. */
async function loki(t: Test) {
  const taken: Stream[] = []
  const refused: string[] = []
  const wrong: string[] = []
  let requests = 0
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const due = refused.shift()
    if (due !== undefined && due !== body) wrong.push('what was refused came again otherwise')
    if (due === undefined && requests++ % 3 === 1) {
      refused.push(body)
      response.writeHead(503).end()
      return
    }
    taken.push(...(JSON.parse(body).streams as Stream[]))
    response.writeHead(204).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, taken, wrong }
}

t.test('records go to the streams that they name, each once and in order, and beyond the bound to one', async t => {
  const server = await loki(t)
  const stage = await Stage.set(t, {
    LOGSHIPPER_SOURCE_PARSE: 'json',
    LOGSHIPPER_BACKEND_TYPE: 'loki',
    LOGSHIPPER_BACKEND_ENDPOINT: server.url,
    LOGSHIPPER_BACKEND_COMPRESSION: 'none',
  })
  const config = join(dirname(stage.logs), 'config.yaml')
  writeFileSync(config, 'backends: [{ type: loki, labels: [source, level, { field: status }], maxLabelSets: 6 }]\n')
  const program = await stage.start({}, ['--config', config])
  const LEVELS = ['info', 'warn', 'error']
  const TOTAL = 20_000
  for (let n = 0; n < TOTAL; n += 1000) {
    const lines = Array.from({ length: 1000 }, (_, index) => {
      const number = n + index
      return JSON.stringify({ level: LEVELS[number % 3], status: number % 4, msg: `${number}` })
    })
    appendFileSync(stage.log, `${lines.join('\n')}\n`)
    const count = n + 1000
    t.ok(await until(() => server.taken.reduce((sum, { values }) => sum + values.length, 0) >= count))
  }
  const { text: metrics } = await program.get('/metrics')
  const ended = await program.kill('SIGTERM')
  t.equal(ended.code, 0)
  t.match(ended.ledger, [{ statement: { delivered: { lines: TOTAL }, rejected: {}, dropped: {} } }])
  t.strictSame(server.wrong, [])
  // Six of the twelve sets: those that came first.
  const all = server.taken.flatMap(({ stream, values }) => values.map(value => ({ stream, value })))
  t.strictSame(
    all.map(({ value: [, line] }) => Number(line)),
    Array.from({ length: TOTAL }, (_, n) => n),
  )
  const wrong = all.filter(({ stream, value: [, line, metadata] }) => {
    const [level, status] = [LEVELS[Number(line) % 3], String(Number(line) % 4)]
    const isLabel = Number(line) % 12 < 6
    const { level: label, status: other } = isLabel ? stream : metadata
    const named = Object.keys(isLabel ? metadata : stream)
    return label !== level || other !== status || named.includes('level') || named.includes('status')
  })
  t.strictSame(wrong, [])
  t.match(
    metrics,
    new RegExp(
      `^logshipper_cardinality_limited_records_total\\{.*\\} ${TOTAL - all.filter(({ stream }) => stream.level).length}$`,
      'm',
    ),
  )
  t.match(metrics, /^logshipper_cardinality\{.*\} 6$/m)
  const said = program.said.filter(({ event }) => event === 'cardinality_limited')
  t.match(said, [{ level: 'warn', source: 'app', backend: 'loki', key: 'backends[].maxLabelSets', most: 6 }])
  t.equal(said.length, 1, 'once')
})
