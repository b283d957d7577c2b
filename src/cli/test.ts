/**
 * `logshipper test`: what would be sent. Lines from standard input become the request that each backend would get, to
 * the byte but for compression, and nothing is sent.
 *
 *     stdin ─► slab ─► delivery ─► a transport that shows the request and ends
 *
 * Guarantees: no file but the configuration's is read, no connection is opened; credentials are not shown, for they are
 * put in by the real transport.
 */
import { isUtf8 } from 'node:buffer'
import { type Origin, Slab } from '../chunk.ts'
import type { BackendConfig, Config } from '../config/config.ts'
import type { HttpRequest, Transport } from '../delivery/transport/transport.ts'
import { createDestination } from '../destination.ts'
import { invariant } from '../errors.ts'
import type { Logger } from '../log.ts'
import { type Metadata, PodMetadata } from '../metadata.ts'
import { EXIT } from './exit.ts'
import type { Sink, Streams } from './output.ts'

/** Bytes of standard input that are looked at: enough to see how records look. */
const MOST = 64 * 1024
const LINE_FEED = 10
const SILENT: Logger = { error() {}, warn() {}, info() {}, debug() {} }

/** Resolves to the exit code: 2 if there is no such backend, or no line. */
export async function test(
  config: Config,
  only: string | undefined,
  input: AsyncIterable<Buffer>,
  { out, err }: Streams,
): Promise<number> {
  const wanted = config.backends.filter(({ name }) => only === undefined || name === only)
  if (wanted.length === 0) {
    const names = config.backends.map(({ name }) => name).join(', ')
    err.write(`logshipper: unknown backend ${only}; configured: ${names}\n`)
    return EXIT.configuration
  }
  const { lines, more } = await read(input)
  if (lines.length === 0) {
    err.write('logshipper: test takes lines from standard input, and there was none\n')
    return EXIT.configuration
  }
  const { metadata } = new PodMetadata(config.pod)
  for (const entry of wanted) await show(config, entry, metadata, lines, out)
  if (more) err.write(`only the first ${lines.length} bytes of standard input were used\n`)
  return EXIT.ok
}

/** Whole lines; the last one may have no line end. */
async function read(input: AsyncIterable<Buffer>): Promise<{ lines: Buffer; more: boolean }> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of input) {
    parts.push(part)
    size += part.length
    if (size > MOST) break
  }
  const all = Buffer.concat(parts)
  if (size <= MOST)
    return {
      lines: all.at(-1) === LINE_FEED || size === 0 ? all : Buffer.concat([all, Buffer.from('\n')]),
      more: false,
    }
  const cut = all.subarray(0, MOST)
  const end = cut.lastIndexOf(LINE_FEED) + 1
  return { lines: end > 0 ? cut.subarray(0, end) : Buffer.concat([cut, Buffer.from('\n')]), more: true }
}

async function show(config: Config, entry: BackendConfig, metadata: Metadata, lines: Buffer, out: Sink): Promise<void> {
  // What is shown is what the backend reads after decompression.
  const delivery = { ...entry.delivery, compression: 'none' as const, deadLetter: undefined }
  const transport: Transport = {
    async send(request) {
      out.write(`${described(entry, request)}\n`)
      destination.delivery.stop()
      return { kind: 'failure', code: 'ABORTED', sentBefore: false }
    },
    reload: () => false,
    abort() {},
    async close() {},
  }
  const destination = createDestination(
    config,
    { ...entry, delivery },
    { metadata: () => metadata, log: SILENT, onClosed: () => {}, transport },
  )
  destination.budget.onRelease = () => destination.delivery.released()
  await destination.delivery.ship(slabOf(config, entry, lines, destination))
}

function described({ name, endpoint, delivery }: BackendConfig, { head, contentType, body }: HttpRequest): string {
  if (endpoint === undefined) return `# ${name}: standard output\n${body.toString('utf8')}`
  const headers = Object.entries({ 'content-type': contentType, ...head.headers })
  const own = Object.keys(delivery.headers ?? {})
  if (delivery.auth !== undefined || own.length > 0) headers.push(['(credentials and own headers)', 'not shown'])
  const text = isUtf8(body) ? body.toString('utf8') : `(${body.length} bytes, base64) ${body.toString('base64')}`
  const said = headers.map(([field, value]) => `${field}: ${value}`).join('\n')
  return `# ${name}: ${head.method} ${endpoint.origin}${head.path}\n${said}\n\n${text}`
}

/** The lines as if they had just been read from the first file that the backend's first source names. */
function slabOf(
  config: Config,
  { sources }: BackendConfig,
  lines: Buffer,
  { kernel, budget, slab: { row }, stage }: ReturnType<typeof createDestination>,
): Slab {
  const source = config.sources.find(({ name }) => name === sources[0])!
  const origin: Origin = {
    source: source.name,
    path: source.paths[0]!,
    generation: '0'.repeat(16),
    labels: source.labels,
  }
  const all: Buffer[] = []
  for (let at = 0, end = 0; at < lines.length; at = end + 1) {
    end = lines.indexOf(LINE_FEED, at)
    all.push(lines.subarray(at, end))
  }
  const owner = { settled: () => {} }
  const chunk = { lines: all, owner, origin, fileStart: 0, readAt: Date.now(), cutFrom: 0, partial: false }
  const slab = Slab.holding(kernel.memory.buffer, budget, [chunk], row)
  invariant(slab !== undefined, 'a new arena has room for what is shown')
  stage.apply(slab, 0)
  return slab
}
