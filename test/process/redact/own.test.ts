/** Expressions of the configuration: what goes, what stays, and that neither depends on where reading stops. */
import fc from 'fast-check'
import t from 'tap'
import { ExpressionError } from '../../../src/process/expression/failure.ts'
import { parse } from '../../../src/process/expression/parse.ts'
import { compileSearch } from '../../../src/process/expression/search.ts'
import { nullable } from '../../../src/process/expression/tree.ts'
import { exports as kernel, layTable, layText } from '../expression/kernel.ts'
import { random, expression as randomExpression, text as randomText } from '../expression/random.ts'
import { keepsTheLaw } from './law.ts'
import { type Piece, Rig, type Say } from './rig.ts'
import { Shipping } from './shipping.ts'
import { json, text } from './texts.ts'

process.env['REDACT_OWN_KEY'] = 'a key of some length'

const ORDER = String.raw`order=(?<secret>\d{8})`
const CUSTOMER = 'CUST-[A-Z0-9]{6}'

t.test('a match goes, or the group called secret of it', async t => {
  const rig = new Rig({ match: { order: ORDER, customer: [CUSTOMER, String.raw`\bcid:(?<secret>\w+)\b`] } })
  for (const [line, expected] of [
    ['order=12345678 for CUST-AB12CD, order=87654321', 'order=[order]* for [customer]*, order=[order]*'],
    ['cid:abcdefghijkl', 'cid:[customer]**'],
    ['acid:abcdefghijkl order=1234567 cust-AB12CD', 'acid:abcdefghijkl order=1234567 cust-AB12CD'],
    ['order=12345678\r', 'order=[order]*\r'],
    ['é order=12345678é', 'é order=[order]*é'],
  ] as const) {
    t.equal(rig.text(line), expected)
    t.equal(rig.text(expected), expected, 'once more')
  }
  t.same(rig.counts['order'], { rule: 'order', redacted: 4, gaveUp: 0 })
  t.same(rig.counts['customer'], { rule: 'customer', redacted: 2, gaveUp: 0 })
})

t.test('assertions see what stands around a match', async t => {
  const rig = new Rig({
    match: { head: '^(?<secret>[0-9]{4})', tail: '(?<secret>[0-9]{4})$', word: String.raw`\b(?<secret>x+)\b` },
  })
  t.equal(rig.lines('1234 1234 1234\n1234y 1234'), '**** 1234 ****\n****y ****')
  t.equal(rig.text('1234 axx xx xxa _xx'), '**** axx ** xxa _xx')
  t.equal(rig.text('0 1234\r'), '0 ****\r', 'a line that ends in CR LF ends before both')
})

t.test('where the group takes no part nothing goes', async t => {
  const rig = new Rig({ match: { id: String.raw`id=(?:public|(?<secret>\w+))` } })
  t.equal(rig.text('id=public id=private1 id=publicx'), 'id=public id=[id]**** id=publicx')
})

t.test('what goes is the union of what rules and expressions find', async t => {
  const rig = new Rig({
    rules: ['secrets', 'pan', 'email'],
    match: { order: String.raw`ORD-\d{16}-(?<secret>\w+)`, mail: String.raw`to (?<secret>joe@\w+)` },
  })
  // The expression finds what stands around a card number although that goes, and the other way round.
  t.equal(rig.text('ORD-4111111111111111-abc'), 'ORD-[pan]***********-***')
  t.equal(rig.text('to joe@example.com'), 'to [email]********')
  t.equal(rig.text('password=ORD-4111111111111111-abc'), 'password=[password]**************')
  const name = new Rig({ rules: 'password', match: { name: 'password=' } })
  t.equal(name.text('password=hunter2'), '[name]**********')
})

t.test('matches that overlap are one mask, and each rule is counted', async t => {
  const rig = new Rig({ match: { one: 'abcdef', two: 'defghi', three: 'ghijkl' } })
  t.equal(rig.text('abcdefghijkl abcdef'), '[one]******* [one]*')
  t.same(
    Object.values(rig.counts).map(({ redacted }) => redacted),
    [2, 1, 1],
  )
})

