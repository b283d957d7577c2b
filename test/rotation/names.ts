/**
 * The names that loggers give to rotated files, and an application that renames as they do: no logger, only its names
 * and system calls. `n` counts rotations from 1.
 */
import {
  appendFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { Log, LogDirectory, Rotation } from './rotation.ts'

/** What is done to a file once it is renamed. */
export type Packing = 'plain' | 'gzip' | 'zstd'

interface Scheme {
  readonly name: string
  /** The followed name, `app.log` unless it is said. */
  readonly current?: string
  readonly rotated: (n: number) => string
  /** The newest has the lowest number: all others are renamed first. */
  readonly shifts?: boolean
  /** The name that it has until it is compressed, where that is another. */
  readonly meanwhile?: (n: number) => string
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
const two = (n: number) => String(n).padStart(2, '0')

export const schemes: readonly Scheme[] = [
  { name: 'numbers', rotated: n => `app.log.${n}`, shifts: true },
  { name: 'numbers before the extension, log4j2', rotated: n => `app-${n}.log` },
  { name: 'numbers without a separator, winston', rotated: n => `app${n}.log` },
  { name: 'numbers without a separator, winston tailable', rotated: n => `app${n}.log`, shifts: true },
  { name: 'dates, log4j', rotated: n => `app.log.2026-01-${two(n)}` },
  { name: 'dates and hours, log4j', rotated: n => `app.log.2026-01-01-${two(n)}` },
  { name: 'dates before the extension, logrotate', rotated: n => `app-202601${two(n)}.log` },
  { name: 'dates and an index, logback', rotated: n => `app.2026-01-01.${n}.log` },
  {
    name: 'dates and an index, logback by tmp',
    rotated: n => `app.2026-01-01.${n}.log`,
    meanwhile: n => `app.log8812${n}0041.tmp`,
  },
  { name: 'dates and times, lumberjack', rotated: n => `app-2026-01-01T10-00-${two(n)}.000.log` },
  { name: 'dates and times with a zone', rotated: n => `app.log.2026-01-01T10:00:${two(n)}Z` },
  { name: 'dates without a separator, streamroller', rotated: n => `app.log202601${two(n)}` },
  { name: 'dates first, rotating-file-stream', rotated: n => `202601${two(n)}-0000-01-app.log` },
  { name: 'weeks, log4j', rotated: n => `app.log.2026-W${two(n)}` },
  { name: 'weeks before the extension', rotated: n => `app-W${two(n)}.log` },
  { name: 'names of months', rotated: n => `app.log-${MONTHS[n % 12]}-01` },
  { name: 'names of weekdays', rotated: n => `app.log.${DAYS[n % 7]}` },
  { name: 'names of weekdays before the extension', rotated: n => `app.${DAYS[n % 7]}.log` },
  { name: 'old', rotated: () => 'app.log.old' },
  { name: 'old before the extension', rotated: () => 'app.old.log' },
  { name: 'bak', rotated: () => 'app.bak' },
  { name: 'TAI64N, multilog', current: 'current', rotated: n => `@400000006955b90${n}1f2e3d4c.s` },
  { name: 'no extension, syslog', current: 'messages', rotated: n => `messages.${n}`, shifts: true },
  { name: 'seconds, logrotate', rotated: n => `app.log-176722560${n}` },
  { name: 'seconds behind the name, rotatelogs', current: 'access', rotated: n => `access.176722560${n}` },
  { name: 'process numbers, glog', rotated: n => `app.host.root.log.INFO.20260101-10000${n}.4711` },
]

/** The schemes as rotations; `packing` is done at once. */
export const renamed = (packing: Packing): Rotation[] =>
  schemes.map(scheme => ({
    name: scheme.name,
    follows: [scheme.current ?? 'app.log'],
    begin: place => new Renamed(place, scheme, packing),
  }))

const EXTENSION = { plain: '', gzip: '.gz', zstd: '.zst' } as const

class Renamed implements Log {
  readonly #place: LogDirectory
  readonly #scheme: Scheme
  readonly #packing: Packing
  readonly #path: string
  #rotations = 0

  constructor(place: LogDirectory, scheme: Scheme, packing: Packing) {
    this.#place = place
    this.#scheme = scheme
    this.#packing = packing
    this.#path = place.path(scheme.current ?? 'app.log')
  }

  write(lines: string): void {
    appendFileSync(this.#path, lines)
  }

  rotate(): void {
    const { rotated, shifts = false, meanwhile = rotated } = this.#scheme
    const extension = EXTENSION[this.#packing]
    const number = ++this.#rotations
    const name = (n: number) => this.#place.path(rotated(n) + extension)
    if (shifts) for (let n = number; n > 1; n--) if (existsSync(name(n - 1))) renameSync(name(n - 1), name(n))
    const n = shifts ? 1 : number
    const plain = this.#place.path(meanwhile(n))
    renameSync(this.#path, plain)
    if (this.#packing !== 'plain') pack(plain, name(n), this.#packing)
    else if (plain !== name(n)) renameSync(plain, name(n))
  }
}

/** As `gzip` and `zstd --rm` do: the archive has the times of the file, which is removed then. */
export function pack(path: string, target: string, packing: 'gzip' | 'zstd'): void {
  const { atime, mtime } = statSync(path)
  const content = readFileSync(path)
  writeFileSync(target, packing === 'gzip' ? gzipSync(content) : zstdCompressSync(content))
  utimesSync(target, atime, mtime)
  rmSync(path)
}
