/**
 * What is known of a file beyond a cursor: how far there is no line end, and where it ends in NULs.
 *
 *      read            zeros.from     reach                          zeros.to = scanned
 *       │ unfinished line  │ just written │ NUL NUL NUL NUL NUL NUL NUL  │ not seen yet
 *
 * NULs at the end of a file are room that was set aside (preallocated, or mapped into memory), not data: what is written
 * there comes without growth, and through a mapping without a new modification time. So the place where the data ended is
 * looked at, and the NULs behind it are not looked through again for each change.
 *
 * Guarantees: `due` is never beyond something that was not looked at since it was seen to change there; knowledge is only
 * ever about the bytes as they were when they were read, and where it is needed exactly (`stale`) they are read once more.
 */

export interface Stretch {
  readonly from: number
  readonly to: number
}

import { QUANTUM } from '../../chunk.ts'

/** Reads up to `bytes.length` bytes of the file; returns how many there were. */
export type Peek = (bytes: Buffer, position: number) => number

/** A line that is shorter than this is read anew when the file has changed in place. */
export const SHORT = QUANTUM
/** Bytes that are looked at where data ended: a record may begin with a NUL or two. */
const GLANCE = 64
/** The first step from known data towards its end; each further one is twice as long. */
const STEP = 4096
const glance = Buffer.alloc(GLANCE)

export class Ahead {
  #read: number
  #scanned: number
  #zeros: Stretch
  #reach: number
  /** Where looking once more through what was looked through goes on; undefined if that is not due. */
  #again: number | undefined
  /** And it is due once more after that. */
  #redo = false
  /** Something has changed in place since all of it was looked through. */
  stale = false
  /** There are NULs in what has just been written up to here, and since when: a write may be seen half done. */
  torn: { readonly to: number; readonly since: number } | undefined
  /** The lines from the cursor on are a record of which more may come: nothing was taken of it. */
  open = false
  /** When that was seen first: milliseconds of the monotonic clock. */
  openSince: number | undefined

  constructor(read: number) {
    this.#read = read
    this.#scanned = read
    this.#zeros = { from: read, to: read }
    this.#reach = read
  }

  /** Where the cursor stands. */
  get read(): number {
    return this.#read
  }

  /** No line end was seen before this offset. */
  get scanned(): number {
    return this.#scanned
  }

  /** NULs when they were last looked at, up to where something else was seen, or nothing. */
  get zeros(): Stretch {
    return this.#zeros
  }

  /** Up to here something has been written into those NULs since. */
  get reach(): number {
    return this.#reach
  }

  /** Something has been written where there were NULs. */
  get written(): boolean {
    return this.#reach > this.#zeros.from
  }

  /** Looking once more begins or goes on here. */
  get again(): number | undefined {
    return this.#again
  }

  /** What lies before this offset needs no look. */
  get due(): number {
    return Math.min(this.written ? this.#zeros.from : this.#scanned, this.#again ?? this.#scanned)
  }

  /** Everything from the cursor to `offset` was NULs. */
  allZeros(offset: number): boolean {
    const { from, to } = this.#zeros
    return offset === this.#read || (from <= this.#read && offset <= to && !this.written)
  }

  /** Where the data of a file of this size ends, as far as is known here. */
  extent(size: number): number {
    const { from, to } = this.#zeros
    return from < to && to >= size ? Math.min(size, this.#reach) : size
  }

  /** The cursor stands at `read` now. */
  moved(read: number): void {
    if (read !== this.#read) {
      this.open = false
      this.openSince = undefined
    }
    this.#read = read
    this.#scanned = Math.max(read, this.#scanned)
    this.#zeros = { from: Math.max(read, this.#zeros.from), to: Math.max(read, this.#zeros.to) }
    this.#reach = Math.max(this.#reach, this.#zeros.from)
    if (this.torn !== undefined && this.torn.to <= read) this.torn = undefined
    if (this.#again !== undefined) this.#pass(Math.max(read, this.#again))
  }

  /** Nothing is known any more. */
  restart(read = this.#read): void {
    this.#read = read
    this.#scanned = read
    this.#zeros = { from: read, to: read }
    this.#reach = read
    this.#again = undefined
    this.#redo = false
    this.stale = false
    this.torn = undefined
    this.open = false
  }

  /** The file has become smaller. */
  cut(size: number): void {
    const at = Math.max(this.#read, size)
    this.open = false
    this.#scanned = Math.min(this.#scanned, at)
    this.#zeros = { from: Math.min(this.#zeros.from, at), to: Math.min(this.#zeros.to, at) }
    this.#reach = Math.min(this.#reach, at)
    if (this.#again !== undefined) this.#pass(this.#again)
  }

  /**
   * The file was written to and did not grow. `explained`: something was found where its data had ended. Otherwise an
   * unfinished line may have got its end in place, or something stands amid the NULs.
   */
  changed(explained: boolean): void {
    if (this.#scanned === this.#read) return
    this.stale = true
    if (explained || this.written) return
    if (this.#scanned - this.#read < SHORT) this.restart()
    else if (this.#again === undefined) this.#again = this.#read
    else this.#redo = true
  }

  /** [from, to) holds no line end; `tail`: its NULs at the end begin there. Nothing between `due` and `from` was left out. */
  looked(from: number, to: number, tail: number): void {
    const { from: zeros, to: end } = this.#zeros
    if (to >= zeros || zeros === end) {
      const known = zeros <= to && to < end
      const joins = tail === from && zeros < from && from <= end && !this.written
      const further = known && this.#reach > to
      const begin = joins ? zeros : further && tail === from ? to : tail
      if (!further) {
        // What is written up to the end of what was read may go on behind that.
        this.#reach = known && tail === to && to > zeros ? to + 1 : begin
      }
      this.#zeros = { from: begin, to: known ? end : Math.max(begin, to) }
    }
    this.#scanned = Math.max(this.#scanned, to, this.#zeros.to)
    if (this.#again !== undefined && from <= this.#again) this.#pass(Math.max(to, this.#again))
  }

  /**
   * Looks where the data ended, and follows what has been written there to its end by a few glances. Returns whether
   * there is more than was known.
   */
  probe(peek: Peek): boolean {
    const { from, to } = this.#zeros
    if (from === to || this.#reach >= to || !isWritten(peek, this.#reach, to)) return false
    let data = this.#reach
    let step = STEP
    while (data + step < to && isWritten(peek, data + step, to)) {
      data += step
      step *= 2
    }
    let end = Math.min(to, data + step)
    while (end - data > GLANCE) {
      const middle = data + Math.floor((end - data) / 2)
      if (isWritten(peek, middle, to)) data = middle
      else end = middle
    }
    this.#reach = Math.min(to, Math.max(end, this.#reach + 1))
    return true
  }

  /** What another cursor that stands at the same place has found out. */
  adopt(other: Ahead): void {
    if (other.#read !== this.#read || other.#scanned <= this.#scanned || this.#again !== undefined) return
    this.#scanned = other.#scanned
    this.#zeros = other.#zeros
    this.#reach = other.#reach
    this.stale ||= other.stale
  }

  #pass(position: number): void {
    this.#again = position < this.#scanned ? position : undefined
    if (this.#again !== undefined) return
    if (this.#redo) {
      this.#redo = false
      if (this.#read < this.#scanned) this.#again = this.#read
    }
  }
}

function isWritten(peek: Peek, position: number, to: number): boolean {
  const bytes = glance.subarray(0, Math.min(GLANCE, to - position))
  const got = peek(bytes, position)
  for (let at = 0; at < got; at++) if (bytes[at] !== 0) return true
  return false
}
