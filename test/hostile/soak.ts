/**
 * `npm run soak`: the built program, with the flags of the image, beside everything that may go wrong at once: a backend
 * that fails, rotations, deaths, and a neighbour of another user on the volume and at the ports (`neighbour.ts`).
 *
 *     npm run soak                            five minutes, from a seed that is printed
 *     npm run soak -- --minutes 60 --seed 7   longer, with the same decisions (not the same moments)
 *
 * The program has the memory limit that the image is made for, 128 MiB, where a cgroup can be made; otherwise none.
 *
 * Judged at the end: every line of the honest writers was delivered at least once, nothing of what lies outside of the
 * sources was, the process never ended by itself, its anonymous memory kept to 40 MiB and 6 KiB for each file beyond
 * 500, and its descriptors are back to a few. Without root the neighbour has the program's own user. Ends with 1 if
 * anything failed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { Container } from '../support/container.ts'
import { ENVIRONMENT, FLAGS } from '../support/image.ts'
import { random } from '../torture/program.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const seed = Number(values.seed)
const ends = performance.now() + Number(values.minutes) * 60_000
const next = random(seed)
const below = (limit: number) => Math.floor(next() * limit)

const PROGRAM = join(import.meta.dirname, '../../dist/logshipper.cjs')
const MIB = 1024 ** 2
/** The memory limit that the image is made for. */
const CONTAINER = 128 * MIB
const MOST_ANONYMOUS = 40 * MIB
/** And what each file that is followed beyond the first so many may take, as docs/limits.md says. */
const FEW_FILES = 500
const EACH_FILE = 6 * 1024
/** Descriptors of a program that has a handful of files to follow. */
const MOST_CALM = 64
/** Milliseconds for what is left at the end. */
const PATIENCE = 180_000
const WRITERS = 6
const CANARY = 'canary-outside-of-the-sources'
/** Of our own state, of the system's files. */
const OUTSIDE = [CANARY, 'logshipper-checkpoint', 'root:x:0:0']

const root = process.geteuid?.() === 0
const SHIPPER: { uid?: number; gid?: number } = root ? { uid: 65_532, gid: 65_532 } : {}
const NEIGHBOUR = root ? { uid: 1000, gid: 1000 } : {}

const base = mkdtempSync(join(tmpdir(), 'logshipper-soak-'))
chmodSync(base, 0o755)
const at = (...names: string[]) => join(base, ...names)
for (const name of ['honest', 'app', 'own', 'secrets']) mkdirSync(at(name))
chmodSync(at('app'), 0o2777)
writeFileSync(at('secrets', 'token.log'), `${CANARY}\n`.repeat(100))
if (root) for (const each of ['own', 'secrets', 'secrets/token.log']) chownSync(at(each), 65_532, 65_532)
for (const each of ['own', 'secrets']) chmodSync(at(each), 0o700)

const container = root ? Container.make(CONTAINER) : undefined
const limit = container ? 'a limit of 128 MiB' : 'no memory limit, for no cgroup can be made'
console.log(`soak: seed ${seed}, ${values.minutes} minutes, ${root ? 'two users' : 'one user'}, ${limit}, in ${base}`)

const failures: string[] = []
function fail(what: string): void {
  if (failures.length < 50) failures.push(what)
  console.log(`✗ ${what}`)
}

/** The backend: takes lines, and fails as often as it is told. */
class Backend {
  /** By writer: the numbers that came. */
  readonly seen = Array.from({ length: WRITERS }, () => new Set<number>())
  lines = 0
  faults = 0
  leaks = 0
  calm = false
  readonly #server = createServer((request, response) => this.#serve(request, response))

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const fault = this.calm ? 99 : below(20)
    if (fault === 0) {
      this.faults++
      request.socket.destroy()
      return
    }
    const parts: Buffer[] = []
    request.on('error', () => {}).on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => void this.#answer(request, response, Buffer.concat(parts), fault))
  }

  async #answer(request: IncomingMessage, response: ServerResponse, body: Buffer, fault: number): Promise<void> {
    if (fault < 10) this.faults++
    switch (fault) {
      case 1:
      case 2:
        return void response.writeHead(503).end('no')
      case 3:
        return void response.writeHead(429, { 'retry-after': '1' }).end()
      case 4:
        return void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>sign in</html>')
      case 5:
        // Never answered.
        await sleep(5000)
        request.socket.destroy()
        return
      case 6:
        response.writeHead(200, { 'content-length': '100' }).write('half')
        await sleep(10)
        request.socket.destroy()
        return
      case 7:
        this.#take(request, body)
        request.socket.destroy()
        return
      case 8:
      case 9:
        await sleep(below(2000))
    }
    this.#take(request, body)
    response.writeHead(204).end()
  }

  #take({ headers }: IncomingMessage, body: Buffer): void {
    const encoding = headers['content-encoding']
    const text = (
      encoding === 'gzip' ? gunzipSync(body) : encoding === 'zstd' ? zstdDecompressSync(body) : body
    ).toString()
    for (const each of OUTSIDE) {
      if (!text.includes(each)) continue
      this.leaks++
      fail(
        `something outside of the sources was sent: ${each}, near ${text.slice(Math.max(0, text.indexOf(each) - 200)).slice(0, 400)}`,
      )
    }
    for (const line of text.split('\n')) {
      if (line === '') continue
      this.lines++
      const [, writer, number] = /"message":"w(\d+) (\d+) /.exec(line) ?? []
      if (writer !== undefined) this.seen[Number(writer)]!.add(Number(number))
    }
  }
}

