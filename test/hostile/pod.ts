/**
 * A pod whose application is hostile: a volume that two users share, as the kubelet makes it for an fsGroup, the program as the
 * image's user with the image's flags, and what the application does as a user of its own.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Test } from 'tap'
import { PROGRAM, Receiver, until } from '../program.ts'
import { scratch } from '../scratch.ts'
import { leash } from '../support/leash.ts'
import { otherUser } from '../support/otheruser.ts'

export const SHIPPER = 65_532
export const APPLICATION = 1000
export const skip = otherUser

/** The flags of the image, which bound its memory. */
const [, ...ENTRYPOINT] = JSON.parse(
  /^ENTRYPOINT (.*)$/m.exec(readFileSync(resolve(import.meta.dirname, '../../docker/Dockerfile'), 'utf8'))![1]!,
) as string[]
const FLAGS = ENTRYPOINT.slice(0, -1)

/** What no line that arrives may have in it. */
export const SECRET = 'MIIE-the-content-of-a-file-that-is-none-of-the-logs'

export class Running {
  readonly child: ChildProcess
  said = ''

  constructor(child: ChildProcess) {
    this.child = child
    child.stderr!.setEncoding('utf8').on('data', (part: string) => (this.said += part))
  }

  get over(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  /** A page of its probes. */
  async get(path: string, port: 'port' | 'adminPort' = 'port'): Promise<string> {
    const line = this.said.split('\n').find(each => each.includes('"listening"'))!
    const response = await fetch(`http://127.0.0.1:${JSON.parse(line)[port]}${path}`)
    return await response.text()
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals | null> {
    if (!this.over) {
      this.child.kill(signal)
      await once(this.child, 'exit')
    }
    return this.child.exitCode ?? this.child.signalCode
  }
}

export class Pod {
  readonly base: string
  /** The volume that both mount, one that only the program mounts, and one that it can read and the application cannot. */
  readonly logs: string
  readonly own: string
  readonly secrets: string
  readonly receiver: Receiver
  readonly #t: Test

  private constructor(t: Test, base: string, receiver: Receiver) {
    this.#t = t
    this.base = base
    this.receiver = receiver
    this.logs = join(base, 'logs')
    this.own = join(base, 'own')
    this.secrets = join(base, 'secrets')
  }

  static async start(t: Test): Promise<Pod> {
    const pod = new Pod(t, scratch(t), await Receiver.start(t))
    mkdirSync(pod.logs)
    chownSync(pod.logs, 0, SHIPPER)
    chmodSync(pod.logs, 0o2777)
    for (const directory of [pod.own, pod.secrets]) {
      mkdirSync(directory)
      chownSync(directory, SHIPPER, SHIPPER)
      chmodSync(directory, 0o700)
    }
    return pod
  }

  get state(): string {
    return join(this.own, 'state')
  }

  /** A file that the program may read, and no source names. */
  secret(name: string, content = `${SECRET}\n`): string {
    const path = join(this.secrets, name)
    writeFileSync(path, content)
    chownSync(path, SHIPPER, SHIPPER)
    return path
  }

  get lines(): string[] {
    return this.receiver.lines
  }

  came(line: string): Promise<boolean> {
    return until(() => this.lines.includes(line))
  }

  /** Nothing of a secret has arrived, as it is or in part. */
  get leaked(): string[] {
    return this.lines.filter(line => line.includes(SECRET.slice(5, 30)))
  }

  /** The program; without `paths` its sources and its backend are what a configuration says. */
  async shipper(
    paths: string | undefined,
    env: Record<string, string> = {},
    args: readonly string[] = [],
  ): Promise<Running> {
    const simple: Record<string, string> = {
      LOGSHIPPER_SOURCE_PATHS: paths ?? '',
      LOGSHIPPER_BACKEND_TYPE: 'http',
      LOGSHIPPER_BACKEND_ENDPOINT: this.receiver.url,
      LOGSHIPPER_BACKEND_RETRY_INITIAL: '50ms',
      LOGSHIPPER_BACKEND_RETRY_MAX: '200ms',
    }
    const child = leash(
      spawn(process.execPath, [...FLAGS, PROGRAM, ...args], {
        uid: SHIPPER,
        gid: SHIPPER,
        cwd: '/',
        env: {
          PATH: process.env['PATH'],
          MALLOC_ARENA_MAX: '1',
          UV_THREADPOOL_SIZE: '2',
          LOGSHIPPER_STATE_DIR: this.state,
          ...(paths === undefined ? {} : simple),
          LOGSHIPPER_SERVER_PORT: '0',
          LOGSHIPPER_SERVER_ADMIN: '127.0.0.1:0',
          ...env,
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
    )
    this.#t.teardown(() => child.kill('SIGKILL'))
    const running = new Running(child)
    await until(() => running.said.includes('"msg":"started"') || running.over)
    return running
  }

  /** What the application does, in the volume. */
  application(script: string): void {
    const { status, stderr } = spawnSync('sh', ['-ec', `umask 000; cd '${this.logs}'; ${script}`], {
      uid: APPLICATION,
      gid: APPLICATION,
      encoding: 'utf8',
    })
    this.#t.equal(status, 0, stderr)
  }

  /** A program of the application that goes on until it has done what it says, or the test ends. */
  program(script: string): ChildProcess {
    const child = leash(
      spawn(process.execPath, ['--input-type=commonjs', '-e', script], {
        uid: APPLICATION,
        gid: APPLICATION,
        cwd: this.logs,
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    )
    this.#t.teardown(() => child.kill('SIGKILL'))
    return child
  }
}
