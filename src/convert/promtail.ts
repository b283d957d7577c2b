/** Promtail: each path of a job is a source, with the labels that stand beside it; each client is a backend. */
import { add } from './backends.ts'
import type { Conversion, Input, Read } from './conversion.ts'
import { client } from './loki/client.ts'
import { type Stage, type Streams, stage } from './loki/stages.ts'
import { made } from './made.ts'
import type { Setting } from './setting.ts'
import { SourceDraft } from './source.ts'
import { readYaml } from './tree.ts'

const DISCOVERY = 'pods are not looked for: a sidecar follows the files of its own pod, named under paths'

export async function promtail(given: Input, conversion: Conversion): Promise<Read> {
  const tree = await readYaml(given, conversion)
  if (tree.kind === 'unreadable') return tree
  const { root } = tree
  const { draft } = conversion
  const server = root.at('server')
  const level = server?.at('log_level')
  const ours = level?.text()
  conversion.references.example(ours ?? '', 'info')
  if (ours !== undefined) draft.rest['log'] = { level: made(ours, level!) }
  server?.needlessAll(
    'probes and metrics are served on port 9614',
    ...server.names().filter(name => name !== 'log_level'),
  )
  root.needlessAll(
    'offsets are kept in state.dir; they begin anew, so files are read from their beginning once more',
    'positions',
  )
  root.needlessAll('directories are watched', 'target_config')
  root.needlessAll('requests are not traced', 'tracing')
  root.needlessAll('a changed configuration is applied while it runs', 'global', 'options')
  root.loseAll('limits are those of a source: limit', 'limits_config')
  const all: [SourceDraft, Streams][] = []
  for (const job of root.at('scrape_configs')?.items() ?? []) all.push(...sourcesOf(job))
  draft.sources.push(...all.map(([source]) => source))
  const clients = [...root.each('client'), ...(root.at('clients')?.items() ?? [])]
  for (const each of clients) {
    add(conversion, 'loki', client(each, all, undefined), draft.sources, each)
  }
  root.leftovers()
  return { kind: 'read' }
}

function sourcesOf(job: Setting): [SourceDraft, Streams][] {
  const name = job.at('job_name')?.raw() ?? 'app'
  const made: SourceDraft[] = []
  for (const each of job.at('static_configs')?.items() ?? []) {
    each.needlessAll('files are those of this machine', 'targets')
    const source = sourceOf(name, each.at('labels'), each)
    if (source !== undefined) made.push(source)
  }
  const rules = job.at('relabel_configs')
  const discovery = [
    'kubernetes_sd_configs',
    'docker_sd_configs',
    'file_sd_configs',
    'consul_sd_configs',
    'consulagent_sd_configs',
  ]
  if (discovery.some(each => job.has(each))) {
    const found = made.length === 0 ? relabelled(name, job, rules) : undefined
    if (found !== undefined) made.push(found)
    job.loseAll(DISCOVERY, ...discovery)
  }
  rules?.lose(
    'labels are those of a source, and of the pod by the Downward API; which files are followed is said by paths and exclude',
  )
  for (const key of [
    'journal',
    'syslog',
    'loki_push_api',
    'gcplog',
    'windows_events',
    'gelf',
    'kafka',
    'cloudflare',
    'heroku_drain',
    'azure_event_hubs',
  ]) {
    job.loseAll('only files are followed', key)
  }
  const encoding = job.at('encoding')
  const encoded = encoding?.raw()?.toLowerCase()
  const decompression = job.at('decompression')
  decompression?.needless(
    'files that were compressed after a rotation are read; others are no logs that are written to',
  )
  const stages = job.at('pipeline_stages')?.items().flatMap(stagesOf) ?? []
  return made.map(source => {
    if (encoded !== undefined) source.set('encoding', encoded, encoding!)
    const streams: Streams = { labels: new Map() }
    const pipeline = { source, streams, found: new Map<string, string>(), inner }
    for (const each of stages) stage(each, pipeline)
    return [source, streams]
  })
}

function inner(body: Setting): readonly Stage[] {
  return body.at('stages')?.items().flatMap(stagesOf) ?? []
}

/** A stage is a map of one name. */
function stagesOf(setting: Setting): Stage[] {
  return setting.names().flatMap(name => setting.each(name).map(body => ({ name, body })))
}

function sourceOf(job: string, labels: Setting | undefined, from: Setting): SourceDraft | undefined {
  const path = labels?.at('__path__')
  const written = path?.text()
  if (written === undefined) return from.lose('it has no __path__')
  const named = labels?.at('job')?.raw()
  const source = new SourceDraft(named ?? job, from)
  source.path(written, path!)
  const excluded = labels?.at('__path_exclude__')
  const without = excluded?.text()
  if (without !== undefined) source.without(without, excluded!)
  for (const [name, value] of labels?.pairs() ?? []) {
    if (name.startsWith('__')) continue
    const text = value.text()
    if (text !== undefined) source.label(name, text, value)
  }
  return source
}

/** The files that relabelling makes of pods: `/var/log/pods/*$1/*.log`. */
function relabelled(job: string, from: Setting, rules: Setting | undefined): SourceDraft | undefined {
  const rule = rules?.items().find(each => each.at('target_label')?.raw() === '__path__')
  const path = rule?.at('replacement')
  const written = path?.raw()
  if (written === undefined) return undefined
  const source = new SourceDraft(job, from)
  source.path(written.replaceAll(/[^/]*\$\d[^/]*/g, '**').replaceAll(/(\*\*\/)+/g, '**/'), path!)
  from.note(
    'these are the files of all pods of a node: a sidecar follows those on the volume of its own pod, so name them under paths',
  )
  return source
}
