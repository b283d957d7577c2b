/** The commands: what each takes, which options, and what its exit codes mean. The help is made of this table. */

export interface OptionHelp {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  /** What its value is called. */
  readonly value?: string
  readonly says: string
}

export const OPTIONS = {
  config: { type: 'string', short: 'c', value: 'FILE', says: 'default: /etc/logshipper/config.yaml, if it is there' },
  admin: { type: 'string', value: 'ADDRESS', says: 'where to ask; default 127.0.0.1:9615' },
  json: { type: 'boolean', says: 'print JSON' },
  backend: { type: 'string', value: 'NAME', says: 'only this backend' },
  'drain-seconds': { type: 'string', value: 'N', says: 'how long a drain was measured to take' },
  image: { type: 'string', value: 'IMAGE', says: 'default: logshipper of this version' },
  volume: {
    type: 'string',
    value: 'NAME',
    says: 'the volume of the logs; default: the annotation logshipper.io/volume, or logs',
  },
  paths: {
    type: 'string',
    value: 'GLOBS',
    says: 'what to follow, as the shipper sees it; default: /var/log/app/**/*.log',
  },
  help: { type: 'boolean', short: 'h', says: 'this, or the help of one command' },
  version: { type: 'boolean', short: 'v', says: 'the version' },
} as const satisfies Readonly<Record<string, OptionHelp>>

export type Option = keyof typeof OPTIONS

export interface CommandHelp {
  /** What stands behind the name, besides options. */
  readonly takes?: string
  readonly does: string
  readonly options: readonly Exclude<Option, 'help' | 'version'>[]
  /** What the exit codes mean, where it is more than 0 for done and 2 for what cannot be used. */
  readonly exits?: string
}

/** In the order of the help. */
export const COMMANDS = {
  run: {
    takes: '[PATH …]',
    does: 'follow files and ship them; this is the default',
    options: ['config'],
    exits: '0 everything was drained   2 it cannot start   3 something is left; the ledger says what',
  },
  validate: {
    takes: '[FILE]',
    does: 'check the configuration, without any request',
    options: ['config', 'json'],
    exits: '0 valid   2 not valid; every problem is printed',
  },
  config: {
    takes: '[FILE]',
    does: 'every value of the configuration, and where it comes from',
    options: ['config', 'json'],
  },
  test: {
    takes: '< SAMPLE',
    does: 'the request that each backend would get for these lines',
    options: ['backend', 'config'],
  },
  check: {
    does: 'send each backend one line, and say what it answers',
    options: ['backend', 'config', 'json'],
    exits: '0 every backend took the line   1 one did not   2 the configuration cannot be used',
  },
  status: {
    does: 'what the running shipper is doing',
    options: ['admin', 'json'],
    exits: '0 it answered   1 it did not',
  },
  ledger: {
    does: 'the account of every byte',
    options: ['admin', 'json'],
    exits: '0 it adds up   1 it does not, or there is no answer',
  },
  prestop: {
    does: 'the preStop hook: the grace period counts from here',
    options: ['admin'],
    exits: '0 the shipper knows   1 it does not answer',
  },
  replay: {
    does: 'send what a backend rejected (its dead letters) again',
    options: ['backend', 'config', 'json'],
    exits: '0 all were delivered, or there were none   1 some were rejected again, or are unreadable   3 interrupted',
  },
  doctor: {
    takes: 'MANIFEST …',
    does: 'what is wrong with the shipper of a pod, and which line to change',
    options: ['drain-seconds', 'json'],
    exits: '0 no error was found   1 there is one   2 a manifest cannot be read',
  },
  inject: {
    takes: 'MANIFEST',
    does: 'the manifest with the shipper added, all else as it was',
    options: ['image', 'paths', 'volume'],
    exits: '0 printed   1 printed, with something that doctor calls an error   2 nothing is printed',
  },
  schema: { does: 'the JSON Schema of the configuration', options: [] },
  demo: { does: 'see it work, and be killed, in twenty seconds', options: [] },
  help: { takes: '[COMMAND]', does: 'this, or the help of one command', options: [] },
  version: { does: 'the version', options: [] },
} as const satisfies Readonly<Record<string, CommandHelp>>

export type CommandName = keyof typeof COMMANDS

export function isCommand(word: string | undefined): word is CommandName {
  return word !== undefined && Object.hasOwn(COMMANDS, word)
}
