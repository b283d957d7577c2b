/**
 * Whether tests can run programs as another user: only root can, and only where that user may look into the directory
 * of these sources. A clone below a directory of mode 0700, as mktemp(1) makes it, is none.
 */
import { spawnSync } from 'node:child_process'

const OTHER = 65_534

/** Why not, for tap's `skip`; false if they can. */
export const otherUser: string | false = reason()

function reason(): string | false {
  if (process.getuid?.() !== 0) return 'only root can be another user'
  const { status } = spawnSync(process.execPath, ['-e', ''], { uid: OTHER, gid: OTHER, cwd: '/', stdio: 'ignore' })
  return status === 0 ? false : 'another user may not look into the directory of these sources'
}
