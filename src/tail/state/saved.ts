/**
 * What a checkpoint may say, entry by entry. Others may have written to the directory before it was ours alone, and a
 * backup may have been put there by hand: a value that this program never writes is refused, and its entry with it,
 * however right the checksum of the file is.
 *
 * Guarantees: what is accepted names no place but one below a root of its source, holds numbers that can be counted
 * with and nothing that this program does not write, and is bounded; nothing throws.
 */
import { MOST_REASONS, type Settled, type Tally } from '../../ledger.ts'
import { HEAD_BYTES, type Head, type Inode, MARKER_BYTES, type Marker } from '../files/fingerprint.ts'
import type { SavedStretch } from '../files/growth.ts'

export interface SavedCursor {
  readonly offset: number
  readonly marker: Marker
  /** Nothing behind this offset will be read, and it has been accounted for: the file is gone or was replaced. */
  readonly end?: number
}

/** One generation, as saved. */
export interface SavedGeneration {
  readonly source: string
  /** The path it was first seen under, and the one it was last seen under. */
  readonly origin: string
  readonly path: string
  readonly inode: Inode
  /** The generation's id, and what it was before its first line was known: its pin is named so. */
  readonly id: string
  readonly key: string
  readonly head: Head
  /** The largest size that was seen. */
  readonly size: number
  /** When it began, in nanoseconds since the epoch: see `Generation`. Absent: when its inode was born. */
  readonly begun?: string
  /** The end that was seen last, if it lies beyond what was read. */
  readonly seen?: SavedCursor
  /** Ends that it had before that: see `Generation`. */
  readonly ends?: readonly SavedCursor[]
  /** When what is not settled was written: see `growth.ts`. Absent if that is not long ago. */
  readonly written?: readonly SavedStretch[]
  /** It was read to its end and closed: it is remembered only in case its name comes back. */
  readonly done?: boolean
  /** Beside `done`: its inode is gone, and what is known of its content is kept for archives that were made of it. */
  readonly gone?: boolean
  /** Beside `gone`: when it was seen that its file was emptied, in nanoseconds since the epoch. No copy of it was found. */
  readonly emptied?: string
  /** By backend name. */
  readonly cursors: Readonly<Record<string, SavedCursor>>
}

export interface SavedTotals {
  readonly source: string
  readonly backend: string
  readonly settled: Settled
  readonly lostBytes?: number
}

/** Sums of these can still be counted with: no file, and no account, is larger. */
const MOST_COUNT = 2 ** 50
const MOST_BACKENDS = 100
const LONGEST_PATH = 4096
/** As many as are ever saved. */
const MOST_STRETCHES = 64
/** As many ends are remembered: between a copy and the truncation only few looks see anything, as a rule. */
export const MOST_ENDS = 3

/** Of a generation, beside those that have members of their own. */
const MEMBERS = ['source', 'origin', 'path', 'id', 'key', 'size', 'begun', 'written', 'done', 'gone', 'emptied']

const ID = /^[0-9a-f]{16}$/
const HASH = /^[0-9a-f]{20}$/
const DECIMAL = /^\d{1,20}$/
/** Names of sources and backends. */
const NAME = /^[A-Za-z0-9_.-]{1,64}$/
/** And of reasons: a rule of a filter is named behind a colon. */
const REASON = /^(?:filter:)?[A-Za-z0-9_.-]{1,64}$/

export function isEpoch(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value)
}

/** The generation that a parsed entry is, without members that are none of ours; undefined if it is none. */
export function generationOf(value: unknown): SavedGeneration | undefined {
  if (!isRecord(value) || !isRecord(value.inode) || !isRecord(value.head) || !isRecord(value.cursors)) return undefined
  const { source, origin, id, key, inode, head, size, begun, seen, ends, written, done, gone, emptied, cursors } = value
  // The file still has its first name.
  const { path = origin } = value
  const all = Object.entries(cursors)
  const holds =
    isName(source) &&
    [id, key].every(text => matches(ID, text)) &&
    [origin, path].every(isPath) &&
    [inode.dev, inode.ino, inode.birth].every(text => matches(DECIMAL, text)) &&
    isHead(head) &&
    isCount(size) &&
    [begun, emptied].every(time => time === undefined || matches(DECIMAL, time)) &&
    (seen === undefined || isCursor(seen)) &&
    (ends === undefined || (Array.isArray(ends) && ends.length <= MOST_ENDS && ends.every(isCursor))) &&
    (written === undefined || areStretches(written)) &&
    [done, gone].every(flag => flag === undefined || typeof flag === 'boolean') &&
    all.length <= MOST_BACKENDS &&
    all.every(([backend, cursor]) => isName(backend) && isCursor(cursor))
  if (!holds) return undefined
  return {
    ...pick(value, MEMBERS),
    path,
    inode: pick(inode, ['dev', 'ino', 'birth']),
    head: pick(head, ['length', 'hash', 'crc']),
    ...(seen !== undefined && { seen: cursorOf(seen) }),
    ...(ends !== undefined && { ends: (ends as SavedCursor[]).map(cursorOf) }),
    cursors: Object.fromEntries(all.map(([backend, cursor]) => [backend, cursorOf(cursor as SavedCursor)])),
  } as unknown as SavedGeneration
}

