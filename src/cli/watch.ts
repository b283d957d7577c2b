/**
 * `logshipper status --watch`: the status every two seconds, until a signal or until the reader has gone, which are both
 * a good end. On a terminal each takes the place of the one before, cut to its height; elsewhere they follow each other,
 * with an empty line between them, as JSON one a line.
 *
 * Guarantees: no status is asked for before the one before was taken, so a slow reader costs no memory. A shipper that
 * does not answer is said in the place of its status, and asked again: it may be restarting.
 */
import type { Ended, Sink } from './output.ts'
import { look, type StatusOptions } from './status.ts'

/** Milliseconds from one to the next. */
const EVERY = 2000

export interface Watched {
  readonly out: Sink & { end(): Promise<Ended> }
  /** Undefined where output is no terminal; asked each time, for its size changes. */
  readonly terminal: () => { readonly columns: number; readonly rows: number } | undefined
  readonly onInterruption: (listener: () => void) => void
  /** Resolves after so many milliseconds, or when `signal` is aborted. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>
}

/** Resolves to the exit code. */
export async function watch(options: StatusOptions, watched: Watched): Promise<number> {
  const { out, terminal, onInterruption, pause = sleep } = watched
  const ending = new AbortController()
  const { signal } = ending
  const interrupted = new Promise<undefined>(resolve => signal.addEventListener('abort', () => resolve(undefined)))
  onInterruption(() => ending.abort())
  while (!signal.aborted) {
    const looked = await Promise.race([look(options), interrupted])
    if (looked === undefined) break
    const size = terminal()
    if (options.json)
      out.write(`${looked.kind === 'ok' ? compact(looked.text) : JSON.stringify({ error: looked.why })}\n`)
    else {
      const text = looked.kind === 'ok' ? looked.text : `logshipper: ${looked.why}\n`
      out.write(size === undefined ? `${text}\n` : inPlace(text, size))
    }
    const written = await Promise.race([out.end(), interrupted])
    if (written?.kind !== 'written') break
    await pause(EVERY, signal)
  }
  return 0
}

const compact = (json: string): string => JSON.stringify(JSON.parse(json))

/** From the top left corner, over what stood there, as many lines as fit: the last one is for the prompt. */
function inPlace(text: string, { columns, rows }: { readonly columns: number; readonly rows: number }): string {
  const lines = text.trimEnd().split('\n')
  let room = Math.max(2, rows) - 1
  const fitting = lines.findIndex(line => {
    room -= Math.max(1, Math.ceil([...line].length / Math.max(1, columns)))
    return room < 0
  })
  const shown =
    fitting === -1
      ? lines
      : [...lines.slice(0, Math.max(0, fitting - 1)), `… ${lines.length - Math.max(0, fitting - 1)} more lines`]
  return `\x1b[H${shown.map(line => `${line}\x1b[K\n`).join('')}\x1b[J`
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
