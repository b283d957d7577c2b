/**
 * The stages of a pipeline of Promtail, which Alloy has under the same names. What stages find in a line they keep apart
 * under names of their own; with us these are the values of a parsed record, so each name leads to one of them.
 */
import { LEVEL_NAMES, MESSAGE_NAMES } from '../../process/parse/names.ts'
import { isEquality, unmeant } from '../expressions.ts'
import { made } from '../made.ts'
import type { Setting } from '../setting.ts'
import type { SourceDraft } from '../source.ts'
import { duration, fromGo, milliseconds } from '../times.ts'
import { selects } from './selector.ts'

/** One stage: what it is called, and what is said of it. */
export interface Stage {
  readonly name: string
  readonly body: Setting
}

/** What stages say about the stream and the tenant of a source’s records. */
export interface Streams {
  /** Labels by the value that they have, and the setting that asks for them. */
  readonly labels: Map<string, { readonly path: string; readonly from: Setting }>
  tenant?: { readonly value: string; readonly from: Setting }
}

export interface Pipeline {
  readonly source: SourceDraft
  readonly streams: Streams
  /** The value of a record that a name of the pipeline leads to. */
  readonly found: Map<string, string>
  /** The stages within another one. */
  readonly inner: (stage: Setting) => readonly Stage[]
}

