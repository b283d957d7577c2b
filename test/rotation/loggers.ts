/**
 * What loggers of npm do to files, as system calls: no logger, and none is installed for it. Those that only rename
 * stand among the schemes of names; here are those that begin each file under a name of its own, those that turn a
 * link, and those that compress in ways of their own.
 */
import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Log, LogDirectory, Rotation } from './rotation.ts'

interface NewNames {
  readonly name: (n: number) => string
  readonly link?: string
  /** The file before is compressed and removed. */
  readonly compresses?: boolean
  /** So many files are kept. */
  readonly keeps?: number
}

/** Each file is begun under a name of its own, the first with n = 0. */
class NewlyNamed implements Log {
  readonly #place: LogDirectory
  readonly #names: NewNames
  #n = 0
  #file: number

  constructor(place: LogDirectory, names: NewNames) {
    this.#place = place
    this.#names = names
    this.#file = this.#open()
  }

  write(lines: string): void {
    writeSync(this.#file, lines)
  }

  rotate(): void {
    const { name, compresses, keeps } = this.#names
    const old = this.#place.path(name(this.#n++))
    this.end()
    this.#file = this.#open()
    if (compresses) {
      writeFileSync(`${old}.gz`, gzipSync(readFileSync(old)))
      rmSync(old)
    }
    if (keeps !== undefined && this.#n >= keeps) rmSync(this.#place.path(name(this.#n - keeps)), { force: true })
  }

  end(): void {
    closeSync(this.#file)
  }

  #open(): number {
    const { name, link } = this.#names
    const path = this.#place.path(name(this.#n))
    const file = openSync(path, 'a')
    if (link !== undefined) {
      rmSync(this.#place.path(link), { force: true })
      symlinkSync(basename(path), this.#place.path(link))
    }
    return file
  }
}

/** streamroller: numbers are shifted from the oldest; a compressed one is written beside its file, which goes last. */
function streamroller(place: LogDirectory, numbered: (n: number) => string): Log {
  const name = (n: number) => `${place.path(numbered(n))}.gz`
  let rotations = 0
  return {
    write: lines => appendFileSync(place.path(), lines),
    rotate() {
      for (let n = rotations++; n >= 1; n--) renameSync(name(n), name(n + 1))
      writeFileSync(name(1), gzipSync(readFileSync(place.path())))
      rmSync(place.path())
    },
  }
}

/** rotating-file-stream: renamed to a name that only then is compressed into another one. */
function rotatingFileStream(place: LogDirectory): Log {
  let rotations = 0
  return {
    write: lines => appendFileSync(place.path(), lines),
    rotate() {
      const target = place.path(`2026010${++rotations}-0000-01-app.log.gz`)
      const meanwhile = place.path(`app.log.${rotations}.tmp`)
      renameSync(place.path(), meanwhile)
      writeFileSync(target, gzipSync(readFileSync(meanwhile)))
      rmSync(meanwhile)
    },
  }
}

const day = (n: number) => `2026-01-0${n + 1}`

export const loggers: readonly Rotation[] = [
  {
    name: 'winston, a new number for each file',
    follows: ['app*.log'],
    order: 'file',
    begin: place => new NewlyNamed(place, { name: n => `app${n === 0 ? '' : n}.log` }),
  },
  {
    name: 'winston-daily-rotate-file, its files followed',
    follows: ['app-*.log'],
    order: 'file',
    begin: place => new NewlyNamed(place, { name: n => `app-${day(n)}.log`, compresses: true }),
  },
  {
    name: 'winston-daily-rotate-file, its link followed',
    follows: ['current.log'],
    begin: place => new NewlyNamed(place, { name: n => `app-${day(n)}.log`, link: 'current.log' }),
  },
  {
    name: 'winston-daily-rotate-file, its link followed, compressed',
    follows: ['current.log'],
    begin: place => new NewlyNamed(place, { name: n => `app-${day(n)}.log`, link: 'current.log', compresses: true }),
  },
  {
    name: 'pino-roll, its files followed',
    follows: ['app.*.log'],
    order: 'file',
    begin: place => new NewlyNamed(place, { name: n => `app.${n + 1}.log`, keeps: 2 }),
  },
  {
    name: 'pino-roll, its link followed',
    follows: ['current.log'],
    begin: place => new NewlyNamed(place, { name: n => `app.${n + 1}.log`, link: 'current.log' }),
  },
  { name: 'streamroller, compressed', begin: place => streamroller(place, n => `app.log.${n}`) },
  { name: 'streamroller, compressed, extension kept', begin: place => streamroller(place, n => `app.${n}.log`) },
  { name: 'rotating-file-stream, compressed', begin: rotatingFileStream },
]
