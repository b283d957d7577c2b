/**
 * The registry: every kind of destination by the name a configuration calls it.
 *
 * A backend is one file beside this one plus one line here. The configuration composes `schema`, which holds only the
 * backend's own options; what all backends share (batch, retry, auth, tls …) is delivery's.
 */
import { clickhouseSchema, createClickhouse } from './clickhouse.ts'
import { createHttp, httpSchema } from './http.ts'
import { createLoki, lokiSchema } from './loki.ts'
import { createStdout, stdoutSchema } from './stdout.ts'
import { createVictorialogs, victorialogsSchema } from './victorialogs.ts'

/** `transport` says how payloads leave: `stream` for our own standard output, `http` for exchanges with an endpoint. */
export const BACKENDS = {
  stdout: { schema: stdoutSchema, create: createStdout, transport: 'stream' },
  http: { schema: httpSchema, create: createHttp, transport: 'http' },
  loki: { schema: lokiSchema, create: createLoki, transport: 'http' },
  victorialogs: { schema: victorialogsSchema, create: createVictorialogs, transport: 'http' },
  clickhouse: { schema: clickhouseSchema, create: createClickhouse, transport: 'http' },
} as const

export type BackendType = keyof typeof BACKENDS
