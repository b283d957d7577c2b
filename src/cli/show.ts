/**
 * Shows what becomes of records: a head for each, and the request that a backend would get for them. `test` shows those of
 * a sample, `explain` one of a file.
 *
 *     records ─┬─► preview ─► findings ──────────────────────┬─► heads
 *              └─► slab ─► the backend's stage ─► verdicts ──┘
 *                   └─► delivery ─► a transport that shows the request and ends
 *
 * Guarantees: no connection is opened, no file is written, and credentials are not shown, for they are put in by the real
 * transport.
 */
import { isUtf8 } from 'node:buffer'
import type { Backend } from '../backends/backend.ts'
import { type Chunk, type Origin, Slab, type WrittenChunk } from '../chunk.ts'
import type { BackendConfig, Config, SourceConfig } from '../config/config.ts'
import { ownTimes } from '../delivery/encoding/record-times.ts'
import type { HttpRequest, Transport } from '../delivery/transport/transport.ts'
import { createDestination, type Destination } from '../destination.ts'
import { invariant } from '../errors.ts'
import type { Logger } from '../log.ts'
import { type Metadata, PodMetadata } from '../metadata.ts'
import type { FileRecord, Read } from '../process/preview/cutter.ts'
import { type Finding, Preview } from '../process/preview/preview.ts'
import { textFormOf } from '../tail/options.ts'
import { EXIT } from './exit.ts'
import { asJson, type Fate, faultsOf, inWords, type Retimed } from './finding.ts'
import type { Sink } from './output.ts'
import { counted } from './table.ts'

/** Nanoseconds in a millisecond. */
const NANOS = 1_000_000n
const SILENT: Logger = { error() {}, warn() {}, info() {}, debug() {} }
/** The id of the generation of a file that is not followed. */
const GENERATION = '0'.repeat(16)

/** What records are made of. */
export interface Sample {
  readonly path: string
  readonly read: Read
  /** Which of its records are shown, with what stands before the first; undefined: all. */
  readonly records: ((all: Iterable<FileRecord>) => FileRecord | undefined) | undefined
  readonly before?: (record: FileRecord) => Buffer
}

export interface Choice {
  readonly backend: string | undefined
  readonly source: string | undefined
}

export type Chosen =
  | { readonly kind: 'pairs'; readonly pairs: readonly { backend: BackendConfig; source: SourceConfig }[] }
  | { readonly kind: 'wrong'; readonly message: string }

/** The backends that are meant, each with the source whose records it gets: its first one, if none is named. */
export function choose(config: Config, { backend: only, source: named }: Choice): Chosen {
  const wrong = (what: string, all: readonly string[]): Chosen => ({
    kind: 'wrong',
    message: `${what}: ${all.join(', ')}`,
  })
  const names = config.sources.map(({ name }) => name)
  const backends = config.backends.filter(({ name }) => only === undefined || name === only)
  if (backends.length === 0) {
    return wrong(
      `unknown backend ${only}; configured`,
      config.backends.map(({ name }) => name),
    )
  }
  if (named !== undefined && !names.includes(named)) return wrong(`unknown source ${named}; configured`, names)
  const pairs = backends
    .filter(({ sources }) => named === undefined || sources.includes(named))
    .map(backend => ({
      backend,
      source: config.sources.find(({ name }) => name === (named ?? backend.sources[0]))!,
    }))
  if (pairs.length > 0) return { kind: 'pairs', pairs }
  const others = config.backends.filter(({ sources }) => sources.includes(named!)).map(({ name }) => name)
  return wrong(`backend ${only} does not get source ${named}; backends that get it`, others.length ? others : ['none'])
}

/** What was found in the records of one sample. */
interface Seen {
  readonly findings: readonly Finding[]
  readonly joined: boolean
}

export class Show {
  readonly #config: Config
  readonly #json: boolean
  readonly #out: Sink
  readonly #metadata: Metadata
  readonly #readAt = Date.now()
  /** By source: backends that share one show the same findings. */
  readonly #seen = new Map<string, Seen>()

  constructor(config: Config, json: boolean, out: Sink) {
    this.#config = config
    this.#json = json
    this.#out = out
    this.#metadata = new PodMetadata(config.pod).metadata
  }

