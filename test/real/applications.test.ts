/**
 * Real programs in Java, Python and Go behind nginx, shipped with settings of one word, and what their user finds: each
 * stack trace is one record, times and levels are the lines' own, fields can be asked for, and no secret is anywhere.
 *
 * Shipped while the programs write, to three backends at a time: Debian's ClickHouse, which is asked in SQL, a receiver of
 * JSON, and one of OTLP.
 */
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import root, { type Test } from 'tap'
import type { OtlpDecoded } from '../conformance/otlp.ts'
import { SUBJECTS } from '../conformance/subjects.ts'
import { Program, Stage, until } from '../program.ts'
import { Clickhouse, MISSING } from '../support/clickhouse.ts'
import { untested } from '../support/untested.ts'
import { Applications, FILES, type Kind, missingPrograms, ZONES } from './applications.ts'

/** A record as a user sees it, whatever holds it. */
interface Seen {
  readonly source: string
  readonly message: string
  readonly level: string | undefined
  /** Milliseconds. */
  readonly time: number
  readonly values: Readonly<Record<string, unknown>>
}

const missing = [...missingPrograms(), ...(MISSING === undefined ? [] : ['clickhouse-server'])]
if (missing.length > 0) untested(root, 'real programs', `real programs: ${missing.join(', ')} are not installed`)
else {
  root.setTimeout(300_000)
  root.test('what real programs write is what their user finds', { timeout: 300_000 }, async t => {
    // The directory of a test is the server's, so each has its own test.
    await tests(t, await Clickhouse.start(root))
  })
}

async function tests(t: Test, server: Clickhouse): Promise<void> {
  const stage = await Stage.set(t)
  const { logs } = stage
  const work = join(logs, '../work')
  mkdirSync(work)
  const began = Date.now()
  const applications = await Applications.start(t, logs, work)
  await server.sql(TABLE)
  const collector = await Collector.start(t)
  const path = join(work, 'config.json')
  writeFileSync(path, JSON.stringify(configuration(logs, stage.state, server.url, stage.receiver.url, collector.url)))

  await applications.burst(10)
  const program = new Program({}, ['run', '--config', path])
  t.teardown(() => program.kill('SIGKILL'))
  await program.started
  for (let n = 0; n < 10; n++) await applications.burst(3)
  await applications.burst(30)
  await applications.end()
  // A last trace is complete when its file has not grown for a while.
  const over = 'panic: r99999x'
  await until(() => stage.receiver.lines.some(line => line.startsWith(over)), 30)
  const pages = await Promise.all([program.get('/metrics'), program.get('/status', 'adminPort')])
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  const ended = Date.now()

  const json = stage.receiver.records as unknown as Record<string, unknown>[]
  const seen: readonly (readonly [string, Seen[]])[] = [
    ['JSON', json.map(fromJson)],
    ['OTLP', collector.records.map(fromOtlp)],
    ['ClickHouse', (await server.sql(EVERYTHING)).map(row => fromClickhouse(JSON.parse(row)))],
  ]
  for (const [name, records] of seen) {
    await t.test(`${name}: a trace is one record, with its time and level`, async t => traces(t, applications, records))
    await t.test(`${name}: every time is the line’s own`, async t => times(t, records, began, ended))
    await t.test(`${name}: each request is found by its values`, async t => values(t, applications, records))
  }
  await t.test('ClickHouse answers what a user asks', t => questions(t, applications, server, began, ended))

  await t.test('no secret is in anything that was sent, shown or said', async t => {
    const written = Object.values(FILES).map(name => readFileSync(join(logs, name), 'utf8'))
    const places = { ...collector.texts, JSON: JSON.stringify(json), ClickHouse: JSON.stringify(seen[2]![1]) }
    const shown = { 'standard error': program.raw, pages: pages.map(({ text }) => text).join('\n') }
    // Not every program writes down all that it is told.
    const logged = applications.secrets.filter(secret => written.some(text => text.includes(secret)))
    t.ok(logged.length > 1000, `${logged.length} secrets stand in the files`)
    for (const [name, text] of Object.entries({ ...places, ...shown })) {
      const leaked = logged.filter(secret => text.includes(secret))
      t.same(leaked.slice(0, 3), [], name)
    }
  })

  await t.test('the ledger says what was dropped, and by which filter', async t => {
    const [sources, backends] = [Object.keys(FILES).length, 3]
    t.equal(ledger.length, sources * backends)
    for (const { source, backend, statement } of ledger) {
      const { read, delivered, rejected, dropped, inFlight } = statement
      const lines = (dropped['filter:drop']?.lines ?? 0) + (dropped['filter:below']?.lines ?? 0)
      t.same(rejected, {}, `${source} → ${backend}`)
      t.same([delivered.lines + lines, inFlight.lines], [read.lines, 0], `${source} → ${backend}: it adds up`)
      if (source === 'access') t.equal(dropped['filter:drop']?.lines, applications.count('probe'))
    }
  })
}

