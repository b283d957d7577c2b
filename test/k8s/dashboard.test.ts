/**
 * The dashboard: what Grafana needs of it, as far as that can be told without one. Its queries run on a real Prometheus in
 * test/real/monitoring.test.ts; whether a Grafana draws it is not tested.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import * as z from 'zod/mini'
import { METRICS } from '../../src/server/metrics.ts'
import { DASHBOARD, dashboard, filledIn, type Panel, queries } from './dashboard.ts'
import { ROOT, render, withoutKubectl } from './render.ts'

const o = z.optional
const object = z.strictObject
const text = z.string()
const any = z.looseObject({})
const source = object({ type: z.literal('prometheus'), uid: z.literal('$datasource') })
const gridPos = object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() })
const row = object({
  ...{ id: z.int(), type: z.literal('row'), title: text, collapsed: z.literal(false), gridPos },
  panels: z.array(any).check(z.maxLength(0)),
})
const target = object({
  ...{ refId: text.check(z.regex(/^[A-Z]$/)), datasource: source, expr: text, legendFormat: text },
  ...{ instant: o(z.boolean()), format: o(z.literal('table')) },
})
const thresholds = object({
  mode: z.literal('absolute'),
  steps: z.array(object({ color: text, value: z.nullable(z.number()) })),
})
const panel = object({
  ...{ id: z.int(), type: z.enum(['stat', 'table', 'timeseries']), title: text, description: text },
  ...{ datasource: source, gridPos, targets: z.array(target).check(z.minLength(1)), options: any },
  fieldConfig: object({
    defaults: object({
      ...{ unit: text, custom: o(any), thresholds: o(thresholds), min: o(z.number()), max: o(z.number()) },
    }),
    overrides: z.array(any),
  }),
  transformations: o(z.array(object({ id: z.enum(['merge', 'organize']), options: any }))),
})
const shape = z.looseObject({
  uid: z.literal('logshipper'),
  title: text,
  schemaVersion: z.int(),
  panels: z.array(z.union([row, panel])),
})

t.test('the dashboard has the shape of one: rows, and panels with queries of one data source', t => {
  const checked = shape.safeParse(dashboard())
  t.ok(checked.success, checked.error ? z.prettifyError(checked.error) : 'dashboard')
  t.ok(queries().length > 40)
  t.end()
})

t.test('panels stand beside each other and never on each other', t => {
  const { panels } = dashboard()
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, 'each has its own id')
  t.equal(new Set(panels.map(({ title }) => title)).size, panels.length, 'and its own title')
  const over = ({ gridPos: a }: Panel, { gridPos: b }: Panel) =>
    a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
  for (const [at, each] of panels.entries()) {
    t.ok(each.gridPos.x >= 0 && each.gridPos.x + each.gridPos.w <= 24, each.title)
    for (const other of panels.slice(at + 1)) t.notOk(over(each, other), `${each.title} on ${other.title}`)
  }
  t.end()
})

t.test('every metric that it shows is there, and every variable that it uses', t => {
  const known = new Set(METRICS.flatMap(({ name, type }) => (type === 'histogram' ? [name, `${name}_bucket`] : [name])))
  const { templating } = dashboard()
  const definitions = templating.list.flatMap(({ name, definition = '' }) => ({ at: name, expr: filledIn(definition) }))
  for (const { at, expr } of [...queries(), ...definitions]) {
    for (const [name] of expr.matchAll(/\b(?:logshipper|process)_\w+/g)) t.ok(known.has(name), `${at}: ${name}`)
    t.notMatch(expr, /\$/, `${at}: every variable of it is known`)
  }
  t.strictSame(
    templating.list.map(({ name }) => name),
    ['datasource', 'namespace', 'pod', 'backend'],
  )
  t.end()
})

t.test('what becomes of every line, why, and what it costs is shown', t => {
  const shown = new Set(queries().flatMap(({ expr }) => expr.match(/\blogshipper_\w+/g) ?? []))
  for (const name of [
    ...['lag_seconds', 'retries_total', 'read_lines_total', 'delivered_lines_total', 'in_flight_lines'],
    ...['rejected_lines_total', 'dropped_lines_total', 'lost_bytes_total', 'payload_bytes_total', 'wire_bytes_total'],
  ])
    t.ok(shown.has(`logshipper_${name}`), name)
  t.end()
})

t.test('it is a ConfigMap that Grafana’s sidecar finds', { skip: withoutKubectl() ?? false }, t => {
  const map = render('test/k8s/every-kind').find(({ metadata }) => metadata.name === 'logshipper-dashboard')
  t.match(map, { kind: 'ConfigMap', metadata: { labels: { grafana_dashboard: '1' } } })
  t.equal(map!.data!['dashboard.json'], readFileSync(DASHBOARD, 'utf8'))
  t.end()
})

t.test('the chart of the injector carries this dashboard, to the byte, and no other', t => {
  t.strictSame(readdirSync(join(ROOT, 'k8s/charts/logshipper-injector/dashboards')), ['logshipper.json'])
  const carried = readFileSync(join(ROOT, 'k8s/charts/logshipper-injector/dashboards/logshipper.json'), 'utf8')
  t.equal(carried, readFileSync(DASHBOARD, 'utf8'), 'cp k8s/monitoring/dashboard.json to it')
  t.end()
})
