/**
 * Zones: which offset holds at which local time, from the year 2000 on.
 *
 *     local   ……… offset 1 h ………│ 02:00 – 03:00 is no time   │……… offset 2 h …
 *                                                              └ from here on
 *     local   ……… offset 2 h ……… 02:00 – 03:00 comes twice   │……… offset 1 h …
 *                                 └ the first is meant          └ from here on
 *
 * In both cases the old offset holds up to the later of the two clocks' times: the first of two, and a time that does not
 * exist is as much later as the clock was put forward.
 */
import { ZONES } from './zones.ts'

export interface ZoneFault {
  readonly found: string
  readonly allowed: string
  readonly hint?: string | undefined
}

/** A change of the offset: when, in seconds since the epoch, and what it is from then on, in seconds. */
export interface Change {
  readonly at: number
  readonly offset: number
}

export interface History {
  readonly first: number
  readonly changes: readonly Change[]
}

/** Rules that go on are followed up to here. */
const LAST_YEAR = 2099
const DAY = 86_400
const MINUTE = 60
const FIXED = /^([+-])(\d\d):?(\d\d)?$/

/** Pairs of local time and offset in seconds, in order: from that time on the offset holds. */
export function zoneRows(zone: string): { readonly rows: Uint32Array } | ZoneFault {
  const history = historyOf(zone)
  if ('found' in history) return history
  const rows = new Uint32Array(2 * (history.changes.length + 1))
  rows.set([0, history.first])
  let before = history.first
  for (const [index, { at, offset }] of history.changes.entries()) {
    rows.set([at + Math.max(before, offset), offset], 2 * index + 2)
    before = offset
  }
  return { rows }
}

/** What the offset was from 2000 on. */
export function historyOf(zone: string): History | ZoneFault {
  if (zone === 'UTC' || zone === 'Z') return { first: 0, changes: [] }
  const fixed = FIXED.exec(zone)
  if (fixed && Number(fixed[2]) <= 14 && Number(fixed[3] ?? 0) <= 59) {
    const minutes = 60 * Number(fixed[2]) + Number(fixed[3] ?? 0)
    return { first: MINUTE * (fixed[1] === '-' ? -minutes : minutes), changes: [] }
  }
  const words = ZONES.split('@').map(entry => entry.split(/\s+/))
  const entry = words.find(each => each.includes(zone))
  if (entry === undefined || !/^[A-Z]/.test(zone)) {
    const wanted = zone.toLowerCase().replaceAll(' ', '_')
    const meant = words.flat().find(each => /^[A-Z]/.test(each) && each.toLowerCase() === wanted)
    return {
      found: `the unknown zone ${JSON.stringify(zone)}`,
      allowed: 'a name of the tz database such as Europe/Berlin, an offset such as +02:00, or UTC',
      hint: meant && `did you mean ${meant}?`,
    }
  }
  const [first, ...rest] = entry
  return { first: MINUTE * Number(first), changes: rest.filter(word => word.includes(':')).flatMap(changesOf) }
}

/**
 * A word is one change, `MINUTES:OFFSET` (minutes since 2000, base 36, and minutes), or years in which the same holds:
 * `~FROM-TO:OFFSET,RULE:OFFSET,RULE`, where a rule is MONTH.WEEK.DAY/MINUTES of the clock before it, week 5 the last.
 */
function changesOf(word: string): Change[] {
  if (!word.startsWith('~')) {
    const [at, offset] = word.split(':') as [string, string]
    return [{ at: Date.UTC(2000) / 1000 + MINUTE * Number.parseInt(at, 36), offset: MINUTE * Number(offset) }]
  }
  const [years, one, other] = word.slice(1).split(':') as [string, string, string]
  const [from, to] = years.split('-') as [string, string]
  const parts = [one, other].map(text => {
    const [offset, rule] = text.split(',') as [string, string]
    return { offset: MINUTE * Number(offset), rule }
  })
  const changes: Change[] = []
  for (let year = Number(from); year <= Number(to || LAST_YEAR); year++) {
    for (const [index, { offset, rule }] of parts.entries()) {
      changes.push({ at: secondsOf(year, rule) - parts[1 - index]!.offset, offset })
    }
  }
  return changes
}

/** When a rule holds in a year, in seconds of the local clock. */
function secondsOf(year: number, rule: string): number {
  const [month, week, day, minutes] = rule.split(/[./]/).map(Number) as [number, number, number, number]
  const first = Date.UTC(year, month - 1, 1) / 1000
  const weekday = (4 + first / DAY) % 7
  let date = 1 + ((day - weekday + 7) % 7) + 7 * (week - 1)
  if (date > new Date(Date.UTC(year, month, 0)).getUTCDate()) date -= 7
  return first + DAY * (date - 1) + MINUTE * minutes
}
