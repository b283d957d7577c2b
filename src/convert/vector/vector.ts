/**
 * Vector: sources, transforms and sinks that name where their records come from. A transform that lies on all ways of a
 * source is what that source says of its records; a filter, a sample or a limit that only lies on the ways to one sink is
 * what its backend says.
 */
import { add, type BackendTree } from '../backends.ts'
import type { Conversion, Input, Read } from '../conversion.ts'
import { made } from '../made.ts'
import { type Setting, settingOf } from '../setting.ts'
import type { SourceDraft } from '../source.ts'
import { readToml } from '../toml.ts'
import { type ReadTree, readYaml } from '../tree.ts'
import { apply, type Filtering, filterOf, keeping } from './conditions.ts'
import { isKnown, lostSink, sink } from './sinks.ts'
import { source } from './sources.ts'
import { program } from './vrl.ts'

interface Component {
  readonly name: string
  readonly kind: string
  readonly body: Setting
  readonly inputs: readonly string[]
}

/** A way from a source to a sink: the transforms on it, and for those with several outputs which one. */
interface Way {
  readonly source: SourceDraft
  readonly steps: readonly Step[]
}

interface Step {
  readonly transform: Component
  readonly output: string | undefined
}

const NEEDLESS: Readonly<Record<string, string>> = {
  data_dir: 'offsets are kept in state.dir; they begin anew, so files are read from their beginning once more',
  api: 'the status page is on port 9615',
  acknowledgements: 'an offset is saved when the backend has acknowledged what lies before it',
  healthchecks: 'a backend that does not answer is retried without end',
  log_schema: 'what has a place of its own in a record is known by its usual names',
  schema: 'records have no schema',
  expire_metrics_secs: 'metrics are few, and stay',
  telemetry: 'metrics are served on port 9614',
}

const LOST: Readonly<Record<string, string>> = {
  dedupe: 'repeats of a source gathers equal records that follow each other',
  reduce: 'records are not put together; multiline joins lines',
  lua: 'scripts are not run',
  log_to_metric: 'metrics are not made of records',
  swimlanes: 'filter of a backend says which records it gets',
}

const SOME = 'it lies on some of the ways that records of a source take'

export async function vector(given: Input, conversion: Conversion): Promise<Read> {
  const tree = await read(given, conversion)
  if (tree.kind === 'unreadable') return tree
  const { root } = tree
  for (const [key, why] of Object.entries(NEEDLESS)) root.needlessAll(why, key)
  root.loseAll('times without a zone are UTC: time.zone of a source', 'timezone')
  root.loseAll('a file of its own is named by { file } where a secret stands', 'secret')
  root.loseAll('values are not looked up', 'enrichment_tables')
  const drafts = new Map<string, SourceDraft>()
  for (const { name, kind, body } of componentsOf(root.at('sources'))) {
    const draft = source(name, kind, body)
    if (draft === undefined) continue
    drafts.set(name, draft)
    conversion.draft.sources.push(draft)
  }
  const transforms = componentsOf(root.at('transforms'))
  const sinks = componentsOf(root.at('sinks')).filter(({ kind, body }) => {
    if (isKnown(kind)) return true
    return kind === 'blackhole' ? body.needless('what is sent nowhere need not be read') : body.lose(lostSink(kind))
  })
  const ways = new Map(sinks.map(each => [each, waysTo(each.inputs, drafts, transforms, [])]))
  const common = alongAll([...ways.values()].flat())
  for (const [draft, steps] of common) for (const each of steps) onSource(each, draft)
  for (const [each, own] of ways) {
    const sources = [...new Set(own.map(way => way.source))]
    const made = sources.length === 0 ? undefined : sink(each.kind, each.body, sources)
    if (made !== undefined) onBackend(made.tree, own, common)
    if (sources.length === 0) each.body.lose('no source that is carried over leads to it')
    else if (made !== undefined) add(conversion, made.type, made.tree, sources, each.body)
  }
  const onWay = new Set([...ways.values()].flat().flatMap(({ steps }) => steps.map(each => each.transform)))
  for (const each of transforms) if (!onWay.has(each)) each.body.needless('it is on no way from a file to a backend')
  root.leftovers()
  return { kind: 'read' }
}

