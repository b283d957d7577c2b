/**
 * The judge of processing: compares what arrived with what was written, byte range by byte range.
 *
 * Rules: what is kept arrived at every backend, whole or in parts; a part ends where the twin ends its record, or where
 * its file stayed as it was for the time of the timer, or where the process ended; a part that could begin no record says
 * that it goes on; nothing stands in one record that belongs to two; what a filter drops never arrives; what came again is
 * explained by a death or by an answer that was never heard; parts of a file come in its order; a record that comes again
 * has the time it had; and read = delivered + rejected + dropped, to the byte.
 */
import { type Statement, sum } from '../../../src/ledger.ts'
import type { Ended } from '../machine.ts'
import { BACKENDS } from '../program.ts'
import { show } from '../receiver.ts'
import { Covered } from './covered.ts'
import type { Incarnation, Model, Stretch } from './model.ts'
import { MARK, poisonOf, UNWANTED_TEXT } from './poison.ts'
import type { Part, Reception } from './reception.ts'
import type { Written } from './records.ts'
import { endsRun, laterOfRun } from './runs.ts'
import { FLUSH, knows, LIMIT, type Source } from './sources.ts'

/** A line of a dead-letter file. */
export interface Letter {
  readonly generation: string
  readonly offset: number
  readonly cutFrom: number
  readonly message: string
}

const MOST_SAID = 5

export class Judge {
  readonly violations: string[] = []
  readonly #model: Model
  readonly #said = new Map<string, number>()

  constructor(model: Model) {
    this.#model = model
  }

  /** `letters`: the dead letters of each backend. `interrupted`: what did not arrive was not waited for. */
  judge(
    receptions: readonly Reception[],
    ends: readonly Ended[],
    letters: readonly (readonly Letter[])[],
    interrupted: boolean,
  ): readonly string[] {
    for (const [at, reception] of receptions.entries()) {
      const backend = BACKENDS[at]!
      this.#said.clear()
      const say = (kind: string, message: string) => this.#say(kind, `${backend}: ${message}`)
      reception.finish()
      for (const complaint of reception.complaints) say('torn', complaint)
      for (const violation of reception.receiver.violations) if (!grew(violation, reception)) say('id', violation)
      for (const part of reception.parts) this.#part(part, backend, say)
      this.#again(reception, say)
      this.#order(reception, backend, say)
      this.#repeated(reception, say)
      this.#curbed(reception, say)
      this.#generations(reception, say)
      if (interrupted) continue
      this.#missing(reception, backend, letters[at]!, say)
      this.#account(reception, backend, ends, letters[at]!, say)
    }
    return this.violations
  }

