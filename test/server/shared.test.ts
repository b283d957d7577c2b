import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { shared } from '../../src/server/shared.ts'

t.test('requests within a quarter of a second get the same bytes; after that they are made anew', async t => {
  let now = 1000
  let made = 0
  const page = shared(
    () => ({ status: 200, type: 'text/plain', body: `number ${++made}` }),
    () => now,
  )
  const [one, two] = await Promise.all([page(), page()])
  t.equal(one.body, two.body, 'the same buffer')
  now += 249
  t.equal(String((await page()).body), 'number 1')
  now += 1
  t.equal(String((await page()).body), 'number 2')
  t.equal(made, 2)
})

t.test('a rendering is compressed once, and only if that is asked for', async t => {
  let now = 0
  let made = 0
  const page = shared(
    () => ({ status: 200, type: 'text/plain', body: `number ${++made}`, headers: { vary: 'accept-encoding' } }),
    () => now,
  )
  const [plain, one, two] = await Promise.all([page(), page('gzip'), page('gzip')])
  t.equal(made, 1, 'from the same rendering')
  t.equal(one.body, two.body, 'the same buffer')
  t.strictSame(one.headers, { vary: 'accept-encoding', 'content-encoding': 'gzip' })
  t.equal(String(gunzipSync(one.body)), 'number 1')
  t.strictSame([String(plain.body), plain.headers], ['number 1', { vary: 'accept-encoding' }])
  now += 250
  t.equal(String(gunzipSync((await page('gzip')).body)), 'number 2')
})

t.test('a rendering that fails is not kept, whether it throws or rejects', async t => {
  for (const fail of [
    () => {
      throw new Error('broken')
    },
    () => Promise.reject(new Error('broken')),
  ]) {
    let broken = true
    const page = shared(
      () => (broken ? fail() : { status: 200, type: 'text/plain', body: 'whole' }),
      () => 0,
    )
    await t.rejects(page(), { message: 'broken' })
    await t.rejects(page('gzip'), { message: 'broken' })
    broken = false
    t.equal(String((await page()).body), 'whole')
  }
})
