/** Which branches of the program an input has reached that none before had: V8's precise coverage, block by block. */
import { Session } from 'node:inspector/promises'

export class Coverage {
  readonly #session = new Session()
  readonly #covers: readonly string[]
  readonly #reached = new Set<string>()

  private constructor(covers: readonly string[]) {
    this.#covers = covers
  }

  static async start(covers: readonly string[]): Promise<Coverage> {
    const coverage = new Coverage(covers)
    coverage.#session.connect()
    await coverage.#session.post('Profiler.enable')
    await coverage.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
    return coverage
  }

  get size(): number {
    return this.#reached.size
  }

  /** Whether anything was reached since the last call for the first time. */
  async isNew(): Promise<boolean> {
    const before = this.#reached.size
    const { result } = await this.#session.post('Profiler.takePreciseCoverage')
    for (const { scriptId, url, functions } of result) {
      if (!this.#covers.some(part => url.includes(part))) continue
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          // How often, roughly: a loop that turns twice is another thing than one that turns a hundred times.
          if (count > 0)
            this.#reached.add(`${scriptId}:${startOffset}:${endOffset}:${Math.min(4, Math.ceil(Math.log2(count)))}`)
        }
      }
    }
    return this.#reached.size > before
  }

  async stop(): Promise<void> {
    await this.#session.post('Profiler.stopPreciseCoverage')
    this.#session.disconnect()
  }
}
