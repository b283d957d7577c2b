/** The metrics of each backend: how it is, what is asked of it, and the memory of its pipeline. */
import type { BackendHealth, Distribution, PipelineStatus } from '../shipper-view.ts'
import { counter, gauge, histogram, type Sample, type Series, states } from './series.ts'

const BACKEND = ['backend']

/** A value for each backend that has one. */
const pipeline =
  (value: (status: PipelineStatus) => number | undefined): Series['rows'] =>
  ({ pipelines }) =>
    pipelines.flatMap(status => {
      const known = value(status)
      return known === undefined ? [] : [[{ backend: status.backend }, known] as const]
    })

const health =
  (value: (health: BackendHealth) => number | undefined): Series['rows'] =>
  ({ health }) =>
    health.backends.flatMap(each => {
      const known = value(each)
      return known === undefined ? [] : [[{ backend: each.name }, known] as const]
    })

/** What answers mostly mean. */
const EXPECTED: readonly (readonly [status: string, verdict: string])[] = [
  ['2xx', 'delivered'],
  ['4xx', 'unauthorized'],
  ['4xx', 'retry'],
  ['4xx', 'bisect'],
  ['4xx', 'rejected'],
  ['4xx', 'split'],
  ['5xx', 'retry'],
  ['none', 'retry'],
]

const requests: Series['rows'] = ({ pipelines }) =>
  pipelines.flatMap(({ backend, requests }) => {
    const missing = EXPECTED.filter(
      ([status, verdict]) => !requests.some(row => row.status === status && row.verdict === verdict),
    )
    return [
      ...requests.map(({ status, verdict, count }) => [{ backend, status, verdict }, count] as const),
      ...missing.map(([status, verdict]) => [{ backend, status, verdict }, 0] as const),
    ]
  })

