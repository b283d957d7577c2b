/**
 * The rig: one program that follows many logs, each in a directory of its own, written by its own application, rotated
 * by its own tool, and with its own source, so that the ledger has an account for each. What happens to the program or
 * the backend happens to all of them at once, and each is judged for itself.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { FileStatus } from '../../src/progress.ts'
import { Program, type Received, Receiver, until } from '../program.ts'
import { scratch } from '../scratch.ts'
import { Followed } from './followed.ts'
import { assess } from './judge.ts'
import type { Rotation } from './rotation.ts'

/** What the judge has to know of the fault. */
export interface Circumstances {
  /** What is written is seen before it is rotated: the program runs. */
  readonly sees: boolean
  /** What was acknowledged after the last checkpoint may come again. */
  readonly kills?: boolean
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
      const directory = join(dir, 'logs', source)
      const aside = join(dir, 'aside', source)
      for (const made of [directory, aside]) mkdirSync(made, { recursive: true, mode: 0o755 })
      return new Followed(rotation, source, {
        directory,
        aside,
        path: (name = 'app.log') => join(directory, name),
      })
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
    if (live.length === 0) this.#t.fail('the program follows no file')
    const saved = await until(() => {
      const path = join(this.#dir, 'state', 'checkpoint')
      // While it is replaced there is none.
      const [, body = '{}'] = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
      type Saved = { origin: string; path?: string; size: number }
      const { generations = [] } = JSON.parse(body) as { generations?: Saved[] }
      const sizes = new Map(generations.map(({ origin, path = origin, size }) => [path, size]))
      return live.every(({ path, size }) => sizes.get(path) === size)
    })
    if (!saved) this.#t.fail('the checkpoint does not have what lies under the followed names')
  }

  /** The files that carry a followed name now, as the program knows them; none while its page cannot be had. */
  async #live(): Promise<FileStatus[]> {
    const page = await this.program.get('/status', 'adminPort').catch(() => undefined)
    const { files } = JSON.parse(page?.text ?? '{"files":[]}') as { files: FileStatus[] }
    return files.filter(({ state }) => state === 'live')
  }

  /** Notes which lines cannot be read any more. What was seen can be read unless the rotation has spoilt it. */
  takeStock({ sees }: Circumstances): void {
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
  async judge(t: Test, { sees, kills = false }: Circumstances): Promise<void> {
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

/** The handles by which a process holds files that have no name any more. */
function nameless(pid: number | undefined): string[] {
  const directory = `/proc/${pid}/fd`
  if (!existsSync(directory)) return []
  const handles = readdirSync(directory).map(name => join(directory, name))
  return handles.filter(path => {
    try {
      return readlinkSync(path).endsWith(' (deleted)')
    } catch {
      // It was just closed.
      return false
    }
  })
}

class Stalled extends Error {}

function sizeAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
