/**
 * Datadog's log intake (`/api/v2/logs`): an array of logs with tags.
 *
 *     {"timestamp":1767323045678,"message":"│frame│","ddsource":"app","service":"web","hostname":"node-1","ddtags":"…","file":"…"}
 *
 * Guarantees: nothing leaves that Datadog would cut or refuse without telling: requests and logs are kept within its
 * limits, longer lines are cut here and say so, and a record that waited for longer than Datadog looks back gets the
 * present time. A 202 means that the request was accepted and no more.
 */
import * as z from 'zod/mini'
import type { Chunk } from '../chunk.ts'
import type { Segment } from '../kernel/template.ts'
import type { Metadata } from '../metadata.ts'
import type { Backend, BackendContext } from './backend.ts'
import { endpointSchema, endpointUrl } from './endpoint.ts'
import { epochMilliseconds, FLAGS, firstOf, flags, joined, literal } from './fields.ts'
import { jsonArray } from './format.ts'
import { fieldsIn, foundNames, levelIn, marksIn, message, timeOf } from './found.ts'
import { judge } from './http.ts'

const text = z.string().check(z.minLength(1, { error: 'a text that is not empty' }))

export const datadogSchema = z.object({
  endpoint: z
    .optional(endpointSchema)
    .check(z.describe('Where requests go; /api/v2/logs is added. Default: the intake of the site.')),
  site: z
    ._default(
      z.string().check(z.regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, { error: 'a site, such as datadoghq.eu' })),
      'datadoghq.com',
    )
    .check(z.describe('Site of the account.')),
  source: z
    .optional(text)
    .check(z.describe('What wrote the line, such as nginx: it chooses the pipeline. Default: the name of the source.')),
  service: z
    .optional(text)
    .check(z.describe('Service of each log. Default: the container, or the name of the source.')),
  hostname: z.optional(text).check(z.describe('Host of each log. Default: the node, or the pod.')),
  tags: z
    ._default(z.record(z.string(), z.string()), {})
    .check(z.describe('Tags of every log, besides its metadata and the labels of the source.')),
})

export type DatadogOptions = z.infer<typeof datadogSchema>

/** "Send logs", limits per request. */
const LIMITS = { payloadBytes: 5_000_000, records: 1000, recordBytes: 1_000_000, age: 17 * 3_600_000 }

export function datadogEndpoint({ site }: { readonly site: string }): string {
  return `https://http-intake.logs.${site}`
}

export function createDatadog(options: DatadogOptions, context: BackendContext): Backend {
  const url = endpointUrl(options.endpoint ?? datadogEndpoint(options), '/api/v2/logs')
  const path = url.pathname + url.search
  return {
    type: 'datadog',
    ackLevel: 'accepted',
    format: jsonArray(),
    limits: LIMITS,
    segments: chunk => log(chunk, options, context.metadata()),
    request: () => ({ method: 'POST', path, headers: {} }),
    // Its statuses mean what the general table says; a 400 is about the payload as a whole, and stores nothing.
    judge,
  }
}

function log(chunk: Chunk, options: DatadogOptions, metadata: Metadata): Segment[] {
  const { origin } = chunk
  const rest = {
    ddsource: options.source ?? origin.source,
    service: options.service ?? metadata.container ?? origin.source,
    hostname: options.hostname ?? metadata.node ?? metadata.pod,
    ddtags: tags(chunk, options, metadata),
    file: origin.path,
    ...Object.fromEntries(flags(chunk)),
  }
  return joined([
    literal('{"timestamp":'),
    timeOf(chunk, 'milliseconds', () => literal(String(epochMilliseconds(chunk)))),
    literal(',"message":"'),
    message(chunk),
    literal('"'),
    ...levelIn(chunk, ',"status":"', 'word', '"'),
    ...marksIn(chunk),
    ...fieldsIn(chunk, {
      as: 'json',
      // It takes a host for that of the log, as it does a hostname.
      ours: [...Object.keys(rest), 'timestamp', 'message', 'host', ...FLAGS, ...foundNames(chunk, 'status')],
    }),
    literal(`,${JSON.stringify(rest).slice(1)}`),
  ])
}

/** The names that Datadog's own agent uses. A comma ends a tag, so none may hold one. */
function tags({ origin }: Chunk, options: DatadogOptions, metadata: Metadata): string {
  const { namespace, pod, podUid, node, container, serviceAccount } = metadata
  const known = {
    kube_namespace: namespace,
    pod_name: pod,
    pod_uid: podUid,
    kube_node: node,
    kube_container_name: container,
    kube_service_account: serviceAccount,
  }
  const all = firstOf(options.tags, known, origin.labels, metadata.podLabels, metadata.podAnnotations)
  return all.map(([name, value]) => `${name}:${value}`.replace(/[,\s]+/g, '_')).join(',')
}