t.test('JSON stays JSON, whatever an expression matches in it', async t => {
  const wide = new Rig({ match: { wide: '"order": (?<secret>.*)' } })
  const line = '{"order": 12345, "x": "abc\\u0041", "y": [1,2.5,-1e10,true], "z":"q\\"r"}'
  t.equal(wide.text(line), '{"order": 10000, "*": "[wide]***", "*": [0,0.0,-0e00,true], "*":"****"}')
  const part = new Rig({ match: { digits: String.raw`\d{2}`, hex: 'u(?<secret>[0-9]{4})' } })
  t.same(JSON.parse(part.text('{"a":1234567,"b":"x\\u0041y12","c":0.25,"d":-10}')), {
    ...{ a: 1000007, b: 'x******y**', c: 0, d: -10 },
  })
  const record = new Rig({ match: { all: '(?s).+' } })
  t.equal(record.text('first\nsecond line\r\nthird'), '[all]\n[all]******\r\n[all]', 'ends of lines stay')
})

t.test('a mask keeps the last bytes of a match, and a hash tells equal ones', async t => {
  const mask = new Rig({ match: { id: String.raw`\d{4,}`, wide: 'w=(?<secret>.*)' }, how: 'mask', keep: 4 })
  t.equal(mask.text('12345678 1234'), '****5678 ****')
  t.equal(mask.text('****5678'), '****5678')
  t.equal(
    mask.text('{"a":"w=abcdefgh","b":"ijklmnop"}'),
    '{"a":"w=********","*":"********"}',
    'a part of a match keeps none',
  )
  const hash = new Rig({ match: { id: 'id=(?<secret>[a-z]+)' }, how: 'hash', key: { env: 'REDACT_OWN_KEY' } })
  const [one, same, other] = hash.text('id=abcdefghijkl id=abcdefghijkl id=abcdefghijkm').split(' ')
  t.match(one, /^id=\[id:[0-9a-f]{7}\]$/)
  t.equal(one, same)
  t.not(one, other)
  t.match(hash.text('id=abcdef'), /^id=\[[0-9a-f]{4}\]$/)
  const bare = new Rig({ match: { id: String.raw`id=(?<secret>\S+)` }, how: 'hash', key: { env: 'REDACT_OWN_KEY' } })
  t.notMatch(bare.text('id=[deadbeef]'), 'deadbeef', 'what only looks like a hash is none')
})

t.test('a record that goes on elsewhere loses what may be part of a match', async t => {
  const rig = new Rig({ match: { order: ORDER, customer: CUSTOMER } })
  for (const edge of [{ cutFrom: 99 }, { partial: true }] satisfies Piece[]) {
    t.equal(rig.text('x order=1234', edge), 'x order=****')
    t.equal(rig.text('x order=', edge), 'x order=', 'nothing of the group is there')
    t.equal(rig.text('x orde', edge), 'x orde')
    t.equal(rig.text('x CUST', edge), 'x ****')
    t.equal(rig.text('x order=12345678 y', edge), 'x order=[order]* y')
  }
  t.equal(rig.counts['order']!.gaveUp, 2)
  t.equal(rig.counts['customer']!.gaveUp, 2)
  t.equal(rig.text('{"a":"order=12', { cutFrom: 99 }), '{"a":"order=**')
})

t.test('the rest of a line of which the head was sent is looked at with its head', async t => {
  const shipping = new Shipping({ rules: 'secrets', match: { order: ORDER, customer: CUSTOMER } })
  const line = 'a order=12345678 CUST-AB12CD b order=87654321'
  const file = Buffer.from(`first\n${line}\nlast order=11112222\n`)
  const hidden = [...line.matchAll(/order=(\d+)|CUST-\w+/g)].flatMap(({ 0: all, 1: group, index }) => {
    const [from, length] = group ? [index + 6, group.length] : [index, all.length]
    return Array.from({ length }, (_, n) => from + n)
  })
  for (let at = 6; at <= 6 + line.length; at++) {
    const head = shipping.run(file.subarray(0, at), 0, 'quiet')
    const rest = shipping.run(file, head.to)
    const all = (head.text + rest.text).split('\n')[1]!
    t.equal(all.length, line.length)
    const labels = all.replaceAll(/\[\w+\]/g, label => '*'.repeat(label.length))
    for (const place of hidden) if (labels[place] !== '*') t.fail(`${at - 6}: ${all}`)
  }
})

