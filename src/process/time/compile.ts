/**
 * What is said about times, as a table that the kernel follows: kernel/assembly/process/time-layout.ts.
 *
 * Guarantees: a zone and a format are known before the first byte is read; what is wrong is reported at its key.
 */
import { LAYOUT } from '../../kernel/module.ts'
import { TIME_NAMES } from '../parse/names.ts'
import type { Slots } from '../parse/slots.ts'
import type { ProcessProblem } from '../problem.ts'
import { beginsLiterally, type FormatFault, KNOWN, knownProgram, programOf } from './formats.ts'
import { FORMATS, type TimeOptions, type TimeRule } from './options.ts'
import { zoneRows } from './zone.ts'

export interface TimePlan {
  readonly table: Uint8Array
  /** Where the value stands that holds it, if records have one. */
  readonly slot: number | undefined
}

const L = LAYOUT

interface Reading {
  readonly how: number
  readonly flags: number
  readonly unit: number
  readonly program?: Uint8Array | undefined
}

const UNITS = { epoch_s: 9, epoch_ms: 6, epoch_us: 3, epoch_ns: 0 } as const

/**
 * What is said about times, compiled; undefined: nothing is, or something was reported. `slots`: where records have values.
 */
export function compileTime(
  { time }: TimeOptions,
  slots: Slots | undefined,
  report: (problem: ProcessProblem) => void,
): TimePlan | undefined {
  if (time === undefined || time === 'none') return undefined
  const rule: TimeRule = typeof time === 'string' ? (time === 'auto' ? {} : { field: time }) : time
  const slot = slotOf(rule, slots, problem =>
    report({ path: typeof time === 'string' ? ['time'] : ['time', 'field'], ...problem }),
  )
  const zone = zoneRows(rule.zone ?? 'UTC')
  if ('found' in zone) report({ path: ['time', 'zone'], ...zone })
  const reading = readingOf(rule.format)
  if ('found' in reading) report({ path: ['time', 'format'], ...reading })
  if ('found' in zone || 'found' in reading || slot === 'unknown') return undefined
  const head = rule.field === undefined ? L.TIMES_HEAD : 0
  return { table: written(reading, head, slot === undefined ? [] : [slot], zone.rows), slot }
}

/** The slot of the value that holds the time, if records may have one. */
function slotOf(
  { field }: TimeRule,
  slots: Slots | undefined,
  report: (problem: Omit<ProcessProblem, 'path'>) => void,
): number | undefined | 'unknown' {
  if (field === undefined) return slots?.slotFor(TIME_NAMES, 'scalar')
  const slot = slots?.slotFor(field, 'scalar')
  if (slot !== undefined) return slot
  const found = `the name ${[field].flat().join(', ')}`
  if (slots === undefined) {
    const allowed = 'auto, or a map with format or zone: without parse records have no values'
    report({ found, allowed, hint: 'parse: json finds the values of objects' })
  } else report({ found, allowed: `one of ${slots.names?.join(', ')}` })
  return 'unknown'
}

function readingOf(format: string | undefined): Reading | FormatFault {
  const auto = { how: L.TIMES_AUTO, flags: 0, unit: L.TIMES_ANY_UNIT }
  const known = (index: number, flags: number): Reading => ({
    ...auto,
    how: L.TIMES_BY_PROGRAM,
    flags,
    program: knownProgram(KNOWN[index]!),
  })
  switch (format) {
    case undefined:
    // A syslog writes either of two, and those are told apart.
    case 'syslog':
      return auto
    case 'rfc3339':
      return known(L.AUTO_ISO, L.TIMES_NEAR)
    case 'clf':
      return known(L.AUTO_DAY_FIRST, L.TIMES_BRACKET)
    case 'klog':
      return known(L.AUTO_KLOG, L.TIMES_NEAR | L.TIMES_LETTER)
    case 'epoch_s':
    case 'epoch_ms':
    case 'epoch_us':
    case 'epoch_ns':
      return { how: L.TIMES_EPOCH, flags: L.TIMES_NEAR, unit: UNITS[format] }
    default: {
      const program = programOf(format)
      if ('found' in program) return { ...program, allowed: `${FORMATS.join(', ')}, or ${program.allowed}` }
      const flags = beginsLiterally(format) ? 0 : L.TIMES_NEAR
      return { ...auto, how: L.TIMES_BY_PROGRAM, flags, program }
    }
  }
}

function written(reading: Reading, more: number, slots: readonly number[], zone: Uint32Array): Uint8Array {
  const programs = reading.program ? [reading.program] : KNOWN.map(knownProgram)
  const zoneAt = align(L.TIMES_SLOTS + 2 * slots.length)
  let at = zoneAt + 4 + zone.byteLength
  const table = Buffer.alloc(programs.reduce((sum, program) => align(sum) + program.length, at))
  table.writeUInt16LE(reading.how, L.TIMES_HOW)
  table.writeUInt16LE(slots.length, L.TIMES_COUNT)
  table.writeUInt8(reading.flags | more, L.TIMES_FLAGS)
  table.writeUInt8(reading.unit, L.TIMES_UNIT)
  table.writeUInt32LE(zoneAt, L.TIMES_ZONE)
  for (const [index, slot] of slots.entries()) table.writeUInt16LE(slot, L.TIMES_SLOTS + 2 * index)
  table.writeUInt32LE(zone.length / 2, zoneAt)
  table.set(Buffer.from(zone.buffer), zoneAt + 4)
  for (const [index, program] of programs.entries()) {
    at = align(at)
    table.set(program, at)
    if (reading.program) table.writeUInt32LE(at, L.TIMES_PROGRAM)
    else table.writeUInt32LE(at, L.TIMES_PROGRAMS + 4 * index)
    at += program.length
  }
  return table
}

function align(bytes: number): number {
  return Math.ceil(bytes / 4) * 4
}
