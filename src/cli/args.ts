/**
 * argv → what is wanted. The first word is a command if it is one; every other bare word is a path to follow, so that
 * `logshipper /opt/logs.txt` stands where `tail -F /opt/logs.txt` stood.
 *
 * Guarantees: what would do nothing is refused. An option belongs to the command, and a word that could only be a
 * mistyped command is never taken for a file to wait for.
 */
import { existsSync } from 'node:fs'
import { parseArgs as parse } from 'node:util'
import { PEERS, type Peer } from '../config/foreign.ts'
import { nearest } from '../config/nearest.ts'
import { codeOf } from '../errors.ts'
import { isPlatform, PLATFORMS, type Platform } from '../platform.ts'
import { COMMANDS, type CommandName, isCommand, OPTIONS, type Option, SHELLS, type Shell } from './commands.ts'
import type { TapRequest } from './tap.ts'

/** Commands that read a configuration, or ask a process that has one. */
export type Configured = Exclude<
  CommandName,
  'test' | 'explain' | 'tap' | 'doctor' | 'inject' | 'convert' | 'completion' | 'help' | 'version'
>

/** What is shown of records, and under which configuration. */
export interface Showing {
  readonly config: string | undefined
  readonly backend: string | undefined
  readonly source: string | undefined
  readonly json: boolean
  readonly strict: boolean
}

export type Command =
  | { readonly kind: 'help'; readonly command: CommandName | undefined }
  /** `number`: the version alone. */
  | { readonly kind: 'version'; readonly form: 'number' | 'line' | 'json' }
  | {
      readonly kind: Configured
      readonly config: string | undefined
      readonly paths: readonly string[]
      readonly admin: string | undefined
      readonly json: boolean
      readonly backend: string | undefined
      /** Of `status`. */
      readonly watch?: true
    }
  | ({ readonly kind: 'test' } & Showing)
  /** The file as it was named, and the line, counted from 1. */
  | ({ readonly kind: 'explain'; readonly file: string; readonly line: number } & Showing)
  | ({ readonly kind: 'tap' } & TapRequest)
  /** `drainSeconds`: what a drain was measured to take. */
  | {
      readonly kind: 'doctor'
      readonly files: readonly string[]
      readonly json: boolean
      readonly drainSeconds: number | undefined
      readonly platform?: Platform
    }
  | {
      readonly kind: 'inject'
      readonly file: string
      readonly image: string | undefined
      readonly volume: string | undefined
      readonly paths: string | undefined
      readonly platform?: Platform
    }
  | { readonly kind: 'convert'; readonly from: Peer; readonly file: string }
  | { readonly kind: 'completion'; readonly shell: Shell }
  /** What was said makes no sense: `message` says why. */
  | { readonly kind: 'wrong'; readonly message: string }

interface Values {
  readonly config?: string
  readonly admin?: string
  readonly json?: boolean
  readonly backend?: string
  readonly source?: string
  readonly strict?: boolean
  readonly 'drain-seconds'?: string
  readonly from?: string
  readonly image?: string
  readonly volume?: string
  readonly paths?: string
  readonly platform?: string
  readonly grep?: string
  readonly count?: string
  readonly watch?: boolean
  readonly help?: boolean
  readonly version?: boolean
}

const CONFIGURATION = /\.(?:ya?ml|json|conf|toml|alloy|river)$/

export function parseArgs(argv: readonly string[]): Command {
  try {
    const parsed = parse({ args: [...argv], options: OPTIONS, allowPositionals: true, tokens: true })
    const values: Values = parsed.values
    const [first, ...others] = parsed.positionals
    if (values.help) return { kind: 'help', command: isCommand(first) ? first : undefined }
    const given = parsed.tokens.flatMap(token => (token.kind === 'option' ? [token.name as Option] : []))
    if (values.version) return versionAlone(given)
    const kind = isCommand(first) ? first : undefined
    const fault = faultOf(kind ?? 'run', given, values)
    if (fault !== undefined) return wrong(fault)
    return commandOf(kind, kind === undefined ? parsed.positionals : others, values)
  } catch (error) {
    if (!codeOf(error).startsWith('ERR_PARSE_ARGS')) throw error
    return wrong(complaint(error as Error, argv))
  }
}

