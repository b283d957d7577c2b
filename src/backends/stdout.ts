/**
 * The standard output: what a sidecar that only tails needs, and the default.
 *
 * In the format `text` it prints exactly the bytes that were read, each frame with a line feed behind it: `tail -F`. With a
 * template each line says what else is known of it.
 */
import * as z from 'zod/mini'
import { NO_METADATA } from '../metadata.ts'
import type { Backend, BackendContext } from './backend.ts'
import { NO_LIMITS, perLine } from './format.ts'
import { lineOf, lineSchema, lineTemplate } from './line.ts'
import { jsonRecord } from './record.ts'

export const stdoutSchema = z.object({
  format: z
    ._default(z.enum(['text', 'ndjson']), 'text')
    .check(z.describe('text: the lines as they are. ndjson: one JSON object per line.')),
  line: lineSchema,
})

export type StdoutOptions = z.infer<typeof stdoutSchema>

const NOWHERE = { metadata: () => NO_METADATA }
const RAW = [{ kind: 'raw' }] as const

export function createStdout(
  options: StdoutOptions,
  { metadata }: Pick<BackendContext, 'metadata'> = NOWHERE,
): Backend {
  const json = options.format === 'ndjson'
  const line = options.line === undefined ? undefined : lineTemplate(options.line)!
  return {
    type: 'stdout',
    ackLevel: 'written',
    format: json ? perLine('application/x-ndjson') : perLine('text/plain', line ? 'text' : 'bytes'),
    limits: NO_LIMITS,
    segments: chunk => {
      if (json) return jsonRecord(chunk, false)
      return line ? lineOf(line, chunk, metadata()) : RAW
    },
    request: () => ({ method: 'WRITE', path: '', headers: {} }),
    // The stream answers only when every byte was written; everything else it reports as a failure.
    judge: () => ({ kind: 'delivered' }),
  }
}
