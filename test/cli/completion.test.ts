/** What a shell completes, asked of the shells themselves. */
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { BACKENDS } from '../../src/backends/registry.ts'
import {
  COMMANDS,
  type CommandHelp,
  type CommandName,
  OPTIONS,
  type OptionHelp,
  SHELLS,
} from '../../src/cli/commands.ts'
import { completionOf } from '../../src/cli/completion.ts'
import { PLATFORMS } from '../../src/platform.ts'
import { scratch } from '../scratch.ts'

const LINTER = spawnSync('shellcheck', ['--version']).status === 0 ? false : 'shellcheck is not installed'
const NAMES = Object.keys(COMMANDS) as CommandName[]

/** The words that a shell offers for the last of a line. */
type Ask = (...words: string[]) => string[]

/** Why a shell cannot be asked here. */
function missing(shell: string): string | false {
  return spawnSync(shell, ['-c', 'exit 0']).status === 0 ? false : `${shell} is not installed`
}

/** A directory with files to offer, and the script in it. */
function directory(t: Test, shell: 'bash' | 'zsh' | 'fish'): string {
  const directory = scratch(t, { 'web one.yaml': '', 'web.log': '' })
  writeFileSync(join(directory, `.${shell}`), completionOf(shell))
  return directory
}

function linesOf(shell: string, args: readonly string[], cwd: string): string[] {
  const output = execFileSync(shell, args, { cwd, encoding: 'utf8', env: { ...process.env, HOME: cwd, TERM: 'dumb' } })
  return output.split('\n').filter(line => line !== '')
}

/** As bash calls the function: with the words of the line, where `=` is a word of its own. */
function askBash(directory: string): Ask {
  const script = `source .bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _logshipper
    printf '%s\\n' "\${COMPREPLY[@]}"`
  return (...words) => linesOf('bash', ['--norc', '-c', script, 'bash', 'logshipper', ...words], directory)
}

/** `--option value` is asked for with `complete`, as a line. */
function askFish(directory: string): Ask {
  const script = 'source .fish; complete -C "$argv[1]"'
  return (...words) => {
    const line = ['logshipper', ...words].join(' ')
    return linesOf('fish', ['--no-config', '-c', script, line], directory).map(each => each.split('\t')[0]!)
  }
}

/** What is told to zsh's `_arguments`, its own completion stood in for: what it would make of that is its affair. */
function askZsh(directory: string): Ask {
  const script = `compdef() { }; _arguments() { print -rl -- "$@" }; source .zsh
    words=("$@"); CURRENT=$#; _logshipper`
  return (...words) => linesOf('zsh', ['-f', '-c', script, 'zsh', 'logshipper', ...words], directory)
}

/** Of a command: its options, long and short, with those that all have. */
function optionsOf(name: CommandName): string[] {
  const { options }: CommandHelp = COMMANDS[name]
  return [...options, 'help' as const].flatMap(option => {
    const { short }: OptionHelp = OPTIONS[option]
    return short === undefined ? [`--${option}`] : [`-${short}`, `--${option}`]
  })
}

for (const [shell, ask] of [
  ['bash', askBash],
  ['fish', askFish],
] as const) {
  t.test(`${shell} offers every command, option and closed set, and files elsewhere`, { skip: missing(shell) }, t => {
    const offered = ask(directory(t, shell))
    const of = (...words: string[]) => offered(...words).sort()
    const long = (words: readonly string[]) => words.filter(word => word.startsWith('--')).sort()
    t.strictSame(
      of('').filter(word => !/^(?:web|\.bash)/.test(word)),
      [...NAMES].sort(),
    )
    t.ok(of('').includes('web.log'), 'a path may stand in place of a command')
    for (const name of NAMES) t.strictSame(long(of(name, '--')), long(optionsOf(name)), name)
    t.strictSame(of('va'), ['validate'])
    t.strictSame(of('--config', 'x', 'va'), ['validate'], 'a value is no command')
    t.strictSame(of('help', ''), [...NAMES].sort())
    t.strictSame(of('completion', ''), [...SHELLS].sort())
    t.strictSame(of('inject', '--platform', ''), [...PLATFORMS].sort())
    t.strictSame(of('check', '--backend', ''), Object.keys(BACKENDS).sort())
    t.strictSame(of('status', '--admin', ''), [], 'an address is nothing that it knows')
    t.strictSame(of('status', ''), [], 'there is nothing to name')
    t.ok(of('doctor', 'web.').includes('web.log'))
    t.ok(of('web.log', 'web.').includes('web.log'))
    t.ok(of('validate', '-c', 'web.').includes('web.log'))
    t.strictSame(long(of('web.log', '--')), long(optionsOf('run')))
    t.end()
  })
}

t.test('bash completes a value behind =, a name with a space, and words behind --', { skip: missing('bash') }, t => {
  const offered = askBash(directory(t, 'bash'))
  t.strictSame(offered('inject', '--platform', '='), [...PLATFORMS])
  t.strictSame(offered('inject', '--platform', '=', 'f'), ['fargate'])
  t.strictSame(offered('--config', '=', 'x', 'va'), ['validate'])
  t.strictSame(offered('doctor', 'web').sort(), ['web one.yaml', 'web.log'])
  t.strictSame(offered('run', '--', '--con'), [])
  t.end()
})

t.test('zsh is told every command, option and closed set', { skip: missing('zsh') }, t => {
  const dir = directory(t, 'zsh')
  const told = askZsh(dir)
  const spelled = (lines: readonly string[]) =>
    lines.flatMap(line => /^(?:\([^)]*\))?(--?[\w-]+)/.exec(line)?.slice(1) ?? []).filter(word => word !== '-s')
  for (const name of NAMES) {
    const lines = told(name, '')
    t.strictSame(spelled(lines).sort(), optionsOf(name).sort(), name)
    t.ok(lines.includes(`1: :(${name})`), name)
  }
  t.ok(told('inject', '').some(line => line.endsWith(`:NAME:(${PLATFORMS.join(' ')})`)))
  t.ok(told('check', '').some(line => line.endsWith(`:NAME:(${Object.keys(BACKENDS).join(' ')})`)))
  t.ok(told('completion', '').includes(`*: :(${SHELLS.join(' ')})`))
  t.ok(told('doctor', '').includes('*: :_files'))
  t.ok(told('--config', 'x', 'status', '').includes('1: :(status)'), 'a value is no command')
  t.ok(told('').includes('*: :_logshipper_first'))
  const described = `_describe() { print -rl -- $commands }; _files() { print files }; compdef() { }; source .zsh
    _logshipper_first`
  const first = linesOf('zsh', ['-f', '-c', described], dir)
  t.strictSame(
    first.map(line => line.split(':')[0]),
    [...NAMES, 'files'],
  )
  t.end()
})

t.test('what bash is given passes shellcheck', { skip: LINTER }, t => {
  const file = join(directory(t, 'bash'), '.bash')
  t.strictSame(spawnSync('shellcheck', ['--shell=bash', file], { encoding: 'utf8' }).stdout, '')
  t.end()
})
