/**
 * Debian's logrotate, and an application that appends to app.log. Each run is a day later than the one before, for its
 * clock and not for the kernel's: names with dates repeat within a day otherwise, and `maxage` counts days.
 */
import { execFileSync } from 'node:child_process'
import { appendFileSync, closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Log, LogDirectory, Rotation } from './rotation.ts'

const DAY = 86_400

interface Configuration {
  readonly name: string
  readonly directives: string
  /** The application keeps its handle until it is told, and writes so many lines to the old file meanwhile. */
  readonly keeps?: boolean
  readonly follows?: readonly string[]
  readonly order?: 'log' | 'file'
  readonly refuses?: boolean
  readonly anonymous?: boolean
}

const configurations: readonly Configuration[] = [
  { name: 'create', directives: 'rotate 20; create 0644', keeps: true },
  { name: 'create, all in the pattern', directives: 'rotate 20; create 0644', follows: ['app.log*'] },
  { name: 'copytruncate', directives: 'rotate 20; copytruncate' },
  { name: 'copytruncate, copies in the pattern', directives: 'rotate 20; copytruncate', follows: ['app.log*'] },
  { name: 'copytruncate, compress', directives: 'rotate 20; copytruncate; compress' },
  { name: 'copytruncate, compress, delaycompress', directives: 'rotate 20; copytruncate; compress; delaycompress' },
  { name: 'compress', directives: 'rotate 20; create 0644; compress' },
  { name: 'compress, delaycompress', directives: 'rotate 20; create 0644; compress; delaycompress', keeps: true },
  {
    name: 'compress with zstd',
    directives:
      'rotate 20; create 0644; compress; compresscmd /usr/bin/zstd; compressext .zst; compressoptions --rm -q',
  },
  { name: 'dateext', directives: 'rotate 20; create 0644; dateext' },
  { name: 'dateext, copytruncate', directives: 'rotate 20; copytruncate; dateext' },
  { name: 'dateext, extension .log', directives: 'rotate 20; create 0644; dateext; extension .log' },
  {
    name: 'dateext, extension .log, in the pattern',
    directives: 'rotate 20; create 0644; dateext; extension .log',
    follows: ['*.log'],
    order: 'file',
  },
  {
    name: 'dateext, extension .log, compress',
    directives: 'rotate 20; create 0644; dateext; extension .log; compress',
  },
  { name: 'extension .log, compress', directives: 'rotate 20; create 0644; extension .log; compress' },
  {
    name: 'extension .log, compress, delaycompress',
    directives: 'rotate 20; create 0644; extension .log; compress; delaycompress',
  },
  { name: 'olddir', directives: 'rotate 20; create 0644; olddir old' },
  // It is an archive there within milliseconds: one rotation before a death need not have been seen in that directory.
  { name: 'olddir, compress', directives: 'rotate 20; create 0644; olddir old; compress', anonymous: true },
  { name: 'dateformat -%s', directives: 'rotate 20; create 0644; dateext; dateformat -%s' },
  { name: 'shred, rotate 1', directives: 'rotate 1; create 0644; shred; shredcycles 1', refuses: true },
  { name: 'maxage 1', directives: 'rotate 20; create 0644; maxage 1' },
  { name: 'rotate 1', directives: 'rotate 1; create 0644' },
  {
    name: 'nocreate, postrotate',
    directives: 'rotate 20; nocreate; postrotate\n  touch ../aside/told\n  endscript',
    keeps: true,
  },
]

export const logrotate: readonly Rotation[] = configurations.map(configuration => ({
  ...configuration,
  needs: ['logrotate', 'faketime'],
  begin: place => new Logrotate(place, configuration),
}))

class Logrotate implements Log {
  readonly #path: string
  readonly #keeps: boolean
  readonly #aside: string
  readonly #config: string
  #file: number | undefined
  /** Of logrotate's clock: seconds since the epoch. */
  #now = Math.floor(Date.now() / 1000)

  constructor(place: LogDirectory, { directives, keeps = false }: Configuration) {
    this.#path = place.path()
    this.#aside = place.aside
    this.#keeps = keeps
    this.#config = join(place.aside, 'logrotate.conf')
    if (directives.includes('olddir')) mkdirSync(place.path('old'), { mode: 0o755 })
    const lines = directives.split('; ').map(directive => `  ${directive.replace('../aside', place.aside)}\n`)
    writeFileSync(this.#config, `${this.#path} {\n${lines.join('')}}\n`, { mode: 0o644 })
  }

  write(lines: string): void {
    if (!this.#keeps) appendFileSync(this.#path, lines)
    else writeSync((this.#file ??= openSync(this.#path, 'a')), lines)
  }

  rotate(): void {
    this.#now += DAY
    for (let attempt = 0; ; attempt++) {
      try {
        this.#run()
        break
      } catch (error) {
        // Its semaphore is called after a process number, and may be left from one that was killed.
        const { stderr } = error as { stderr?: Buffer }
        if (attempt === 3 || !stderr?.includes('sem_open')) throw error
      }
    }
    this.reopen()
  }

  #run(): void {
    execFileSync('faketime', [`@${this.#now}`, 'logrotate', '-f', '-s', join(this.#aside, 'status'), this.#config], {
      stdio: 'pipe',
      // Files keep the times that the kernel gives them.
      env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, NO_FAKE_STAT: '1' },
    })
  }

  /** The application is told to open its log again. */
  reopen(): void {
    this.end()
  }

  end(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }
}
