import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { AuthOptions } from '../../../src/delivery/options.ts'
import { CredentialStore } from '../../../src/delivery/transport/credentials.ts'
import { withoutSecrets } from '../../../src/delivery/transport/secrets.ts'
import { Authority, hasOpenssl } from '../../support/certificates.ts'
import { Listener } from '../rig.ts'

function headersOf(auth: AuthOptions): Readonly<Record<string, string>> {
  return new CredentialStore({ auth }, new Listener(), {}).current!.headers
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

/** A directory as the kubelet projects a Secret: files are links through `..data`, which is swapped in one step. */
class Projected {
  readonly dir = mkdtempSync(join(tmpdir(), 'projected-'))
  #version = 0

  swap(files: Record<string, string | Buffer>): void {
    const version = `..v${++this.#version}`
    mkdirSync(join(this.dir, version))
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(this.dir, version, name), text)
      if (!existsSync(join(this.dir, name))) symlinkSync(join('..data', name), join(this.dir, name))
    }
    symlinkSync(version, join(this.dir, '..new'))
    renameSync(join(this.dir, '..new'), join(this.dir, '..data'))
  }

  at(name: string): string {
    return join(this.dir, name)
  }
}

/** Lets so much time pass for the credential store. */
function later(t: Test, ms: number): void {
  const now = performance.now.bind(performance)
  t.intercept(performance, 'now', { value: () => now() + ms })
}

t.test('a secret that holds the word before it already is sent with one', t => {
  const sent = (auth: object) => new CredentialStore({ auth }, new Listener(), { T: 'bearer abc' }).current?.headers
  t.same(sent({ bearer: 'Bearer abc' }), { authorization: 'Bearer abc' })
  t.same(sent({ bearer: { env: 'T' } }), { authorization: 'bearer abc' })
  t.same(sent({ bearer: 'bearerabc' }), { authorization: 'Bearer bearerabc' })
  t.same(sent({ apiKey: { header: 'Authorization', prefix: 'Splunk ', value: 'splunk a' } }), {
    authorization: 'splunk a',
  })
  t.same(sent({ apiKey: { header: 'X-Key', value: 'a' } }), { 'x-key': 'a' })
  t.end()
})

t.test('a file is looked at again after three seconds of use, and read again if it looks different', async t => {
  const directory = new Projected()
  directory.swap({ token: 'one\n', key: 'k1' })
  const listener = new Listener()
  const headers = { 'X-Key': { file: directory.at('key') }, 'x-plain': 'p', 'x-env': { env: 'NAME' } }
  const ring = new CredentialStore({ auth: { bearer: { file: directory.at('token') } }, headers }, listener, {
    NAME: 'n',
  })
  const expected = { 'x-key': 'k1', 'x-plain': 'p', 'x-env': 'n', authorization: 'Bearer one' }
  t.same(ring.current?.headers, expected)
  directory.swap({ token: 'two\n', key: 'k2' })
  t.same(ring.current?.headers, expected, 'not with every request')
  later(t, 3001)
  t.same(ring.current?.headers, { ...expected, 'x-key': 'k2', authorization: 'Bearer two' })
  t.match(listener.said, [{ level: 'info', sentence: 'credentials reloaded' }])
  t.equal(listener.said.length, 1)
  t.equal(ring.reload(), false)
})

t.test('a file in the same place with the same length and another content is noticed', async t => {
  const directory = new Projected()
  directory.swap({ token: 'one' })
  const ring = new CredentialStore({ auth: { bearer: { file: directory.at('token') } } }, new Listener())
  t.equal(ring.current?.headers['authorization'], 'Bearer one')
  writeFileSync(directory.at('token'), 'two')
  later(t, 3001)
  t.equal(ring.current?.headers['authorization'], 'Bearer two')
})