/** What requests are mostly retried for. */
const NO_RETRIES: Readonly<Record<string, number>> = Object.fromEntries(
  [
    ...['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'CONNECT_TIMEOUT', 'HEADERS_TIMEOUT', 'BODY_TIMEOUT'],
    ...[401, 403, 404, 408, 429, 500, 502, 503, 504].map(status => `http_${status}`),
    'unconfirmed',
  ].map(reason => [reason, 0]),
)

const STATES: readonly BackendHealth['state'][] = ['up', 'down', 'unauthorized']

const seconds = (iso: string | null): number | undefined => (iso === null ? undefined : Date.parse(iso) / 1000)

const distribution =
  (of: (status: PipelineStatus) => Distribution): Series['rows'] =>
  ({ pipelines }) =>
    pipelines.flatMap((status): Sample[] => {
      const { backend } = status
      const { bounds, counts, sum } = of(status)
      let count = 0
      const buckets = [...bounds.map(String), '+Inf'].map((le, at): Sample => {
        count += counts[at] ?? 0
        return [{ le, backend }, count, '_bucket']
      })
      return [...buckets, [{ backend }, sum, '_sum'], [{ backend }, count, '_count']]
    })

export const BACKENDS: readonly Series[] = [
  gauge(
    'backend_up',
    'Whether the last request to the backend succeeded.',
    BACKEND,
    pipeline(({ up }) => Number(up)),
  ),
  gauge('backend_state', 'State of the backend: 1 for the present one.', [...BACKEND, 'state'], ({ health }) =>
    health.backends.flatMap(({ name, state }) => states('state', STATES, state, { backend: name })),
  ),
  gauge(
    'backend_down_since_timestamp_seconds',
    'When the backend became unavailable; absent while it is up.',
    BACKEND,
    health(({ since }) => seconds(since)),
  ),
  gauge(
    'backend_next_attempt_timestamp_seconds',
    'When the next request to an unavailable backend begins; absent while it is up.',
    BACKEND,
    health(({ nextAttempt }) => seconds(nextAttempt)),
  ),
  gauge(
    'last_delivered_timestamp_seconds',
    'When something was last delivered; absent before.',
    BACKEND,
    health(({ lastDelivered }) => seconds(lastDelivered)),
  ),
  gauge(
    'batches_in_flight',
    'Payloads under way or waiting to be retried.',
    BACKEND,
    pipeline(({ batchesInFlight }) => batchesInFlight),
  ),
  counter('requests_total', 'Requests by class of status and verdict.', [...BACKEND, 'status', 'verdict'], requests),
  counter('retries_total', 'Requests that were retried, by reason.', [...BACKEND, 'reason'], ({ pipelines }) =>
    pipelines.flatMap(({ backend, retries }) =>
      Object.entries({ ...NO_RETRIES, ...retries }).map(([reason, count]) => [{ backend, reason }, count] as const),
    ),
  ),
  histogram(
    'request_duration_seconds',
    'Time from the first byte of a request to the end of its answer.',
    BACKEND,
    distribution(({ durations }) => durations),
  ),
  histogram(
    'request_size_bytes',
    'Bytes of the body of a request as it is sent, each attempt counted.',
    BACKEND,
    distribution(({ sizes }) => sizes),
  ),
  gauge(
    'backend_certificate_not_after_timestamp_seconds',
    'When a certificate ends: of the server (server), its proxy (proxy) and the server of access tokens (token_server) as they showed it in the last TLS handshake, and our own (client); absent where there is none, or none was seen yet.',
    [...BACKEND, 'certificate'],
    ({ pipelines }) =>
      pipelines.flatMap(({ backend, certificates }) =>
        Object.entries(certificates).map(([certificate, at]) => [{ backend, certificate }, seconds(at)!] as const),
      ),
  ),
  gauge(
    'cardinality',
    'Label sets (Loki) or index names (Elasticsearch) that values of records have made within the hour or the day; absent where none are made so.',
    BACKEND,
    pipeline(({ cardinality }) => cardinality ?? undefined),
  ),
  counter(
    'payload_bytes_total',
    'Bytes of delivered payloads before compression.',
    BACKEND,
    pipeline(({ payloadBytes }) => payloadBytes),
  ),
  counter(
    'fields_omitted_records_total',
    'Records sent as their line: the backend does not take all fields that they have.',
    BACKEND,
    pipeline(({ baredRecords }) => baredRecords),
  ),
  counter(
    'time_replaced_records_total',
    'Records sent with the time at which they were read: the backend does not take their own, which is too old or ahead.',
    BACKEND,
    pipeline(({ retimedRecords }) => retimedRecords),
  ),
  counter(
    'wire_bytes_total',
    'Bytes of delivered payloads as sent.',
    BACKEND,
    pipeline(({ wireBytes }) => wireBytes),
  ),
  gauge(
    'budget_bytes',
    'Bytes that may be in flight.',
    BACKEND,
    pipeline(({ budget }) => budget.total),
  ),
  gauge(
    'budget_used_bytes',
    'Bytes of the budget in use.',
    BACKEND,
    pipeline(({ budget }) => budget.used),
  ),
  gauge(
    'budget_peak_bytes',
    'Most bytes of the budget ever in use.',
    BACKEND,
    pipeline(({ budget }) => budget.peak),
  ),
  counter(
    'dead_letter_records_total',
    'Rejected records that were kept for a replay.',
    BACKEND,
    pipeline(({ deadLetters }) => deadLetters?.written),
  ),
  counter(
    'dead_letter_omitted_total',
    'Rejected records that were not kept: no room, or the file cannot be written.',
    BACKEND,
    pipeline(({ deadLetters }) => deadLetters?.omitted),
  ),
  gauge(
    'dead_letter_bytes',
    'Bytes of the dead-letter file.',
    BACKEND,
    pipeline(({ deadLetters }) => deadLetters?.bytes),
  ),
  gauge(
    'dead_letter_limit_bytes',
    'Bytes that the dead-letter file may have (`deadLetter.maxBytes`); a small volume may leave it less.',
    BACKEND,
    pipeline(({ deadLetters }) => deadLetters?.limit),
  ),
]
