/** Inputs of Filebeat: those of files are sources of ours, all others are lost. */
import { made } from '../made.ts'
import type { Setting } from '../setting.ts'
import { bytesOf, sizeText } from '../sizes.ts'
import { SourceDraft } from '../source.ts'
import { duration, milliseconds } from '../times.ts'
import { dottedPairs } from './dotted.ts'

const FILES = ['log', 'filestream', 'container', 'docker']
const OFFSETS = 'offsets are kept in state.dir; they begin anew, so files are read from their beginning once more'
const TO_THE_END = 'a file is read to its end, and given up when it is deleted and read'

const NEEDLESS: Readonly<Record<string, string>> = {
  scan_frequency: 'directories are watched',
  backoff: 'files are looked at when a request may start',
  max_backoff: 'files are looked at when a request may start',
  backoff_factor: 'files are looked at when a request may start',
  harvester_buffer_size: 'a fixed block of memory is read into',
  harvester_limit: 'how many files are open depends on the limit of the process',
  harvester_start_order: 'files are read in turn',
  buffer_size: 'a fixed block of memory is read into',
  close: TO_THE_END,
  force_close_files: TO_THE_END,
  file_identity: 'files are known by inode and content',
  fingerprint: 'files are known by inode and content',
  take_over: OFFSETS,
  legacy_clean_inactive: OFFSETS,
  clean_inactive: OFFSETS,
  clean_removed: OFFSETS,
  close_inactive: TO_THE_END,
  close_renamed: TO_THE_END,
  close_removed: TO_THE_END,
  close_eof: TO_THE_END,
  close_timeout: TO_THE_END,
  recursive_glob: '** in a path stands for any number of directories',
  keep_null: 'values are sent as they were written',
  publisher_pipeline: 'records name their pod, not their host',
  rotation: 'rotations are known by what happens to the files',
  document_type: 'types are not sent',
  combine_partial: 'parts of lines are joined',
}

/** Of records, what JSON in a line is to become. */
const JSON_OPTIONS = [
  'keys_under_root',
  'overwrite_keys',
  'add_error_key',
  'ignore_decoding_error',
  'target',
  'expand_keys',
]

export function input(settings: Setting, index: number): SourceDraft | undefined {
  const kind = (settings.at('type') ?? settings.at('input_type'))?.raw() ?? 'log'
  if (!FILES.includes(kind)) return settings.lose('only files are followed')
  if (settings.at('enabled')?.flag() === false) return settings.needless('it is not enabled')
  const source = new SourceDraft(settings.at('id')?.raw() ?? (index === 0 ? 'app' : `app-${index + 1}`), settings)
  for (const each of settings.at('paths')?.values() ?? []) {
    const path = each.text()
    if (path !== undefined) source.path(path, each)
  }
  for (const [key, why] of Object.entries(NEEDLESS)) settings.needlessAll(why, key)
  if (kind === 'container' || kind === 'docker') container(settings, source)
  files(settings, source)
  lines(settings, source)
  multiline(settings.at('multiline'), source)
  const json = settings.at('json')
  if (json !== undefined) ndjson(json, source)
  for (const each of settings.at('parsers')?.items() ?? []) parser(each, source)
  fields(settings, [source])
  return source
}

function container(settings: Setting, source: SourceDraft): undefined {
  const format = settings.at('format')
  const written = format?.raw() ?? 'auto'
  if (written === 'auto' || written === 'cri') source.parseAs('cri', format ?? settings)
  if (written !== 'cri') source.parseAs('docker', format ?? settings)
  const stream = settings.at('stream')
  const only = stream?.raw()
  if (only === 'stdout' || only === 'stderr') {
    source.rule('stream', { stream: only === 'stdout' ? 'stderr' : 'stdout' }, stream!)
  }
}

function files(settings: Setting, source: SourceDraft): undefined {
  const scanner = settings.find('prospector', 'scanner')
  scanner?.needlessAll('directories are watched', 'check_interval', 'resend_on_touch', 'recursive_glob')
  scanner?.needlessAll('files are known by inode and content', 'fingerprint')
  const lists = [settings.at('exclude_files'), scanner?.at('exclude_files')]
  for (const each of lists.flatMap(list => list?.values() ?? [])) {
    const glob = globOf(each.raw() ?? '')
    if (glob === undefined) each.lose('files are excluded by globs, not by expressions')
    else source.without(glob, each)
  }
  for (const list of [settings.at('include_files'), scanner?.at('include_files')]) {
    list?.lose('files are named by globs under paths, not by expressions')
  }
  for (const link of [settings.at('symlinks'), scanner?.at('symlinks')]) {
    if (link?.flag() === true) link.lose('followSymlinks names the directories that links may lead into')
  }
  for (const key of ['tail_files', 'seek']) {
    const tail = settings.at(key)
    const written = tail?.raw()
    if (written === 'true' || written === 'tail')
      tail!.lose('files are read from their beginning, also those that are there already')
  }
  for (const key of ['ignore_older', 'ignore_inactive']) {
    const older = settings.at(key)
    const written = older?.raw()
    if (written !== undefined && !/^0[smh]?$/.test(written)) older!.lose('files are read however old they are')
  }
  const encoding = settings.at('encoding')
  const encoded = encoding?.raw()?.toLowerCase()
  const names: Readonly<Record<string, string>> = {
    'utf-16le-bom': 'utf-16le',
    'utf-16-bom': 'utf-16le',
    plain: 'utf-8',
    'iso8859-1': 'latin-1',
    latin1: 'latin-1',
    windows1252: 'windows-1252',
  }
  if (encoded !== undefined && encoded !== 'utf-8') source.set('encoding', names[encoded] ?? encoded, encoding!)
}

