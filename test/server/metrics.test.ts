import { spawnSync } from 'node:child_process'
import { get, type IncomingHttpHeaders } from 'node:http'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { CLOCK } from '../../src/clock.ts'
import { startServer } from '../../src/server/server.ts'
import { HandClock } from '../clock.ts'
import { Journal } from '../tail/rig.ts'
import { ACCOUNT, ask, DOWN, SECRET_PATH, Stage, statement } from './rig.ts'

async function scraped(t: { teardown(end: () => Promise<void>): void }) {
  const stage = new Stage()
  // Each look at the clock is a second after the last one: no scrape is another one's page.
  let now = 0
  const server = await startServer({ port: 0, admin: null }, stage, new Journal(), {
    ...CLOCK,
    now: () => (now += 1000),
  })
  t.teardown(() => server.close())
  return { stage, scrape: () => ask(server.ports.port!, '/metrics') }
}

/** An answer as it comes over the wire. */
function raw(port: number, path: string, headers: Record<string, string>) {
  return new Promise<{ headers: IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers, agent: false }, response => {
      const parts: Buffer[] = []
      response.on('data', part => parts.push(part))
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(parts) }))
    }).on('error', reject)
  })
}

/** Series → value, as a scraper reads them. */
function series(body: string): Map<string, number> {
  const lines = body.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

t.test('the ledger is shown as it is, and adds up', async t => {
  const { scrape } = await scraped(t)
  const { headers, body } = await scrape()
  t.match(headers['content-type'], 'text/plain; version=0.0.4')
  const all = series(body)
  const at = (name: string, more = '') => all.get(`logshipper_${name}{source="app",backend="main"${more}}`)
  for (const [unit, each] of [
    ['lines', 1],
    ['bytes', 100],
  ] as const) {
    t.equal(at(`read_${unit}_total`), 10 * each)
    t.equal(at(`delivered_${unit}_total`), 6 * each)
    t.equal(at(`rejected_${unit}_total`, ',reason="400"'), each)
    t.equal(at(`dropped_${unit}_total`, ',reason="filter"'), each)
    t.equal(at(`in_flight_${unit}`), 2 * each)
  }
  t.equal(at('lost_bytes_total'), 7)
  t.equal(at('lag_bytes'), 200)
  t.equal(at('lag_seconds'), 1.5)
  t.equal(at('in_flight_seconds'), 0.5)
})

t.test('a scraper that takes gzip gets the page compressed, and one that does not as it is', async t => {
  const stage = new Stage()
  // No time passes: all get one rendering.
  const server = await startServer({ port: 0, admin: null }, stage, new Journal(), { ...CLOCK, now: () => 0 })
  t.teardown(() => server.close())
  const answered = async (headers: Record<string, string>, path = '/metrics') => {
    const response = await raw(server.ports.port!, path, headers)
    return { encoding: response.headers['content-encoding'], vary: response.headers.vary, body: response.body }
  }
  const plain = await answered({})
  const gzipped = await answered({ 'accept-encoding': 'gzip,zstd;q=0.5' })
  t.match(plain, { encoding: undefined, vary: 'accept-encoding' })
  t.match(gzipped, { encoding: 'gzip', vary: 'accept-encoding' })
  t.equal(gunzipSync(gzipped.body).toString(), plain.body.toString())
  t.ok(gzipped.body.length < plain.body.length / 3, `${gzipped.body.length} of ${plain.body.length} bytes`)
  t.equal((await answered({ 'accept-encoding': 'gzip;q=0' })).encoding, undefined)
  t.equal(
    (await answered({ 'accept-encoding': 'gzip' }, '/livez')).encoding,
    undefined,
    'only where it saves something',
  )
})

t.test('a scrape shows the moment: repeated or at once, nothing is counted twice or goes backwards', async t => {
  const { stage, scrape } = await scraped(t)
  const bodies = await Promise.all(Array.from({ length: 5 }, scrape))
  const counters = (body: string) => [...series(body)].filter(([name]) => /_total|_bucket|_sum|_count/.test(name))
  // The process itself goes on meanwhile.
  const still = (body: string) => counters(body).filter(([name]) => !/process_cpu|event_loop/.test(name))
  for (const { body } of bodies) t.strictSame(still(body), still(bodies[0]!.body))
  const before = series(bodies[0]!.body)
  stage.accounts = [
    {
      source: 'app',
      backend: 'main',
      statement: { ...ACCOUNT, delivered: { lines: 8, bytes: 800 }, inFlight: { lines: 0, bytes: 0 } },
    },
  ]
  const after = series((await scrape()).body)
  t.equal(after.get('logshipper_delivered_lines_total{source="app",backend="main"}'), 8)
  t.equal(after.get('logshipper_in_flight_lines{source="app",backend="main"}'), 0)
  for (const [name, value] of counters(bodies[0]!.body)) t.ok(after.get(name)! >= value, name)
  t.ok(before.size > 40)
})

t.test('histograms are cumulated, and their last bucket is the count', async t => {
  const { scrape } = await scraped(t)
  const all = series((await scrape()).body)
  const bucket = (le: string) => all.get(`logshipper_request_duration_seconds_bucket{le="${le}",backend="main"}`)
  t.strictSame(['0.1', '1', '+Inf'].map(bucket), [4, 6, 7])
  t.equal(all.get('logshipper_request_duration_seconds_count{backend="main"}'), 7)
  t.equal(all.get('logshipper_request_duration_seconds_sum{backend="main"}'), 12.5)
  t.equal(all.get('logshipper_request_size_bytes_bucket{le="4096",backend="main"}'), 3)
  t.equal(all.get('logshipper_request_size_bytes_sum{backend="main"}'), 40_000)
})

t.test('states are numbers', async t => {
  const { stage, scrape } = await scraped(t)
  const first = series((await scrape()).body)
  t.equal(first.get('logshipper_backend_up{backend="main"}'), 1)
  t.equal(first.get('logshipper_state_writable'), 1)
  t.equal(first.get('logshipper_watch_mode{mode="events"}'), 1)
  t.equal(first.get('logshipper_watch_mode{mode="polling"}'), 0)
  t.equal(first.get('logshipper_files{state="live"}'), 1)
  t.equal(first.get('logshipper_files{state="rotated"}'), 0)
  t.equal(first.get('logshipper_refused_paths{source="app"}'), 2)
  t.equal(first.get('logshipper_budget_used_bytes{backend="main"}'), 1024)
  t.equal(first.get(`logshipper_build_info{version="1.2.3",revision="c0ffee",node="${process.versions.node}"}`), 1)
  const ends = (certificate: string) =>
    first.get(`logshipper_backend_certificate_not_after_timestamp_seconds{backend="main",certificate="${certificate}"}`)
  t.strictSame(
    ['server', 'client', 'proxy'].map(ends),
    [Date.UTC(2026, 2, 1) / 1000, Date.UTC(2026, 1, 1) / 1000, undefined],
    'and what is not known is absent',
  )
  t.strictSame(
    ['opened', 'rotated', 'truncated', 'deleted'].map(each =>
      first.get(`logshipper_files_${each}_total{source="app"}`),
    ),
    [4, 3, 2, 1],
  )
  t.equal(first.get('logshipper_dead_letter_limit_bytes{backend="main"}'), 1000)
  t.equal(first.get('logshipper_config_last_reload_success_timestamp_seconds'), 1767323045.678)
  t.equal(first.get('logshipper_checkpoint_state{state="saved"}'), 1)
  t.equal(first.get('logshipper_backend_next_attempt_timestamp_seconds{backend="main"}'), undefined)
  t.equal(first.get('logshipper_backend_state{backend="main",state="up"}'), 1)
  t.equal(first.get('logshipper_backend_state{backend="main",state="down"}'), 0)
  t.equal(first.get('logshipper_backend_down_since_timestamp_seconds{backend="main"}'), undefined)
  t.equal(first.get('logshipper_last_delivered_timestamp_seconds{backend="main"}'), Date.UTC(2026, 0, 1) / 1000)
  t.ok(Math.abs(first.get('process_start_time_seconds')! - (Date.now() / 1000 - process.uptime())) < 5)
  t.ok(first.get('process_open_fds')! > 2 && first.get('process_max_fds')! > first.get('process_open_fds')!)
  t.ok(first.get('process_resident_memory_bytes')! > 1e6)
  t.ok(first.get('process_cpu_seconds_total')! > 0)
  stage.piped = [{ ...stage.piped[0]!, up: false }]
  stage.healthy = {
    ...stage.healthy,
    backends: [DOWN],
    state: { kind: 'failing', code: 'ENOSPC', since: '2026-01-01T00:00:00.000Z' },
    watch: { mode: 'polling', reason: 'ENOSPC' },
  }
  stage.followed = [{ ...stage.followed[0]!, state: 'rotated' }]
  const second = series((await scrape()).body)
  t.equal(second.get('logshipper_backend_up{backend="main"}'), 0)
  t.equal(second.get('logshipper_backend_state{backend="main",state="down"}'), 1)
  t.equal(second.get('logshipper_backend_down_since_timestamp_seconds{backend="main"}'), Date.UTC(2026, 0, 1) / 1000)
  t.equal(
    second.get('logshipper_backend_next_attempt_timestamp_seconds{backend="main"}'),
    Date.UTC(2026, 0, 1) / 1000 + 5,
  )
  t.equal(second.get('logshipper_state_writable'), 0)
  t.equal(second.get('logshipper_checkpoint_state{state="saved"}'), 0)
  t.equal(second.get('logshipper_checkpoint_state{state="failing"}'), 1)
  t.equal(second.get('logshipper_watch_mode{mode="events"}'), 0)
  t.equal(second.get('logshipper_watch_mode{mode="polling"}'), 1)
  t.equal(second.get('logshipper_files{state="live"}'), 0)
  t.equal(second.get('logshipper_files{state="rotated"}'), 1)
})

t.test('a stall of the event loop is shown to every scrape within a minute, and then forgotten', async t => {
  const stage = new Stage()
  const clock = new HandClock()
  const server = await startServer({ port: 0, admin: null }, stage, new Journal(), clock)
  t.teardown(() => server.close())
  const longest = async () => {
    clock.pass(1000)
    return series((await ask(server.ports.port!, '/metrics')).body).get(
      'logshipper_event_loop_delay_seconds{quantile="1"}',
    )!
  }
  await longest()
  // The first tick of the sampling is where a delay is measured from.
  await new Promise(resolve => setTimeout(resolve, 120))
  const until = performance.now() + 1000
  while (performance.now() < until);
  while ((await longest()) < 0.5) await new Promise(resolve => setTimeout(resolve, 20))
  for (let scraper = 0; scraper < 3; scraper++) t.ok((await longest()) >= 0.5, 'to each of them')
  clock.pass(60_000)
  t.ok((await longest()) >= 0.5, 'for another minute')
  clock.pass(60_000)
  await longest()
  t.ok((await longest()) < 0.5)
})

t.test('what can be counted is there before anything happens, at 0', async t => {
  const { stage, scrape } = await scraped(t)
  stage.accounts = [{ source: 'app', backend: 'main', statement: statement() }]
  stage.piped = [
    { ...stage.piped[0]!, requests: [], retries: {}, rejectReasons: ['too_large', 'http_400', 'http_422'] },
  ]
  const all = series((await scrape()).body)
  const account = (name: string, reason?: string) =>
    all.get(`logshipper_${name}{source="app",backend="main"${reason === undefined ? '' : `,reason="${reason}"`}}`)
  for (const unit of ['lines', 'bytes']) {
    for (const reason of ['too_large', 'http_400', 'http_422']) t.equal(account(`rejected_${unit}_total`, reason), 0)
    for (const reason of ['padding', 'held_limit', 'filter:below', 'sample'])
      t.equal(account(`dropped_${unit}_total`, reason), 0)
    t.equal(
      account(`dropped_${unit}_total`, 'repeats'),
      undefined,
      'a policy that its source does not have is not shown',
    )
  }
  for (const name of ['rejected_lines_any_reason_total', 'lost_bytes_total']) t.equal(account(name), 0, name)
  for (const [status, verdict] of [
    ['2xx', 'delivered'],
    ['4xx', 'unauthorized'],
    ['5xx', 'retry'],
    ['none', 'retry'],
  ]) {
    t.equal(all.get(`logshipper_requests_total{backend="main",status="${status}",verdict="${verdict}"}`), 0)
  }
})

t.test('totals hold every reason, whether it was known or not; what is dropped is not lost', async t => {
  const { stage, scrape } = await scraped(t)
  const one = { lines: 1, bytes: 10 }
  const rejected = { http_400: one, made_up: { lines: 2, bytes: 20 } }
  const dropped = { padding: { lines: 0, bytes: 1000 }, held_limit: { lines: 0, bytes: 30 }, later: one }
  const account = { ...statement({ rejected, dropped, lostBytes: 7 }), read: { lines: 4, bytes: 1070 } }
  stage.accounts = [{ source: 'app', backend: 'main', statement: account }]
  const all = series((await scrape()).body)
  const at = (name: string) => all.get(`logshipper_${name}{source="app",backend="main"}`)
  t.equal(at('rejected_lines_any_reason_total'), 3)
  t.equal(at('lost_bytes_total'), 7)
})

t.test('labels are bounded: at most 100 reasons, then other; nothing is lost in it', async t => {
  const { stage, scrape } = await scraped(t)
  const rejected = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`reason ${i}`, { lines: 1, bytes: 10 }]))
  stage.accounts = [
    { source: 'app', backend: 'main', statement: statement({ rejected, read: { lines: 250, bytes: 2500 } }) },
  ]
  for (const _ of [1, 2]) {
    const rows = [...series((await scrape()).body)].filter(([name]) =>
      name.startsWith('logshipper_rejected_lines_total'),
    )
    // Two of them were known beforehand, and are there at 0.
    t.equal(rows.length, 101)
    t.equal(rows.find(([name]) => name.includes('"other"'))?.[1], 152)
    t.equal(
      rows.reduce((sum, [, value]) => sum + value, 0),
      250,
    )
  }
})

