/**
 * A real API server with an etcd, on loopback, in a directory of its own. The binaries are named by KUBE_APISERVER_BIN
 * and ETCD_BIN; they are not fetched or built here.
 *
 * No scheduler, no controllers, no nodes: it validates, defaults and admits what it is given, and keeps it.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'

export const TOKEN = 'not-a-secret'

/** Why there can be none, or `undefined`. */
export function withoutApiServer(): string | undefined {
  const missing = ['KUBE_APISERVER_BIN', 'ETCD_BIN'].filter(name => !process.env[name])
  return missing.length > 0 ? `no API server was named: ${missing.join(' and ')} not set` : undefined
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

export class ApiServer {
  readonly directory: string
  readonly #port: number
  readonly #processes: ChildProcess[] = []

  readonly #enter: readonly string[]

  private constructor(directory: string, port: number, enter: readonly string[]) {
    this.directory = directory
    this.#port = port
    this.#enter = enter
  }

  /** `enter` is the command that runs another one where the server is to live: in a network of its own, say. */
  static async start(t: Test, enter: readonly string[] = []): Promise<ApiServer> {
    const directory = mkdtempSync(join(tmpdir(), 'logshipper-apiserver-'))
    const [port, client, peer] = [await freePort(), await freePort(), await freePort()]
    const server = new ApiServer(directory, port, enter)
    t.teardown(async () => {
      await server.stop()
      rmSync(directory, { recursive: true, force: true })
    })
    const [etcd, self] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`]
    mkdirSync(join(directory, 'etcd'), { mode: 0o700 })
    server.spawn('etcd', process.env['ETCD_BIN']!, [
      `--data-dir=${join(directory, 'etcd')}`,
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      `--listen-peer-urls=${self}`,
      `--initial-advertise-peer-urls=${self}`,
      `--initial-cluster=default=${self}`,
      '--unsafe-no-fsync',
    ])
    const key = join(directory, 'service-account.key')
    execFileSync('openssl', ['genrsa', '-out', key, '2048'], { stdio: 'ignore' })
    writeFileSync(join(directory, 'tokens.csv'), `${TOKEN},admin,admin,system:masters\n`)
    server.spawn('kube-apiserver', process.env['KUBE_APISERVER_BIN']!, [
      `--etcd-servers=${etcd}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${join(directory, 'certificates')}`,
      `--token-auth-file=${join(directory, 'tokens.csv')}`,
      '--authorization-mode=AlwaysAllow',
      // It would wait for a controller that makes the accounts.
      '--disable-admission-plugins=ServiceAccount',
      '--service-account-issuer=https://localhost',
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
      '--service-cluster-ip-range=203.0.113.0/24',
      '--kubelet-preferred-address-types=InternalIP',
    ])
    for (let tries = 0; ; tries++) {
      try {
        server.kubectl(['get', '--raw', '/readyz'])
        return server
      } catch (error) {
        if (tries === 120) throw new Error(`not ready: ${server.log('kube-apiserver')}`, { cause: error })
        await sleep(500)
      }
    }
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`
  }

  get version(): string {
    return (JSON.parse(this.kubectl(['get', '--raw', '/version'])) as { gitVersion: string }).gitVersion
  }

  /** What `kubectl` prints. Throws with what it says on standard error. */
  kubectl(args: readonly string[], input = ''): string {
    const all = [`--server=${this.url}`, '--insecure-skip-tls-verify', `--token=${TOKEN}`, ...args]
    const env = { PATH: process.env['PATH'], HOME: this.directory }
    const [first, ...rest] = [...this.#enter, 'kubectl', ...all]
    const { status, stdout, stderr } = spawnSync(first!, rest, { input, env, encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
    return stdout
  }

  /** Runs beside the server until it is stopped; what it prints is kept in NAME.log. */
  spawn(name: string, program: string, args: readonly string[]): void {
    const [first, ...rest] = [...this.#enter, program, ...args]
    const child = spawn(first!, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
    const log = createWriteStream(join(this.directory, `${name}.log`))
    child.stdout.pipe(log, { end: false })
    child.stderr.pipe(log, { end: false })
    this.#processes.push(child)
  }

  /** The last lines of NAME.log. */
  log(name: string): string {
    return readFileSync(join(this.directory, `${name}.log`), 'utf8')
      .split('\n')
      .slice(-20)
      .join('\n')
  }

  /** Ends everything that was started here. */
  async stop(): Promise<void> {
    for (const child of this.#processes.splice(0).reverse()) {
      if (child.exitCode !== null) continue
      const ended = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      await Promise.race([ended, sleep(5000, undefined, { ref: false })])
      child.kill('SIGKILL')
    }
  }
}
