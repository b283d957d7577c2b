/**
 * What becomes of records, in words for a person and as JSON for a program: what `test` and `explain` show above requests.
 *
 *     record 2: lines 2–4
 *       parsed    json
 *       time      2026-11-27T09:30:00.123Z, the value of ts
 *       sent as   2026-11-27T10:30:00.456Z, when it was read: for loki a time may be at the most 2025s old
 *       level     error, the value of severity: ERR
 *       redacted  - {"password":"<password>"}
 *                 + {"password":"[password]**"}
 *       dropped   filter:below
 *
 * Guarantees: both lines of a redaction are made of the record as it is behind it, so that no byte of a secret is in
 * either; nothing that a terminal would obey is written to one.
 */
import { formatDuration } from '../duration.ts'
import type { Finding, Found, LevelFault, Masked, Place, TimeFault } from '../process/preview/preview.ts'
import { printable } from './table.ts'

/** What a backend makes of a record, where that is known. */
export interface Fate {
  /** The reason it is dropped for; undefined: it is not. */
  readonly dropped: string | undefined
  /** For how many equal ones it stands. */
  readonly repeated: number
  /** It is sent with another time than its own. */
  readonly retimed?: Retimed | undefined
}

/** The time of the reading in the place of a record's own, which the backend does not take: nanoseconds. */
export interface Retimed {
  readonly backend: string
  readonly readAt: bigint
  /** Its own is below the oldest that is used, or above the newest: milliseconds between that and the reading. */
  readonly fault: 'old' | 'ahead'
  readonly most: number
}

const SENT: Fate = { dropped: undefined, repeated: 1 }

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
const LEVEL_FAULTS: Record<LevelFault, string> = { missing: 'not said', unknown: 'not known' }
const TIME_FAULTS: Record<TimeFault, string> = {
  missing: 'not said',
  unreadable: 'cannot be read',
  old: 'before 1990',
  ahead: 'more than a day ahead',
}
/** Decisions that depend on more than the record. */
const REMARKS: Readonly<Record<string, string>> = {
  sample: 'an example: without `by` it is decided by the file and the place in it',
  limit: 'as if all of these came at once',
}
/** Characters of a text that are shown between two masks, and of a mask. */
const MOST_PLAIN = 96
const MOST_MASK = 48

/** What is wrong with a record under `--strict`; none: nothing is. */
export function faultsOf({ parsed, time, level }: Finding): string[] {
  // Where the configuration names no value, a record may well have none.
  const bad = (found: Found<unknown, string>): boolean =>
    found.kind === 'fault' && (found.fault !== 'missing' || found.place.kind === 'value')
  return [
    ...(parsed.kind === 'unparsed' ? ['did not parse'] : []),
    ...(bad(time) ? ['has no time that can be read'] : []),
    ...(bad(level) ? ['has no level that is known'] : []),
  ]
}

/** As a person reads it. */
export function inWords(finding: Finding, number: number, fate: Fate = SENT): string {
  const { record, parsed, time, level } = finding
  const { firstLine, lastLine, cutFrom, partial, continued, open } = record
  const remarks = [
    ...(cutFrom > 0 ? [`cut: ${cutFrom} bytes in the file`] : []),
    ...(continued ? ['goes on with the record before it'] : []),
    ...(partial ? ['without a line end: it stays in the file until it has one'] : open ? ['the last one so far'] : []),
    ...(fate.repeated > 1 ? [`stands for ${fate.repeated} records`] : []),
  ]
  const lines = firstLine === lastLine ? `line ${firstLine}` : `lines ${firstLine}–${lastLine}`
  const rows = [
    `record ${number}: ${[lines, ...remarks].join('; ')}`,
    row('parsed', parsedInWords(parsed)),
    row('time', timeInWords(time)),
    row('sent as', fate.retimed && retimedInWords(fate.retimed)),
    row('level', levelInWords(level)),
    ...redactedInWords(finding),
  ]
  if (fate.dropped !== undefined) {
    const remark = REMARKS[fate.dropped]
    rows.push(row('dropped', remark === undefined ? fate.dropped : `${fate.dropped} (${remark})`))
  }
  return rows.filter(each => each !== undefined).join('\n')
}

function row(head: string, words: string | undefined): string | undefined {
  return words === undefined ? undefined : `  ${head.padEnd(9)} ${words}`
}

function parsedInWords(parsed: Finding['parsed']): string {
  switch (parsed.kind) {
    case 'parsed':
      return parsed.by
    case 'unparsed':
      return `no: it is not ${parsed.tried.join(', nor ')}; it is sent as its message`
    case 'unasked':
      return 'no: it is sent as its message'
  }
}

function timeInWords(time: Finding['time']): string {
  switch (time.kind) {
    case 'found':
      return `${instant(time.value)}, ${placeInWords(time.place, 'the head of the record')}`
    case 'fault':
      return `when it was read: ${faultInWords(TIME_FAULTS[time.fault], time, 'the head of the record')}`
    case 'unasked':
      return 'when it was read'
  }
}

function retimedInWords({ backend, readAt, fault, most }: Retimed): string {
  const bound = `${formatDuration(most)} ${fault === 'old' ? 'old' : 'ahead'}`
  return `${instant(readAt)}, when it was read: for ${printable(backend)} a time may be at the most ${bound}`
}

