/** For fish from 3.0 on. */
import { OPTIONS, type Option } from '../commands.ts'
import {
  type CompletedOption,
  commands,
  EVERYWHERE,
  FIRST,
  NAMES,
  optionOf,
  optionsWithValue,
  spellings,
} from './completable.ts'

export function fish(): string {
  const all = commands()
  const taking = (option: Option): string => {
    const first = FIRST.includes(option) ? [''] : []
    const names = all
      .filter(({ options }) => options.some(({ long }) => long === `--${option}`))
      .map(({ name }) => name)
    return is([...(names.includes('run') || EVERYWHERE.includes(option) ? ['', ...first] : first), ...names])
  }
  return `# Completion of logshipper for fish, in ~/.config/fish/completions/logshipper.fish
# The command of the line: nothing if there is none yet, run if there is a path in its place.
function __logshipper_command
    set -l words (commandline -opc)
    set -l value
    set -e words[1]
    for word in $words
        if test -n "$value"
            set value
            continue
        end
        switch $word
            case ${optionsWithValue().flatMap(spellings).join(' ')}
                set value 1
            case '-*'
            case ${NAMES.join(' ')}
                echo $word
                return
            case '*'
                echo run
                return
        end
    end
    echo ''
end

function __logshipper_is
    contains -- (__logshipper_command) $argv
end

complete -c logshipper -f
${all.map(({ name, does }) => `complete -c logshipper -n ${is([''])} -a ${name} -d ${quoted(does)}`).join('\n')}
complete -c logshipper -n ${is(['', ...all.filter(({ words }) => words === 'files').map(({ name }) => name)])} -F
${all
  .flatMap(({ name, words }) =>
    typeof words === 'string' ? [] : [`complete -c logshipper -n ${is([name])} -a ${quoted(words.join(' '))}`],
  )
  .join('\n')}
${(Object.keys(OPTIONS) as Option[]).map(name => `complete -c logshipper -n ${taking(name)} ${line(optionOf(name))}`).join('\n')}
`
}

function is(names: readonly string[]): string {
  return quoted(`__logshipper_is ${[...new Set(names)].map(name => (name === '' ? '""' : name)).join(' ')}`)
}

function line({ short, long, says, value }: CompletedOption): string {
  const spelled = `${short === undefined ? '' : `-s ${short.slice(1)} `}-l ${long.slice(2)}`
  return `${spelled}${value === undefined ? '' : ` ${argument(value)}`} -d ${quoted(says)}`
}

function argument({ completed }: NonNullable<CompletedOption['value']>): string {
  if (completed === 'files') return '-r -F'
  return completed === 'nothing' ? '-x' : `-x -a ${quoted(completed.join(' '))}`
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`
}
