/**
 * The registry: every kind of backend by the name a configuration calls it.
 *
 * A backend is one file beside this one plus one entry here. The configuration composes `schema`, which holds only the
 * backend's own options; what all backends share (batch, retry, auth, tls …) is delivery's.
 */
import type { Environment } from '../environment.ts'
import { azureMonitorSchema, createAzureMonitor } from './azure_monitor.ts'
import type { Backend, BackendContext } from './backend.ts'
import { clickhouseSchema, createClickhouse } from './clickhouse.ts'
import { cloudwatchEndpoint, cloudwatchSchema, createCloudwatch } from './cloudwatch.ts'
import { createDatadog, datadogEndpoint, datadogSchema } from './datadog.ts'
import { createElasticsearch, elasticsearchSchema } from './elasticsearch.ts'
import { createFirehose, firehoseEndpoint, firehoseSchema } from './firehose.ts'
import {
  createGoogleCloudLogging,
  googleCloudLoggingEndpoint,
  googleCloudLoggingSchema,
} from './google_cloud_logging.ts'
import { createHttp, httpSchema } from './http.ts'
import { createLoki, lokiSchema } from './loki.ts'
import { createNewrelic, newrelicEndpoint, newrelicSchema } from './newrelic.ts'
import { createOtlp, otlpSchema } from './otlp.ts'
import { createS3, s3Endpoint, s3Schema } from './s3.ts'
import { createSplunkHec, splunkHecSchema } from './splunk_hec.ts'
import { createStdout, stdoutSchema } from './stdout.ts'
import { createVictorialogs, victorialogsSchema } from './victorialogs.ts'

export const BACKENDS = {
  stdout: { schema: stdoutSchema, create: createStdout, transport: 'stream' },
  http: {
    schema: httpSchema,
    create: createHttp,
    transport: 'http',
    rejectReasons: ['http_400', 'http_409', 'http_422', 'http_451'],
  },
  loki: {
    schema: lokiSchema,
    create: createLoki,
    transport: 'http',
    rejectReasons: ['line_too_long', 'out_of_order', 'unreadable_request'],
  },
  victorialogs: {
    schema: victorialogsSchema,
    create: createVictorialogs,
    transport: 'http',
    rejectReasons: ['unreadable_line'],
  },
  clickhouse: {
    schema: clickhouseSchema,
    create: createClickhouse,
    transport: 'http',
    rejectReasons: [
      'cannot_parse_input_assertion_failed',
      'cannot_parse_number',
      'cannot_parse_text',
      'logical_error',
      'violated_constraint',
    ],
  },
  elasticsearch: {
    schema: elasticsearchSchema,
    create: createElasticsearch,
    transport: 'http',
    // Answers speak of every record.
    preset: { maxRecords: 2000 },
    credential: { key: 'apiKey', header: 'Authorization', prefix: 'ApiKey ' },
    rejectReasons: ['document_parsing_exception', 'fail_processor_exception', 'http_500', 'mapper_parsing_exception'],
  },
  splunk_hec: {
    schema: splunkHecSchema,
    create: createSplunkHec,
    transport: 'http',
    credential: { key: 'token', header: 'Authorization', prefix: 'Splunk ' },
    rejectReasons: ['event_blank', 'invalid_data_format', 'no_data'],
  },
  datadog: {
    schema: datadogSchema,
    create: createDatadog,
    transport: 'http',
    preset: { maxRecords: 1000 },
    credential: { key: 'apiKey', header: 'DD-API-KEY' },
    rejectReasons: ['http_400'],
    endpoint: datadogEndpoint,
  },
  newrelic: {
    schema: newrelicSchema,
    create: createNewrelic,
    transport: 'http',
    preset: { maxBytes: '900KiB' },
    credential: { key: 'apiKey', header: 'Api-Key' },
    rejectReasons: ['http_400'],
    endpoint: newrelicEndpoint,
  },
  cloudwatch: {
    schema: cloudwatchSchema,
    create: createCloudwatch,
    transport: 'http',
    aws: 'logs',
    // The API does not speak of compression.
    preset: { compression: 'none' },
    rejectReasons: ['expired', 'invalid_parameter', 'too_new', 'too_old'],
    endpoint: cloudwatchEndpoint,
  },
  firehose: {
    schema: firehoseSchema,
    create: createFirehose,
    transport: 'http',
    aws: 'firehose',
    // The API does not speak of compression. Records are charged for in steps of 5 KB.
    preset: { compression: 'none', maxBytes: '4MiB', maxRecords: 500 },
    endpoint: firehoseEndpoint,
  },
  s3: {
    schema: s3Schema,
    create: createS3,
    transport: 'http',
    aws: 's3',
    // An object is charged for when it is made, and read as a whole.
    preset: { maxBytes: '4MiB', maxRecords: 100_000, interval: '1m' },
    endpoint: s3Endpoint,
  },
  otlp: { schema: otlpSchema, create: createOtlp, transport: 'http', rejectReasons: ['http_400', 'partial_success'] },
  google_cloud_logging: {
    schema: googleCloudLoggingSchema,
    create: createGoogleCloudLogging,
    transport: 'http',
    // Answers speak of every record that is refused.
    preset: { maxRecords: 2000 },
    rejectReasons: ['invalid_argument', 'out_of_range'],
    endpoint: googleCloudLoggingEndpoint,
    google: ['https://www.googleapis.com/auth/logging.write'],
  },
  azure_monitor: {
    schema: azureMonitorSchema,
    create: createAzureMonitor,
    transport: 'http',
    preset: { maxBytes: '1000KiB' },
    azure: true,
    rejectReasons: ['unreadable_call'],
  },
} as const