  /** Shows what a backend gets of a sample of a source; returns of how many records. */
  async of(entry: BackendConfig, source: SourceConfig, sample: Sample): Promise<number> {
    const { findings, joined } = this.#look(source, sample)
    if (findings.length === 0) return 0
    // What is shown is what the backend reads after decompression.
    const delivery = { ...entry.delivery, compression: 'none' as const, deadLetter: undefined }
    const requests: HttpRequest[] = []
    const transport: Transport = {
      async send(request) {
        requests.push({ ...request, body: Buffer.from(request.body) })
        destination.delivery.stop()
        return { kind: 'failure', code: 'ABORTED', sentBefore: false }
      },
      reload: () => false,
      abort() {},
      async close() {},
    }
    const destination = createDestination(
      this.#config,
      { ...entry, delivery },
      { metadata: () => this.#metadata, log: SILENT, onClosed: () => {}, transport },
    )
    destination.budget.onRelease = () => destination.delivery.released()
    const { slab, chunks } = this.#slabOf(source, sample.path, findings, joined, destination)
    const fates = this.#fatesOf(findings, slab, chunks, entry.name, destination)
    const before = chunks.map(({ outcome }) => Object.keys(outcome.rejected).length)
    this.#heads(entry, source, findings, fates)
    if (slab.frames > 0) await destination.delivery.ship(slab)
    for (const request of requests) this.#request(entry, request)
    if (requests.length > 0) return findings.length
    const refused = chunks.flatMap(({ outcome }, index) => (before[index] === 0 ? Object.keys(outcome.rejected) : []))
    const why = slab.frames === 0 ? 'every record is dropped' : `rejected here: ${[...new Set(refused)].join(', ')}`
    if (!this.#json) this.#out.write(`# ${entry.name}: no request (${why})\n\n`)
    return findings.length
  }

  /** The exit code, and what `--strict` has to say. */
  verdict(strict: boolean, err: Sink): number {
    if (!strict) return EXIT.ok
    let bad = 0
    for (const [source, { findings }] of this.#seen) {
      for (const [index, finding] of findings.entries()) {
        const faults = faultsOf(finding)
        if (faults.length === 0) continue
        bad++
        const { firstLine } = finding.record
        err.write(`strict: record ${index + 1} (line ${firstLine}) of source ${source} ${faults.join(', and ')}\n`)
      }
    }
    return bad > 0 ? EXIT.unexpected : EXIT.ok
  }

  #look(source: SourceConfig, sample: Sample): Seen {
    const known = this.#seen.get(source.name)
    if (known !== undefined) return known
    const plan = this.#config.plans.get(source.name)
    const preview = new Preview({
      origin: originOf(source, sample.path),
      form: textFormOf(source),
      plan,
      readAt: this.#readAt,
    })
    const all = preview.records(sample.read)
    const one = sample.records?.(all)
    const records = sample.records === undefined ? all : one === undefined ? [] : [one]
    const findings = Array.from(records, record => preview.look(record, sample.before?.(record)))
    const seen = { findings, joined: preview.rule !== undefined }
    this.#seen.set(source.name, seen)
    return seen
  }

  /** The records as if they had just been read, and the chunks as they were before any was dropped. */
  #slabOf(
    source: SourceConfig,
    path: string,
    findings: readonly Finding[],
    joined: boolean,
    { kernel, budget, slab: { row } }: Destination,
  ): { slab: Slab; chunks: Chunk[] } {
    const origin = originOf(source, path)
    const owner = { settled: () => {} }
    const common = { owner, origin, readAt: this.#readAt, joined }
    const written = findings.map(({ record, text }): WrittenChunk => {
      const { from, cutFrom, partial, continued } = record
      // What is redacted is so already: nothing else is at hand here.
      return { ...common, lines: [text], fileStart: from, cutFrom, partial, continued }
    })
    const slab = Slab.holding(kernel.memory.buffer, budget, together(written), row)
    invariant(slab !== undefined, 'a new arena has room for what is shown')
    return { slab, chunks: [...slab.chunks] }
  }

  /** What the stage decides about each record. */
  #fatesOf(
    findings: readonly Finding[],
    slab: Slab,
    chunks: readonly Chunk[],
    name: string,
    { kernel, stage, backend }: Destination,
  ): Fate[] {
    const before = chunks.map(({ fileStart, frames }) => ({ fileStart, frames }))
    stage.apply(slab, 0)
    const dropped = new Map<number, string>()
    let next = 0
    for (const [index, { gaps, outcome, unsettled }] of chunks.entries()) {
      const { fileStart, frames } = before[index]!
      const own = findings.slice(next, (next += frames))
      // One frame that is dropped alone has no gap.
      const [only] = Object.keys(outcome.dropped)
      if (gaps === undefined && unsettled === 0 && only !== undefined) dropped.set(own[0]!.record.from, only)
      const { rows, reasons } = gaps ?? { rows: [], reasons: [] }
      let at = 0
      for (const { record } of own) {
        const place = record.from - fileStart
        while (at < rows.length && rows[at]! + rows[at + 1]! <= place) at += 4
        if (at < rows.length && rows[at]! <= place) dropped.set(record.from, reasons[rows[at + 3]!]!)
      }
    }
    const repeated = new Map<number, number>()
    for (const chunk of slab.row > 0 ? slab.chunks : []) {
      for (let frame = chunk.firstFrame; frame < chunk.firstFrame + chunk.frames; frame++) {
        repeated.set(slab.offsetOf(chunk, frame), kernel.repeatedAt(slab.rowOf(frame)))
      }
    }
    return findings.map(({ record: { from }, time }) => {
      const reason = dropped.get(from)
      const retimed = reason === undefined ? this.#retimed(time, backend, name) : undefined
      return { dropped: reason, repeated: repeated.get(from) ?? 1, retimed }
    })
  }

