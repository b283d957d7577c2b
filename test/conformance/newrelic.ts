/** New Relic: the requests as "Introduction to the Log API" has them, and its answers. */
import assert from 'node:assert/strict'
import type { Decoded, Request, Subject } from './subject.ts'

const KEY = 'eu01xx0123456789abcdef0123456789abcdNRAL'

export const subject: Subject = {
  type: 'newrelic',
  name: 'newrelic',
  clock: 'milliseconds',
  config: origin => ({ type: 'newrelic', endpoint: origin, apiKey: KEY }),
  decode,
  success: () => ({
    status: 202,
    headers: { 'content-type': 'application/json' },
    body: '{"requestId":"f0e7bfff-001a-b000-0000-01682bcf4565"}',
  }),
  cases: [
    {
      name: 'accepted',
      answer: { status: 202, headers: {}, body: '{"requestId":"f0"}' },
      verdict: { kind: 'delivered' },
    },
    {
      name: 'a structure it cannot read',
      answer: { status: 400, headers: {}, body: '' },
      verdict: { kind: 'bisect', reason: 'http_400' },
    },
    {
      name: 'a wrong key',
      answer: { status: 403, headers: {}, body: '{}' },
      verdict: { kind: 'unauthorized', reason: 'http_403', detail: '{}' },
    },
    {
      name: 'a wrong path',
      answer: { status: 404, headers: {}, body: '' },
      verdict: { kind: 'retry', reason: 'http_404', misconfigured: true },
    },
    {
      name: 'too slow',
      answer: { status: 408, headers: {}, body: '' },
      verdict: { kind: 'retry', reason: 'http_408' },
    },
    {
      name: 'too large',
      answer: { status: 413, headers: {}, body: '' },
      verdict: { kind: 'split', reason: 'http_413' },
    },
    {
      name: 'a media type it does not take',
      answer: { status: 415, headers: {}, body: '' },
      verdict: { kind: 'retry', reason: 'http_415', misconfigured: true },
    },
    {
      name: 'too many requests',
      answer: { status: 429, headers: {}, body: '' },
      verdict: { kind: 'retry', reason: 'http_429' },
    },
    {
      name: 'an error of its own',
      answer: { status: 500, headers: {}, body: '' },
      verdict: { kind: 'retry', reason: 'http_500' },
    },
  ],
}

interface Group {
  readonly common: { readonly attributes: Readonly<Record<string, string>> }
  readonly logs: readonly {
    readonly timestamp: number
    readonly message: string
    readonly attributes?: Readonly<Record<string, unknown>>
  }[]
}

function decode({ method, url, headers, body }: Request): Decoded[] {
  assert.equal(method, 'POST')
  assert.equal(url, '/log/v1')
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(headers['api-key'], KEY)
  assert.ok(body.length <= 1_000_000, 'the largest payload')
  return (JSON.parse(body.toString()) as Group[]).flatMap(({ common, logs }) => {
    assert.ok(logs.length > 0)
    assert.ok(Object.keys(common.attributes).length <= 250)
    for (const value of Object.values(common.attributes)) assert.ok(value.length <= 4094)
    return logs.map(({ timestamp, message, attributes = {}, ...others }) => {
      assert.deepEqual(others, {})
      assert.ok(Buffer.byteLength(message) <= 132_094, 'the longest message')
      return {
        message,
        time: BigInt(timestamp) * 1_000_000n,
        attributes: common.attributes,
        truncated: attributes['truncated'] === true,
      }
    })
  })
}
