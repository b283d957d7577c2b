/**
 * Where a read, a slab, a program or a file ends: no secret gets through because it stands there. Each text is cut at
 * every byte of it, and what was sent of both parts together holds nothing of the secret that could be used.
 */
import t from 'tap'
import { Rig } from './rig.ts'
import { Shipping } from './shipping.ts'

const ALL = ['secrets', 'pii'] as const

/** A line, its secret, and how many bytes of that may be seen: what is no secret alone. */
const LINES: readonly (readonly [line: string, secret: string, open: number])[] = [
  ['user=joe password=Zq7xW9vKp2Lm status=200', 'Zq7xW9vKp2Lm', 0],
  ['{"user":"joe","password":"Zq7x \\"W9vKp2Lm","a":1}', 'Zq7x \\"W9vKp2Lm', 0],
  ['{"m":"{\\"token\\":\\"Zq7xW9vKp2Lm\\"}","a":1}', 'Zq7xW9vKp2Lm', 0],
  ['GET /x?api_key=Zq7xW9vKp2Lm&a=b HTTP/1.1', 'Zq7xW9vKp2Lm', 0],
  ['Authorization: Bearer Zq7xW9vKp2Lm0000 x', 'Zq7xW9vKp2Lm0000', 0],
  ['url=postgres://joe:Zq7xW9vKp2Lm@host/db x', 'Zq7xW9vKp2Lm', 0],
  ['key AKIAIOSFODNN7EXAMPLE end', 'IOSFODNN7EXAMPLE', 0],
  ['t ghp_abcdefghijklmnopqrstuvwxyz0123456789 end', 'abcdefghijklmnopqrstuvwxyz0123456789', 0],
  ['jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4 end', '.SflKxwRJSMeKKF2QT4', 0],
  ['card 4111 1111 1111 1111 end', '4111 1111 1111 1111', 7],
  ['card 4111111111111111 end', '4111111111111111', 6],
  ['mail joe.bloggs@example.com end', 'joe.bloggs@example.com', 10],
  ['iban DE89370400440532013000 end', 'DE89370400440532013000', 6],
  ['ssn 123-45-6789 end', '123-45-6789', 3],
  ['from 192.168.100.200 end', '192.168.100.200', 8],
  ['from 2001:db8:0:ff00:42:8329:1:2 end', '2001:db8:0:ff00:42:8329:1:2', 13],
]

/** The longest part of a secret that stands in a text where the secret stood. */
function seen(text: string, line: string, secret: string): number {
  const at = line.indexOf(secret)
  let longest = 0
  let run = 0
  for (let n = 0; n < secret.length; n++) {
    run = text[at + n] === secret[n] && secret[n] !== ' ' ? run + 1 : 0
    longest = Math.max(longest, run)
  }
  return longest
}

t.test('the last line was sent without its end, and the next program goes on in the middle of it', async t => {
  const shipping = new Shipping([...ALL])
  for (const [line, secret, open] of LINES) {
    const file = Buffer.from(`first line\n${line}\nlast line\n`)
    for (let at = 11; at <= 11 + line.length; at++) {
      const head = shipping.run(file.subarray(0, at), 0, 'quiet')
      const rest = shipping.run(file, head.to)
      const text = (head.text + rest.text).split('\n')[1]!
      const length = seen(text, line, secret)
      if (head.to !== at || text.length !== line.length) t.fail(`${head.to} ${at} ${text}`)
      if (length > open) t.fail(`${line.slice(0, at - 11)} + ${line.slice(at - 11)}: ${text}`)
    }
  }
  t.pass('nothing got through')
})

t.test('a line is cut in the middle of a secret', async t => {
  const rig = new Rig([...ALL])
  for (const [line, secret, open] of LINES) {
    for (let length = 1; length <= line.length; length++) {
      const left = rig.text(line.slice(0, length), { cutFrom: line.length })
      if (seen(left.padEnd(line.length), line, secret) > open) t.fail(`${line.slice(0, length)}: ${left}`)
    }
  }
  t.match(rig.text('2024 mail joe.blo', { cutFrom: 99 }), /^2024 mail \[email\]$/, 'half an address, too')
})

t.test('any boundary of slabs and programs leaves what one read leaves', async t => {
  const lines = LINES.map(([line]) => line)
  const shipping = new Shipping([...ALL])
  const file = Buffer.from(`${lines.join('\n')}\n`)
  const whole = shipping.run(file, 0).text
  t.equal(whole.length, file.length)
  for (const frames of [1, 2, 3, 7]) t.equal(shipping.run(file, 0, 'open', frames).text, whole)
  let from = 0
  for (const line of lines) {
    t.equal(shipping.run(file, from).text, whole.slice(from))
    from += line.length + 1
  }
})

