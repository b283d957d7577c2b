/**
 * The demo's application: it knows nothing of the shipper. It writes numbered lines, and now and then renames its file
 * and begins a new one, as any rotation does.
 */
import { closeSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const PER_TICK = 40
const TICK = 20

const REQUESTS = ['GET /cart', 'POST /checkout', 'GET /items/42', 'PUT /profile', 'GET /search?q=“tea”'] as const

export class Application {
  readonly #path: string
  #file: number
  readonly #timer: NodeJS.Timeout
  #ended = false
  lines = 0
  bytes = 0
  rotations = 0

  constructor(directory: string) {
    this.#path = join(directory, 'app.log')
    this.#file = openSync(this.#path, 'a')
    this.#timer = setInterval(() => this.#write(PER_TICK), TICK)
  }

  rotate(): void {
    this.rotations++
    renameSync(this.#path, `${this.#path}.${this.rotations}`)
    // What is written between the rename and the new file still goes to the old one.
    this.#write(3)
    closeSync(this.#file)
    this.#file = openSync(this.#path, 'a')
  }

  /** Ends in the middle of a line, as applications do. */
  exit(): void {
    this.bytes += writeSync(this.#file, `${this.#number()} and then the application`)
    this.end()
  }

  /** Stops writing. Does nothing the second time. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    clearInterval(this.#timer)
    closeSync(this.#file)
  }

  #write(count: number): void {
    let text = ''
    for (let n = 0; n < count; n++)
      text += `${this.#number()} ${REQUESTS[this.lines % REQUESTS.length]} 200 ${this.lines % 97} ms\n`
    this.bytes += writeSync(this.#file, text)
  }

  #number(): string {
    return String(this.lines++).padStart(8, '0')
  }
}