function commandOf(kind: CommandName | undefined, words: readonly string[], values: Values): Command {
  switch (kind) {
    case 'help': {
      const [command] = words
      if (command === undefined || (isCommand(command) && words.length === 1)) return { kind, command }
      return wrong(`help takes the name of one command: ${Object.keys(COMMANDS).join(', ')}`)
    }
    case 'doctor':
    case 'inject':
      return aboutManifests(kind, words, values)
    case 'convert':
      return converting(words, values)
    case 'completion': {
      const shell = SHELLS.find(each => each === words[0])
      if (shell !== undefined && words.length === 1) return { kind, shell }
      return wrong(`completion takes one of ${SHELLS.join(', ')}, but was given ${words.join(' ') || 'nothing'}`)
    }
    case 'explain':
      return explaining(words, values)
    case 'run':
    case 'validate':
    case 'config':
    case undefined:
      return following(kind, words, values)
    default:
      if (words.length > 0) return wrong(`${kind} takes no paths, but was given ${words.join(' ')}`)
      if (kind === 'test') return { kind, ...showing(values) }
      if (kind === 'tap') return tapping(values)
      if (kind === 'version') return { kind, form: values.json ? 'json' : 'line' }
      return configured(kind, [], values)
  }
}

/** `--version`, which would hide what else was asked for. */
function versionAlone(given: readonly Option[]): Command {
  const other = given.find(option => option !== 'version')
  if (other !== undefined) return wrong(`--version stands alone, but was given --${other}; see logshipper help version`)
  return given.length > 1 ? wrong('--version is given twice') : { kind: 'version', form: 'number' }
}

const wrong = (message: string): Command => ({ kind: 'wrong', message })

function configured(kind: Configured, paths: readonly string[], values: Values): Command {
  const { config, admin, backend, json = false, watch = false } = values
  return { kind, config, paths, admin, backend, json, ...(watch && { watch }) }
}

function showing({ config, backend, source, json = false, strict = false }: Values): Showing {
  return { config, backend, source, json, strict }
}

function tapping({ admin, json = false, source, backend, grep, count: given }: Values): Command {
  const count = given === undefined ? undefined : Number(given)
  if (count !== undefined && !(Number.isSafeInteger(count) && count > 0)) {
    return wrong(`--count needs a number of records, such as 10, not ${given}`)
  }
  return { kind: 'tap', admin, json, source, backend, grep, count }
}

function explaining(words: readonly string[], values: Values): Command {
  const [place, ...others] = words
  const [, file, line] = /^(.+):(\d+)$/s.exec(place ?? '') ?? []
  if (file === undefined || others.length > 0 || !Number.isSafeInteger(Number(line)) || Number(line) === 0) {
    const given = place === undefined ? 'nothing' : words.join(' ')
    return wrong(`explain takes FILE:LINE, such as /var/log/app/app.log:12, but was given ${given}`)
  }
  return { kind: 'explain', file, line: Number(line), ...showing(values) }
}

function converting([file, ...others]: readonly string[], { from }: Values): Command {
  const peers = PEERS.join(', ')
  const peer = PEERS.find(each => each === from)
  if (from === undefined) return wrong(`convert needs --from and the name of a shipper: ${peers}`)
  if (peer === undefined) {
    const meant = nearest(from, PEERS)
    return wrong(`--from is one of ${peers}, not ${from}.${meant === undefined ? '' : ` Did you mean ${meant}?`}`)
  }
  if (!file || others.length > 0) return wrong('convert takes one file, or - for standard input')
  return { kind: 'convert', from: peer, file }
}