t.test('while a file is empty, gone or no header the secret before stays in use, and that is said', async t => {
  for (const spoil of [
    (path: string) => writeFileSync(path, ''),
    (path: string) => writeFileSync(path, '\n'),
    (path: string) => rmSync(path),
    (path: string) => writeFileSync(path, 'a\nb'),
    (path: string) => writeFileSync(path, 'a→b'),
  ]) {
    const path = join(mkdtempSync(join(tmpdir(), 'token-')), 'token')
    writeFileSync(path, 'hush-7f3a')
    const listener = new Listener()
    const ring = new CredentialStore({ auth: { bearer: { file: path } } }, listener)
    t.ok(ring.current)
    spoil(path)
    for (const seconds of [4, 8, 12]) {
      later(t, seconds * 1000)
      t.equal(ring.current?.headers['authorization'], 'Bearer hush-7f3a')
    }
    const sentence = 'credential reload failed; keeping the previous credentials'
    t.match(listener.said[0], { level: 'error', sentence, fields: { place: path } })
    t.notMatch(JSON.stringify(listener.said), /hush|→/)
    writeFileSync(path, 'new')
    later(t, 16_000)
    t.equal(ring.current?.headers['authorization'], 'Bearer new')
  }
})

t.test('what never could be read is read again with each use', async t => {
  const path = join(mkdtempSync(join(tmpdir(), 'token-')), 'token')
  const listener = new Listener()
  const ring = new CredentialStore(
    { headers: { 'x-key': { file: path } }, auth: { bearer: { env: 'TOKEN' } } },
    listener,
    {},
  )
  t.equal(ring.current, undefined)
  writeFileSync(path, 'k')
  t.equal(ring.current, undefined)
  t.match(listener.said, [
    { level: 'error', fields: { place: path, code: 'ENOENT' } },
    { level: 'error', fields: { place: '$TOKEN', code: 'UNSET' } },
  ])
})

t.test('certificates', { skip: hasOpenssl() ? false : 'no openssl on this machine' }, async t => {
  const made = mkdtempSync(join(tmpdir(), 'made-'))
  const authority = new Authority(made)
  const bytes = ({ cert, key }: { cert: string; key: string }) => ({ cert: readFileSync(cert), key: readFileSync(key) })
  const [one, two] = [bytes(authority.sign('one')), bytes(authority.sign('two'))]
  const ca = readFileSync(authority.cert)
  const ringOf = (directory: Projected, listener = new Listener()) => {
    const files = { ca: directory.at('ca'), cert: directory.at('cert'), key: directory.at('key') }
    return new CredentialStore({ tls: { ...files, minVersion: '1.2', insecureSkipVerify: false } }, listener)
  }

  t.test('a pair is taken as a whole: half of a new one leaves the one before in use', async t => {
    const directory = new Projected()
    directory.swap({ ca, ...one })
    const listener = new Listener()
    const ring = ringOf(directory, listener)
    const before = ring.current?.trust
    t.ok(before?.context)
    directory.swap({ ca, cert: two.cert, key: one.key })
    later(t, 4000)
    t.equal(ring.current?.trust, before)
    t.equal(listener.said.length, 0, 'the middle of a swap is nothing to speak of')
    directory.swap({ ca, ...two })
    later(t, 8000)
    const after = ring.current?.trust
    t.not(after, before)
    t.same(after?.pem.slice(1), [two.cert.toString(), two.key.toString()])
    directory.swap({ ca, ...two })
    later(t, 12_000)
    t.equal(ring.current?.trust, after, 'the same again changes nothing, and no connection')
  })

  t.test('a pair that stays torn is said to be', async t => {
    const directory = new Projected()
    directory.swap({ ca, ...one })
    const listener = new Listener()
    const ring = ringOf(directory, listener)
    t.ok(ring.current)
    directory.swap({ ca, cert: one.cert, key: two.key })
    for (const seconds of [4, 8]) {
      later(t, seconds * 1000)
      t.ok(ring.current)
    }
    t.match(listener.said, [{ level: 'error', fields: { code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' } }])
  })

  t.test(
    'a bundle of authorities that is empty, torn or none at all is not trusted, and no server is trusted by mistake',
    async t => {
      const directory = new Projected()
      directory.swap({ ca, ...one })
      const ring = ringOf(directory)
      const before = ring.current?.trust
      const pem = ca.toString()
      for (const bad of ['', 'x', pem.slice(0, 200), pem + pem.slice(0, 200), pem.replace('MI', 'IM')]) {
        directory.swap({ ca: bad, ...one })
        t.equal(ring.reload(), false)
        t.equal(ring.current?.trust, before)
        t.equal(ringOf(directory).current, undefined)
      }
      directory.swap({
        ca: `# ours\n${pem}\n${new Authority(made, 'next').cert && readFileSync(join(made, 'next.pem'))}`,
        ...one,
      })
      t.equal(ring.reload(), true, 'several are')
    },
  )
})
