/**
 * The watch over the configuration: the file and what it takes in with `${file:…}`.
 *
 * It looks once a second, through the paths, so the `..data` link of a ConfigMap or a projected secret may be swapped
 * under it. What has changed is read when two looks in a row have shown the same: a file that is being written is left
 * alone. Guarantees: what is gone, empty, unreadable or wrong changes nothing but what is said, and is said once; what
 * was refused is retried, for another file may have been at fault.
 */
import { readFileSync, realpathSync } from 'node:fs'
import { untilSecond } from '../clock.ts'
import type { LogLevel } from '../config/config.ts'
import { configurationFile, formatProblem, type Loaded, type LoadRequest, loadConfig } from '../config/load.ts'
import type { Logger } from '../log.ts'
import { signatureOf } from '../signature.ts'
import type { Live } from './live.ts'
import { sayRemarks } from './sources.ts'

/** How many looks until what was refused is retried. */
const AGAIN = 5

export interface ReloadParts {
  readonly request: LoadRequest
  /** What runs. */
  readonly loaded: Extract<Loaded, { kind: 'ok' }>
  readonly live: Live
  readonly log: Logger
  readonly setLevel: (level: LogLevel) => void
}

export class Reload {
  readonly #parts: ReloadParts
  readonly #file: string
  /** A configuration without a file is none, once there was one. */
  #had: boolean
  #files: readonly string[]
  #seen = ''
  #judged = ''
  /** What was wrong with it, as it was said; and the looks since then. */
  #wrong: string | undefined
  #looks = 0
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(parts: ReloadParts) {
    const { request, loaded } = parts
    this.#parts = parts
    this.#file = configurationFile(request)
    this.#had = loaded.file === 'parsed'
    this.#files = loaded.files
  }

  start(): void {
    if (isMountedAlone(this.#file)) {
      this.#parts.log.warn(
        { event: 'config_not_followed', file: this.#file },
        'the configuration file is mounted by subPath and never updated; mount its directory to have changes applied',
      )
    }
    this.#next()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #next(): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => void this.#look().finally(() => this.#next()), untilSecond())
    this.#timer.unref()
  }

  async #look(): Promise<void> {
    const looks = [...new Set([this.#file, ...this.#files])].map(signatureOf).join()
    const settled = looks === this.#seen
    this.#seen = looks
    const again = this.#wrong !== undefined && ++this.#looks % AGAIN === 0
    if (!settled || (looks === this.#judged && !again)) return
    this.#judged = looks
    await this.#judge()
  }

  async #judge(): Promise<void> {
    const { request, live, log, setLevel } = this.#parts
    const loaded = await loadConfig(request)
    if (this.#stopped) return
    this.#files = loaded.files
    if (loaded.kind === 'invalid') return this.#refuse(loaded.problems.map(formatProblem))
    if (this.#had && loaded.file !== 'parsed') {
      const found = loaded.file === 'empty' ? 'an empty file' : 'no such file'
      return this.#refuse([formatProblem({ file: this.#file, key: '', found, allowed: 'a configuration' })])
    }
    const change = await live.apply(loaded.config)
    if (change.kind === 'late') return
    if (change.kind === 'refused') {
      return this.#refuse(change.problems.map(problem => formatProblem({ file: this.#file, ...problem })))
    }
    const { config } = loaded
    this.#had = loaded.file === 'parsed'
    live.accept(change.kind === 'applied')
    if (change.kind === 'applied') {
      setLevel(config.log.level)
      for (const warning of loaded.warnings) log.warn({ event: 'config_warning' }, warning)
      const backends = config.backends.map(({ name }) => name)
      log.info({ event: 'config_applied', sources: config.sources.length, backends }, 'config reloaded')
      sayRemarks(config.sources, log)
    } else if (this.#wrong !== undefined)
      log.info({ event: 'config_valid_again' }, 'the configuration file is valid again')
    this.#wrong = undefined
  }

  #refuse(problems: readonly string[]): void {
    const { live, log } = this.#parts
    const wrong = problems.join('\n')
    if (wrong === this.#wrong) return
    this.#wrong = wrong
    this.#looks = 0
    live.refuse(problems)
    log.error(
      { event: 'config_refused', problems },
      'config reload failed: invalid configuration; keeping the previous one',
    )
  }
}

/** Whether the file itself is a mount: those of `subPath` stay what they were when the container began. */
function isMountedAlone(path: string): boolean {
  try {
    return mountPoints(readFileSync('/proc/self/mountinfo', 'utf8')).includes(realpathSync(path))
  } catch {
    return false
  }
}

/** The fifth field of each line, in which blanks and the like stand as octal numbers (proc(5), /proc/pid/mountinfo). */
export function mountPoints(mountinfo: string): string[] {
  return mountinfo.split('\n').flatMap(line => {
    const point = line.split(' ')[4]
    return point?.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))) ?? []
  })
}
