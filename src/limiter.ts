/**
 * The limiter: the one place that decides which of our own lines are written.
 *
 * An application can make a thousand refused names a second, and a backend can fail as often; our log must stay short
 * enough to be read and kept. Guarantees, per event as `events.ts` says:
 *   1. a subject's first line is written at once; what follows within a minute is counted, and the count is written when
 *      the minute ends, whether anything follows or not;
 *   2. a loss is never left out: what is not written on its own is added up, with the number of files and their first
 *      paths, and written within half a minute. The numbers of all lines add up to the loss;
 *   3. one event's subjects cannot crowd out others': beyond `SUBJECTS` of them a minute they are counted together;
 *   4. all lines but those of 2 and of the process's own life hold at most `LINES` and `BYTES` a minute, with a reserve
 *      for errors, and those at debug ten times as many of their own; how many were left out for that is written when
 *      the minute ends;
 *   5. memory is bounded by 3, and `end` writes all that is still owed.
 */
import { CLOCK, type Clock } from './clock.ts'
import type { Level, LimitRule } from './events/rule.ts'
import { EVENTS } from './events.ts'
import type { Fields, Lines } from './log.ts'

/** Milliseconds that lines about one subject are apart, and those that sums are gathered for. */
const EACH = 60_000
const SUM = 30_000
/** Subjects of one event that have lines of their own. */
const SUBJECTS = 20
/** Lines and bytes a minute, over all events; errors may have a third more. */
const LINES = 300
const BYTES = 128 * 1024
const RESERVE = 4 / 3
const DEBUG = 10
const MINUTE = 60_000
/** Of the files of one sum: how many are named, and how many are told from each other. */
const PATHS = 5
const FILES = 1000

type Saying = { readonly level: Level; readonly fields: Fields; readonly sentence: string }

/** What was not written of one subject, or of all beyond `SUBJECTS`. */
interface Suppressed {
  readonly rule: Extract<LimitRule, { kind: 'each' | 'sum' }>
  /** When it is due: monotonic milliseconds. */
  due: number
  /** It stands for all subjects that have no entry of their own. */
  readonly others: boolean
  /** The latest that was not written, and how many were not. */
  last: Saying | undefined
  count: number
  readonly sums: Map<string, number>
  readonly paths: Set<string>
}

export interface LimiterOptions {
  readonly clock?: Clock
  /** Whether lines of a level are written at all: what is not does not count. */
  readonly enabled?: (level: Level) => boolean
}

export class Limiter implements Lines {
  readonly #out: Lines
  readonly #clock: Clock
  readonly #enabled: (level: Level) => boolean
  /** By event and subject. */
  readonly #subjects = new Map<string, Suppressed>()
  /** How many of them each event has. */
  readonly #perEvent = new Map<string, number>()
  /** The minute that lines and bytes are counted in. */
  #minute = minute(0)
  /** The earliest time at which something is due, and how to take back the call that comes then. */
  #cancel = () => {}
  #wakeAt = Number.POSITIVE_INFINITY

  constructor(out: Lines, { clock = CLOCK, enabled = () => true }: LimiterOptions = {}) {
    this.#out = out
    this.#clock = clock
    this.#enabled = enabled
  }

  error(fields: Fields, sentence: string): void {
    this.#say({ level: 'error', fields, sentence })
  }

  warn(fields: Fields, sentence: string): void {
    this.#say({ level: 'warn', fields, sentence })
  }

  info(fields: Fields, sentence: string): void {
    this.#say({ level: 'info', fields, sentence })
  }

  debug(fields: Fields, sentence: string): void {
    this.#say({ level: 'debug', fields, sentence })
  }

  /** Writes all that was counted and not yet said: the process ends. */
  end(): void {
    this.#turn(Number.POSITIVE_INFINITY)
  }

  #say(saying: Saying): void {
    if (!this.#enabled(saying.level)) return
    this.#turn(this.#clock.now())
    const { event } = saying.fields
    const rule: LimitRule = EVENTS[event].rule
    switch (rule.kind) {
      case 'last':
        this.end()
        this.#write(saying, false)
        break
      case 'always':
      case 'within':
        this.#write(saying, rule.kind === 'within')
        break
      case 'each':
      case 'sum': {
        const key = JSON.stringify([event, ...rule.by.map(name => saying.fields[name])])
        const known = this.#subjects.get(key) ?? this.#open(key, event, rule)
        if (known === undefined) this.#write(saying, rule.kind === 'each')
        else count(known, saying)
      }
    }
  }

