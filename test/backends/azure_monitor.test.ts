/** Azure Monitor: what its calls hold and keep to. */
import { hash } from 'node:crypto'
import t from 'tap'
import { subject } from '../conformance/azure_monitor.ts'
import { numbered, origin } from '../delivery/rig.ts'
import { configured, HOSTILE, lay, said, ship } from './rig.ts'

t.test('every line is a row of the same columns, and what has none of its own is a label', async t => {
  const laid = await lay(t, subject)
  const labels = { team: 'checkout', truncated: 'forged', Message: 'forged' }
  await ship(laid, { lines: HOSTILE.map(([line]) => line) }, { lines: ['other'], origin: origin('/b.log', labels) })
  const decoded = laid.decoded()
  t.same(
    decoded.map(({ message }) => message),
    [...HOSTILE.map(([, message]) => message), 'other'],
  )
  t.match(decoded[0]?.attributes, {
    Source: 'app',
    File: '/var/log/app/a.log',
    Pod: 'web-1',
    Node: 'n1',
  })
  t.match(decoded.at(-1), { truncated: false, attributes: { team: 'checkout', Message: 'forged' } })
})

t.test('columns have the names that are configured, and none without a name', async t => {
  const rows: Record<string, unknown>[] = []
  const decode = ({ body }: { body: Buffer }) => {
    rows.push(...JSON.parse(body.toString()))
    return [{ message: '', attributes: {}, truncated: false }]
  }
  const columns = { message: 'RawData', id: '', node: '', labels: '', fields: '', time: 'At' }
  const laid = await lay(t, { ...subject, decode }, { columns })
  await ship(laid, { lines: ['one'] })
  t.same(Object.keys(rows[0]!), ['At', 'RawData', 'Source', 'File', 'Namespace', 'Pod', 'Container'])
  await t.rejects(configured(t, { ...subject.config('http://a'), columns: { message: '1x' } }))
  await t.rejects(configured(t, { ...subject.config('http://a'), columns: { other: 'x' } }))
})

t.test('what Azure would cut is cut here and says so, and a call has a mebibyte at the most', async t => {
  const laid = await lay(t, subject)
  await ship(laid, { lines: ['x'.repeat(500_000), ...numbered(3000).map(line => line.padEnd(1000))] })
  t.ok(laid.receiver.received.length >= 4)
  const [cut, ...others] = laid.decoded()
  t.ok(cut!.truncated && cut!.message.length > 60_000)
  t.equal(others.length, 3000)
})

t.test('a call that Azure finds too large goes again in halves', async t => {
  const { answer } = subject.cases.find(({ name }) => name === 'too large')!
  const laid = await lay(t, subject, {}, ({ wire }) => (wire.length > 20_000 ? answer : undefined))
  // Nothing that compresses well.
  const noise = (n: number) => hash('sha512', `${n}`, 'base64')
  await ship(laid, { lines: numbered(900).map((line, n) => `${line} ${noise(n)}`) })
  t.ok(laid.receiver.received.length > 2)
  t.equal(laid.decoded().length, 900)
  t.equal(laid.arena.outcome.delivered.lines, 900)
})

t.test('a role that is missing is logged with what to grant, without the words of the backend', async t => {
  const { answer } = subject.cases.find(({ name }) => name === 'an identity without the role')!
  const laid = await lay(t, subject, {}, (_, count) => (count === 1 ? answer : undefined))
  await ship(laid, { lines: ['one'] })
  t.match(said(laid), /grant Monitoring Metrics Publisher on the data collection rule dcr-/)
  t.notMatch(said(laid), /authentication token/)
  t.equal(laid.arena.outcome.delivered.lines, 1)
})

t.test('without a word about credentials it is the pod’s own identity', async t => {
  const { auth: _, ...entry } = subject.config('http://a')
  t.same((await configured(t, entry)).delivery.auth, { azure: { managedIdentity: false } })
})

t.test('a rule and a stream that are none are refused', async t => {
  for (const own of [{ rule: '/subscriptions/x' }, { stream: 'AppLogs_CL' }, { endpoint: 'dce' }]) {
    await t.rejects(configured(t, { ...subject.config('http://a'), ...own }), Object.keys(own).join())
  }
})
