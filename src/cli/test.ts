/**
 * `logshipper test`: what would be sent. Lines from standard input become records, of which it is shown what becomes of
 * them, and then the request that each backend would get, to the byte but for compression. Nothing is sent.
 *
 *     stdin ─► records ─┬─► preview: what was found, redacted and dropped (process/preview)
 *                       └─► slab ─► stage ─► delivery ─► a transport that shows the request and ends
 *
 * Guarantees: no file but the configuration's is read, no connection is opened; credentials are not shown, for they are
 * put in by the real transport; what is redacted is shown nowhere.
 */
import type { Config } from '../config/config.ts'
import { textFormOf } from '../tail/options.ts'
import { EXIT } from './exit.ts'
import type { Streams } from './output.ts'
import { choose, type Sample, Show } from './show.ts'

/** Bytes of standard input that are looked at: enough to see how records look. */
const MOST = 64 * 1024

export interface TestRequest {
  readonly backend: string | undefined
  readonly source: string | undefined
  readonly json: boolean
  readonly strict: boolean
}

/** Resolves to the exit code: 2 if there is no such backend or source, or no line; 1 for what `strict` refuses. */
export async function test(
  config: Config,
  request: TestRequest,
  input: AsyncIterable<Buffer>,
  { out, err }: Streams,
): Promise<number> {
  const chosen = choose(config, request)
  if (chosen.kind === 'wrong') {
    err.write(`logshipper: ${chosen.message}\n`)
    return EXIT.configuration
  }
  const all = await read(input)
  if (all.length === 0) {
    err.write('logshipper: test takes lines from standard input, and there was none\n')
    return EXIT.configuration
  }
  const show = new Show(config, request.json, out)
  for (const { backend, source } of chosen.pairs) {
    const { unit, end } = textFormOf(source)
    const lines = whole(all, unit, end, source.encoding === 'utf-16be')
    const sample: Sample = {
      path: source.paths[0]!,
      read: (position, bytes) => lines.subarray(position, position + bytes),
      records: undefined,
    }
    await show.of(backend, source, sample)
  }
  if (all.length > MOST) {
    const { source } = chosen.pairs[0]!
    const { unit, end } = textFormOf(source)
    const { length } = whole(all, unit, end, source.encoding === 'utf-16be')
    err.write(`only the first ${length} bytes of standard input were used\n`)
  }
  return show.verdict(request.strict, err)
}

async function read(input: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of input) {
    parts.push(part)
    size += part.length
    if (size > MOST) break
  }
  return Buffer.concat(parts)
}

/** Whole lines, up to the most that is looked at; the last one may have no line end. */
function whole(all: Buffer, unit: 1 | 2, end: number, bigEndian: boolean): Buffer {
  const lineEnd = unit === 1 ? Buffer.of(end) : bigEndian ? Buffer.of(0, end) : Buffer.of(end, 0)
  const some = all.subarray(0, MOST)
  let at = some.lastIndexOf(lineEnd)
  while (at > 0 && at % unit !== 0) at = some.lastIndexOf(lineEnd, at - 1)
  const behind = at < 0 ? 0 : at + unit
  if (all.length > MOST && behind > 0) return some.subarray(0, behind)
  return behind === some.length ? some : Buffer.concat([some, lineEnd])
}
