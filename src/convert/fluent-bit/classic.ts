/**
 * The classic format of Fluent Bit: sections of lines of a key and a value. `@SET` and `@INCLUDE` are done here, so that
 * what comes out has the shape of the YAML format: a map of the kinds of sections, each of which may be there often.
 *
 * Guarantees: each line ends up in a setting or is reported; files that include each other end.
 */
import type { Conversion, Input } from '../conversion.ts'
import { Setting } from '../setting.ts'

export type Sections = Map<string, Setting[]>

interface Line {
  readonly line: number
  readonly key: string
  readonly value: string
}

/** Files that are included in each other. */
const MOST_FILES = 100

export function readClassic(input: Input, conversion: Conversion, sections: Sections, depth = 0): undefined {
  const { remarks, references } = conversion
  let open: { name: string; line: number; lines: Line[] } | undefined
  const close = (): undefined => {
    if (open === undefined) return
    const { name, line, lines } = open
    const plugin = lines.find(each => each.key.toLowerCase() === 'name')?.value
    const key = `[${name.toUpperCase()}]${plugin === undefined ? '' : ` ${plugin}`}`
    const place = { file: input.file, line, key }
    const entries = new Map<string, Setting[]>()
    for (const each of lines) {
      const at = { file: input.file, line: each.line, key: `${key}: ${each.key}` }
      add(entries, each.key.toLowerCase(), new Setting(at, { kind: 'value', value: each.value }, conversion))
    }
    add(sections, name, new Setting(place, { kind: 'map', entries }, conversion))
    open = undefined
  }
  for (const [index, written] of input.text.split(/\r?\n/).entries()) {
    const line = index + 1 + input.linesBefore
    const text = written.trim()
    const place = { file: input.file, line, key: text.split(/\s/)[0] ?? '' }
    if (text === '' || text.startsWith('#')) continue
    const header = /^\[(\S+)\]$/.exec(text)
    if (header) {
      close()
      open = { name: header[1]!.toLowerCase(), line, lines: [] }
      continue
    }
    const [, command, rest = ''] = /^@(\w+)\s*(.*)$/.exec(text) ?? []
    switch (command?.toUpperCase()) {
      case 'SET': {
        const [, name, value = ''] = /^(\w+)\s*=(.*)$/.exec(rest) ?? []
        if (name === undefined) remarks.say('lost', place, 'it is not NAME=VALUE')
        else references.define(name, value.trim())
        continue
      }
      case 'INCLUDE': {
        close()
        const other = depth < MOST_FILES ? input.other(rest) : undefined
        if (other === undefined) remarks.say('lost', { ...place, key: `@INCLUDE ${rest}` }, 'the file cannot be read')
        else readClassic(other, conversion, sections, depth + 1)
        continue
      }
    }
    const [, key, value = ''] = /^(\S+)(?:\s+(.*))?$/.exec(text)!
    if (open === undefined) {
      remarks.say('lost', place, 'it stands in no section')
      continue
    }
    open.lines.push({ line, key: key!, value })
  }
  close()
}

function add(map: Map<string, Setting[]>, name: string, setting: Setting): undefined {
  map.set(name, [...(map.get(name) ?? []), setting])
}
