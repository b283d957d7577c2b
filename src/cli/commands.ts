/**
 * The commands: what each takes, which options, and what its exit codes mean. The help, the completion and the man page
 * are made of these tables.
 */
import { PEERS } from '../config/foreign.ts'
import { PLATFORMS } from '../platform.ts'

/** Shells that can complete a command line of ours. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const

export type Shell = (typeof SHELLS)[number]

export interface OptionHelp {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  /** What its value is called. */
  readonly value?: string
  /** What shells complete, if it is no file. */
  readonly values?: Values
  readonly says: string
}

/** Words to choose from, or where they are found. */
export type Values = readonly string[] | 'backend types' | 'commands'

export const OPTIONS = {
  config: { type: 'string', short: 'c', value: 'FILE', says: 'default: /etc/logshipper/config.yaml, if it is there' },
  admin: { type: 'string', value: 'ADDRESS', says: 'address of the running shipper; default 127.0.0.1:9615' },
  json: { type: 'boolean', says: 'print JSON' },
  backend: { type: 'string', value: 'NAME', values: 'backend types', says: 'only this backend' },
  source: {
    type: 'string',
    value: 'NAME',
    says: 'as lines of this source, by default the first; tap: only this source',
  },
  strict: { type: 'boolean', says: 'exit 1 if a record did not parse, or its time or level cannot be read' },
  'drain-seconds': { type: 'string', value: 'N', says: 'measured duration of a drain' },
  from: { type: 'string', value: 'SHIPPER', values: PEERS, says: PEERS.join(', ') },
  image: { type: 'string', value: 'IMAGE', says: 'default: logshipper of this version' },
  volume: {
    type: 'string',
    value: 'NAME',
    says: 'volume of the logs; default: the annotation logshipper.io/volume, or logs',
  },
  paths: {
    type: 'string',
    value: 'GLOBS',
    says: 'globs to follow, as paths in the sidecar; default: /var/log/app/**/*.log',
  },
  platform: {
    type: 'string',
    value: 'NAME',
    values: PLATFORMS,
    says: 'where the pods are to run: openshift, autopilot or fargate',
  },
  grep: { type: 'string', value: 'TEXT', says: 'only records that hold this text' },
  count: { type: 'string', value: 'N', says: 'end after so many records' },
  watch: { type: 'boolean', says: 'print it every 2 s, until a signal comes or the reader goes' },
  help: { type: 'boolean', short: 'h', says: 'print this help, or that of a command' },
  version: { type: 'boolean', short: 'v', says: 'print the version alone' },
} as const satisfies Readonly<Record<string, OptionHelp>>

export type Option = keyof typeof OPTIONS

export interface CommandHelp {
  /** What stands behind the name, besides options. */
  readonly takes?: string
  /** What shells complete there, if it is no file. */
  readonly values?: Values
  readonly does: string
  readonly options: readonly Exclude<Option, 'help' | 'version'>[]
  /** What the exit codes mean, where it is more than 0 for done and 2 for what cannot be used. */
  readonly exits?: string
}

/** In the order of the help. */
export const COMMANDS = {
  run: {
    takes: '[PATH …]',
    does: 'follow files and ship them (the default)',
    options: ['config'],
    exits: '0 everything was drained   2 cannot start   3 drained incompletely; the ledger lists what is left',
  },
  validate: {
    takes: '[FILE]',
    does: 'validate the configuration, without any request',
    options: ['config', 'json'],
    exits: '0 valid   2 not valid; every problem is printed',
  },
  config: {
    takes: '[FILE]',
    does: 'print the effective configuration, and where each value comes from',
    options: ['config', 'json'],
    exits: '0 printed   2 the configuration is invalid',
  },
  test: {
    takes: '< SAMPLE',
    does: 'print what becomes of these lines, and the requests to backends',
    options: ['backend', 'config', 'json', 'source', 'strict'],
    exits: '0 shown   1 with --strict: a record did not parse, or its time or level cannot be read   2 nothing to show',
  },
  explain: {
    takes: 'FILE:LINE',
    does: 'print what becomes of the record that holds a line of a file',
    options: ['backend', 'config', 'json', 'source', 'strict'],
    exits: '0 shown   1 with --strict, as test   2 there is no such line, or no source follows the file',
  },
  check: {
    does: 'send one line to each backend, and explain its answer',
    options: ['backend', 'config', 'json'],
    exits: '0 every backend accepted the line   1 one did not   2 the configuration is invalid',
  },
  status: {
    does: 'print the state of the running shipper',
    options: ['admin', 'json', 'watch'],
    exits: '0 the shipper answered, or --watch was ended   1 it did not answer',
  },
  ledger: {
    does: 'print the account of every byte',
    options: ['admin', 'json'],
    exits: '0 the account adds up   1 it does not, or there is no answer',
  },
  tap: {
    does: 'print records as they are sent, each with its verdict',
    options: ['admin', 'backend', 'count', 'grep', 'json', 'source'],
    exits: '0 ended by --count, a signal or its reader   1 the shipper does not answer, refuses or ended it',
  },
  bundle: {
    takes: '> FILE',
    does: 'write a support bundle, a .tar.gz without records and secrets',
    options: ['admin', 'config'],
    exits: '0 written, with what the shipper says   1 written, but the shipper did not answer   2 nothing is written',
  },
  prestop: {
    does: 'preStop hook: start the grace period',
    options: ['admin', 'json'],
    exits: '0 the shipper was told   1 it does not answer',
  },
  replay: {
    does: 'resend dead letters: records that a backend rejected',
    options: ['backend', 'config', 'json'],
    exits:
      '0 all were delivered, or there were none   1 some were rejected again, or are unreadable   ' +
      '2 the configuration is invalid   3 interrupted, or another replay is under way',
  },
  doctor: {
    takes: 'MANIFEST …',
    does: 'check manifests: what is wrong with the sidecar, and which line to change',
    options: ['drain-seconds', 'json', 'platform'],
    exits: '0 no errors   1 errors   2 a manifest cannot be read',
  },
  inject: {
    takes: 'MANIFEST',
    does: 'print the manifest with the sidecar added',
    options: ['image', 'paths', 'platform', 'volume'],
    exits: '0 printed   1 printed, with errors by doctor   2 nothing is printed',
  },
  convert: {
    takes: 'FILE',
    does: 'print the configuration of another shipper as ours',
    options: ['from'],
    exits:
      '0 all was carried over   1 a bug: the result is not valid   2 nothing is printed   3 some settings are lost',
  },
  schema: { does: 'print the JSON Schema of the configuration', options: [] },
  demo: {
    does: 'a demo: ships, is killed and recovers, in twenty seconds',
    options: [],
    exits: '0 every line arrived   1 some did not   130 interrupted',
  },
  completion: {
    takes: SHELLS.join('|'),
    values: SHELLS,
    does: 'print what makes this shell complete command lines',
    options: [],
  },
  help: { takes: '[COMMAND]', values: 'commands', does: 'print this help, or that of a command', options: [] },
  version: { does: 'print version, revision, runtime and platform', options: ['json'] },
} as const satisfies Readonly<Record<string, CommandHelp>>

export type CommandName = keyof typeof COMMANDS

export function isCommand(word: string | undefined): word is CommandName {
  return word !== undefined && Object.hasOwn(COMMANDS, word)
}
