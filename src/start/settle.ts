/**
 * Before the program is loaded: a shipper that was started without what the image gives Node becomes the same Node,
 * with it. Pid, standard input, ignored signals and the exit code are then those of one process, for it is one.
 *
 *     started ──► all is given, or it will not run for long ──► the program
 *        │ something is not
 *        ▼
 *     execve(2) ──► started, all is given
 *
 * Guarantees: what is given on the command line, in NODE_OPTIONS or in the environment stays as it is given. Where a
 * process cannot become another one it goes on as it is.
 */
import { accessSync, constants } from 'node:fs'
import { missingEnvironment, missingFlags } from './settings.ts'

const { argv, env, execArgv, execPath } = process
// Node takes options in quotes there, for those with a space in them.
const options = [...(env['NODE_OPTIONS'] ?? '').replaceAll('"', '').split(/\s+/), ...execArgv]
const flags = missingFlags(options)
const variables = missingEnvironment(env)

/** Whether all is given. */
export function isSettled(): boolean {
  return flags.length === 0 && Object.keys(variables).length === 0
}

/** Returns if it has to go on as it is. */
export async function settle(): Promise<void> {
  const [, program, ...args] = argv
  // Whoever debugs it, or talks to it over a channel, would lose it.
  if (program === undefined || process.connected || options.some(option => option.startsWith('--inspect'))) return
  const { kind } = (await import('../cli/args.ts')).parseArgs(args)
  if (kind !== 'run' && kind !== 'replay') return
  try {
    // Where Node itself has been removed, execve(2) would be the end.
    accessSync(execPath, constants.X_OK)
    process.execve?.(execPath, [execPath, ...execArgv, ...flags, program, ...args], { ...env, ...variables })
  } catch {
    // As it is.
  }
}
