/**
 * A container's memory limit for a process under test: a cgroup of its own, of either version (cgroups(7)).
 *
 * `Container.make` returns undefined where none can be made, which takes root and a writable hierarchy. A process is put
 * there before it begins, for it reads its limit as it starts.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const MOUNT = '/sys/fs/cgroup'
const VERSIONS = [
  { directory: MOUNT, has: 'cgroup.controllers', limit: 'memory.max' },
  { directory: join(MOUNT, 'memory'), has: 'memory.limit_in_bytes', limit: 'memory.limit_in_bytes' },
]

export class Container {
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
  }

  /** `bytes`: what all processes in it may have, page cache included. */
  static make(bytes: number): Container | undefined {
    for (const { directory, has, limit } of VERSIONS) {
      if (!existsSync(join(directory, has))) continue
      const own = join(directory, `logshipper-test-${process.pid}`)
      try {
        mkdirSync(own)
        writeFileSync(join(own, limit), String(bytes))
        return new Container(own)
      } catch {
        remove(own)
      }
    }
    return undefined
  }

  /** A command that runs `command` in it, as `user`. */
  command(command: readonly string[], { uid, gid }: { uid?: number; gid?: number }): string[] {
    const as = uid === undefined ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${gid ?? uid}`, '--clear-groups']
    return ['sh', '-c', `echo $$ > ${join(this.#directory, 'cgroup.procs')} && exec "$@"`, 'sh', ...as, ...command]
  }

  /** Once all of its processes have ended. */
  remove(): void {
    remove(this.#directory)
  }
}

function remove(directory: string): void {
  try {
    if (readFileSync(join(directory, 'cgroup.procs'), 'utf8') === '') rmdirSync(directory)
  } catch {
    // It was never made, or the system keeps it for a moment: an empty one costs nothing.
  }
}
