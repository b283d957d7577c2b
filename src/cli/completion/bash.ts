/** For bash from 3.2 on, without the package bash-completion. */
import { type CompletedOption, commands, FIRST, NAMES, optionOf, optionsWithValue, spellings } from './completable.ts'

export function bash(): string {
  const all = commands()
  const run = all.find(({ name }) => name === 'run')!
  const valued = optionsWithValue()
  const written = (options: readonly CompletedOption[]) => options.flatMap(spellings).join(' ')
  const isFiles = (option: CompletedOption) => option.value!.completed === 'files'
  return `# Completion of logshipper for bash. In ~/.bashrc: source <(logshipper completion bash)
_logshipper() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]}
  local command='' plain='' offered='' files='' word at
  # bash takes --option=value apart.
  if [[ $current == '=' ]]; then
    current=''
  elif [[ $before == '=' ]]; then
    before=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    if [[ $word == -- ]]; then
      plain=1
    elif [[ -z $plain && $word == -* ]]; then
      case $word in
        ${valued.flatMap(spellings).join(' | ')})
          if [[ \${COMP_WORDS[at + 1]} == '=' ]]; then ((at += 2)); else ((at += 1)); fi
          ;;
      esac
    elif [[ -z $command ]]; then
      command=$word
    fi
  done
  if [[ -n $plain ]]; then before=''; fi
  case $before in
${valued.map(option => `    ${spellings(option).join(' | ')}) ${isFiles(option) ? 'files=1' : `offered='${offer(option)}'`} ;;`).join('\n')}
    *)
      if [[ -z $plain && $current == -* ]]; then
        case $command in
          '') offered='${written([...run.options, ...FIRST.map(optionOf)])}' ;;
${all.map(({ name, options }) => `          ${name}) offered='${written(options)}' ;;`).join('\n')}
          *) offered='${written(run.options)}' ;;
        esac
      else
        case $command in
          '') offered='${NAMES.join(' ')}' files=1 ;;
${all
  .filter(({ words }) => words !== 'files')
  .map(
    ({ name, words }) => `          ${name}) offered='${words === 'nothing' ? '' : (words as string[]).join(' ')}' ;;`,
  )
  .join('\n')}
          *) files=1 ;;
        esac
      fi
      ;;
  esac
  COMPREPLY=()
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(
    compgen -W "$offered" -- "$current"
    if [[ -n $files ]]; then compgen -f -- "$current"; fi
  )
  if [[ -n $files ]]; then compopt -o filenames 2>/dev/null; fi
  return 0
}
complete -F _logshipper logshipper
`
}

function offer({ value }: CompletedOption): string {
  const { completed } = value!
  return typeof completed === 'string' ? '' : completed.join(' ')
}