async function read(given: Input, conversion: Conversion): Promise<ReadTree> {
  const { file, text, linesBefore } = given
  if (!/^\s*\[\[?[\w."-]+\]?\]/m.test(text) || /^\s*\{/.test(text)) return readYaml(given, conversion)
  const toml = readToml(file, text, linesBefore)
  if (toml.kind === 'unreadable') return toml
  return { kind: 'tree', root: settingOf(toml.tree, conversion, file, toml.lineOf) }
}

function componentsOf(settings: Setting | undefined): Component[] {
  return (settings?.names() ?? []).map(name => {
    const body = settings!.at(name)!
    const inputs = (body.at('inputs')?.values() ?? []).flatMap(each => each.raw() ?? [])
    return { name, kind: body.at('type')?.raw() ?? '', body, inputs }
  })
}

/** All ways that lead to these inputs, which may hold `*`, and so name what they are the inputs of. */
function waysTo(
  inputs: readonly string[],
  drafts: ReadonlyMap<string, SourceDraft>,
  transforms: readonly Component[],
  behind: readonly Step[],
): Way[] {
  return inputs.flatMap(input => {
    const names = (name: string): boolean => input === name || (input.includes('*') && globOf(input).test(name))
    const sources = [...drafts].flatMap(([name, source]) => (names(name) ? [{ source, steps: behind }] : []))
    const through = transforms.flatMap(transform => {
      const output = input.startsWith(`${transform.name}.`) ? input.slice(transform.name.length + 1) : undefined
      const seen = behind.some(each => each.transform === transform)
      if (seen || (!names(transform.name) && output === undefined)) return []
      return waysTo(transform.inputs, drafts, transforms, [{ transform, output }, ...behind])
    })
    return [...sources, ...through]
  })
}

function globOf(pattern: string): RegExp {
  return new RegExp(
    `^${pattern
      .split('*')
      .map(each => each.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  )
}

/** The transforms that lie on all ways of a source. */
function alongAll(ways: readonly Way[]): Map<SourceDraft, readonly Step[]> {
  const common = new Map<SourceDraft, readonly Step[]>()
  for (const { source, steps } of ways) {
    const before = common.get(source)
    const same = (one: Step, other: Step): boolean => one.transform === other.transform && one.output === other.output
    common.set(source, before === undefined ? steps : before.filter(each => steps.some(other => same(each, other))))
  }
  return common
}

function onSource({ transform, output }: Step, source: SourceDraft): undefined {
  const { kind, body } = transform
  switch (kind) {
    case 'remap': {
      const text = body.at('source')
      const written = text?.raw()
      if (written !== undefined) program(written, text!, source)
      body.loseAll('the program stands in the configuration', 'file', 'files')
      body.needlessAll(
        'what does not fit is sent as its message',
        'drop_on_error',
        'drop_on_abort',
        'reroute_dropped',
        'runtime',
        'timezone',
      )
      return
    }
    case 'filter':
    case 'route':
    case 'exclusive_route': {
      const filtering = conditionOf(transform, output)
      if (filtering !== undefined) apply(filtering.filtering, source, filtering.from)
      return
    }
    case 'sample': {
      const sample = sampling(body)
      if (sample !== undefined) source.set('sample', sample.value, sample.from)
      return
    }
    case 'throttle': {
      const limit = throttling(body)
      if (limit !== undefined) source.set('limit', limit.value, limit.from)
      return
    }
    default:
      return body.lose(LOST[kind] ?? 'ours has no such transform')
  }
}

/** What lies on the ways to this sink only. */
function onBackend(
  tree: BackendTree,
  ways: readonly Way[],
  common: ReadonlyMap<SourceDraft, readonly Step[]>,
): undefined {
  const seen = new Set<Component>()
  for (const { source, steps } of ways) {
    const shared = common.get(source) ?? []
    for (const step of steps) {
      const { transform, output } = step
      if (shared.some(each => each.transform === transform && each.output === output) || seen.has(transform)) continue
      seen.add(transform)
      const { kind, body } = transform
      if (!ways.every(way => way.steps.some(each => each.transform === transform && each.output === output))) {
        body.lose(SOME)
        continue
      }
      const twice = (key: string, from: Setting): boolean => {
        if (tree[key] !== undefined) from.lose('something else is said of that already, and a backend says it once')
        return tree[key] !== undefined
      }
      if (kind === 'filter' || kind === 'route' || kind === 'exclusive_route') {
        const filtering = conditionOf(transform, output)
        if (filtering !== undefined && !twice('filter', filtering.from)) {
          tree['filter'] = made(filterOf(filtering.filtering, transform.name), filtering.from)
        }
      } else if (kind === 'sample' || kind === 'throttle') {
        const key = kind === 'sample' ? 'sample' : 'limit'
        const found = kind === 'sample' ? sampling(body) : throttling(body)
        if (found !== undefined && !twice(key, found.from)) tree[key] = made(found.value, found.from)
      } else body.lose(`${SOME}: of a backend filter, sample and limit can be said`)
    }
  }
}

/** What a filter keeps, or one of the routes. */
function conditionOf(
  { kind, body }: Component,
  output: string | undefined,
): { readonly filtering: Filtering; readonly from: Setting } | undefined {
  const setting = kind === 'filter' ? body.at('condition') : routeOf(body, output)
  if (setting === undefined) return body.lose('what goes to no other route cannot be said')
  const inner = setting.content.kind === 'map' ? (setting.at('source') ?? setting.at('condition')) : setting
  setting.at('type')?.raw()
  const filtering = keeping(inner?.raw() ?? '')
  if (typeof filtering === 'string') return (inner ?? setting).lose(filtering)
  return { filtering, from: inner! }
}

function routeOf(body: Setting, output: string | undefined): Setting | undefined {
  if (output === undefined) return undefined
  return (
    body.find('route', output) ??
    body
      .at('routes')
      ?.items()
      .find(each => each.at('name')?.raw() === output)
      ?.at('condition')
  )
}

interface Said {
  readonly value: unknown
  readonly from: Setting
}

function sampling(body: Setting): Said | undefined {
  const [rate, ratio, key] = [body.at('rate'), body.at('ratio'), body.at('key_field')]
  const one = rate?.number()
  const share = one === undefined ? ratio?.number() : 1 / one
  const by = key?.raw()
  body.loseAll('records of a level are kept with sample.unless', 'exclude')
  body.needlessAll('a record says its share', 'sample_rate_key')
  body.loseAll('sample.by names one field', 'group_by')
  if (share === undefined) return body.lose('it has no rate')
  return { value: { keep: share, ...(by === undefined ? {} : { by }), unless: 'none' }, from: rate ?? ratio! }
}

function throttling(body: Setting): Said | undefined {
  const threshold = body.at('threshold')
  const count = threshold?.number() ?? 0
  const seconds = body.at('window_secs')?.number() ?? 1
  body.loseAll('a limit is for each file or for the source', 'key_field')
  body.loseAll('a limit is for all records', 'exclude')
  const records = Math.round(count / seconds)
  if (records < 1) return body.lose('a limit is of at least one record a second')
  return { value: { records, per: 'source', over: 'drop' }, from: threshold! }
}