t.test('any boundary of slabs leaves what one read leaves', async t => {
  const lines = Array.from({ length: 40 }, (_, n) => [`order=${12345678 + n}`, 'password=hunter2', `line ${n}`][n % 3]!)
  const file = Buffer.from(`${lines.join('\n')}\n`)
  const shipping = new Shipping({ rules: 'secrets', match: { order: ORDER } })
  const whole = shipping.run(file, 0).text
  t.notMatch(whole, /\d{8}|hunter2/)
  for (const frames of [1, 2, 3, 7]) t.equal(shipping.run(file, 0, 'open', frames).text, whole)
})

t.test('a line behind so much that its head is not at hand loses what could be the rest of a long match', async t => {
  const line = `start ${'word '.repeat(6000)}tail end stop`
  const file = Buffer.from(`${line}\n`)
  const shipping = new Shipping(
    { match: { long: 'start(?<secret>.*)end', short: 'never[0-9]' } },
    { maxLineBytes: 65536 },
  )
  const at = line.indexOf('tail')
  const head = shipping.run(file.subarray(0, at), 0, 'quiet')
  t.equal(head.to, at)
  t.match(shipping.run(file, head.to).text, /^\[long\]\*+\n$/)
  const short = new Shipping({ match: { short: 'never[0-9]' } }, { maxLineBytes: 65536 })
  t.equal(short.run(file, at).text, 'tail end stop\n')
})

t.test('a private key goes although an expression hides where it begins', async t => {
  const body = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj'
  const rig = new Rig({ rules: 'secrets', match: { pem: '-----BEGIN [A-Z ]+-----' } })
  const lines = rig.lines(`a\n-----BEGIN PRIVATE KEY-----\n${body}\n${body}\n-----END PRIVATE KEY-----\nb`)
  t.notMatch(lines, body.slice(0, 12))
  t.match(lines, /^a\n\[pem\]\*+\n/)
})

t.test('what cannot be said in time is masked, and counted', async t => {
  const near = new Rig({ match: { near: String.raw`\w+@\w+` } }, 8 * 1024 ** 2)
  t.equal(near.text('word @ '.repeat(20_000)), 'word @ '.repeat(20_000))
  t.equal(near.counts['near']!.gaveUp, 0)
  t.match(near.text(`${'x'.repeat(64 * 1024)} @`), /^\[near\]\*+$/)
  t.equal(near.counts['near']!.gaveUp, 1)
  const many = new Rig({ match: { order: ORDER } }, 8 * 1024 ** 2)
  t.notMatch(many.text('order=12345678 '.repeat(5000)), /\d/)
  t.equal(many.counts['order']!.gaveUp, 1)
  const long = new Rig({ match: { key: String.raw`key=(?<secret>\S+)` } }, 8 * 1024 ** 2)
  t.notMatch(long.text(`a key=${'v'.repeat(100_000)} b`), 'vv')
})

t.test('an expression of which masks make more and more matches ends with a record of stars', async t => {
  const rig = new Rig({ match: { next: String.raw`x\**(?<secret>[^*])` } })
  const left = rig.text('xabcdefghijklmnop')
  t.equal(left, '*'.repeat(17))
  t.equal(rig.text(left), left)
})

const parts = fc.oneof(
  text,
  fc.constantFrom('order=12345678', 'CUST-AB12CD', ' ', 'cid:joe@example.com', 'order=4111111111111111'),
)
const mixed = fc.array(parts, { maxLength: 5 }).map(all => all.join(' '))
const SOME: Extract<Say, { rules?: unknown }> = {
  rules: ['secrets', 'pii'],
  match: {
    order: ORDER,
    customer: CUSTOMER,
    cid: String.raw`\bcid:(?<secret>\S+)`,
    word: String.raw`\b[a-z]{3}\b`,
    any: '"[^"]*"',
    line: '(?m)^a.*$',
  },
}

