import t from 'tap'
import { Keyring } from '../../src/delivery/credentials.ts'
import type { AuthOptions } from '../../src/delivery/options.ts'
import { withoutSecrets } from '../../src/delivery/secrets.ts'
import { Listener } from './rig.ts'

function headersOf(auth: AuthOptions): Readonly<Record<string, string>> {
  return new Keyring({ auth }, new Listener(), {}).current!.headers
}

t.test('what a server repeats of a request is shown without its secrets', async t => {
  const bearer = headersOf({ bearer: 'hush-7f3a' })
  t.equal(withoutSecrets('unknown token hush-7f3a', bearer, '/'), 'unknown token ***')
  t.equal(withoutSecrets('authorization: Bearer hush-7f3a!', bearer, '/'), 'authorization: ***!')
  const basic = headersOf({ basic: { username: 'me', password: 'pässword:1' } })
  t.equal(withoutSecrets('wrong: pässword:1', basic, '/'), 'wrong: ***')
  t.equal(withoutSecrets(basic['authorization']!.slice(6), basic, '/'), '***')
  const key = headersOf({ apiKey: { header: 'X-Key', value: 'hush-7f3a' } })
  t.equal(withoutSecrets('no key hush-7f3a, no hush-7f3a', key, '/'), 'no key ***, no ***')
})

t.test('keys in the query count, as they were sent and as they were meant', async t => {
  const path = '/ingest?key=hush%2F7f3a&v=1'
  t.equal(withoutSecrets(`Cannot POST ${path}`, {}, path), 'Cannot POST /ingest?key=***&v=1')
  t.equal(withoutSecrets('no such key: hush/7f3a', {}, path), 'no such key: ***')
})

t.test('a secret that is part of another leaves nothing of the other behind', async t => {
  t.equal(withoutSecrets('got hush-7f3a', { one: 'hush', two: 'hush-7f3a' }, '/'), 'got ***')
})

t.test('short and empty values leave the words alone', async t => {
  t.equal(withoutSecrets('a plain complaint', { one: '', two: 'a', three: 'int' }, '/?a=&b'), 'a plain complaint')
})
