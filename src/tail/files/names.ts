/**
 * Names: what the name of a file says about the file it may have been rotated from.
 *
 * A name never decides alone who a file is. It narrows down which files are compared at all, and where identity cannot
 * decide (nothing of the file was ever seen) it is one of the things that must agree. Rotation tools agree on nothing:
 * a number, a date, a week, a weekday, a label of time, or the word `old`, in front, in the middle or behind. So beside
 * what is known of names in general, the shape of the names that rotations of one path had before is remembered.
 */
import { basename, dirname, extname } from 'node:path'
import { Recent } from './recent.ts'

/** Suffixes of compressed files; the first two can be unpacked. */
const COMPRESSED = /\.(gz|zst|bz2|xz|lz4|lzma|Z)$/

/** The name without the suffix that a compressor puts behind it. */
export function withoutCompression(name: string): string {
  return name.replace(COMPRESSED, '')
}

export function isCompressed(name: string): boolean {
  return COMPRESSED.test(name)
}

/** svlogd's name of a file that it is done with: a processor may have compressed it, and the name does not say so. */
const PROCESSED = /^@[0-9a-f]{24}\.s$/

/** Whether a file of that name may be compressed; whether it is, its first bytes say. */
export function mayBeCompressed(name: string): boolean {
  return isCompressed(name) || PROCESSED.test(name)
}

/** What is in the name of every rotation that is not known to be called otherwise: `app.log` → `app`. */
export function stemOf(original: string): string {
  return basename(original, extname(original))
}

/** `app.log` → `app.log.1`, `app.log-20260101`, `app-20260101.log`, and each of them compressed. */
export function isRotationOf(name: string, original: string): boolean {
  if (name === original) return false
  const extension = extname(original)
  const plain = withoutCompression(name)
  return (
    plain.startsWith(original) ||
    (plain.startsWith(basename(original, extension)) && extension !== '' && plain.endsWith(extension)) ||
    isLikely(plain, original)
  )
}

/** Whether one path is that of a rotation of the other, in the same directory. */
export function isRelated(path: string, original: string): boolean {
  return dirname(path) === dirname(original) && isRotationOf(basename(path), basename(original))
}

/** A number or a date, as rotations put it into a name: `.1`, `-20260101`, `.2026-01-01T10:00:00Z`. */
const NUMBER = /^[._-]\d[\dTZ:._+-]*$/

/** The names that a file may have had before `name`, if that is a rotation's: `app.log.1` was `app.log`. */
export function originalsOf(name: string): string[] {
  const extension = extname(name)
  const stem = basename(name, extension)
  const originals: string[] = []
  for (const { index } of name.matchAll(/[._-]\d/g)) {
    if (index === 0) continue
    if (NUMBER.test(name.slice(index))) originals.push(name.slice(0, index))
    else if (NUMBER.test(stem.slice(index))) originals.push(stem.slice(0, index) + extension)
  }
  return originals
}

/**
 * Whether the name is the original with a number or a date put in. What merely looks related (`app-audit.log`,
 * `app.log.swp`) was never meant to be read.
 */
export function isNumbered(name: string, original: string): boolean {
  const extension = extname(original)
  const stem = basename(original, extension)
  const added = name.startsWith(original)
    ? name.slice(original.length)
    : name.startsWith(stem) && name.endsWith(extension)
      ? name.slice(stem.length, name.length - extension.length)
      : ''
  return NUMBER.test(added)
}

const MONTHS = 'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec'
const DAYS = 'mon|tue|wed|thu|fri|sat|sun'
const LONG_MONTHS = 'january|february|march|april|june|july|august|september|october|november|december'
const LONG_DAYS = 'monday|tuesday|wednesday|thursday|friday|saturday|sunday'
const CALENDAR = `${LONG_MONTHS}|${LONG_DAYS}|${MONTHS}|${DAYS}`
const WORDS = 'old|bak|backup|prev|previous|orig|tmp'
const WORD = new RegExp(`^(${WORDS})$`, 'i')
/** What a rotation puts into a name, between separators; `tmp` only beside something else. */
const ADDED = new RegExp(`^(t?\\d+(t\\d+)?z?|w\\d{1,2}|[0-9a-f]{16,}|${CALENDAR}|${WORDS})$`, 'i')

/**
 * Whether the name is the original with nothing but numbers, dates, weekdays and such words as `old` in front, in the
 * middle or behind, with separators or without. Weaker than `isNumbered`: `app1.log` may well be another file.
 */
export function isLikely(name: string, original: string): boolean {
  return likeness(name, original) !== 'nothing'
}

/** `word`: nothing but `old` and the like is added, as people do by hand as well. */
function likeness(name: string, original: string): 'likely' | 'word' | 'nothing' {
  const extension = extname(original)
  const stem = basename(original, extension)
  // `app.bak`: the extension was replaced.
  if (name.startsWith(`${stem}.`) && WORD.test(name.slice(stem.length + 1)) && !/\.tmp$/i.test(name)) return 'word'
  const whole = name.indexOf(original)
  let added: string
  if (whole >= 0) added = `${name.slice(0, whole)} ${name.slice(whole + original.length)}`
  else {
    const at = name.indexOf(stem)
    if (stem === '' || at < 0 || !name.endsWith(extension) || name.length < at + stem.length + extension.length)
      return 'nothing'
    added = `${name.slice(0, at)} ${name.slice(at + stem.length, name.length - extension.length)}`
  }
  const tokens = added.split(/[^A-Za-z0-9]+/).filter(token => token !== '')
  if (tokens.length === 0 || !tokens.every(token => ADDED.test(token))) return 'nothing'
  if (tokens.every(token => WORD.test(token))) return tokens.every(token => /^tmp$/i.test(token)) ? 'nothing' : 'word'
  return 'likely'
}

