/** Filters of Fluent Bit, in their order, as what a source says of its records. */
import type { Conversion } from '../conversion.ts'
import { type Condition, isEquality, unmeant } from '../expressions.ts'
import { made } from '../made.ts'
import type { Setting } from '../setting.ts'
import type { SourceDraft } from '../source.ts'
import { milliseconds } from '../times.ts'
import { type Parsers, unslashed } from './parsers.ts'

const RUNTIME = 'lines of a container runtime are one format, and what stands in them is not parsed once more'
const MESSAGES = ['log', 'message', 'msg']

const LOST: Readonly<Record<string, string>> = {
  lua: 'scripts are not run: fields, filter, redact and labels of a source do the usual things',
  wasm: 'programs are not run: fields, filter, redact and labels of a source do the usual things',
  rewrite_tag: 'there are no tags: a filter of a backend says which records it gets',
  log_to_metrics: 'metrics are not made of records',
  aws: 'metadata of the node are not asked for: labels of a source name what is known',
  ecs: 'metadata of the node are not asked for: labels of a source name what is known',
  geoip2: 'addresses are not looked up',
  nightfall: 'redact of a source overwrites secrets and personal data',
  checklist: 'values are not looked up',
  type_converter: 'values are sent as they were written',
  expect: 'records are not tested',
}

export function filter(
  section: Setting,
  sources: readonly SourceDraft[],
  parsers: Parsers,
  conversion: Conversion,
): undefined {
  const kind = section.at('name')?.raw()?.toLowerCase()
  section.needlessAll('sources have names', 'alias')
  section.needlessAll('log.level is that of the whole program', 'log_level')
  if (kind === 'kubernetes') kubernetes(section, sources, conversion)
  for (const source of sources) {
    switch (kind) {
      case 'kubernetes':
        break
      case 'grep':
        grep(section, source)
        break
      case 'record_modifier':
        recordModifier(section, source)
        break
      case 'modify':
        modify(section, source)
        break
      case 'parser':
        parse(section, source, parsers)
        break
      case 'multiline':
        multiline(section, source, parsers)
        break
      case 'throttle':
        throttle(section, source)
        break
      case 'nest':
        section.lose('values are not moved into others or out of them: fields.flatten gives members of objects names')
        break
      default:
        section.lose(LOST[kind ?? ''] ?? 'ours has no such filter')
    }
  }
}

