import t from 'tap'
import { endpointSchema, endpointUrl } from '../../src/backends/endpoint.ts'

t.test('an endpoint is a base address or the whole one', async t => {
  const url = (text: string) => endpointUrl(text, '/a/push').href
  t.equal(url('http://loki:3100'), 'http://loki:3100/a/push')
  t.equal(url('http://loki:3100/'), 'http://loki:3100/a/push')
  t.equal(url('https://host/prefix'), 'https://host/prefix/a/push')
  t.equal(url('https://host/prefix/'), 'https://host/prefix/a/push')
  t.equal(url('https://host/prefix/a/push'), 'https://host/prefix/a/push')
  t.equal(url('https://host/a/push/'), 'https://host/a/push')
  t.equal(url('http://[::1]:3100/?tenant=a'), 'http://[::1]:3100/a/push?tenant=a')
})

t.test('what is no address, or holds credentials, is refused', async t => {
  for (const text of ['', 'loki:3100', 'ftp://x/', 'http://', 'http://u:p@x/']) {
    t.notOk(endpointSchema.safeParse(text).success, text)
  }
})
