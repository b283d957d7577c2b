/**
 * argv → what is wanted. The first word is a command if it is one; every other bare word is a path to follow, so that
 * `logshipper /opt/logs.txt` stands where `tail -F /opt/logs.txt` stood.
 */
import { existsSync } from 'node:fs'
import { parseArgs as parse } from 'node:util'
import { nearest } from '../config/nearest.ts'
import { codeOf } from '../errors.ts'

export const COMMANDS = [
  'run',
  'validate',
  'schema',
  'demo',
  'status',
  'ledger',
  'prestop',
  'replay',
  'check',
  'config',
  'test',
] as const
/** Commands about manifests, which know nothing of a configuration. */
export const TOOLS = ['doctor', 'inject'] as const
export type CommandName = (typeof COMMANDS)[number]

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: CommandName
      readonly config: string | undefined
      readonly paths: readonly string[]
      readonly admin: string | undefined
      readonly json: boolean
      readonly backend: string | undefined
    }
  /** `drainSeconds`: what a drain was measured to take. */
  | {
      readonly kind: 'doctor'
      readonly files: readonly string[]
      readonly json: boolean
      readonly drainSeconds: number | undefined
    }
  | {
      readonly kind: 'inject'
      readonly file: string
      readonly image: string | undefined
      readonly volume: string | undefined
      readonly paths: string | undefined
    }
  /** What was said makes no sense: `message` says why. */
  | { readonly kind: 'wrong'; readonly message: string }

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  admin: { type: 'string' },
  json: { type: 'boolean' },
  backend: { type: 'string' },
  'drain-seconds': { type: 'string' },
  image: { type: 'string' },
  volume: { type: 'string' },
  paths: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

export function parseArgs(argv: readonly string[]): Command {
  try {
    const { values, positionals } = parse({ args: [...argv], options: OPTIONS, allowPositionals: true })
    if (values.help) return { kind: 'help' }
    if (values.version) return { kind: 'version' }
    const [first] = positionals
    const tool = TOOLS.find(command => command === first)
    if (tool !== undefined) return aboutManifests(tool, positionals.slice(1), values)
    const kind = COMMANDS.find(command => command === first)
    const paths = kind === undefined ? positionals : positionals.slice(1)
    const { config, admin, backend, json = false } = values
    // `run` takes paths, and what says how it would go. A lone YAML or JSON file behind the others is the configuration.
    const offline = kind === 'validate' || kind === 'config'
    if (offline && config === undefined && paths.length === 1 && /\.(?:ya?ml|json)$/.test(paths[0]!)) {
      return { kind, config: paths[0], paths: [], admin, backend, json }
    }
    if (kind !== undefined && kind !== 'run' && !offline && paths.length > 0) {
      return { kind: 'wrong', message: `${kind} takes no paths, but was given ${paths.join(' ')}` }
    }
    if (paths.includes('-')) return { kind: 'wrong', message: 'standard input (-) cannot be followed: name a file' }
    if (paths.includes('')) return { kind: 'wrong', message: 'an empty path: is a shell variable not set?' }
    if (kind === undefined && first !== undefined) {
      const meant = mistyped(first)
      if (meant) {
        const message = `neither a command nor a file: ${first}. Did you mean ${meant}? To wait for such a file: ./${first}`
        return { kind: 'wrong', message }
      }
    }
    return { kind: kind ?? 'run', config, paths, admin, backend, json }
  } catch (error) {
    if (!codeOf(error).startsWith('ERR_PARSE_ARGS')) throw error
    return { kind: 'wrong', message: complaint(error as Error, argv) }
  }
}

function aboutManifests(
  kind: (typeof TOOLS)[number],
  files: readonly string[],
  values: { readonly [option: string]: string | boolean | undefined },
): Command {
  const text = (option: string): string | undefined => values[option] as string | undefined
  if (files.length === 0 || files.includes('')) {
    return { kind: 'wrong', message: `${kind} needs the name of a manifest, or - for standard input` }
  }
  if (kind === 'inject') {
    if (files.length > 1)
      return { kind: 'wrong', message: `inject takes one manifest, but was given ${files.join(' ')}` }
    return { kind, file: files[0]!, image: text('image'), volume: text('volume'), paths: text('paths') }
  }
  const seconds = text('drain-seconds')
  const drainSeconds = seconds === undefined ? undefined : Number(seconds)
  if (drainSeconds !== undefined && !(drainSeconds >= 0 && seconds !== '')) {
    return { kind: 'wrong', message: `--drain-seconds needs a number of seconds, not ${seconds}` }
  }
  return { kind, files, json: values['json'] === true, drainSeconds }
}

/** The command that a plain word is probably meant to be; following a file `vaildate` for ever would help nobody. */
function mistyped(word: string): string | undefined {
  if (!/^[a-z]+$/i.test(word) || existsSync(word)) return undefined
  return nearest(word, [...COMMANDS, ...TOOLS])
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