const BODY = Array.from({ length: 20 }, (_, n) =>
  `MIIE${String(n).padStart(2, '0')}${'vQIBADANBgkqhkiG9w0BAQEF'.repeat(3)}`.slice(0, 64),
)
const KEY = ['-----BEGIN RSA PRIVATE KEY-----', ...BODY, 'aXJ1cw==', '-----END RSA PRIVATE KEY-----']

t.test('a private key of several lines goes, wherever reading stops within it', async t => {
  const shipping = new Shipping(['secrets'])
  const text = ['before', ...KEY, 'after', 'password=hunter2', ''].join('\n')
  const file = Buffer.from(text)
  const expected = text
    .split('\n')
    .map(line => (BODY.includes(line) ? `[private-key]${'*'.repeat(51)}` : line === 'aXJ1cw==' ? '********' : line))
    .join('\n')
    .replace('hunter2', '*******')
  for (const frames of [1, 2, 5, 64]) t.equal(shipping.run(file, 0, 'open', frames).text, expected)
  for (let from = file.indexOf('\n') + 1; from > 0 && from < file.length; from = file.indexOf('\n', from) + 1) {
    t.equal(shipping.run(file, from).text, expected.slice(from), `from ${from}`)
  }
  // In the middle of a line, too.
  for (let at = file.indexOf('MIIE'); at < file.indexOf('after'); at += 13) {
    const head = shipping.run(file.subarray(0, at), 0, 'quiet')
    const all = head.text + shipping.run(file, head.to).text
    t.equal(all.length, text.length)
    for (const line of BODY) if (all.includes(line.slice(4, 20))) t.fail(`${at}: ${all}`)
  }
})

t.test('a private key of which the lines are indented goes, wherever reading stops within it', async t => {
  const shipping = new Shipping(['secrets'])
  for (const indent of ['\t', '    ']) {
    const text = ['before', ...KEY.map(line => `${indent}${line}`), 'after', ''].join('\n')
    const file = Buffer.from(text)
    for (let at = file.indexOf('MIIE'); at < file.indexOf('after'); at += 13) {
      const head = shipping.run(file.subarray(0, at), 0, 'quiet')
      const all = head.text + shipping.run(file, head.to).text
      t.equal(all.length, text.length)
      for (const part of [...BODY.map(line => line.slice(4, 20)), 'aXJ1cw']) {
        if (all.includes(part)) t.fail(`${at}: ${all}`)
      }
    }
    const rest = KEY.slice(2).map(line => `${indent}${line}\n`)
    t.notMatch(shipping.run(Buffer.from(`${rest.join('')}after\n`), 0).text, /vQIBADANBgkqhkiG9w|aXJ1/)
  }
})

t.test('the rest of a private key at the head of a file goes', async t => {
  const shipping = new Shipping(['secrets'])
  for (let first = 1; first < KEY.length - 1; first++) {
    const { text } = shipping.run(Buffer.from([...KEY.slice(first), 'after', ''].join('\n')), 0)
    for (const line of [...BODY, 'aXJ1cw==']) if (text.includes(line)) t.fail(`from ${first}: ${text}`)
    t.ok(text.endsWith('-----END RSA PRIVATE KEY-----\nafter\n'))
  }
  const plain = 'Starting\nListening\nDone\n'
  t.equal(shipping.run(Buffer.from(plain), 0).text, plain)
})

t.test('what is written while a key is open is read', async t => {
  const shipping = new Shipping(['secrets'])
  const [begin, first, second, ...rest] = KEY
  const { text } = shipping.run(Buffer.from([begin, first, 'GET /x token=abc', second, ...rest, ''].join('\n')), 0)
  t.match(text, 'GET /x token=***')
  for (const line of BODY) if (text.includes(line)) t.fail(text)
  const lone = [
    'expected -----BEGIN PRIVATE KEY-----',
    ...Array.from({ length: 30 }, (_, n) => `line ${n} of a log`),
    BODY[0],
    '',
  ]
  t.equal(shipping.run(Buffer.from(lone.join('\n')), 0).text, lone.join('\n'), 'a key does not stay open for ever')
})

t.test('text in another encoding is looked at as what it says', async t => {
  for (const encoding of ['utf-16le', 'latin-1'] as const) {
    const encode = (text: string) => Buffer.from(text, encoding === 'utf-16le' ? 'utf16le' : 'latin1')
    const shipping = new Shipping(['secrets'], { encoding })
    const file = encode('é password=hunter2\nuser=é token=abc\n')
    t.equal(shipping.run(file, 0).text, 'é password=*******\nuser=é token=***\n')
    const at = encode('é password=hun').length
    const head = shipping.run(file.subarray(0, at), 0, 'quiet')
    t.equal(head.text + shipping.run(file, head.to).text, 'é password=*******\nuser=é token=***\n')
  }
})
