/**
 * What is said about levels, as a table that the kernel follows: kernel/assembly/process/level-layout.ts.
 *
 * Guarantees: what cannot be found or told apart is reported at its key before the first byte is read.
 */
import { LAYOUT } from '../../kernel/module.ts'
import { LEVEL_NAMES, MESSAGE_NAMES } from '../parse/names.ts'
import type { Slots } from '../parse/slots.ts'
import type { ProcessProblem } from '../problem.ts'
import type { LevelOptions, LevelRule, Scale } from './options.ts'
import { LEVELS, PLAIN, WORDS } from './words.ts'

export interface LevelPlan {
  readonly table: Uint8Array
  /** The slot of the level as it was written. */
  readonly slot: number
}

const L = LAYOUT
const NUMBERS: Record<Scale, number> = { pino: L.NUMBERS_PINO, otel: L.NUMBERS_OTEL, syslog: L.NUMBERS_SYSLOG }
/** Of OpenTelemetry: their numbers are its own. */
const SEVERITY_NUMBER_NAMES = ['severityNumber', 'severity_number', 'SeverityNumber']

/** A value that may hold the level, and what its numbers mean. */
interface Place {
  readonly slot: number
  readonly numbers: number
}

/**
 * What is said about levels, compiled; undefined: nothing is, or something was reported. `slots`: where records have values.
 */
export function compileLevel(
  { level }: LevelOptions,
  slots: Slots | undefined,
  report: (problem: ProcessProblem) => void,
): LevelPlan | undefined {
  if (level === undefined || level === 'none') return undefined
  const worded = level === 'auto' || level === 'text'
  const rule: LevelRule = typeof level === 'string' ? (worded ? {} : { field: level }) : level
  const scale = typeof rule.map === 'string' ? NUMBERS[rule.map] : undefined
  const places: Place[] = []
  const place = (names: string | readonly string[], numbers: number): void => {
    const slot = slots?.slotFor(names, 'scalar')
    if (slot !== undefined) places.push({ slot, numbers: scale ?? numbers })
  }
  if (rule.field !== undefined) place(rule.field, L.NUMBERS_PINO)
  else if (level !== 'text') {
    place(LEVEL_NAMES, L.NUMBERS_PINO)
    place(SEVERITY_NUMBER_NAMES, L.NUMBERS_OTEL)
  }
  if (rule.field !== undefined && places.length === 0) {
    report({ path: typeof level === 'string' ? ['level'] : ['level', 'field'], ...unknown(rule.field, slots) })
    return undefined
  }
  const words = wordsOf(rule, report)
  if (words === undefined) return undefined
  const slot = places[0]?.slot ?? slots?.own() ?? 0
  const message = slots?.slotFor(MESSAGE_NAMES, 'text')
  const inText = rule.field === undefined ? L.LEVELS_IN_TEXT : 0
  const asked = level === 'text' ? L.LEVELS_ASKED_FOR : 0
  const flags = inText | asked | (scale === L.NUMBERS_SYSLOG ? L.LEVELS_PRIORITY : 0)
  return { table: written(flags, places, slot, message ?? L.ABSENT, words), slot }
}

function unknown(field: string | readonly string[], slots: Slots | undefined): Omit<ProcessProblem, 'path'> {
  const found = `the name ${[field].flat().join(', ')}`
  if (slots !== undefined) return { found, allowed: `one of ${slots.names?.join(', ')}` }
  const allowed = 'auto, text, or a map with map: without parse records have no values'
  return { found, allowed, hint: 'parse: json finds the values of objects' }
}

/** The words that are known, and those of the configuration before them. */
function wordsOf({ map }: LevelRule, report: (problem: ProcessProblem) => void): Map<string, number> | undefined {
  const words = new Map(Object.entries(WORDS))
  if (typeof map !== 'object') return words
  const own = new Map<string, string>()
  for (const [word, level] of Object.entries(map)) {
    const path = ['level', 'map', word]
    const key = word.trim().replace(/[A-Z]/g, letter => letter.toLowerCase())
    const bytes = Buffer.byteLength(key)
    const other = own.get(key)
    if (bytes === 0 || bytes > L.LEVELS_WORD) {
      report({ path, found: `a word of ${bytes} bytes`, allowed: `1 to ${L.LEVELS_WORD}` })
      return undefined
    }
    if (other !== undefined) {
      report({ path, found: `${word} beside ${other}`, allowed: 'one of them: capitals make no difference' })
      return undefined
    }
    own.set(key, word)
    words.set(key, LEVELS[level])
  }
  return words
}

function written(
  flags: number,
  places: readonly Place[],
  slot: number,
  message: number,
  words: ReadonlyMap<string, number>,
): Uint8Array {
  // Half of the places are free, so that a search is short.
  const size = 2 ** Math.ceil(Math.log2(2 * words.size))
  const table = Buffer.alloc(L.LEVELS_TABLE + size * L.LEVELS_PLACE)
  table.writeUInt8(flags, L.LEVELS_FLAGS)
  table.writeUInt8(places.length, L.LEVELS_COUNT)
  table.writeUInt16LE(slot, L.LEVELS_TEXT)
  table.writeUInt16LE(message, L.LEVELS_MESSAGE)
  table.writeUInt16LE(size - 1, L.LEVELS_MASK)
  table.writeUInt32LE(L.LEVELS_TABLE, L.LEVELS_WORDS)
  for (const [index, place] of places.entries()) {
    table.writeUInt16LE(place.slot, L.LEVELS_SLOTS + 2 * index)
    table.writeUInt8(place.numbers, L.LEVELS_NUMBERS + index)
  }
  mark(table, [...words.keys()])
  for (const [word, level] of words) {
    const bytes = Buffer.alloc(L.LEVELS_WORD)
    bytes.write(word)
    let place = hash(bytes) & (size - 1)
    const at = () => L.LEVELS_TABLE + place * L.LEVELS_PLACE
    while (table[at() + L.LEVELS_WORD] !== 0) place = (place + 1) & (size - 1)
    table.set(bytes, at())
    table[at() + L.LEVELS_WORD] = level
    table[at() + L.LEVELS_PLAIN] = Number(PLAIN.includes(word))
  }
  return table
}

/** Marks what the words of three letters and more begin with. Each first letter has one of eight bits. */
function mark(table: Buffer, words: readonly string[]): void {
  const found = words.filter(word => /^[a-z]{3}/.test(word))
  const heads = [...new Set(found.map(word => word[0]!))].sort()
  const put = (at: number, bit: number): void => void (table[at] = table[at]! | bit)
  for (const word of found) {
    const bit = 1 << Math.floor((heads.indexOf(word[0]!) * 8) / heads.length)
    for (let letter = 0; letter < 2; letter++) {
      const byte = word.charCodeAt(letter)
      const low = L.LEVELS_MARKS + 32 * letter
      put(low + (byte & 15), bit)
      // Small and capital.
      for (const each of [byte, byte - 32]) put(low + 16 + (each >> 4), bit)
    }
  }
}

const U64 = (1n << 64n) - 1n

/** kernel/assembly/process/level.ts has the same. */
function hash(bytes: Buffer): number {
  const high = (bytes.readBigUInt64LE(8) * 0x9e3779b97f4a7c15n) & U64
  return Number((((bytes.readBigUInt64LE(0) ^ high) * 0xbf58476d1ce4e5b9n) & U64) >> 40n)
}