/** Words, as the README has them; a zone where the line says none. */
function configuration(logs: string, state: string, clickhouse: string, http: string, otlp: string): object {
  const common = { redact: ['secrets', 'pii'], level: 'auto' }
  const source = (name: keyof typeof FILES, more: object) => ({
    name,
    paths: [join(logs, FILES[name])],
    ...common,
    time: 'auto',
    ...more,
  })
  return {
    sources: [
      source('java', { multiline: 'java', filter: 'info' }),
      source('jul', { multiline: 'java', time: { zone: ZONES.java } }),
      source('access', { parse: 'nginx', filter: { drop: ['GET /healthz'] } }),
      source('errors', { parse: 'nginx', time: { zone: ZONES.nginx } }),
      source('python', { multiline: 'python', time: { zone: ZONES.python }, filter: 'info' }),
      source('structured', { parse: 'json', filter: 'info' }),
      source('go', { multiline: 'go', parse: 'json', filter: 'info' }),
    ],
    backends: [
      { type: 'clickhouse', endpoint: clickhouse, asyncInsert: false, deduplicate: false },
      { type: 'http', endpoint: http },
      { type: 'otlp', endpoint: otlp, compression: 'gzip' },
    ],
    state: { dir: state },
    server: { port: 0, admin: '127.0.0.1:0' },
  }
}

// ── What holds the records ───────────────────────────────────────────────────────────────────────────────────────

const TABLE = `CREATE TABLE logs (timestamp DateTime('UTC'), level String, message String, source String, file String,
  method String, path String, query String, status UInt16, request_id String, logger String, exc_info String,
  error String, stacktrace String) ENGINE = MergeTree() ORDER BY timestamp`
const EVERYTHING = 'SELECT *, toUInt32(timestamp) AS seconds FROM logs FORMAT JSONEachRow'

function fromJson({ source, message, level, timestamp, ...values }: Record<string, unknown>): Seen {
  return {
    source: source as string,
    message: message as string,
    level: level as string | undefined,
    time: Date.parse(timestamp as string),
    values,
  }
}

function fromClickhouse({ source, message, level, seconds, ...values }: Record<string, unknown>): Seen {
  const time = 1000 * Number(seconds)
  return { source: source as string, message: message as string, level: (level as string) || undefined, time, values }
}

/** The names of OpenTelemetry's severities. */
const SEVERITIES = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']

function fromOtlp({ message, time, found, typed, attributes }: OtlpDecoded): Seen {
  const level = found.severity === 0 ? undefined : SEVERITIES[Math.floor((found.severity - 1) / 4)]
  const path = attributes['log.file.path'] ?? ''
  const source = Object.entries(FILES).find(([, name]) => path.endsWith(`/${name}`))?.[0] ?? ''
  return { source, message, level, time: Number(time! / 1_000_000n), values: typed }
}