/** What may differ between the names of two rotations of one file: labels of time in hexadecimal, numbers, calendars. */
const VARIABLE = new RegExp(`[0-9a-f]{16,}|\\d+|(?<![A-Za-z])(?:${CALENDAR})(?![a-z])`, 'gi')

/**
 * How names look that differ from `name` only in their numbers and dates, or undefined if it has none. What stands from
 * `kept` on, so many characters, stays as it is.
 */
export function shapeOf(name: string, kept = { at: 0, length: 0 }): RegExp | undefined {
  let source = ''
  let from = 0
  for (const { 0: run, index } of name.matchAll(VARIABLE)) {
    if (index >= kept.at && index < kept.at + kept.length) continue
    source += literal(name.slice(from, index))
    source += /^\d+$/.test(run) ? '\\d+' : /^[0-9a-f]{16,}$/i.test(run) ? '[0-9a-f]{16,}' : `(?:${CALENDAR})`
    from = index + run.length
  }
  if (from === 0) return undefined
  // svlogd's names end in `u` until a processor is done with the file, in `s` afterwards.
  const end = literal(name.slice(from)).replace(/^\\\.[us]$/, '\\.[us]')
  return new RegExp(`^${source}${end}$`, 'is')
}

/**
 * Where the stem of a path stands in the name of one of its rotations, as a word of its own: there it is no number, however
 * it looks. `1.log.5` is a rotation of `1.log`, and none of `2.log`; of a thousand of them each would be looked for among
 * the rotations of all.
 */
function stemIn(name: string, stem: string): { readonly at: number; readonly length: number } | undefined {
  if (stem === '') return undefined
  for (let at = name.indexOf(stem); at >= 0; at = name.indexOf(stem, at + 1)) {
    if (!isWithin(name, at) && !isWithin(name, at + stem.length)) return { at, length: stem.length }
  }
  return undefined
}

/** Whether a place is in the middle of a word or a number. */
function isWithin(name: string, at: number): boolean {
  return /^[A-Za-z0-9]{2}$/.test(name.slice(Math.max(0, at - 1), at + 1))
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

/** Shapes and directories that are remembered for one path. */
const MOST = 8

interface Shape {
  readonly names: RegExp
  /** The stem of the path stands in each of them. */
  readonly stemmed: boolean
}

interface Habit {
  readonly shapes: Map<string, Shape>
  readonly directories: Set<string>
}

/** Makes room for `key` as the latest of a few. */
function latest<T extends { size: number; keys(): Iterator<string>; delete(key: string): boolean }>(
  few: T,
  key: string,
): T {
  few.delete(key)
  const { value: oldest } = few.keys().next()
  if (few.size >= MOST && oldest !== undefined) few.delete(oldest)
  return few
}

/** What rotations of each followed path were called, and where they went. */
export class Habits {
  readonly #byOrigin: Recent<Habit>
  /** How often something was learned that was not known. */
  lessons = 0

  /** `isFollowed`: whether a file is followed under a path now. */
  constructor(isFollowed: (path: string) => boolean = () => false) {
    this.#byOrigin = new Recent(isFollowed)
  }

  /** A file that was followed as `origin` has been found at `path`. */
  learn(origin: string, path: string): void {
    if (withoutCompression(path) === origin) return
    const habit = this.#byOrigin.get(origin) ?? { shapes: new Map(), directories: new Set() }
    this.#byOrigin.set(origin, habit)
    const name = withoutCompression(basename(path))
    const stem = stemIn(name, stemOf(basename(origin)))
    const shape = shapeOf(name, stem)
    const isKnown = shape === undefined || habit.shapes.has(shape.source)
    if (!isKnown || !habit.directories.has(dirname(path))) this.lessons++
    if (shape) latest(habit.shapes, shape.source).set(shape.source, { names: shape, stemmed: stem !== undefined })
    latest(habit.directories, dirname(path)).add(dirname(path))
  }

  /** Whether anything was learned of the path. */
  knows(origin: string): boolean {
    return this.#byOrigin.has(origin)
  }

  /** What stands in the name of each rotation of `origin`: nothing where they are known to be called in another way. */
  stemOf(origin: string): string {
    for (const { stemmed } of this.#byOrigin.get(origin)?.shapes.values() ?? []) if (!stemmed) return ''
    return stemOf(basename(origin))
  }

  /** The directories in which rotations of `origin` may be: its own first. */
  directoriesOf(origin: string): string[] {
    return [...new Set([dirname(origin), ...(this.#byOrigin.get(origin)?.directories ?? [])])]
  }

  /** How much a name without compression says for being a rotation of `origin`. */
  says(name: string, origin: string): 'numbered' | 'learned' | 'likely' | 'word' | 'nothing' {
    const original = basename(origin)
    if (isNumbered(name, original)) return 'numbered'
    const shapes = this.#byOrigin.get(origin)?.shapes.values() ?? []
    for (const { names } of shapes) if (name !== original && names.test(name)) return 'learned'
    return likeness(name, original)
  }
}
