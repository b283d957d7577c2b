/**
 * The model: what was on the volume and when, and what a shipper could therefore have read.
 *
 * It knows inodes, their names and their lines, and about the shipper only what an observer outside can know: when it
 * ran, and which files it held open (/proc/pid/fd). From that follows for every line, at every moment, whether there is
 * still a way to it. The first moment without one excuses the line for those backends that have not got it yet; every
 * other line has to arrive. Ways to a line:
 *   - its file has a name that the pattern matches;
 *   - its file was rotated from such a name to one that tools give, or copied to such a name, in the same directory,
 *     and the shipper knew that path;
 *   - the shipper holds the file open, or knows it and it is still in its directory, or linked to;
 *   - it had it in a checkpoint, with the beginning of it, and a compressed copy is in its directory;
 *   - it was made, rotated and compressed while no shipper ran, to a name that tools give;
 *   - it was made while no shipper ran, and rotated into another directory below, where one went that the shipper knew;
 *   - its file is the copy of a copytruncate, whatever its name, and the shipper had seen how the original begins.
 */
import { type Line, Node } from './node.ts'
import { poisonOf } from './poison.ts'
import { ProcessTime } from './process-time.ts'
import { BACKENDS, FILES, MAX_LINE, type Program } from './program.ts'
import type { Receiver } from './receiver.ts'

/**
 * Milliseconds after which an observed open file must be in a checkpoint, and a size must have been seen; by the time that
 * the shipper had (`process-time.ts`), as those below.
 */
const SAVED = 1500
/** Milliseconds after which a line that has been there must have been seen: an active file is looked at every 250. */
const SEEN = 1000
/** Milliseconds before a kill in which what was acknowledged may not be saved. */
const UNSAVED = 4000
/** Where writers write, and lines have an order across the files that carried the name. */
const WRITTEN: ReadonlySet<string> = new Set(FILES)
/** `done`: in order, with nothing left in flight. `deadline`: in order, but its time was up. */
export interface Death {
  readonly at: number
  readonly kind: 'kill' | 'deadline' | 'done'
  /** What was met, or acknowledged, later than this need not be saved. */
  readonly unsaved: { readonly met: number; readonly acknowledged: number }
}

/** A line that no way led to any more before a backend had it. */
export interface Lost {
  readonly line: Line
  readonly why: string
  /** The shipper must have seen it there: it has to be counted as lost. */
  readonly sure: boolean
}

export class Model {
  readonly #pattern: Program['pattern']
  readonly #receivers: readonly Receiver[]
  /** Every inode whose content may still have to be delivered. */
  readonly nodes = new Set<Node>()
  /** The lines of each text, in the order in which they were written. */
  readonly #twins = new Map<string, Line[]>()
  readonly lines: Line[] = []
  /** Texts that may arrive and need not: unfinished lines that went away. */
  readonly optional = new Map<string, number>()
  readonly pending: Set<Line>[]
  readonly lost: Lost[][]
  /** For each backend, lines that it may refuse for good: they are rejected, or arrive. */
  readonly poisoned: Line[][]
  /** Bytes of unfinished lines that went away. */
  lostTails = 0
  /** Processes that ended. */
  readonly deaths: Death[] = []
  /** When this very process was held up, so that the receivers answered late, or the shipper was: beginning and end. */
  readonly stalls: { readonly from: number; readonly to: number }[] = []
  alive = false
  frozenSince: number | undefined
  thawedAt = 0
  bytes = 0
  /** For each backend, bytes of lines that were cut off before they arrived, whether or not a copy had them. */
  readonly cutUnread: number[]
  /** A file was cut in its middle: what stays of it may be read again, and until then counts as gone. */
  shortened = false
  /** Something was delivered, not saved, and then gone from the volume: it is in no account. */
  unaccounted = false
  /**
   * A file was cut in its middle, or written anew with the same first line, within the moments before a death that no
   * checkpoint knows of: what follows has the offsets, and so the ids, of what was sent and never saved.
   */
  ambiguous = false
  readonly time = new ProcessTime()
  #startedAt = 0
  /** When it said that it had started. Until then it looks for what it knew, and saves nothing. */
  #readyAt = Number.POSITIVE_INFINITY
  #alikeAt = Number.NEGATIVE_INFINITY
  #lossAt = Number.NEGATIVE_INFINITY
  #incarnations = 0
  #places = 0

