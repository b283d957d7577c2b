/**
 * The demo's view. On a terminal: sentences that stay, and below them a block of rows that is drawn anew in its place.
 * Elsewhere: the same sentences, and the rows as one line a second. A row is never wider than the terminal, because one
 * that wraps could not be drawn over.
 */
import { bytes } from '../table.ts'
import type { Application } from './application.ts'
import type { Receiver } from './receiver.ts'

const ONCE_A_SECOND = 1000
const BAR = 32

export interface Screen {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export class View {
  readonly #screen: Screen
  #rows: readonly string[] = []
  /** How many rows of the block stand on the screen. */
  #drawn = 0
  #shownAt = Number.NEGATIVE_INFINITY

  constructor(screen: Screen) {
    this.#screen = screen
  }

  /** Prints what stays. */
  say(sentence: string): void {
    this.#screen.write(`${this.#erased()}${sentence}\n`)
    this.#draw()
  }

  show(application: Application, receiver: Receiver): void {
    const rows = figures(application, receiver)
    if (this.#screen.isTTY) {
      this.#rows = [gauge(application.lines, receiver.unique), ...rows]
      this.#screen.write(this.#erased())
      this.#draw()
      return
    }
    const now = performance.now()
    if (now - this.#shownAt < ONCE_A_SECOND) return
    this.#shownAt = now
    this.#screen.write(`  ${rows.map(row => row.trim().replaceAll(/\s{2,}/g, ' ')).join(' │ ')}\n`)
  }

  /** The block stays as it is; what follows are sentences only. */
  end(): void {
    this.#rows = []
    this.#drawn = 0
  }

  #erased(): string {
    const rows = this.#drawn
    this.#drawn = 0
    return rows === 0 ? '' : `\r\x1b[${rows}A\x1b[J`
  }

  #draw(): void {
    if (this.#rows.length === 0) return
    const width = Math.max(20, (this.#screen.columns ?? 80) - 1)
    this.#drawn = this.#rows.length
    this.#screen.write(`${this.#rows.map(row => [...row].slice(0, width).join('')).join('\n')}\n`)
  }
}

function figures(application: Application, receiver: Receiver): string[] {
  const { lines, rotations } = application
  const { unique, duplicates, requests, refused } = receiver
  const row = (name: string, ...cells: string[]) =>
    `  ${name.padEnd(12)} ${cells.map(cell => cell.padEnd(24)).join('')}`
  return [
    row('application', `${lines} lines written`, `${bytes(application.bytes)}`, `${rotations} rotations`),
    row('receiver', `${unique} lines received`, `${lines - unique} behind`, `${duplicates} came twice`),
    row('requests', `${requests} made`, `${refused} failed, retried`),
  ].map(text => text.trimEnd())
}

function gauge(written: number, received: number): string {
  const part = written === 0 ? 1 : received / written
  const full = Math.round(BAR * part)
  return `  ${String(Math.floor(100 * part)).padStart(3)} % received  ${'█'.repeat(full)}${'░'.repeat(BAR - full)}`
}
