/**
 * /dev/termination-log as a container has it, for one program: a command that runs another in a mount namespace in which
 * a file of ours is that log. The machine's own /dev stays as it is.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A /dev of its own, with what programs need, is put over the other one. */
const SCRIPT = `
  dev=$(mktemp -d)
  mount -t tmpfs dev "$dev"
  for name in null zero random urandom; do : > "$dev/$name"; mount --bind "/dev/$name" "$dev/$name"; done
  : > "$dev/termination-log"
  mount --bind "$1" "$dev/termination-log"
  mount --move "$dev" /dev
  rmdir "$dev"
  shift
  exec "$@"`

/** The words before the command of a program that runs as `user`. `log`: a file that this user may write. */
export function withTerminationLog(log: string, user: number): readonly string[] {
  const as = ['setpriv', '--reuid', String(user), '--regid', String(user), '--clear-groups', '--']
  return ['unshare', '-m', 'sh', '-ec', SCRIPT, 'sh', log, ...as]
}

/** Why there can be none here; `false`: there can. */
export const withoutTerminationLog: string | false = reason()

function reason(): string | false {
  if (process.getuid?.() !== 0) return 'only root has a mount namespace'
  const folder = mkdtempSync(join(tmpdir(), 'logshipper-termination-'))
  const log = join(folder, 'log')
  closeSync(openSync(log, 'w'))
  const [command, ...args] = withTerminationLog(log, 0)
  spawnSync(command!, [...args, 'sh', '-c', 'echo written > /dev/termination-log'])
  const written = readFileSync(log, 'utf8')
  rmSync(folder, { recursive: true })
  return written === 'written\n' ? false : 'no mount namespace here'
}