/** Those that are read as the message; and what the stages cri and docker leave. */
const MESSAGES: readonly string[] = [...MESSAGE_NAMES, 'content', 'output']
const LEVELS: readonly string[] = LEVEL_NAMES
const TIMES = ['time', 'timestamp', '@timestamp', 'ts']
/** What is put in the place of text that is to go. */
const MASK = /^(?:[*x#X.<>()[\]_\s-]|redacted|masked|hidden|removed|filtered|secret)*$/i
const RUNTIME = 'lines of a container runtime are one format, and what stands in them is not parsed once more'

const LOST: Readonly<Record<string, string>> = {
  metrics: 'metrics are not made of records',
  template: 'values are sent as they were written',
  pack: 'a record is sent with its values, not packed into its line',
  decolorize: 'colours stay in the line',
  geoip: 'addresses are not looked up',
  luhn: 'redact: pan finds the numbers of cards',
  labelallow: 'labels of a backend are listed under its labels',
  label_keep: 'labels of a backend are listed under its labels',
  eventlogmessage: 'events of Windows are not read',
  windowsevent: 'events of Windows are not read',
  structured_metadata_drop: 'fields.drop of a source names values that are not sent',
}

export function stage({ name, body }: Stage, pipeline: Pipeline): undefined {
  const { source } = pipeline
  switch (name) {
    case 'docker':
    case 'cri':
      source.parseAs(name, body.open())
      body.needlessAll(
        'records are bounded by their bytes',
        'max_partial_lines',
        'max_partial_line_size',
        'max_partial_line_size_truncate',
      )
      pipeline.found.set('stream', 'stream')
      return undefined
    case 'json':
    case 'logfmt':
      return format(name, body, pipeline)
    case 'regex':
      return regex(body, pipeline)
    case 'timestamp':
      return timestamp(body, pipeline)
    case 'labels':
      return labels(body, pipeline)
    case 'static_labels':
      for (const [label, value] of (body.at('values') ?? body).pairs()) {
        const text = value.text()
        if (text !== undefined) source.label(label, text, value)
      }
      return undefined
    case 'structured_metadata':
      for (const [, value] of (body.at('values') ?? body).pairs())
        value.needless('values that were found are structured metadata')
      return undefined
    case 'labeldrop':
      for (const each of (body.at('values') ?? body).values()) {
        const label = each.raw() ?? ''
        if (!pipeline.streams.labels.delete(label))
          each.needless('it is no label, unless a source or a backend says so')
      }
      return undefined
    case 'match':
      return match(body, pipeline)
    case 'drop':
      return drop(body, pipeline)
    case 'multiline':
      return multiline(body, source)
    case 'replace':
      return replace(body, source)
    case 'output': {
      const from = body.at('source')
      const path = pipeline.found.get(from?.raw() ?? '') ?? ''
      if (from !== undefined && !MESSAGES.includes(path))
        from.lose(`the message of a record is the first of ${MESSAGES.slice(0, 4).join(', ')}`)
      return undefined
    }
    case 'tenant': {
      const value = body.at('value')
      const text = value?.text()
      if (text !== undefined) pipeline.streams.tenant = { value: text, from: value! }
      body.loseAll('the tenant is the same for all records of a backend', 'source', 'label')
      return undefined
    }
    case 'limit':
      return limit(body, source)
    case 'sampling': {
      const rate = body.at('rate')
      const share = rate?.number()
      if (share !== undefined) source.set('sample', { keep: share, unless: 'none' }, rate!)
      body.needlessAll('drops are counted by their reason', 'drop_counter_reason')
      return undefined
    }
    default:
      return body.lose(LOST[name] ?? 'ours has no such stage')
  }
}

function format(name: 'json' | 'logfmt', body: Setting, { source, found }: Pipeline): undefined {
  if (source.runtime) return body.lose(RUNTIME)
  const of = body.at('source')
  const within = of?.raw()
  if (within !== undefined && within !== '' && within !== 'message') {
    of!.lose('the value of a record is not parsed once more')
    return undefined
  }
  source.parseAs(name, body)
  body.note(
    'all values are found, and sent as structured metadata; the line of an entry is the message, if the record has one',
  )
  for (const [key, path] of (body.at('expressions') ?? body.at('mapping'))?.pairs() ?? []) {
    const written = path.raw()
    path.use()
    // JMESPath: a quoted name is a name.
    const plain = (written === undefined || written === '' ? key : written).replaceAll(/^'|'$|"/g, '')
    if (/^[\w@.-]+$/.test(plain)) found.set(key, plain)
    else path.lose('values are named, with dots between names: no other expression')
  }
  body.needlessAll('a record that does not fit is sent as its message', 'drop_malformed')
}

function regex(body: Setting, { source, found }: Pipeline): undefined {
  if (source.runtime) return body.lose(RUNTIME)
  const of = body.at('source')
  const within = of?.raw()
  if (within !== undefined && within !== '' && within !== 'message') {
    return body.lose('the value of a record is not parsed once more')
  }
  const expression = body.at('expression')
  const text = expression?.raw()
  if (text === undefined) return body.lose('it has no expression')
  source.parseMatch(text, expression!)
  for (const [, name] of text.matchAll(/\(\?P?<(\w+)>/g)) found.set(name!, name!)
  body.loseAll('names of groups make no labels by themselves', 'labels_from_groups')
}

function timestamp(body: Setting, { source, found }: Pipeline): undefined {
  const [from, format, location] = [body.at('source'), body.at('format'), body.at('location')]
  body.needlessAll('a time that cannot be read is replaced by that of reading, and counted', 'action_on_failure')
  const name = from?.raw() ?? ''
  if (source.runtime && TIMES.includes(name)) return body.use() && undefined
  const path = found.get(name)
  if (path === undefined) return body.lose('no stage that is carried over finds this value')
  body.loseAll('a source has one format of time', 'fallback_formats')
  const zone = location?.raw()
  source.set(
    'time',
    { field: path, format: fromGo(format?.raw() ?? 'RFC3339'), ...(zone === undefined ? {} : { zone }) },
    format ?? from!,
  )
}

function labels(body: Setting, { source, streams, found }: Pipeline): undefined {
  for (const [label, value] of (body.at('values') ?? body).pairs()) {
    const name = value.raw() || label
    value.use()
    const path = found.get(name)
    if (path === undefined) value.lose('no stage that is carried over finds this value')
    else {
      if (label === 'level' && !LEVELS.includes(path)) source.set('level', path, value)
      streams.labels.set(label, { path, from: value })
    }
  }
}

function match(body: Setting, pipeline: Pipeline): undefined {
  const selector = body.at('selector')
  const selected = selects(selector?.raw() ?? '', pipeline.source)
  body.needlessAll('stages have no names', 'pipeline_name')
  body.needlessAll('drops are counted by their reason', 'drop_counter_reason')
  const drops = body.at('action')?.raw() === 'drop'
  if (selected.kind !== 'never') body.active()
  switch (selected.kind) {
    case 'never':
      return body.idle('no record of its source has these labels')
    case 'unknown':
      return body.lose(selected.why)
    case 'always':
      if (drops) return body.lose('all records of a source would be dropped: leave the source out')
      for (const each of pipeline.inner(body)) stage(each, pipeline)
      return undefined
    case 'lines':
      if (!drops) return body.lose('what is done with some records only cannot be said')
      if (selected.rule !== undefined) return pipeline.source.rule('match', selected.rule, selector!)
      for (const each of selected.drop) pipeline.source.filter.drop.push(made(each, selector!))
      for (const each of selected.dropMatching) pipeline.source.filter.dropMatching.push(made(each, selector!))
      return undefined
  }
}

function drop(body: Setting, { source, found }: Pipeline): undefined {
  body.needlessAll('drops are counted by their reason', 'drop_counter_reason')
  const [older, longer] = [body.at('older_than'), body.at('longer_than')]
  if (older !== undefined || longer !== undefined) {
    return body.lose('records are not dropped by their age or length: longer lines are cut at maxLineBytes')
  }
  const [from, value, expression] = [body.at('source'), body.at('value'), body.at('expression')]
  const name = from?.raw()
  const text = value?.raw()
  const regex = expression?.raw()
  if (name === undefined || name === '') {
    if (regex !== undefined) source.filter.dropMatching.push(made(regex, expression!))
    else if (text !== undefined) source.filter.dropMatching.push(made(`^${escaped(text)}$`, value!))
    else if (from === undefined || from.content.kind === 'value') return body.lose('it says nothing to drop by')
    return undefined
  }
  const path = found.get(name)
  if (path === undefined) return body.lose('no stage that is carried over finds this value')
  const equal = text ?? (regex === undefined ? undefined : isEquality(regex))
  if (equal === undefined) return body.lose('a rule compares a value with texts, not with expressions')
  if (regex !== undefined && !regex.startsWith('^')) unmeant(expression!)
  return source.rule(path, { [path]: equal }, value ?? expression ?? body)
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

function multiline(body: Setting, source: SourceDraft): undefined {
  if (source.runtime)
    return body.lose('multiline looks at lines as they stand in the file, before the format of the container runtime')
  const first = body.at('firstline')
  const start = first?.raw()
  if (start === undefined) return body.lose('it has no firstline')
  const wait = milliseconds(body.at('max_wait_time')?.raw() ?? '')
  const most = body.at('max_lines')?.number()
  const flush = wait !== undefined && wait >= 10 ? { flush: duration(wait) } : {}
  source.set('multiline', { start, ...flush, ...(most === undefined ? {} : { maxLines: most }) }, first!)
  body.needlessAll('blanks at the ends of lines stay', 'trim_newlines')
}

function replace(body: Setting, source: SourceDraft): undefined {
  const [expression, by] = [body.at('expression'), body.at('replace')]
  const text = expression?.raw()
  const replacement = by?.raw() ?? ''
  if (body.at('source')?.raw()) return body.lose('text is written over in the whole record, not in one value')
  if (text === undefined) return body.lose('it has no expression')
  if (!MASK.test(replacement)) return body.lose('text is overwritten with stars by redact, not with other text')
  const groups = text.match(/(?<!\\)\((?!\?[:i])/g)?.length ?? 0
  if (groups > 1) return body.lose('text is only written over, and of an expression one group at the most')
  expression!.note('redact writes over what it finds, with the name of the rule and stars, in as many bytes')
  source.redact(text.replace(/(?<!\\)\((?:\?P?<\w+>)?(?!\?)/, '(?<secret>'), expression!)
}

function limit(body: Setting, source: SourceDraft): undefined {
  const rate = body.at('rate')
  const records = Math.round(rate?.number() ?? 0)
  const over = body.at('drop')?.flag() === true ? 'drop' : 'wait'
  body.needlessAll('the limit holds for each second', 'burst')
  if (body.at('by_label_name')?.raw()) return body.lose('a limit is for each file or for the source')
  body.needlessAll('a limit is for each file or for the source', 'max_distinct_labels')
  if (records < 1) return body.lose('a limit is of at least one record a second')
  source.set('limit', { records, per: 'source', over }, rate!)
}