function words(setting: Setting): [first: string, rest: string] {
  const [, first = '', rest = ''] = /^(\S+)\s*([\s\S]*)$/.exec(setting.raw()?.trim() ?? '') ?? []
  return [first.replace(/^\$/, '').replaceAll(/\['([^']*)'\]/g, '.$1'), rest]
}

function valuesOf(section: Setting, name: string): Setting[] {
  return section.each(name).flatMap(each => each.values())
}

function grep(section: Setting, source: SourceDraft): undefined {
  const logic = section.at('logical_op')
  const operator = logic?.raw()?.toLowerCase() ?? 'legacy'
  const [keeps, drops] = [valuesOf(section, 'regex'), valuesOf(section, 'exclude')]
  if (operator === 'and' && drops.length > 1)
    return section.lose('records are dropped if one expression matches, not if all do')
  if (operator !== 'or' && keeps.length > 1)
    return section.lose('records are kept if one expression matches, not if all do')
  for (const each of drops) {
    const condition = conditionOf(each, source)
    if (condition?.kind === 'matching') source.filter.dropMatching.push(made(condition.expression, each))
    else if (condition?.kind === 'equal') source.rule(condition.field, { [condition.field]: condition.values }, each)
  }
  for (const each of keeps) {
    const condition = conditionOf(each, source)
    if (condition?.kind === 'matching') source.keepMatching(condition.expression, each, section)
    else if (condition?.kind === 'equal') {
      each.lose(
        `records are kept by expressions over all of them, not by the value of ${condition.field}; filter.below goes by the level`,
      )
    }
  }
}

/** `KEY EXPRESSION` */
function conditionOf(setting: Setting, source: SourceDraft): Condition | undefined {
  const [key, written] = words(setting)
  if (written === '') return setting.lose('it has no expression')
  const expression = unslashed(written)
  if (MESSAGES.includes(key)) {
    if (!source.parses) return { kind: 'matching', expression }
    if (/^\^|\$$/.test(expression))
      return setting.lose(
        'in a parsed record expressions look at the whole of it, not at the message: one with ^ or $ means something else',
      )
    setting.note('in a parsed record it is looked for in all of it, not in the message alone')
    return { kind: 'matching', expression }
  }
  if (!source.parses) return setting.lose(`records are not parsed, so there is no value ${key}`)
  const values = isEquality(expression)
  if (values === undefined) return setting.lose(`a rule compares the value of ${key} with texts, not with expressions`)
  if (!/^\^/.test(expression)) unmeant(setting)
  return { kind: 'equal', field: key, values }
}

function recordModifier(section: Setting, source: SourceDraft): undefined {
  for (const each of valuesOf(section, 'record')) addLabel(each, source)
  for (const each of valuesOf(section, 'remove_key')) source.dropField(words(each)[0], each)
  for (const name of ['allowlist_key', 'whitelist_key']) {
    for (const each of valuesOf(section, name)) source.keepField(words(each)[0], each)
  }
  section.loseAll('ids of records are those of ids: true at a backend that has it', 'uuid_key')
}

function addLabel(setting: Setting, source: SourceDraft): undefined {
  const [name] = words(setting)
  const value = setting.text()?.trim().slice(name.length).trim()
  if (name === '' || value === undefined || value === '') setting.lose('it has no value')
  else source.label(name, value.replace(/^"(.*)"$/, '$1'), setting)
}

function modify(section: Setting, source: SourceDraft): undefined {
  if (section.each('condition').length > 0)
    return section.lose('what a condition decides for each record cannot be said')
  for (const each of [...valuesOf(section, 'add'), ...valuesOf(section, 'set')]) addLabel(each, source)
  for (const each of [...valuesOf(section, 'rename'), ...valuesOf(section, 'hard_rename')]) {
    const [before, after] = words(each)
    if (MESSAGES.includes(before))
      each.needless('the message has a place of its own at every backend; record.message of type http names it')
    else source.rename(before, after, each)
  }
  for (const each of valuesOf(section, 'remove')) source.dropField(words(each)[0], each)
  section.loseAll('values are named, not matched: list them under fields.drop', 'remove_wildcard', 'remove_regex')
  section.loseAll('values are not copied', 'copy', 'hard_copy')
}

function parse(section: Setting, source: SourceDraft, parsers: Parsers): undefined {
  const key = section.at('key_name')
  const name = key?.raw()?.replace(/^\$/, '')
  section.needlessAll('all other values are kept', 'reserve_data')
  section.needlessAll('the message is kept', 'preserve_key')
  if (name !== undefined && !MESSAGES.includes(name))
    return section.lose('the value of a record is not parsed once more')
  if (source.runtime) return section.lose(RUNTIME)
  for (const each of section.each('parser').flatMap(each => each.values()))
    parsers.parse(source, each.raw() ?? '', each)
}

function multiline(section: Setting, source: SourceDraft, parsers: Parsers): undefined {
  if (source.runtime)
    return section.lose(
      'multiline looks at lines as they stand in the file, before the format of the container runtime',
    )
  section.needlessAll(
    'lines are joined in the file',
    'buffer',
    'emitter_name',
    'emitter_mem_buf_limit',
    'emitter_storage.type',
  )
  section.needlessAll('the last record is sent once its file has not grown for a second', 'flush_ms')
  const mode = section.at('mode')
  if (mode?.raw() === 'partial_message') mode.lose('parts of lines are joined by parse: cri and docker only')
  const key = section.at('multiline.key_content')
  key?.use()
  for (const each of section.each('multiline.parser').flatMap(each => each.values()))
    parsers.join(source, each.raw() ?? '', each)
}

function throttle(section: Setting, source: SourceDraft): undefined {
  const rate = section.at('rate')
  const interval = section.at('interval')
  const seconds = (milliseconds(interval?.raw() ?? '1s') ?? 1000) / 1000
  section.needlessAll('the limit holds for each second', 'window')
  section.needlessAll('drops are counted', 'print_status')
  const records = Math.round((rate?.number() ?? 1) / seconds)
  if (records < 1) return section.lose('a limit is of at least one record a second')
  source.set('limit', { records, per: 'source', over: 'drop' }, rate ?? section)
}

function kubernetes(section: Setting, sources: readonly SourceDraft[], { draft }: Conversion): undefined {
  const merge = section.at('merge_log')
  if (merge?.flag() === true) {
    for (const source of sources) {
      if (source.runtime) merge.lose(RUNTIME)
      else source.parseAs('json', merge)
    }
  }
  for (const [name, key] of [
    ['labels', 'labels'],
    ['annotations', 'annotations'],
  ] as const) {
    const setting = section.at(name)
    if (setting?.flag() !== true) continue
    draft.rest['pod'] = { ...(draft.rest['pod'] as object | undefined), [key]: made(['*'], setting) }
  }
  section.loseAll('pods are not asked what to do with their lines', 'k8s-logging.parser', 'k8s-logging.exclude')
  section.needlessAll('values of a record stand beside the others', 'merge_log_key')
  section.needlessAll('blanks at the end of a line are kept', 'merge_log_trim')
  section.needlessAll('the line is sent once', 'keep_log')
  for (const name of section.names()) {
    if (name !== 'name' && name !== 'match' && name !== 'match_regex') {
      for (const each of section.each(name))
        if (!each.used)
          each.needless('the API server is not asked: what is known of the pod comes from the Downward API')
    }
  }
  section.note('what is known of the pod comes from the Downward API: docs/kubernetes.md shows the variables')
}
