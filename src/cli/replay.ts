/**
 * `logshipper replay`: sends the records of the dead-letter files again, with the times of their reading and the ids they
 * had. What is rejected once more goes into a new dead-letter file.
 *
 *     main.ndjson ─► main.replaying.ndjson ─► slabs of one chunk per record ─► delivery ─► removed
 *
 * Guarantees: the file is moved away first, so the running shipper goes on with a new one; it is removed only when
 * every record in it has settled, and those that were rejected again are kept again, so a replay that is interrupted
 * starts again with it and sends some records twice, under the same ids. A line that is no record stops nothing: it is
 * kept in `main.unreadable.ndjson`. One replay at a time works on a directory: it holds a claim, which ends with its
 * process, however that ends. The exit code says whether anything is left to do.
 *
 * Only what a shipper of our user wrote is sent, or copied: where others could write to the state directory, or a dead-letter
 * file is a link or another user's, that is logged and nothing is done.
 */
import { closeSync, createReadStream, existsSync, renameSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Chunk, layoutOf, Slab } from '../chunk.ts'
import type { BackendConfig, Config } from '../config/config.ts'
import { type DeadLetter, deadLetterName } from '../delivery/outcome/deadletter.ts'
import { createDestination, type Destination } from '../destination.ts'
import { invariant, ShipperError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { PodMetadata } from '../metadata.ts'
import { type PrivateDirectory, Refused } from '../private.ts'
import { StateDirectory } from '../state.ts'
import { claim } from '../tail/state/lock.ts'
import { EXIT } from './exit.ts'
import type { Streams } from './output.ts'
import type { Interruption } from './run.ts'
import { counted } from './table.ts'

/** Records of one slab, and bytes of their lines. */
const RECORDS = 1000
const BYTES = 512 * 1024

/** What came of one backend's files, as `--json` prints it. */
interface Replayed {
  readonly backend: string
  delivered: number
  /** Rejected again and kept again, by reason. */
  readonly rejected: Record<string, number>
  /** Lines that are no records, kept beside. */
  unreadable: number
  /** `interrupted`: the rest is still there. `unkept`: all of it is, for what was rejected again cannot be written. */
  end: 'complete' | 'interrupted' | 'unkept'
}

export interface ReplayRequest {
  /** The only one to replay. */
  readonly backend: string | undefined
  readonly json: boolean
}

interface Letter extends Omit<DeadLetter, 'message' | 'messageBase64'> {
  readonly line: Buffer
}

/**
 * Resolves to the exit code: 0 everything was delivered, or there was nothing; 1 something was rejected again or cannot
 * be read; 2 the configuration, or the state directory, cannot be used; 3 not all of it was dealt with, or another replay
 * is under way.
 */
export async function replay(
  config: Config,
  request: ReplayRequest,
  log: Logger,
  onInterruption: (listener: (interruption: Interruption) => void) => void,
  streams: Streams,
): Promise<number> {
  try {
    return await claimAndReplay(config, request, log, onInterruption, streams)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    streams.err.write(`logshipper: ${error.message}\n`)
    return EXIT.configuration
  }
}

async function claimAndReplay(
  config: Config,
  { backend: only, json }: ReplayRequest,
  log: Logger,
  onInterruption: (listener: (interruption: Interruption) => void) => void,
  { out, err }: Streams,
): Promise<number> {
  const { dir, permissions } = config.state
  const wanted = config.backends.filter(({ name }) => only === undefined || name === only)
  if (dir === null || wanted.length === 0) {
    const names = config.backends.map(({ name }) => name).join(', ')
    err.write(
      dir === null
        ? 'logshipper: state.dir is off, so there are no dead letters\n'
        : `logshipper: unknown backend ${only}; configured: ${names}\n`,
    )
    return EXIT.configuration
  }
  const state = new StateDirectory(dir, log, { mend: false, permissions })
  const letters = existsSync(dir) && state.directory.stat('dead-letter') ? state.sub('dead-letter') : undefined
  const claimed = letters && (await claim({ open: () => letters }))
  if (claimed?.kind === 'held') {
    err.write(`logshipper: ${letters!.path} is being replayed already (${claimed.by}); nothing was done\n`)
    return EXIT.incomplete
  }
  if (claimed?.kind === 'unknown') {
    const { code } = claimed
    log.warn(
      { event: 'replay_unlocked', dir: letters!.path, code },
      'cannot lock the dead-letter directory; not checking for a second replay',
    )
  }
  try {
    return await replayAll(config, wanted, { state, letters }, json, log, onInterruption, out)
  } finally {
    if (claimed?.kind === 'claimed') claimed.claim.release()
    state.close()
  }
}

async function replayAll(
  config: Config,
  wanted: readonly BackendConfig[],
  { state, letters }: { state: StateDirectory; letters: PrivateDirectory | undefined },
  json: boolean,
  log: Logger,
  onInterruption: (listener: (interruption: Interruption) => void) => void,
  out: Streams['out'],
): Promise<number> {
  const pod = new PodMetadata(config.pod)
  const all: Replayed[] = []
  for (const backend of wanted) {
    const files = letters === undefined ? [] : filesOf(letters, backend.name)
    const result: Replayed = { backend: backend.name, delivered: 0, rejected: {}, unreadable: 0, end: 'complete' }
    all.push(result)
    if (letters === undefined || files.length === 0) {
      if (!json) out.write(`${backend.name}: no dead letters\n`)
      continue
    }
    const destination = createDestination(config, keeping(backend), {
      metadata: () => pod.metadata,
      log,
      onClosed: () => {},
      final: true,
      state,
    })
    destination.budget.onRelease = () => destination.delivery.released()
    onInterruption(() => destination.delivery.stop())
    for (const file of files) {
      await replayFile(letters, file, destination, result)
      if (result.end !== 'complete') break
    }
    if (!json) out.write(`${inWords(result)}\n`)
    await destination.transport.close()
    destination.deadLetters?.close()
  }
  if (json) out.write(`${JSON.stringify(all, null, 2)}\n`)
  if (all.some(({ end }) => end !== 'complete')) return EXIT.incomplete
  return all.some(({ rejected, unreadable }) => total(rejected) + unreadable > 0) ? EXIT.unexpected : EXIT.ok
}

/**
 * The backend, keeping what it rejects, however much that is and whether or not it does so while it runs: the records
 * were kept before, and the file they come from is removed.
 */
function keeping(entry: BackendConfig): BackendConfig {
  return { ...entry, delivery: { ...entry.delivery, deadLetter: { maxBytes: Number.POSITIVE_INFINITY } } }
}

function inWords({ backend, delivered, rejected, unreadable, end }: Replayed): string {
  const again = total(rejected)
  const reasons = again > 0 ? ` (${Object.keys(rejected).join(', ')}), kept once more` : ''
  const more = unreadable > 0 ? `, ${counted(unreadable, 'line')} unreadable (kept beside)` : ''
  return `${backend}: ${delivered} delivered, ${again} rejected again${reasons}${more}${ENDS[end]}`
}

const ENDS: Readonly<Record<Replayed['end'], string>> = {
  complete: '',
  interrupted: '; interrupted: the rest is still there',
  unkept: '; what was rejected again cannot be written: the file stays as it was',
}

function total(rejected: Readonly<Record<string, number>>): number {
  return Object.values(rejected).reduce((sum, count) => sum + count, 0)
}

/** What is to be sent: the leavings of an interrupted replay, and what was rejected since. */
function filesOf(letters: PrivateDirectory, backend: string): string[] {
  const name = deadLetterName(backend)
  return [aside(name, 'replaying'), name].filter(file => letters.stat(file) !== undefined)
}

function aside(name: string, what: string): string {
  return name.replace(/(?:\.replaying)?\.ndjson$/, `.${what}.ndjson`)
}

async function replayFile(
  letters: PrivateDirectory,
  file: string,
  destination: Destination,
  result: Replayed,
): Promise<void> {
  const moved = aside(file, 'replaying')
  // Open before it is moved: what is no file of ours stays where it is.
  const { fd } = letters.openFile(file)
  if (moved !== file) renameSync(letters.at(file), letters.at(moved))
  const { slabs } = destination.budget
  const omitted = () => destination.deadLetters?.stats.omitted ?? 0
  const before = omitted()
  let waiting: Letter[] = []
  let bytes = 0
  const flush = async (): Promise<boolean> => {
    const letters = waiting
    waiting = []
    bytes = 0
    if (letters.length > 0 && !(await ship(letters, destination, result))) result.end = 'interrupted'
    else if (omitted() > before) result.end = 'unkept'
    return result.end === 'complete'
  }
  const input = createReadStream('', { fd, start: 0 })
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const letter = parse(text)
    if (letter === undefined) {
      result.unreadable++
      keepUnreadable(letters, aside(file, 'unreadable'), text)
      continue
    }
    const length = letter.line.length + 1
    const full = bytes + length > BYTES || layoutOf(waiting.length + 1, bytes + length).bytes > slabs
    if (waiting.length >= RECORDS || (waiting.length > 0 && full)) {
      if (!(await flush())) return
    }
    if (layoutOf(1, length).bytes > slabs) {
      const message = `${letters.pathOf(moved)}: found a record of ${length} bytes; allowed: what fits into memory.budget (raise it)`
      throw new ShipperError('ERR_START', message)
    }
    waiting.push(letter)
    bytes += length
  }
  if (await flush()) letters.remove(moved)
}

