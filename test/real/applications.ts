/**
 * Programs that log as programs do, and a client that gives each a reason to: requests that succeed, that fail with a
 * stack trace, and that carry secrets, in bursts. What each request must lead to in the logs is known from what it was.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import type { Test } from 'tap'
import { freePort, isInstalled, PATH, running } from '../support/daemon.ts'

const SOURCES = join(import.meta.dirname, 'applications')
const JARS = ['logback-classic', 'logback-core', 'slf4j-api'].map(name => `/usr/share/java/${name}.jar`)
const CLASS_PATH = JARS.join(':')
/** Debian's own: another Python does not see its packages. */
const PYTHON = '/usr/bin/python3'
/** Where Debian keeps the sources of Go's packages. */
const GOPATH = '/usr/share/gocode'

const inPython = (words: string) => existsSync(PYTHON) && spawnSync(PYTHON, ['-c', words]).status === 0

/** Debian's packages that are not there. */
export function missingPrograms(): string[] {
  const needed: readonly (readonly [name: string, there: boolean])[] = [
    ['nginx', isInstalled('nginx')],
    ['default-jdk-headless', isInstalled('javac') && isInstalled('java')],
    ['liblogback-java', JARS.every(existsSync)],
    ['python3-flask', inPython('import flask')],
    ['golang-go', isInstalled('go')],
    ['golang-go.uber-zap-dev', existsSync(join(GOPATH, 'src/go.uber.org/zap'))],
  ]
  return needed.filter(([, there]) => !there).map(([name]) => name)
}

/** A zone of its own for each: a time that is taken for one of another zone is hours away. */
export const ZONES = { java: 'Europe/Berlin', nginx: 'America/New_York', python: 'Asia/Kolkata', go: 'UTC' } as const

export const FILES = {
  java: 'java.log',
  jul: 'jul.log',
  access: 'access.log',
  errors: 'error.log',
  python: 'python.log',
  structured: 'python.json',
  go: 'go.log',
} as const

/** What a request asks for, and of which application. */
export type Kind = keyof typeof KINDS
const KINDS = {
  order: ['nginx', '/order'],
  slow: ['nginx', '/slow'],
  fail: ['nginx', '/fail'],
  gone: ['nginx', '/gone'],
  missing: ['nginx', '/files/none'],
  probe: ['nginx', '/healthz'],
  cart: ['python', '/cart'],
  charge: ['python', '/charge'],
  handled: ['go', '/ok'],
  refused: ['go', '/error'],
  panic: ['go', '/panic'],
} as const
const KIND_NAMES = Object.keys(KINDS) as Kind[]

type Ports = Readonly<Record<'nginx' | 'python' | 'go', number>>

interface Secrets {
  readonly query: string
  readonly token: string
}

export class Applications {
  /** Each request that was made, by its id. */
  readonly asked = new Map<string, Kind>()
  /** What must not be seen anywhere. */
  readonly secrets: string[] = []
  readonly #ports: Ports
  #next = 0

  private constructor(ports: Ports) {
    this.#ports = ports
  }

  /** Builds and starts all. They write to `logs` and have `work` for everything else. */
  static async start(t: Test, logs: string, work: string): Promise<Applications> {
    const [java, nginx, python, go] = await Promise.all([freePort(), freePort(), freePort(), freePort()])
    const log = (name: keyof typeof FILES) => join(logs, FILES[name])
    build(work, 'javac', '-cp', CLASS_PATH, '-d', work, join(SOURCES, 'Service.java'))
    build(work, 'go', 'build', '-o', join(work, 'service'), join(SOURCES, 'go/service.go'))
    const started = (port: number, zone: string, command: string) =>
      running(t, port, 'sh', '-c', `TZ=${zone} exec ${command}`)
    await started(
      java,
      ZONES.java,
      `java -Xmx64m -cp ${work}:${CLASS_PATH} Service ${java} ${log('java')} ${log('jul')}`,
    )
    const web = join(SOURCES, 'web.py')
    await started(python, ZONES.python, `${PYTHON} ${web} ${python} ${log('python')} ${log('structured')} 2> /dev/null`)
    await started(go, ZONES.go, `${join(work, 'service')} ${go} 2> ${log('go')}`)
    const folder = join(work, 'nginx')
    mkdirSync(folder)
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    const conf = [
      `daemon off; master_process off; pid ${folder}/pid; error_log ${log('errors')};`,
      `events { worker_connections 512; } http { access_log ${log('access')} combined;`,
      ...temporary.map(name => `${name}_temp_path ${folder}/${name};`),
      `server { listen 127.0.0.1:${nginx}; location / { proxy_pass http://127.0.0.1:${java}; }`,
      `location /gone { proxy_pass http://127.0.0.1:${await freePort()}; } location /files { root ${folder}; }`,
      'location /healthz { return 200; } } }',
    ]
    writeFileSync(join(folder, 'nginx.conf'), conf.join('\n'))
    await started(nginx, ZONES.nginx, `nginx -p ${folder} -e ${log('errors')} -c ${folder}/nginx.conf`)
    return new Applications({ nginx, python, go })
  }

  /** Some requests of every kind, all at once. */
  async burst(rounds: number): Promise<void> {
    await Promise.all(Array.from({ length: rounds }, () => KIND_NAMES.map(kind => this.#ask(kind))).flat())
  }

  /** The service in Go ends by a panic that no one recovers. */
  async end(): Promise<void> {
    await this.#send('go', '/end', this.#secrets('r99999x'), 'r99999x')
  }

  count(...kinds: Kind[]): number {
    return this.asked.values().reduce((sum, kind) => sum + (kinds.includes(kind) ? 1 : 0), 0)
  }

  async #ask(kind: Kind): Promise<void> {
    const id = `r${String(++this.#next).padStart(5, '0')}x`
    this.asked.set(id, kind)
    const [application, path] = KINDS[kind]
    await this.#send(application, path, this.#secrets(id), id)
  }

  /** Secrets of this request alone. */
  #secrets(id: string): Secrets {
    const person = `ada.${id}@mail.example`
    const [password, token, key] = [`Pw${id}Zq81`, `t0k${id}Wm5vQ7yB2nK9c`, `k3y${id}Jt6hD4sX8f`]
    const card = luhn(`4111${id.slice(1, 6).padStart(11, '0')}`)
    this.secrets.push(person, password, token, key, card)
    const query = new URLSearchParams({ id, user: person, password, card, api_key: key })
    return { query: query.toString().replaceAll('%40', '@'), token }
  }

  #send(to: keyof Ports, path: string, { query, token }: Secrets, id: string): Promise<void> {
    const done = Promise.withResolvers<void>()
    const headers = { 'X-Request-Id': id, Authorization: `Bearer ${token}` }
    const url = `http://127.0.0.1:${this.#ports[to]}${path}?${query}`
    request(url, { headers, agent: false }, response => response.resume().on('close', done.resolve))
      // A panic breaks off the connection.
      .on('error', () => done.resolve())
      .end()
    return done.promise
  }
}

function build(work: string, program: string, ...args: string[]): void {
  const env = { PATH, HOME: work, GO111MODULE: 'off', GOPATH, GOCACHE: join(work, 'gocache') }
  const { status, stderr } = spawnSync(program, args, { env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
}

/** A number with its check digit. */
function luhn(digits: string): string {
  const sum = [...digits].reduceRight((all, digit, at) => {
    const value = Number(digit) * ((digits.length - at) % 2 === 1 ? 2 : 1)
    return all + (value > 9 ? value - 9 : value)
  }, 0)
  return digits + ((10 - (sum % 10)) % 10)
}