for (const [way, say] of Object.entries<Say>({
  replaced: SOME,
  masked: { ...SOME, how: 'mask', keep: 4 },
})) {
  const rig = new Rig(say)
  t.test(`a text that is ${way} has its length, is UTF-8, stays JSON, and is not changed again`, async () => {
    keepsTheLaw(rig, fc.oneof(mixed, json), 1500)
    fc.assert(
      fc.property(json, line => void JSON.parse(rig.text(line))),
      { numRuns: 1000 },
    )
  })
}

t.test('nothing outside of matches is changed, and all within them is', async () => {
  const rig = new Rig({
    match: { order: ORDER, customer: CUSTOMER, sign: String.raw`#\d+(?<secret>x?é)` },
  })
  const expressions = [/order=(\d{8})/dg, /(CUST-[A-Z0-9]{6})/dg, /#\d+(x?é)/dg]
  const word = fc.constantFrom('order=', '12345678', 'CUST-', 'AB12CD', '#', ' ', 'x', 'é', '=', '99', '-')
  fc.assert(
    fc.property(fc.array(word, { maxLength: 24 }), words => {
      const line = words.join('')
      const expected = Buffer.from(line)
      const spans = expressions.flatMap(each => [...line.matchAll(each)].map(({ indices }) => indices![1]!))
      for (const [from, to] of spans) {
        const [begin, end] = [Buffer.byteLength(line.slice(0, from)), Buffer.byteLength(line.slice(0, to))]
        expected.fill('*', begin, end)
      }
      const left = rig.text(line).replaceAll(/\[[a-z]+\]/g, label => '*'.repeat(label.length))
      if (left !== expected.toString()) throw new Error(`${line} became ${left}, not ${expected}`)
    }),
    { numRuns: 3000 },
  )
})

t.test('records go many at a time, and become what they become alone', async () => {
  const rig = new Rig(SOME)
  fc.assert(
    fc.property(
      fc.array(
        mixed.map(line => line.replaceAll('\n', ' ').replaceAll('-----', '')),
        { minLength: 1, maxLength: 12 },
      ),
      lines => {
        const together = rig.records(lines.map(line => Buffer.from(line)))
        for (const [index, line] of lines.entries()) {
          const [alone] = rig.records([Buffer.from(line)])
          if (!together[index]!.equals(alone!)) throw new Error(`${line}: ${together[index]} and ${alone}`)
        }
      },
    ),
    { numRuns: 500 },
  )
})

t.test('a mask may make a match: what is left is what is left of it', async t => {
  const rig = new Rig({ match: { number: '[0-9]{4}', word: String.raw`\b[a-z]\b` } })
  t.equal(rig.text('1234a 12a'), '***** 12a')
})

t.test('whatever an expression is, all that it matches goes, and stays gone', t => {
  let matched = 0
  for (let seed = 1; seed <= 120; seed++) {
    const next = random(seed)
    const expression = randomExpression(next)
    const tree = parse(expression)
    if (tree instanceof ExpressionError || nullable(tree.tree)) continue
    const search = compileSearch(expression)
    if (search instanceof ExpressionError) continue
    const program = layTable(search.program)
    const rig = new Rig({ match: { own: expression } })
    for (let turn = 0; turn < 8; turn++) {
      const text = randomText(next)
      const [left] = rig.records([text])
      if (left!.length !== text.length) t.fail(`${seed}: another length`)
      if (!rig.records([left!])[0]!.equals(left!)) t.fail(`${seed}: ${expression} changes ${text} twice`)
      // A text that looks like JSON keeps what is none of its strings.
      if (/^[\s{["]/.test(text.toString())) continue
      const plain = left!.toString('latin1').replaceAll('[own]', '*****')
      for (const [from, to] of matchesOf(program, text)) {
        matched++
        if (/[^*\r\n]/.test(plain.slice(from, to))) t.fail(`${seed}: ${expression} leaves ${plain} of ${text}`)
      }
    }
  }
  t.ok(matched > 250, `${matched} matches`)
  t.end()
})

/** Matches of a program in a text, one behind the other. */
function* matchesOf(program: number, text: Buffer): Generator<readonly [from: number, to: number]> {
  const start = layText(text)
  kernel.allow(text.length)
  for (let at = start; at < start + text.length; ) {
    const from = kernel.search(program, at, start + text.length, start)
    if (from < 0) return
    at = kernel.matchEnd.value as number
    yield [from - start, at - start]
  }
}
