/** The image of this commit's `docker/build`, run by podman as the kubelet would run it. */
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { VERSION } from '../../src/version.ts'

export const IMAGE = process.env['LOGSHIPPER_IMAGE'] ?? `localhost/logshipper:${VERSION}`

// As root we are on a machine like CI's; a person's own podman is set up as that person likes it.
const env = {
  ...process.env,
  ...(process.getuid?.() === 0 && { CONTAINERS_CONF: join(import.meta.dirname, 'containers.conf') }),
}

/** Standard output of `podman ARGS`. Throws what it says on standard error. */
export function podman(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('podman', ['--log-level=error', ...args], { env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`podman ${args[0]}: ${status} ${stderr}`)
  return stdout.trim()
}

/** Why the image cannot be run, or `undefined`. */
export function withoutImage(): string | undefined {
  try {
    execFileSync('podman', ['--version'], { stdio: 'ignore' })
  } catch {
    return 'there is no podman on this machine'
  }
  try {
    podman('image', 'exists', IMAGE)
    return undefined
  } catch {
    return `there is no image ${IMAGE}: docker/build makes it`
  }
}

/** A directory that container and test share. */
export function volume(): string {
  const directory = mkdtempSync(join(tmpdir(), 'logshipper-volume-'))
  execFileSync('chmod', ['1777', directory])
  return directory
}

export interface Hardened {
  readonly volume: string
  readonly memory: string
  readonly network: 'host' | 'none'
  readonly env?: Readonly<Record<string, string>>
}

/** Runs until the test ends: read-only root, uid 65532, no capabilities, no new privileges, seccomp, a memory limit. */
export class Hard {
  readonly name = `logshipper-${randomUUID()}`

  constructor(t: Test, { volume, memory, network, env = {} }: Hardened) {
    const all = {
      LOGSHIPPER_STATE_DIR: '/var/log/app/.logshipper',
      LOGSHIPPER_SOURCE_PATHS: '/var/log/app/*.log',
      ...env,
    }
    podman(
      ...['run', '--detach', '--name', this.name, '--network', network, '--volume', `${volume}:/var/log/app`],
      ...[
        '--read-only',
        '--read-only-tmpfs=false',
        '--user',
        '65532:65532',
        '--cap-drop',
        'ALL',
        '--security-opt',
        'no-new-privileges',
      ],
      ...['--memory', memory, '--memory-swap', memory],
      ...Object.entries(all).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      IMAGE,
    )
    t.teardown(() => podman('rm', '--force', '--time', '0', this.name))
  }

  exec(...args: string[]): string {
    return podman('exec', this.name, ...args)
  }

  get logs(): string {
    const { stdout, stderr } = spawnSync('podman', ['logs', this.name], { env, encoding: 'utf8' })
    return stdout + stderr
  }

  get running(): boolean {
    return podman('inspect', '--format', '{{.State.Running}}', this.name) === 'true'
  }

  /** Of the process in it, as the host sees it: a field of /proc/PID/status. */
  status(field: string): string {
    const pid = podman('inspect', '--format', '{{.State.Pid}}', this.name)
    return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!
  }

  /** SIGTERM, and SIGKILL after `grace` seconds. The exit code. */
  async stop(grace: number): Promise<number> {
    // Not waited for in place: the receiver of the drain may live in this process.
    await promisify(execFile)('podman', ['--log-level=error', 'stop', '--time', `${grace}`, this.name], { env })
    return Number(podman('inspect', '--format', '{{.State.ExitCode}}', this.name))
  }

  /** Waits until its log has `text`. */
  async said(text: string): Promise<void> {
    for (let tries = 0; !this.logs.includes(text); tries++) {
      if (tries === 300) throw new Error(`never said ${text}: ${this.logs}`)
      await sleep(100)
    }
  }
}
