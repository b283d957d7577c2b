/** A ClickHouse server of its own, in a temporary directory and on free ports, for as long as a test runs. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { until } from '../program.ts'
import { scratch } from '../scratch.ts'

const PROGRAM = ['/usr/sbin/clickhouse-server', '/usr/bin/clickhouse-server', '/usr/bin/clickhouse'].find(existsSync)

/** Why there is none, in one line. */
export const MISSING = PROGRAM === undefined ? 'no server: clickhouse-server is not installed' : undefined

const config = (dir: string, http: number, tcp: number): string => `<yandex>
  <logger><level>warning</level><log>${dir}/log</log><errorlog>${dir}/errors</errorlog></logger>
  <listen_host>127.0.0.1</listen_host><http_port>${http}</http_port><tcp_port>${tcp}</tcp_port>
  <path>${dir}/data/</path><tmp_path>${dir}/tmp/</tmp_path><users_config>${dir}/users.xml</users_config>
  <default_profile>default</default_profile><default_database>default</default_database>
  <mark_cache_size>67108864</mark_cache_size>
</yandex>`

const user = (name: string, password: string, profile: string): string =>
  `<${name}><password>${password}</password><networks><ip>::/0</ip></networks><profile>${profile}</profile><quota>default</quota></${name}>`

const USERS = `<yandex>
  <profiles><default></default><reading><readonly>2</readonly></reading></profiles>
  <users>${user('default', '', 'default')}${user('shipper', 'a secret', 'default')}${user('reader', 'r', 'reading')}</users>
  <quotas><default></default></quotas>
</yandex>`

export class Clickhouse {
  readonly url: string
  readonly #child: ChildProcess | undefined

  constructor(url: string, child?: ChildProcess) {
    this.url = url
    this.#child = child
  }

  static async start(t: Test): Promise<Clickhouse> {
    const dir = scratch(t, {})
    for (const directory of ['data', 'tmp']) mkdirSync(join(dir, directory))
    const [http, tcp] = await freePorts()
    writeFileSync(join(dir, 'config.xml'), config(dir, http, tcp))
    writeFileSync(join(dir, 'users.xml'), USERS)
    const command = PROGRAM!.endsWith('-server') ? [] : ['server']
    const child = spawn(PROGRAM!, [...command, `--config-file=${join(dir, 'config.xml')}`], {
      cwd: dir,
      stdio: 'ignore',
    })
    const server = new Clickhouse(`http://127.0.0.1:${http}`, child)
    t.teardown(() => server.#stop())
    const up = await until(
      () =>
        fetch(`${server.url}/ping`).then(
          ({ ok }) => ok,
          () => false,
        ),
      60,
    )
    if (!up) throw new Error('ClickHouse does not come up')
    return server
  }

  /** What a statement answers, one line per row. Throws what ClickHouse says against it. */
  async sql(statement: string): Promise<string[]> {
    const response = await fetch(this.url, { method: 'POST', body: statement })
    const text = await response.text()
    if (!response.ok) throw new Error(text)
    return text.split('\n').slice(0, -1)
  }

  async #stop(): Promise<void> {
    if (!this.#child || this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}

async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const
  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening')
  const [http, tcp] = servers.map(server => (server.address() as AddressInfo).port) as [number, number]
  for (const server of servers) await once(server.close(), 'close')
  return [http, tcp]
}