  /** Opens the account of a subject whose line is written now, or returns the one that stands for all others. */
  #open(key: string, event: string, rule: Suppressed['rule']): Suppressed | undefined {
    const there = this.#perEvent.get(event) ?? 0
    const others = there >= SUBJECTS
    const known = others ? this.#subjects.get(event) : undefined
    if (known) return known
    const due = this.#clock.now() + (rule.kind === 'sum' ? SUM : EACH)
    const subject: Suppressed = { rule, due, others, last: undefined, count: 0, sums: new Map(), paths: new Set() }
    this.#subjects.set(others ? event : key, subject)
    this.#wakeBy(due)
    if (others) return subject
    this.#perEvent.set(event, there + 1)
    return undefined
  }

  /** Writes what is due at `now`, and forgets subjects of which there is nothing to say any more. */
  #turn(now: number): void {
    if (now < this.#wakeAt) return
    this.#wakeAt = Number.POSITIVE_INFINITY
    this.#cancel()
    for (const [key, subject] of [...this.#subjects]) {
      if (subject.due <= now) this.#conclude(key, subject)
      if (this.#subjects.has(key)) this.#wakeBy(subject.due)
    }
    if (this.#minute.ends <= now) this.#begin()
    else if (this.#minute.leftOut > 0) this.#wakeBy(this.#minute.ends)
  }

  /** Its time is over: what was not written of it is, and if there is nothing it is forgotten. */
  #conclude(key: string, subject: Suppressed): void {
    const { rule, others, last } = subject
    if (last) {
      this.#write(summary(subject, last), rule.kind === 'each')
      subject.due = this.#clock.now() + (rule.kind === 'sum' ? SUM : EACH)
      subject.last = undefined
      subject.count = 0
      subject.sums.clear()
      subject.paths.clear()
      return
    }
    this.#subjects.delete(key)
    if (others) return
    const [event] = JSON.parse(key) as [string]
    this.#perEvent.set(event, this.#perEvent.get(event)! - 1)
  }

  /** Begins another minute, and says what was left out in the last one. */
  #begin(): void {
    const { leftOut, leftOutBytes } = this.#minute
    this.#minute = minute(this.#clock.now() + MINUTE)
    if (leftOut === 0) return
    const fields: Fields = { event: 'log_limited', lines: leftOut, bytes: leftOutBytes }
    this.#write({ level: 'warn', fields, sentence: 'log limit reached; lines were left out' }, false)
  }

  #write({ level, fields, sentence }: Saying, bounded: boolean): void {
    if (this.#clock.now() >= this.#minute.ends) this.#begin()
    const minute = this.#minute
    const used = level === 'debug' ? minute.debug : minute.usual
    const bytes = JSON.stringify(fields).length + sentence.length
    const share = level === 'error' ? RESERVE : level === 'debug' ? DEBUG : 1
    if (bounded && (used.lines >= LINES * share || used.bytes + bytes > BYTES * share)) {
      minute.leftOut++
      minute.leftOutBytes += bytes
      this.#wakeBy(minute.ends)
      return
    }
    used.lines++
    used.bytes += bytes
    this.#out[level](fields, sentence)
  }

  #wakeBy(at: number): void {
    if (at >= this.#wakeAt) return
    this.#cancel()
    this.#wakeAt = at
    this.#cancel = this.#clock.after(at - this.#clock.now(), () => this.#turn(this.#clock.now()))
  }
}

const minute = (ends: number) => ({
  ends,
  usual: { lines: 0, bytes: 0 },
  debug: { lines: 0, bytes: 0 },
  leftOut: 0,
  leftOutBytes: 0,
})

function count(subject: Suppressed, saying: Saying): void {
  subject.last = saying
  subject.count++
  if (subject.rule.kind !== 'sum') return
  for (const name of subject.rule.of) {
    const value = saying.fields[name]
    if (typeof value === 'number') subject.sums.set(name, (subject.sums.get(name) ?? 0) + value)
  }
  const { path } = saying.fields
  if (typeof path === 'string' && subject.paths.size < FILES) subject.paths.add(path)
}

/** One line that stands for all that were not written, of which `last` was the last. */
function summary({ rule, others, count, sums, paths }: Suppressed, last: Saying): Saying {
  const { level, sentence, fields } = last
  if (rule.kind === 'each') return { level, sentence, fields: { ...fields, [others ? 'others' : 'suppressed']: count } }
  if (count === 1) return last
  // What the others differ in is said of none of them.
  const differ = new Set(['path', ...(others ? rule.by : [])])
  const common = Object.entries(fields).filter(([name]) => !differ.has(name))
  const files = paths.size > 0 ? { files: paths.size, paths: [...paths].slice(0, PATHS) } : {}
  return {
    level,
    sentence,
    fields: { ...Object.fromEntries(common), event: fields.event, ...Object.fromEntries(sums), ...files, times: count },
  }
}
