/**
 * `logshipper replay`: sends the records of the dead-letter files again, with the times of their reading and the ids they
 * had. What is refused once more goes into a new dead-letter file.
 *
 *     main.ndjson ─► main.replaying.ndjson ─► slabs of one chunk per record ─► delivery ─► removed
 *
 * Guarantees: the file is moved away first, so the running shipper goes on with a new one; it is removed only when every
 * record in it has settled, so a replay that is interrupted begins again with it and sends some records twice, under the
 * same ids. A line that is no record ends nothing: it is kept beside, in `main.unreadable.ndjson`.
 */
import { appendFileSync, createReadStream, existsSync, renameSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Chunk, layoutOf, type Origin, Slab, type SlabLayout } from '../chunk.ts'
import type { Config } from '../config/config.ts'
import { type DeadLetter, deadLetterPath } from '../delivery/deadletter.ts'
import { createDestination, type Destination } from '../destination.ts'
import { invariant, ShipperError } from '../errors.ts'
import { sum } from '../ledger.ts'
import type { Logger } from '../log.ts'
import { Surroundings } from '../metadata.ts'
import type { Streams } from './output.ts'
import { EXIT, type Interruption } from './run.ts'

/** Records of one slab, and bytes of their lines. */
const RECORDS = 1000
const BYTES = 512 * 1024

interface Replayed {
  delivered: number
  rejected: number
  unreadable: number
  /** All of the file was dealt with. */
  complete: boolean
}

interface Letter extends Omit<DeadLetter, 'message' | 'messageBase64'> {
  readonly line: Buffer
}

/** Resolves to the exit code: 3 if it was interrupted before the end. */
export async function replay(
  config: Config,
  only: string | undefined,
  log: Logger,
  onInterruption: (listener: (interruption: Interruption) => void) => void,
  { out, err }: Streams,
): Promise<number> {
  const { dir } = config.state
  const wanted = config.backends.filter(({ name }) => only === undefined || name === only)
  if (dir === null || wanted.length === 0) {
    const names = config.backends.map(({ name }) => name).join(', ')
    err.write(
      dir === null
        ? 'logshipper: state.dir is off, so there are no dead letters\n'
        : `logshipper: no backend is called ${only}; there are ${names}\n`,
    )
    return EXIT.configuration
  }
  const surroundings = new Surroundings(config.pod)
  let complete = true
  for (const backend of wanted) {
    const files = filesOf(dir, backend.name)
    if (files.length === 0) {
      out.write(`${backend.name}: no dead letters\n`)
      continue
    }
    const destination = createDestination(config, backend, {
      metadata: () => surroundings.metadata,
      log,
      onClosed: () => {},
    })
    destination.budget.onRelease = () => destination.delivery.room.open()
    onInterruption(() => destination.delivery.stop())
    for (const file of files) {
      const result = await replayFile(file, destination)
      const { delivered, rejected, unreadable } = result
      const more = unreadable > 0 ? `, ${unreadable} lines are no records (kept beside)` : ''
      const end = result.complete ? '' : '; interrupted: the rest is still there'
      out.write(`${backend.name}: ${delivered} delivered, ${rejected} rejected again${more}${end}\n`)
      complete &&= result.complete
      if (!result.complete) break
    }
    await destination.transport.close()
    destination.deadLetters?.close()
  }
  return complete ? EXIT.ok : EXIT.incomplete
}

/** What is to be sent: the leavings of an interrupted replay, and what was rejected since. */
function filesOf(dir: string, backend: string): string[] {
  const path = deadLetterPath(dir, backend)
  return [aside(path, 'replaying'), path].filter(file => existsSync(file))
}

function aside(path: string, what: string): string {
  return path.replace(/(?:\.replaying)?\.ndjson$/, `.${what}.ndjson`)
}

async function replayFile(file: string, destination: Destination): Promise<Replayed> {
  const result: Replayed = { delivered: 0, rejected: 0, unreadable: 0, complete: true }
  const moved = aside(file, 'replaying')
  if (moved !== file) renameSync(file, moved)
  const { slabs } = destination.budget
  let waiting: Letter[] = []
  let bytes = 0
  const flush = async (): Promise<boolean> => {
    const letters = waiting
    const layout = layoutOf(letters.length, bytes)
    waiting = []
    bytes = 0
    return letters.length === 0 || (await ship(letters, layout, destination, result))
  }
  const input = createReadStream(moved)
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const letter = parse(text)
    if (letter === undefined) {
      result.unreadable++
      appendFileSync(aside(file, 'unreadable'), `${text}\n`, { mode: 0o600 })
      continue
    }
    const length = letter.line.length + 1
    const full = bytes + length > BYTES || layoutOf(waiting.length + 1, bytes + length).bytes > slabs
    if (waiting.length >= RECORDS || (waiting.length > 0 && full)) {
      if (!(await flush())) return { ...result, complete: false }
    }
    if (layoutOf(1, length).bytes > slabs) {
      const message = `${moved}: found a record of ${length} bytes; allowed: what fits into memory.budget (raise it)`
      throw new ShipperError('ERR_START', message)
    }
    waiting.push(letter)
    bytes += length
  }
  if (!(await flush())) return { ...result, complete: false }
  rmSync(moved)
  return result
}

/** Sends these in one slab; false if that was interrupted. */
async function ship(
  letters: readonly Letter[],
  layout: SlabLayout,
  { kernel, budget, delivery }: Destination,
  result: Replayed,
): Promise<boolean> {
  const slab = Slab.take(kernel.memory.buffer, budget, layout)
  invariant(slab !== undefined, 'there is one slab at a time')
  const chunks: Chunk[] = []
  const owner = { settled: (chunk: Chunk) => void chunks.push(chunk) }
  for (const { source, file, generation, labels, offset, readAt, cutFrom, partial, line } of letters) {
    const origin: Origin = { source, path: file, generation, labels }
    slab.write([line], { owner, origin, fileStart: offset, readAt, cutFrom, partial })
  }
  const shipped = await delivery.ship(slab)
  for (const { outcome } of chunks) {
    result.delivered += outcome.delivered.lines
    result.rejected += sum(outcome.rejected).lines
  }
  budget.release(slab.extent)
  return shipped.kind === 'settled'
}

/** One line of a dead-letter file, if it is one. */
function parse(text: string): Letter | undefined {
  try {
    const letter = JSON.parse(text) as Partial<DeadLetter>
    const { source, file, generation, offset, labels, readAt, message, messageBase64 } = letter
    const line = message !== undefined ? Buffer.from(message) : Buffer.from(messageBase64!, 'base64')
    const texts = [source, file, generation].every(value => typeof value === 'string')
    const numbers = [offset, readAt].every(value => Number.isSafeInteger(value) && value! >= 0)
    if (!texts || !numbers || typeof labels !== 'object' || labels === null) return undefined
    return { ...(letter as DeadLetter), cutFrom: letter.cutFrom ?? 0, partial: letter.partial ?? false, line }
  } catch {
    return undefined
  }
}
