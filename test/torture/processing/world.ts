/**
 * The world of one program: a volume, two receivers, the shipper as a process, and the model that is told of every step.
 * Runs the actions, then lets everything come to rest and says what was wrong.
 */
import { appendFileSync, chownSync, copyFileSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { otherUser } from '../../support/otheruser.ts'
import { withoutTerminationLog, withTerminationLog } from '../../support/termination.ts'
import { type Ended, Machine } from '../machine.ts'
import type { Poison } from '../poison.ts'
import { BACKENDS, random } from '../program.ts'
import { Receiver } from '../receiver.ts'
import { type Attempt, GRACE, NOBODY, Rig } from '../rig.ts'
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
/** Whether the shipper can have a /dev/termination-log of its own. */
const CONTAINED = otherUser === false && withoutTerminationLog === false

interface Numbers extends Readonly<Record<string, number>> {
  readonly actions: number
  readonly records: number
  readonly bytes: number
  readonly parts: number
  readonly split: number
  readonly continued: number
  readonly again: number
  /** Records for which others stand. */
  readonly repeated: number
  readonly deaths: number
  readonly rotations: number
  readonly reloads: number
  /** Termination messages that were searched. */
  readonly messages: number
}

export class World {
  readonly #program: Program
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
  readonly #rig = new Rig('processing', this.#receivers, this.#model.stalls)
  readonly #violations = this.#rig.violations
  readonly #ends: Ended[] = []
  #serial = 0
  #rotations = 0
  #rounds = 0
  #messages = 0

  constructor(program: Program) {
    this.#program = program
    this.#next = random(program.seed)
    this.#author = new Author(this.#next)
  }

  /** What is /dev/termination-log to the shipper, where the machine lets that be. */
  get #terminationLog(): string {
    return join(this.#rig.directory, 'termination-log')
  }

  get directory(): string {
    return this.#rig.directory
  }

  get #machine(): Machine {
    return this.#rig.machine
  }

  keep(): void {
    this.#rig.put('said', this.#rig.said)
  }

  remove(): void {
    this.#rig.remove()
  }

  async run(): Promise<Attempt> {
    await this.#rig.run<Action>({
      actions: this.#program.actions,
      machine: () => this.#contained(),
      start: () => this.#machine.start(GRACE),
      step: action => this.#step(action),
      rest: () => this.#rest(),
      look: () => this.#model.time.sample(performance.now(), this.#machine.waited),
    })
    const verdict = this.#judge()
    const seen = knows('redact') ? this.#search() : []
    const all = [...this.#violations, ...this.#rig.faults(), ...seen, ...verdict]
    return { violations: [...new Set(all)], numbers: this.#numbers() }
  }

  #judge(): readonly string[] {
    const letters = BACKENDS.map(name => this.#rig.letters<Letter>(name))
    try {
      return new Judge(this.#model).judge(this.#receptions, this.#ends, letters, this.#violations.length > 0)
    } catch (error) {
      return [`what arrived makes no sense to the judge: ${(error as Error).stack}`]
    }
  }

  /** Secrets that were seen in anything that was sent or written. */
  #search(): string[] {
    for (const { secrets } of this.#model.records) this.#canary.plant(secrets)
    this.#canary.searchState(this.#rig.state)
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
      repeated: parts.reduce((all, { alike }) => all + alike - 1, 0),
      deaths: deaths.filter(({ kind }) => kind !== 'done').length,
      rotations: this.#rotations,
      reloads: this.#rig.reloads,
      messages: this.#messages,
    }
  }

  // ── The shipper ────────────────────────────────────────────────────────────────────────────────────────────────

  #contained(): Machine {
    writeFileSync(this.#terminationLog, '')
    if (CONTAINED) chownSync(this.#terminationLog, NOBODY, NOBODY)
    const within = CONTAINED ? withTerminationLog(this.#terminationLog, NOBODY) : []
    return new Machine(this.#configure(0), {}, within)
  }

  /** Writes the configuration and returns its path. A program that runs takes it over as soon as it sees it. */
  #configure(round: number): string {
    const sources = SOURCES.map(name => ({
      name,
      paths: [join(this.#rig.logs, `${name}.log*`)],
      maxLineBytes: MAX_LINE,
      labels: { round: String(round) },
      ...SOURCE[name].options,
    }))
    const rest = { memory: { budget: '4MiB' }, server: { port: 0, admin: '127.0.0.1:0' } }
    return this.#rig.configure(sources, round % 2 === 0 ? 2000 : 50, rest)
  }

  async #kill(): Promise<void> {
    if (!this.#machine.running) return
    this.#machine.signal('SIGKILL')
    this.#ends.push(await this.#machine.ended())
    this.#model.died('kill')
  }

  /** SIGTERM. The grace period is the one it was started with, so a short one means: killed after it. */
  async #stop(grace: number): Promise<void> {
    if (!this.#machine.running) return
    if (grace >= 10) this.#rig.heal()
    const drain = { from: performance.now(), to: Number.POSITIVE_INFINITY }
    this.#model.drains.push(drain)
    const ended = await this.#rig.terminate(grace)
    drain.to = performance.now()
    this.#ends.push(ended)
    this.#readTerminationLog(ended)
    const inFlight = ended.ledger?.some(({ statement }) => statement.inFlight.bytes > 0) ?? true
    const kind = ended.code === null ? 'kill' : ended.code !== 0 || inFlight ? 'deadline' : 'done'
    this.#model.died(kind)
  }

  /** The termination message; the next process writes over it. */
  #readTerminationLog({ code }: Ended): void {
    const message = readFileSync(this.#terminationLog, 'utf8')
    if (message === '') {
      if (CONTAINED && code === 0) this.#violations.push('it ended in order and left no termination message')
      return
    }
    this.#messages++
    this.#canary.heard('the termination log', message)
    writeFileSync(this.#terminationLog, '')
  }

  // ── Files ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #path(name: string): string {
    return join(this.#rig.logs, name)
  }

  #record(source: SourceName, wish: Partial<Wish> = {}): Written {
    const { kinds } = SOURCE[source]
    const kind: KindName = wish.kind && kinds.includes(wish.kind) ? wish.kind : this.#pick(kinds)
    const record = this.#author.write({ secrets: knows('redact'), ...wish, kind, source, serial: ++this.#serial })
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
    if (SOURCE[source].whole) {
      this.#append(source, [{ record, bytes: bytesOf(record) }])
      return
    }
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
    if (SOURCE[source].whole) {
      this.#append(source, [{ record, bytes: bytesOf(record) }])
      return
    }
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
        // What is dropped is never refused.
        if (SOURCE[source].curbed) return this.#write(source, [this.#record(source)])
        if (poison === 'passing') this.#rig.receiver(backend).poisonous = true
        const bad = this.#record(source, { mark: `poison-${backend}-${poison}` })
        return this.#write(source, [this.#record(source), bad, this.#record(source)])
      }
      case 'unwanted': {
        const all = Array.from({ length: action.records }, () =>
          this.#record(action.source, this.#next() < 0.6 ? { mark: this.#pick(UNWANTED_MARKS) } : {}),
        )
        return this.#write(action.source, all)
      }
      case 'run': {
        const { source, records, phrase, pause } = action
        const all = Array.from({ length: records }, () => this.#record(source, { kind: 'same', phrase }))
        if (pause === 0) return this.#write(source, all)
        for (const [n, record] of all.entries()) {
          if (n > 0) await sleep(pause)
          this.#write(source, [record])
        }
        return
      }
      case 'rotate':
        return this.#rotate(action.source, action.create)
      case 'copytruncate':
        return this.#copytruncate(action.source, action.pause)
      case 'fault':
        return this.#rig.receiver(action.backend).inject(action.fault, action.times)
      case 'down':
        this.#rig.receiver(action.backend).down = true
        return
      case 'up':
        return this.#rig.heal()
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
        this.#rig.heal()
        if (!this.#machine.running) await this.#machine.start(GRACE)
        return this.#settle()
    }
  }

  async #reload(): Promise<void> {
    const before = this.#rig.reloads
    this.#configure(++this.#rounds)
    if (!this.#machine.running) return
    const began = performance.now()
    this.#model.reloads.push(began)
    while (this.#rig.reloads === before && performance.now() - began < 3000) await sleep(20)
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
            if (excused(stretch, BACKENDS[at]!, incarnation.source)) continue
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
    this.#rig.heal()
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
    return dropped || this.#rig.letters<Letter>(BACKENDS[at]!).some(({ message }) => message.includes(tag))
  }
}

function poisonIn({ lines }: Written, backend: string): Poison | undefined {
  return poisonOf(lines.join('\n'), backend)
}

function bytesOf({ lines }: Written): Buffer {
  return Buffer.from(lines.map(line => `${line}\n`).join(''))
}