/** Takes everything, and reads it as OTLP. */
class Collector {
  readonly records: OtlpDecoded[] = []
  readonly texts: Record<string, string> = { OTLP: '' }
  readonly #server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const all = Buffer.concat(parts)
      const body = headers['content-encoding'] === 'gzip' ? gunzipSync(all) : all
      this.texts['OTLP'] += body.toString()
      const subject = SUBJECTS.find(({ name }) => name === 'otlp (protobuf)')!
      this.records.push(...(subject.decode({ method, url, headers, body }) as OtlpDecoded[]))
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  })

  static async start(t: Test): Promise<Collector> {
    const collector = new Collector()
    await once(collector.#server.listen(0, '127.0.0.1'), 'listening')
    t.teardown(() => {
      collector.#server.close()
      collector.#server.closeAllConnections()
    })
    return collector
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }
}

// ── What must be true of them ────────────────────────────────────────────────────────────────────────────────────

type Check = readonly [source: string, level: string, kinds: readonly Kind[], begins: RegExp, ends: RegExp]

const FRAMES_END = /\n\t\.\.\. \d+ (?:common frames omitted|more)\n?$/
const CHECKS: readonly Check[] = [
  ['java', 'error', ['fail'], /^\S+ ERROR .* threw exception\njava\.lang\.IllegalStateException: /, FRAMES_END],
  ['java', 'info', ['order'], / order placed by [^\n]*$/, /./],
  ['java', 'warn', ['slow'], / took long: [^\n]*$/, /./],
  ['jul', 'error', ['fail'], /^\w+ \d\d, .* Service serve\nSEVERE: r\d+x connection is broken\njava/, FRAMES_END],
  ['jul', 'warn', ['slow'], /^\w+ \d\d, .* Service serve\nWARNING: [^\n]*$/, /./],
  ['python', 'error', ['charge'], /charge failed\nTraceback/, /\nUnavailable: no account for [^\n]*$/],
  ['python', 'error', ['charge'], /Exception on \/charge \[GET\]\nTraceback/, /\nRuntimeError: r\d+x is not answered$/],
  ['python', 'info', ['cart'], / cart of [^\n]*$/, /./],
  ['structured', 'error', ['charge'], /^r\d+x charge failed$/, /./],
  ['structured', 'info', ['cart'], /^r\d+x cart of /, /./],
  ['errors', 'error', ['gone'], /^\*\d+ connect\(\) failed|connect\(\) failed/, /./],
  ['errors', 'error', ['missing'], /open\(\) ".*" failed/, /./],
  ['go', 'info', ['handled'], /^handled$/, /./],
  ['go', 'error', ['refused'], /^not handled$/, /./],
  [
    'go',
    'error',
    ['panic'],
    /^\S+ \S+ http: panic serving [^\n]*\ngoroutine /,
    /\ncreated by net\/http[^\n]*\n\t[^\n]*$/,
  ],
]

