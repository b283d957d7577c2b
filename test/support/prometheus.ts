/**
 * A real Prometheus, as the system's package has it: it scrapes what it is told every second, evaluates rules as often, and
 * is asked over its API. Its port is any free one, which it says itself.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { stringify } from 'yaml'
import { leash } from './leash.ts'

/** Why there is none here; `false`: there is. */
export const withoutPrometheus: string | false =
  spawnSync('prometheus', ['--version']).status === 0 ? false : 'prometheus is not installed'

export interface FiringAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly state: 'pending' | 'firing'
}

export interface Answer {
  readonly status: 'success' | 'error'
  readonly error?: string
  readonly data?: { readonly result: readonly { readonly metric: Readonly<Record<string, string>> }[] }
}

export class Prometheus {
  readonly #url: string
  readonly #targets: string
  readonly #known = new Map<string, number>()

  private constructor(url: string, targets: string) {
    this.#url = url
    this.#targets = targets
  }

  /** `directory`: where it may keep everything. `rules`: the text of a rule file. */
  static async start(t: Test, directory: string, rules?: string): Promise<Prometheus> {
    const at = (name: string) => join(directory, name)
    if (rules !== undefined) writeFileSync(at('rules.yml'), rules)
    writeFileSync(at('targets.json'), '[]')
    // What a PodMonitor gives every series; the address is no part of them, for it changes with each life of a process.
    const relabel_configs = [{ source_labels: ['pod'], target_label: 'instance' }]
    const file_sd_configs = [{ files: [at('targets.json')], refresh_interval: '1s' }]
    const scrape = { job_name: 'shop/logshipper', file_sd_configs, relabel_configs }
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: rules === undefined ? [] : [at('rules.yml')],
      scrape_configs: [scrape],
    }
    writeFileSync(at('prometheus.yml'), stringify(config))
    const options = ['--web.listen-address=127.0.0.1:0', `--storage.tsdb.path=${at('data')}`]
    const child = leash(
      spawn('prometheus', [`--config.file=${at('prometheus.yml')}`, ...options], {
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
    )
    let said = ''
    const listening = Promise.withResolvers<string>()
    createInterface({ input: child.stderr! }).on('line', line => {
      said += `${line}\n`
      const [, address] = /msg="Listening on" address=(\S+)/.exec(line) ?? []
      if (address !== undefined) listening.resolve(address)
    })
    const ended = once(child, 'close')
    void ended.then(() => listening.reject(new Error(`prometheus has ended:\n${said}`)))
    t.teardown(async () => {
      child.kill('SIGKILL')
      await ended
    })
    return new Prometheus(`http://${await listening.promise}`, at('targets.json'))
  }

  /** From now on the shipper of that pod is at that port. */
  scrape(pod: string, port: number): void {
    this.#known.set(pod, port)
    const groups = [...this.#known].map(([pod, port]) => ({
      targets: [`127.0.0.1:${port}`],
      labels: { namespace: 'shop', pod, container: 'logshipper' },
    }))
    writeFileSync(this.#targets, JSON.stringify(groups))
  }

  async alerts(): Promise<readonly FiringAlert[]> {
    const { data } = (await this.#get('/api/v1/alerts')) as { data: { alerts: FiringAlert[] } }
    return data.alerts
  }

  async query(expression: string): Promise<Answer> {
    return (await this.#get(`/api/v1/query?query=${encodeURIComponent(expression)}`)) as Answer
  }

  async #get(path: string): Promise<unknown> {
    return (await fetch(`${this.#url}${path}`)).json()
  }
}
