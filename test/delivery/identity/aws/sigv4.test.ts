/**
 * Signatures are those of AWS's published test suite, of the examples in S3's manual, and of an implementation that is
 * not ours.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { Signer } from '../../../../src/delivery/identity/aws/sigv4.ts'

interface Signed {
  readonly headers: Readonly<Record<string, string>>
}

/** It has no types. */
const aws4 = createRequire(import.meta.url)('aws4') as { sign(request: object, keys: object): Signed }

/** The key of AWS's manuals. */
const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

interface Vector {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly asItIs?: boolean
  readonly saysHash?: boolean
  readonly token?: string
  readonly signature: string
}

const VECTORS = JSON.parse(readFileSync(join(import.meta.dirname, 'vectors.json'), 'utf8')) as Vector[]

const signatureOf = (fields: Readonly<Record<string, string>>): string =>
  /Signature=([0-9a-f]{64})$/.exec(fields['authorization'] ?? '')?.[1] ?? 'none'

t.test('every request of the published test suite has the published signature', t => {
  t.equal(VECTORS.length, 38)
  for (const { name, method, path, headers = {}, body = '', token, signature, ...scheme } of VECTORS) {
    const signer = new Signer(
      { ...KEYS, ...(token && { sessionToken: token }) },
      { region: 'us-east-1', service: 'service' },
      { asItIs: scheme.asItIs ?? false, saysHash: scheme.saysHash ?? false, signs: () => true },
    )
    const request = { method, host: 'example.amazonaws.com', path, headers, body: Buffer.from(body) }
    t.equal(signatureOf(signer.sign(request, Date.UTC(2015, 7, 30, 12, 36))), signature, name)
  }
  t.end()
})

t.test('an object of S3 is signed as in its manual', t => {
  const keys = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
  const signer = new Signer(keys, { region: 'us-east-1', service: 's3' })
  const all = { asItIs: true, saysHash: true, signs: () => true }
  const put = new Signer(keys, { region: 'us-east-1', service: 's3' }, all)
  const time = Date.UTC(2013, 4, 24)
  const host = 'examplebucket.s3.amazonaws.com'
  const signed = put.sign(
    {
      method: 'PUT',
      host,
      path: '/test%24file.text',
      headers: { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      body: Buffer.from('Welcome to Amazon S3.'),
    },
    time,
  )
  t.equal(signatureOf(signed), '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd')
  t.equal(signed['x-amz-content-sha256'], '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072')
  const list = { method: 'GET', host, path: '/?max-keys=2&prefix=J', headers: {}, body: Buffer.alloc(0) }
  const listed = signatureOf(signer.sign(list, time))
  t.equal(listed, '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7')
  t.end()
})

t.test('another implementation signs the same request with the same signature', t => {
  const requests = [
    {
      service: 'logs',
      path: '/',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'Logs.Put' },
    },
    { service: 'es', path: '/_bulk?filter_path=errors,items.*.error&b=%20x%2By&a', headers: { 'content-type': 'a/b' } },
    { service: 'es', path: '/logs%2B2026/_bulk', headers: { 'content-type': 'a/b' } },
    { service: 'aoss', path: '/a/_bulk', headers: { 'content-type': 'application/x-ndjson' } },
    {
      service: 'firehose',
      path: '/',
      headers: { 'content-type': 'a/b', 'x-amz-target': 'Firehose_20150804.PutRecordBatch' },
    },
    {
      service: 's3',
      path: '/2026/11/28/pod_a%20b%3D1/%E1%88%B4.gz',
      headers: { 'content-type': 'a/b', 'x-amz-acl': 'private' },
    },
  ]
  const bodies = [Buffer.from('{"a":1}\n'), Buffer.from([0x1f, 0x8b, 0, 255, 254]), Buffer.alloc(70_000, 'x')]
  const time = Date.UTC(2026, 10, 28, 3, 4, 5)
  for (const sessionToken of [undefined, 'token/of+session==']) {
    for (const { service, path, headers } of requests) {
      const signer = new Signer({ ...KEYS, sessionToken }, { region: 'eu-central-1', service })
      for (const body of bodies) {
        const host = `${service}.eu-central-1.amazonaws.com`
        const ours = signer.sign({ method: 'POST', host, path, headers, body }, time)
        const sum = ours['x-amz-content-sha256']
        const same = { 'x-amz-date': ours['x-amz-date'], ...(sum && { 'x-amz-content-sha256': sum }) }
        const extraHeadersToIgnore = { 'content-length': true }
        const theirs = aws4.sign(
          {
            ...{ service, region: 'eu-central-1', method: 'POST', host, path, body, extraHeadersToIgnore },
            headers: { ...headers, ...same },
          },
          { ...KEYS, ...(sessionToken && { sessionToken }) },
        )
        t.equal(
          signatureOf(ours),
          signatureOf({ authorization: theirs.headers['Authorization']! }),
          `${service} ${path}`,
        )
      }
    }
  }
  t.end()
})

t.test('what a proxy may change is not signed, and what AWS asks for is', t => {
  const signer = new Signer(KEYS, { region: 'us-east-1', service: 'logs' })
  const headers = {
    'user-agent': 'a',
    'content-encoding': 'gzip',
    accept: '*/*',
    'x-amz-target': 'T',
    'content-type': 'j',
  }
  const request = { method: 'POST', host: 'logs.us-east-1.amazonaws.com', path: '/', headers, body: Buffer.from('x') }
  t.match(signer.sign(request, 0)['authorization'], / SignedHeaders=content-type;host;x-amz-date;x-amz-target, /)
  const other = { ...request, headers: { ...headers, host: 'logs.example.com' } }
  t.not(signer.sign(request, 0)['authorization'], signer.sign(other, 0)['authorization'], 'the host that is sent')
  t.end()
})

t.test('the signing key is another one on another day', t => {
  const request = { method: 'POST', host: 'h', path: '/', headers: {}, body: Buffer.from('x') }
  const days = [Date.UTC(2026, 0, 1, 23, 59, 59), Date.UTC(2026, 0, 2), Date.UTC(2026, 0, 1)]
  const kept = new Signer(KEYS, { region: 'r', service: 's' })
  for (const day of days) {
    const fresh = new Signer(KEYS, { region: 'r', service: 's' })
    t.same(kept.sign(request, day), fresh.sign(request, day))
  }
  t.end()
})
