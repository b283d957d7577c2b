/** What `logshipper --help` and `logshipper help COMMAND` print. */

import { COMMANDS, type CommandHelp, type CommandName, OPTIONS, type Option, type OptionHelp } from './commands.ts'
import { EXIT_CODES, type ExitCode, exitCodesOf } from './exit.ts'

const NAMES = Object.keys(COMMANDS) as CommandName[]

/** Columns in front of what an option or a command does. */
const MARGIN = 44

export function helpOf(command: CommandName | undefined): string {
  return command === undefined ? ALL : one(command)
}

function one(name: CommandName): string {
  const { does, options }: CommandHelp = COMMANDS[name]
  const parts = [`logshipper ${name}: ${does}`, `usage\n  ${usage(name)}`]
  if (options.length > 0) parts.push(`options\n${options.map(option => row(option)).join('\n')}`)
  parts.push(`exit codes\n${exitCodesOf(name).map(exit).join('\n')}`)
  return parts.join('\n\n')
}

/** How it is called; `options`: those that are shown. */
export function usage(name: CommandName, options: readonly Option[] = COMMANDS[name].options): string {
  const { takes }: CommandHelp = COMMANDS[name]
  const shown = options.map(option => `[${written(option)}]`)
  return ['logshipper', name === 'run' ? '[run]' : name, ...shown, takes].filter(Boolean).join(' ')
}

function written(option: Option): string {
  const { value }: OptionHelp = OPTIONS[option]
  return value === undefined ? `--${option}` : `--${option} ${value}`
}

/** `takers`: whom it belongs to. */
function row(option: Option, takers = ''): string {
  const { short, says }: OptionHelp = OPTIONS[option]
  const name = `${short === undefined ? '    ' : `-${short}, `}${written(option)}`
  return `  ${name.padEnd(24)} ${takers}${says}`
}

function exit({ code, means }: ExitCode): string {
  return `  ${String(code).padEnd(4)} ${means}`
}

/** Those of a command's options that say most about it. */
const TELLING: readonly Option[] = ['config', 'backend', 'admin']

/** More commands than these would not fit beside their option. */
const MANY = 8

const ALL = `logshipper: ships log files, and accounts for every byte

usage
${NAMES.map(name => {
  const { takes, does, options }: CommandHelp = COMMANDS[name]
  const telling = TELLING.filter(option => options.some(each => each === option)).slice(-1)
  return `  ${usage(name, takes === '[FILE]' ? [] : telling).padEnd(MARGIN)} ${does}`
}).join('\n')}

options
${(Object.keys(OPTIONS) as Option[])
  .map(option => {
    const takers = NAMES.filter(name => (COMMANDS[name] as CommandHelp).options.some(each => each === option))
    const whose = takers.length > MANY ? 'most commands' : takers.join(', ')
    return row(option, takers.length === 0 || option === 'config' ? '' : `${whose}: `)
  })
  .join('\n')}

examples
  logshipper /opt/logs.txt                    like tail -F, also for a file that does not exist yet
  logshipper '/var/log/app/*.log' > all.log

  LOGSHIPPER_SOURCE_PATHS='/var/log/app/*.log' \\
  LOGSHIPPER_BACKEND_TYPE=http \\
  LOGSHIPPER_BACKEND_ENDPOINT=http://collector:8080/ingest logshipper

Every key of the configuration can be set by environment: LOGSHIPPER_ and the key in upper snake case, where SOURCE and
BACKEND mean the first of each list. The environment wins over the file.

exit codes (of one command: logshipper help COMMAND)
${EXIT_CODES.map(exit).join('\n')}`
