/** Inputs of Fluent Bit: those that tail files are sources of ours, all others are lost. */
import { made } from '../made.ts'
import type { Setting } from '../setting.ts'
import { bytesOf, sizeText } from '../sizes.ts'
import { SourceDraft } from '../source.ts'
import { type Parsers, unslashed } from './parsers.ts'

const NEEDLESS: Readonly<Record<string, string>> = {
  db: 'offsets are kept in state.dir; they begin anew, so files are read from their beginning once more',
  'db.sync': 'a checkpoint is written safely without it',
  'db.locking': 'the state directory is locked without it',
  'db.journal_mode': 'the state is no database',
  'db.compare_filename': 'files are known by inode and content',
  refresh_interval: 'directories are watched',
  watcher_interval: 'files are looked at when a request may start',
  rotate_wait: 'a rotated file is read to its end, however long that takes',
  progress_check_interval: 'files are looked at when a request may start',
  progress_check_interval_nsec: 'files are looked at when a request may start',
  inotify_watcher: 'where there are no events files are looked at',
  skip_long_lines: 'longer lines are cut at maxLineBytes, marked and counted',
  truncate_long_lines: 'longer lines are cut at maxLineBytes, marked and counted',
  buffer_chunk_size: 'a fixed block of memory is read into',
  mem_buf_limit: 'memory is bounded by memory.budget, and what waits stays in its file',
  'storage.type': 'what waits stays in its file',
  'storage.pause_on_chunks_overlimit': 'what waits stays in its file',
  path_key: 'every record names its file in the field file',
  threaded: 'reading needs no thread of its own',
  static_batch_size: 'files are read in turn',
  event_batch_size: 'files are read in turn',
  file_cache_advise: 'it is not needed for what was just written',
  read_newly_discovered_files_from_head: 'files are read from their beginning',
  docker_mode_flush: 'parse: docker joins the parts of a line',
  alias: 'sources have names',
  log_level: 'log.level is that of the whole program',
}

const ENCODINGS: Readonly<Record<string, string>> = {
  'utf-8': 'utf-8',
  'utf-16le': 'utf-16le',
  'utf-16be': 'utf-16be',
  win1252: 'windows-1252',
  'windows-1252': 'windows-1252',
  latin1: 'latin-1',
  'iso-8859-1': 'latin-1',
}

export interface TaggedSource {
  readonly source: SourceDraft
  readonly tag: string
  /** Filters that stand at the input itself. */
  readonly processors: readonly Setting[]
}

export function input(section: Setting, parsers: Parsers, index: number): TaggedSource | undefined {
  const kind = section.at('name')?.raw()?.toLowerCase()
  if (kind !== 'tail') return section.lose(kind === undefined ? 'it has no name' : 'only files are followed')
  const tag = section.at('tag')?.raw() ?? `tail.${index}`
  const path = section.at('path')
  const written = path?.text()
  if (path === undefined || written === undefined) return section.lose('it has no path')
  const source = new SourceDraft(tag.replaceAll(/[*<].*$/g, '') || 'app', section)
  for (const each of split(written)) source.path(each, path)
  const excluded = section.at('exclude_path')
  for (const each of split(excluded?.text() ?? '')) {
    source.without(each.startsWith('/') ? each : `/**/${each}`, excluded!)
  }
  for (const [key, why] of Object.entries(NEEDLESS)) section.needlessAll(why, key)
  options(source, section)
  lines(source, section, parsers)
  const processors = section.find('processors', 'logs')?.items() ?? []
  return { source, tag, processors }
}

function options(source: SourceDraft, section: Setting): undefined {
  const head = section.at('read_from_head')
  if (head?.flag() === false) head.lose('files are read from their beginning, also those that are there already')
  const older = section.at('ignore_older')
  if (older !== undefined && !/^0[smh]?$/.test(older.raw() ?? '')) older.lose('files are read however old they are')
  const size = section.at('buffer_max_size')
  const bytes = bytesOf(size?.raw() ?? '')
  if (size !== undefined && bytes === undefined) size.lose('it is no size')
  else if (bytes !== undefined && bytes > 1024 ** 2) source.set('maxLineBytes', sizeText(bytes), size!)
  else size?.needless('lines of up to 1MiB are taken')
  for (const name of ['unicode.encoding', 'generic.encoding']) {
    const encoding = section.at(name)
    const text = encoding?.raw()?.toLowerCase()
    if (text === undefined) continue
    if (text === 'auto') encoding!.lose('the encoding is not guessed: name it')
    else if (ENCODINGS[text] === undefined) encoding!.lose('ours has no such encoding')
    else source.set('encoding', ENCODINGS[text], encoding!)
  }
  const key = section.at('key')
  if (key?.raw() !== undefined) key.lose('what is no value of a record is its message, whatever it is called')
  const empty = section.at('skip_empty_lines')
  if (empty?.flag() === true) source.filter.dropMatching.push(made('^\\s*$', empty))
}

function lines(source: SourceDraft, section: Setting, parsers: Parsers): undefined {
  const joined = section.at('multiline.parser')
  for (const each of joined?.values() ?? []) {
    const names = each.raw()
    if (names !== undefined) parsers.join(source, names, each)
  }
  const old = section.at('multiline')
  const first = section.at('parser_firstline')
  const name = first?.raw()
  const joins = old?.flag() === true
  if (joins && name === undefined) old!.lose('it has no parser_firstline')
  if (!joins && name !== undefined) first!.needless('multiline is not on')
  if (joins && name !== undefined) {
    const regex = parsers.expression(name)
    if (regex === undefined) first!.lose('no parser of this name with an expression is in the input')
    else {
      // The beginning of the first line tells it from the others; what follows may be in any line.
      source.set('multiline', { start: [beginning(unslashed(regex))] }, first!)
      parsers.parse(source, name, first!)
    }
  }
  const flush = section.at('multiline_flush')
  flush?.needless('the last record is sent once its file has not grown for a second')
  for (const [key, parser] of section.names().map(key => [key, section.at(key)!] as const)) {
    if (/^parser_\d+$/.test(key)) parsers.parse(source, parser.raw() ?? '', parser)
  }
  const parser = section.at('parser')
  const wanted = parser?.raw()
  if (wanted !== undefined) parsers.parse(source, wanted, parser!)
  const docker = section.at('docker_mode')
  if (docker?.flag() === true) source.parseAs('docker', docker)
  const dockerFirst = section.at('docker_mode_parser')
  dockerFirst?.lose('lines of a container runtime are joined by the runtime’s own marks only')
}

/** An expression of a whole line up to the part that takes the rest of it. */
function beginning(regex: string): string {
  return regex.replace(/(?:\\s\*|\s)*\((?:\?P?<\w+>)?\.\*\)\$?$/, '').replace(/\$$/, '')
}

function split(text: string): string[] {
  return text
    .split(/,(?![^{]*\})/)
    .map(each => each.trim())
    .filter(each => each !== '')
}
