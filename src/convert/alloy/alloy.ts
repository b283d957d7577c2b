/**
 * Alloy: components that hand records on to each other. What `loki.source.file` follows is a source for each target; the
 * way from there leads through `loki.process` to `loki.write` or an exporter, which is a backend.
 */
import { add, type BackendTree, endpoint, tls } from '../backends.ts'
import type { Conversion, Input, Read } from '../conversion.ts'
import { client, credentials } from '../loki/client.ts'
import { type Stage, type Streams, stage } from '../loki/stages.ts'
import { made } from '../made.ts'
import type { Setting } from '../setting.ts'
import { SourceDraft } from '../source.ts'
import { duration, milliseconds } from '../times.ts'
import { type Component, readRiver } from './river.ts'

const LOST: readonly (readonly [RegExp, string])[] = [
  [/^loki\.source\./, 'only files are followed'],
  [
    /^discovery\.|^remote\.|^local\.file$/,
    'nothing is looked up: a sidecar follows the files of its own pod, named under paths',
  ],
  [/^loki\.relabel/, 'labels are those of a source, and of the pod by the Downward API'],
  [/^(prometheus|pyroscope|beyla|mimir|faro|database_observability)\./, 'only logs are shipped'],
  [/^otelcol\./, 'only what leads from files to an exporter of logs is carried over'],
  [/^(declare|import\.|argument|export|foreach)/, 'modules are not worked out'],
]

const NEEDLESS: Readonly<Record<string, string>> = {
  livedebugging: 'logshipper test and explain show what becomes of records',
  tracing: 'requests are not traced',
  http: 'probes and metrics are served on port 9614',
  remotecfg: 'a changed configuration is applied while it runs',
  'loki.echo': 'logshipper test shows what becomes of records',
}

/** A source, and what stages say of it. */
type Found = readonly [SourceDraft, Streams]

class Alloy {
  readonly #conversion: Conversion
  readonly #components: readonly Component[]
  /** Sources by the component that sends them on. */
  readonly #arrived = new Map<string, Found[]>()
  readonly #seen = new Set<Setting>()

  constructor(conversion: Conversion, components: readonly Component[]) {
    this.#conversion = conversion
    this.#components = components
  }

