/**
 * The redactor of one source in one pipeline: writes over what its rules find, in the slab, before anything else sees it.
 *
 * A private key of several lines is several records, so it is remembered for each file whether one is open. Where the
 * chunk before is not at hand, or ended in the middle of a line, what stands before it in the file is a context: it is
 * laid in front of the chunk for the time of the call, looked at, and not written.
 *
 * Guarantees: no byte of the slab is changed but what a rule matches, and what could be the rest of one; a second call
 * changes nothing; nothing is kept but a number for each file in which a key is open.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Chunk, ChunkOwner, Slab } from '../../chunk.ts'
import { codeOf, ShipperError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { LAYOUT } from '../../kernel/module.ts'
import { KEY_BYTES, type RedactPlan } from './compile.ts'
import { LOOK_BACK } from './context.ts'

/** What one rule did: how often it matched, and how often it had to mask without knowing whether it does. */
export interface RedactCount {
  readonly rule: string
  redacted: number
  gaveUp: number
}

/** Counts of the kernel are 32 bits wide: they are taken over after so many chunks. */
const DRAIN = 1024

export class Redactor {
  readonly #kernel: Kernel
  readonly #plan: RedactPlan
  readonly #table: number
  /** What its own expressions go by, and room for what they find; 0: there are none. */
  readonly #own: { readonly own: number; readonly room: number }
  /** Files in which a private key is open: bytes that it may still have. */
  readonly #open = new WeakMap<ChunkOwner, number>()
  readonly #counts: RedactCount[]
  #chunks = 0

  /**
   * `room`: address of the room that the plan asks for. `before`: counts that go on. Throws `ERR_START` if the key of a
   * hash cannot be read.
   */
  constructor(kernel: Kernel, plan: RedactPlan, room: number, before: readonly RedactCount[] = []) {
    this.#kernel = kernel
    this.#plan = plan
    this.#table = kernel.lay(plan.table)
    this.#own = { own: plan.own === 0 ? 0 : this.#table + plan.own, room }
    this.#counts = plan.rules.map(rule => ({
      ...(before.find(each => each.rule === rule) ?? { rule, redacted: 0, gaveUp: 0 }),
    }))
    if (plan.key) keyOf(plan.key).copy(kernel.bytes, this.#table + LAYOUT.REDACT_HASH_KEY)
  }

  /** Redacts a chunk that was just read, or that was kept. */
  redact(slab: Slab, chunk: Chunk): void {
    const { owner, firstFrame, frames, cutFrom, partial, before, fileStart } = chunk
    const how = cutFrom > 0 ? LAYOUT.REDACT_CUT : partial ? LAYOUT.REDACT_PARTIAL : LAYOUT.REDACT_WHOLE
    const table = this.#table
    const context = before !== undefined && before.length > 0 ? before : undefined
    let open = context ? this.#first(slab, chunk, context, how) : (this.#open.get(owner) ?? 0)
    const first = context ? firstFrame + 1 : firstFrame
    const count = firstFrame + frames - first
    if (count > 0) {
      const from = slab.startOf(chunk, first)
      const ends = slab.ends + 4 * first
      const head = fileStart === 0 && !context
      open = this.#kernel.redact({ table, from, ends, count, wall: from, how, open, head, ...this.#own })
    }
    if (open > 0) this.#open.set(owner, open)
    else this.#open.delete(owner)
    if (++this.#chunks % DRAIN === 0) this.#drain()
  }

  /** The first frame of a chunk, with what stands before it. Returns what is open behind it. */
  #first(slab: Slab, { start, firstFrame }: Chunk, before: Buffer, how: number): number {
    const { bytes } = this.#kernel
    const context = before.subarray(-LOOK_BACK)
    const from = start - context.length
    const table = this.#table
    // What lies in front of the chunk may be tables, this one of ends too: it is all back before anything else is done.
    const ends = table + LAYOUT.REDACT_END
    bytes.writeUInt32LE(slab.endOf(firstFrame), ends)
    const saved = Buffer.from(bytes.subarray(from, start))
    context.copy(bytes, from)
    try {
      return this.#kernel.redact({ table, from, ends, count: 1, wall: start, how, open: 0, head: false, ...this.#own })
    } finally {
      saved.copy(bytes, from)
    }
  }

  /** What was done so far, by rule. */
  get counts(): readonly RedactCount[] {
    this.#drain()
    return this.#counts
  }

  #drain(): void {
    const { bytes } = this.#kernel
    let at = this.#table + this.#plan.counts
    for (const count of this.#counts) {
      count.redacted += bytes.readUInt32LE(at)
      count.gaveUp += bytes.readUInt32LE(at + 4)
      bytes.fill(0, at, (at += LAYOUT.REDACT_COUNT))
    }
  }
}

/** The key of a hash, made of what was given. Throws `ERR_START` if that cannot be read or is too short. */
function keyOf(place: NonNullable<RedactPlan['key']>): Buffer {
  const where = 'file' in place ? place.file : `$${place.env}`
  const refuse = (found: string, cause?: unknown): never => {
    const message = `redact.key: ${where} ${found}; allowed: at least ${KEY_BYTES} bytes`
    throw new ShipperError('ERR_START', message, { cause })
  }
  let given: Buffer
  try {
    given = 'file' in place ? readFileSync(place.file) : Buffer.from(process.env[place.env] ?? '')
  } catch (error) {
    return refuse(`cannot be read (${codeOf(error)})`, error)
  }
  const text = given.at(-1) === 10 ? given.subarray(0, given.at(-2) === 13 ? -2 : -1) : given
  if (text.length < KEY_BYTES) refuse(`has ${text.length} bytes`)
  return createHash('sha256').update(text).digest().subarray(0, KEY_BYTES)
}
