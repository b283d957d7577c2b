/** Datadog: the requests as "Send logs" has them, and its answers. */
import assert from 'node:assert/strict'
import type { Answer } from '../../src/backends/backend.ts'
import type { Decoded, Request, Subject } from './subject.ts'

const KEY = '0123456789abcdef0123456789abcdef'

const errors = (status: number, detail: string): Answer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ errors: [{ detail, status: String(status) }] }),
})

const quoted = (status: number, detail: string) => ({
  answer: errors(status, detail),
  words: { reason: `http_${status}`, detail: errors(status, detail).body },
})

const bad = quoted(400, 'Invalid payload')
const nobody = quoted(401, 'Missing API key')
const forbidden = quoted(403, 'Forbidden')
const many = quoted(429, 'Too many requests')
const down = quoted(503, 'Service unavailable')

export const subject: Subject = {
  type: 'datadog',
  name: 'datadog',
  clock: 'milliseconds',
  config: origin => ({ type: 'datadog', endpoint: origin, apiKey: KEY, tags: { env: 'test' } }),
  decode,
  success: () => ({ status: 202, headers: { 'content-type': 'application/json' }, body: '{}' }),
  cases: [
    { name: 'accepted', answer: { status: 202, headers: {}, body: '{}' }, verdict: { kind: 'delivered' } },
    { name: 'a payload it cannot read', answer: bad.answer, verdict: { kind: 'bisect', ...bad.words } },
    { name: 'no key', answer: nobody.answer, verdict: { kind: 'unauthorized', ...nobody.words } },
    { name: 'a wrong key', answer: forbidden.answer, verdict: { kind: 'unauthorized', ...forbidden.words } },
    {
      name: 'too slow',
      answer: { status: 408, headers: {}, body: '' },
      verdict: { kind: 'retry', reason: 'http_408' },
    },
    { name: 'too large', answer: errors(413, 'Payload too large'), verdict: { kind: 'split', reason: 'http_413' } },
    { name: 'too many requests', answer: many.answer, verdict: { kind: 'retry', ...many.words } },
    { name: 'not ready', answer: down.answer, verdict: { kind: 'retry', ...down.words } },
    {
      name: 'a login page',
      answer: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
      verdict: { kind: 'retry', reason: 'unexpected_html', misconfigured: true },
    },
  ],
}

function decode({ method, url, headers, body }: Request): Decoded[] {
  assert.equal(method, 'POST')
  assert.equal(url, '/api/v2/logs')
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(headers['dd-api-key'], KEY)
  assert.ok(body.length <= 5_000_000, 'the largest payload')
  const logs = JSON.parse(body.toString()) as Record<string, unknown>[]
  assert.ok(logs.length <= 1000, 'the most logs')
  return logs.map(log => {
    assert.ok(Buffer.byteLength(JSON.stringify(log)) <= 1_000_000, 'the largest log')
    const {
      message,
      timestamp,
      ddtags,
      ddsource,
      service,
      hostname,
      truncated,
      originalBytes,
      partial,
      ...attributes
    } = log
    assert.equal(typeof message, 'string')
    assert.ok(Number.isInteger(timestamp))
    const tags = Object.fromEntries(
      String(ddtags)
        .split(',')
        .map(tag => [tag.slice(0, tag.indexOf(':')), tag.slice(tag.indexOf(':') + 1)]),
    )
    return {
      message: message as string,
      time: BigInt(timestamp as number) * 1_000_000n,
      attributes: {
        ...tags,
        ...(attributes as Record<string, string>),
        source: String(ddsource),
        service: String(service),
      },
      truncated: truncated === true,
    }
  })
}