function traces(t: Test, applications: Applications, records: readonly Seen[]): void {
  for (const [source, level, kinds, begins, ends] of CHECKS) {
    const found = records.filter(record => record.source === source && begins.test(record.message))
    t.equal(found.length, applications.count(...kinds), `${source}: ${begins} is there for each request`)
    t.same([...new Set(found.map(record => record.level))], [level], `${source}: their level is ${level}`)
    const cut = found.filter(({ message }) => !ends.test(message))
    t.same(cut.slice(0, 2), [], `${source}: ${begins} is there to its end`)
  }
  const failed = records.filter(({ message }) => message.includes('Servlet.service() threw exception'))
  const causes = failed.filter(({ message }) => (message.match(/\nCaused by: /g) ?? []).length === 3)
  t.equal(causes.length, failed.length, 'with everything that it was caused by, and messages of two lines')
  const panics = records.filter(({ message }) => message.startsWith('panic: r99999x'))
  t.match(panics, [{ level: 'fatal', message: /\n\ngoroutine \d+ \[running\]:\n(?:.*\n)+created by main/ }])
  const apart = records.filter(({ message }) =>
    /^(?:\s|Caused by|Traceback|goroutine|panic\(|\w+(?:\.\w+)+(?:Exception|Error)\b)/.test(message),
  )
  t.same(apart.slice(0, 2), [], 'no part of a trace stands alone')
  t.same(
    records.filter(({ message }) => message === ''),
    [],
    'and no record is empty',
  )
}

/** Where the time stands in the line, and the hours that are its zone's. */
const OWN: readonly (readonly [source: string, RegExp, (found: string) => number])[] = [
  ['java', /^\S+/, Date.parse],
  ['jul', /^\w+ \d+, \d+ \S+ [AP]M/, found => inZone(found, ZONES.java)],
  ['python', /^\S+ \S+(?= )/, found => inZone(found.replace(',', '.'), ZONES.python)],
]

function times(t: Test, records: readonly Seen[], began: number, ended: number): void {
  const fine = records.some(({ time }) => time % 1000 !== 0) ? 1 : 1000
  for (const [source, where, read] of OWN) {
    const wrong = records.filter(record => {
      const [found] = where.exec(record.message) ?? []
      return record.source === source && (!found || Math.floor(read(found) / fine) * fine !== record.time)
    })
    t.same(wrong.slice(0, 2), [], `${source}: as it is written`)
  }
  // The Go runtime says no time when it ends.
  const timed = records.filter(({ message }) => !message.startsWith('panic: '))
  const outside = timed.filter(({ time }) => time < began - 1000 || time > ended)
  t.same(outside.slice(0, 2), [], 'all lie between the first request and the last')
  const error = records.find(({ source, message }) => source === 'structured' && message.includes('charge failed'))
  t.ok(error, 'of JSON too')
}

function inZone(text: string, zone: string): number {
  const utc = Date.parse(`${text} UTC`)
  const shown = Date.parse(`${new Date(utc).toLocaleString('en-US', { timeZone: zone })} UTC`)
  return utc - (shown - Math.floor(utc / 1000) * 1000)
}

function values(t: Test, applications: Applications, records: readonly Seen[]): void {
  const of = (source: string, wanted: Record<string, string | number>) =>
    records.filter(
      record =>
        record.source === source &&
        Object.entries(wanted).every(([name, value]) => String(record.values[name]) === String(value)),
    ).length
  t.equal(of('access', { status: 200 }), applications.count('order', 'slow'), 'what succeeded')
  t.equal(of('access', { status: 500, path: '/fail' }), applications.count('fail'), 'what failed')
  t.equal(of('access', { status: 502 }), applications.count('gone'), 'what is gone')
  t.equal(of('access', { path: '/healthz' }), 0, 'no probe')
  for (const [id, kind] of applications.asked) {
    const expected = { cart: 1, charge: 1, handled: 1, refused: 1 }[kind as string] ?? 0
    const source = ['cart', 'charge'].includes(kind) ? 'structured' : 'go'
    if (of(source, { request_id: id }) !== expected) t.fail(`${kind} ${id} is not found by its request_id`)
  }
  const chain = records.filter(({ values }) => String(values['exc_info'] ?? '').includes('direct cause of'))
  t.equal(chain.length, applications.count('charge'), 'a trace within JSON stays in its value')
}

async function questions(t: Test, applications: Applications, server: Clickhouse, began: number, ended: number) {
  const count = async (where: string) => Number((await server.sql(`SELECT count() FROM logs WHERE ${where}`))[0])
  const of = (...kinds: Kind[]) => applications.count(...kinds)
  t.equal(await count(`level = 'error' AND source = 'java'`), of('fail'), 'errors of the service')
  t.equal(await count(`level = 'debug'`), 0, 'nothing that the filter drops')
  t.equal(await count(`source = 'access' AND status >= 500`), of('fail', 'gone'), 'requests that failed')
  const between = `timestamp BETWEEN toDateTime(${Math.floor(began / 1000) - 1}) AND toDateTime(${Math.ceil(ended / 1000)})`
  t.equal(await count(`NOT (${between})`), 0, 'nothing outside of the time in which it happened')
  const [id] = applications.asked.entries().find(([, kind]) => kind === 'charge')!
  t.equal(await count(`request_id = '${id}' AND exc_info LIKE '%Traceback%'`), 1, 'one request by its id')
  const levels = await server.sql('SELECT DISTINCT level FROM logs ORDER BY level')
  t.same(levels, ['', 'error', 'fatal', 'info', 'warn'], 'levels are words of one spelling; access logs have none')
}
