/** What holds for every text, whatever stands in it. */
import fc from 'fast-check'
import t from 'tap'
import { keepsTheLaw } from './law.ts'
import { Rig, type Say } from './rig.ts'
import { json, text } from './texts.ts'

process.env['REDACT_LAWS_KEY'] = 'a key of some length'

const ALL: Extract<Say, { rules?: unknown }> = { rules: ['secrets', 'pii'], keys: ['sessionId', 'x-api-key', 'id'] }
const WAYS: Record<string, Say> = {
  replaced: { ...ALL, how: 'replace' },
  masked: { ...ALL, how: 'mask', keep: 4 },
  hashed: { ...ALL, how: 'hash', key: { env: 'REDACT_LAWS_KEY' } },
}
const RUNS = { numRuns: 500 }

/** What a value is, without what it says. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape)
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.entries(value).map(([name, member]) => [name.length, shape(member)])
}

for (const [way, say] of Object.entries(WAYS)) {
  const rig = new Rig(say)

  t.test(`a text that is ${way} has its length, is UTF-8, and is not changed again`, async () => {
    keepsTheLaw(rig, fc.oneof(text, json), RUNS.numRuns)
  })

  t.test(`JSON that is ${way} is JSON of the same shape`, async () => {
    fc.assert(
      fc.property(json, line => {
        const left: unknown = JSON.parse(rig.text(line))
        const [were, are] = [JSON.parse(line), left].map(each => JSON.stringify(shape(each)))
        if (were !== are) throw new Error(`${were} became ${are}`)
      }),
      RUNS,
    )
  })
}

t.test('what stands around a secret is not changed, wherever that stands', async t => {
  const rig = new Rig(['secrets', 'pii'])
  const secrets = [
    'password="hunter2x"',
    'AKIAIOSFODNN7EXAMPLE',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJ',
    'joe@example.com',
    '4111 1111 1111 1111',
    'DE89370400440532013000',
    '123-45-6789',
    '192.168.100.200',
    '2001:db8::ff00:42:8329',
    '2001:0db8:0:1:2:3:ff00:8329',
    '4111111111111111',
    'https://user:hunter2x@host/',
  ]
  // Past two blocks of what is looked at together.
  for (const secret of secrets) {
    for (let before = 0; before < 150; before++) {
      const [head, tail] = ['. '.repeat(75).slice(0, before), ' .'.repeat(40)]
      const left = rig.text(`${head} ${secret}${tail}`)
      if (!left.startsWith(`${head} `) || !left.endsWith(tail)) t.fail(`${secret} at ${before}: ${left}`)
      const part = left.slice(head.length + 1, left.length - tail.length)
      if (part === secret) t.fail(`${secret} at ${before} is left`)
    }
  }
  t.pass('all of them')
})

t.test('near misses cost no more than in proportion to their number', async t => {
  const rig = new Rig(['secrets', 'pii'], 32 * 1024 ** 2)
  const units = [
    ...['-eyJ', 'eyJ-', 'password', 'password=', "password='", '"token":{', '"token":[', 'bearer ', 'basic '],
    ...['://', '://a:', '@', 'a@', 'a@b.', '4111 ', '4111', '1.2.', '123-', 'AKIA', 'ghp_', 'sk-', '-----BEGIN '],
    ...[
      '-----BEGIN PRIVATE KEY-----',
      'DE89',
      'A1',
      '::',
      'a:',
      '\\"',
      '\\\\',
      '{"password":"',
      'a%40',
      '%3D',
      '[',
      '*',
    ],
  ]
  for (const unit of units) {
    const costs = [64, 256].map(kib => {
      const bytes = Buffer.from(unit.repeat(Math.ceil((kib * 1024) / unit.length)))
      rig.records([bytes])
      return () => {
        const before = process.cpuUsage()
        for (let m = 0; m < 4; m++) rig.records([bytes])
        const { user, system } = process.cpuUsage(before)
        return user + system
      }
    })
    // Four times as much: a quadratic loop would take sixteen times as long. Another process may have slowed one of the
    // two down, and hardly so three times.
    let took: number[]
    let proportional: boolean
    let tries = 3
    do {
      took = costs.map(cost => cost())
      proportional = took[1]! < 10 * took[0]! + 4000
    } while (!proportional && --tries > 0)
    t.ok(proportional, `${JSON.stringify(unit)}: ${took.join(', ')} µs`)
  }
})
