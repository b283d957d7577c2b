/**
 * The alerts: each fires on series of what it is about, after its time and not before, and is silent on those of a healthy
 * shipper. promtool evaluates them. That real processes make such series is what test/real/monitoring.test.ts shows.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import * as z from 'zod/mini'
import { METRICS } from '../../src/server/metrics.ts'
import { document } from '../docs/documents.ts'
import { scratch } from '../scratch.ts'
import { ROOT } from './render.ts'
import { type Alert, alerts, RULES, resource, ruleFile } from './rules.ts'
import { anyResource } from './schema.ts'

const promtool = spawnSync('promtool', ['--version']).status === 0
const skip = promtool ? false : 'promtool is not installed'

/** Series of one shipper, without the labels that say which one. Values in promtool's notation, one a minute. */
type Shown = Readonly<Record<string, string>>

interface Case {
  readonly fires: Shown
  readonly quiet: Shown
  /** Labels of the alert besides those of the shipper and its severity. */
  readonly labels?: Readonly<Record<string, string>>
  /** Labels of the shipper that the expression leaves. */
  readonly by?: readonly ('namespace' | 'pod' | 'instance' | 'job')[]
}

const ALL = ['namespace', 'pod', 'instance', 'job'] as const
const OF_BACKEND = { by: ['namespace', 'pod'], labels: { backend: 'main' } } as const
const OF_ACCOUNT = { by: ['namespace', 'pod'], labels: { source: 'app', backend: 'main' } } as const

const main = (name: string, more = '') => `logshipper_${name}{backend="main"${more}}`
const account = (name: string, more = '') => main(name, `,source="app"${more}`)
const CERTIFICATE = main('backend_certificate_not_after_timestamp_seconds', ',certificate="server"')
const REQUESTS = main('requests_total', ',status="2xx",verdict="delivered"')
const DAY = 86_400

/** Two hours of it, one value a minute: nothing is long enough for less. */
const always = (value: number) => `${value}x120`
const growing = (by: number, from = 0) => `${from}${by < 0 ? '' : '+'}${by}x120`

