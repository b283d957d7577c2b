/**
 * `logshipper completion SHELL`: what makes a shell complete command lines of ours, for it to source or to install.
 *
 * Guarantees: every command, option and closed set of the tables is in it, for it is made of them alone.
 */

import type { Shell } from './commands.ts'
import { bash } from './completion/bash.ts'
import { fish } from './completion/fish.ts'
import { zsh } from './completion/zsh.ts'

const SCRIPTS: Readonly<Record<Shell, () => string>> = { bash, zsh, fish }

export function completionOf(shell: Shell): string {
  return SCRIPTS[shell]()
}
