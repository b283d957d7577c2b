import t from 'tap'
import type { Environment } from '../src/environment.ts'
import { isException, proxyAddress, proxyFor } from '../src/proxy.ts'

const through = (target: string, env: Environment): string => {
  const choice = proxyFor(new URL(target), env)
  return choice.kind === 'proxy' ? `${choice.variable} ${choice.address.url.origin}` : choice.kind
}

t.test('the variable of the address’s own scheme counts, and the lower-case one before the other', async t => {
  const env = { HTTPS_PROXY: 'http://secure:1', HTTP_PROXY: 'plain:2' }
  t.equal(through('https://logs.test/', env), 'HTTPS_PROXY http://secure:1')
  t.equal(through('http://logs.test/', env), 'HTTP_PROXY http://plain:2')
  t.equal(through('https://logs.test/', { ...env, https_proxy: 'lower' }), 'https_proxy http://lower')
  t.equal(through('https://logs.test/', { ...env, https_proxy: ' ' }), 'HTTPS_PROXY http://secure:1', 'empty is none')
  t.equal(through('https://logs.test/', { HTTP_PROXY: 'plain:2', ALL_PROXY: 'all' }), 'direct')
  t.equal(through('https://logs.test/', {}), 'direct')
})

t.test('our own machine is never reached through a proxy', async t => {
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '[::1]', 'LOCALHOST.']) {
    t.equal(through(`http://${host}:3100/`, { HTTP_PROXY: 'proxy:1' }), 'direct', host)
  }
  t.equal(through('http://localhost.test/', { HTTP_PROXY: 'proxy:1' }), 'HTTP_PROXY http://proxy:1')
})

t.test('a proxy’s address holds its credentials, decoded, and they are taken out of it', async t => {
  const address = proxyAddress('http://me:p%40ss%3Aword@proxy.test:3128/')
  t.equal(address?.url.href, 'http://proxy.test:3128/')
  t.same(address?.auth, { username: 'me', password: 'p@ss:word' })
  t.equal(proxyAddress('me:secret@proxy.test:3128')?.url.href, 'http://proxy.test:3128/')
  t.equal(proxyAddress('[fd00::1]:3128')?.url.href, 'http://[fd00::1]:3128/')
  t.equal(proxyAddress('https://proxy.test')?.url.href, 'https://proxy.test/')
  t.equal(proxyAddress('http://proxy.test')?.auth, undefined)
})

t.test('what is no proxy that we can speak to is said, without its value', async t => {
  for (const text of [
    'socks5://proxy.test:1080',
    'http://',
    'http://pro xy',
    'http://a:100%@proxy',
    '://',
    'http://p:99999',
  ]) {
    t.equal(proxyAddress(text), undefined, text)
    t.same(proxyFor(new URL('https://logs.test'), { HTTPS_PROXY: text }), { kind: 'unusable', variable: 'HTTPS_PROXY' })
  }
  t.equal(through('https://logs.test/', { HTTPS_PROXY: 'socks5://proxy', NO_PROXY: '*' }), 'direct')
})

/** What NO_PROXY says, and addresses it does and does not cover. */
const EXCEPTIONS: readonly [list: string, covered: readonly string[], others: readonly string[]][] = [
  ['', [], ['http://logs.test']],
  ['*', ['http://logs.test', 'https://[2001:db8::1]:4318', 'http://10.1.2.3'], []],
  [
    'logs.test',
    ['http://logs.test', 'https://logs.test:8443', 'http://eu.logs.test', 'http://LOGS.test.'],
    ['http://mylogs.test', 'http://logs.test.example', 'http://test'],
  ],
  ['.logs.test', ['http://eu.logs.test', 'http://a.b.logs.test'], ['http://logs.test', 'http://eulogs.test']],
  ['*.logs.test', ['http://eu.logs.test'], ['http://logs.test', 'http://eulogs.test']],
  ['Logs.Test', ['http://logs.test'], []],
  ['.svc,.cluster.local', ['http://loki.logging.svc:3100', 'http://loki.logging.svc.cluster.local'], ['http://svc']],
  [' a.test , b.test\tc.test', ['http://a.test', 'http://b.test', 'http://c.test'], ['http://d.test']],
  [
    'logs.test:3100',
    ['http://logs.test:3100', 'http://eu.logs.test:3100'],
    ['http://logs.test', 'http://logs.test:31'],
  ],
  ['logs.test:443', ['https://logs.test'], ['http://logs.test']],
  [
    '10.0.0.0/8',
    ['http://10.255.0.1', 'http://10.0.0.0:99'],
    ['http://11.0.0.1', 'http://ten.test', 'http://[::a00:1]'],
  ],
  ['10.96.0.1', ['https://10.96.0.1', 'https://10.96.0.1:6443'], ['https://10.96.0.10']],
  ['10.96.0.1:443', ['https://10.96.0.1'], ['https://10.96.0.1:6443']],
  ['fd00::/8', ['http://[fd12:3456::1]:4318', 'http://[FD00::]'], ['http://[fe80::1]', 'http://10.0.0.1']],
  ['::1:2:3', ['http://[::1:2:3]', 'http://[0:0:0:0:0:1:2:3]:80'], ['http://[::1:2:4]']],
  ['[2001:db8::1]:4318', ['http://[2001:db8::1]:4318'], ['http://[2001:db8::1]']],
  ['[2001:db8::1]', ['http://[2001:db8::1]:4318'], ['http://[2001:db8::2]:4318']],
  ['192.168.0.0/33,/8,10/8,a.test/8,:80,.,*., ,,', [], ['http://192.168.0.1', 'http://10.0.0.1', 'http://a.test']],
  ['10.1', [], ['http://10.1.2.3']],
]

for (const [list, covered, others] of EXCEPTIONS) {
  t.test(`NO_PROXY=${list}`, async t => {
    for (const address of covered) t.ok(isException(new URL(address), list), address)
    for (const address of others) t.notOk(isException(new URL(address), list), `not ${address}`)
  })
}