  /** The time that a record gets from a backend which does not take its own. */
  #retimed(time: Finding['time'], { limits: { age } }: Backend, backend: string): Retimed | undefined {
    if (time.kind !== 'found' || age === undefined) return undefined
    const readAt = BigInt(this.#readAt) * NANOS
    const { oldest, newest } = ownTimes(readAt, age)
    if (time.value >= oldest && time.value <= newest) return undefined
    const old = time.value < oldest
    return {
      backend,
      readAt,
      fault: old ? 'old' : 'ahead',
      most: Number((old ? readAt - oldest : newest - readAt) / NANOS),
    }
  }

  #heads({ name }: BackendConfig, source: SourceConfig, findings: readonly Finding[], fates: readonly Fate[]): void {
    if (this.#json) {
      for (const [index, finding] of findings.entries()) {
        const head = asJson(finding, index + 1, fates[index]!)
        this.#out.write(`${JSON.stringify({ backend: name, source: source.name, ...head })}\n`)
      }
      return
    }
    const heads = findings.map((finding, index) => inWords(finding, index + 1, fates[index]!))
    this.#out.write(
      `# ${name}: ${counted(findings.length, 'record')} of source ${source.name}\n${heads.join('\n')}\n\n`,
    )
  }

  #request(entry: BackendConfig, request: HttpRequest): void {
    if (!this.#json) {
      this.#out.write(`${described(entry, request)}\n`)
      return
    }
    const { name, endpoint } = entry
    const { head, body } = request
    const target = endpoint === undefined ? null : `${head.method} ${endpoint.origin}${head.path}`
    const text = isUtf8(body) ? { body: body.toString('utf8') } : { base64: body.toString('base64') }
    const headers = endpoint === undefined ? {} : headersOf(request)
    this.#out.write(`${JSON.stringify({ backend: name, request: target, headers, ...text })}\n`)
  }
}

function originOf({ name, labels }: SourceConfig, path: string): Origin {
  return { source: name, path, generation: GENERATION, labels }
}

/** Records that follow each other, and of which no one is special, in one chunk. */
function together(all: readonly WrittenChunk[]): WrittenChunk[] {
  const chunks: WrittenChunk[] = []
  let end = -1
  let plain = false
  for (const each of all) {
    const special = each.cutFrom > 0 || each.partial || each.continued === true
    const last = chunks.at(-1)
    if (plain && !special && last !== undefined && each.fileStart === end) {
      chunks[chunks.length - 1] = { ...last, lines: [...last.lines, ...each.lines] }
    } else chunks.push(each)
    plain = !special
    end = each.fileStart + each.lines[0]!.length + 1
  }
  return chunks
}

function headersOf({ head, contentType }: HttpRequest): Record<string, string> {
  return { 'content-type': contentType, ...head.headers } as Record<string, string>
}

function described({ name, endpoint, delivery }: BackendConfig, request: HttpRequest): string {
  const { head, body } = request
  if (endpoint === undefined) return `# ${name}: standard output\n${body.toString('utf8')}`
  const headers = Object.entries(headersOf(request))
  const own = Object.keys(delivery.headers ?? {})
  if (delivery.auth !== undefined || own.length > 0) headers.push(['(credentials and own headers)', 'not shown'])
  const text = isUtf8(body) ? body.toString('utf8') : `(${body.length} bytes, base64) ${body.toString('base64')}`
  const said = headers.map(([field, value]) => `${field}: ${value}`).join('\n')
  return `# ${name}: ${head.method} ${endpoint.origin}${head.path}\n${said}\n\n${text}`
}
