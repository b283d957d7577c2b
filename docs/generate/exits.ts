/** The table of exit codes. */
import { EXIT_CODES } from '../../src/cli/exit.ts'

/** Names of the program in the text, which has no marks. */
const NAMES = /\b(?:run|replay|convert|state\.dir|state_not_saved|unsavedBytes)\b/g

export function exits(): string {
  const rows = EXIT_CODES.map(({ code, means, more }) => {
    const text = more === undefined ? means : `${means}. ${more}`
    return `| ${code} | ${text.replace(NAMES, name => `\`${name}\``)} |`
  })
  return ['| Code | Meaning |', '| --- | --- |', ...rows].join('\n')
}
