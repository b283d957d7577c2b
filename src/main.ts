/**
 * The process: argv → command → exit code. The only file that ends the process (`cli/leave.ts` says how), and the only
 * one that knows the library behind the logger. Signal handlers stand before anything that takes time: as PID 1 of a
 * container we have no default ones.
 *
 * Guarantees: what a command writes has arrived before the process ends, however slowly it is read. Only the log of
 * what runs for long (`run`, `replay`) is bounded: a reader that has stopped must not hold up shipping.
 */
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { resolve } from 'node:path'
import { isatty } from 'node:tty'
import { pino } from 'pino'
import { type Command, parseArgs } from './cli/args.ts'
import type { Screen } from './cli/demo/view.ts'
import { EXIT } from './cli/exit.ts'
import { leave } from './cli/leave.ts'
import { Output, type Streams } from './cli/output.ts'
import { type Interruption, run } from './cli/run.ts'
import { Stderr } from './cli/stderr.ts'
import type { LogLevel } from './config/config.ts'
import { formatProblem, type Loaded, type LoadRequest, loadConfig } from './config/load.ts'
import { codeOf } from './errors.ts'
import type { Level } from './events/rule.ts'
import { Limiter } from './limiter.ts'
import type { Logger } from './log.ts'
import { VERSION } from './version.ts'

const waiting: Interruption[] = []
let interrupt = (interruption: Interruption): void => void waiting.push(interruption)
// Node would open its debugger on loopback, which every container of the pod reaches. The image says so with a flag too,
// which counts from the first moment.
process.on('SIGUSR1', () => {})
const command = parseArgs(process.argv.slice(2))
switch (command.kind) {
  case 'run':
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => interrupt('end'))
    if (!ignores(constants.signals.SIGHUP)) process.on('SIGHUP', () => interrupt('hangup'))
    break
  case 'replay':
  case 'tap':
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => interrupt('end'))
    break
  case 'status':
    if (command.watch) {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => interrupt('end'))
      break
    }
    defaults()
    break
  case 'demo':
    break
  default:
    defaults()
}

/** Nothing is in danger: they end at once. What is PID 1 has no default handlers. */
function defaults(): void {
  if (process.pid === 1)
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => leave(EXIT.interrupted))
}

/** Whether a signal was ignored when the process started, as nohup does (proc(5), /proc/pid/status). */
function ignores(signal: number): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0'
    return (BigInt(`0x${mask}`) & (1n << BigInt(signal - 1))) !== 0n
  } catch {
    return false
  }
}

/** Where relative paths begin. A directory that was deleted may come back under its name. */
function workingDirectory(): string {
  try {
    return process.cwd()
  } catch {
    return process.env['PWD'] ?? '/'
  }
}

/** Signals that came before there was a listener are not lost. */
function onInterruption(listener: (interruption: Interruption) => void): void {
  interrupt = listener
  for (const interruption of waiting.splice(0)) listener(interruption)
}

const stdout = new Output(1)
const bounded = new Stderr()
const stderr = command.kind === 'run' || command.kind === 'replay' ? bounded : new Output(2)
const streams: Streams = { out: stdout, err: stderr }

/** JSON on standard error, and as much of it as the limiter lets through. */
const json = pino(
  { base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: label => ({ level: label }) } },
  bounded,
)
const limiter = new Limiter(json, { enabled: (level: Level) => json.isLevelEnabled(level) })

function logger(level: LogLevel): Logger {
  json.level = level
  return limiter
}

/** Where the demo draws: in place on a terminal, line by line elsewhere. */
function screen(): Screen {
  const terminal = isatty(1) && process.env['TERM'] !== 'dumb' ? process.stdout : undefined
  return {
    isTTY: terminal !== undefined,
    get columns() {
      return terminal?.columns ?? 80
    },
    write: text => stdout.write(text),
  }
}

function say(text: string): void {
  stdout.write(`${text}\n`)
}

function complain(text: string): void {
  stderr.write(`${text}\n`)
}

/** What the command asks for. */
function requestOf({ config, paths = [] }: { config: string | undefined; paths?: readonly string[] }): LoadRequest {
  return { file: config, paths, env: process.env, cwd: workingDirectory() }
}

async function configured(request: LoadRequest): Promise<Extract<Loaded, { kind: 'ok' }> | undefined> {
  const loaded = await loadConfig(request)
  if (loaded.kind === 'ok') {
    for (const warning of loaded.warnings) complain(`warning: ${warning}`)
    return loaded
  }
  for (const problem of loaded.problems) complain(formatProblem(problem))
  return undefined
}

