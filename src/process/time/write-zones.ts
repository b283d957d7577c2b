/**
 * Writes zones.ts: what the tz database that Node holds says about all zones, from 2000 on. The image has no database, and
 * asking `Intl` while the program runs would cost it tens of milliseconds and some megabytes.
 *
 * Runs when a new database is to be had: `npm run zones`. Names are those of the database of the machine.
 */
import { readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const DATABASE = '/usr/share/zoneinfo'
const FROM = Date.UTC(2000)
/** Rules without a known end are followed for so long. */
const TO = Date.UTC(2038)
const MINUTE = 60_000
const COLUMNS = 118

/** A change of the offset: when, and the offset in minutes before and behind it. */
interface Change {
  readonly at: number
  readonly before: number
  readonly offset: number
}

function names(): string[] {
  return readdirSync(DATABASE, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() || entry.isSymbolicLink())
    .map(entry => `${entry.parentPath}/${entry.name}`.slice(DATABASE.length + 1))
    .filter(name => /^[A-Z]/.test(name) && isZone(name) && name !== 'UTC')
    .sort()
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

function offsetReader(name: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en', { timeZone: name, timeZoneName: 'longOffset' })
  return at => {
    const text = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')!.value
    const [, sign, hours, minutes] = /^GMT(?:([+-])(\d\d):(\d\d))?$/.exec(text)!
    return (sign === '-' ? -1 : 1) * (60 * Number(hours ?? 0) + Number(minutes ?? 0))
  }
}

/** All changes, found by looking once a week and halving. Two within a week that undo each other are not found. */
function changesOf(name: string): { first: number; changes: Change[] } {
  const offsetAt = offsetReader(name)
  const changes: Change[] = []
  const first = offsetAt(FROM)
  let before = first
  for (let at = FROM; at < TO; at += 7 * 24 * 60 * MINUTE) {
    const next = Math.min(TO, at + 7 * 24 * 60 * MINUTE)
    if (offsetAt(next) === before) continue
    let [low, high] = [at, next]
    while (high - low > MINUTE) {
      const middle = low + Math.floor((high - low) / MINUTE / 2) * MINUTE
      if (offsetAt(middle) === before) low = middle
      else high = middle
    }
    const offset = offsetAt(high)
    changes.push({ at: high, before, offset })
    before = offset
  }
  return { first, changes }
}

/** The ways in which the day of a change can be said. */
function rulesOf({ at, before }: Change): string[] {
  const local = new Date(at + before * MINUTE)
  const [month, date] = [local.getUTCMonth() + 1, local.getUTCDate()]
  const time = `${local.getUTCDay()}/${60 * local.getUTCHours() + local.getUTCMinutes()}`
  const last = date + 7 > new Date(Date.UTC(local.getUTCFullYear(), month, 0)).getUTCDate()
  const rules = date > 28 ? [] : [`${month}.${Math.ceil(date / 7)}.${time}`]
  return last ? [...rules, `${month}.5.${time}`] : rules
}

/** Changes as words, years in which the same rules hold as one. */
function wordsOf(changes: readonly Change[]): string[] {
  const words: string[] = []
  const year = ({ at, before }: Change) => new Date(at + before * MINUTE).getUTCFullYear()
  for (let at = 0; at < changes.length; ) {
    let [ones, others] = [rulesOf(changes[at]!), at + 1 < changes.length ? rulesOf(changes[at + 1]!) : []]
    let end = at
    while (end + 1 < changes.length) {
      const [one, other] = [changes[end]!, changes[end + 1]!]
      const same = one.offset === changes[at]!.offset && other.offset === changes[at + 1]!.offset
      const years = year(one) === year(other) && year(one) === year(changes[at]!) + (end - at) / 2
      const [left, right] = [rulesOf(one), rulesOf(other)].map((rules, index) =>
        (index === 0 ? ones : others).filter(rule => rules.includes(rule)),
      ) as [string[], string[]]
      const chained = one.before === other.offset && one.offset === other.before
      if (!same || !years || !chained || left.length === 0 || right.length === 0) break
      ;[ones, others] = [left, right]
      end += 2
    }
    if (end - at < 4) {
      const { at: when, offset } = changes[at++]!
      words.push(`${((when - FROM) / MINUTE).toString(36)}:${offset}`)
      continue
    }
    const last = year(changes[end - 1]!)
    const until = last === new Date(TO).getUTCFullYear() - 1 ? '' : last
    const [one, other] = [changes[at]!, changes[at + 1]!]
    words.push(`~${year(one)}-${until}:${one.offset},${ones.at(-1)}:${other.offset},${others.at(-1)}`)
    at = end
  }
  return words
}

/** The text of zones.ts: an entry begins with @ and the offset at the beginning of 2000. */
function textOf(): string {
  const entries = new Map<string, string[]>()
  for (const name of names()) {
    const { first, changes } = changesOf(name)
    const history = [`@${first}`, ...wordsOf(changes)].join(' ')
    entries.set(history, [...(entries.get(history) ?? []), name])
  }
  const lines: string[] = []
  for (const [history, zones] of entries) {
    let line = ''
    for (const word of [...history.split(' '), ...zones]) {
      if (line.length + word.length >= COLUMNS) {
        lines.push(line)
        line = word
      } else line += line === '' ? word : ` ${word}`
    }
    lines.push(line)
  }
  return lines.join('\n')
}

/** Writes the file; returns the version of the database. */
export function writeZones(): string {
  const version = process.versions['tz']!
  const text = [
    `// Written by write-zones.ts from version ${version} of the tz database. zone.ts says what the words mean.`,
    `export const TZ_VERSION = '${version}'`,
    `export const ZONES = \`${textOf()}\``,
    '',
  ]
  writeFileSync(fileURLToPath(new URL('./zones.ts', import.meta.url)), text.join('\n'))
  return version
}

if (import.meta.main) process.stdout.write(`zones: ${writeZones()}\n`)
