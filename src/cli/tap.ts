/**
 * `logshipper tap`: records of the running shipper with their verdicts, as they are sent, one a line, until a signal,
 * until so many were printed, or until the reader closes it.
 *
 * Guarantees: what a record holds is shown, and controls no terminal, whatever program answers there; no more is read of
 * the stream than is written, so a slow reader costs no memory here, and the shipper counts what it leaves out.
 */
import { type IncomingMessage, request as open } from 'node:http'
import { codeOf } from '../errors.ts'
import { parseAddress } from '../server/options.ts'
import type { TappedRecord } from '../tap.ts'
import { DEFAULT_ADMIN } from './ask.ts'
import { EXIT } from './exit.ts'
import type { Ended, Sink } from './output.ts'
import { counted, printable } from './table.ts'

export interface TapRequest {
  readonly admin?: string | undefined
  readonly json?: boolean | undefined
  readonly source?: string | undefined
  readonly backend?: string | undefined
  readonly grep?: string | undefined
  /** It ends after so many records; undefined: it does not. */
  readonly count?: number | undefined
}

export interface TapStreams {
  readonly out: Sink & { end(): Promise<Ended> }
  readonly err: Sink
  readonly onInterruption: (listener: () => void) => void
}

/** Milliseconds until the answer must begin, and between two parts of it: the shipper sends something every ten seconds. */
const BEGIN = 5_000
const SILENCE = 60_000
/** Characters of a line, and of what an answer that is no stream says. */
const LONGEST = 64 * 1024
const WORDS = 300

interface Skipped {
  readonly at: string
  readonly skipped: number
  readonly why: 'rate' | 'reader'
}

/** Resolves to the exit code. */
export async function tap(options: TapRequest, { out, err, onInterruption }: TapStreams): Promise<number> {
  const address = options.admin ?? DEFAULT_ADMIN
  const ending = new AbortController()
  const { signal } = ending
  const interrupted = new Promise<'interrupted'>(resolve => {
    signal.addEventListener('abort', () => resolve('interrupted'))
  })
  onInterruption(() => ending.abort())
  const fail = (why: string): number => {
    if (signal.aborted) return EXIT.ok
    err.write(`logshipper: ${why}\n`)
    return EXIT.unexpected
  }
  const asked = await ask(address, options, signal)
  if (asked.kind === 'failed') return fail(asked.why)
  const { response } = asked
  if (!options.json) err.write(`records of ${address} with their verdicts, as they are sent; a signal ends it\n`)
  let left = options.count ?? Number.POSITIVE_INFINITY
  try {
    for await (const text of linesOf(response)) {
      const line = parse(text)
      if (line === undefined) return fail(`${address} is not the admin port of a logshipper`)
      if (options.json) out.write(`${printable(JSON.stringify(line))}\n`)
      else if ('skipped' in line) err.write(`${skippedInWords(line)}\n`)
      else out.write(`${inWords(line)}\n`)
      if (!('skipped' in line)) left--
      const written = await Promise.race([out.end(), interrupted])
      if (written === 'interrupted' || written.kind !== 'written' || left <= 0) return EXIT.ok
    }
    return fail(`${address} ended the stream: the shipper ends, or records may not be shown any more`)
  } catch (error) {
    return fail(`the stream of ${address} broke off (${codeOf(error)}): the shipper has ended, or the connection`)
  } finally {
    response.destroy()
  }
}

type Asked =
  | { readonly kind: 'ok'; readonly response: IncomingMessage }
  | { readonly kind: 'failed'; readonly why: string }

/** Resolves when the answer has begun. Never rejects. */
function ask(address: string, { source, backend, grep }: TapRequest, signal: AbortSignal): Promise<Asked> {
  const parsed = parseAddress(address)
  if (parsed === undefined) return Promise.resolve({ kind: 'failed', why: `${address} is not host:port` })
  const { host, port } = parsed
  const given = { source, backend, text: grep }
  const query = new URLSearchParams(Object.entries(given).filter((pair): pair is [string, string] => !!pair[1]))
  return new Promise(resolve => {
    const headers = { host: `localhost:${port}` }
    const request = open({ host, port, path: `/tap?${query}`, headers, timeout: BEGIN, agent: false, signal })
    request.on('timeout', () => request.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })))
    request.on('error', error => {
      const hint =
        codeOf(error) === 'ECONNREFUSED' ? '; is the shipper running, with server.admin at this address?' : ''
      resolve({ kind: 'failed', why: `cannot connect to ${address} (${codeOf(error)})${hint}` })
    })
    request.on('response', response => {
      request.setTimeout(SILENCE)
      response.setEncoding('utf8')
      const type = response.headers['content-type'] ?? ''
      if (response.statusCode === 200 && type.startsWith('application/x-ndjson')) resolve({ kind: 'ok', response })
      else void words(response).then(said => resolve({ kind: 'failed', why: refusal(address, response, said) }))
    })
    request.end()
  })
}

function refusal(address: string, { statusCode = 0 }: IncomingMessage, said: string): string {
  if (statusCode === 200) return `${address} is not the admin port of a logshipper`
  return `${address} answers ${statusCode}${said === '' ? '' : `: ${said}`}`
}

/** The first line of an answer, as far as it comes. Never rejects. */
async function words(response: IncomingMessage): Promise<string> {
  let said = ''
  try {
    for await (const part of response) {
      said += part
      if (said.length > WORDS || said.includes('\n')) break
    }
  } catch {
    // What there is has to do.
  }
  response.destroy()
  return printable(said.split('\n')[0]!.slice(0, WORDS))
}

/** Without empty ones, which say that the shipper is there. */
async function* linesOf(response: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const part of response) {
    const lines = `${rest}${part}`.split('\n')
    rest = lines.pop()!
    for (const line of lines) if (line !== '') yield line
    // What is not ours may have no end.
    if (rest.length > LONGEST) {
      yield rest
      return
    }
  }
}

function parse(text: string): TappedRecord | Skipped | undefined {
  try {
    const line = JSON.parse(text) as Partial<TappedRecord & Skipped> | null
    if (typeof line?.at !== 'string') return undefined
    const known = typeof line.skipped === 'number' || typeof line.text === 'string'
    return known ? (line as TappedRecord | Skipped) : undefined
  } catch {
    return undefined
  }
}

function inWords({ at, verdict, reason, source, backend, file, offset, text, bytes }: TappedRecord): string {
  const why = reason === null ? '' : ` (${reason})`
  const cut = Buffer.byteLength(text) < bytes - 2 ? `… (${bytes} bytes)` : ''
  return printable(`${at} ${verdict}${why} ${source} → ${backend} ${file}:${offset}: ${text}${cut}`)
}

function skippedInWords({ skipped, why }: Skipped): string {
  const because = why === 'rate' ? 'more than 100 a second of one verdict' : 'not read in time'
  return `${counted(Number(skipped), 'record')} skipped: ${because}`
}
