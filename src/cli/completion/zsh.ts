/** For zsh from 5 on, with its completion system (compinit). */
import {
  type Completed,
  type CompletedOption,
  commands,
  FIRST,
  optionOf,
  optionsWithValue,
  spellings,
} from './completable.ts'

export function zsh(): string {
  const all = commands()
  const run = all.find(({ name }) => name === 'run')!
  const specs = (options: readonly CompletedOption[]) => options.map(spec).join(' ')
  return `#compdef logshipper
# Completion of logshipper for zsh: as _logshipper in a directory of $fpath, or source <(logshipper completion zsh)
_logshipper() {
  local command= value= word
  local -i at
  for ((at = 2; at < CURRENT; at++)); do
    word=$words[at]
    if [[ -n $value ]]; then
      value=
      continue
    fi
    case $word in
      ${optionsWithValue().flatMap(spellings).join('|')}) value=1 ;;
      -*) ;;
      *)
        command=$word
        break
        ;;
    esac
  done
  case $command in
    '') _arguments -s ${specs([...run.options, ...FIRST.map(optionOf)])} '*: :_logshipper_first' ;;
${all.map(({ name, options, words }) => `    ${name}) _arguments -s ${specs(options)} '1: :(${name})' ${rest(words)};;`).join('\n')}
    *) _arguments -s ${specs(run.options)} '*:path:_files' ;;
  esac
}

_logshipper_first() {
  local -a commands=(
${all.map(({ name, does }) => `    ${quoted(`${name}:${does.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  _describe -t commands command commands
  _files
}

if [[ $funcstack[1] == _logshipper ]]; then
  _logshipper "$@"
else
  compdef _logshipper logshipper
fi
`
}

/** As _arguments takes it. */
function spec(option: CompletedOption): string {
  const { short, long, says, value } = option
  const what = `[${says.replace(/[[\]\\:]/g, '\\$&')}]${value === undefined ? '' : `:${value.name}:${action(value.completed)}`}`
  const equals = value === undefined ? '' : '='
  if (short === undefined) return quoted(`${long}${equals}${what}`)
  return `'(${spellings(option).join(' ')})'{${short},${long}${equals}}${quoted(what)}`
}

function action(completed: Completed): string {
  if (completed === 'files') return '_files'
  return completed === 'nothing' ? ' ' : `(${completed.join(' ')})`
}

/** Behind the command. */
function rest(words: Completed): string {
  return words === 'nothing' ? '' : `'*: :${action(words)}' `
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
