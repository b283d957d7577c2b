/** Amazon Data Firehose: what records hold, how long one may be, and which of them are sent again. */
import t from 'tap'
import { awsSays, REGION } from '../conformance/aws.ts'
import { subject } from '../conformance/firehose.ts'
import { numbered } from '../delivery/rig.ts'
import { configured, HOSTILE, lay, ship } from './rig.ts'

t.test('every record is what was read, whatever bytes it ends with', async t => {
  const laid = await lay(t, subject)
  const lines = [...HOSTILE, ['a', 'a'], ['ab', 'ab'], ['abc', 'abc'], ['', '']] as const
  await ship(laid, { lines: lines.map(([line]) => line) })
  t.same(
    laid.decoded().map(({ message }) => message),
    lines.map(([, message]) => message),
  )
})

t.test('five hundred records and four mebibytes at most go at once', async t => {
  const many = await lay(t, subject)
  await ship(many, { lines: numbered(1200) })
  t.equal(many.receiver.received.length, 3)
  const large = await lay(t, subject)
  await ship(large, { lines: numbered(400).map(line => line.padEnd(12_000)) })
  t.ok(large.receiver.received.length >= 2)
  t.equal(large.arena.outcome.delivered.lines, 400)
})

t.test('a line that makes more than a thousand KiB is cut and says so', async t => {
  const laid = await lay(t, subject)
  await ship(laid, { lines: ['x'.repeat(1_200_000), '"'.repeat(700_000), 'short'] })
  const decoded = laid.decoded()
  t.same(
    decoded.map(({ truncated }) => truncated),
    [true, true, false],
  )
  t.ok(decoded[0]!.message.length > 900_000)
  t.equal(laid.arena.outcome.delivered.lines, 3)
})

t.test('of a request whose second record failed that one is sent again, and no other', async t => {
  const laid = await lay(t, subject, {}, (_, count) => {
    if (count > 1) return undefined
    const failed = { ErrorCode: 'ServiceUnavailableException', ErrorMessage: 'Slow down.' }
    return awsSays({ FailedPutCount: 1, RequestResponses: [{ RecordId: 'a' }, failed, { RecordId: 'c' }] })
  })
  await ship(laid, { lines: ['one', 'two', 'three'] })
  t.same(
    laid.decoded().map(({ message }) => message),
    ['two'],
  )
  t.same(laid.arena.outcome.rejected, {})
  t.equal(laid.arena.outcome.delivered.lines, 3)
})

t.test('the region says where requests go', async t => {
  const there = await configured(t, { type: 'firehose', region: REGION, stream: 'logs' })
  t.equal(there.endpoint?.href, 'https://firehose.eu-central-1.amazonaws.com/')
  t.match(there.delivery, { auth: { aws: { service: 'firehose' } }, batch: { maxRecords: 500 }, compression: 'none' })
})
