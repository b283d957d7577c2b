/**
 * The world of one program: a volume, two receivers, the shipper as a process, and the model that is told of every step.
 * Runs the actions, then lets everything come to rest and says what was wrong.
 */
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { otherUser } from '../../support/otheruser.ts'
import { type Ended, Machine } from '../machine.ts'
import type { Poison } from '../poison.ts'
import { BACKENDS, type BackendName, random } from '../program.ts'
import { Receiver } from '../receiver.ts'
import { Canary } from './canary.ts'
import { excused, Judge, type Letter } from './judge.ts'
import { Model } from './model.ts'
import { poisonOf, UNWANTED_MARKS } from './poison.ts'
import type { Action, Program } from './program.ts'
import { Reception } from './reception.ts'
import { Author, type KindName, type Wish, type Written } from './records.ts'
import { knows, MAX_LINE, SOURCE, SOURCES, type SourceName } from './sources.ts'

/** Once all is well something must arrive every so often until everything has: milliseconds. */
const PATIENCE = 30_000
/** Refused records in a row look like an address that is down: half a minute may pass before those behind them are sent. */
const PATIENCE_WITH_REFUSED = 90_000
/** Seconds: long enough to send everything again after a death. */
const GRACE = 60
/** The receivers live in this process. Held up for so long they are slow servers: milliseconds. */
const STALL = 500
const NOBODY = 65534
const MOST_ANONYMOUS = 64 * 2 ** 20

export interface Numbers {
  readonly actions: number
  readonly records: number
  readonly bytes: number
  readonly parts: number
  readonly split: number
  readonly continued: number
  readonly again: number
  readonly deaths: number
  readonly rotations: number
  readonly reloads: number
}

export interface Outcome {
  readonly violations: readonly string[]
  readonly numbers: Numbers
}

