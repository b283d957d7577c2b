/**
 * Each alert of k8s/monitoring fires in a real Prometheus for a real shipper that is in that state, and each query of the
 * dashboard and of the documentation shows something of it. Only how long a state must last (`for`) is taken out of the
 * rules: thresholds and windows are as they are delivered.
 *
 *     web-0   one life an hour ago, then one with backends that are down, refuse credentials, refuse records, and have
 *             certificates that end; files that are refused, truncated, dropped; a volume that fills; a configuration
 *             and a state directory that cannot be used
 *     web-1   more files than fit into its memory; killed twice, held up, and gone
 */
import { appendFileSync, mkdirSync, readFileSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { DOCUMENTS } from '../docs/documents.ts'
import { queries } from '../k8s/dashboard.ts'
import { alerts, ruleFile } from '../k8s/rules.ts'
import { object, PROGRAM, Program, Receiver, refuse, sleep, until } from '../program.ts'
import { scratch } from '../scratch.ts'
import { Authority, hasOpenssl } from '../support/certificates.ts'
import { type Answer, type FiringAlert, Prometheus, withoutPrometheus } from '../support/prometheus.ts'
import { withoutTmpfs } from '../support/tmpfs.ts'

t.setTimeout(175_000)

const skip = withoutPrometheus || (!hasOpenssl() && 'no openssl on this machine') || withoutTmpfs()
const MIB = 2 ** 20

/** In the documentation: which pod is behind, by how long, and why. */
const documented = DOCUMENTS.flatMap(({ blocks }) => blocks)
  .filter(({ language }) => language === 'promql')
  .map(({ at, text }) => ({ at, expr: text }))

/** By name: labels that one of those that fire must have. */
const EXPECTED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Unreachable: { pod: 'web-1' },
  NotShipping: { pod: 'web-0', backend: 'down' },
  BackendDown: { pod: 'web-0', backend: 'down' },
  BackendDownEverywhere: { namespace: 'shop', backend: 'down' },
  CredentialsRefused: { pod: 'web-0', backend: 'strict' },
  Behind: { pod: 'web-0', backend: 'down' },
  FallingBehind: { pod: 'web-0', backend: 'down' },
  DataLost: { pod: 'web-0', source: 'big', backend: 'down' },
  Rejecting: { pod: 'web-0', source: 'mixed', backend: 'picky' },
  DroppedUnexpectedly: { pod: 'web-0', source: 'noisy', backend: 'tls', reason: 'limit' },
  DroppingNearlyAll: { pod: 'web-0', source: 'debug', backend: 'tls' },
  DeadLettersOmitted: { pod: 'web-0', backend: 'picky' },
  DeadLetterFileFilling: { pod: 'web-0', backend: 'picky' },
  FilesRefused: { pod: 'web-0', source: 'app' },
  FilesWaiting: { pod: 'web-1', source: 'app' },
  StateNotWritable: { pod: 'web-0', state: 'failing' },
  VolumeFilling: { pod: 'web-0' },
  VolumeFullSoon: { pod: 'web-0' },
  ConfigRefused: { pod: 'web-0' },
  CertificateExpiresSoon: { pod: 'web-0', backend: 'tls', certificate: 'server' },
  CertificateExpires: { pod: 'web-0', backend: 'tls', certificate: 'client' },
  UncleanShutdowns: { pod: 'web-1' },
  MemoryNearLimit: { pod: 'web-1' },
  EventLoopDelayed: { pod: 'web-1' },
}

function portOf(program: Program): number {
  return program.said.find(({ msg }) => msg === 'listening')!['port'] as number
}

async function shown(program: Program, series: string): Promise<number> {
  const { text } = await program.get('/metrics')
  const line = text.split('\n').find(each => each.startsWith(`${series} `))
  return line === undefined ? Number.NaN : Number(line.slice(series.length + 1))
}

async function begun(t: Test, program: Program): Promise<Program> {
  t.teardown(() => program.kill('SIGKILL'))
  await program.started
  return program
}

