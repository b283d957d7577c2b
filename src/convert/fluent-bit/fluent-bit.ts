/**
 * Fluent Bit, classic and YAML. What comes in by an input, goes through the filters whose pattern its tag matches, and
 * goes out by the outputs whose pattern it matches: each input that tails files is a source, each output a backend.
 */
import type { Conversion, Input, Read } from '../conversion.ts'
import { made } from '../made.ts'
import type { Setting } from '../setting.ts'
import { readYaml } from '../tree.ts'
import { readClassic, type Sections } from './classic.ts'
import { filter } from './filters.ts'
import { input, type TaggedSource } from './inputs.ts'
import { output } from './outputs.ts'
import { Parsers } from './parsers.ts'

const NEEDLESS: Readonly<Record<string, string>> = {
  flush: 'a batch is sent when it is full or batch.interval is over; a line after silence at once',
  daemon: 'it stays in the foreground',
  log_file: 'the log goes to standard error',
  http_server: 'probes and metrics are served on port 9614',
  http_listen: 'probes and metrics are served on all interfaces',
  http_port: 'probes and metrics are served on port 9614: the manifests of the pod name another',
  health_check: '/livez and /readyz are the probes',
  hot_reload: 'a changed configuration is applied while it runs',
  grace: 'drain.gracePeriod is the pod’s terminationGracePeriodSeconds',
  coro_stack_size: 'there are no coroutines',
  'scheduler.base': 'retry.initial of a backend is the bound of the first wait',
  'scheduler.cap': 'retry.max of a backend is the bound of any wait',
  'dns.mode': 'names are resolved by the system',
}

const LEVELS: Readonly<Record<string, string>> = {
  off: 'error',
  error: 'error',
  warn: 'warn',
  warning: 'warn',
  info: 'info',
  debug: 'debug',
  trace: 'debug',
}

export async function fluentBit(given: Input, conversion: Conversion): Promise<Read> {
  const sections: Sections = new Map()
  const read = await readSections(given, conversion, sections)
  if (read.kind === 'unreadable') return read
  service(sections, given, conversion)
  const of = (...names: readonly string[]): readonly Setting[] => names.flatMap(name => sections.get(name) ?? [])
  const parsers = new Parsers(conversion, of('parser'), of('multiline_parser'))
  const tagged = of('input').flatMap((section, index) => input(section, parsers, index) ?? [])
  conversion.draft.sources.push(...tagged.map(({ source }) => source))
  for (const { source, processors } of tagged) {
    for (const each of processors) filter(each, [source], parsers, conversion)
  }
  for (const section of of('filter')) {
    const sources = matched(section, tagged, true)
    if (sources !== undefined) filter(section, sources, parsers, conversion)
  }
  for (const section of of('output')) {
    const sources = matched(section, tagged, false)
    if (sources !== undefined) output(section, sources, conversion)
  }
  parsers.unused()
  for (const each of [...sections.values()].flat()) each.leftovers()
  return { kind: 'read' }
}

async function readSections(given: Input, conversion: Conversion, sections: Sections, depth = 0): Promise<Read> {
  if (!isYaml(given.text)) {
    readClassic(given, conversion, sections)
    return { kind: 'read' }
  }
  const tree = await readYaml(given, conversion, name => name.toLowerCase())
  if (tree.kind === 'unreadable') return tree
  const { root } = tree
  for (const [name, value] of [...(root.at('env')?.pairs() ?? [])]) {
    conversion.references.define(name.toUpperCase(), value.raw() ?? '')
    conversion.references.define(name, value.raw() ?? '')
  }
  for (const each of root.at('includes')?.values() ?? []) {
    const name = each.raw() ?? ''
    const other = depth < 10 ? given.other(name) : undefined
    if (other === undefined) each.lose('the file cannot be read')
    else await readSections(other, conversion, sections, depth + 1)
  }
  const put = (name: string, all: readonly Setting[]): undefined => {
    sections.set(name, [...(sections.get(name) ?? []), ...all])
  }
  const pipeline = root.at('pipeline')
  put('service', root.each('service'))
  put('input', pipeline?.at('inputs')?.items() ?? [])
  put('filter', pipeline?.at('filters')?.items() ?? [])
  put('output', pipeline?.at('outputs')?.items() ?? [])
  put('parser', root.at('parsers')?.items() ?? [])
  put('multiline_parser', root.at('multiline_parsers')?.items() ?? [])
  put('rest', [root])
  return { kind: 'read' }
}

/** The classic format begins with a section or a command, YAML with a key. */
function isYaml(text: string): boolean {
  if (text.trimStart().startsWith('{')) return true
  return !/^\s*(\[\w+\]|@\w+)/m.test(text) && /^[\w-]+:/m.test(text)
}

function service(sections: Sections, given: Input, conversion: Conversion): undefined {
  const { draft } = conversion
  for (const section of sections.get('service') ?? []) {
    for (const [key, why] of Object.entries(NEEDLESS)) section.needlessAll(why, key)
    for (const name of section.names()) {
      if (name.startsWith('hc_')) section.needlessAll('/livez and /readyz are the probes', name)
      if (name.startsWith('storage.')) section.needlessAll('what waits stays in its file', name)
    }
    const level = section.at('log_level')
    const ours = LEVELS[level?.raw()?.toLowerCase() ?? '']
    if (ours !== undefined) draft.rest['log'] = { level: made(ours, level!) }
    section.loseAll('there are no plugins', 'plugins_file')
    section.loseAll('there is no stream processor', 'streams_file')
    for (const each of section.each('parsers_file').flatMap(each => each.values())) {
      const other = given.other(each.raw() ?? '')
      if (other === undefined) {
        each.note(
          'the file is not here: parsers that Fluent Bit comes with are known, others are reported where they are asked for',
        )
      } else if (isYaml(other.text)) each.lose('parsers in a YAML file of their own: put them into the file itself')
      else readClassic(other, conversion, sections)
    }
  }
}

/** The sources whose tag the section's pattern matches; `undefined`: it was reported. */
function matched(section: Setting, tagged: readonly TaggedSource[], mayBeNone: boolean) {
  const glob = section.at('match')?.raw()
  const regex = section.at('match_regex')
  const expression = regex?.raw()
  const found = tagged.filter(({ tag }) => {
    // What stands for the path of a file in a tag.
    const example = tag.replaceAll(/\*|<\w+>/g, 'x')
    if (glob !== undefined) return globOf(glob).test(example)
    return expression !== undefined && tests(expression, example)
  })
  if (found.length > 0) return found.map(({ source }) => source)
  const partly =
    glob !== undefined && tagged.some(({ tag }) => tag.includes('*') && glob.startsWith(tag.split('*')[0]!))
  const why = partly
    ? 'it is for some of the files of an input only: give those an input of their own'
    : 'no input that is carried over has a tag that it matches'
  if (mayBeNone && !partly) section.needless(why)
  else section.lose(why)
  return undefined
}

function globOf(pattern: string): RegExp {
  return new RegExp(
    `^${pattern
      .split('*')
      .map(each => each.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    's',
  )
}

function tests(expression: string, text: string): boolean {
  try {
    return new RegExp(expression).test(text)
  } catch {
    return false
  }
}
