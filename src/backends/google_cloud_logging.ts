/**
 * Google Cloud Logging (`entries:write`, API v2): a request names the log and the resource, each entry all else.
 *
 *     {"logName":"projects/p/logs/app","resource":{…},"partialSuccess":true,"entries":[
 *       {"timestamp":"…","severity":"ERROR","insertId":"…-│offset│","trace":"…","labels":{…},"jsonPayload":{"message":"│frame│", fields …}},…]}
 *
 * Guarantees: an entry is never larger than Cloud Logging takes, nor older than its bucket keeps: it would be accepted and
 * stored nowhere. Each has an id of its own that stays the same, so that what is sent twice with the same time is shown
 * once. The valid entries of a request are written whatever else is in it, and the answer is judged entry by entry.
 */
import * as z from 'zod/mini'
import type { Chunk } from '../chunk.ts'
import { duration } from '../duration.ts'
import type { Has, Segment } from '../kernel/template.ts'
import type { Metadata } from '../metadata.ts'
import type { Backend, BackendContext } from './backend.ts'
import { endpointSchema, endpointUrl } from './endpoint.ts'
import { FLAGS, firstOf, flagTexts, idPrefix, isoTime, joined, literal, offset, quoted } from './fields.ts'
import { fit } from './fit.ts'
import { jsonArray } from './format.ts'
import { fieldsIn, foundNames, levelIn, marksIn, message, timeOf } from './found.ts'
import { judgeWrite } from './google_cloud_logging_answer.ts'

const ENDPOINT = 'https://logging.googleapis.com'
const PATH = '/v2/entries:write'

const text = z.string().check(z.minLength(1, { error: 'a text that is not empty' }))

export const googleCloudLoggingSchema = z.object({
  endpoint: z
    .optional(endpointSchema)
    .check(z.describe('Where requests go; /v2/entries:write is added. Default: logging.googleapis.com.')),
  project: z.string().check(
    z.regex(/^(?:[a-z0-9][a-z0-9.-]*:)?[a-z0-9][a-z0-9-]{3,62}$/, {
      error: 'the id or number of a project, such as my-project',
    }),
    z.describe('Project that the log belongs to.'),
  ),
  log: z
    ._default(
      z
        .string()
        .check(z.regex(/^[A-Za-z0-9/_.-]{1,511}$/, { error: '1 to 511 letters, digits and the signs / _ - .' })),
      'app',
    )
    .check(z.describe('Id of the log: entries are found under projects/PROJECT/logs/LOG.')),
  cluster: z
    .optional(
      z.strictObject({
        name: text.check(z.describe('Name of the cluster.')),
        location: text.check(z.describe('Its region or zone, such as europe-west1.')),
      }),
    )
    .check(
      z.describe('The cluster that entries come from: their resource is then the container (k8s_container), by pod.'),
    ),
  resource: z
    .optional(
      z.strictObject({
        type: z
          .string()
          .check(
            z.regex(/^[a-z0-9_./]+$/, { error: 'a type of resource, such as generic_task' }),
            z.describe('Type of the monitored resource.'),
          ),
        labels: z._default(z.record(z.string(), z.string()), {}).check(z.describe('Its labels.')),
      }),
    )
    .check(z.describe('The monitored resource, if it is no container of a cluster. Default: global.')),
  labels: z
    ._default(z.record(z.string(), z.string()), {})
    .check(z.describe('Labels of every entry, besides its metadata and the labels of the source.')),
  maxAge: z
    .prefault(duration({ min: 3_600_000, max: 3650 * 24 * 3_600_000 }), '696h')
    .check(
      z.describe('Lines that are older get the present time: the log’s bucket does not store what it would not keep.'),
    ),
})

export type GoogleCloudLoggingOptions = z.infer<typeof googleCloudLoggingSchema>

/**
 * "Quotas and limits": a request has 10 MB at the most and an entry about 256 KiB, by what it takes inside and not as JSON:
 * some are left for the name of the log, the resource, and for what Protocol Buffers take beyond JSON.
 */
const PAYLOAD = 10_000_000
const ENTRY = 240 * 1024
const FIELDS = { count: 1000, bytes: 128 * 1024 }
/** 64 labels, names of 512 bytes; some are left for the record's own. What is longer is cut there without a word. */
const LABELS = { count: 60, bytes: 32 * 1024, valueBytes: 4096 }
const LABEL_NAME = 512
/** Answers speak of every entry that was refused. */
const ANSWER = 3 * 1024 * 1024

export function googleCloudLoggingEndpoint(): string {
  return ENDPOINT
}

interface Resource {
  readonly type: string
  readonly labels: Readonly<Record<string, string>>
}