/** `run`, which takes paths, and the commands that say how it would go. */
function following(kind: 'run' | 'validate' | 'config' | undefined, paths: readonly string[], values: Values): Command {
  const offline = kind === 'validate' || kind === 'config'
  const [path] = paths
  // A lone file of this kind is the configuration, ours or another shipper's: those that are followed are seldom called so.
  if (offline && values.config === undefined && paths.length === 1 && CONFIGURATION.test(path!)) {
    return configured(kind, [], { ...values, config: path! })
  }
  if (paths.includes('-')) return wrong('standard input (-) cannot be followed: name a file')
  if (paths.includes('')) return wrong('an empty path: is a shell variable not set?')
  // Behind `run` every word is a path.
  const word = kind === 'run' ? undefined : paths.find(each => !/[/.*?[{\\]/.test(each) && !existsSync(each))
  return word === undefined ? configured(kind ?? 'run', paths, values) : wrong(misplaced(word))
}

/** Of a word that is no file, and does not look like one: waiting for ever for a file `vaildate` is of no use. */
function misplaced(word: string): string {
  const file = `To wait for a file of that name: ./${word}`
  if (isCommand(word)) return `the command ${word} must come first. ${file}`
  const meant = nearest(word, Object.keys(COMMANDS))
  const hint = meant === undefined ? 'logshipper --help shows the commands.' : `Did you mean ${meant}?`
  return `neither a command nor a file: ${word}. ${hint} ${file}`
}

function faultOf(kind: CommandName, given: readonly Option[], values: Values): string | undefined {
  const allowed: readonly Option[] = COMMANDS[kind].options
  for (const [index, option] of given.entries()) {
    if (!allowed.includes(option)) {
      const takes = allowed.length === 0 ? 'no options' : allowed.map(each => `--${each}`).join(', ')
      return `${kind} does not take --${option}; it takes ${takes}`
    }
    if (given.indexOf(option) !== index) return `--${option} is given twice`
    // An empty list of paths says that the configuration file has them.
    if (values[option] === '' && option !== 'paths') return `--${option} is empty: is a shell variable not set?`
  }
  return undefined
}

function aboutManifests(kind: 'doctor' | 'inject', files: readonly string[], values: Values): Command {
  if (files.length === 0 || files.includes('')) {
    return wrong(`${kind} needs the name of a manifest, or - for standard input`)
  }
  const { image, volume, paths, platform: named, json = false, 'drain-seconds': seconds } = values
  if (named !== undefined && !isPlatform(named)) {
    return wrong(`--platform needs one of ${PLATFORMS.join(', ')}, not ${named}`)
  }
  const where = named === undefined ? {} : { platform: named }
  if (kind === 'inject') {
    if (files.length > 1) return wrong(`inject takes one manifest, but was given ${files.join(' ')}`)
    return { kind, file: files[0]!, image, volume, paths, ...where }
  }
  const drainSeconds = seconds === undefined ? undefined : Number(seconds)
  if (drainSeconds !== undefined && !(drainSeconds >= 0)) {
    return wrong(`--drain-seconds needs a number of seconds, not ${seconds}`)
  }
  return { kind, files, json, drainSeconds, ...where }
}

function complaint(error: Error, argv: readonly string[]): string {
  const option = /'(?:-\w, )?(--?[^'\s=]+)/.exec(error.message)?.[1]
  if (option === undefined) return error.message
  if (codeOf(error) !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    return `${option} needs ${error.message.includes('does not take') ? 'no value' : 'a value'}`
  }
  const meant = option.startsWith('--') ? nearest(option.slice(2), Object.keys(OPTIONS)) : undefined
  const end = argv.includes('--') ? '' : ' A path that begins with a dash goes behind --.'
  return `unknown option ${option}.${meant ? ` Did you mean --${meant}?` : end}`
}
