/**
 * Standard error, where our own log goes, and which may have no reader any more.
 *
 * Guarantees: nothing here blocks, throws or grows without a bound. A line is written at once if there is room, since
 * the last line before a death counts; otherwise it waits, and beyond a bound it is dropped and counted. Once there is
 * room again the log says how many lines are missing. Lines are whole, and in order.
 */
import { writeSync } from 'node:fs'
import { codeOf } from '../errors.ts'
import type { LogEvent } from '../events.ts'
import { unblocked } from './descriptor.ts'

/** What waits for room at the most: bytes. */
const MOST = 64 * 1024
/** Milliseconds between looks for room. */
const LOOK = 100
/** And at the end, and how long it may take then. */
const LAST_LOOK = 10
const LAST = 300

export class Stderr {
  readonly #fd: number
  /** Lines that wait; the first one may be written in part. */
  #waiting: Buffer[] = []
  #bytes = 0
  #dropped = 0
  #timer: NodeJS.Timeout | undefined

  constructor(fd = 2) {
    this.#fd = unblocked(fd)
  }

  /** `line` ends with a line feed. */
  write(line: string): void {
    const bytes = Buffer.from(line)
    if (this.#waiting.length > 0 && this.#bytes + bytes.length > MOST) {
      this.#dropped++
      return
    }
    this.#waiting.push(bytes)
    this.#bytes += bytes.length
    if (this.#timer === undefined) this.#flush()
  }

  /** Gives what waits a last chance. */
  async end(): Promise<void> {
    clearTimeout(this.#timer)
    const until = performance.now() + LAST
    while (!this.#flush() && performance.now() < until) {
      clearTimeout(this.#timer)
      await new Promise(resolve => setTimeout(resolve, LAST_LOOK))
    }
    clearTimeout(this.#timer)
  }

  /** Writes what there is room for. Returns whether nothing waits any more. */
  #flush(): boolean {
    this.#timer = undefined
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next()) {
        const written = writeSync(this.#fd, next)
        this.#bytes -= written
        if (written === next.length) this.#waiting.shift()
        else this.#waiting[0] = next.subarray(written)
      }
      return true
    } catch (error) {
      if (codeOf(error) === 'EAGAIN') {
        this.#timer = setTimeout(() => this.#flush(), LOOK).unref()
        return false
      }
      // There is no reader, or no room on the disk: a log is not worth ending the process.
      this.#dropped += this.#waiting.length
      this.#waiting = []
      this.#bytes = 0
      return true
    }
  }

  #next(): Buffer | undefined {
    const [first] = this.#waiting
    if (first !== undefined || this.#dropped === 0) return first
    const time = new Date().toISOString()
    const msg = 'standard error was not read in time; lines of this log were dropped'
    const fields = { level: 'warn', time, event: 'log_lines_dropped' satisfies LogEvent, dropped: this.#dropped, msg }
    const line = Buffer.from(`${JSON.stringify(fields)}\n`)
    this.#dropped = 0
    this.#waiting.push(line)
    this.#bytes += line.length
    return line
  }
}