export function createGoogleCloudLogging(options: GoogleCloudLoggingOptions, context: BackendContext): Backend {
  const { project, log, maxAge } = options
  const url = endpointUrl(options.endpoint ?? ENDPOINT, PATH)
  const path = url.pathname + url.search
  // What the Downward API says of the pod itself does not change while it runs.
  const resource = resourceOf(options, context.metadata())
  const head = { logName: `projects/${project}/logs/${encodeURIComponent(log)}`, resource, partialSuccess: true }
  return {
    type: 'google_cloud_logging',
    // Entries are routed and stored behind the API.
    ackLevel: 'accepted',
    format: jsonArray({ open: `${JSON.stringify(head).slice(0, -1)},"entries":[`, close: ']}' }),
    limits: { payloadBytes: PAYLOAD, records: Number.MAX_SAFE_INTEGER, recordBytes: ENTRY, age: maxAge },
    answerBytes: ANSWER,
    segments: chunk => entry(chunk, options, resource, context.metadata()),
    request: () => ({ method: 'POST', path, headers: {} }),
    judge: (answer, batch) => judgeWrite(answer, batch, project),
  }
}

/** The narrowest resource whose labels are all known ("Monitored resource types"). */
function resourceOf({ project, cluster, resource }: GoogleCloudLoggingOptions, metadata: Metadata): Resource {
  if (resource !== undefined) return resource
  if (cluster === undefined) return { type: 'global', labels: { project_id: project } }
  const { namespace, pod, container } = metadata
  const labels = { project_id: project, location: cluster.location, cluster_name: cluster.name }
  if (namespace === undefined || pod === undefined) return { type: 'k8s_cluster', labels }
  const inPod = { ...labels, namespace_name: namespace, pod_name: pod }
  if (container === undefined) return { type: 'k8s_pod', labels: inPod }
  return { type: 'k8s_container', labels: { ...inPod, container_name: container } }
}

/** Of a line that is no more than a line the payload is its text. */
function entry(chunk: Chunk, options: GoogleCloudLoggingOptions, resource: Resource, metadata: Metadata): Segment[] {
  const labels = JSON.stringify(Object.fromEntries(labelsOf(chunk, options, resource, metadata)))
  return joined([
    literal('{"timestamp":"'),
    timeOf(chunk, 'rfc3339', () => literal(isoTime(chunk))),
    literal('"'),
    ...levelIn(chunk, ',"severity":"', 'severity', '"'),
    literal(`,"insertId":"${quoted(idPrefix(chunk, metadata))}`),
    offset(chunk),
    literal('"'),
    ...traceIn(chunk, options.project),
    literal(`,"labels":${labels},`),
    ...(chunk.shape === undefined
      ? [literal('"textPayload":"'), message(chunk), literal('"}')]
      : [
          literal('"jsonPayload":{"message":"'),
          message(chunk),
          literal('"'),
          ...marksIn(chunk),
          ...fieldsIn(chunk, {
            as: 'json',
            ours: ['message', ...foundNames(chunk, 'severity')],
            limits: FIELDS,
          }),
          literal('}}'),
        ]),
  ])
}

/**
 * Trace and span: ids as W3C Trace Context has them, or the path of a trace, as Google's special fields say it. The line's
 * own values stay among its fields.
 */
function traceIn({ shape }: Chunk, project: string): Segment[] {
  const { traceId, spanId } = shape ?? {}
  const one = (name: string, has: Has, slot: number, before = ''): Segment => {
    const value = { kind: 'value', slot, as: 'string' } as const
    return { kind: 'when', has, show: [literal(`,"${name}":"${before}`), value, literal('"')] }
  }
  const trace =
    traceId === undefined
      ? []
      : [
          one('trace', { id: traceId, bytes: 16 }, traceId, `projects/${project}/traces/`),
          one('trace', { otherThanId: traceId }, traceId),
        ]
  return spanId === undefined ? trace : [...trace, one('spanId', { id: spanId, bytes: 8 }, spanId)]
}

/** The names that Google's own agents use. What the resource or the id says already is not said again: it is paid for. */
function labelsOf(
  chunk: Chunk,
  options: GoogleCloudLoggingOptions,
  { type }: Resource,
  metadata: Metadata,
): [name: string, value: string][] {
  const { origin } = chunk
  const { namespace, pod, node, serviceAccount, container, podLabels, podAnnotations } = metadata
  const known = {
    source: origin.source,
    file: origin.path,
    ...(type === 'k8s_container' || type === 'k8s_pod' ? {} : { namespace, pod, container }),
    'compute.googleapis.com/resource_name': node,
    serviceAccount,
  }
  const ofPod = Object.entries(podLabels).map(([name, value]) => [`k8s-pod/${name.replaceAll('.', '_')}`, value])
  const all = firstOf(known, options.labels, origin.labels, Object.fromEntries(ofPod), podAnnotations)
  const flags = flagTexts(chunk)
  const others = all.filter(([name]) => !FLAGS.has(name) && name !== '' && Buffer.byteLength(name) <= LABEL_NAME)
  return [...fit(others, LABELS), ...flags]
}
