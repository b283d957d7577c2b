/**
 * Looking ahead: where the line at a cursor ends, or where the NULs before it do, when that is further away than one read.
 *
 * Blocks go through one small buffer and nothing is kept but what `Ahead` notes. A turn is short, so that other files have
 * theirs, and beyond a distance that a line may well have turns come out of the allowance. Where the file is sparse blocks
 * are read past the page cache: a hole is cheap to read so, while through the cache the kernel makes a page of zeros for
 * each page of it.
 *
 * Guarantees: nothing is passed over that was not read; a turn ends after about two milliseconds.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { Ahead } from '../generation/ahead.ts'
import type { Allowance, Purse } from './allowance.ts'
import { dataLength, indexOfUnit, type LineForm, wholeUnits } from './form.ts'

export type Found =
  /** The line ends here. */
  | { readonly kind: 'line end'; readonly at: number }
  /** Everything from the cursor to here is NULs, and this is none. */
  | { readonly kind: 'content'; readonly at: number }
  /** Neither within this turn. */
  | { readonly kind: 'more' }
  /** There is no allowance for a turn: not before so many milliseconds. */
  | { readonly kind: 'rest'; readonly ms: number }
  /** Neither up to the end of the file. */
  | { readonly kind: 'end' }

const BLOCK = 128 * 1024
/** Milliseconds. */
const TURN = 2
/** Up to so far from the cursor no allowance is needed: for lines, however many of them are long. */
const NEAR = 16 * 1024 ** 2
/** Beyond this there are hardly lines: a file whose size means nothing. */
const FAR = 64 * 1024 ** 3
/** What is read past the page cache begins and ends at a multiple of this. */
const ALIGNED = 4096
/** A file that lacks so many bytes of what its size says is sparse. */
const SPARSE = 1024 ** 2
const DIRECT = constants.O_DIRECT as number | undefined

// The memory of a WebAssembly module begins at a page, as reads past the page cache want it.
const block = Buffer.from(new WebAssembly.Memory({ initial: BLOCK / 65536, maximum: BLOCK / 65536 }).buffer)

export interface LookRequest {
  readonly fd: number
  readonly form: LineForm
  readonly ahead: Ahead
  /** Where the file ends, or what has settled begins. */
  readonly end: number
  /** No allowance is needed: the file comes to its end. */
  readonly urgent: boolean
}

export class Lookahead {
  readonly #allowance: Allowance

  constructor(allowance: Allowance) {
    this.#allowance = allowance
  }

  /** One turn of looking through [`ahead.due`, `end`) of an open file. */
  look({ fd, form, ahead, end, urgent }: LookRequest): Found {
    const purse = purseOf(ahead, urgent)
    const ms = purse === undefined ? 0 : this.#allowance.wait(purse)
    if (ms > 0) return { kind: 'rest', ms }
    const began = this.#allowance.now()
    const file = new Blocks(fd, end)
    try {
      for (;;) {
        if (ahead.due >= end) return { kind: 'end' }
        const position = ahead.read + wholeUnits(ahead.due - ahead.read, form)
        const bytes = file.read(position)
        if (position + bytes.length <= ahead.due) return { kind: 'end' }
        const found = note(bytes, position, ahead, form)
        if (found !== undefined) return found
        if (this.#allowance.now() - began >= TURN) return { kind: 'more' }
      }
    } finally {
      file.close()
      if (purse !== undefined) this.#allowance.spend(purse, this.#allowance.now() - began)
    }
  }
}

function purseOf(ahead: Ahead, urgent: boolean): Purse | undefined {
  if (urgent) return undefined
  const distance = ahead.due - ahead.read
  if (ahead.again === ahead.due || distance > FAR) return 'again'
  return distance > NEAR ? 'fresh' : undefined
}

/** Tells `ahead` what stands in a block, up to what ends the search. The block begins with a whole unit. */
function note(bytes: Buffer, position: number, ahead: Ahead, form: LineForm): Found | undefined {
  const data = dataLength(bytes, form)
  const onlyZeros = ahead.allZeros(position)
  if (data > 0 && onlyZeros) {
    let at = 0
    while (bytes[at] === 0) at++
    at = wholeUnits(at, form)
    if (position + at > ahead.read) return { kind: 'content', at: position + at }
  }
  // NULs alone end no line: they are padding, or room that was set aside.
  if (data > 0 || (form.end === 0 && !onlyZeros)) {
    const at = indexOfUnit(bytes, form, form.end)
    if (at >= 0) return { kind: 'line end', at: position + at }
  }
  ahead.looked(position, position + bytes.length, position + data)
  return undefined
}

/** The blocks of one file, for one turn. */
class Blocks {
  readonly #fd: number
  readonly #size: number
  /** Up to here it is read past the page cache. */
  readonly #sparse: number
  #direct: number | undefined

  constructor(fd: number, size: number) {
    this.#fd = fd
    this.#size = size
    const stats = fstatSync(fd)
    const holes = size - 512 * stats.blocks
    // What was written last is not on the disk yet, and reading it past the cache would wait until it is. It lies at the
    // end as a rule.
    this.#sparse = holes >= SPARSE ? holes - SPARSE : 0
  }

  read(position: number): Buffer {
    const want = Math.min(BLOCK - (position % ALIGNED), this.#size - position)
    const direct = position % ALIGNED === 0 && want === BLOCK && position + BLOCK <= this.#sparse
    const got = (direct ? this.#readDirect(position) : undefined) ?? readSync(this.#fd, block, 0, want, position)
    return block.subarray(0, got)
  }

  #readDirect(position: number): number | undefined {
    if (DIRECT === undefined || this.#direct === -1) return undefined
    try {
      this.#direct ??= openSync(`/proc/self/fd/${this.#fd}`, constants.O_RDONLY | DIRECT)
      return readSync(this.#direct, block, 0, BLOCK, position)
    } catch {
      // Not on this file system, not with this many handles, or the file may not be opened any more.
      this.close()
      this.#direct = -1
      return undefined
    }
  }

  close(): void {
    if (this.#direct !== undefined && this.#direct >= 0) closeSync(this.#direct)
    this.#direct = undefined
  }
}
