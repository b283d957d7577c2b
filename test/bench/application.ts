/** An application that logs: some lines a second, each written for itself and stamped with when that was. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { block, jsonBlock } from './corpus.ts'
import { STAMP, STAMP_LENGTH, stamp } from './stamp.ts'

/** Access lines, or objects of JSON. */
export const KINDS = ['text', 'json'] as const
export type Kind = (typeof KINDS)[number]

/** Single lines that are written into silence, and how long that is: milliseconds. */
const SINGLE = 5
const SILENCE = 2500

/** Lines with room for a stamp in each; an object has it as a value. */
function linesOf(kind: Kind): Buffer[] {
  const room = `${STAMP}${'0'.repeat(STAMP_LENGTH - 1)}`
  const lines = (kind === 'text' ? block(64 * 1024, true) : jsonBlock(64 * 1024)).toString().trimEnd().split('\n')
  return lines.map(line => Buffer.from(`${kind === 'text' ? line : line.replace('{', `{"stamp":"${room}",`)}\n`))
}

/** Writes one line after the other at a rate, until it is stopped; where a timer is late several at once. */
export class Application {
  readonly #file: number
  readonly #lines: readonly Buffer[]
  readonly #rate: number
  readonly #began = performance.now()
  readonly #timer: NodeJS.Timeout | undefined
  #written = 0

  constructor(path: string, rate: number, kind: Kind) {
    this.#file = openSync(path, 'a')
    this.#lines = linesOf(kind)
    this.#rate = rate
    this.#timer = rate === 0 ? undefined : setInterval(() => this.#write(), Math.max(1, 1000 / rate / 2))
    if (rate === 0) this.#append()
  }

  #write(): void {
    const due = ((performance.now() - this.#began) / 1000) * this.#rate
    while (this.#written < due) this.#append()
  }

  #append(): void {
    const line = this.#lines[this.#written++ % this.#lines.length]!
    line.write(stamp(), line.indexOf(STAMP) + 1, 'latin1')
    writeSync(this.#file, line)
  }

  /** Single lines, each after a silence. */
  async single(): Promise<void> {
    for (let n = 0; n < SINGLE; n++) {
      await sleep(SILENCE)
      this.#append()
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    closeSync(this.#file)
  }
}