  #say(kind: string, message: string): void {
    const times = this.#said.get(kind) ?? 0
    this.#said.set(kind, times + 1)
    if (times < MOST_SAID) this.violations.push(message)
  }

  /** Where a part begins and ends, and what it says of itself. */
  #part(part: Part, backend: string, say: (kind: string, message: string) => void): void {
    const { arrival, incarnation, from, to } = part
    const where = `${show(arrival.text)} (incarnation ${incarnation.number} of ${incarnation.source.name}, ${from} to ${to}, id ${arrival.id})`
    const stretch = incarnation.stretchAt(from)!
    if (UNWANTED_TEXT.test(arrival.text) && knows('filter')) say('dropped', `it should have been dropped: ${where}`)
    if (stretch.record.dropped && from === stretch.from && to === stretch.to && knows('filter')) {
      say('dropped', `it is below the filter, or none of the sample: ${where}`)
    }
    if (poisonOf(arrival.text, backend) === 'always') say('poison', `it was refused and yet accepted: ${where}`)
    const begins = incarnation.isLineStart(from)
    if (!begins && !incarnation.mayEnd(from, this.#model.drains)) say('start', `it begins amid a line: ${where}`)
    if (arrival.partial && !incarnation.mayEnd(to, this.#model.drains))
      say('partial', `its end was not waited for: ${where}`)
    const { twin, repeats } = incarnation.source
    if (repeats) this.#run(part, where, say)
    else if (part.alike > 1) say('repeated', `it stands for ${part.alike}: ${where}`)
    if (twin === undefined) {
      if (arrival.record?.continued) say('continued', `it goes on with nothing: ${where}`)
      return
    }
    const lines = linesFrom(incarnation, from, to)
    const { lines: count, ended } = twin.walk(lines.all)
    const head = lines.all[0]!
    const bound = lines.offsets[count]!
    if (to > bound) say('glued', `it holds more than a record: ${where}`)
    else if (!arrival.partial && (to < bound || !ended) && to < incarnation.size) {
      if (!incarnation.mayPause(to, FLUSH, this.#model.drains, this.#model.time))
        say('ended', `it ended too early: ${where}`)
    }
    // What a record of the writer is the twin says too, from the record's beginning on.
    if (from === stretch.from && to > stretch.to) say('glued', `it holds parts of two records: ${where}`)
    const continued = twin.continues(head)
    if (continued !== (arrival.record?.continued === true)) {
      say('continued', `it ${continued ? 'does not say' : 'says'} that it goes on with another: ${where}`)
    }
  }

  /** For how many it stands: they are alike, and all that are, unless its file stayed as it was. */
  #run({ incarnation, alike, runFrom, to }: Part, where: string, say: (kind: string, message: string) => void): void {
    const text = (from: number): string => {
      const end = incarnation.lineEnd(from)
      return incarnation.content.toString('latin1', from, end).replace(/\n$/, '')
    }
    const starts: number[] = []
    for (let at = runFrom; at < to; at = incarnation.lineEnd(at)) starts.push(at)
    if (starts.length !== alike) say('repeated', `it stands for ${alike}, and there are ${starts.length}: ${where}`)
    const wrong = starts.findIndex((at, n) => n > 0 && !laterOfRun(text(starts[n - 1]!), text(at)))
    if (wrong > 0) say('repeated', `it stands for another one, ${show(text(starts[wrong - 1]!))}: ${where}`)
    if (
      to >= incarnation.size ||
      endsRun(text(starts.at(-1)!), text(to), starts.length, incarnation.lineEnd(to) - runFrom)
    )
      return
    if (!incarnation.mayPause(to, FLUSH, this.#model.drains, this.#model.time)) {
      say('repeated', `it stands for ${alike}, and the next one is alike: ${where}`)
    }
  }

  /** One that arrived before a later one stood for it. */
  #repeated({ parts }: Reception, say: (kind: string, message: string) => void): void {
    const { reloads } = this.#model
    for (const [n, { arrival, generation, runFrom, from }] of parts.entries()) {
      if (runFrom === from) continue
      for (const other of parts.slice(0, n)) {
        if (other.generation !== generation || other.to <= runFrom || other.from >= from) continue
        const first = other.arrival
        const unheard = !first.acknowledged || this.#model.mayBeUnheard(first.at, arrival.at)
        const reload = reloads.some(at => at < arrival.at)
        if (this.#model.diedBetween(first.at, arrival.at) || (unheard && reload)) continue
        say('repeated', `${arrival.id} stands for ${first.id}, which had arrived: ${show(arrival.text)}`)
      }
    }
  }

  /** By the times of the records themselves: what one process read of one file in one go, the limit allows to the record. */
  #curbed({ parts }: Reception, say: (kind: string, message: string) => void): void {
    const { deaths, reloads, incarnations } = this.#model
    const own = incarnations.filter(({ source, size }) => source.curbed && size > 0)
    const [only] = own
    const began = deaths.filter(({ at }) => at < (only?.writtenAt ?? 0)).length
    const alone = own.length === 1 && only!.copies === 0 && deaths.length - began <= 1 && reloads.length === 0
    if (!alone || deaths.slice(began).some(({ kind }) => kind !== 'done')) return
    const wanted = only!.stretches.filter(({ record }) => !record.dropped)
    let [left, filled, allowed] = [LIMIT.curbed as number, 0, 0]
    for (const { record } of wanted) {
      const at = Date.parse((JSON.parse(record.lines[0]!) as { time: string }).time)
      if (filled > 0) left = Math.min(LIMIT.curbed, left + ((at - filled) * LIMIT.curbed) / 1000)
      filled = at
      if (left <= 0) continue
      left--
      allowed++
    }
    const came = new Set(parts.filter(({ incarnation }) => incarnation === only).map(({ from }) => from)).size
    // Digits below a millisecond come from the place in the file.
    if (Math.abs(came - allowed) > 1)
      say('limit', `${came} of ${wanted.length} are within the limit, and ${allowed} may be`)
  }

  /** What came again, and whether that is explained. */
  #again({ parts }: Reception, say: (kind: string, message: string) => void): void {
    const { deaths, reloads } = this.#model
    const known = new Map<string, Part[]>()
    const times = new Map<string, string>()
    for (const part of parts) {
      const { arrival, generation, from, to, fresh } = part
      // The rest of a line, and one that goes on, have no time of their own.
      const whole = part.incarnation.isLineStart(from)
      const timed =
        whole &&
        part.incarnation.source.timed &&
        /^[{\d]/.test(part.incarnation.content.toString('latin1', from, from + 1))
      if (timed) {
        const time = arrival.record?.timestamp ?? ''
        const before = times.get(arrival.id)
        times.set(arrival.id, time)
        if (before !== undefined && before !== time && !arrival.partial)
          say('time', `sent again with another time: ${before} and ${time}: ${show(arrival.text)} (${arrival.id})`)
      }
      const others = known.get(generation) ?? []
      known.set(generation, others)
      others.push(part)
      if (fresh === to - from) continue
      for (const other of others) {
        if (other === part || other.to <= from || other.from >= to) continue
        const first = other.arrival
        const death = this.#model.diedBetween(first.at, arrival.at)
        const unheard = !first.acknowledged || this.#model.mayBeUnheard(first.at, arrival.at)
        if (first.id === arrival.id) {
          if (!death && !unheard) {
            const ms = Math.round(arrival.at - first.at)
            const last = deaths.findLast(({ at }) => at < arrival.at)
            const died =
              last === undefined ? '' : `, ${Math.round(last.at - first.at)} ms before a death (${last.kind})`
            say('again', `sent again though acknowledged ${ms} ms before${died}: ${show(arrival.text)} (${arrival.id})`)
          }
          continue
        }
        const reload = reloads.some(at => at < arrival.at)
        if (!death && !(unheard && reload)) {
          say('overlap', `${arrival.id} has bytes of ${first.id}, and there was no death: ${show(arrival.text)}`)
        }
      }
    }
  }

  /** First arrivals of each generation come in its order; what is refused is looked for apart. */
  #order({ parts }: Reception, backend: string, say: (kind: string, message: string) => void): void {
    const { deaths } = this.#model
    const reached = new Map<string, number>()
    for (const { arrival, generation, incarnation, from, to, fresh, firstFresh } of parts) {
      if (fresh === 0) continue
      const bad = incarnation.stretchesIn(from, to).some(({ record }) => poisonIn(record, backend))
      if (bad) continue
      const before = reached.get(generation) ?? 0
      // What was over the limit may not be so when it is read again.
      const again = incarnation.source.curbed && deaths.some(({ at, kind }) => at < arrival.at && kind !== 'done')
      if (firstFresh < before && !again)
        say('order', `out of order: ${show(arrival.text)} (${arrival.id}), behind ${before}`)
      reached.set(generation, Math.max(before, to))
    }
  }

  /** No incarnation came under more generations than it has files. */
  #generations({ generations }: Reception, say: (kind: string, message: string) => void): void {
    const counts = new Map<Incarnation, string[]>()
    for (const [generation, incarnation] of generations) {
      counts.set(incarnation, [...(counts.get(incarnation) ?? []), generation])
    }
    for (const [incarnation, names] of counts) {
      if (names.length <= 1 + incarnation.copies) continue
      const { number, source, copies } = incarnation
      say('twice', `incarnation ${number} of ${source.name}, with ${copies} copies, came as ${names.join(', ')}`)
    }
  }

  /** What never came, was not refused and is not dropped. */
  #missing(
    reception: Reception,
    backend: string,
    letters: readonly Letter[],
    say: (kind: string, message: string) => void,
  ): void {
    for (const letter of letters) {
      const incarnation = reception.generations.get(letter.generation)
      if (poisonOf(letter.message, backend) === undefined) {
        say('rejected', `rejected, though nothing is wrong with it: ${show(letter.message)}`)
      }
      if (incarnation === undefined) continue
      reception.coveredOf(incarnation).add(letter.offset, letterEnd(letter))
    }
    for (const incarnation of this.#model.incarnations) {
      const gaps = reception.coveredOf(incarnation).missing(0, incarnation.size)
      for (const { from, to } of gaps) {
        for (const stretch of incarnation.stretchesIn(from, to)) {
          if (excused(stretch, backend, incarnation.source)) continue
          const { content } = incarnation
          const begin = Math.max(from, stretch.from)
          const text = content.toString('utf8', begin, Math.min(to, stretch.to))
          say(
            'missing',
            `missing: ${show(text)} (incarnation ${incarnation.number} of ${incarnation.source.name}, ${begin})`,
          )
        }
      }
    }
  }

  /** The last ledger against what was received. */
  #account(
    reception: Reception,
    backend: string,
    ends: readonly Ended[],
    letters: readonly Letter[],
    say: (kind: string, message: string) => void,
  ): void {
    const lines = ends
      .at(-1)
      ?.ledger?.filter(line => line.backend === backend)
      .map(({ statement }) => statement)
    if (lines === undefined) {
      if (reception.parts.length > 0) say('ledger', 'the last process gave no account')
      return
    }
    const total = (of: (statement: Statement) => number): number => lines.reduce((all, line) => all + of(line), 0)
    const read = total(line => line.read.bytes)
    const delivered = total(line => line.delivered.bytes)
    const rejected = total(line => sum(line.rejected).bytes)
    const dropped = total(line => sum(line.dropped).bytes)
    const inFlight = total(line => line.inFlight.bytes)
    const lost = total(line => line.lostBytes)
    if (inFlight !== 0) say('ledger', `${inFlight} bytes are in flight at the end`)
    const settled = delivered + rejected + dropped
    if (read !== settled + inFlight) say('ledger', `${read} bytes read, ${settled} settled`)
    if (lost > 0) say('ledger', `${lost} bytes are counted as lost, but nothing was`)
    const { incarnations, deaths } = this.#model
    const copied = incarnations.some(({ copies }) => copies > 0)
    // What a copy is taken for after a death is in no account.
    if (copied && deaths.some(({ kind }) => kind !== 'done')) return
    // A record that was rejected and not saved as that before a death is rejected again.
    const once = new Map(letters.map(letter => [`${letter.generation} ${letter.offset} ${letterEnd(letter)}`, letter]))
    const refused = [...once.values()].reduce((all, letter) => all + letterEnd(letter) - letter.offset, 0)
    const { bytes: came, beside, runs } = settledOf(reception, this.#model)
    const beyond = total(line => line.dropped['limit']?.bytes ?? 0)
    // What came and was not saved may be over the limit the next time.
    const wrong = came - delivered
    if (wrong < 0 || wrong > Math.min(beside, beyond))
      say('ledger', `delivered ${delivered} bytes, ${came} were received`)
    const repeated = total(line => line.dropped['repeats']?.bytes ?? 0)
    if (repeated !== runs) say('ledger', `dropped ${repeated} bytes as repeated, and others stand for ${runs}`)
    if (rejected !== refused) say('ledger', `rejected ${rejected} bytes, ${refused} are dead letters`)
    const all = incarnations.reduce((bytes, { size }) => bytes + size, 0)
    if (!copied && read !== all) say('ledger', `${read} bytes read of ${all}`)
    const policies = lines.flatMap(line => Object.entries(line.dropped).filter(([, { bytes }]) => bytes > 0))
    for (const policy of new Set(policies.map(([name]) => name))) {
      if (!POLICIES.has(policy)) say('ledger', `dropped under ${policy}, which is not configured`)
    }
  }
}

