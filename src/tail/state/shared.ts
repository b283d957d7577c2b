/**
 * Whether others may take the state directory away: it lies on a volume of the logs, below a directory that another user
 * may write to. What is in it stays ours, but a restart may not find it, or find what another user put there.
 *
 * Directories of a volume of its own may look the same (the root of an emptyDir belongs to a group), so what counts is
 * that logs are followed on the same mount. Never throws.
 */
import { readFileSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import { writersOf } from '../../private.ts'

export interface SharedPlace {
  /** The directory above ours that others may write to. */
  readonly path: string
  readonly found: string
}

/** `mounts`: where file systems are mounted. */
export function sharedPlace(
  dir: string,
  roots: readonly string[],
  mounts: readonly string[] = mountPoints(),
): SharedPlace | undefined {
  const mount = mountOf(dir, mounts)
  if (!liesAmong(dir, roots, mounts)) return undefined
  for (let path = dirname(dir); ; path = dirname(path)) {
    const found = writersOf(path)
    if (found !== undefined) return { path, found }
    if (path === mount || path === dirname(path)) return undefined
  }
}

/** Whether the directory lies on the mount of one of `roots`. */
export function liesAmong(dir: string, roots: readonly string[], mounts: readonly string[] = mountPoints()): boolean {
  const mount = mountOf(dir, mounts)
  return roots.some(root => mountOf(root, mounts) === mount)
}

function mountOf(path: string, mounts: readonly string[]): string {
  let longest: string = sep
  for (const mount of mounts) {
    const holds = path === mount || path.startsWith(mount === sep ? sep : mount + sep)
    if (holds && mount.length >= longest.length) longest = mount
  }
  return longest
}

/** proc(5), /proc/pid/mountinfo: spaces and the like are octal there. */
function mountPoints(): string[] {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .flatMap(line => line.split(' ')[4] ?? [])
      .map(point =>
        point.replaceAll(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8))),
      )
  } catch {
    return []
  }
}
