/**
 * Exit codes: what each means in general, and of one command. The help, the man page and the documentation are made of
 * this and of the table of commands, and a test runs every command to each of its codes.
 */
import { COMMANDS, type CommandHelp, type CommandName } from './commands.ts'

export const EXIT = { ok: 0, unexpected: 1, configuration: 2, incomplete: 3, interrupted: 130 } as const

export interface ExitCode {
  readonly code: number
  readonly means: string
  /** What more there is to know. */
  readonly more?: string
}

export const EXIT_CODES: readonly ExitCode[] = [
  { code: EXIT.ok, means: 'done; of run: everything was drained' },
  {
    code: EXIT.unexpected,
    means: 'the answer is negative, the output cannot be written, or a bug; of run: a bug',
    more: 'What a negative answer is, each command says.',
  },
  {
    code: EXIT.configuration,
    means: 'the command line, the configuration or a manifest cannot be used',
    more:
      'Of run also: the port of the probes or state.dir cannot be used, or another process uses it. ' +
      'Every fault is on standard error.',
  },
  {
    code: EXIT.incomplete,
    means: 'of run: drained incompletely; of replay: interrupted, or one is under way; of convert: settings are lost',
    more:
      'What is left is in the ledger, on disk, and in the termination message; or the last save failed or did not end ' +
      'in time (state_not_saved): unsavedBytes that were acknowledged are sent again after a restart on the same volume.',
  },
  { code: EXIT.interrupted, means: 'ended by a signal, where there was nothing to finish' },
]

/** Of a command, the lowest first. What cannot be used is the same of all. */
export function exitCodesOf(name: CommandName): readonly ExitCode[] {
  const { exits = '0 done' }: CommandHelp = COMMANDS[name]
  const own = exits.split(/ {2,}/).map((text): ExitCode => {
    const [, code, means] = /^(\d+) (.+)$/.exec(text) ?? []
    if (code === undefined) throw new Error(`${name}: an exit code without a meaning: ${text}`)
    return { code: Number(code), means: means! }
  })
  if (own.some(({ code }) => code === EXIT.configuration)) return own
  const usage: ExitCode = { code: EXIT.configuration, means: 'the command line cannot be used' }
  return [...own, usage].sort((a, b) => a.code - b.code)
}
