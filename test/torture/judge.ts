/**
 * The judge: compares what arrived with what the model says was there, and both with the shipper's ledger.
 *
 * Rules: every line that there was always a way to arrived at every backend; nothing arrived that was never a line;
 * first arrivals stand in the order of their incarnation, and of the incarnations of one name (`order.ts`); no line came under more ids than it was in generations; a
 * repeated id is explained by a death or an answer that never reached the sender; delivered = received; and what never
 * arrived and must have been seen is counted as lost.
 */
import { sum } from '../../src/ledger.ts'
import type { Ended } from './machine.ts'
import { type Death, expected, type Model } from './model.ts'
import type { Line } from './node.ts'
import { Order } from './order.ts'
import { poisonOf } from './poison.ts'
import { BACKENDS } from './program.ts'
import { type Receiver, show } from './receiver.ts'

export interface Verdict {
  readonly violations: readonly string[]
  /** Excused lines by the event that took the last way to them. */
  readonly reasons: Readonly<Record<string, number>>
  readonly numbers: {
    readonly lines: number
    readonly bytes: number
    /** Lines that had to arrive and did not, and those that could not be read any more. */
    readonly missing: number
    readonly excused: number
    /** Lines under more ids than they may have, and records that came again under the same id. */
    readonly duplicates: number
    readonly repeated: number
  }
}

/**
 * Milliseconds before a deadline in which an acknowledged record may not be saved yet: nothing but the answers that are on
 * their way just then is missed. An end with everything done excuses nothing.
 */
const DEADLINE = 500

/** What may arrive: of which line, worth how many bytes, NULs in front of it included, under how many ids, and how long it may say that it was. */
interface Known {
  readonly line: Line | undefined
  readonly bytes: number
  readonly hole: number
  allowed: number
  readonly lengths: Set<number | undefined>
}

/** Milliseconds after which the shipper gives up on an answer. */
const TIMEOUT = 3000

export function judge(
  model: Model,
  receivers: readonly Receiver[],
  ends: readonly Ended[],
  letters: readonly (readonly string[])[],
  { interrupted, awaited }: { interrupted: boolean; awaited: boolean },
): Verdict {
  const violations: string[] = []
  let missing = 0
  let excused = 0
  let repeated = 0
  let duplicates = 0
  const reasons: Record<string, number> = {}
  for (const [at, receiver] of receivers.entries()) {
    const name = BACKENDS[at]!
    const few = atMost(5, message => violations.push(`${name}: ${message}`))
    if (!model.ambiguous) for (const violation of receiver.violations) few('id')(violation)
    const left = awaited ? model.pending[at]! : []
    missing += [...left].length
    const incarnations = Map.groupBy(left, ({ incarnation }) => incarnation)
    for (const [incarnation, [line, ...others]] of incarnations) {
      const count = others.length > 0 ? ` and ${others.length} more` : ''
      few('missing')(`missing: ${show(line!.text)}${count} (incarnation ${incarnation}${whereabouts(line!)})`)
    }
    const known = new Map<string, Known>()
    const may = (text: string, worth: number, allowed: number, line?: Line, hole = 0) => {
      const key = expected(text)
      const entry = known.get(key) ?? { line, bytes: worth, hole, allowed: 0, lengths: new Set() }
      entry.allowed += allowed
      entry.lengths.add(key === text ? undefined : Buffer.byteLength(text))
      known.set(key, entry)
    }
    // Of a text that was written more than once it cannot be told which of its lines came.
    const common = new Set(model.lines.filter(({ rank }) => rank > 0).map(line => line.expected))
    for (const line of model.lines) {
      for (const piece of model.pieces(line)) may(piece.text, piece.bytes, line.allowed, line, piece.hole)
    }
    for (const [text, times] of model.optional) may(text, Buffer.byteLength(text), times)
    let bytes = 0
    let holes = 0
    const order = new Order()
    for (const arrival of receiver.byId.values()) {
      const entry = known.get(arrival.text)
      if (entry === undefined) {
        few('torn')(`torn, mixed or invented: ${show(arrival.text)} (id ${arrival.id})`)
        continue
      }
      if (!entry.lengths.has(arrival.originalBytes)) {
        few('cut')(`it does not say how long it was: ${show(arrival.text)} (${arrival.originalBytes})`)
      }
      // What was cut says itself how long it was; another line may begin alike.
      bytes += (arrival.originalBytes ?? entry.bytes) + (arrival.partial ? 0 : 1)
      holes += entry.hole
      const { line } = entry
      if (line === undefined || common.has(line.expected) || receiver.idsOf.get(arrival.text)?.[0] !== arrival.id)
        continue
      // What a drain has cut comes in parts, and whole only out of a copy, whenever that is read.
      if (line.cuts.length > 0) continue
      // What is refused for a while is held apart, and may come long after what stands behind it.
      if (poisonOf(line.text, name) !== undefined) continue
      const complaint = order.arrived(line)
      // What is refused is looked for apart, and what is written meanwhile need not wait for it.
      const across = model.poisoned[at]!.length === 0
      if (complaint !== undefined && (across || complaint.within))
        few('order')(`out of order: ${complaint.text}: ${show(line.text)}`)
    }
    for (const [text, ids] of receiver.idsOf) {
      const entry = known.get(text)
      if (entry === undefined || text === '') continue
      // Of an id that may have carried something else before a death, what it carries again is no other id.
      const told = model.ambiguous ? ids.filter(id => !id.endsWith('/again')) : ids
      if (told.length <= entry.allowed) continue
      duplicates++
      few('twice')(`${ids.length} ids, at most ${entry.allowed} allowed: ${show(text)} (${ids.join(' ')})`)
    }
    for (const arrival of receiver.arrivals) {
      const first = receiver.byId.get(arrival.id)!
      if (first === arrival) continue
      repeated++
      const death = model.deaths.some(death => death.at < arrival.at && first.at > savedUntil(death))
      // The sender had given up on a receiver that was slow to answer, and did not hear that it was taken after all.
      const stall = model.stalls.some(({ from, to }) => from < arrival.at && to > first.at - TIMEOUT)
      if (first.acknowledged && !death && !stall) {
        few('again')(
          `sent again though acknowledged ${Math.round(arrival.at - first.at)} ms before: ${show(first.text)}`,
        )
      }
    }
    for (const text of letters[at]!) {
      if (poisonOf(text, name) === undefined)
        few('rejected')(`rejected, though nothing is wrong with it: ${show(text)}`)
    }
    excused += model.lost[at]!.length
    for (const { why } of model.lost[at]!) reasons[why] = (reasons[why] ?? 0) + 1
    if (interrupted || model.ambiguous) continue
    const gone = model.lost[at]!.filter(({ line }) => !(receiver.idsOf.get(expected(line.text))?.length ?? 0))
    account(model, receiver, at, ends, { bytes, holes, letters: letters[at]! }, gone, few('ledger'))
  }
  return {
    violations,
    reasons,
    numbers: { lines: model.lines.length, bytes: model.bytes, missing, excused, duplicates, repeated },
  }
}