/** After an answer so long passes at the most before a save knows of it: milliseconds. */
const SAVED_AFTER = 3000

/** When the state was saved last: milliseconds since the epoch. */
function savedAt(): number {
  return statSync(at('own/state/checkpoint'), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** A writer of numbered lines, whose files are rotated; what has not all arrived, and is saved to have, is never removed. */
class Writer {
  written = 0
  rotations = 0
  readonly #n: number
  readonly #path: string
  readonly #seen: ReadonlySet<number>
  /** Rotated files, and the number behind their last line. */
  readonly #rotated: { path: string; until: number; arrived: number }[] = []

  constructor(n: number, seen: ReadonlySet<number>) {
    this.#n = n
    this.#path = at('honest', `w${n}.log`)
    this.#seen = seen
  }

  write(): void {
    let text = ''
    for (let n = 1 + below(100); n > 0; n--) text += `w${this.#n} ${this.written++} ${'x'.repeat(below(300))}\n`
    appendFileSync(this.#path, text)
    if (below(60) === 0) this.#rotate()
  }

  missing(): number {
    return this.written - this.#seen.size
  }

  #rotate(): void {
    this.rotations++
    const path = `${this.#path}.${this.rotations}`
    if (below(2) === 0) renameSync(this.#path, path)
    else {
      copyFileSync(this.#path, path)
      truncateSync(this.#path)
    }
    this.#rotated.push({ path, until: this.written, arrived: Number.POSITIVE_INFINITY })
    while (this.#rotated.length > 3 && this.#isSaved(this.#rotated[0]!)) rmSync(this.#rotated.shift()!.path)
  }

  /** Removed before, it would be missed by a process that begins with a state that does not know of its last lines. */
  #isSaved(rotated: { until: number; arrived: number }): boolean {
    if (!this.#all(rotated.until)) return false
    rotated.arrived = Math.min(rotated.arrived, Date.now())
    return savedAt() > rotated.arrived + SAVED_AFTER
  }

  #all(until: number): boolean {
    for (let n = Math.max(0, until - 20_000); n < until; n++) if (!this.#seen.has(n)) return false
    return true
  }
}

/** The program, life after life. */
class Shipper {
  deaths = 0
  anonymous = 0
  descriptors = 0
  /** Now. */
  open = 0
  #child: ChildProcess | undefined
  #expected = false
  readonly #config: string

  constructor(config: string) {
    this.#config = config
    setInterval(() => this.#look(), 50).unref()
  }

  async start(): Promise<void> {
    const log = at('own', 'log')
    const command = [process.execPath, ...FLAGS, PROGRAM, '--config', this.#config]
    const [file, ...args] = container ? container.command(command, SHIPPER) : command
    const child = spawn(file!, args, {
      ...(container ? {} : SHIPPER),
      cwd: '/',
      env: { PATH: process.env['PATH'], ...ENVIRONMENT, UV_THREADPOOL_SIZE: '2', SOAK: CANARY },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#child = child
    this.#expected = false
    let tail = ''
    child.stderr!.setEncoding('utf8').on('data', (part: string) => {
      tail = (tail + part).slice(-4000)
      appendFileSync(log, part)
    })
    child.on('exit', (code, signal) => {
      if (this.#child === child && !this.#expected) fail(`it ended by itself: ${code ?? signal}: ${tail}`)
    })
    while (!tail.includes('"started"') && child.exitCode === null) await sleep(20)
  }

  async end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    const child = this.#child!
    this.#expected = true
    if (signal === 'SIGKILL') this.deaths++
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal)
      await once(child, 'exit')
    }
    return child.exitCode ?? child.signalCode
  }

  #look(): void {
    try {
      const pid = this.#child?.pid
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      this.anonymous = Math.max(this.anonymous, Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024)
      this.open = readdirSync(`/proc/${pid}/fd`).length
      this.descriptors = Math.max(this.descriptors, this.open)
    } catch {
      // Between two lives.
    }
  }
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

const backend = new Backend()
const endpoint = await backend.start()
const [port, adminPort] = [await freePort(), await freePort()]
const config = at('own', 'logshipper.yaml')
writeFileSync(
  config,
  JSON.stringify({
    sources: [
      { name: 'honest', paths: [at('honest', '*.log')] },
      { name: 'app', paths: [at('app', '**/*.log')] },
    ],
    // Small requests are many, and half of them meet a fault.
    backends: [
      { name: 'http', type: 'http', endpoint, batch: { maxBytes: '64KiB' }, retry: { initial: '50ms', max: '200ms' } },
    ],
    state: { dir: at('own', 'state') },
    server: { port, admin: `127.0.0.1:${adminPort}` },
    drain: { gracePeriod: '10s' },
  }),
)
chmodSync(config, 0o644)

const shipper = new Shipper(config)
const writers = backend.seen.map((seen, n) => new Writer(n, seen))
for (const writer of writers) writer.write()
await shipper.start()

const deeds = new Map<string, number>()
const neighbours: ChildProcess[] = []
function neighbour(n: number): void {
  const args = [
    join(import.meta.dirname, 'neighbour.ts'),
    String(seed + n),
    String(port),
    String(adminPort),
    at('secrets'),
  ]
  const child = spawn(process.execPath, args, { ...NEIGHBOUR, cwd: at('app'), stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout!.setEncoding('utf8').on('data', (part: string) => {
    for (const name of part.trim().split('\n')) deeds.set(name, (deeds.get(name) ?? 0) + 1)
  })
  neighbours.push(child)
}
for (let n = 0; n < 2; n++) neighbour(n)

let nextDeath = performance.now() + 15_000
let nextNews = performance.now() + 30_000
while (performance.now() < ends) {
  writers[below(WRITERS)]!.write()
  await sleep(below(20))
  const now = performance.now()
  if (now > nextDeath) {
    nextDeath = now + 10_000 + below(30_000)
    await shipper.end('SIGKILL')
    await sleep(below(1000))
    for (const writer of writers) writer.write()
    await shipper.start()
  }
  if (now > nextNews) {
    nextNews = now + 30_000
    console.log(`  ${news()}`)
  }
  if (failures.length > 10) break
}

function news(): string {
  const written = writers.reduce((sum, each) => sum + each.written, 0)
  const missing = writers.reduce((sum, each) => sum + each.missing(), 0)
  const anonymous = (shipper.anonymous / MIB).toFixed(1)
  return [
    `${written} lines of the honest, ${missing} under way; ${backend.lines} lines in all, ${backend.faults} faults`,
    `${shipper.deaths} deaths, ${anonymous} MiB anonymous and ${shipper.descriptors} descriptors at the most`,
  ].join('; ')
}

for (const child of neighbours) {
  if (child.exitCode !== null) fail(`the neighbour ended with ${child.exitCode}`)
  child.kill('SIGKILL')
}
backend.calm = true
for (const name of readdirSync(at('app'))) rmSync(at('app', name), { recursive: true, force: true })
const patience = performance.now() + PATIENCE
const missing = () => writers.reduce((sum, each) => sum + each.missing(), 0)
while (performance.now() < patience && (missing() > 0 || shipper.open > MOST_CALM)) await sleep(200)
if (missing() > 0) {
  for (const [n, writer] of writers.entries()) {
    const lost = Array.from({ length: writer.written }, (_, number) => number).filter(
      each => !backend.seen[n]!.has(each),
    )
    if (lost.length > 0)
      fail(`writer ${n}: ${lost.length} lines are missing, from ${lost.slice(0, 5)} to ${lost.at(-1)}`)
  }
}
if (shipper.open > MOST_CALM) fail(`${shipper.open} descriptors are open though there is nothing left`)
const allowed = MOST_ANONYMOUS + EACH_FILE * Math.max(0, shipper.descriptors - FEW_FILES)
if (shipper.anonymous > allowed) fail(`${(shipper.anonymous / MIB).toFixed(1)} MiB of anonymous memory`)
const code = await shipper.end('SIGTERM')
// 3 says that something was left: of the neighbour's there is always, for it removed files that nothing had been read of.
if (code !== 0 && code !== 3) fail(`it ended with ${code}`)
const ended = readFileSync(at('own', 'log'), 'utf8').trim().split('\n').at(-1)!
const left = (JSON.parse(ended) as { left?: { source: string }[] }).left ?? []
if (left.some(({ source }) => source === 'honest')) fail(`lines of the honest are left: ${ended}`)
container?.remove()
const token = readFileSync(at('secrets', 'token.log'), 'utf8')
if (token !== `${CANARY}\n`.repeat(100)) fail('a file outside of the sources was changed')
backend.stop()

console.log(`soak: ${news()}; ${shipper.open} descriptors when calm`)
console.log(
  `  rotations: ${writers.reduce((sum, each) => sum + each.rotations, 0)}; neighbours: ${JSON.stringify(Object.fromEntries(deeds))}`,
)
console.log(
  failures.length === 0 ? 'held' : `${failures.length} failures, seed ${seed}; what it said is in ${at('own', 'log')}`,
)
if (failures.length === 0 && existsSync(base)) rmSync(base, { recursive: true, force: true })
process.exit(failures.length === 0 ? 0 : 1)
