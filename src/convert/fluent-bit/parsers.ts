/**
 * Parsers by name: those that the input defines, and those that Fluent Bit comes with. What is made of one is said at the
 * setting that asks for it.
 */
import type { Conversion } from '../conversion.ts'
import type { Setting } from '../setting.ts'
import type { SourceDraft } from '../source.ts'
import { fromStrptime } from '../times.ts'

/** Those of Fluent Bit's own file that are formats of ours. */
const OWN: Readonly<Record<string, string>> = {
  json: 'json',
  docker: 'docker',
  cri: 'cri',
  logfmt: 'logfmt',
  nginx: 'nginx',
  'k8s-nginx-ingress': 'nginx',
  apache: 'apache',
  apache2: 'apache',
  apache_error: 'apache',
  'syslog-rfc5424': 'syslog',
  'syslog-rfc3164': 'syslog',
  'syslog-rfc3164-local': 'syslog',
}

const LANGUAGES: readonly string[] = ['java', 'python', 'go', 'ruby']
const SIMPLE = 'joining lines of a container runtime needs no rule: parse: cri and docker do it'

export class Parsers {
  readonly #conversion: Conversion
  readonly #parsers: ReadonlyMap<string, Setting>
  readonly #multiline: ReadonlyMap<string, Setting>

  constructor(conversion: Conversion, parsers: readonly Setting[], multiline: readonly Setting[]) {
    this.#conversion = conversion
    this.#parsers = byName(parsers)
    this.#multiline = byName(multiline)
  }

