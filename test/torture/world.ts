/**
 * The world of one program: a volume, two receivers, a shipper process, and the model that is told of every step.
 * Runs the actions, then lets everything come to rest and says what was wrong.
 */
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { otherUser } from '../support/otheruser.ts'
import { cutPower, syncedAt } from './disk.ts'
import { judge } from './judge.ts'
import { type Ended, Machine } from './machine.ts'
import { Model } from './model.ts'
import type { Node } from './node.ts'
import { type Poison, poisoned } from './poison.ts'
import { type Action, BACKENDS, FILES, type File, MAX_LINE, type Program, random } from './program.ts'
import { Receiver } from './receiver.ts'
import { type Attempt, GRACE, mebibytes, NOBODY, Rig } from './rig.ts'
import { namesOf, oddName, type Scheme, strangersOf } from './schemes.ts'

const DISK = join(import.meta.dirname, 'disk.ts')
/** Once all is well something must arrive every so often until everything has: milliseconds. And all of it by then. */
const PATIENCE = 25_000
/** Many refused lines in a row look like an address that is down: half a minute passes before those behind them are sent. */
const PATIENCE_WITH_REFUSED = 75_000
const END_OF_PATIENCE = 1_200_000
/** So often something is taken at the end while lines are refused. */
const ROUNDS = 10
/**
 * Resident bytes that the shipper may have at most. The node executable's own pages, which are shared and clean, count here
 * and not as anonymous memory, and how many of them are in memory the shipper has no say in.
 */
const MOST_RESIDENT = 144 * 2 ** 20
const NOT_FOLLOWED = 'is not followed while it grows'
/** Above the numbers that are shifted. */
const FIRST_ROTATION = 10

export interface Outcome extends Attempt {
  /** Lines that did not arrive and are excused, by the reason. */
  readonly reasons: Readonly<Record<string, number>>
  /** The most memory that the shipper had: bytes. */
  readonly peak: Machine['peak']
}

export class World {
  readonly #program: Program
  readonly #receivers = BACKENDS.map(name => new Receiver(name))
  readonly #model: Model
  readonly #rig: Rig
  readonly #next: () => number
  readonly #violations: string[]
  readonly #ends: Ended[] = []
  /** Whether the power is ever cut. */
  readonly #cuts: boolean
  readonly #disk: string
  readonly #env: Record<string, string>
  #serial = 0
  #names = 0
  #kills = 0
  #boots = 0
  #dying = false
  #rotations = 0
  #rounds = 0

  constructor(program: Program) {
    this.#program = program
    this.#model = new Model(program, this.#receivers)
    this.#rig = new Rig('torture', this.#receivers, this.#model.stalls)
    this.#violations = this.#rig.violations
    this.#next = random(program.seed)
    this.#cuts = program.actions.some(action => action.do === 'powerCut')
    this.#disk = join(this.#rig.directory, 'disk')
    this.#env = this.#cuts ? { TORTURE_DISK: this.#disk, TORTURE_BOOT: bootOf(0) } : {}
  }

  get directory(): string {
    return this.#rig.directory
  }