const CASES: Readonly<Record<string, Case>> = {
  Unreachable: { fires: { up: always(0) }, quiet: { up: always(1) } },
  NotShipping: {
    ...OF_BACKEND,
    fires: { [account('lag_seconds')]: growing(60), [account('delivered_lines_total')]: always(7) },
    quiet: { [account('lag_seconds')]: growing(60), [account('delivered_lines_total')]: growing(7) },
  },
  BackendDown: {
    labels: { backend: 'main', state: 'down' },
    fires: { [main('backend_state', ',state="down"')]: always(1) },
    quiet: { [main('backend_state', ',state="down"')]: always(0) },
  },
  BackendDownEverywhere: {
    by: ['namespace'],
    labels: { backend: 'main' },
    fires: {
      [main('backend_up')]: always(0),
      [main('backend_state', ',state="up"')]: always(0),
      [main('backend_state', ',state="down"')]: always(0),
      [main('backend_state', ',state="unauthorized"')]: always(1),
    },
    quiet: {
      [main('backend_up')]: always(1),
      [main('backend_state', ',state="up"')]: always(1),
      [main('backend_state', ',state="down"')]: always(0),
      [main('backend_state', ',state="unauthorized"')]: always(0),
    },
  },
  CredentialsRefused: {
    labels: { backend: 'main', state: 'unauthorized' },
    fires: { [main('backend_state', ',state="unauthorized"')]: always(1) },
    quiet: { [main('backend_state', ',state="unauthorized"')]: always(0) },
  },
  Behind: {
    ...OF_BACKEND,
    fires: { [account('lag_seconds')]: always(301) },
    quiet: { [account('lag_seconds')]: always(299) },
  },
  FallingBehind: {
    ...OF_BACKEND,
    fires: { [account('lag_seconds')]: growing(12, 61) },
    // Being worked off, however long it is.
    quiet: { [account('lag_seconds')]: growing(-12, 9000) },
  },
  DataLost: {
    labels: { source: 'app', backend: 'main' },
    fires: { [account('lost_bytes_total')]: growing(1) },
    quiet: { [account('lost_bytes_total')]: always(5000) },
  },
  Rejecting: {
    ...OF_ACCOUNT,
    fires: { [account('rejected_lines_any_reason_total')]: growing(1) },
    quiet: { [account('rejected_lines_any_reason_total')]: always(5000) },
  },
  DroppedUnexpectedly: {
    by: ['namespace', 'pod'],
    labels: { source: 'app', backend: 'main', reason: 'held_limit' },
    fires: { [account('dropped_bytes_total', ',reason="held_limit"')]: growing(1) },
    // What is configured to be dropped.
    quiet: {
      [account('dropped_bytes_total', ',reason="filter:debug"')]: growing(1000),
      [account('dropped_bytes_total', ',reason="sample"')]: growing(1000),
      [account('dropped_bytes_total', ',reason="padding"')]: growing(1000),
      [account('dropped_bytes_total', ',reason="limit"')]: always(1000),
    },
  },
  DroppingNearlyAll: {
    ...OF_ACCOUNT,
    fires: {
      [account('dropped_lines_total', ',reason="filter:drop"')]: growing(97),
      [account('dropped_lines_total', ',reason="sample"')]: growing(1),
      [account('read_lines_total')]: growing(100),
    },
    quiet: {
      [account('dropped_lines_total', ',reason="filter:drop"')]: growing(90),
      [account('dropped_lines_total', ',reason="sample"')]: growing(1),
      [account('read_lines_total')]: growing(100),
    },
  },
  DeadLettersOmitted: {
    labels: { backend: 'main' },
    fires: { [main('dead_letter_omitted_total')]: growing(1) },
    quiet: { [main('dead_letter_omitted_total')]: always(9) },
  },
  DeadLetterFileFilling: {
    labels: { backend: 'main' },
    fires: { [main('dead_letter_bytes')]: always(81), [main('dead_letter_limit_bytes')]: always(100) },
    quiet: { [main('dead_letter_bytes')]: always(79), [main('dead_letter_limit_bytes')]: always(100) },
  },
  FilesRefused: {
    labels: { source: 'app' },
    fires: { 'logshipper_refused_paths{source="app"}': always(1) },
    quiet: { 'logshipper_refused_paths{source="app"}': always(0) },
  },
  FilesWaiting: {
    labels: { source: 'app' },
    fires: {
      'logshipper_waiting_files{source="app"}': always(0),
      'logshipper_waiting_directories{source="app"}': always(2),
    },
    quiet: {
      'logshipper_waiting_files{source="app"}': always(0),
      'logshipper_waiting_directories{source="app"}': always(0),
    },
  },
  StateNotWritable: {
    labels: { state: 'saving' },
    fires: { 'logshipper_checkpoint_state{state="saving"}': always(1) },
    // A configuration without a state directory is none of its business.
    quiet: {
      'logshipper_checkpoint_state{state="memory"}': always(1),
      'logshipper_checkpoint_state{state="failing"}': always(0),
      'logshipper_checkpoint_state{state="saving"}': always(0),
      logshipper_state_writable: always(0),
    },
  },
  VolumeFilling: {
    fires: { logshipper_volume_bytes: always(81), logshipper_volume_limit_bytes: always(100) },
    quiet: { logshipper_volume_bytes: always(79), logshipper_volume_limit_bytes: always(100) },
  },
  VolumeFullSoon: {
    fires: { logshipper_volume_seconds_left: always(899) },
    quiet: { logshipper_volume_seconds_left: always(901) },
  },
  ConfigRefused: {
    fires: { logshipper_config_last_reload_successful: always(0) },
    quiet: { logshipper_config_last_reload_successful: always(1) },
  },
  CertificateExpiresSoon: {
    labels: { backend: 'main', certificate: 'server' },
    fires: { [CERTIFICATE]: always(13 * DAY), [REQUESTS]: growing(1) },
    quiet: { [CERTIFICATE]: always(15 * DAY), [REQUESTS]: growing(1) },
  },
  CertificateExpires: {
    labels: { backend: 'main', certificate: 'server' },
    fires: { [CERTIFICATE]: always(2 * DAY), [REQUESTS]: growing(1) },
    // What a backend that is not asked showed long ago is not what it shows now.
    quiet: { [CERTIFICATE]: always(2 * DAY), [REQUESTS]: always(1) },
  },
  UncleanShutdowns: {
    fires: { process_start_time_seconds: '1x40 2x20 3x60', logshipper_last_shutdown_unclean: always(1) },
    quiet: { process_start_time_seconds: '1x40 2x20 3x60', logshipper_last_shutdown_unclean: always(0) },
  },
  MemoryNearLimit: {
    fires: { logshipper_anonymous_memory_bytes: always(91), logshipper_memory_limit_bytes: always(100) },
    quiet: { logshipper_anonymous_memory_bytes: always(89), logshipper_memory_limit_bytes: always(100) },
  },
  EventLoopDelayed: {
    labels: { quantile: '0.99' },
    fires: { 'logshipper_event_loop_delay_seconds{quantile="0.99"}': always(0.6) },
    quiet: {
      'logshipper_event_loop_delay_seconds{quantile="0.99"}': always(0.4),
      'logshipper_event_loop_delay_seconds{quantile="1"}': always(9),
    },
  },
}

function shipper(pod: string): Record<(typeof ALL)[number], string> {
  return { namespace: pod, pod, instance: `${pod}:9614`, job: `${pod}/logshipper` }
}

function seriesOf(shown: Shown, pod: string) {
  const labels = Object.entries(shipper(pod)).map(([name, value]) => `${name}="${value}"`)
  return Object.entries(shown).map(([series, values]) => {
    const [, name, more] = /^(\w+)(?:\{(.*)\})?$/.exec(series)!
    return { series: `${name}{${[...labels, ...(more ? [more] : [])].join()}}`, values }
  })
}

