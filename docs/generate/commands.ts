/** The table of commands, from what the help is made of. */
import { COMMANDS, type CommandHelp, type CommandName, OPTIONS, type OptionHelp } from '../../src/cli/commands.ts'

export function commands(): string {
  const rows = (Object.keys(COMMANDS) as CommandName[]).map(name => {
    const { takes, does, options, exits }: CommandHelp = COMMANDS[name]
    const flags = options.map(option => {
      const { value }: OptionHelp = OPTIONS[option]
      return `\`--${option}${value === undefined ? '' : ` ${value}`}\``
    })
    const cells = [`\`${name}\`${takes ? ` ${takes}` : ''}`, does, flags.join(', ') || '–', exits ?? '–']
    return `| ${cells.join(' | ').replaceAll('   ', '; ')} |`
  })
  return ['| Command | | Options | Exit codes |', '| --- | --- | --- | --- |', ...rows].join('\n')
}
