/** Processors of Filebeat, in their order, as what sources say of their records. */
import type { Setting } from '../setting.ts'
import type { SourceDraft } from '../source.ts'
import { fromGo } from '../times.ts'
import { conditions } from './conditions.ts'
import { fromTokenizer } from './dissect.ts'
import { dottedPairs } from './dotted.ts'
import { ndjson } from './inputs.ts'

const DOWNWARD =
  'what is known of the pod and its node comes from the Downward API: docs/kubernetes.md shows the variables'

const NEEDLESS: Readonly<Record<string, string>> = {
  add_kubernetes_metadata: DOWNWARD,
  add_host_metadata: DOWNWARD,
  add_docker_metadata: DOWNWARD,
  add_observer_metadata: DOWNWARD,
  add_locale: 'times are UTC',
  add_id: 'ids: true gives records ids that stay the same',
}

const LOST: Readonly<Record<string, string>> = {
  script: 'scripts are not run: fields, filter, redact and labels of a source do the usual things',
  add_cloud_metadata: 'metadata of the cloud are not asked for: labels of a source name what is known',
  add_process_metadata: 'processes are not looked up',
  add_tags: 'records have labels, which have one value each',
  copy_fields: 'values are not copied',
  convert: 'values are sent as they were written; parse.types makes numbers of pairs and groups',
  truncate_fields: 'values are sent whole; lines are cut at maxLineBytes',
  replace: 'redact writes over what it finds',
  dns: 'addresses are not looked up',
  rate_limit: 'limit of a source says how much is sent',
}

/** What Filebeat itself adds to records, and ours does not. */
const ITS_OWN =
  /^(agent|ecs|host|input|beat|prospector|log\.(offset|file|flags)|offset|source|@metadata|event\.original|cloud|container|orchestrator|stream)(\.|$)/
const FAILING = [
  'ignore_missing',
  'fail_on_error',
  'ignore_failure',
  'tag',
  'max_depth',
  'process_array',
  'add_error_key',
]

export function processor(setting: Setting, sources: readonly SourceDraft[]): undefined {
  for (const name of setting.names()) {
    const body = setting.at(name)!
    if (name === 'if') return setting.lose('what a condition decides for each record cannot be said')
    if (NEEDLESS[name] !== undefined) body.needless(NEEDLESS[name])
    else if (LOST[name] !== undefined) body.lose(LOST[name])
    else if (name !== 'drop_event' && body.at('when') !== undefined) {
      body.lose('what a condition decides for each record cannot be said')
    } else {
      body.needlessAll('what does not fit stays as it is', ...FAILING)
      for (const source of sources) process(name, body, source)
    }
  }
}

function process(name: string, body: Setting, source: SourceDraft): undefined {
  switch (name) {
    case 'drop_event': {
      const when = body.at('when')
      if (when === undefined) return body.lose('all records would be dropped')
      return conditions(when, source)
    }
    case 'drop_fields':
      for (const each of body.at('fields')?.values() ?? []) {
        const field = each.raw() ?? ''
        if (ITS_OWN.test(field)) each.needless('it is not sent')
        else if (field === 'message') each.lose('the message is sent')
        else source.dropField(field, each)
      }
      return undefined
    case 'include_fields':
      for (const each of body.at('fields')?.values() ?? []) source.keepField(each.raw() ?? '', each)
      return undefined
    case 'add_fields':
    case 'add_labels': {
      const target = body.at('target')?.raw()
      if (target === '@metadata') return body.lose('records have no metadata besides their values')
      for (const [field, value] of dottedPairs(body.at('fields') ?? body.at('labels'))) {
        const text = value.text()
        if (text !== undefined)
          source.label(target === undefined || target === '' ? field : `${target}.${field}`, text, value)
      }
      return undefined
    }
    case 'rename':
      for (const each of body.at('fields')?.items() ?? []) {
        const [from, to] = [each.at('from')?.raw(), each.at('to')?.raw()]
        if (from === undefined || to === undefined) each.lose('it takes from and to')
        else if (from === 'message' || to === 'message')
          each.lose('the message of a record is the first of message, msg, event, log')
        else source.rename(from, to, each)
      }
      return undefined
    case 'decode_json_fields': {
      const fields =
        body
          .at('fields')
          ?.values()
          .map(each => each.raw()) ?? []
      if (fields.some(each => each !== 'message')) return body.lose('the value of a record is not parsed once more')
      return ndjson(body, source)
    }
    case 'dissect':
      return dissect(body, source)
    case 'timestamp': {
      const [field, zone] = [body.at('field'), body.at('timezone')]
      const layouts = body.at('layouts')?.values() ?? []
      const [first] = layouts
      for (const each of layouts.slice(1)) each.lose('a source has one format of time')
      body.needlessAll('logshipper test shows what becomes of a time', 'test')
      const path = field?.raw()
      const layout = first?.raw()
      if (path === undefined || layout === undefined) return body.lose('it takes field and layouts')
      const named = zone?.raw()
      const time = {
        field: path.replace(/^json\./, ''),
        format: fromGo(layout),
        ...(named === undefined ? {} : { zone: named }),
      }
      return source.set('time', time, first!)
    }
    default:
      return body.lose('ours has no such processor')
  }
}

function dissect(body: Setting, source: SourceDraft): undefined {
  const field = body.at('field')?.raw() ?? 'message'
  if (field !== 'message') return body.lose('the value of a record is not parsed once more')
  if (source.runtime)
    return body.lose('lines of a container runtime are one format, and what stands in them is not parsed once more')
  const tokenizer = body.at('tokenizer')
  const dissected = fromTokenizer(tokenizer?.raw() ?? '')
  if (dissected === undefined) return body.lose('of its keys only names, empty ones and such with a type are known')
  const prefix = body.at('target_prefix')
  if (prefix?.raw() !== '') body.note('values have no name in front of theirs, such as dissect')
  body.needlessAll('blanks around values stay', 'trim_values', 'trim_chars')
  body.needlessAll('values of a record stand beside the others', 'overwrite_keys')
  source.parseMatch(dissected.expression, tokenizer!, dissected.types)
}