/** A backend over TLS that takes everything. */
async function secure(t: Test, authority: Authority): Promise<string> {
  const { cert, key } = authority.sign('server', 'IP:127.0.0.1')
  const files = { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(authority.cert) }
  const server = createServer({ ...files, requestCert: true }, (request, response) => {
    request.resume().on('end', () => response.writeHead(204).end())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** The first shipper: everything goes wrong with its backends and its volume. */
async function first(t: Test, dir: string) {
  const at = (...names: string[]) => join(dir, ...names)
  const names = ['app', 'big', 'mixed', 'noisy', 'debug'] as const
  for (const name of names) mkdirSync(at('logs', name), { recursive: true })
  mkdirSync(at('config'))
  const authority = new Authority(dir)
  const own = authority.sign('own', 'DNS:own')
  const [strict, picky] = [await Receiver.start(t), await Receiver.start(t)]
  strict.behaviour = refuse(401)
  picky.behaviour = object('bad')
  const more = { noisy: { limit: { records: 1, over: 'drop' } }, debug: { filter: { drop: ['debug'] } } }
  const tls = { ca: authority.cert, ...own }
  const http = { type: 'http', retry: { initial: '50ms', max: '300ms' } }
  writeFileSync(
    at('config/config.yaml'),
    stringify({
      sources: names.map(name => ({
        name,
        paths: [at('logs', name, '*.log')],
        ...(more as Record<string, object>)[name],
      })),
      backends: [
        { ...http, name: 'down', endpoint: 'http://127.0.0.1:9/', sources: ['app', 'big'] },
        { ...http, name: 'strict', endpoint: strict.url, sources: ['app'] },
        { ...http, name: 'picky', endpoint: picky.url, sources: ['mixed'], deadLetter: { maxBytes: '64KiB' } },
        { ...http, name: 'tls', endpoint: await secure(t, authority), sources: ['noisy', 'debug'], tls },
      ],
      memory: { budget: '32MiB' },
      state: { dir: at('state') },
      volume: { sizeLimit: '1MiB' },
      drain: { gracePeriod: '2s' },
      server: { port: 0, admin: '127.0.0.1:0' },
    }),
  )
  const args = ['run', '--config', at('config/config.yaml')]
  writeFileSync(at('logs/app/app.log'), 'waits for an hour\n')
  // How late a line is, is kept with the offsets: a life whose clock was an hour slow leaves a line that is an hour late.
  writeFileSync(at('earlier.cjs'), 'const now = Date.now; Date.now = () => now() - 3600_000\n')
  const early = await begun(t, new Program({ NODE_OPTIONS: `--require=${at('earlier.cjs')}` }, args))
  const lag = 'logshipper_lag_seconds{source="app",backend="down"}'
  t.ok(await until(async () => (await shown(early, lag)) > 3))
  await early.kill('SIGTERM')
  const program = await begun(t, new Program({}, args))
  t.ok((await shown(program, lag)) > 3000, 'and the next one knows it')
  /** Once its counters are known at 0. */
  const goWrong = async () => {
    symlinkSync('/nowhere', at('logs/app/link.log'))
    writeFileSync(at('logs/noisy/noisy.log'), 'one of many\n'.repeat(1000))
    writeFileSync(at('logs/debug/debug.log'), `${'a line of debug\n'.repeat(1000)}one that is kept\n`)
    writeFileSync(at('logs/mixed/mixed.log'), `${`bad ${'x'.repeat(3000)}\na good one\n`.repeat(40)}`)
    writeFileSync(at('logs/big/big.log'), 'a line that there is no room for\n'.repeat((24 * MIB) / 33))
    const big = 'logshipper_lag_bytes{source="big",backend="down"}'
    t.ok(await until(async () => (await shown(program, big)) > 20 * MIB))
    truncateSync(at('logs/big/big.log'))
    appendFileSync(at('logs/big/big.log'), 'another content\n')
    appendFileSync(at('config/config.yaml'), 'sauces: []\n')
  }
  const loseState = () => {
    renameSync(at('state'), at('state.away'))
    writeFileSync(at('state'), 'no directory')
  }
  const write = () => {
    appendFileSync(at('logs/noisy/noisy.log'), 'one more\n'.repeat(2000))
    appendFileSync(at('logs/app/app.log'), 'one more\n')
  }
  return { program, goWrong, loseState, write }
}

/** A mount namespace in which a file of ours is the memory limit of the container. */
const LIMITED = `
  mount -t tmpfs cgroup /sys/fs/cgroup
  : > /sys/fs/cgroup/memory.max
  mount --bind "$1" /sys/fs/cgroup/memory.max
  shift
  exec "$@"`

/** The second shipper: its process is in trouble. `live`: another life of it. */
async function second(t: Test, dir: string) {
  const at = (...names: string[]) => join(dir, ...names)
  mkdirSync(at('logs'), { recursive: true })
  for (let n = 0; n < 520; n++) writeFileSync(at('logs', `${n}.log`), `${n}\n`)
  const receiver = await Receiver.start(t)
  const limit = (bytes: number) => writeFileSync(at('memory.max'), `${Math.round(bytes)}\n`)
  limit(64 * MIB)
  const env = {
    LOGSHIPPER_SOURCE_NAME: 'app',
    LOGSHIPPER_SOURCE_PATHS: at('logs/*.log'),
    LOGSHIPPER_BACKEND_TYPE: 'http',
    LOGSHIPPER_BACKEND_ENDPOINT: receiver.url,
    LOGSHIPPER_STATE_DIR: at('state'),
    LOGSHIPPER_SERVER_PORT: '0',
    LOGSHIPPER_SERVER_ADMIN: '127.0.0.1:0',
  }
  const args = ['-m', 'sh', '-ec', LIMITED, 'sh', at('memory.max'), process.execPath, PROGRAM]
  return { limit, live: () => new Program(env, args, { command: 'unshare' }) }
}

t.test('each alert fires for a process that is in that state, and each query shows it', { skip }, async t => {
  const dir = scratch(t, { 'web-0': {}, 'web-1': {}, prometheus: {} })
  t.strictSame(
    Object.keys(EXPECTED).map(name => `Logshipper${name}`),
    alerts().map(({ alert }) => alert),
  )
  t.equal(documented.length, 3)
  const rules = ruleFile(alert => ({ ...alert, for: '0s' }))
  const prometheus = await Prometheus.start(t, join(dir, 'prometheus'), rules)

  /** What has fired that was expected. */
  const fired = new Map<string, FiringAlert>()
  const look = async () => {
    for (const each of await prometheus.alerts()) {
      const name = each.labels['alertname']!.replace('Logshipper', '')
      const wanted = Object.entries(EXPECTED[name]!)
      if (each.state === 'firing' && wanted.every(([label, value]) => each.labels[label] === value))
        fired.set(name, each)
    }
  }
  const missing = () => Object.keys(EXPECTED).filter(name => !fired.has(name))
  const fires = (name: string, act: () => unknown = () => {}) =>
    until(async () => {
      await act()
      await look()
      return fired.has(name)
    }, 120)
  const knows = (expression: string) =>
    until(async () => {
      await look()
      return ((await prometheus.query(expression)).data?.result.length ?? 0) > 0
    }, 120)

  const web0 = await first(t, join(dir, 'web-0'))
  prometheus.scrape('web-0', portOf(web0.program))
  t.ok(await knows('logshipper_rejected_lines_any_reason_total{pod="web-0"} == 0'))
  await web0.goWrong()
  // Where there is no state directory nothing is kept in it.
  for (const name of ['DeadLetterFileFilling', 'DeadLettersOmitted']) t.ok(await fires(name), name)
  web0.loseState()

  const { live, limit } = await second(t, join(dir, 'web-1'))
  let web1 = await begun(t, live())
  prometheus.scrape('web-1', portOf(web1))
  t.ok(await knows('process_start_time_seconds{pod="web-1"}'))
  for (let deaths = 1; deaths <= 2; deaths++) {
    await web1.kill('SIGKILL')
    web1 = await begun(t, live())
    prometheus.scrape('web-1', portOf(web1))
    t.ok(await knows(`changes(process_start_time_seconds{pod="web-1"}[1h]) >= ${deaths}`))
  }
  const anonymous = await shown(web1, 'logshipper_anonymous_memory_bytes')
  limit(0.7 * anonymous)
  for (const name of ['UncleanShutdowns', 'FilesWaiting', 'MemoryNearLimit']) t.ok(await fires(name), name)

  for (const { at, expr } of [...queries(), ...documented]) {
    let answer: Answer | undefined
    const shows = await until(async () => {
      web0.write()
      answer = await prometheus.query(expr)
      return answer.status === 'error' || answer.data!.result.length > 0
    })
    t.ok(shows && answer?.status === 'success', `${at}: ${answer?.error ?? expr}`)
  }
  await look()
  const why = documented.at(-1)!.expr
  const reasons = (await prometheus.query(why)).data!.result.map(({ metric }) => [metric['backend'], metric['reason']])
  t.strictSame(new Map(reasons as [string, string][]).get('down'), 'ECONNREFUSED', 'why one is behind')
  const holdUp = async () => {
    web1.child.kill('SIGSTOP')
    await sleep(800)
    web1.child.kill('SIGCONT')
    await sleep(200)
  }
  t.ok(await fires('EventLoopDelayed', holdUp), 'EventLoopDelayed')
  await web1.kill('SIGKILL')
  await until(async () => {
    web0.write()
    await look()
    await sleep(200)
    return missing().length === 0
  }, 120)
  t.strictSame(missing(), [], 'all have fired')
  for (const [name, { annotations }] of fired) {
    const { summary = '', description = '' } = annotations
    t.notMatch(`${summary} ${description}`, /\{\{|<no value>|error (expanding|executing)/, name)
    t.match(summary, /\S\.$/, name)
  }
})