  convert(): undefined {
    const { draft } = this.#conversion
    for (const { name, body } of this.#components) {
      if (name === 'logging') this.#logging(body)
      if (NEEDLESS[name] !== undefined) body.needless(NEEDLESS[name])
      if (name !== 'loki.source.file') continue
      for (const source of this.#sources(body)) {
        draft.sources.push(source)
        this.#follow([source, { labels: new Map() }], body, new Map(), 0)
      }
    }
    for (const component of this.#components) this.#backend(component)
    for (const { name, body } of this.#components) {
      if (body.used || this.#seen.has(body)) continue
      const why = LOST.find(([pattern]) => pattern.test(name))?.[1]
      if (why !== undefined) body.lose(why)
      else if (/^loki\.(process|write)$|^local\.file_match$/.test(name))
        body.needless('nothing that is carried over leads to it')
    }
    for (const { body } of this.#components) body.leftovers()
  }

  #logging(body: Setting): undefined {
    const level = body.at('level')
    const ours = level?.text()
    this.#conversion.references.example(ours ?? '', 'info')
    if (ours !== undefined) this.#conversion.draft.rest['log'] = { level: made(ours, level!) }
    body.needlessAll('the log is JSON on standard error', 'format', 'write_to')
  }

  /** The component that `loki.write.name.receiver` and the like lead to. */
  #component(reference: string): Component | undefined {
    return this.#components.find(({ name, label }) => reference.startsWith(`${name}.${label}.`))
  }

  #sources(body: Setting): SourceDraft[] {
    const targets = body.at('targets')
    const label = /"([^"]*)"/.exec(body.place.key)?.[1] ?? 'app'
    const tail = body.at('tail_from_end')
    if (tail?.flag() === true) tail.lose('files are read from their beginning, also those that are there already')
    const positions = 'offsets are kept in state.dir; they begin anew, so files are read from their beginning once more'
    body.needlessAll(positions, 'legacy_positions_file', 'on_positions_file_error')
    body.needlessAll('directories are watched', 'file_watch', 'file_match')
    body.needlessAll('files that were compressed after a rotation are read', 'decompression')
    const encoding = body.at('encoding')
    const encoded = encoding?.raw()?.toLowerCase()
    const lists = targets === undefined ? [] : this.#targets(targets)
    const sources = lists.flatMap(target => sourceOf(target, label) ?? [])
    if (encoded !== undefined) for (const source of sources) source.set('encoding', encoded, encoding!)
    if (sources.length === 0) body.lose('no file that it follows is named in the configuration')
    return sources
  }

  /** Objects with a `__path__`. */
  #targets(targets: Setting): readonly Setting[] {
    const reference = targets.expression()
    if (reference === undefined) return targets.items()
    const names = [...reference.matchAll(/local\.file_match\.(\w+)\.targets/g)].map(([, label]) => label)
    const found = this.#components.filter(({ name, label }) => name === 'local.file_match' && names.includes(label))
    if (found.length === 0) return targets.lose('the files of this component are not named in the configuration') ?? []
    return found.flatMap(({ body }) => {
      this.#seen.add(body)
      body.needlessAll('directories are watched', 'sync_period')
      const older = body.at('ignore_older_than')
      older?.lose('files are read however old they are')
      const paths = body.at('path_targets')
      if (paths?.expression() !== undefined)
        paths.lose('the files of this component are not named in the configuration')
      return paths?.items() ?? []
    })
  }

  #follow(found: Found, from: Setting, values: Map<string, string>, depth: number): undefined {
    this.#seen.add(from)
    if (depth > 20) return from.lose('components that lead to each other in a circle')
    const receivers = receiversOf(from)
    for (const { reference, setting } of receivers) {
      const next = this.#component(reference)
      if (next === undefined) {
        setting.lose('there is no such component in the file')
        continue
      }
      const { name, label, body } = next
      this.#seen.add(body)
      if (name === 'loki.process') {
        const stages = stagesOf(body)
        if (receivers.length === 1) {
          const pipeline = { source: found[0], streams: found[1], found: values, inner: stagesOf }
          for (const each of stages) stage(each, pipeline)
        } else for (const each of stages) each.body.lose('it is on one of several ways that records take')
      }
      if (/^loki\.relabel$/.test(name)) {
        for (const each of body.each('rule'))
          each.lose('labels are those of a source, and of the pod by the Downward API')
        body.needlessAll('labels are kept', 'max_cache_size')
      }
      if (/^otelcol\.processor\.(batch|memory_limiter)$/.test(name)) {
        body.needlessAll(
          'memory is bounded by memory.budget; batch says what a request holds',
          ...body.names().filter(each => each !== 'output'),
        )
      }
      if (/^(loki\.(process|relabel)|otelcol\.(receiver\.loki|processor\.(batch|memory_limiter)))$/.test(name)) {
        this.#follow(found, body, values, depth + 1)
      } else {
        const key = `${name}.${label}`
        this.#arrived.set(key, [...(this.#arrived.get(key) ?? []), found])
      }
    }
  }

  #backend({ name, label, body }: Component): undefined {
    const arrived = this.#arrived.get(`${name}.${label}`)
    if (arrived === undefined) return
    const unique = [...new Map(arrived.map(each => [each[0], each])).values()]
    const sources = unique.map(([source]) => source)
    switch (name) {
      case 'loki.write': {
        for (const each of body.each('endpoint')) {
          // In a client of Alloy certificates and the rest stand beside the address.
          each.needlessAll('what waits stays in its file', 'queue_config')
          add(this.#conversion, 'loki', client(each, unique, body.at('external_labels')), sources, each)
        }
        body.at('external_labels')?.names()
        body.needlessAll('what waits stays in its file', 'wal', 'max_streams')
        if (body.each('endpoint').length === 0) body.lose('it has no endpoint')
        return undefined
      }
      case 'otelcol.exporter.otlphttp':
        return add(this.#conversion, 'otlp', otlp(body), sources, body)
      case 'otelcol.exporter.otlp':
        return body.lose('OTLP is sent over HTTP: port 4318 of a collector')
      default:
        return body.lose('there is no backend of this kind: docs/backends.md lists those that there are')
    }
  }
}