/** What is written of a generation: a path stands there once, for of thousands of files paths are the most of it. */
export function writtenOf({ path, ...rest }: SavedGeneration): object {
  return path === rest.origin ? rest : { ...rest, path }
}

/** The totals that a parsed entry is, without reasons that are none; undefined if it is none. */
export function totalsOf(value: unknown): SavedTotals | undefined {
  if (!isRecord(value) || !isName(value.source) || !isName(value.backend) || !isRecord(value.settled)) return undefined
  const { source, backend, settled, lostBytes } = value
  const delivered = tallyOf(settled.delivered)
  const rejected = reasonsOf(settled.rejected)
  const dropped = reasonsOf(settled.dropped)
  if (delivered === undefined || rejected === undefined || dropped === undefined) return undefined
  if (lostBytes !== undefined && !isCount(lostBytes)) return undefined
  const accepted: Settled = { delivered, rejected, dropped }
  return { source, backend, settled: accepted, ...(lostBytes !== undefined && { lostBytes }) }
}

function reasonsOf(value: unknown): Record<string, Tally> | undefined {
  if (!isRecord(value)) return undefined
  const reasons = Object.entries(value)
  if (reasons.length > MOST_REASONS) return undefined
  const accepted: [string, Tally][] = []
  for (const [reason, counts] of reasons) {
    const tally = tallyOf(counts)
    if (tally === undefined || !matches(REASON, reason) || reason === '__proto__') return undefined
    accepted.push([reason, tally])
  }
  return Object.fromEntries(accepted)
}

function tallyOf(value: unknown): Tally | undefined {
  if (!isRecord(value) || !isCount(value.lines) || !isCount(value.bytes)) return undefined
  return { lines: value.lines, bytes: value.bytes }
}

function isHead({ length, hash, crc }: Record<string, unknown>): boolean {
  if (!isCount(length) || length > HEAD_BYTES || !isCrc(crc ?? 0)) return false
  return length === 0 ? hash === '' : matches(HASH, hash)
}

/**
 * The marker of an offset is as long as what stands before it, up to 64 bytes; shorter where that could not be read. One
 * that says nothing belongs to the beginning of a file, or to the end of one that was given up.
 */
function isCursor(value: unknown): value is SavedCursor {
  if (!isRecord(value) || !isCount(value.offset) || !isRecord(value.marker)) return false
  const { offset, marker, end } = value
  if (end !== undefined && !isCount(end)) return false
  if (!isCount(marker.length) || !isCrc(marker.crc) || marker.length > Math.min(offset, MARKER_BYTES)) return false
  return marker.length > 0 || offset === 0 || end === offset
}

/** The members of these names: whatever else stands in an entry may be of any size, and would be kept as long as it. */
function pick(value: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.flatMap(name => (value[name] === undefined ? [] : [[name, value[name]]])))
}

function cursorOf(cursor: SavedCursor): SavedCursor {
  const { offset, marker, end } = cursor
  return { offset, marker: { length: marker.length, crc: marker.crc }, ...(end !== undefined && { end }) }
}

/** Four numbers each: `growth.ts` looks at what they mean. */
function areStretches(value: unknown): boolean {
  const isStretch = (row: unknown) => Array.isArray(row) && row.length === 4 && row.every(Number.isFinite)
  return Array.isArray(value) && value.length <= MOST_STRETCHES && value.every(isStretch)
}

function isPath(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > LONGEST_PATH || !value.startsWith('/')) return false
  return !value.includes('\0') && !value.split('/').some(part => part === '..' || part === '.')
}

function isName(value: unknown): value is string {
  return matches(NAME, value) && value !== '__proto__'
}

function matches(pattern: RegExp, value: unknown): value is string {
  return typeof value === 'string' && pattern.test(value)
}

function isCrc(value: unknown): boolean {
  return isCount(value) && value < 2 ** 32
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MOST_COUNT
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
