/**
 * The registry: every kind of destination by the name a configuration calls it.
 *
 * A backend is one file beside this one plus one line here. The configuration composes `schema`, which holds only the
 * backend's own options; what all backends share (batch, retry, auth, tls …) is delivery's.
 */
import { createHttp, httpSchema } from './http.ts'
import { createOtlp, otlpSchema } from './otlp.ts'
import { createStdout, stdoutSchema } from './stdout.ts'

/** `transport` says how payloads leave: `stream` for our own standard output, `http` for exchanges with an endpoint. */
export const BACKENDS = {
  stdout: { schema: stdoutSchema, create: createStdout, transport: 'stream' },
  http: { schema: httpSchema, create: createHttp, transport: 'http' },
  otlp: { schema: otlpSchema, create: createOtlp, transport: 'http' },
} as const

export type BackendType = keyof typeof BACKENDS
