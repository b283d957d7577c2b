/**
 * Loggers that are programs of their own and read lines from a pipe, savelog, and Python's handlers. Those that rotate
 * by the clock get one that tests turn: a day further for each rotation. The times of files are always the kernel's.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  linkSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { sleep, until } from '../program.ts'
import { leash } from '../support/leash.ts'
import { LINE } from './judge.ts'
import type { Log, LogDirectory, Rotation } from './rotation.ts'

/** Makes a logger rotate for the nth time, at once or with the next line. */
type Turn = (child: ChildProcess, n: number) => void | Promise<void>

/** A program that writes what comes through its standard input. */
class Piped implements Log {
  readonly #place: LogDirectory
  readonly #child: ChildProcess
  readonly #turn: Turn
  #rotations = 0

  constructor(place: LogDirectory, command: readonly string[], turn: Turn, env: Record<string, string> = {}) {
    this.#place = place
    this.#turn = turn
    this.#child = leash(
      spawn(command[0]!, command.slice(1), {
        stdio: ['pipe', 'ignore', 'inherit'],
        env: { PATH: process.env['PATH'], ...env },
      }),
    )
  }

  async write(lines: string): Promise<void> {
    this.#child.stdin!.write(lines)
    const last = lines.slice(-LINE)
    if (!(await until(() => endings(this.#place.directory).has(last)))) throw new Error('the logger has not written')
  }

  async rotate(): Promise<void> {
    await this.#turn(this.#child, ++this.#rotations)
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return
    this.#child.stdin!.end()
    await once(this.#child, 'exit')
  }
}

/** The last lines of all files in a directory. */
function endings(directory: string): Set<string> {
  const endings = new Set<string>()
  for (const name of readdirSync(directory)) {
    let file: number
    try {
      file = openSync(join(directory, name), 'r')
    } catch {
      // A link that leads nowhere yet, or a file that was just renamed.
      continue
    }
    const line = Buffer.alloc(LINE)
    const { size } = fstatSync(file)
    if (size >= LINE && fstatSync(file).isFile()) readSync(file, line, 0, LINE, size - LINE)
    closeSync(file)
    endings.add(line.toString())
  }
  return endings
}

const archives = (directory: string) => readdirSync(directory).filter(name => /^@.*\.s$/.test(name)).length

/**
 * As svlogd and multilog are told to rotate: by a signal, which they may miss just before they wait for input, and which
 * means nothing to them while there is nothing to rotate. When they have done so there is one more old file.
 */
const alarm = (place: LogDirectory) => async (child: ChildProcess) => {
  const before = archives(place.directory)
  const rotated = await until(async () => {
    child.kill('SIGALRM')
    return await until(() => archives(place.directory) > before, 0.5)
  })
  if (!rotated) throw new Error('the logger has not rotated')
}

/** A clock of its own for a program that rotates by time. */
function clock(place: LogDirectory): { turn: (n: number) => void; env: Record<string, string> } {
  const path = join(place.aside, 'clock')
  const set = (n: number) => writeFileSync(path, `@2026-01-0${n} 12:00:00\n`)
  set(1)
  return {
    turn: n => set(n + 1),
    env: {
      // $LIB is the dynamic linker's own.
      LD_PRELOAD: '/usr/$LIB/faketime/libfaketime.so.1',
      FAKETIME_TIMESTAMP_FILE: path,
      FAKETIME_NO_CACHE: '1',
      NO_FAKE_STAT: '1',
    },
  }
}

function clocked(place: LogDirectory, command: readonly string[]): Log {
  const { turn, env } = clock(place)
  return new Piped(place, command, (_child, n) => turn(n), env)
}

/** Rotates when it is told to by a line, and says when that is done by making a file. */
const PYTHON = `
import gzip, logging, logging.handlers as handlers, os, shutil, sys
kind, path, told = sys.argv[1:]
def packed(source, target):
    with open(source, 'rb') as plain, gzip.open(target, 'wb') as archive:
        shutil.copyfileobj(plain, archive)
    os.remove(source)
if kind == 'watched':
    handler = handlers.WatchedFileHandler(path)
elif kind == 'timed':
    handler = handlers.TimedRotatingFileHandler(path, when='midnight', backupCount=9)
    handler.rolloverAt = 1767225600
else:
    handler = handlers.RotatingFileHandler(path, backupCount=9)
if kind == 'packed':
    handler.rotator, handler.namer = packed, lambda name: name + '.gz'
for line in sys.stdin:
    if line != 'rotate\\n':
        handler.emit(logging.makeLogRecord({'msg': line[:-1]}))
        continue
    at = getattr(handler, 'rolloverAt', 0)
    handler.doRollover()
    handler.rolloverAt = at + 86400
    open(told, 'a').write('.')
`

function python(place: LogDirectory, kind: 'numbered' | 'packed' | 'timed'): Log {
  const told = join(place.aside, 'told')
  return new Piped(place, ['python3', '-u', '-c', PYTHON, kind, place.path(), told], async (child, n) => {
    child.stdin!.write('rotate\n')
    const rotated = () => (statSync(told, { throwIfNoEntry: false })?.size ?? 0) >= n
    if (!(await until(rotated))) throw new Error('the handler has not rotated')
  })
}

function savelog(place: LogDirectory, options: readonly string[]): Log {
  return {
    write: lines => appendFileSync(place.path(), lines),
    rotate() {
      execFileSync('savelog', ['-q', '-n', ...options, place.path()], { stdio: 'pipe' })
    },
  }
}

/**
 * multilog's own system calls, with a moment between them, as a busy machine has it: a file with two links counts as one
 * that was archived before a crash, and is removed. A link that another process made meanwhile costs the archive.
 */
function multilogSlowly(place: LogDirectory): Log {
  let rotations = 0
  return {
    write: lines => appendFileSync(place.path('current'), lines),
    async rotate() {
      const archive = place.path(`@400000006955b90${++rotations}1f2e3d4c.s`)
      const previous = place.path('previous')
      renameSync(place.path('current'), previous)
      writeFileSync(place.path('current'), '')
      await sleep(100)
      const { nlink } = statSync(previous)
      if (nlink === 1) linkSync(previous, archive)
      unlinkSync(previous)
      if (nlink !== 1) throw new Error('the archive is lost: its file had two links')
    },
  }
}

function svlogd(place: LogDirectory, config: string): Log {
  writeFileSync(place.path('config'), config)
  return new Piped(place, ['svlogd', place.directory], alarm(place))
}

export const tools: readonly Rotation[] = [
  { name: 'savelog', needs: ['savelog'], begin: place => savelog(place, ['-c', '9']) },
  { name: 'savelog without compression', needs: ['savelog'], begin: place => savelog(place, ['-c', '9', '-l', '-t']) },
  { name: 'svlogd', needs: ['svlogd'], follows: ['current'], begin: place => svlogd(place, 'n20\ns9999999\n') },
  {
    name: 'svlogd with a processor that compresses',
    needs: ['svlogd'],
    follows: ['current'],
    begin: place => svlogd(place, 'n20\ns9999999\n!gzip\n'),
  },
  {
    name: 'multilog',
    needs: ['multilog'],
    follows: ['current'],
    begin: place => new Piped(place, ['multilog', 's9999999', 'n20', place.directory], alarm(place)),
  },
  { name: 'multilog, slowly', follows: ['current'], begin: multilogSlowly },
  {
    name: 'cronolog, its link followed',
    needs: ['cronolog', 'faketime'],
    follows: ['current.log'],
    begin: place =>
      clocked(place, [
        ...['cronolog', '-S', place.path('current.log'), '-P', place.path('previous.log')],
        place.path('app-%Y%m%d.log'),
      ]),
  },
  {
    name: 'cronolog, its files followed',
    needs: ['cronolog', 'faketime'],
    follows: ['app-*.log'],
    order: 'file',
    begin: place => clocked(place, ['cronolog', place.path('app-%Y%m%d.log')]),
  },
  {
    name: 'rotatelogs, its link followed',
    needs: ['rotatelogs', 'faketime'],
    follows: ['current.log'],
    begin: place =>
      clocked(place, ['rotatelogs', '-L', place.path('current.log'), place.path('app.%Y%m%d.log'), '86400']),
  },
  {
    name: 'rotatelogs, its files followed',
    needs: ['rotatelogs', 'faketime'],
    follows: ['app.log*'],
    order: 'file',
    begin: place => clocked(place, ['rotatelogs', place.path(), '86400']),
  },
  {
    name: 'rotatelogs in a circle of files',
    needs: ['rotatelogs', 'faketime'],
    follows: ['app.log*'],
    order: 'file',
    begin: place => clocked(place, ['rotatelogs', '-n', '5', place.path(), '86400']),
  },
  { name: 'Python, RotatingFileHandler', needs: ['python3'], begin: place => python(place, 'numbered') },
  { name: 'Python, RotatingFileHandler that compresses', needs: ['python3'], begin: place => python(place, 'packed') },
  { name: 'Python, TimedRotatingFileHandler', needs: ['python3'], begin: place => python(place, 'timed') },
  {
    name: 'Python, WatchedFileHandler',
    needs: ['python3'],
    begin(place) {
      const watched = ['python3', '-u', '-c', PYTHON, 'watched', place.path(), join(place.aside, 'told')]
      return new Piped(place, watched, (_child, n) => {
        if (existsSync(place.path())) renameSync(place.path(), place.path(`app.log.${n}`))
      })
    },
  },
]