/** What was acknowledged before must have been saved when a process ended. */
function savedUntil({ at, kind, unsaved }: Death): number {
  switch (kind) {
    case 'kill':
      return unsaved.acknowledged
    case 'deadline':
      return at - DEADLINE
    case 'done':
      return at
  }
}

/** The names under which a line still lies on the volume. */
function whereabouts({ homes }: Line): string {
  const names = [...homes].flatMap(({ names, packed }) => [...names, ...(packed === undefined ? [] : [packed])])
  return names.length === 0 ? '' : `, in ${names.join(', ')}`
}

/** The last ledger against what was received, and the bytes that were counted as lost against what never came. */
function account(
  model: Model,
  receiver: Receiver,
  at: number,
  ends: readonly Ended[],
  { bytes, holes, letters }: { bytes: number; holes: number; letters: readonly string[] },
  gone: Model['lost'][number],
  say: (message: string) => void,
): void {
  const name = BACKENDS[at]!
  const last = ends.at(-1)?.ledger?.find(({ backend }) => backend === name)?.statement
  if (last === undefined) {
    if (receiver.byId.size > 0) say('the last process gave no account')
    return
  }
  if (last.inFlight.bytes !== 0) say(`${last.inFlight.bytes} bytes are in flight at the end`)
  const rejected = sum(last.rejected)
  const refused = model.poisoned[at]!.filter(({ expected }) => !receiver.idsOf.has(expected))
  // Of what was cut off or deleted it cannot be told from outside whether it was refused before.
  const certain = refused.filter(({ homes }) => [...homes].some(home => model.reachable(home)))
  const uncertain =
    refused.reduce((sum, { bytes }) => sum + bytes, 0) - certain.reduce((sum, { bytes }) => sum + bytes, 0)
  if (rejected.lines > refused.length) say(`${rejected.lines} lines were rejected, at most ${refused.length} are bad`)
  const padding = last.dropped['padding']?.bytes ?? 0
  const settled = last.delivered.bytes + padding
  const killed = model.deaths.some(({ kind }) => kind === 'kill')
  const unsaved = killed || ends.some(({ code }) => code !== 0)
  // What was delivered, never saved, and then gone from the volume is in no account.
  if (!unsaved || model.lost.every(lost => lost.length === 0)) {
    const { lines } = last.delivered
    const worth = refused.reduce((sum, { bytes }) => sum + bytes, 0)
    if (rejected.lines < certain.length)
      say(`${rejected.lines} lines were rejected of ${certain.length} that never came`)
    const kept = new Set(letters)
    const unkept = certain.filter(({ text }) => !kept.has(text))
    if (unkept.length > 0) say(`${unkept.length} lines that never came are no dead letters: ${show(unkept[0]!.text)}`)
    if (rejected.lines === refused.length && rejected.bytes !== worth)
      say(`rejected ${rejected.bytes} bytes, the bad lines have ${worth}`)
    if (!model.unaccounted && lines !== receiver.byId.size)
      say(`delivered ${lines} lines, ${receiver.byId.size} were received`)
    if (!model.unaccounted && settled !== bytes) say(`delivered and padding ${settled} bytes, ${bytes} were received`)
    if (!model.unaccounted && settled === bytes && padding !== holes)
      say(`${padding} bytes were dropped as padding, the holes had ${holes}`)
  }
  const countedLost = last.lostBytes
  const cutUnread = model.cutUnread[at]! + model.lostTails + uncertain
  const whole = model.lost[at]!.length === 0 && cutUnread === 0 && !model.shortened && !model.unaccounted
  if (whole && countedLost > 0) say(`${countedLost} bytes are counted as lost, but nothing was lost`)
  if (unsaved) return
  // The account goes on from process to process.
  const most = gone.reduce((sum, { line, why }) => sum + (why.startsWith('truncated') ? 0 : line.bytes), cutUnread)
  const least = gone.reduce((sum, { line, sure }) => sum + (sure ? line.bytes : 0), 0)
  if (countedLost < least) say(`${countedLost} bytes are counted as lost, but ${least} were seen and never came`)
  if (countedLost > most && !model.shortened)
    say(`${countedLost} bytes are counted as lost, but at most ${most} could not be read`)
}

function atMost(count: number, say: (message: string) => void): (kind: string) => (message: string) => void {
  const said = new Map<string, number>()
  return kind => message => {
    const times = said.get(kind) ?? 0
    said.set(kind, times + 1)
    if (times < count) say(message)
  }
}