function sourceOf(target: Setting, label: string): SourceDraft | undefined {
  const path = target.at('__path__')
  const written = path?.text()
  if (written === undefined) return target.lose('it has no __path__')
  const source = new SourceDraft(target.at('job')?.raw() ?? label, target)
  source.path(written, path!)
  const excluded = target.at('__path_exclude__')
  const without = excluded?.text()
  if (without !== undefined) source.without(without, excluded!)
  target.needlessAll('files are those of this machine', '__address__')
  for (const [name, value] of target.pairs()) {
    if (name.startsWith('__')) continue
    const text = value.text()
    if (text !== undefined) source.label(name, text, value)
  }
  return source
}

/** What `forward_to`, or a block `output`, names. */
function receiversOf(from: Setting): { reference: string; setting: Setting }[] {
  const output = from.at('output')
  output?.needlessAll('only logs are shipped', 'metrics', 'traces')
  const lists = [from.at('forward_to'), output?.at('logs')]
  return lists.flatMap(list =>
    (list?.items() ?? []).flatMap(setting => {
      const reference = setting.expression()
      return reference === undefined ? [] : [{ reference: `${reference}.`, setting }]
    }),
  )
}

/** In the order in which they stand. */
function stagesOf(body: Setting): readonly Stage[] {
  return body
    .names()
    .filter(name => name.startsWith('stage.'))
    .flatMap(name => body.each(name).map(each => ({ name: name.slice(6), body: each })))
    .toSorted((a, b) => (a.body.place.line ?? 0) - (b.body.place.line ?? 0))
}

function otlp(body: Setting): BackendTree {
  const tree: BackendTree = {}
  const settings = body.at('client')
  const address = settings?.at('endpoint') ?? body.at('logs_endpoint')
  const url = address?.text()
  if (url !== undefined) endpoint(tree, url, address!, 'otlp')
  if (settings !== undefined) credentials(tree, settings, 'otlp')
  const certificates = settings?.at('tls')
  const skip = certificates?.at('insecure_skip_verify')
  tls(tree, {
    ca: certificates?.at('ca_file'),
    cert: certificates?.at('cert_file'),
    key: certificates?.at('key_file'),
    serverName: certificates?.at('server_name'),
    skip,
    skips: skip?.flag(),
  })
  certificates?.needlessAll('the address says whether TLS is spoken', 'insecure')
  const compression = settings?.at('compression')
  const kind = compression?.raw()
  if (kind !== undefined) tree['compression'] = made(kind, compression!)
  const timeout = settings?.at('timeout')
  const ms = milliseconds(timeout?.raw() ?? '')
  if (ms !== undefined) tree['timeout'] = { headers: made(duration(ms), timeout!) }
  const encoding = body.at('encoding')
  const coded = encoding?.raw()
  if (coded !== undefined) tree['encoding'] = made(coded === 'proto' ? 'protobuf' : coded, encoding!)
  settings?.at('auth')?.lose('what another component signs with is not worked out: auth of the backend')
  body.needlessAll('what waits stays in its file', 'sending_queue')
  body.needlessAll('a request is retried without end, or its records are rejected with a reason', 'retry_on_failure')
  body.needlessAll('only logs are shipped', 'metrics_endpoint', 'traces_endpoint', 'debug_metrics')
  return tree
}

export async function alloy(given: Input, conversion: Conversion): Promise<Read> {
  const { file, text, linesBefore } = given
  const read = readRiver(text, file, linesBefore, conversion)
  if (read.kind === 'unreadable') {
    const problem = {
      file,
      line: read.line,
      key: '',
      found: read.found,
      allowed: 'blocks and attributes, as Alloy writes them',
    }
    return { kind: 'unreadable', problems: [problem] }
  }
  new Alloy(conversion, read.components).convert()
  for (const each of read.attributes) each.leftovers()
  return { kind: 'read' }
}