const POLICIES: ReadonlySet<string> = new Set(['filter:drop', 'filter:below', 'sample', 'repeats', 'limit'])

/**
 * What was delivered at last, bytes: of those that came, without ones for which a later one stands. Those of sources with a
 * limit beside it, if a death lies between; and bytes of those for which others stand.
 */
function settledOf(reception: Reception, { deaths }: Model): { bytes: number; beside: number; runs: number } {
  const sent = new Map<string, Covered>()
  const stood = new Map<string, Covered>()
  const at = (map: Map<string, Covered>, name: string): Covered => {
    const known = map.get(name) ?? new Covered()
    map.set(name, known)
    return known
  }
  let beside = 0
  for (const { generation, incarnation, runFrom, from, to, fresh } of reception.parts) {
    at(sent, generation).remove(runFrom, from)
    at(sent, generation).add(from, to)
    // One that stood alone again was read again.
    at(stood, generation).remove(from, to)
    at(stood, generation).add(runFrom, from)
    if (incarnation.source.curbed && deaths.some(({ kind }) => kind !== 'done')) beside += fresh
  }
  const sum = (map: Map<string, Covered>): number => [...map.values()].reduce((all, { size }) => all + size, 0)
  return { bytes: sum(sent), beside, runs: sum(stood) }
}