  /** Parsers that nothing asked for. */
  unused(): undefined {
    for (const each of [...this.#parsers.values(), ...this.#multiline.values()]) {
      if (each.at('name') !== undefined && !this.#asked.has(each))
        each.needless('no input or filter that is carried over asks for it')
    }
  }

  readonly #asked = new Set<Setting>()

  /** Records of the source are parsed so. */
  parse(source: SourceDraft, name: string, from: Setting): undefined {
    const parser = this.#parsers.get(name)
    if (parser === undefined) {
      const own = OWN[name]
      if (own === undefined) from.lose('no parser of this name is in the input')
      else source.parseAs(own, from)
      return
    }
    this.#asked.add(parser)
    const format = parser.at('format')?.raw()?.toLowerCase()
    switch (format) {
      case 'json':
        source.parseAs(OWN[name] === 'docker' || name.startsWith('docker') ? 'docker' : 'json', parser.at('format')!)
        break
      case 'logfmt':
        source.parseAs('logfmt', parser.at('format')!)
        break
      case 'regex':
        this.#regex(source, parser)
        break
      default:
        parser.lose(format === undefined ? 'it has no format' : 'ours has no such format')
        return
    }
    this.#time(source, parser)
    parser.needlessAll('text that stands in JSON stays as it was written', 'decode_field', 'decode_field_as')
    parser.needlessAll('time has a place of its own in a record', 'time_keep')
    parser.needlessAll('empty values are sent as they are', 'skip_empty_values')
    parser.needlessAll('a time without a zone is UTC, or what time.zone says', 'time_system_timezone')
    parser.needlessAll('a time that cannot be read is replaced by that of reading, and counted', 'time_strict')
  }

  #regex(source: SourceDraft, parser: Setting): undefined {
    const setting = parser.at('regex')
    const regex = setting?.raw()
    if (setting === undefined || regex === undefined) return parser.lose('it has no expression')
    // The lines of container runtimes are a format of ours, which joins their parts.
    if (/stdout\|stderr/.test(regex) && /logtag|_p>/.test(regex)) {
      source.parseAs('cri', setting)
      parser.needlessAll('the format cri knows it', 'types')
      return
    }
    const types: Record<string, 'number'> = {}
    const typed = parser.at('types')
    for (const each of typed?.raw()?.trim().split(/\s+/) ?? []) {
      const [field = '', type] = each.split(':')
      if (type === 'integer' || type === 'float') types[field] = 'number'
      else if (type !== 'string') typed!.lose(`a value of type ${type} is sent as it was written`)
    }
    source.parseMatch(unslashed(regex), setting, types)
  }

  #time(source: SourceDraft, parser: Setting): undefined {
    const [key, format, offset] = [parser.at('time_key'), parser.at('time_format'), parser.at('time_offset')]
    const field = key?.raw()
    const written = format?.raw()
    const zone = offset?.raw()
    if (field === undefined && written === undefined) return
    // In these formats it is known where the time stands.
    const known = parser.at('name')?.raw() ?? ''
    if (OWN[known] === 'cri' || OWN[known] === 'docker' || known.startsWith('docker')) return
    const form = written === undefined ? undefined : fromStrptime(written)
    const time = {
      ...(field === undefined ? {} : { field }),
      ...(form === undefined ? {} : { format: form }),
      ...(zone === undefined ? {} : { zone: zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2') }),
    }
    source.set('time', form === undefined && zone === undefined ? field : time, format ?? key!)
  }

  /** Lines of the source are joined so. */
  join(source: SourceDraft, names: string, from: Setting): undefined {
    const presets: string[] = []
    for (const name of names.split(',').map(each => each.trim())) {
      const custom = this.#multiline.get(name)
      if (custom !== undefined) this.#custom(source, custom)
      else if (name === 'docker' || name === 'cri') source.parseAs(name, from)
      else if (LANGUAGES.includes(name)) presets.push(name)
      else from.lose('no multiline parser of this name is in the input')
    }
    if (presets.length > 0) source.set('multiline', presets.length === 1 ? presets[0] : presets, from)
  }

  #custom(source: SourceDraft, parser: Setting): undefined {
    this.#asked.add(parser)
    parser.at('type')?.raw()
    parser.needlessAll(SIMPLE, 'key_content', 'key_group', 'key_pattern')
    const flush = parser.at('flush_timeout')?.raw()
    const rules = [...parser.each('rule'), ...(parser.at('rules')?.items() ?? [])]
    const starts: string[] = []
    const goes: string[] = []
    for (const rule of rules) {
      const [state, regex] = ruleOf(rule)
      if (state === undefined || regex === undefined) rule.lose('it is no state with an expression')
      else if (state === 'start_state') starts.push(unslashed(regex))
      else goes.push(unslashed(regex))
    }
    if (starts.length === 0) return parser.lose('it has no rule for start_state')
    // What goes on with anything but a beginning is what ours says by the beginning alone.
    const negative = goes.every(each => each.includes('(?!') || /^\^?(\.\*|\.\+)?\$?$/.test(each))
    const timing = flush === undefined || !(Number(flush) >= 10) ? {} : { flush: `${Number(flush)}ms` }
    source.set('multiline', { ...(negative ? { start: starts } : { continue: goes }), ...timing }, rules[0]!)
    if (!negative) {
      rules[0]!.note('any line that the rules of going on match is joined to the one before it, whatever that is')
    }
  }

  /** An expression by the name of its parser, for lines that begin a record. */
  expression(name: string): string | undefined {
    const parser = this.#parsers.get(name)
    if (parser === undefined) return undefined
    this.#asked.add(parser)
    return parser.at('regex')?.raw()
  }

  get conversion(): Conversion {
    return this.#conversion
  }
}

function byName(all: readonly Setting[]): Map<string, Setting> {
  return new Map(all.map(each => [each.at('name')?.raw() ?? '', each]))
}

/** `"start_state" "/expression/" "next"`, or a map of these. */
function ruleOf(rule: Setting): [state?: string, regex?: string] {
  if (rule.content.kind === 'map') {
    rule.at('next_state')?.use()
    return [rule.at('state')?.raw(), rule.at('regex')?.raw()] as [string, string]
  }
  const parts = [...(rule.raw() ?? '').matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, part]) => part!.replaceAll('\\"', '"'))
  return [parts[0], parts[1]] as [string, string]
}

/** Expressions may stand between slashes. */
export function unslashed(regex: string): string {
  const text = regex.trim()
  const [, inner, flags] = /^\/(.*)\/([a-z]*)$/s.exec(text) ?? []
  if (inner === undefined) return text
  const plain = inner.replaceAll('\\/', '/')
  return flags?.includes('i') ? `(?i)${plain}` : plain
}
