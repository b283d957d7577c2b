/** Loki: pushes as "Loki HTTP API" has them, and the answers of its distributor and ingesters (3.x). */
import assert from 'node:assert/strict'
import type { Answer, Verdict } from '../../src/backends/backend.ts'
import type { Case, Decoded, Request, Subject } from './subject.ts'

const STREAM = '{container="web", namespace="shop", source="app"}'

const text = (status: number, body: string, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
  body,
})

/** `reason`: retried until the configuration is corrected. */
function mended(name: string, status: number, body: string, reason: string): Case {
  return {
    name,
    answer: text(status, body),
    verdict: { kind: 'retry', reason, ...(body === '' ? {} : { detail: body }), misconfigured: true },
  }
}

function told(name: string, status: number, body: string, verdict: Verdict): Case {
  const detail = body === '' || verdict.kind === 'split' ? {} : { detail: body }
  return { name, answer: text(status, body), verdict: { ...verdict, ...detail } as Verdict }
}

const ignored = (reason: string, lines: number, of: number): string =>
  `entry with timestamp 2026-01-02 03:04:05.678 +0000 UTC ignored, reason: '${reason}',\nuser 'fake', total ignored: ${lines} out of ${of} for stream: ${STREAM}`

const cases: readonly Case[] = [
  { name: 'stored', answer: { status: 204, headers: {}, body: '' }, verdict: { kind: 'delivered' } },
  {
    name: 'a login page',
    answer: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
    verdict: { kind: 'retry', reason: 'unexpected_html', misconfigured: true },
  },
  mended(
    'ingestion is blocked',
    260,
    "ingestion blocked for user 'fake' until '2026-02-01T00:00:00Z' with status code '260'",
    'ingestion_blocked',
  ),
  mended(
    'ingestion is blocked, with a status of the operator’s choice',
    456,
    "ingestion blocked for user 'fake' (policy: 'low') until '2026-02-01T00:00:00Z' with status code '456'",
    'ingestion_blocked',
  ),
  told(
    'a line is too long, the others are stored',
    400,
    `max entry size '262144' bytes exceeded for stream '${STREAM}' while adding an entry with length '300000' bytes`,
    { kind: 'bisect', reason: 'line_too_long' },
  ),
  told('old Loki: a line is behind its stream, the others are stored', 400, ignored('entry out of order', 3, 10), {
    kind: 'counted',
    rejected: 3,
    reason: 'out_of_order',
  }),
  mended(
    'a line is too far behind its stream',
    400,
    ignored(
      'entry too far behind, entry timestamp is: 2026-01-02T03:04:05Z, oldest acceptable timestamp is: 2026-01-02T04:04:05Z',
      1,
      10,
    ),
    'too_far_behind',
  ),
  mended(
    'a line is too old',
    400,
    `7 errors like: entry for stream '${STREAM}' has timestamp too old: 2026-01-02T03:04:05Z, oldest acceptable timestamp is: 2026-01-09T03:04:05Z`,
    'timestamp_too_old',
  ),
  mended(
    'a clock is ahead',
    400,
    `entry for stream '${STREAM}' has timestamp too new: 2026-01-02T03:04:05Z`,
    'timestamp_too_new',
  ),
  mended('too many labels', 400, `entry for stream '${STREAM}' has 16 label names; limit 15`, 'label_limit'),
  mended('a label value is too long', 400, `stream '${STREAM}' has label value too long: 'aaaa'`, 'label_limit'),
  mended(
    'a label that the operator demands is missing',
    400,
    `missing required labels 'team' for user 'fake' for stream '${STREAM}' (policy: '')`,
    'missing_labels',
  ),
  mended(
    'structured metadata is disallowed, or older than Loki 3',
    400,
    `stream '${STREAM}' includes structured metadata, but this feature is disallowed. Please see \`limits_config.allow_structured_metadata\` or contact your Loki administrator to enable it`,
    'structured_metadata_disallowed',
  ),
  mended(
    'structured metadata is too large',
    400,
    `stream '${STREAM}' has structured metadata too large: '70000' bytes, limit: '65536' bytes. Please see \`limits_config.max_structured_metadata_size\` or contact your Loki administrator to increase it`,
    'structured_metadata_limit',
  ),
  mended('a tenant that is none', 400, "tenant ID 'a/b' contains unsupported character '/'\n", 'tenant'),
  mended('an encoding it does not know', 400, 'Content-Encoding "zstd" not supported\n', 'content_encoding'),
  told('JSON it cannot read', 400, 'loghttp.PushRequest.Streams: []loghttp.LogProtoStream: unexpected EOF\n', {
    kind: 'bisect',
    reason: 'unreadable_request',
  }),
  told(
    'JSON it cannot read, and it shows a line that speaks of times',
    400,
    'loghttp.PushRequest.Streams: ReadString: invalid character, error found in #10 byte of ...|imestamp too new|..., bigger context ...|x timestamp too new|...\n',
    { kind: 'bisect', reason: 'unreadable_request' },
  ),
  told(
    'a proxy repeats a line that speaks of a tenant that is blocked',
    502,
    'upstream sent: ingestion blocked for user',
    { kind: 'retry', reason: 'http_502' },
  ),
  mended('a 400 of something in between', 400, 'The plain HTTP request was sent to HTTPS port', 'http_400'),
  told('no tenant', 401, 'no org id\n', { kind: 'unauthorized', reason: 'http_401' }),
  told('a token without the right to write', 403, '', { kind: 'unauthorized', reason: 'http_403' }),
  mended('a wrong path', 404, '404 page not found\n', 'http_404'),
  told('a body that is too large', 413, 'request body too large: 104857601 bytes, limit: 104857600 bytes\n', {
    kind: 'split',
    reason: 'http_413',
  }),
  told(
    'a message between its parts that is too large',
    500,
    'rpc error: code = ResourceExhausted desc = grpc: received message larger than max (5000000 vs. 4194304)\n',
    { kind: 'split', reason: 'grpc_message_size' },
  ),
  told(
    'too much at once',
    429,
    "ingestion rate limit exceeded for user fake (limit: 4194304 bytes/sec) while attempting to ingest '1000' lines totaling '1000000' bytes, reduce log volume or contact your Loki administrator to see if the limit can be increased",
    { kind: 'retry', reason: 'rate_limit' },
  ),
  told(
    'too much for one stream, some of it stored',
    429,
    ignored(
      `Per stream rate limit exceeded (limit: 3MB/sec) while attempting to ingest for stream '${STREAM}' totaling 100B, consider splitting a stream via additional labels or contact your Loki administrator to see if the limit can be increased`,
      2,
      10,
    ),
    { kind: 'retry', reason: 'stream_rate_limit' },
  ),
  told(
    'too many streams',
    429,
    `maximum active stream limit exceeded when trying to create stream ${STREAM}, reduce the number of active streams (reduce labels or reduce label values), or contact your Loki administrator to see if the limit can be increased, user: 'fake'`,
    { kind: 'retry', reason: 'stream_limit' },
  ),
  told('no ingester', 500, 'at least 1 live replicas required, could only find 0\n', {
    kind: 'retry',
    reason: 'http_500',
  }),
  told('its circuit is open', 503, 'circuit breaker open, request denied\n', { kind: 'retry', reason: 'http_503' }),
]

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const BEFORE_2100 = 4_102_444_800_000_000_000n

