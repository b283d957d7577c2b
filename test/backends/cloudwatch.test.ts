/** CloudWatch Logs: what becomes of lines, of times that are out of order, of a stream and a group that are missing. */
import t, { type Test } from 'tap'
import type { Answer } from '../../src/backends/backend.ts'
import { AUTH, awsError, awsSays, REGION } from '../conformance/aws.ts'
import { subject } from '../conformance/cloudwatch.ts'
import { Arena, numbered, READ_AT, type Received, Receiver, rig, transportTo } from '../delivery/rig.ts'
import { finding } from './found.ts'
import { configured, created, HOSTILE, lay, METADATA, ship } from './rig.ts'

interface Sent {
  readonly logGroupName: string
  readonly logStreamName: string
  readonly logEvents: { readonly timestamp: number; readonly message: string }[]
}

const sent = ({ body }: Received): Sent => JSON.parse(body) as Sent
const action = ({ headers }: Received): string => String(headers['x-amz-target']).replace(/.*\./, '')

t.test('every message is the line, to the letter, metrics in it too', async t => {
  const laid = await lay(t, subject)
  const metric = '{"_aws":{"Timestamp":1767323045678,"CloudWatchMetrics":[{"Namespace":"shop"}]},"orders":3}'
  const lines = [...HOSTILE, [metric, metric] as const, [' ', ' '] as const]
  await ship(laid, { lines: lines.map(([line]) => line) })
  t.same(
    laid.decoded().map(({ message }) => message),
    lines.map(([, message]) => message),
  )
})

t.test('a mebibyte and ten thousand events at most go at once', async t => {
  const large = await lay(t, subject)
  await ship(large, { lines: numbered(3000).map(line => line.padEnd(1000)) })
  t.ok(large.receiver.received.length >= 3)
  t.equal(large.arena.outcome.delivered.lines, 3000)
  const many = await lay(t, subject, { batch: { maxRecords: 100_000 } })
  await ship(many, { lines: numbered(12_000) })
  t.equal(many.receiver.received.length, 2)
  const long = await lay(t, subject, { batch: { maxBytes: '2MiB' } })
  await ship(long, { lines: ['x'.repeat(1_500_000), 'short'] })
  t.ok(long.decoded()[0]!.truncated)
  t.equal(long.arena.outcome.delivered.lines, 2)
})

/** Lines with these times of their own, in milliseconds from when they were read. */
async function timed(t: Test, ...times: readonly number[]): Promise<number[][]> {
  const receiver = new Receiver((request, response) => {
    subject.decode({ ...request, body: Buffer.from(request.body) })
    response.end('{}')
  })
  const { origin } = await receiver.listen()
  t.teardown(() => receiver.close())
  const config = await configured(t, subject.config(origin))
  const transport = transportTo(config.endpoint!, { auth: config.delivery.auth })
  t.teardown(() => transport.close())
  const arena = new Arena(16 << 20, 0, finding({ parse: 'json', timed: true }))
  const options = { batch: config.delivery.batch }
  const { delivery } = rig(
    new URL(origin),
    {},
    options,
    { backend: created(config), transport, wall: () => READ_AT },
    arena,
  )
  const lines = times.map(time => JSON.stringify({ time: new Date(READ_AT + time).toISOString() }))
  await delivery.ship(arena.slab({ lines }))
  t.equal(arena.outcome.delivered.lines, times.length)
  return receiver.received.map(request => sent(request).logEvents.map(({ timestamp }) => timestamp - READ_AT))
}

t.test('lines of several threads go in one request, none later than it was by more than a second', async t => {
  t.same(await timed(t, -900, -950, -890, -1800, -890, -100), [[-900, -900, -890, -890, -890, -100]])
})

t.test('what lies farther back begins another request', async t => {
  t.same(await timed(t, -1000, -5000, -4000, -600), [[-1000], [-5000, -4000, -600]])
})

t.test('a request spans a day at most', async t => {
  const hour = 3_600_000
  t.same(await timed(t, -30 * hour, -29 * hour, -2 * hour, -1 * hour), [
    [-30 * hour, -29 * hour],
    [-2 * hour, -1 * hour],
  ])
})

t.test('an event that is older than CloudWatch takes is sent with the time of reading', async t => {
  const day = 24 * 3_600_000
  t.same(await timed(t, -13 * day, -20), [[0, 0]])
})