  constructor(program: Program, receivers: readonly Receiver[]) {
    this.#pattern = program.pattern
    this.#receivers = receivers
    this.pending = receivers.map(() => new Set())
    this.lost = receivers.map(() => [])
    this.poisoned = receivers.map(() => [])
    this.cutUnread = receivers.map(() => 0)
  }

  /** Whether the shipper's pattern matches a name, relative to the directory of logs. */
  follows(name: string): boolean {
    if (!/^(sub\/)?[^/]+$/.test(name) || name.endsWith('.gz')) return false
    switch (this.#pattern) {
      case 'inside':
        return /\.log[^/]*$/.test(name)
      case 'outside':
        return name.endsWith('.log')
      case 'exact':
        return WRITTEN.has(name) || name === 'cur.log'
    }
  }

  create(key: string, birth: bigint): Node {
    // The number of an inode comes again only when no process holds it any more.
    for (const other of this.nodes) if (other.key === key) this.nodes.delete(other)
    const node = new Node(key, birth, ++this.#incarnations)
    node.unseen = !this.alive
    this.nodes.add(node)
    return node
  }

  named(name: string): Node | undefined {
    for (const node of this.nodes) if (node.names.has(name)) return node
    return undefined
  }

  name(node: Node, name: string): void {
    node.names.add(name)
    if (this.follows(name)) node.origin ??= name
  }

  /** A file has another name now. `rotation`: one that tools give. */
  renamed(node: Node, from: string, to: string, rotation: boolean): void {
    node.names.delete(from)
    node.rotation ||= rotation
    this.name(node, to)
    const known = this.alive ? node.kept : node.durable && !node.forgotten
    // Whatever was made while it was down is looked for before anything is read.
    const missed = !this.alive && node.rotation && !this.follows(to)
    if ((!known && !missed) || directoryOf(from) !== directoryOf(to)) node.unorder()
    if (!known && missed) this.#unorderTwins(node)
  }

  /** Of files that were born at the same time, as far as the file system says, nobody can tell which was first. */
  #unorderTwins(node: Node): void {
    for (const other of this.nodes) {
      if (other === node || other.birth !== node.birth || other.origin !== node.origin) continue
      other.unorder()
      node.unorder()
    }
  }

  /** `name`: the one it was written to. */
  write(node: Node, text: string, name = ''): void {
    this.bytes += Buffer.byteLength(text)
    node.writtenAt = performance.now()
    const parts = text.split('\n')
    for (const [at, part] of parts.entries()) {
      node.tail += part
      node.size += Buffer.byteLength(part)
      if (at === parts.length - 1) break
      node.size++
      this.#end(node, false, name)
    }
  }