export type BackendType = keyof typeof BACKENDS

/** A backend of a type, from the type's own options as its schema yields them. */
export function createBackend(type: string, own: unknown, context: BackendContext): Backend {
  const create = BACKENDS[type as BackendType].create as (own: unknown, context: BackendContext) => Backend
  return create(own, context)
}

/** What an entry of the registry may say besides its schema and its maker. */
export interface Entry {
  /** How payloads leave: `stream` for our own standard output, `http` for exchanges with an endpoint. */
  readonly transport: 'stream' | 'http'
  /** Defaults of this type that are not those of all. `maxBytes` as a configuration writes it. */
  readonly preset?: {
    readonly compression?: 'none' | 'gzip' | 'zstd'
    readonly maxBytes?: string
    readonly maxRecords?: number
    readonly interval?: string
  }
  /** The key of this type that holds its credential, and the header that it goes into behind `prefix`. */
  readonly credential?: { readonly key: string; readonly header: string; readonly prefix?: string }
  /**
   * Reasons that records are known to be refused for: those of the answers in docs/answers.md. They are counted from 0,
   * so that a first refusal is an increase.
   */
  readonly rejectReasons?: readonly string[]
  /** Where requests go when the configuration names no endpoint, from the type's own options. */
  readonly endpoint?: (own: never, env: Environment) => string | undefined
  /** The service of AWS that it is: requests are signed for it with the pod's identity, unless `auth` says otherwise. */
  readonly aws?: string
  /** Of Google Cloud: requests show an access token of the pod's identity, with these scopes, unless `auth` says otherwise. */
  readonly google?: readonly string[]
  /** Of Azure: the same. */
  readonly azure?: true
}

export function entryOf(type: BackendType): Entry {
  return BACKENDS[type]
}

/** The reasons that a backend is known to refuse records for; `own` are its own options. */
export function rejectReasonsOf(type: BackendType, own: unknown): readonly string[] {
  const { bisect = [], rejected = [] } =
    (own as { statuses?: Partial<Record<string, readonly unknown[]>> }).statuses ?? {}
  // Classes (`4xx`) are no reasons: which of their statuses come is not known.
  const configured = [...bisect, ...rejected].filter(status => /^\d{3}$/.test(String(status)))
  return [...new Set([...(entryOf(type).rejectReasons ?? []), ...configured.map(status => `http_${status}`)])]
}