/** In a file of ours, which no other user may read. */
function keepUnreadable(letters: PrivateDirectory, name: string, text: string): void {
  const { fd } = letters.openToAppend(name)
  try {
    writeSync(fd, `${text}\n`)
  } finally {
    closeSync(fd)
  }
}

/** Sends these in one slab; false if that was interrupted. */
async function ship(
  letters: readonly Letter[],
  { kernel, budget, delivery, slab: { row }, stage }: Destination,
  result: Replayed,
): Promise<boolean> {
  const chunks: Chunk[] = []
  const owner = { settled: (chunk: Chunk) => void chunks.push(chunk) }
  const written = letters.map(letter => {
    const { source, file, generation, labels, offset, readAt, cutFrom, partial, joined, continued, line } = letter
    const origin = { source, path: file, generation, labels }
    return {
      lines: [line],
      owner,
      origin,
      fileStart: offset,
      readAt,
      cutFrom,
      partial,
      joined: joined === true,
      continued: continued === true,
    }
  })
  const slab = Slab.holding(kernel.memory.buffer, budget, written, row)
  invariant(slab !== undefined, 'there is one slab at a time')
  stage.revisit(slab)
  const shipped = await delivery.ship(slab)
  for (const { outcome } of chunks) {
    result.delivered += outcome.delivered.lines
    for (const [reason, { lines }] of Object.entries(outcome.rejected)) {
      result.rejected[reason] = (result.rejected[reason] ?? 0) + lines
    }
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
    if (!Object.values(labels).every(value => typeof value === 'string')) return undefined
    return { ...(letter as DeadLetter), cutFrom: letter.cutFrom ?? 0, partial: letter.partial ?? false, line }
  } catch {
    return undefined
  }
}
