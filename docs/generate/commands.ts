/** The table of commands, from what the help is made of. */

import { COMMANDS, type CommandHelp, type CommandName, OPTIONS, type OptionHelp } from '../../src/cli/commands.ts'
import { exitCodesOf } from '../../src/cli/exit.ts'

export function commands(): string {
  const rows = (Object.keys(COMMANDS) as CommandName[]).map(name => {
    const { takes, does, options }: CommandHelp = COMMANDS[name]
    const flags = options.map(option => {
      const { value }: OptionHelp = OPTIONS[option]
      return `\`--${option}${value === undefined ? '' : ` ${value}`}\``
    })
    const codes = exitCodesOf(name).map(({ code, means }) => `${code} ${means}`)
    const cells = [
      `\`${name}\`${takes ? ` ${takes.replaceAll('|', '\\|')}` : ''}`,
      does,
      flags.join(', ') || '–',
      codes.join('; '),
    ]
    return `| ${cells.join(' | ')} |`
  })
  return ['| Command | | Options | Exit codes |', '| --- | --- | --- | --- |', ...rows].join('\n')
}