  get #machine(): Machine {
    return this.#rig.machine
  }

  async run(): Promise<Outcome> {
    await this.#rig.run<Action>({
      actions: this.#program.actions,
      machine: () => new Machine(this.#configure(), this.#env, [], this.#cuts ? ['--import', DISK] : []),
      start: () => {
        if (this.#cuts) {
          mkdirSync(this.#disk)
          chmodSync(this.#disk, 0o777)
        }
        for (const name of ['sub', 'attic']) mkdirSync(this.#at(name))
        return this.#start()
      },
      step: action => this.#step(action),
      rest: () => this.#rest(),
      look: () => this.#observe(),
    })
    const letters = BACKENDS.map(name => this.#rig.letters<{ message: string }>(name).map(({ message }) => message))
    const verdict = judge(this.#model, this.#receivers, this.#ends, letters, {
      interrupted: this.#violations.length > 0,
      awaited: !this.#violations.some(text => text.includes(NOT_FOLLOWED)),
    })
    const faults = this.#rig.faults()
    const { peak } = this.#machine
    if (peak.resident > MOST_RESIDENT) faults.push(`${mebibytes(peak.resident)} MiB resident`)
    return {
      violations: [...new Set([...this.#violations, ...faults, ...verdict.violations])],
      peak,
      reasons: verdict.reasons,
      numbers: {
        actions: this.#program.actions.length,
        kills: this.#kills,
        rotations: this.#rotations,
        reloads: this.#rig.reloads,
        ...verdict.numbers,
      },
    }
  }

  keep(): void {
    this.#rig.put('said', this.#rig.said)
    for (const [at, { arrivals }] of this.#receivers.entries()) {
      const lines = arrivals.map(({ id, text, at: when }) => `${Math.round(when)} ${id} ${text.slice(0, 80)}`)
      this.#rig.put(`arrived.${BACKENDS[at]}`, lines)
    }
  }

  remove(): void {
    this.#rig.remove()
  }

  /** Writes the configuration and returns its path. A program that runs takes it over as soon as it sees it. */
  #configure({ records = 2000, budget = 2, round = 0 } = {}): string {
    const source = {
      name: 'app',
      paths: this.#paths(),
      exclude: [join(this.#rig.logs, '**/*.gz')],
      maxLineBytes: MAX_LINE,
      labels: { round: String(round) },
    }
    const rest = { memory: { budget: `${budget}MiB` }, server: { port: 'off', admin: 'off' } }
    return this.#rig.configure([source], records, rest)
  }

  #paths(): string[] {
    switch (this.#program.pattern) {
      case 'exact':
        return [...FILES, 'cur.log'].map(name => this.#at(name))
      case 'inside':
        return [this.#at('*.log*'), this.#at('sub/*.log*')]
      case 'outside':
        return [this.#at('*.log'), this.#at('sub/*.log')]
    }
  }

  // ── The shipper ────────────────────────────────────────────────────────────────────────────────────────────────

  #observe(): void {
    // What a dying process closes says nothing.
    if (this.#dying) return
    this.#model.time.sample(performance.now(), this.#machine.waited)
    this.#model.observe(this.#model.alive ? this.#machine.open() : new Set())
  }

  async #start(): Promise<void> {
    if (this.#machine.running) return
    this.#model.started()
    await this.#machine.start(GRACE)
    this.#observe()
    this.#model.ready()
  }

  async #end(end: () => Promise<Ended>): Promise<Ended> {
    this.#observe()
    this.#dying = true
    const ended = await end()
    this.#dying = false
    return ended
  }

  async #kill(): Promise<void> {
    if (!this.#machine.running) return
    this.#kills++
    this.#machine.signal('SIGKILL')
    await this.#end(() => this.#machine.ended())
    this.#model.died('kill', this.#pins())
    this.#model.reconcile('killed')
  }

  /** The inodes that the shipper keeps alive by links of its own. */
  #pins(): Set<string> {
    const pins = join(this.#rig.state, 'pins')
    const keys = new Set<string>()
    if (!existsSync(pins)) return keys
    for (const name of readdirSync(pins)) {
      const { dev, ino } = statSync(join(pins, name), { bigint: true })
      keys.add(`${dev}:${ino}`)
    }
    return keys
  }

  /** The power is cut: a process that is not running has nothing to lose but what is thrown away by its next start. */
  async #cutPower({ file, lose }: Extract<Action, { do: 'powerCut' }>): Promise<void> {
    if (!this.#machine.running || !this.#cuts) return
    this.#kills++
    this.#machine.signal('SIGKILL')
    await this.#end(() => this.#machine.ended())
    const synced = syncedAt(this.#disk)
    if (synced === undefined) {
      this.#violations.push('it said that it had started and had synchronized nothing')
      return
    }
    cutPower(this.#rig.state, this.#disk, this.#next)
    this.#env['TORTURE_BOOT'] = bootOf(++this.#boots)
    this.#model.died('kill', this.#pins(), false, performance.now() - (Date.now() - synced))
    this.#model.reconcile('killed')
    const node = this.#model.named(file)
    if (lose === undefined || !node?.readable || node.size === 0) return
    // As a rule at the end of a line, so that other lines begin where lost ones did.
    const { lines, size } = node
    const end = lines.findLast(line => line.end <= size - lose)?.end ?? 0
    truncateSync(this.#at(file), end)
    this.#model.cut(node, end, true)
    this.#model.reconcile('lost in a power cut')
    this.#write(file, this.#lines(file, 6, 80))
  }

  #thaw(): void {
    const { frozenSince } = this.#model
    if (frozenSince === undefined) return
    // Answers that came meanwhile are late for it.
    this.#model.stalls.push({ from: frozenSince, to: performance.now() })
    this.#model.frozenSince = undefined
    this.#model.thawedAt = performance.now()
    this.#machine.signal('SIGCONT')
  }

  /** SIGTERM. The grace period is the one it was started with, so a short one means: killed after it. */
  async #term(grace: number): Promise<void> {
    if (!this.#machine.running) return
    this.#thaw()
    const ended = await this.#end(() => this.#rig.terminate(grace))
    if (ended.code === null) {
      this.#kills++
      this.#model.died('kill', this.#pins(), true)
      this.#model.reconcile('killed')
      return
    }
    if (ended.code !== 0 && ended.code !== 3) this.#violations.push(`exit code ${ended.code}`)
    if (ended.code === 0) {
      // It says that everything is done: then nothing that it could read may be outstanding.
      const left = this.#model.outstanding
      if (left > 0 && this.#readable()) this.#violations.push(`exit code 0, but ${left} lines had not arrived`)
    }
    this.#ends.push(ended)
    this.#model.died(ended.code === 0 ? 'done' : 'deadline', this.#pins())
    this.#model.reconcile('ended')
  }

  #readable(): boolean {
    return [...this.#model.nodes].every(node => node.readable)
  }

  async #settle(): Promise<void> {
    this.#thaw()
    this.#rig.heal()
    await this.#start()
    const refusals = this.#model.poisoned.some(lines => lines.length > 0)
    const patience = refusals ? PATIENCE_WITH_REFUSED : PATIENCE
    let arrived = -1
    // Only time in which this process could receive counts.
    let waited = 0
    let progress = 0
    for (;;) {
      const began = performance.now()
      const left = this.#model.outstanding
      if (left === 0) return
      const soFar = this.#receivers.reduce((sum, { byId }) => sum + byId.size, 0)
      if (soFar > arrived) progress = waited
      arrived = soFar
      if (waited - progress > patience || waited > END_OF_PATIENCE) break
      this.#model.reconcile('unseen')
      // Of a hundred thousand lines the model takes longer than a request may, on a busy machine.
      const pause = Math.max(left > 1000 ? 100 : 15, 4 * (performance.now() - began))
      await sleep(pause)
      waited += pause
    }
    if (!this.#readable()) return
    this.#violations.push('lines that could be read did not arrive')
  }

  /** Everything well again, read to the end, and ended in order. */
  async #rest(): Promise<void> {
    for (const node of this.#model.nodes) {
      const [name] = node.names
      if (!node.readable && name) this.#chmod(node, name, 0o644)
    }
    // What is refused is known for bad by what is taken meanwhile, and that often where everything was refused for a while.
    const rounds = this.#model.poisoned.some(lines => lines.length > 0) ? ROUNDS : 0
    for (let round = 0; round <= rounds; round++) {
      if (round > 0) this.#write(FILES[0], this.#lines(FILES[0], 2, 80))
      await this.#settle()
      if (this.#violations.length > 0) return
      if (rounds > 0) await sleep(200)
    }
    this.#observe()
    this.#model.finish()
    this.#model.reconcile('at the end')
    this.#machine.signal('SIGTERM')
    const ended = await this.#machine.ended()
    this.#ends.push(ended)
    if (ended.code !== 0) this.#violations.push(`the last exit code is ${ended.code}`)
    const left = this.#model.outstanding
    if (left > 0) this.#violations.push(`${left} lines did not arrive in the last drain`)
    this.#model.alive = false
  }

  // ── The volume ─────────────────────────────────────────────────────────────────────────────────────────────────

  #at(name: string): string {
    return join(this.#rig.logs, name)
  }

  #line(file: string, size: number): string {
    const serial = ++this.#serial
    let text = `#${serial} ${file} `
    while (text.length < size) text += FILLERS[(serial + text.length) % FILLERS.length]
    return `${text};${serial}`
  }

  #lines(file: string, count: number, size: number): string {
    let text = ''
    for (let n = 0; n < count; n++) text += `${this.#line(file, Math.round(size * (0.2 + 1.6 * this.#next())))}\n`
    return text
  }

  /** The file of that name; made if it is not there. */
  #file(name: string): Node {
    const known = this.#model.named(name)
    if (known) return known
    closeSync(openSync(this.#at(name), 'a'))
    return this.#found(name)
  }

  #found(name: string): Node {
    if (this.#program.owned && otherUser === false) chownSync(this.#at(name), NOBODY, NOBODY)
    const stats = statSync(this.#at(name), { bigint: true })
    const node = this.#model.create(`${stats.dev}:${stats.ino}`, stats.birthtimeNs)
    this.#model.name(node, name)
    return node
  }

  #write(name: string, text: string): void {
    const node = this.#file(name)
    appendFileSync(this.#at(name), text)
    this.#model.write(node, text, name)
  }

  #unlink(name: string, why = 'deleted'): void {
    const node = this.#model.named(name)
    if (!node) return
    this.#observe()
    unlinkSync(this.#at(name))
    node.names.delete(name)
    this.#model.gone(node)
    this.#model.reconcile(why)
  }

  #rename(from: string, to: string, rotation = true): void {
    const node = this.#model.named(from)
    if (!node) return
    this.#unlink(to, 'replaced')
    this.#observe()
    renameSync(this.#at(from), this.#at(to))
    this.#model.renamed(node, from, to, rotation)
    this.#model.reconcile('renamed')
  }

  #cut(node: Node, name: string, size: number): void {
    this.#observe()
    const { kept } = node
    truncateSync(this.#at(name), size)
    this.#model.cut(node, size)
    this.#model.reconcile(kept ? 'truncated' : 'truncated unseen')
  }

  #chmod(node: Node, name: string, mode: number): void {
    chmodSync(this.#at(name), mode)
    this.#model.readable(node, mode !== 0)
  }

  #rotate(file: string): void {
    if (!this.#model.named(file)) return
    this.#rotations++
    this.#shift(file)
    this.#rename(file, `${file}.1`)
  }

  async #copytruncate({
    file,
    busy,
    // Some take their time, so that the copy is seen before the truncation that explains it.
    pause = this.#rotations % 3 === 0 ? 60 : 0,
    gap = 0,
    over = false,
    scheme,
    stale = false,
  }: Extract<Action, { do: 'copytruncate' }>): Promise<void> {
    const node = this.#model.named(file)
    if (!node?.readable) return
    this.#rotations++
    const target = this.#copyName(file, scheme)
    const former = this.#model.named(target)
    // What the shipper knows by another name is no rotation to it.
    const overwritten = over && former?.readable && former !== node && former.names.size === 1
    if (overwritten) this.#cut(former, target, 0)
    else if (scheme === undefined) this.#shift(file)
    else this.#unlink(target, 'replaced')
    copyFileSync(this.#at(file), this.#at(target))
    const copy = this.#found(target)
    this.#model.copied(node, copy, { fresh: !overwritten, rotation: scheme !== 'odd', busy })
    if (pause > 0) await sleep(pause)
    // What is written between the copy and the truncation is in neither.
    if (busy) {
      copy.outdated = copy.tail !== ''
      this.#write(file, this.#lines(file, 3, 60))
      await sleep(gap)
    }
    const { size } = node
    this.#cut(node, file, 0)
    if (!stale) return
    truncateSync(this.#at(file), size)
    this.#model.hole(node, size)
    this.#write(file, this.#lines(file, 3, 60))
  }

  #copyName(file: string, scheme: Scheme | 'odd' | undefined): string {
    if (scheme === undefined) return `${file}.1`
    const n = FIRST_ROTATION + ++this.#names
    return scheme === 'odd' ? oddName(file, n) : namesOf(scheme, file, n).at(-1)!
  }

  #shift(file: string): void {
    for (const n of [2, 1]) this.#rename(`${file}.${n}`, `${file}.${n + 1}`)
  }

  /** So many rotations as a tool makes them; then the writer goes on in a new file. */
  async #tool({ file, scheme, times, pack = false, away = false }: Extract<Action, { do: 'tool' }>): Promise<void> {
    for (let n = 0; n < times; n++) {
      if (n > 0) this.#write(file, this.#lines(file, 4, 100))
      if (!this.#model.named(file)) return
      this.#rotations++
      let name: string = file
      for (const step of namesOf(scheme, file, FIRST_ROTATION + ++this.#names)) {
        const next = away ? join('attic', step.replace('/', '-')) : step
        if (name !== file) await sleep(10)
        this.#rename(name, next)
        name = next
      }
      if (pack) this.#pack(name)
    }
    this.#write(file, this.#lines(file, 3, 100))
  }

  #pack(name: string): void {
    const node = this.#model.named(name)
    if (!node) return
    writeFileSync(this.#at(`${name}.gz`), gzipSync(readFileSync(this.#at(name)), { level: 1 }))
    this.#model.packed(`${name}.gz`, node)
    this.#unlink(name, 'compressed')
  }

  /** As `shred -u`: noise over what is there, three times, and then its name is gone. Under a followed name it is content. */
  async #shred(name: string): Promise<void> {
    const node = this.#model.named(name)
    if (!node || node.size > 4 << 20 || [...node.names].some(other => this.#model.follows(other))) return
    const { size } = node
    for (let pass = 0; pass < 3; pass++) {
      this.#observe()
      const { kept } = node
      const fd = openSync(this.#at(name), 'r+')
      writeSync(fd, this.#noise(size), 0)
      closeSync(fd)
      this.#model.cut(node, 0)
      this.#model.reconcile(kept ? 'truncated' : 'truncated unseen')
      await sleep(15)
    }
    this.#unlink(name)
  }

  /** Bytes of all kinds, and line feeds among them. */
  #noise(size: number): Buffer {
    const noise = Buffer.alloc(size)
    for (let at = 0; at < size; at++) noise[at] = Math.floor(this.#next() * 256)
    return noise
  }

  async #banner({ file, end }: Extract<Action, { do: 'banner' }>): Promise<void> {
    const twin = file.replace('.log', `-error-${++this.#names}.log`)
    if (!this.#model.follows(twin)) return
    this.#rotate(file)
    this.#write(file, `${BANNER}${this.#lines(file, 200, 100)}`)
    this.#write(twin, BANNER)
    const node = this.#model.named(twin)!
    const began = performance.now()
    // While it grows it might be a copy in the making, but not with lines of its own.
    for (let n = 0; n < 5 || !node.kept; n++) {
      this.#write(twin, this.#lines(twin, 1, 60))
      this.#write(file, this.#lines(file, 1, 60))
      await sleep(100)
      if (!this.#machine.running || this.#model.frozenSince !== undefined) break
      if (performance.now() - began <= PATIENCE) continue
      this.#violations.push(`${twin} ${NOT_FOLLOWED}`)
      return
    }
    if (end === 'delete') this.#unlink(twin)
    if (end === 'rotate') this.#rename(twin, `${twin}.1`)
  }

  #poison({ file, beside, backend, lines, between, always }: Extract<Action, { do: 'poison' }>): void {
    const poison: Poison = always ? 'always' : 'passing'
    if (!always) this.#rig.receiver(backend).poisonous = true
    for (let n = 0; n < lines; n++) {
      this.#write(file, `${this.#lines(file, between, 80)}${poisoned(this.#line(file, 60), backend, poison)}\n`)
      this.#write(beside, this.#lines(beside, 2, 80))
    }
    this.#write(file, this.#lines(file, 2, 80))
  }

  async #step(action: Action): Promise<void> {
    const model = this.#model
    switch (action.do) {
      case 'append':
        return this.#write(action.file, this.#lines(action.file, action.lines, action.size))
      case 'half': {
        const line = this.#line(action.file, 80)
        return this.#write(action.file, line.slice(0, 40).trimEnd())
      }
      case 'bytes': {
        for (const byte of `${this.#line(action.file, 20)}\n`) {
          this.#write(action.file, byte)
          await sleep(1)
        }
        return
      }
      case 'block': {
        let left = action.bytes
        while (left > 0) {
          const text = this.#lines(action.file, Math.max(1, Math.min(4000, Math.floor(left / 1000))), 1000)
          this.#write(action.file, text)
          left -= text.length
          // The receivers live in this process: they must get their turn, or the shipper's requests time out.
          await new Promise(setImmediate)
        }
        return
      }
      case 'long': {
        const head = this.#line(action.file, 40)
        return this.#write(action.file, `${head}${'0123456789abcdef'.repeat(Math.ceil(action.bytes / 16))}\n`)
      }
      case 'late': {
        const name = `${action.file}.1`
        const node = model.named(name)
        if (!node || node.outdated) return
        this.#write(name, this.#lines(name, action.lines, 100))
        return model.reconcile('late')
      }
      case 'rotate':
        this.#rotate(action.file)
        if (action.create) this.#file(action.file)
        return
      case 'rotateOften':
        for (let n = 0; n < action.times; n++) {
          this.#write(action.file, this.#lines(action.file, 1 + action.lines, 100))
          this.#rotate(action.file)
        }
        return this.#write(action.file, this.#lines(action.file, 2, 100))
      case 'tool':
        return this.#tool(action)
      case 'moveAway':
        return this.#rename(action.file, `attic/${++this.#names}`, false)
      case 'rename':
        return this.#rename(action.file, `${action.file}.old-${++this.#names}`, false)
      case 'copytruncate':
        return this.#copytruncate(action)
      case 'copy': {
        const node = model.named(action.file)
        if (!node?.readable) return
        const name = `${action.file}.copy-${++this.#names}`
        copyFileSync(this.#at(action.file), this.#at(name))
        const copy = this.#found(name)
        model.copied(node, copy, { fresh: true, rotation: false })
        copy.linkedSince = undefined
        for (const { line } of copy.lines) line.allowed++
        return
      }
      case 'truncate': {
        const node = model.named(action.file)
        if (node) this.#cut(node, action.file, 0)
        return
      }
      case 'shorten': {
        const node = model.named(action.file)
        if (!node || node.size === 0) return
        // Not within a character: what that becomes is for other tests.
        const content = readFileSync(this.#at(action.file))
        let size = Math.floor(node.size * action.keep)
        while (size > 0 && (content[size]! & 0xc0) === 0x80) size--
        return this.#cut(node, action.file, size)
      }
      case 'overwrite':
        return this.#overwrite(action.file)
      case 'restart': {
        const node = model.named(action.file)
        if (node && node.size > 0) this.#cut(node, action.file, 0)
        const first = action.same ? 'start' : `start ${String(++this.#serial).padStart(9, '0')}`
        this.#write(action.file, `${first.padEnd(40, '.')}\n${BANNER}`)
        model.alike()
        return this.#write(action.file, this.#lines(action.file, action.lines, 100))
      }
      case 'delete':
        this.#unlink(action.file)
        if (action.recreate) this.#write(action.file, this.#lines(action.file, 2, 100))
        return
      case 'gzip':
        return this.#pack(`${action.file}.1`)
      case 'unmatched files':
        for (const name of strangersOf(action.file)) {
          if (model.follows(name)) this.#write(name, this.#lines(name, 3, 80))
          else appendFileSync(this.#at(name), this.#lines(name, 3, 80))
        }
        return
      case 'shred':
        return this.#shred(`${action.file}.1`)
      case 'banner':
        return this.#banner(action)
      case 'hole': {
        const node = this.#file(action.file)
        if (node.tail !== '' || node.tailHole > 0) return
        truncateSync(this.#at(action.file), node.size + action.bytes)
        model.hole(node, action.bytes)
        return this.#write(action.file, this.#lines(action.file, 1, 60))
      }
      case 'link': {
        const node = model.named(action.file)
        if (!node) return
        const name = `link-${++this.#names}.log`
        linkSync(this.#at(action.file), this.#at(name))
        node.unorder()
        return model.name(node, name)
      }
      case 'swap': {
        const target = `data-${++this.#names}.txt`
        this.#write(target, this.#lines(target, 1 + action.lines, 80))
        const old = model.named('cur.log')
        this.#observe()
        symlinkSync(target, this.#at('cur.tmp'))
        renameSync(this.#at('cur.tmp'), this.#at('cur.log'))
        old?.names.delete('cur.log')
        model.name(model.named(target)!, 'cur.log')
        return model.reconcile('swapped')
      }
      case 'chmod': {
        const node = model.named(action.file)
        if (node) this.#chmod(node, action.file, action.mode)
        return
      }
      case 'directory': {
        for (const node of [...model.nodes]) {
          for (const name of [...node.names]) if (name.startsWith('sub/')) this.#unlink(name)
        }
        for (const { packed } of model.nodes) if (packed?.startsWith('sub/')) model.packed(packed)
        rmSync(this.#at('sub'), { recursive: true, force: true })
        mkdirSync(this.#at('sub'))
        return this.#write('sub/web.log', this.#lines('sub/web.log', 3, 100))
      }
      case 'twins': {
        const same = this.#lines('twin', action.lines, 200)
        for (const file of ['app.log', 'db.log'] satisfies File[]) {
          this.#rotate(file)
          this.#write(file, same)
        }
        for (const file of ['app.log', 'db.log'] satisfies File[]) this.#write(file, this.#lines(file, 2, 100))
        return
      }
      case 'fault':
        return this.#rig.receiver(action.backend).inject(action.fault, action.times)
      case 'down':
        this.#rig.receiver(action.backend).down = true
        return
      case 'refuse':
        this.#rig.receiver(action.backend).refusing = action.status
        return
      case 'poison':
        return this.#poison(action)
      case 'up':
        return this.#rig.heal()
      case 'kill':
        return this.#kill()
      case 'powerCut':
        return this.#cutPower(action)
      case 'term':
        if (action.grace >= 10) this.#rig.heal()
        return this.#term(action.grace)
      case 'start':
        return this.#start()
      case 'reload': {
        this.#configure({ records: action.records, budget: action.budget, round: ++this.#rounds })
        // Who does not run sees nothing.
        if (!this.#machine.running || this.#model.frozenSince !== undefined) return
        const before = this.#rig.reloads
        const began = performance.now()
        while (this.#rig.reloads === before && performance.now() - began < action.ms) {
          this.#write(action.file, this.#lines(action.file, 2, 100))
          await sleep(20)
        }
        return
      }
      case 'freeze':
        if (!this.#machine.running || model.frozenSince !== undefined) return
        this.#observe()
        this.#machine.signal('SIGSTOP')
        model.frozenSince = performance.now()
        return
      case 'thaw':
        return this.#thaw()
      case 'wait':
        await sleep(action.ms)
        return
      case 'settle':
        return this.#settle()
    }
  }

  /** Other content of the same length, in place. */
  #overwrite(file: string): void {
    const node = this.#model.named(file)
    if (!node || node.size < 100 || node.size > 64 * 1024) return
    const { size } = node
    let text = ''
    while (size - text.length > 400) text += `${this.#line('over', 100)}\n`
    const line = this.#line('over', 20)
    text += `${line}${'.'.repeat(Math.max(0, size - Buffer.byteLength(text) - line.length - 1))}\n`
    text = Buffer.from(text).subarray(0, size).toString()
    this.#observe()
    const { kept } = node
    const fd = openSync(this.#at(file), 'r+')
    writeSync(fd, text, 0)
    closeSync(fd)
    this.#model.cut(node, 0)
    this.#model.reconcile(kept ? 'truncated' : 'truncated unseen')
    this.#model.write(node, text)
  }
}

/** The id of a boot, as the kernel writes it. */
function bootOf(boot: number): string {
  return `00000000-0000-4000-8000-${String(boot).padStart(12, '0')}`
}

const FILLERS = ['the quick brown fox ', '"quoted" \\ ', 'ünïcödé → 日本 ', '\ttab ', '0123456789 ', '{"a":[1,2]} ']
const BANNER = Array.from({ length: 20 }, (_, n) => `  option ${n} = ${'the default '.repeat(6)}\n`).join('')
