/** What a rotation is, for the rig: where the log lies, the application that writes it, and what rotates it. */
import { spawnSync } from 'node:child_process'

/** Where one log lies. */
export interface LogDirectory {
  /** The directory of its logs. */
  readonly directory: string
  /** A directory for what belongs to the tool, away from the logs. */
  readonly aside: string
  /** `name` in the directory; `app.log` unless it is said. */
  path(name?: string): string
}

/** An application and what rotates its log. */
export interface Log {
  /** When it returns, the lines lie on the volume. */
  write(lines: string): void | Promise<void>
  /** When it returns, the rotation is over. Throws if the tool refuses. */
  rotate(): void | Promise<void>
  /** NUL bytes that lie in its files, and that the application has not written. */
  readonly holes?: number
  end?(): void | Promise<void>
}

export interface Rotation {
  readonly name: string
  /** Programs that it takes. */
  readonly needs?: readonly string[]
  /** What is followed in its directory: `app.log` unless it is said. */
  readonly follows?: readonly string[]
  readonly order?: 'log' | 'file'
  /** It overwrites what it rotated: what was not read of that is gone, whoever holds a handle. */
  readonly destroys?: boolean
  /** It refuses a file with two links, and does so to the next time: it may complain while files are pinned. */
  readonly refuses?: boolean
  /** Its names and places do not tell rotations: what was not seen under the followed name need not be found. */
  readonly anonymous?: boolean
  begin(place: LogDirectory): Log | Promise<Log>
}

const there = new Map<string, boolean>()

/** Whether a program can be run. */
export function isThere(name: string): boolean {
  let known = there.get(name)
  if (known === undefined) {
    known = spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${name}`]).status === 0
    there.set(name, known)
  }
  return known
}