  #end(node: Node, unended: boolean, name: string): void {
    const { tail: text, tailHole: hole, tailCuts: cuts } = node
    const twins = this.#twins.get(text) ?? []
    const rank = twins.length
    const line: Line = {
      text,
      expected: expected(text),
      bytes: Buffer.byteLength(text) + hole + (unended ? 0 : 1),
      hole,
      incarnation: node.incarnation,
      seq: node.seq++,
      writtenAt: performance.now(),
      name,
      place: ++this.#places,
      cuts,
      unended,
      rank,
      homes: new Set([node]),
      allowed: node.tailAgain ? 2 : 1,
      ordered: node.ordered && !unended && cuts.length === 0 && WRITTEN.has(name),
    }
    node.lines.push({ line, end: node.size })
    node.tail = ''
    node.tailHole = 0
    node.tailCuts = []
    node.tailAgain = false
    this.lines.push(line)
    this.#twins.set(text, [...twins, line])
    for (const [at, pending] of this.pending.entries()) {
      if (poisonOf(text, BACKENDS[at]!) === undefined) pending.add(line)
      else this.poisoned[at]!.push(line)
    }
  }

  hole(node: Node, bytes: number): void {
    node.size += bytes
    node.writtenAt = performance.now()
    node.tailHole += bytes
    this.bytes += bytes
  }

  /**
   * Everything behind `size` was cut off. What stays may be read once more, in a new generation. `power`: by a power cut,
   * after which nothing has the ids of before.
   */
  cut(node: Node, size: number, power = false): void {
    const kept = node.lines.filter(({ end }) => end <= size)
    const gone = node.lines.slice(kept.length)
    for (const { line } of kept) line.allowed++
    for (const { line } of gone) line.homes.delete(node)
    const start = kept.at(-1)?.end ?? 0
    const first = gone[0]
    const came = node.lines.some(({ line }) => BACKENDS.some((_, at) => this.#arrived(line, at)))
    node.unreadCutAt = came ? Number.NEGATIVE_INFINITY : performance.now()
    this.#lossAt = performance.now()
    if (!this.alive) {
      this.unaccounted = true
      // By its content it will not be known again; by its name it may.
      node.forgotten = true
    }
    if (this.#isBlank) this.unaccounted = true
    if (size > 0) {
      this.shortened = true
      node.unorder()
      if (!power) this.alike()
    }
    // What the shipper must know to be in a copy is not lost.
    const lost = gone.filter(({ line }) => ![...line.homes].some(home => this.#isContinued(home)))
    for (const { line } of gone) {
      for (const home of line.homes) if (home.linkedSince !== undefined) home.explainedAt ??= this.#lossAt
    }
    for (const [at] of this.pending.entries()) {
      for (const { line } of lost) if (!this.#arrived(line, at)) this.cutUnread[at]! += line.bytes
    }
    const { tail, tailHole } = node
    this.#dropTail(node)
    node.lines = kept
    node.recognizable = false
    node.seenSince = undefined
    node.ordered = node.readable && node.names.size === 1
    node.incarnation = ++this.#incarnations
    node.seq = 0
    node.tailAgain = size > start
    if (size > start) {
      const hole = first?.line.hole ?? tailHole
      const text = Buffer.from(first?.line.text ?? tail)
      const into = size - start
      node.tailHole = Math.min(into, hole)
      node.tail = text.subarray(0, Math.max(0, into - hole)).toString()
    }
    node.size = size
  }

  /** A file was written anew, but not from its first line on. */
  alike(): void {
    this.#alikeAt = performance.now()
    // Neither a dead shipper nor one that has just begun to read again can know what it sent and never saved.
    const unread = !this.alive || this.#had(this.#readyAt) < SAVED
    if (!this.alive || (unread && this.deaths.at(-1)?.kind === 'kill')) this.ambiguous = true
  }

  /** An unfinished line went away: it may have been taken as it was. */
  #dropTail(node: Node): void {
    if (node.tail === '' && node.tailHole === 0) return
    this.#mayCome(node)
    this.lostTails += Buffer.byteLength(node.tail) + node.tailHole
    node.tail = ''
    node.tailHole = 0
    node.tailCuts = []
  }

  #mayCome(node: Node): void {
    let from = 0
    for (const cut of [0, ...node.tailCuts]) {
      from = cut
      const text = node.tail.slice(from)
      this.optional.set(text, (this.optional.get(text) ?? 0) + 1)
    }
  }

  /**
   * Another inode with the same content. `fresh`: it was made for this, and not written over another rotation;
   * `rotation`: under a name that tools give; `busy`: more is written to the original before it is truncated.
   */
  copied(
    node: Node,
    copy: Node,
    { fresh, rotation, busy = false }: { fresh: boolean; rotation: boolean; busy?: boolean },
  ): void {
    copy.lines = node.lines.map(entry => ({ ...entry }))
    copy.copy = true
    copy.size = node.size
    copy.tail = node.tail
    copy.tailHole = node.tailHole
    copy.tailCuts = [...node.tailCuts]
    for (const { line } of copy.lines) line.homes.add(copy)
    copy.linkedSince = this.#knownSince(node)
    // By its name and its birth it is known for what was rotated away unseen.
    copy.rotation = fresh && rotation
    if (copy.rotation) copy.origin ??= node.origin
    const death = this.deaths.at(-1)
    // Neither a dead shipper nor one that has just begun to read again can know it for what it sent and never saved.
    if (
      (!this.alive || this.#isBlank) &&
      death?.kind === 'kill' &&
      copy.linkedSince !== undefined &&
      copy.linkedSince > death.unsaved.met
    ) {
      this.unaccounted = true
      for (const { line } of copy.lines) line.allowed++
      copy.linkedSince = undefined
    }
    // A copy of what the shipper has not met yet may look to it like a file that was rotated away unseen.
    if (!node.kept) for (const { line } of copy.lines) line.allowed++
    // Nothing that was read, seen or said of it may end where the copy does, if it was written to just before.
    const unlike = busy && !rotation && this.#had(Math.max(node.writtenAt, this.thawedAt)) < SEEN
    if (unlike || (busy && !rotation && this.frozenSince !== undefined)) {
      copy.linkedSince = undefined
      for (const { line } of copy.lines) line.allowed++
    }
    // By whichever of its names the shipper knows the file, the copy carries only one of them: it may not be recognized.
    if (node.names.size > 1) {
      copy.linkedSince = undefined
      copy.rotation = false
      for (const { line } of copy.lines) line.allowed++
    }
    const missed = !this.alive && copy.rotation && !copy.names.values().some(name => this.follows(name))
    if (!node.ordered || (copy.linkedSince === undefined && !missed)) copy.unorder()
    if (missed && copy.linkedSince === undefined) this.#unorderTwins(copy)
  }

  /** Since when the shipper has known how the present content of a file begins, if it does. */
  #knownSince(node: Node): number | undefined {
    const { first } = node
    if (first === undefined) return undefined
    const came = this.#receivers.flatMap(({ idsOf, byId }) =>
      (idsOf.get(first.text) ?? []).map(id => byId.get(id)?.at ?? Number.POSITIVE_INFINITY),
    )
    const since = Math.min(...came, node.seenSince ?? Number.POSITIVE_INFINITY)
    return Number.isFinite(since) ? since : undefined
  }

  /** A copy that was explained long ago is held open until it is read, so that it may be removed. */
  #isOwed({ explainedAt, readable, pinned }: Node): boolean {
    if (!this.alive || this.frozenSince !== undefined || explainedAt === undefined || !readable || pinned) return false
    return this.#had(Math.max(explainedAt, this.thawedAt)) >= SAVED
  }

  /** It is a copy that the shipper must know for what it is, and can go on in. */
  #isContinued(node: Node): boolean {
    return node.linkedSince !== undefined && node.readable && this.reachable(node)
  }

  /** A file was compressed under this name, and what was there before is gone. `node` undefined: nothing took its place. */
  packed(name: string, node?: Node): void {
    for (const other of this.nodes) if (other.packed === name) other.packed = undefined
    if (node) {
      node.packed = name
      node.unorder()
      // It looks like what was rotated away unseen.
      if (!this.alive && !(node.durable && node.recognizable)) this.#again(node)
    }
    this.reconcile('replaced')
  }

  /** The last name of an inode is gone. */
  gone(node: Node): void {
    if (node.names.size > 0) return
    this.#lossAt = performance.now()
    if (!this.alive || this.#isBlank) this.unaccounted = true
    node.owed = this.#isOwed(node)
    this.#mayCome(node)
  }

  /** It has just begun to read again, and may not know yet what was sent before a death and never saved. */
  get #isBlank(): boolean {
    return this.alive && this.deaths.at(-1)?.kind === 'kill' && this.#had(this.#readyAt) < SAVED
  }

  /** What was sent of a file and never saved comes again, under other ids. */
  #again(node: Node): void {
    if (this.deaths.at(-1)?.kind !== 'kill') return
    this.unaccounted = true
    for (const { line } of node.lines) line.allowed++
  }

  readable(node: Node, readable: boolean): void {
    if (readable && !node.readable) node.readableSince = performance.now()
    node.readable = readable
    // Others are read meanwhile.
    if (!readable) node.unorder()
  }

  // ── What an observer sees of the shipper ───────────────────────────────────────────────────────────────────────

  /** The inodes that the running shipper holds open now. */
  observe(open: ReadonlySet<string>): void {
    const now = performance.now()
    for (const node of this.nodes) {
      if (open.has(node.key)) {
        node.openSince ??= now
        node.openAt = now
        node.openFor = this.time.between(node.openSince, now)
        if (node.kept) node.metSince ??= node.openSince
        this.#look(node, now)
      } else {
        node.openSince = undefined
        node.openAt = undefined
      }
    }
  }

  /** A shipper that runs must have seen by now how the content of a file that it holds open begins. */
  #look(node: Node, now: number): void {
    if (!this.alive || this.frozenSince !== undefined || !node.readable || !node.kept) return
    const { first, openSince, readableSince } = node
    // NULs do not tell one file from another.
    if (first === undefined || first.hole > 0) return
    const since = Math.max(first.writtenAt, openSince ?? now, readableSince, this.thawedAt)
    if (this.#had(since) >= SEEN) node.seenSince ??= now
  }

  started(): void {
    this.alive = true
    this.#startedAt = performance.now()
    this.#readyAt = Number.POSITIVE_INFINITY
    this.thawedAt = performance.now()
    this.frozenSince = undefined
  }

  /** It says that it has started. */
  ready(): void {
    this.#readyAt = performance.now()
    this.thawedAt = this.#readyAt
  }

  /** Milliseconds that the shipper had since then. */
  #had(since: number): number {
    return this.time.between(since, performance.now())
  }

  /** The moment since which a shipper that ends at `end` need not have saved what it came to know, in so many milliseconds. */
  #unsaved(end: number, within: number): number {
    return this.time.between(this.#readyAt, end) < within ? this.#startedAt : this.time.before(end, within)
  }

  /**
   * `pins`: the inodes that the state directory has links to. `draining`: it had been told to end. `synced`: of a power cut,
   * when what is left of the state was saved.
   */
  died(kind: Death['kind'], pins: ReadonlySet<string>, draining = kind !== 'kill', synced?: number): void {
    const at = performance.now()
    const end = Math.min(this.frozenSince ?? at, synced ?? at)
    // What was delivered since then is in no account, and comes again under other ids.
    if (synced !== undefined) {
      this.unaccounted = true
      for (const line of this.lines) line.allowed++
    }
    const before = kind !== 'kill' ? Number.POSITIVE_INFINITY : this.#unsaved(end, SAVED)
    this.deaths.push({ at, kind, unsaved: { met: before, acknowledged: this.#unsaved(end, UNSAVED) } })
    const recent = this.#unsaved(end, 2 * SAVED)
    if (kind === 'kill' && this.#alikeAt > recent) this.ambiguous = true
    // What was delivered in these last moments is not saved, and where it stood is gone.
    if (kind === 'kill' && this.#lossAt > recent) this.unaccounted = true
    for (const node of this.nodes) {
      if (node.kept && node.openSince! < before) {
        node.durable = true
        node.forgotten = false
        node.followedAt = this.deaths.length
      }
      // What was read to its end and closed is remembered.
      if (node.metSince !== undefined && node.metSince < before && node.names.size > 0) node.durable = true
      else node.metSince = undefined
      if (node.durable && node.names.size > 0) node.followedAt = this.deaths.length
      if (node.seenSince !== undefined && node.seenSince >= before) node.seenSince = undefined
      node.pinned = pins.has(node.key)
      node.owed = false
      node.recognizable ||=
        node.seenSince !== undefined || node.lines.some(({ line }) => this.#came(line, node, before))
      if (node.linkedSince !== undefined && node.linkedSince >= before) node.linkedSince = undefined
      // The checkpoint may know the end of what was cut off, and nothing of what was sent since: that has other ids then,
      // for what begins alike must not have those of other bytes.
      if (kind === 'kill' && node.unreadCutAt > recent) for (const { line } of node.lines) line.allowed++
      // Nothing in the checkpoint tells that it is a copy of what has been sent: it is a file like any other.
      if (kind === 'kill' && node.copy && !node.durable) for (const { line } of node.lines) line.allowed++
      if (!node.durable && !node.names.values().some(name => WRITTEN.has(name))) node.unorder()
      if (node.packed !== undefined && !(node.durable && node.recognizable)) this.#again(node)
      node.openSince = undefined
      node.openAt = undefined
      // At an orderly end a last line is taken as it is.
      if (draining && node.tail !== '' && node.tailCuts.at(-1) !== node.tail.length) {
        node.tailCuts.push(node.tail.length)
      }
    }
    this.alive = false
    this.frozenSince = undefined
  }

  /** Whether a line came out of this incarnation of the file to any backend before that moment. */
  #came({ expected, incarnation, rank }: Line, node: Node, before: number): boolean {
    if (rank > 0 || (incarnation !== node.incarnation && !node.copy)) return false
    return this.#receivers.some(({ idsOf, byId }) =>
      idsOf.get(expected)?.some(id => (byId.get(id)?.at ?? before) < before),
    )
  }

  /** The shipper knows, or must know after a restart, that files were followed under this name. */
  #knowsPath(path: string): bigint | undefined {
    let oldest: bigint | undefined
    for (const node of this.nodes) {
      // A file that was deleted and let go before a death leaves no trace.
      const met = this.alive ? node.metSince !== undefined : false
      const saved = node.durable && (node.names.size > 0 || node.followedAt === this.deaths.length)
      if (node.origin !== path || !(node.kept || met || saved)) continue
      if (oldest === undefined || node.birth < oldest) oldest = node.birth
    }
    return oldest
  }

  reachable(node: Node): boolean {
    if (this.alive && (node.kept || node.owed)) return true
    for (const name of node.names) if (this.follows(name)) return true
    if (node.pinned && node.durable && !node.forgotten) return true
    if (node.packed !== undefined && this.#isUnpacked(node, node.packed)) return true
    if (node.names.size === 0) return false
    const directories = new Set([...node.names].map(directoryOf))
    if (node.linkedSince !== undefined) return true
    if (node.origin === undefined) return node.durable
    const root = directoryOf(node.origin)
    const here = directories.has(root)
    // By its inode it is found in all directories below that of its pattern.
    if (node.durable && !node.forgotten && [...directories].some(directory => isBelow(directory, root))) return true
    if (here && this.alive && node.metSince !== undefined) return true
    const missed = here || (node.unseen && [...directories].some(directory => this.#leadsInto(node, directory)))
    return node.rotation && missed && this.#isYoung(node, node.origin)
  }

  /**
   * A file of the same name, which the shipper knows by its inode, is to be found in that directory: others are looked
   * for there too. Otherwise nothing tells it from a directory of another program's logs.
   */
  #leadsInto({ origin }: Node, directory: string): boolean {
    if (origin === undefined || !isBelow(directory, directoryOf(origin))) return false
    for (const { durable, forgotten, readable, origin: other, names } of this.nodes) {
      if (other !== origin || !durable || forgotten || !readable) continue
      if (names.values().some(name => directoryOf(name) === directory)) return true
    }
    return false
  }

  /** It was made after a file that the shipper knows to have carried the same name, if it knows one. */
  #isYoung(node: Node, origin: string): boolean {
    const known = this.#knowsPath(origin)
    // Where no file was followed, those that were made since the start are looked for.
    if (known === undefined) return this.alive && !node.unseen && node.madeAt > this.#startedAt
    return node.birth > known
  }

  /** Known by its content, or made and compressed while no shipper ran. */
  #isUnpacked(node: Node, name: string): boolean {
    if (node.durable && node.recognizable && !node.forgotten) return true
    const { origin } = node
    if (origin === undefined || directoryOf(origin) !== directoryOf(name)) return false
    return node.unseen && node.rotation && this.#isYoung(node, origin)
  }

  /** Excuses what there is no way to any more, for the backends that have not got it. Call it after every event. */
  reconcile(why: string): void {
    this.#unaccount()
    const reachable = new Map<Node, boolean>()
    for (const [at, pending] of this.pending.entries()) {
      for (const line of pending) {
        if (this.#arrived(line, at)) {
          pending.delete(line)
          continue
        }
        let way = false
        for (const node of line.homes) {
          let known = reachable.get(node)
          if (known === undefined) {
            known = this.reachable(node)
            reachable.set(node, known)
          }
          way ||= known
        }
        if (way) continue
        pending.delete(line)
        const sure = why === 'truncated' && this.alive && this.frozenSince === undefined
        this.lost[at]!.push({ line, why, sure: sure && this.#had(Math.max(line.writtenAt, this.thawedAt)) > SAVED })
      }
    }
  }

  /** While it is dead: is there anything that it had delivered, not saved, and will not find again? */
  #unaccount(): void {
    const death = this.deaths.at(-1)
    if (this.alive || this.unaccounted || death?.kind !== 'kill') return
    const recent = ({ expected }: Line) =>
      this.#receivers.some(({ idsOf, byId }) =>
        idsOf.get(expected)?.some(id => (byId.get(id)?.at ?? 0) > death.unsaved.acknowledged),
      )
    for (const node of this.nodes) {
      if (!this.reachable(node) && node.lines.some(({ line }) => recent(line))) this.unaccounted = true
    }
  }

  /** Lines that still have to arrive somewhere and have not. */
  get outstanding(): number {
    for (const [at, pending] of this.pending.entries()) {
      for (const line of pending) if (this.#arrived(line, at)) pending.delete(line)
    }
    return this.pending.reduce((sum, pending) => sum + pending.size, 0)
  }

  /** What stands at the ends of files without a line end will be taken as it is. */
  finish(): void {
    for (const node of this.nodes) {
      if (node.tail === '' || node.names.size === 0) continue
      // A copy that is like its file to the last byte may be known for one: then nothing of it comes.
      const isKnown =
        node.copy && [...this.nodes].some(other => !other.copy && other.tail === node.tail && other.size === node.size)
      if (node.outdated || isKnown) this.#mayCome(node)
      else this.#end(node, true, '')
    }
  }

  /** The texts as which the line may come, in the order of their offsets: each with its bytes, hole included, line feed not. */
  pieces(line: Line): { text: string; bytes: number; hole: number; whole: boolean }[] {
    const ends = [...new Set([0, ...line.cuts, line.text.length])].sort((a, b) => a - b)
    const pieces: { text: string; bytes: number; hole: number; whole: boolean }[] = []
    for (const from of ends) {
      for (const to of ends) {
        if (to < from || (to === from && to !== line.text.length)) continue
        if (from === to && from === 0 && line.text.length > 0) continue
        const text = line.text.slice(from, to)
        const last = to === line.text.length
        const hole = from === 0 ? line.hole : 0
        pieces.push({ text, bytes: Buffer.byteLength(text) + hole, hole, whole: from === 0 && last })
      }
    }
    return pieces
  }

  /**
   * How many lines of this text need not arrive: those that are excused, and those that there is no way to any more. Of
   * these one may have come; but which of several lines of the same text came cannot be told.
   */
  #excusedOf(text: string): number {
    const twins = this.#twins.get(text) ?? []
    return twins.filter(({ homes }) => [...homes].every(node => !this.reachable(node))).length
  }

  #arrived(line: Line, at: number): boolean {
    const { idsOf } = this.#receivers[at]!
    const came = (text: string) =>
      (idsOf.get(text)?.length ?? 0) + (line.rank > 0 ? this.#excusedOf(line.text) : 0) > line.rank
    if (came(line.expected)) return true
    if (line.cuts.length === 0) return false
    const ends = [...new Set([...line.cuts, line.text.length])].sort((a, b) => a - b)
    const from = (start: number): boolean =>
      ends.some(end => end > start && idsOf.has(line.text.slice(start, end)) && (end === line.text.length || from(end)))
    // The line feed alone may come as an empty record, and need not be told from others.
    return from(0)
  }
}

/** What arrives of a line: no more than the limit. */
export function expected(text: string): string {
  if (text.length <= MAX_LINE / 4) return text
  const bytes = Buffer.from(text)
  if (bytes.length <= MAX_LINE) return text
  let end = MAX_LINE
  while ((bytes[end]! & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}

function isBelow(directory: string, root: string): boolean {
  return root === '' || directory === root || directory.startsWith(`${root}/`)
}

function directoryOf(name: string): string {
  return name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : ''
}