t.test('what was redacted is counted by rule', async t => {
  const { scrape } = await scraped(t)
  const all = series((await scrape()).body)
  const labels = '{source="app",backend="main",rule="password"}'
  t.equal(all.get(`logshipper_redacted_total${labels}`), 4)
  t.equal(all.get(`logshipper_redaction_gave_up_total${labels}`), 1)
})

t.test('the only labels are bounded ones, and no path is among them', async t => {
  const { scrape } = await scraped(t)
  const { body } = await scrape()
  const names = new Set([...body.matchAll(/[{,](\w+)="/g)].map(([, name]) => name))
  t.strictSame([...names].sort(), [
    'backend',
    'certificate',
    'le',
    'mode',
    'node',
    'quantile',
    'reason',
    'result',
    'revision',
    'rule',
    'source',
    'state',
    'status',
    'verdict',
    'version',
  ])
  t.notOk(body.includes(SECRET_PATH))
})

t.test('whatever a name holds, the text stays well-formed', async t => {
  const { stage, scrape } = await scraped(t)
  stage.accounts = [{ source: 'a"b\\c\nd{}', backend: 'main', statement: ACCOUNT }]
  const { body } = await scrape()
  t.ok(body.includes('logshipper_read_lines_total{source="a\\"b\\\\c\\nd{}",backend="main"} 10\n'))
})

const promtool = spawnSync('promtool', ['--version']).status === 0
t.test('promtool finds nothing to say', { skip: promtool ? false : 'promtool is not installed here' }, async t => {
  const { scrape } = await scraped(t)
  const { body } = await scrape()
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' })
  t.strictSame({ status: checked.status, said: checked.stdout + checked.stderr }, { status: 0, said: '' })
})
