/**
 * The rig: one program that follows many logs, each in a folder of its own, written by its own application, rotated by
 * its own tool, and with its own source, so that the ledger has an account for each. A fault strikes all of them at
 * once, and each is judged for itself.
 *
 *     ONLY=dateext node test/rotation/logrotate.test.ts     the cases whose name contains this
 *     LONG=1 node test/rotation/logrotate.test.ts           a program for each case, and more of everything
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { Test } from 'tap'
import type { FileStatus } from '../../src/server/subject.ts'
import { Program, type Received, Receiver, until } from '../program.ts'
import { scratch } from '../scratch.ts'
import { assess, LINE, lineOf } from './judge.ts'

export const LONG = process.env['LONG'] === '1'
const ONLY = process.env['ONLY'] ?? ''

/** Where one log lies. */
export interface Place {
  /** The folder of its logs. */
  readonly folder: string
  /** A folder for what belongs to the tool, away from the logs. */
  readonly aside: string
  /** `name` in the folder; `app.log` unless it is said. */
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
  /** What is followed in its folder: `app.log` unless it is said. */
  readonly follows?: readonly string[]
  readonly order?: 'log' | 'file'
  /** It overwrites what it rotated: what was not read of that is gone, whoever holds a handle. */
  readonly destroys?: boolean
  /** It refuses a file with two links, and does so to the next time: it may complain while files are pinned. */
  readonly refuses?: boolean
  /** Its names do not tell rotations: what nobody saw under the followed name cannot be told from any other file. */
  readonly anonymous?: boolean
  begin(place: Place): Log | Promise<Log>
}

export interface Fault {
  readonly name: string
  readonly rotations: number
  /** What is written is seen before it is rotated: the program runs. */
  readonly sees: boolean
  readonly kills?: boolean
  /** `lines`: how many are written before each rotation. */
  begin(rig: Rig, lines: number): Promise<void>
  end(rig: Rig): Promise<void>
}

