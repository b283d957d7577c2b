/** Amazon S3: what objects are called and hold, and what becomes of one that is sent twice. */
import t from 'tap'
import { REGION } from '../conformance/aws.ts'
import { subject } from '../conformance/s3.ts'
import { numbered, READ_AT } from '../delivery/rig.ts'
import { configured, created, HOSTILE, lay, ship } from './rig.ts'

const ENTRY = { type: 's3', region: REGION, bucket: 'logs' }
const BATCH = { id: 'a1b2-000000000000-4-0011', records: 4, time: READ_AT }

t.test('every record is what was read, with an id of its own', async t => {
  const laid = await lay(t, subject)
  await ship(laid, { lines: HOSTILE.map(([line]) => line) })
  const decoded = laid.decoded()
  t.same(
    decoded.map(({ message }) => message),
    HOSTILE.map(([, message]) => message),
  )
  t.equal(new Set(decoded.map(({ id }) => id)).size, HOSTILE.length)
})

t.test('an object that was stored without our hearing of it is overwritten by the same', async t => {
  const objects = new Map<string, string>()
  const laid = await lay(t, subject, {}, ({ url, body }, count) => {
    objects.set(url, body)
    return count === 1 ? { status: 500, headers: {}, body: '' } : undefined
  })
  await ship(laid, { lines: numbered(10) })
  t.equal(laid.receiver.received.length, 2)
  t.equal(objects.size, 1)
  t.equal([...objects.values()].join('').split('\n').length, 11)
  t.equal(laid.arena.outcome.delivered.lines, 10)
})

t.test('no object takes the place of one that holds other records', async t => {
  const laid = await lay(t, subject)
  await ship(laid, { lines: numbered(10) })
  await ship(laid, { lines: numbered(4) })
  await ship(laid, { lines: numbered(10), fileStart: 100 })
  t.equal(new Set(laid.receiver.received.map(({ url }) => url)).size, 3)
})

t.test('the name says where the records come from, when they were read, and how they are compressed', async t => {
  const backend = created(await configured(t, ENTRY))
  const key = '/shop/web-1/2026/01/02/03/a1b2-000000000000-4-0011.ndjson'
  t.match(backend.request(BATCH), { method: 'PUT', path: key })
  t.equal(backend.request({ ...BATCH, encoding: 'gzip' }).path, `${key}.gz`)
  t.equal(backend.request({ ...BATCH, encoding: 'zstd' }).path, `${key}.zst`)
  const odd = { namespace: 'a b', pod: '../ä', podLabels: {}, podAnnotations: {} }
  t.match(created(await configured(t, ENTRY), odd).request(BATCH).path, '/a_b/../_/2026/')
})

t.test('the bucket stands in the name of the host, or in the path where it must', async t => {
  const at = async (own: object) => {
    const config = await configured(t, { ...ENTRY, key: '{id}', ...own })
    return new URL(created(config).request(BATCH).path, config.endpoint).href
  }
  const name = 'a1b2-000000000000-4-0011.ndjson'
  t.equal(await at({}), `https://logs.s3.eu-central-1.amazonaws.com/${name}`)
  t.equal(await at({ bucket: 'my.logs' }), `https://s3.eu-central-1.amazonaws.com/my.logs/${name}`)
  t.equal(await at({ region: 'cn-north-1' }), `https://logs.s3.cn-north-1.amazonaws.com.cn/${name}`)
  t.equal(await at({ endpoint: 'https://minio.example.com/store/' }), `https://minio.example.com/store/logs/${name}`)
})

t.test('a key without an id of its own, or with a name that is not known, is none', async t => {
  for (const key of ['{pod}', '{id}/{id}', '/{id}', '{id}/{hour}', 'a?b/{id}', '']) {
    await t.rejects(configured(t, { ...ENTRY, key }), { message: /backends\[0\]\.key/ }, key)
  }
})

t.test('objects are made every minute, or of four mebibytes', async t => {
  const { delivery } = await configured(t, ENTRY)
  t.match(delivery, { batch: { maxBytes: 4 << 20, interval: 60_000 }, compression: 'gzip' })
})
