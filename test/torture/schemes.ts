/**
 * The names that real tools give to a file when they rotate it, one scheme each: pure functions of the file's name and of
 * how many rotations there were before.
 *
 * Guarantees: a name stays in the directory of its file; every scheme but `old` and those of a calendar gives a new
 * name each time; no name is one that a writer writes to.
 */
import { basename, dirname, extname, join } from 'node:path'

/** The parts of `app.log`: stem `app`, extension `.log`, whole `app.log`; the day and the number of the rotation. */
interface Parts {
  readonly stem: string
  readonly extension: string
  readonly whole: string
  readonly day: Date
  readonly n: number
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const FIRST_DAY = Date.UTC(2026, 0, 1)
const DAY = 86_400_000

const iso = (day: Date): string => day.toISOString().slice(0, 10)
const compact = (day: Date): string => iso(day).replaceAll('-', '')
const two = (n: number): string => String(n).padStart(2, '0')
const month = (day: Date): string => MONTHS[day.getUTCMonth()]!

const NAMES = {
  /** Tools that count on: `app.log.17`. */
  number: ({ whole, n }: Parts) => `${whole}.${n}`,
  /** winston: `app7.log`. */
  numberInStem: ({ stem, extension, n }: Parts) => `${stem}${n}${extension}`,
  /** log4j: `app-7.log`. */
  numberBehindStem: ({ stem, extension, n }: Parts) => `${stem}-${n}${extension}`,
  /** logrotate's `dateext`: `app.log-20260101`. */
  date: ({ whole, day }: Parts) => `${whole}-${compact(day)}`,
  /** logrotate's `dateext` with `extension .log`: `app-20260101.log`. */
  dateInStem: ({ stem, extension, day }: Parts) => `${stem}-${compact(day)}${extension}`,
  /** Python's TimedRotatingFileHandler, log4j's DailyRollingFileAppender: `app.log.2026-01-01`. */
  dottedDate: ({ whole, day }: Parts) => `${whole}.${iso(day)}`,
  /** lumberjack: `app-2026-01-01T10-00-00.000.log`. */
  time: ({ stem, extension, day, n }: Parts) => `${stem}-${iso(day)}T10-00-${two(n % 60)}.000${extension}`,
  /** logback, log4j2: `app.2026-01-01.0.log`. */
  dateAndNumber: ({ stem, extension, day, n }: Parts) => `${stem}.${iso(day)}.${n}${extension}`,
  /** streamroller: `app.log20260101`. */
  dateAtOnce: ({ whole, day }: Parts) => `${whole}${compact(day)}`,
  /** rotating-file-stream: `20260101-1000-07-app.log`. */
  dateFirst: ({ whole, day, n }: Parts) => `${compact(day)}-1000-${two(n)}-${whole}`,
  /** svlogd and multilog, TAI64N: `@4000000069567f4007a31c5c.s`. */
  tai: ({ day, n }: Parts) => `@40000000${(day.getTime() / 1000 + 10).toString(16)}07a3${hex(n)}.s`,
  /** log4j's `yyyy-'W'ww`: `app.log.2026-W05`. */
  week: ({ whole, day, n }: Parts) => `${whole}.${day.getUTCFullYear()}-W${two(1 + (n % 52))}`,
  /** strftime's `%b-%d`: `app-Jan-01.log`. */
  month: ({ stem, extension, day }: Parts) => `${stem}-${month(day)}-${two(day.getUTCDate())}${extension}`,
  /** strftime's `%a`: `app.log.Thu`. */
  weekday: ({ whole, day }: Parts) => `${whole}.${WEEKDAYS[day.getUTCDay()]}`,
  /** npm's handlers and many a shell script: `app.log.old`. */
  old: ({ whole }: Parts) => `${whole}.old`,
  /** logback while it compresses, and tools that rename in two steps: `app.log178203947.tmp`, and then a date. */
  temporary: ({ stem, extension, day }: Parts) => `${stem}.${iso(day)}${extension}`,
} as const satisfies Record<string, (parts: Parts) => string>

export type Scheme = keyof typeof NAMES

export const SCHEMES = Object.keys(NAMES) as Scheme[]

/** What a script calls a copy, and no tool a rotation: `app-q.log`. Only the content says whose copy it is. */
export function oddName(file: string, n: number): string {
  const extension = extname(file)
  const letters = [n % 26, Math.floor(n / 26) % 26].map(digit => String.fromCharCode(97 + digit))
  return `${file.slice(0, -extension.length)}-${letters.join('')}${extension}`
}

/** The names that the `n`th rotation of a file leads through, in their order; the last one stays. */
export function namesOf(scheme: Scheme, file: string, n: number): readonly string[] {
  const whole = basename(file)
  const extension = extname(whole)
  const stem = basename(whole, extension)
  const name = NAMES[scheme]({ stem, extension, whole, day: new Date(FIRST_DAY + n * DAY), n })
  const steps = scheme === 'temporary' ? [`${whole}${178_203_947 + n}.tmp`, name] : [name]
  return steps.map(step => join(dirname(file), step))
}

/** Files that lie beside a log and are no rotations of it. */
export function strangersOf(file: string): readonly string[] {
  const extension = extname(file)
  const stem = file.slice(0, -extension.length)
  return [`${file}.swp`, `${file}.lock`, `${file}.pos`, `${file}.sha256`, `${stem}-audit${extension}`, `${stem}.pid`]
}

const hex = (n: number): string => (0x1c5c + n).toString(16).padStart(4, '0')
