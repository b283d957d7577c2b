/**
 * The plan of a turn: what the framer does next, from what is known of the file and of the slab. Nothing is read here.
 */
import { QUANTUM, type Slab } from '../../chunk.ts'
import type { Encoding } from '../../kernel/kernel.ts'
import type { Cursor } from '../generation/generation.ts'
import type { Ending, Tailer } from '../generation/tailer.ts'
import { type LineForm, wholeUnits } from './form.ts'

/** Bytes that one turn takes at the most, so that one noisy file does not starve the others. */
export { QUANTUM }

/** A slab with less room than this is full: reads would get too small. */
const SMALLEST_READ = 32 * 1024
/** Chunks are objects: a file in which NULs stand before every line must not make as many as it has lines. */
export const MOST_CHUNKS = 1024

/** Text in another encoding is read in pieces of so many bytes, with at most so many lines in each. */
export const PIECE = 32 * 1024
export const PIECE_LINES = 4096
/** The end of the slab's window while text is decoded: a piece as it was read, and where its lines begin in it. */
export const WORKROOM = PIECE + 4 * (PIECE_LINES + 1)
/** Bytes of UTF-8 that one byte may become. */
const GROWTH: Record<Encoding, number> = { 'utf-16le': 1.5, 'utf-16be': 1.5, 'latin-1': 2, 'windows-1252': 3 }

/** One turn: whose it is, where it goes, what lines look like, and what the end of the file means. */
export interface Turn {
  readonly tailer: Tailer
  readonly cursor: Cursor
  readonly slab: Slab
  readonly form: LineForm
  readonly ending: Ending
}

export type Plan =
  | { readonly kind: 'dry' | 'full' | 'look ahead' }
  /** The last record may go on: its file has to be as it is for so many milliseconds more. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** Everything up to the file's end was looked at, and there it ends. */
  | { readonly kind: 'end' }
  /** What has settled up to here is passed over. */
  | { readonly kind: 'pass'; readonly end: number }
  /**
   * Read so many bytes; `all`: up to the end of the file, or to what has settled. `whole`: a record of several lines that
   * goes on to there is complete, for nothing will follow, or nothing has for a while (`quiet`).
   */
  | {
      readonly kind: 'read'
      readonly want: number
      readonly all: boolean
      readonly cramped: boolean
      readonly whole: 'no' | 'yes' | 'quiet'
      /** A run of equal records with which the read ends has ended there, or has gone on for long enough. */
      readonly over: boolean
    }

/** What to do in a turn, from what is known of the file and of the slab. `now`: milliseconds of the monotonic clock. */
export function planOf(turn: Turn, target: number, now: number): Plan {
  const { tailer, cursor, slab, form, ending } = turn
  const { island, read, ahead } = cursor
  if (island?.from === read) return { kind: 'pass', end: island.to }
  const end = endOf(turn)
  const unread = end - read
  if (unread <= 0) return { kind: 'dry' }
  const isOpen = ahead.open && ending === 'open' && island === undefined
  const rest = isOpen ? restOf(turn, now) : 0
  if (island === undefined && ahead.due >= end) {
    if (rest > 0) return { kind: 'wait', ms: rest }
    if (!ahead.open) return { kind: ending === 'open' ? 'dry' : 'end' }
  }
  if (slab.chunks.length >= MOST_CHUNKS || slab.frames >= slab.maxFrames) return { kind: 'full' }
  const room = roomIn(turn, target)
  const quantum = form.encoding ? PIECE : QUANTUM
  if (slab.frames > 0 && room < Math.min(unread, quantum / 8)) return { kind: 'full' }
  if (ahead.due - read >= quantum) return { kind: 'look ahead' }
  // A cursor that has seen part of a line reads it again, with what was added since; where room is set aside, with not
  // much more than what was written into it.
  const seen = ahead.scanned - read
  const much = form.encoding === undefined && seen < quantum ? Math.max(quantum, 2 * seen) : quantum
  const aside = island === undefined && ahead.again === undefined && ahead.extent(tailer.size) < tailer.size
  const wish = Math.min(unread, aside ? Math.min(much, ahead.reach - read + SMALLEST_READ) : much)
  const want = wish <= room ? wish : wholeUnits(room, form)
  const all = want === unread
  const whole =
    all || read + want >= ahead.extent(tailer.size) ? wholeness(turn, isOpen ? quietIn(turn, now) : 0) : 'no'
  const over = whole !== 'no' || (all && isOpen && rest === 0)
  return { kind: 'read', want, all, cramped: slab.frames > 0 && want < wish, whole, over }
}

/** Whether the record that a read to the end of the file ends with is complete. */
function wholeness({ cursor: { ahead, island }, ending, form }: Turn, rest: number): 'no' | 'yes' | 'quiet' {
  if (form.rule === undefined && form.runs === undefined) return 'no'
  if (ending !== 'open' || island !== undefined) return 'yes'
  return ahead.open && rest === 0 ? 'quiet' : 'no'
}

/** Milliseconds after which its last record is complete, or what is equal has waited for long enough. */
export function restOf(turn: Turn, now: number): number {
  const { runs } = turn.form
  const { openSince } = turn.cursor.ahead
  const quiet = quietIn(turn, now)
  if (runs === undefined || openSince === undefined) return quiet
  return Math.max(0, Math.min(quiet, Math.ceil(openSince + runs.window - now)))
}

/** Milliseconds for which the file has to stay as it is until its last record is complete. */
function quietIn({ tailer, form }: Turn, now: number): number {
  return Math.max(0, Math.ceil(tailer.changedAt + flushOf(form) - now))
}

/** How long a file has to stay as it is, so that what it ends with is complete: milliseconds. */
export function flushOf({ rule, runs }: LineForm): number {
  return Math.max(rule?.flush ?? 0, runs?.flush ?? 0)
}

/** Bytes of the file that may be read into the slab now. */
function roomIn({ slab, form: { encoding } }: Turn, target: number): number {
  const room = (slab.frames > 0 ? Math.min(target, slab.capacity) : slab.capacity) - slab.used
  if (encoding === undefined) return room
  const lines = Math.min(slab.maxFrames - slab.frames, PIECE_LINES)
  const most = slab.capacity - slab.used - WORKROOM - 4 * (lines + 3)
  return Math.min(room, Math.floor(most / GROWTH[encoding]))
}

/** Where reading ends: at the end of the file, or in front of what has settled. */
export function endOf({ tailer, cursor }: Turn): number {
  return Math.min(tailer.size, cursor.island?.from ?? tailer.size)
}