interface Push {
  readonly streams: readonly {
    readonly stream: Readonly<Record<string, string>>
    readonly values: readonly (readonly [string, string, Readonly<Record<string, string>>?])[]
  }[]
}

const decoder = (metadata: boolean, tenant?: string) =>
  function decode({ method, url, headers, body }: Request): Decoded[] {
    assert.equal(method, 'POST')
    assert.equal(url, '/loki/api/v1/push')
    assert.equal(headers['content-type'], 'application/json')
    assert.equal(headers['x-scope-orgid'], tenant)
    assert.ok([undefined, 'gzip', 'deflate'].includes(headers['content-encoding']), 'an encoding that Loki knows')
    const push = JSON.parse(body.toString()) as Push
    assert.deepEqual(Object.keys(push), ['streams'])
    assert.ok(push.streams.length > 0)
    return push.streams.flatMap(({ stream, values, ...others }) => {
      assert.deepEqual(others, {})
      const labels = Object.entries(stream)
      assert.ok(labels.length >= 1 && labels.length <= 15, 'the number of labels')
      for (const [name, value] of labels) {
        assert.match(name, NAME)
        assert.ok(!name.startsWith('__'), name)
        assert.ok(name.length <= 1024 && Buffer.byteLength(value) <= 2048 && value !== '', name)
      }
      assert.ok(values.length > 0, 'no stream without lines')
      return values.map(([time, line, said = {}, ...more]) => {
        assert.deepEqual(more, [])
        assert.match(time, /^[1-9]\d{18}$/)
        assert.ok(BigInt(time) < BEFORE_2100)
        assert.ok(Buffer.byteLength(line) <= 262_144, 'the longest line')
        assert.ok(metadata || Object.keys(said).length === 0, 'no structured metadata')
        assert.ok(Object.keys(said).length <= 128)
        assert.ok(Object.entries(said).reduce((sum, [name, value]) => sum + name.length + value.length, 0) <= 65_536)
        for (const [name, value] of Object.entries(said)) {
          assert.match(name, NAME)
          assert.equal(typeof value, 'string')
          assert.ok(!(name in stream), `${name} is a label and structured metadata`)
        }
        const mark = metadata ? null : / \[truncated from \d+ bytes\]$/.exec(line)
        return {
          message: mark ? line.slice(0, mark.index) : line,
          time: BigInt(time),
          attributes: { ...stream, ...said },
          truncated: metadata ? said['truncated'] === 'true' : mark !== null,
        }
      })
    })
  }

const common = { type: 'loki', success: () => ({ status: 204, headers: {}, body: '' }), cases }

export const subjects: readonly Subject[] = [
  {
    ...common,
    name: 'loki',
    config: origin => ({ type: 'loki', endpoint: origin, tenant: 'team-a' }),
    decode: decoder(true, 'team-a'),
    poisoned: () => text(400, ignored('entry out of order', 1, 4)),
  },
  {
    ...common,
    name: 'loki (without structured metadata)',
    config: origin => ({
      type: 'loki',
      endpoint: `${origin}/loki/api/v1/push`,
      structuredMetadata: false,
      labels: ['source', 'file', 'namespace', 'pod', 'team'],
    }),
    says: ['source', 'file'],
    decode: decoder(false),
  },
]