export class World {
  readonly #program: Program
  readonly #base: string
  readonly #logs: string
  readonly #model = new Model()
  readonly #next: () => number
  readonly #author: Author
  readonly #canary = new Canary()
  readonly #receivers = BACKENDS.map(name => {
    const onRequest = (headers: string, body: Buffer) =>
      this.#canary.heard(`a request to ${name}`, `${headers}\n${body}`)
    return new Receiver(name, { poisonOf, whole: true, ...(knows('redact') && { onRequest }) })
  })
  readonly #receptions = this.#receivers.map(receiver => new Reception(receiver, this.#model))
  readonly #endpoints: string[] = []
  readonly #violations: string[] = []
  readonly #ends: Ended[] = []
  #machine!: Machine
  #watch: NodeJS.Timeout | undefined
  #serial = 0
  #rotations = 0
  #rounds = 0

  constructor(program: Program) {
    this.#program = program
    this.#base = mkdtempSync(join(tmpdir(), 'logshipper-processing-'))
    this.#logs = join(this.#base, 'logs')
    this.#next = random(program.seed)
    this.#author = new Author(this.#next)
  }

  get folder(): string {
    return this.#base
  }

  /** What the shipper said, for a look at a failure. */
  get said(): readonly string[] {
    return this.#machine.said
  }

  remove(): void {
    rmSync(this.#base, { recursive: true, force: true })
  }

  async run(): Promise<Outcome> {
    await this.#open()
    try {
      for (const action of this.#program.actions) {
        await this.#step(action)
        if (this.#violations.length > 0) break
      }
      if (this.#violations.length === 0) await this.#rest()
    } catch (error) {
      this.#violations.push(`the torture itself failed: ${(error as Error).stack}`)
    } finally {
      clearInterval(this.#watch)
      if (this.#machine.running) {
        this.#machine.signal('SIGKILL')
        await this.#machine.ended()
      }
      for (const receiver of this.#receivers) receiver.close()
    }
    const verdict = this.#judge()
    const bugs = this.#machine.said.filter(line => line.includes('a bug:'))
    if (this.#machine.stuck) bugs.push('it did not end when it was told to')
    const { anonymous } = this.#machine.peak
    if (anonymous > MOST_ANONYMOUS) bugs.push(`${Math.round(anonymous / 2 ** 20)} MiB of anonymous memory`)
    const seen = knows('redact') ? this.#search() : []
    return { violations: [...new Set([...this.#violations, ...bugs, ...seen, ...verdict])], numbers: this.#numbers() }
  }

  #judge(): readonly string[] {
    const letters = BACKENDS.map(name => this.#letters(name))
    try {
      return new Judge(this.#model).judge(this.#receptions, this.#ends, letters, this.#violations.length > 0)
    } catch (error) {
      return [`what arrived makes no sense to the judge: ${(error as Error).stack}`]
    }
  }

  /** Secrets that were seen in anything that was sent or written. */
  #search(): string[] {
    for (const { secrets } of this.#model.records) this.#canary.plant(secrets)
    this.#canary.searchState(join(this.#base, 'state'))
    this.#canary.heard('standard error', this.#machine.said.join('\n'))
    const seen = [...this.#canary.seen()]
    return seen.slice(0, 10).map(({ name, secret, around }) => `${name} holds ${secret}: ${JSON.stringify(around)}`)
  }

  /** What the program shows of itself. */
  async #scrape(): Promise<void> {
    const listening = this.#machine.said.findLast(line => line.includes('"msg":"listening"'))
    const { port, adminPort } = JSON.parse(listening ?? '{}') as { port?: number; adminPort?: number }
    const places = [
      ...['metrics', 'health', 'readyz'].map(path => `http://127.0.0.1:${port}/${path}`),
      ...['', 'status', 'ledger'].map(path => `http://127.0.0.1:${adminPort}/${path}`),
    ]
    for (const place of places) this.#canary.heard(place, await (await fetch(place)).text())
  }

  #numbers(): Numbers {
    const { records, deaths, incarnations } = this.#model
    const parts = this.#receptions.flatMap(reception => reception.parts)
    return {
      actions: this.#program.actions.length,
      records: records.length,
      bytes: incarnations.reduce((sum, { size }) => sum + size, 0),
      parts: parts.length,
      split: parts.filter(({ incarnation, from, to }) => {
        const stretch = incarnation.stretchAt(from)!
        return incarnation.source.twin !== undefined && (from > stretch.from || to < stretch.to)
      }).length,
      continued: parts.filter(({ arrival }) => arrival.record?.continued).length,
      again: parts.filter(({ from, to, fresh }) => fresh < to - from).length,
      deaths: deaths.filter(({ kind }) => kind !== 'done').length,
      rotations: this.#rotations,
      reloads: this.#reloads,
    }
  }

  get #reloads(): number {
    return this.#machine.said.filter(line => line.includes('"config reloaded"')).length
  }

  #letters(backend: string): Letter[] {
    const path = join(this.#base, 'state', 'dead-letter', `${backend}.ndjson`)
    if (!existsSync(path)) return []
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    return lines.filter(line => line !== '').map(line => JSON.parse(line) as Letter)
  }

  // ── The shipper ────────────────────────────────────────────────────────────────────────────────────────────────

  async #open(): Promise<void> {
    const state = join(this.#base, 'state')
    for (const directory of [this.#logs, state]) mkdirSync(directory)
    chmodSync(this.#base, 0o755)
    if (otherUser === false) chownSync(state, NOBODY, NOBODY)
    await Promise.all(this.#receivers.map(async (receiver, at) => (this.#endpoints[at] = await receiver.listen())))
    this.#machine = new Machine(this.#configure(0))
    await this.#machine.start(GRACE)
    let turned = performance.now()
    this.#watch = setInterval(() => {
      const now = performance.now()
      if (now - turned > STALL) this.#model.stalls.push({ from: turned, to: now })
      turned = now
      this.#machine.weigh()
    }, 20)
  }

  /** Writes the configuration and returns its path. A program that runs takes it over as soon as it sees it. */
  #configure(round: number): string {
    const [left, right] = this.#endpoints
    const common = {
      type: 'http',
      ids: true,
      batch: { maxBytes: '64KiB', maxRecords: round % 2 === 0 ? 2000 : 50 },
      retry: { initial: '20ms', max: '200ms' },
      timeout: { connect: '2s', headers: '3s', body: '3s' },
      deadLetter: {},
    }
    const config = {
      sources: SOURCES.map(name => ({
        name,
        paths: [join(this.#logs, `${name}.log*`)],
        maxLineBytes: MAX_LINE,
        labels: { round: String(round) },
        ...SOURCE[name].options,
      })),
      backends: [
        { ...common, name: BACKENDS[0], format: 'ndjson', compression: 'none', endpoint: left },
        { ...common, name: BACKENDS[1], format: 'json', compression: 'gzip', endpoint: right },
      ],
      state: { dir: join(this.#base, 'state') },
      memory: { budget: '4MiB' },
      server: { port: 0, admin: '127.0.0.1:0' },
      log: { level: 'info' },
    }
    const path = join(this.#base, 'config.json')
    writeFileSync(path, JSON.stringify(config, null, 2))
    return path
  }

  async #kill(): Promise<void> {
    if (!this.#machine.running) return
    this.#machine.signal('SIGKILL')
    this.#ends.push(await this.#machine.ended())
    this.#model.deaths.push({ at: performance.now(), kind: 'kill' })
  }

  /** SIGTERM. The grace period is the one it was started with, so a short one means: killed after it. */
  async #stop(grace: number): Promise<void> {
    if (!this.#machine.running) return
    if (grace >= 10) this.#heal()
    const drain = { from: performance.now(), to: Number.POSITIVE_INFINITY }
    this.#model.drains.push(drain)
    this.#machine.signal('SIGTERM')
    const timer = setTimeout(() => this.#machine.signal('SIGKILL'), grace * 1000)
    const ended = await this.#machine.ended()
    clearTimeout(timer)
    drain.to = performance.now()
    this.#ends.push(ended)
    const inFlight = ended.ledger?.some(({ statement }) => statement.inFlight.bytes > 0) ?? true
    const kind = ended.code === null ? 'kill' : ended.code !== 0 || inFlight ? 'deadline' : 'done'
    this.#model.deaths.push({ at: performance.now(), kind })
  }

  #heal(): void {
    for (const receiver of this.#receivers) receiver.heal()
  }

  // ── Files ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #path(name: string): string {
    return join(this.#logs, name)
  }

  #record(source: SourceName, wish: Partial<Wish> = {}): Written {
    const { kinds } = SOURCE[source]
    const kind: KindName = wish.kind && kinds.includes(wish.kind) ? wish.kind : this.#pick(kinds)
    const record = this.#author.write({ secrets: knows('redact'), ...wish, kind, serial: ++this.#serial })
    this.#model.records.push(record)
    return record
  }

  #pick<T>(of: readonly T[]): T {
    return of[Math.floor(this.#next() * of.length)]!
  }

  #append(source: SourceName, pieces: readonly { record: Written; bytes: Buffer }[]): void {
    const path = this.#path(`${source}.log`)
    const before = performance.now()
    appendFileSync(path, Buffer.concat(pieces.map(({ bytes }) => bytes)))
    this.#model.wrote(source, pieces, before, performance.now())
  }

  #write(source: SourceName, records: readonly Written[]): void {
    this.#goOn(source)
    const pieces = records.map(record => ({ record, bytes: bytesOf(record) }))
    if (pieces.length > 0) this.#append(source, pieces)
  }

  /** Writes the rest of what was begun, or the rest of the line at hand only. */
  #goOn(source: SourceName, lineOnly = false): void {
    const begun = this.#model.begun.get(source)
    if (begun === undefined) return
    const { record, rest } = begun
    const file = this.#model.fileOf(source)
    if (lineOnly && file?.isLineStart(file.size)) return
    const stop = lineOnly ? rest.indexOf(10) + 1 : rest.length
    this.#append(source, [{ record, bytes: rest.subarray(0, stop) }])
    begun.rest = rest.subarray(stop)
    if (begun.rest.length === 0) this.#model.begun.delete(source)
  }

  #begin({ source, lines, half, kind }: Extract<Action, { do: 'begin' }>): void {
    this.#goOn(source)
    const record = this.#record(source, kind === undefined ? {} : { kind })
    const whole = Math.min(lines, half ? record.lines.length - 1 : record.lines.length)
    let text = record.lines
      .slice(0, whole)
      .map(line => `${line}\n`)
      .join('')
    if (half) {
      const line = [...record.lines[whole]!]
      text += line.slice(0, Math.ceil(line.length * this.#next())).join('')
    }
    const bytes = Buffer.from(text)
    if (bytes.length > 0) this.#append(source, [{ record, bytes }])
    const rest = bytesOf(record).subarray(bytes.length)
    if (rest.length > 0) this.#model.begun.set(source, { record, rest })
  }

  async #pieces({ source, pieces, pause, kind }: Extract<Action, { do: 'pieces' }>): Promise<void> {
    this.#goOn(source)
    const record = this.#record(source, kind === undefined ? {} : { kind })
    const whole = bytesOf(record)
    let at = 0
    for (let n = 1; n <= pieces; n++) {
      let to = n === pieces ? whole.length : Math.ceil((whole.length * n) / pieces)
      // Half of the pieces end with a line; none within a character.
      if (n < pieces && this.#next() < 0.5) to = whole.lastIndexOf(10, to) + 1
      while (to < whole.length && (whole[to]! & 0xc0) === 0x80) to++
      if (to <= at) continue
      if (at > 0) await sleep(pause)
      this.#append(source, [{ record, bytes: whole.subarray(at, to) }])
      at = to
    }
  }

  #rotate(source: SourceName, create: boolean): void {
    if (this.#model.fileOf(source) === undefined) return
    this.#goOn(source, true)
    renameSync(this.#path(`${source}.log`), this.#path(`${source}.log.${++this.#rotations}`))
    this.#model.parted(source)
    if (create) this.#append(source, [])
  }

  async #copytruncate(source: SourceName, pause: number): Promise<void> {
    const incarnation = this.#model.fileOf(source)
    if (incarnation === undefined || incarnation.size === 0) return
    this.#goOn(source, true)
    const path = this.#path(`${source}.log`)
    copyFileSync(path, this.#path(`${source}.log.${++this.#rotations}`))
    incarnation.copies++
    if (pause > 0) await sleep(pause)
    truncateSync(path, 0)
    this.#model.create(source)
  }

  // ── Steps ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #receiver(backend: BackendName): Receiver {
    return this.#receivers[BACKENDS.indexOf(backend)]!
  }

  async #step(action: Action): Promise<void> {
    switch (action.do) {
      case 'append': {
        const { source, records, kind } = action
        const wish = kind === undefined ? {} : { kind }
        return this.#write(
          source,
          Array.from({ length: records }, () => this.#record(source, wish)),
        )
      }
      case 'pieces':
        return this.#pieces(action)
      case 'begin':
        return this.#begin(action)
      case 'go on':
        return this.#goOn(action.source)
      case 'long':
        return this.#write(action.source, [this.#record(action.source, { kind: 'long', bytes: action.bytes })])
      case 'poison': {
        const { source, backend, poison } = action
        if (poison === 'passing') this.#receiver(backend).poisonous = true
        const bad = this.#record(source, { mark: `poison-${backend}-${poison}` })
        return this.#write(source, [this.#record(source), bad, this.#record(source)])
      }
      case 'unwanted': {
        const all = Array.from({ length: action.records }, () =>
          this.#record(action.source, this.#next() < 0.6 ? { mark: this.#pick(UNWANTED_MARKS) } : {}),
        )
        return this.#write(action.source, all)
      }
      case 'rotate':
        return this.#rotate(action.source, action.create)
      case 'copytruncate':
        return this.#copytruncate(action.source, action.pause)
      case 'fault':
        return this.#receiver(action.backend).inject(action.fault, action.times)
      case 'down':
        this.#receiver(action.backend).down = true
        return
      case 'up':
        return this.#heal()
      case 'kill':
        return this.#kill()
      case 'stop':
        return this.#stop(action.grace)
      case 'start':
        if (!this.#machine.running) await this.#machine.start(GRACE)
        return
      case 'reload':
        return this.#reload()
      case 'wait':
        await sleep(action.ms)
        return
      case 'settle':
        this.#heal()
        if (!this.#machine.running) await this.#machine.start(GRACE)
        return this.#settle()
    }
  }

  async #reload(): Promise<void> {
    const before = this.#reloads
    this.#configure(++this.#rounds)
    if (!this.#machine.running) return
    const began = performance.now()
    this.#model.reloads.push(began)
    while (this.#reloads === before && performance.now() - began < 3000) await sleep(20)
  }

  /** What has to arrive and did not, by backend: bytes of lines that are finished. */
  #pending(): number {
    let pending = 0
    for (const [at, reception] of this.#receptions.entries()) {
      reception.look()
      for (const incarnation of this.#model.incarnations) {
        const { content, size } = incarnation
        for (const { from, to } of reception.coveredOf(incarnation).missing(0, content.lastIndexOf(10, size) + 1)) {
          for (const stretch of incarnation.stretchesIn(from, to)) {
            if (excused(stretch, BACKENDS[at]!)) continue
            pending += Math.min(to, stretch.to) - Math.max(from, stretch.from)
          }
        }
      }
    }
    return pending
  }

  /** Waits until everything that can arrive has. */
  async #settle(): Promise<void> {
    let began = performance.now()
    let least = Number.POSITIVE_INFINITY
    const patience = this.#poisoned() ? PATIENCE_WITH_REFUSED : PATIENCE
    for (;;) {
      const pending = this.#pending()
      if (pending === 0) return
      if (pending < least) {
        least = pending
        began = performance.now()
      }
      if (performance.now() - began > patience) {
        const ms = Math.round(performance.now() - began)
        this.#violations.push(`${pending} bytes did not arrive in ${ms} ms`)
        return this.#whatIsMissing()
      }
      await sleep(20)
    }
  }

  #whatIsMissing(): void {
    for (const [at, reception] of this.#receptions.entries()) {
      for (const incarnation of this.#model.incarnations) {
        for (const { from, to } of reception.coveredOf(incarnation).missing(0, incarnation.size).slice(0, 2)) {
          const text = JSON.stringify(incarnation.content.toString('utf8', from, Math.min(to, from + 100)))
          const { name } = incarnation.source
          this.#violations.push(
            `${BACKENDS[at]} lacks ${from} to ${to} of incarnation ${incarnation.number} of ${name}: ${text}`,
          )
        }
      }
    }
  }

  #poisoned(): boolean {
    return this.#model.records.some(record => BACKENDS.some(name => poisonIn(record, name) !== undefined))
  }

  /** Everything becomes well, what was begun is finished, everything arrives, and the program ends in order. */
  async #rest(): Promise<void> {
    this.#heal()
    if (!this.#machine.running) await this.#machine.start(GRACE)
    for (const source of SOURCES) this.#goOn(source)
    await this.#settle()
    await this.#refusals()
    if (knows('redact')) await this.#scrape()
    if (this.#violations.length === 0) await this.#stop(GRACE)
    if (this.#ends.at(-1)?.code !== 0 && this.#violations.length === 0) {
      this.#violations.push(`it ended with ${this.#ends.at(-1)?.code} though everything had arrived`)
    }
  }

  /** What is refused for good is rejected once others beside it are accepted. */
  async #refusals(): Promise<void> {
    for (const [at, name] of BACKENDS.entries()) {
      const bad = this.#model.records.filter(record => poisonIn(record, name) === 'always')
      const began = performance.now()
      for (let n = 0; bad.some(record => !this.#rejected(record, at)); n++) {
        if (performance.now() - began > PATIENCE_WITH_REFUSED) {
          this.#violations.push(`${name}: a record that is refused was not rejected`)
          return
        }
        if (n % 20 === 0) {
          for (const source of new Set(SOURCES))
            if (this.#model.fileOf(source)) this.#write(source, [this.#record(source)])
        }
        await sleep(100)
      }
    }
    await this.#settle()
  }

  /** Its line with the mark is a dead letter. */
  #rejected({ lines, dropped }: Written, at: number): boolean {
    const tag = /r\d+l0[ /]poison/.exec(lines.join('\n'))![0]
    return dropped || this.#letters(BACKENDS[at]!).some(({ message }) => message.includes(tag))
  }
}

function poisonIn({ lines }: Written, backend: string): Poison | undefined {
  return poisonOf(lines.join('\n'), backend)
}

function bytesOf({ lines }: Written): Buffer {
  return Buffer.from(lines.map(line => `${line}\n`).join(''))
}
