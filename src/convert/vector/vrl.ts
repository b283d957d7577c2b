/**
 * Programs of VRL: the few statements that most of them consist of, each as what a source says of its records. Every
 * other statement is reported with its number and its line.
 */
import type { Setting } from '../setting.ts'
import { Setting as Part } from '../setting.ts'
import type { SourceDraft } from '../source.ts'
import { fromStrptime } from '../times.ts'
import { apply, dropping, unescaped } from './conditions.ts'

interface Statement {
  readonly text: string
  /** Lines of the program before it. */
  readonly before: number
}

const RUNTIME = 'lines of a container runtime are one format, and what stands in them is not parsed once more'
const MESSAGES = ['message', 'msg', 'log', 'event']
const ITS_OWN = /^(source_type|host|file|offset|timestamp|source)$/
const PARSERS: Readonly<Record<string, string>> = {
  parse_json: 'json',
  parse_logfmt: 'logfmt',
  parse_key_value: 'logfmt',
  parse_syslog: 'syslog',
  parse_nginx_log: 'nginx',
  parse_apache_log: 'apache',
  parse_common_log: 'apache',
  parse_klog: 'klog',
}

const FIELD = String.raw`\.([A-Za-z_@][\w.@]*)`
const MESSAGE = String.raw`(?:string!?\(\s*|to_string!?\(\s*)?\.(?:message|msg|log)\s*\)?`
const PARSED = new RegExp(
  String.raw`^(?:\.|\.[\w.]+|\.\s*,\s*err|\.\s*,\s*_)?\s*\|?=\s*(?:merge!?\(\s*\.\s*,\s*|object!?\(\s*)*(parse_\w+?)!?\(\s*${MESSAGE}\s*(?:,\s*([\s\S]*?))?\s*\)+(?:\s*\?\?\s*(?:\{\s*\}|\.))?$`,
)
const DELETED = new RegExp(String.raw`^(?:_\s*=\s*)?del\(\s*${FIELD}\s*\)$`)
const RENAMED = new RegExp(String.raw`^${FIELD}\s*=\s*del\(\s*${FIELD}\s*\)$`)
const TIMED = new RegExp(
  String.raw`^${FIELD}\s*=\s*(parse_timestamp|to_timestamp|from_unix_timestamp)!?\(\s*(?:string!?\(\s*|int!?\(\s*)?${FIELD}\s*\)?\s*(?:,\s*(?:format:\s*|unit:\s*)?"([^"]*)"\s*)?\)(?:\s*\?\?\s*(?:now\(\)|\.timestamp))?$`,
)
const SET = new RegExp(
  String.raw`^${FIELD}\s*=\s*(?:"((?:[^"\\]|\\.)*)"|(-?[\d.]+|true|false)|get_env_var!?\(\s*"([A-Za-z_]\w*)"\s*\))(?:\s*\?\?\s*"[^"]*")?$`,
)
const CASED = new RegExp(String.raw`^${FIELD}\s*=\s*(?:downcase|upcase)!?\(\s*(?:string!?\(\s*)?${FIELD}\s*\)?\s*\)$`)
const TYPED = new RegExp(String.raw`^${FIELD}\s*=\s*to_(int|float|bool|string)!?\(\s*${FIELD}\s*\)(?:\s*\?\?\s*\S+)?$`)
const ABORT = /^if\s+([\s\S]+?)\s*\{\s*abort\s*\}$/

/** `source` is the setting that holds the program. */
export function program(text: string, holder: Setting, source: SourceDraft): undefined {
  const block = text.split('\n').length > 1
  for (const [index, statement] of statements(text).entries()) {
    const { file, line, key } = holder.place
    const at = line === undefined ? undefined : line + statement.before + (block && holder.multiline ? 1 : 0)
    const place = { file, line: at, key: `${key}: statement ${index + 1}` }
    perform(statement.text, new Part(place, { kind: 'value', value: statement.text }, holder.context), source)
  }
}