async function perform(command: Command): Promise<number> {
  switch (command.kind) {
    case 'help':
      say((await import('./cli/help.ts')).helpOf(command.command))
      return EXIT.ok
    case 'version':
      if (command.form === 'number') say(VERSION)
      else {
        const { about, inOneLine } = await import('./cli/version.ts')
        say(command.form === 'json' ? JSON.stringify(about(), null, 2) : inOneLine(about()))
      }
      return EXIT.ok
    case 'wrong':
      complain(`logshipper: ${command.message}\nsee logshipper --help`)
      return EXIT.configuration
    case 'schema':
      say(JSON.stringify((await import('./config/published.ts')).publishedSchema(), null, 2))
      return EXIT.ok
    case 'completion':
      stdout.write((await import('./cli/completion.ts')).completionOf(command.shell))
      return EXIT.ok
    case 'validate':
      return (await import('./cli/validate.ts')).validate(requestOf(command), command.json, streams)
    case 'config': {
      const all = (await configured(requestOf(command)))?.explain()
      if (all === undefined) return EXIT.configuration
      say(command.json ? JSON.stringify(all, null, 2) : (await import('./cli/config.ts')).explained(all))
      return EXIT.ok
    }
    case 'status':
      if (command.watch) {
        const terminal = (): { columns: number; rows: number } | undefined =>
          isatty(1) ? { columns: process.stdout.columns, rows: process.stdout.rows } : undefined
        return (await import('./cli/watch.ts')).watch(command, { out: stdout, terminal, onInterruption })
      }
      return (await import('./cli/status.ts')).status(command, streams)
    case 'tap':
      return (await import('./cli/tap.ts')).tap(command, { ...streams, out: stdout, onInterruption })
    case 'bundle': {
      const loaded = await loadConfig(requestOf(command))
      const request = { admin: command.admin, loaded, terminal: isatty(1) }
      return (await import('./cli/bundle.ts')).bundle(request, { out: stdout, err: stderr })
    }
    case 'ledger':
      return (await import('./cli/ledger.ts')).ledger(command, streams)
    case 'prestop':
      return (await import('./cli/prestop.ts')).prestop(command, streams)
    case 'replay': {
      const { config } = (await configured(requestOf(command))) ?? {}
      if (config === undefined) return EXIT.configuration
      return (await import('./cli/replay.ts')).replay(config, command, logger('warn'), onInterruption, streams)
    }
    case 'check': {
      const config = (await configured(requestOf(command)))?.config
      if (config === undefined) return EXIT.configuration
      return (await import('./cli/check.ts')).check(config, command, streams)
    }
    case 'test': {
      const { config } = (await configured(requestOf(command))) ?? {}
      if (config === undefined) return EXIT.configuration
      return (await import('./cli/test.ts')).test(config, command, process.stdin, streams)
    }
    case 'explain': {
      const { config } = (await configured(requestOf(command))) ?? {}
      if (config === undefined) return EXIT.configuration
      const file = resolve(workingDirectory(), command.file)
      return (await import('./cli/explain.ts')).explain(config, { ...command, file }, streams)
    }
    case 'doctor':
    case 'inject':
      return (await import('./cli/manifests.ts')).onManifests(command, streams)
    case 'convert':
      return (await import('./cli/convert.ts')).convert(command, loadConfig, streams)
    case 'demo':
      return (await import('./cli/demo.ts')).runDemo([process.argv[1]!], screen())
    case 'run': {
      const request = requestOf(command)
      const loaded = await configured(request)
      if (loaded === undefined) return EXIT.configuration
      const log = logger(loaded.config.log.level)
      // Nothing that happens after the start ends the process; what still breaks is a bug, and liveness sees to it.
      process.on('uncaughtException', error =>
        log.error({ event: 'unexpected_error', code: codeOf(error), stack: error.stack }, 'unexpected error (a bug)'),
      )
      const setLevel = (level: LogLevel) => void logger(level)
      return run({ loaded, request, setLevel }, log, onInterruption)
    }
  }
}

perform(command).then(
  code => end(code),
  (error: unknown) => {
    const code = codeOf(error)
    complain(`logshipper: ${error instanceof Error ? error.message : String(error)} (${code})`)
    return end(code === 'ERR_START' || code === 'ERR_CONFIG' ? EXIT.configuration : EXIT.unexpected)
  },
)

async function end(code: number): Promise<void> {
  limiter.end()
  // A signal ends the wait for a reader that has stopped. What runs for long has its code already.
  if (command.kind !== 'run') interrupt = () => leave(EXIT.interrupted)
  const written = await stdout.end()
  if (written.kind === 'failed') complain(`logshipper: standard output cannot be written (${written.code})`)
  await stderr.end()
  leave(written.kind === 'failed' && code === EXIT.ok ? EXIT.unexpected : code)
}
