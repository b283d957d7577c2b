/**
 * From a configuration of another shipper to ours.
 *
 *     file ─► settings ─► converter of the peer ─► draft ─► validated ─► text
 *                 └────────── what was lost ◄────────┘
 *
 * Guarantees: what is called converted is valid for our own validator; every setting of the input is either in it, or
 * reported.
 */
import type { Peer } from '../config/foreign.ts'
import { alloy } from './alloy/alloy.ts'
import { checked, type Load } from './checked.ts'
import type { Conversion, Converted, Input, Read } from './conversion.ts'
import { Draft } from './draft.ts'
import { filebeat } from './filebeat/filebeat.ts'
import { fluentBit } from './fluent-bit/fluent-bit.ts'
import { promtail } from './promtail.ts'
import { type Dialect, References } from './references.ts'
import { Remarks } from './remarks.ts'
import { vector } from './vector/vector.ts'

export type { Load } from './checked.ts'

interface Converter {
  readonly dialect: Dialect
  readonly convert: (input: Input, conversion: Conversion) => Promise<Read>
}

const CONVERTERS: Readonly<Record<Peer, Converter>> = {
  alloy: { dialect: { fallback: 'marked' }, convert: alloy },
  filebeat: { dialect: { fallback: ':' }, convert: filebeat },
  vector: { dialect: { fallback: ':-', bare: true }, convert: vector },
  promtail: { dialect: { fallback: ':-' }, convert: promtail },
  'fluent-bit': { dialect: { fallback: 'none' }, convert: fluentBit },
}

export async function convert(peer: Peer, input: Input, load: Load): Promise<Converted> {
  const { dialect, convert } = CONVERTERS[peer]
  const [remarks, references, draft] = [new Remarks(), new References(dialect), new Draft()]
  const read = await convert(input, { remarks, references, draft })
  if (read.kind === 'unreadable') return read
  settle(draft)
  unparsed(draft)
  const result = await checked(draft, references, load)
  // Of a backend that was refused sources may be left without one.
  if (result.kind !== 'bug' && settle(draft)) return finished(await checked(draft, references, load), remarks)
  return finished(result, remarks)
}

function finished(result: Awaited<ReturnType<typeof checked>>, remarks: Remarks): Converted {
  switch (result.kind) {
    case 'valid':
      return { kind: 'converted', text: result.text, remarks: remarks.all }
    case 'nothing':
      return { kind: 'nothing', remarks: remarks.all }
    case 'bug':
      return { kind: 'bug', text: result.text, problems: result.problems, remarks: remarks.all }
  }
}

/** What names values is no loss where records have none. */
function unparsed({ sources }: Draft): undefined {
  const useful = new Set(sources.filter(each => each.parses).flatMap(each => each.choices))
  for (const each of sources.flatMap(source => source.choices)) {
    if (!useful.has(each)) each.needless('records are not parsed: they have no values, but their message')
  }
}

/** Sources that no backend takes are left out, unless there is no backend at all; whether something was. */
function settle({ sources, backends }: Draft): boolean {
  const left = backends.filter(each => !each.made.dropped)
  let changed = false
  for (const source of sources) {
    if (source.made.dropped || left.some(each => each.sources.includes(source))) continue
    if (left.length > 0) {
      source.made.dropped = true
      changed = true
      source.from.lose('no output that is carried over takes its records')
    } else source.from.note('no output was carried over: records go to standard output')
  }
  return changed
}