function perform(text: string, from: Setting, source: SourceDraft): undefined {
  if (text === '.') return
  const [, parser, options] = PARSED.exec(text) ?? []
  if (parser !== undefined) return parsed(parser, options, from, source)
  const deleted = DELETED.exec(text)?.[1]
  if (deleted !== undefined) {
    if (ITS_OWN.test(deleted)) return from.needless('it is not among the values of a record')
    if (MESSAGES.includes(deleted)) return from.needless('the message of a record has a place of its own')
    return source.dropField(deleted, from)
  }
  const [, after, before] = RENAMED.exec(text) ?? []
  if (after !== undefined && before !== undefined) {
    if (MESSAGES.includes(after) && MESSAGES.includes(before))
      return from.needless('the message of a record is the first of message, msg, event, log')
    if (MESSAGES.includes(after) || MESSAGES.includes(before))
      return from.lose('the message of a record is the first of message, msg, event, log')
    if (before === 'timestamp')
      return from.lose('the time has a place of its own: record.time of type http names its field')
    return source.rename(before, after, from)
  }
  const [, , by, field, format] = TIMED.exec(text) ?? []
  if (field !== undefined) return timed(by!, field, format, from, source)
  const [, name, written, plain, variable] = SET.exec(text) ?? []
  if (name !== undefined) {
    if (/\{\{/.test(written ?? '')) return from.lose('values are not put together')
    const value = variable === undefined ? (plain ?? unescaped(written!)) : from.context.references.variable(variable)
    return source.label(name, from.context.references.written(value, from), from)
  }
  const [, typed, type, of] = TYPED.exec(text) ?? []
  if (typed !== undefined && typed === of) {
    if (type === 'int' || type === 'float') return source.number(typed, from)
    return from.needless('values are sent as they were written')
  }
  if (CASED.test(text)) return from.needless('a level is known in any case, and values are sent as they were written')
  const condition = ABORT.exec(text)?.[1]
  if (condition !== undefined) {
    const drops = dropping(condition)
    return typeof drops === 'string' ? from.lose(drops) : apply(drops, source, from)
  }
  from.lose('programs are not run; parsing, del, assignments of texts and abort are known')
}

function parsed(parser: string, options: string | undefined, from: Setting, source: SourceDraft): undefined {
  if (source.runtime) return from.lose(RUNTIME)
  const format = PARSERS[parser]
  if (format !== undefined) return source.parseAs(format, from)
  const expression =
    /^(?:pattern:\s*)?r'([\s\S]*)'/.exec(options ?? '')?.[1] ?? /^(?:pattern:\s*)?"([\s\S]*)"/.exec(options ?? '')?.[1]
  if ((parser === 'parse_regex' || parser === 'parse_grok') && expression !== undefined) {
    return source.parseMatch(parser === 'parse_grok' ? unescaped(expression) : expression, from)
  }
  from.lose('ours has no such format')
}

const UNITS: Readonly<Record<string, string>> = {
  seconds: 'epoch_s',
  milliseconds: 'epoch_ms',
  microseconds: 'epoch_us',
  nanoseconds: 'epoch_ns',
}

function timed(by: string, field: string, format: string | undefined, from: Setting, source: SourceDraft): undefined {
  if (by === 'from_unix_timestamp')
    return source.set('time', { field, format: UNITS[format ?? 'seconds'] ?? format }, from)
  if (format === undefined) return source.set('time', field, from)
  return source.set('time', { field, format: fromStrptime(format) }, from)
}

/** One for each line, or more lines where brackets are open; comments are taken off. */
function statements(text: string): Statement[] {
  const all: Statement[] = []
  let open: { lines: string[]; before: number; depth: number } | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const plain = line.replace(/^((?:[^"'#]|"(?:[^"\\]|\\.)*"|'[^']*')*)#.*$/, '$1').trim()
    if (plain === '') continue
    open ??= { lines: [], before: index, depth: 0 }
    open.lines.push(plain)
    const bare = plain.replaceAll(/r'[^']*'|"(?:[^"\\]|\\.)*"/g, '')
    open.depth += (bare.match(/[({[]/g)?.length ?? 0) - (bare.match(/[)}\]]/g)?.length ?? 0)
    // What the next line may go on with.
    const goesOn = /(?:\?\?|\|\||&&|[=,])$/.test(bare)
    if (open.depth > 0 || goesOn) continue
    const before = open.before
    for (const each of open.lines.join(' ').split(/;\s*(?=\S|$)/))
      if (each.trim() !== '') all.push({ text: each.trim(), before })
    open = undefined
  }
  if (open !== undefined) all.push({ text: open.lines.join(' '), before: open.before })
  return all
}