/** Whether a program can be run. */
export function isThere(name: string): boolean {
  return spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${name}`]).status === 0
}

/** One log of the rig. */
export class Followed {
  readonly rotation: Rotation
  readonly source: string
  readonly place: Place
  readonly refusals: string[] = []
  /** Numbers of lines that lay nowhere on the volume when the fault was over. */
  gone: ReadonlySet<number> = new Set()
  log!: Log
  written = 0

  constructor(rotation: Rotation, source: string, place: Place) {
    this.rotation = rotation
    this.source = source
    this.place = place
  }

  /** The followed path that is written to now. */
  get current(): string {
    const { place, rotation } = this
    const [name] = rotation.follows ?? ['app.log']
    if (name !== undefined && !name.includes('*')) return place.path(name)
    if (existsSync(place.path())) return place.path()
    const born = (file: string) => statSync(place.path(file)).birthtimeMs
    const files = readdirSync(place.folder).filter(file => !file.endsWith('.gz'))
    return place.path(files.sort((a, b) => born(b) - born(a))[0])
  }

  take(count: number): string {
    let text = ''
    for (let n = 0; n < count; n++) text += `${lineOf(this.source, this.written++)}\n`
    return text
  }

  async write(count: number): Promise<void> {
    await this.log.write(this.take(count))
  }

  async rotate(): Promise<void> {
    try {
      await this.log.rotate()
    } catch (error) {
      this.refusals.push(String((error as { stderr?: Buffer }).stderr ?? error).trim())
    }
  }

  /** The numbers of all lines that can be read: in the files of its folder, compressed ones too, or by `handles`. */
  readable(handles: readonly string[]): Set<number> {
    const numbers = new Set<number>()
    const files = readdirSync(this.place.folder, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name))
    for (const path of [...files, ...handles]) {
      const text = plain(readFileSync(path))
      for (let at = text.indexOf(` ${this.source} `); at >= 8; at = text.indexOf(` ${this.source} `, at + LINE / 2)) {
        numbers.add(Number(text.slice(at - 8, at)))
      }
    }
    return numbers
  }
}

/** The handles by which a process holds files that have no name any more. */
function nameless(pid: number | undefined): string[] {
  const folder = `/proc/${pid}/fd`
  if (!existsSync(folder)) return []
  const handles = readdirSync(folder).map(name => join(folder, name))
  return handles.filter(path => {
    try {
      return readlinkSync(path).endsWith(' (deleted)')
    } catch {
      // It was just closed.
      return false
    }
  })
}

function plain(bytes: Buffer): string {
  try {
    if (bytes.readUInt16BE() === 0x1f8b) return gunzipSync(bytes).toString('latin1')
    if (bytes.readUInt32LE() === 0xfd2fb528) return zstdDecompressSync(bytes).toString('latin1')
  } catch {
    // Shorter than a magic number, or no archive after all.
  }
  return bytes.toString('latin1')
}

export class Rig {
  readonly receiver: Receiver
  readonly logs: readonly Followed[]
  readonly #t: Test
  readonly #dir: string
  #program: Program | undefined
  /** How many records have been sorted by source, and the numbers of the lines that came of each. */
  #sorted = 0
  readonly #records = new Map<string, Received[]>()
  readonly #numbers = new Map<string, Set<number>>()

  private constructor(t: Test, receiver: Receiver, logs: readonly Followed[], dir: string) {
    this.#t = t
    this.receiver = receiver
    this.logs = logs
    this.#dir = dir
  }

  static async set(t: Test, rotations: readonly Rotation[]): Promise<Rig> {
    const dir = scratch(t, { logs: {}, aside: {} })
    const logs = rotations.map(rotation => {
      const source = rotation.name.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '')
      const folder = join(dir, 'logs', source)
      const aside = join(dir, 'aside', source)
      for (const made of [folder, aside]) mkdirSync(made, { recursive: true, mode: 0o755 })
      return new Followed(rotation, source, { folder, aside, path: (name = 'app.log') => join(folder, name) })
    })
    const receiver = await Receiver.start(t)
    const sources = logs.map(({ source, place, rotation: { follows = ['app.log'] } }) => ({
      name: source,
      paths: follows.map(name => place.path(name)),
    }))
    const backend = { type: 'http', endpoint: receiver.url, ids: true, retry: { initial: '50ms', max: '300ms' } }
    const server = { port: 0, admin: '127.0.0.1:0' }
    const state = { dir: join(dir, 'state') }
    const drain = { gracePeriod: '2s' }
    writeFileSync(join(dir, 'config.json'), JSON.stringify({ sources, backends: [backend], server, state, drain }))
    const rig = new Rig(t, receiver, logs, dir)
    for (const log of logs) log.log = await log.rotation.begin(log.place)
    t.teardown(async () => {
      for (const { log } of logs) await log.end?.()
    })
    return rig
  }

  get program(): Program {
    if (this.#program === undefined) throw new Error('no program was started')
    return this.#program
  }

  async start(): Promise<void> {
    const program = new Program({}, ['--config', join(this.#dir, 'config.json')])
    this.#program = program
    this.#t.teardown(() => program.kill('SIGKILL'))
    await program.started
  }

  async write(lines: number): Promise<void> {
    await Promise.all(this.logs.map(log => log.write(lines)))
  }

  async rotate(): Promise<void> {
    for (const log of this.logs) await log.rotate()
  }

  /** Waits until the program has seen what is written to now: a larger size is that of a file before. */
  async seen(): Promise<void> {
    const seen = await until(async () => {
      const sizes = new Map((await this.#live()).map(({ path, size }) => [path, size]))
      return this.logs.every(({ current }) => (sizes.get(current) ?? 0) === sizeAt(current))
    })
    if (!seen) this.#t.fail('the program has not seen what lies under the followed names')
  }

  /** Waits until what was seen under the followed names is in the checkpoint. */
  async saved(): Promise<void> {
    await this.seen()
    const live = await this.#live()
    const saved = await until(() => {
      const path = join(this.#dir, 'state', 'checkpoint')
      // While it is replaced there is none.
      const [, body = '{}'] = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
      const { generations = [] } = JSON.parse(body) as { generations?: { path: string; size: number }[] }
      const sizes = new Map(generations.map(({ path, size }) => [path, size]))
      return live.every(({ path, size }) => sizes.get(path) === size)
    })
    if (!saved) this.#t.fail('the checkpoint does not have what lies under the followed names')
  }

  /** The files that carry a followed name now, as the program knows them. */
  async #live(): Promise<FileStatus[]> {
    const { files } = JSON.parse((await this.program.get('/status', 'adminPort')).text) as { files: FileStatus[] }
    return files.filter(({ state }) => state === 'live')
  }

  /** Notes which lines nobody can read any more. What was seen can be read unless the rotation has spoilt it. */
  takeStock({ sees }: Fault): void {
    const handles = nameless(this.program.child.pid)
    for (const log of this.logs) {
      if (sees && !log.rotation.destroys) continue
      const known = log.readable(handles)
      log.gone = new Set(
        Array.from({ length: log.written }, (_, number) => number).filter(number => !known.has(number)),
      )
    }
  }

  /** What has come of one log. */
  of({ source }: Followed): readonly Received[] {
    return this.#records.get(source) ?? []
  }

  #sort(): void {
    const { records } = this.receiver
    for (; this.#sorted < records.length; this.#sorted++) {
      const record = records[this.#sorted] as Received & { source: string }
      const { source, message } = record
      if (!this.#records.has(source)) this.#records.set(source, [])
      if (!this.#numbers.has(source)) this.#numbers.set(source, new Set())
      this.#records.get(source)!.push(record)
      this.#numbers.get(source)!.add(Number(message.slice(0, 8)))
    }
  }

  /** Waits until every line has come that is not gone; false once nothing has come for so many seconds. */
  async arrived(patience = 8): Promise<boolean> {
    let count = -1
    let since = performance.now()
    return await until(() => {
      const { length } = this.receiver.records
      // To look at each of many lines again and again would take the time that the program needs.
      if (length === count) {
        if (performance.now() - since > patience * 1000) throw new Stalled()
        return false
      }
      count = length
      since = performance.now()
      this.#sort()
      return this.logs.every(log => this.#isWhole(log))
    }, 120).catch(error => {
      if (error instanceof Stalled) return false
      throw error
    })
  }

  #isWhole({ source, written, gone }: Followed): boolean {
    const came = this.#numbers.get(source) ?? new Set()
    for (let number = 0; number < written; number++) if (!came.has(number) && !gone.has(number)) return false
    return true
  }

  /** Ends the program in order, and judges each log by itself. */
  async judge(t: Test, { sees, kills = false }: Pick<Fault, 'sees' | 'kills'>): Promise<void> {
    const ended = await this.program.kill('SIGTERM')
    t.equal(ended.code, 0, 'the program ends in order')
    this.#sort()
    for (const log of this.logs) {
      const { rotation, source, written, gone, refusals } = log
      const { statement } = ended.ledger.find(line => line.source === source)!
      await t.test(rotation.name, async t =>
        assess(t, {
          name: source,
          written,
          gone,
          seen: sees,
          killed: kills,
          order: rotation.order ?? 'log',
          received: this.of(log),
          statement,
          holes: log.log.holes ?? 0,
          refusals: rotation.refuses ? [] : refusals,
        }),
      )
    }
  }
}

class Stalled extends Error {}

function sizeAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** Some lines are written and rotated in peace, then a fault strikes, and lines are written and rotated meanwhile. */
export async function strike(t: Test, rotations: readonly Rotation[], fault: Fault, lines: number): Promise<void> {
  const rig = await Rig.set(t, rotations)
  await rig.start()
  // Rotations in peace, so that every tool has shown what it does to its files: those that compress with a delay take two.
  for (let turn = 0; turn < (fault.sees ? 2 : 1); turn++) {
    await rig.write(20)
    t.ok(await rig.arrived(), 'what is written in peace arrives')
    await rig.rotate()
  }
  await rig.write(20)
  t.ok(await rig.arrived(), 'what is written in peace arrives')
  await fault.begin(rig, lines)
  for (let turn = 0; turn < fault.rotations; turn++) {
    await rig.write(lines + turn)
    if (fault.sees) await rig.seen()
    await rig.rotate()
  }
  await rig.write(lines)
  rig.takeStock(fault)
  await fault.end(rig)
  await rig.arrived()
  await rig.write(20)
  await rig.arrived(3)
  await rig.judge(t, fault)
}

/** Every rotation under every fault: together in one program, or each in its own if there is time. */
export function matrix(t: Test, rotations: readonly Rotation[], faults: readonly Fault[], lines: number): void {
  const wanted = rotations.filter(({ name }) => name.includes(ONLY))
  for (const rotation of wanted) {
    const absent = rotation.needs?.filter(name => !isThere(name)) ?? []
    if (absent.length > 0) t.test(rotation.name, { skip: `${absent.join(', ')} is not installed` }, async () => {})
  }
  for (const fault of faults) {
    const unseen = !fault.sees && fault.rotations > 1
    const struck = wanted.filter(({ needs = [], anonymous }) => needs.every(isThere) && !(anonymous && unseen))
    if (struck.length === 0) continue
    if (!LONG) t.test(fault.name, t => strike(t, struck, fault, lines))
    else {
      for (const rotation of struck) {
        t.test(`${rotation.name}; ${fault.name}`, t => strike(t, [rotation], fault, lines))
      }
    }
  }
}