/** A server that knows nothing at first, and what was asked of it. */
async function empty(t: Test, own: object, deny: (action: string) => Answer | undefined = () => undefined) {
  const [groups, streams, asked] = [new Set<string>(), new Set<string>(), [] as string[]]
  const answered = (request: Received): Answer => {
    const denied = deny(action(request))
    if (denied) return denied
    const { logGroupName: group, logStreamName: stream } = sent(request)
    const missing = (what: string) =>
      awsError(400, 'ResourceNotFoundException', `The specified log ${what} does not exist.`)
    switch (action(request)) {
      case 'CreateLogGroup':
        groups.add(group)
        return { status: 200, headers: {}, body: '' }
      case 'CreateLogStream':
        if (!groups.has(group)) return missing('group')
        streams.add(`${group} ${stream}`)
        return { status: 200, headers: {}, body: '' }
      case 'PutRetentionPolicy':
        return { status: 200, headers: {}, body: '' }
      default:
        if (!groups.has(group)) return missing('group')
        return streams.has(`${group} ${stream}`) ? awsSays({}) : missing('stream')
    }
  }
  const receiver = new Receiver((request, response) => {
    asked.push(action(request))
    const { status, headers, body } = answered(request)
    response.writeHead(status, headers).end(body)
  })
  const { origin } = await receiver.listen()
  t.teardown(() => receiver.close())
  const config = await configured(t, { ...subject.config(origin), stream: '{namespace}/{pod}', ...own })
  const transport = transportTo(config.endpoint!, { auth: config.delivery.auth })
  t.teardown(() => transport.close())
  const laid = rig(new URL(origin), {}, {}, { backend: created(config), transport })
  const shipped = laid.delivery.ship(laid.arena.slab({ lines: ['one'] }))
  t.teardown(() => laid.delivery.stop())
  return { ...laid, groups, streams, asked, receiver, shipped }
}

t.test('a missing group and a missing stream are made within the attempt, if that is asked for', async t => {
  const { shipped, asked, streams, arena, delivery } = await empty(t, { create: 'group', retentionDays: 14 })
  await shipped
  t.same(asked, ['PutLogEvents', 'CreateLogGroup', 'PutRetentionPolicy', 'CreateLogStream', 'PutLogEvents'])
  t.same([...streams], [`/eks/shop ${METADATA.namespace}/${METADATA.pod}`])
  t.equal(arena.outcome.delivered.lines, 1)
  t.equal([...delivery.stats.requests].length, 1, 'one attempt')
})

t.test('a stream is made unasked, and a group is not: it is waited for', async t => {
  const { shipped, asked, groups, listener } = await empty(t, {})
  while (!listener.said.some(({ fields }) => fields['event'] === 'backend_misconfigured')) {
    await new Promise(setImmediate)
  }
  t.notOk(asked.includes('CreateLogGroup'))
  t.notOk(asked.includes('CreateLogStream'))
  groups.add('/eks/shop')
  await shipped
  t.same(asked.slice(-3), ['PutLogEvents', 'CreateLogStream', 'PutLogEvents'])
})

t.test('who may not make it hears what to grant, and nothing is lost', async t => {
  let denied = true
  const message =
    'User: x is not authorized to perform: logs:CreateLogStream on resource: arn:aws:logs:a:1:log-group:/eks/shop'
  const deny = (what: string) =>
    denied && what === 'CreateLogStream' ? awsError(400, 'AccessDeniedException', message) : undefined
  const { shipped, groups, listener, arena, delivery } = await empty(t, {}, deny)
  groups.add('/eks/shop')
  while (delivery.health.kind === 'up') await new Promise(setImmediate)
  denied = false
  await shipped
  t.equal(arena.outcome.delivered.lines, 1)
  t.ok(listener.said.some(({ fields }) => fields['event'] === 'credentials_refused'))
})

t.test('an answer about what is made condemns no record', async t => {
  let wrong = true
  const deny = (what: string) =>
    wrong && what === 'CreateLogGroup'
      ? awsError(400, 'InvalidParameterException', 'of a log event it says nothing')
      : undefined
  const { shipped, delivery, arena } = await empty(t, { create: 'group' }, deny)
  while (delivery.health.kind === 'up') await new Promise(setImmediate)
  wrong = false
  await shipped
  t.same(arena.outcome, { delivered: { lines: 1, bytes: 4 }, rejected: {}, dropped: {} })
})

t.test('the region says where requests go, and what they are signed for', async t => {
  const entry = async (own: object) => configured(t, { type: 'cloudwatch', group: '/app', ...own })
  const there = await entry({ region: REGION })
  t.equal(there.endpoint?.href, 'https://logs.eu-central-1.amazonaws.com/')
  t.match(there.delivery.auth, { aws: { region: REGION, service: 'logs' } })
  const vpc = await entry({ endpoint: 'https://vpce-0a1b-x.logs.eu-west-1.vpce.amazonaws.com' })
  t.match(vpc.delivery.auth, { aws: { region: 'eu-west-1', service: 'logs' } })
  const china = await entry({ region: 'cn-north-1', auth: AUTH })
  t.equal(china.endpoint?.href, 'https://logs.cn-north-1.amazonaws.com.cn/')
  await t.rejects(entry({ region: 'frankfurt' }), { message: /found "frankfurt"; allowed: a region such as/ })
  await t.rejects(entry({}), { message: /neither the endpoint nor AWS_REGION names one/ })
  await t.rejects(entry({ region: REGION, stream: 'a:b' }), { message: /without : and \*/ })
  await t.rejects(entry({ region: REGION, group: '{namespce}' }), { message: /\{namespace\}/ })
})