function levelInWords(level: Finding['level']): string | undefined {
  switch (level.kind) {
    case 'found':
      return `${levelName(level.value)}, ${placeInWords(level.place, 'a word in the text')}`
    case 'fault':
      return `none: ${faultInWords(LEVEL_FAULTS[level.fault], level, 'the text')}`
    case 'unasked':
      return undefined
  }
}

function placeInWords(place: Place, text: string): string {
  return place.kind === 'value' ? `the value of ${printable(place.name)}` : text
}

function faultInWords(fault: string, found: Extract<Found<unknown, string>, { kind: 'fault' }>, text: string): string {
  const { place, written } = found
  if (place.kind === 'value' && written === undefined) return `there is no value of ${printable(place.name)}`
  if (place.kind === 'text')
    return found.fault === 'missing' ? fault : `${text} is ${fault}`.replace('is cannot', 'cannot')
  const value = `the value of ${printable(place.name)}, ${shortened(printable(JSON.stringify(written ?? '')), MOST_MASK)},`
  return fault.startsWith('cannot') ? `${value} ${fault}` : `${value} is ${fault}`
}

/** The lines of a record in which something was masked, without it and with the mask. */
function redactedInWords({ text, redacted }: Finding): string[] {
  const rows: string[] = []
  const masks = merged(redacted)
  let from = 0
  while (from <= text.length) {
    const feed = text.indexOf(10, from)
    const to = feed < 0 ? text.length : feed
    const own = masks.filter(mask => mask.from < to && mask.to > from)
    if (own.length > 0) {
      const [minus, plus] = pairOf(text, own, from, to)
      rows.push(`  ${(rows.length === 0 ? 'redacted' : '').padEnd(9)} - ${minus}`, `${' '.repeat(12)}+ ${plus}`)
    }
    from = to + 1
  }
  return rows
}

function pairOf(text: Buffer, masks: readonly Masked[], from: number, to: number): [minus: string, plus: string] {
  let [minus, plus] = ['', '']
  let at = from
  for (const mask of masks) {
    const [first, behind] = [Math.max(mask.from, from), Math.min(mask.to, to)]
    const plain = shown(text, at, first, MOST_PLAIN)
    minus += `${plain}<${mask.rule}${mask.gaveUp ? '?' : ''}>`
    plus += plain + shown(text, first, behind, MOST_MASK)
    at = behind
  }
  const rest = shown(text, at, to, MOST_PLAIN)
  return [minus + rest, plus + rest]
}

function shown(text: Buffer, from: number, to: number, most: number): string {
  return shortened(printable(text.toString('utf8', from, to)), most)
}

function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most / 2)}…${text.slice(-most / 2)}`
}

/** In the order of the text; of two that overlap, one. */
function merged(masks: readonly Masked[]): Masked[] {
  const all: Masked[] = []
  for (const mask of [...masks].sort((a, b) => a.from - b.from || b.to - a.to)) {
    const last = all.at(-1)
    if (last === undefined || mask.from >= last.to) all.push(mask)
    else if (mask.to > last.to) all[all.length - 1] = { ...last, to: mask.to, gaveUp: last.gaveUp || mask.gaveUp }
  }
  return all
}

function levelName(severity: number): string {
  return LEVELS[Math.floor((severity - 1) / 4)]!
}

/** To the millisecond: digits below that may come from the place of the record. */
function instant(nanos: bigint): string {
  return new Date(Number(nanos / 1_000_000n)).toISOString()
}

/** As a program reads it: one object for each record. */
export function asJson(finding: Finding, number: number, fate: Fate = SENT): object {
  const { record, parsed, time, level, text, redacted } = finding
  const { firstLine, lastLine, from, to, cutFrom, partial, continued, open } = record
  return {
    record: number,
    lines: [firstLine, lastLine],
    range: [from, to],
    text: text.toString('utf8'),
    ...(cutFrom > 0 && { cutFrom }),
    ...(partial && { partial }),
    ...(continued && { continued }),
    ...(open && { open }),
    parsed: parsed.kind === 'parsed' ? parsed.by : null,
    ...(parsed.kind === 'unparsed' && { tried: parsed.tried }),
    time: foundAsJson(time, instant),
    ...(fate.retimed && { sentTime: { value: instant(fate.retimed.readAt), fault: fate.retimed.fault } }),
    level: foundAsJson(level, levelName),
    redacted: merged(redacted).map(({ rule, from: begin, to: end, gaveUp }) => ({
      rule,
      bytes: end - begin,
      masked: text.toString('utf8', begin, end),
      ...(gaveUp && { gaveUp }),
    })),
    dropped: fate.dropped ?? null,
    ...(fate.repeated > 1 && { repeated: fate.repeated }),
    faults: faultsOf(finding),
  }
}

function foundAsJson<Value>(found: Found<Value, string>, inText: (value: Value) => string): object | null {
  const placed = (place: Place) => (place.kind === 'value' ? { field: place.name } : { field: null })
  switch (found.kind) {
    case 'found':
      return { value: inText(found.value), ...placed(found.place) }
    case 'fault':
      return { value: null, ...placed(found.place), fault: found.fault }
    case 'unasked':
      return null
  }
}
