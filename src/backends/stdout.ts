/**
 * The standard output: what a sidecar that only tails needs, and the default.
 *
 * In the format `text` it prints exactly the bytes that were read, each frame with a line feed behind it: `tail -F`.
 */
import * as z from 'zod/mini'
import type { Backend } from './backend.ts'
import { NO_LIMITS, perLine } from './format.ts'
import { jsonRecord } from './record.ts'

export const stdoutSchema = z.object({
  format: z
    ._default(z.enum(['text', 'ndjson']), 'text')
    .check(z.describe('text: the lines as they are. ndjson: one JSON object per line.')),
})

export type StdoutOptions = z.infer<typeof stdoutSchema>

const RAW = [{ kind: 'raw' }] as const

export function createStdout(options: StdoutOptions): Backend {
  const json = options.format === 'ndjson'
  return {
    type: 'stdout',
    ackLevel: 'written',
    format: json ? perLine('application/x-ndjson') : perLine('text/plain', 'bytes'),
    limits: NO_LIMITS,
    segments: chunk => (json ? jsonRecord(chunk, false) : RAW),
    request: () => ({ method: 'WRITE', path: '', headers: {} }),
    // The stream answers only when every byte was written; everything else it reports as a failure.
    judge: () => ({ kind: 'delivered' }),
  }
}