/** That the alert fires for the pod `bad` alone, late; and before its time not even for that. */
function unitTest({ alert, labels, ...rest }: Alert) {
  const { fires, quiet, labels: more = {}, by = ALL } = CASES[alert.replace('Logshipper', '')]!
  const own = shipper('bad')
  const expected = { ...labels, ...more, ...Object.fromEntries(by.map(name => [name, own[name]])) }
  const pending = Number.parseInt(rest.for, 10) > 0
  return {
    interval: '1m',
    name: alert,
    input_series: [...seriesOf(fires, 'bad'), ...seriesOf(quiet, 'good')],
    alert_rule_test: [
      { eval_time: '90m', alertname: alert, exp_alerts: [{ exp_labels: expected }] },
      ...(pending ? [{ eval_time: '0m', alertname: alert, exp_alerts: [] }] : []),
    ],
  }
}

t.test('each alert fires for what it is about, and for nothing else', { skip }, t => {
  const dir = scratch(t, {})
  t.strictSame(
    Object.keys(CASES).map(name => `Logshipper${name}`),
    alerts().map(({ alert }) => alert),
  )
  const run = (name: string, tests: object) => {
    writeFileSync(join(dir, name), stringify({ rule_files: ['rules.yml'], evaluation_interval: '10m', tests }))
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', name], { cwd: dir, encoding: 'utf8' })
    return { status, said: stdout + stderr }
  }
  // Without annotations, which promtool would compare too: what they say is looked at below, and by the real ones.
  writeFileSync(
    join(dir, 'rules.yml'),
    ruleFile(({ annotations: _, ...alert }) => alert),
  )
  const tests = alerts().map(unitTest)
  t.match(run('tests.yml', tests), { status: 0, said: /SUCCESS/ })
  const reversed = tests.map(({ input_series, ...test }) => ({
    ...test,
    input_series: input_series.map(({ series, values }) => ({
      series: series.replaceAll('bad', 'ugly').replaceAll('good', 'bad'),
      values,
    })),
  }))
  const failed = run('reversed.yml', reversed).said
  for (const { alert } of alerts())
    t.match(failed, new RegExp(`alertname: ?${alert},`), `${alert}: a test that can fail`)
  t.end()
})

t.test('promtool finds nothing to say of the rules', { skip }, t => {
  const file = join(scratch(t, {}), 'rules.yml')
  writeFileSync(file, ruleFile())
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })
  t.match({ status, stdout, stderr }, { status: 0, stdout: `SUCCESS: ${alerts().length} rules found`, stderr: '' })
  t.end()
})

t.test('the operator knows every field of the resource', t => {
  const checked = anyResource.safeParse(resource())
  t.ok(checked.success, checked.error ? z.prettifyError(checked.error) : 'PrometheusRule')
  t.end()
})

t.test('every metric that an alert asks for is there', t => {
  const known = new Set([...METRICS.map(({ name }) => name), 'up'])
  for (const { alert, expr } of alerts()) {
    const names = [...expr.matchAll(/\b(?:logshipper_\w+|process_\w+|up\b(?=\{))/g)].map(([name]) => name)
    t.ok(names.length > 0, alert)
    for (const name of names) t.ok(known.has(name), `${alert}: ${name}`)
  }
  t.end()
})

t.test('every alert says what it is, what to do first and where to read on, and has a runbook', t => {
  const { text } = document('docs/runbooks.md')
  const runbooks = [...text.matchAll(/^### (Logshipper\w+)$/gm)].map(([, name]) => name)
  t.strictSame(
    runbooks,
    alerts().map(({ alert }) => alert),
    'in the same order',
  )
  for (const { alert, labels, annotations = {} } of alerts()) {
    const { summary, description, runbook_url: url } = annotations
    t.match(labels['severity'], /^(warning|critical)$/, alert)
    t.match(summary, /^\S.*\.$/, alert)
    t.match(description, /\bFirst \w+/, `${alert}: what to do first`)
    t.equal(url, `https://example.com/logshipper/docs/runbooks.md#${alert.toLowerCase()}`)
    const [, own = ''] = new RegExp(`^### ${alert}\\n([\\s\\S]*?)(?=^#|$(?![\\s\\S]))`, 'm').exec(text) ?? []
    for (const part of ['*Means:*', '*Look:*', '*Do:*', '*Ignore:*'])
      t.ok(own.includes(part), `${alert}: its runbook has ${part}`)
  }
  t.end()
})

t.test('the chart of the injector carries these alerts, to the byte, and no others', t => {
  t.strictSame(readdirSync(join(ROOT, 'k8s/charts/logshipper-injector/rules')), ['logshipper.yaml'])
  const carried = readFileSync(join(ROOT, 'k8s/charts/logshipper-injector/rules/logshipper.yaml'), 'utf8')
  t.equal(carried, readFileSync(RULES, 'utf8'), 'cp k8s/monitoring/rules.yaml to it')
  t.end()
})