/** The glob that an expression for names of files means: `\.gz$`. */
function globOf(expression: string): string | undefined {
  const plain = expression.replace(/^\.\*/, '')
  const end = /^((?:[\w-]|\\?\.)+)\$?$/.exec(plain)
  if (end === null) return undefined
  const text = end[1]!.replaceAll('\\.', '.')
  return plain.endsWith('$') ? `/**/*${text}` : `/**/*${text}*`
}

function lines(settings: Setting, source: SourceDraft): undefined {
  for (const each of settings.at('exclude_lines')?.values() ?? []) {
    const expression = each.raw()
    if (expression !== undefined) source.filter.dropMatching.push(made(expression, each))
  }
  const included = settings.at('include_lines')
  for (const each of included?.values() ?? []) {
    const expression = each.raw()
    if (expression !== undefined) source.keepMatching(expression, each, included)
  }
  for (const key of ['max_bytes', 'message_max_bytes']) {
    const size = settings.at(key)
    const bytes = bytesOf(size?.raw() ?? '')
    if (bytes !== undefined) source.set('maxLineBytes', sizeText(bytes), size!)
  }
  const end = settings.at('line_terminator')
  const written = end?.raw()
  if (written === 'null_terminator') source.set('lineEnd', 'nul', end!)
  else if (written === 'carriage_return') source.set('lineEnd', 'cr', end!)
  else if (written !== undefined && !['auto', 'line_feed', 'carriage_return_line_feed'].includes(written)) {
    end!.lose('lines end with a line feed, a carriage return or a NUL')
  }
}

function multiline(settings: Setting | undefined, source: SourceDraft): undefined {
  if (settings === undefined) return
  if (source.runtime)
    return settings.lose(
      'multiline looks at lines as they stand in the file, before the format of the container runtime',
    )
  const pattern = settings.at('pattern')
  const expression = pattern?.raw()
  const type = settings.at('type')?.raw() ?? 'pattern'
  if (type !== 'pattern' || expression === undefined)
    return settings.lose('lines are joined by expressions for their beginning, their going on or their end')
  const negate = settings.at('negate')?.flag() ?? false
  const before = settings.at('match')?.raw() === 'before'
  if (before && !negate)
    return settings.lose('a line that goes on in the next one cannot be told by an expression of its own')
  const wait = milliseconds(settings.at('timeout')?.raw() ?? '')
  const most = settings.at('max_lines')?.number()
  settings.needlessAll('nothing is put between lines but their line feed', 'skip_newline')
  settings.loseAll('a record ends with the next one', 'flush_pattern', 'count_lines')
  const key = before ? 'end' : negate ? 'start' : 'continue'
  const timing = wait === undefined || wait < 10 ? {} : { flush: duration(wait) }
  source.set('multiline', { [key]: expression, ...timing, ...(most === undefined ? {} : { maxLines: most }) }, pattern!)
}

export function ndjson(settings: Setting, source: SourceDraft): undefined {
  if (source.runtime)
    return settings.lose('lines of a container runtime are one format, and what stands in them is not parsed once more')
  source.parseAs('json', settings.open())
  const target = settings.at('target')?.raw() ?? ''
  const under = settings.at('keys_under_root')?.flag() ?? settings.has('target')
  if (!under || target !== '') settings.note('values have no name in front of theirs, such as json')
  settings.needlessAll(
    'values of a record stand beside the others; a record that is no JSON is sent as its message',
    ...JSON_OPTIONS,
  )
  const key = settings.at('message_key')
  const name = key?.raw()
  if (name !== undefined && !['message', 'msg', 'log', 'event'].includes(name)) {
    key!.lose('the message of a record is the first of message, msg, event, log')
  }
  settings.loseAll('ids are those of logshipper', 'document_id')
}

function parser(setting: Setting, source: SourceDraft): undefined {
  for (const name of setting.names()) {
    const body = setting.at(name)!
    // Filebeat takes options of a parser beside its name as well.
    switch (name) {
      case 'ndjson':
        ndjson(body, source)
        break
      case 'multiline':
        multiline(body, source)
        break
      case 'container':
        container(body.open(), source)
        break
      case 'syslog':
        source.parseAs('syslog', body.open())
        break
      case 'include_message': {
        const patterns = body.at('patterns')
        for (const each of patterns?.values() ?? []) source.keepMatching(each.raw() ?? '', each, patterns)
        break
      }
      case 'overwrite_keys':
      case 'add_error_key':
      case 'expand_keys':
      case 'target':
      case 'message_key':
        body.needless('options of a parser stand below its name')
        break
      default:
        body.lose('ours has no such parser')
    }
  }
}

/** `fields` and `tags` of an input, or of all. */
export function fields(settings: Setting, sources: readonly SourceDraft[]): undefined {
  const under = settings.at('fields_under_root')?.flag() ?? false
  const own = settings.at('fields')
  if (own !== undefined && !under) own.note('they are labels under their own names, without fields. in front')
  for (const [name, value] of dottedPairs(own)) {
    const text = value.text()
    if (text !== undefined) for (const source of sources) source.label(name, text, value)
  }
  settings.loseAll('records have labels, which have one value each', 'tags')
}