/** A record that may be missing: it is dropped by a filter or for a limit, or refused for good. */
export function excused({ record }: Stretch, backend: string, { curbed }: Source): boolean {
  if (curbed) return true
  return (record.dropped && knows('filter')) || poisonIn(record, backend)
}

function poisonIn({ lines }: Written, backend: string): boolean {
  return lines.some(line => MARK.test(line) && poisonOf(line, backend) !== undefined)
}

function letterEnd({ offset, cutFrom, message, partial }: Letter & { readonly partial?: boolean }): number {
  return offset + (cutFrom || Buffer.byteLength(message)) + (partial ? 0 : 1)
}

/** An unfinished line that was taken at the end, and came again with its end. */
function grew(violation: string, { receiver }: Reception): boolean {
  const id = /^the id (\S+) carried two records/.exec(violation)?.[1]
  return id !== undefined && receiver.byId.get(id)?.partial === true
}

/** The lines from an offset on, one more than [from, to) holds at least, without their ends; and where each begins. */
function linesFrom(incarnation: Incarnation, from: number, to: number): { all: string[]; offsets: number[] } {
  const all: string[] = []
  const offsets = [from]
  let at = from
  let more = 1
  while (at < incarnation.size && more >= 0) {
    const end = incarnation.lineEnd(at)
    const feed = incarnation.content[end - 1] === 10 ? end - 1 : end
    all.push(incarnation.content.toString('utf8', at, feed))
    offsets.push(end)
    at = end
    if (at >= to) more--
  }
  return { all, offsets }
}
