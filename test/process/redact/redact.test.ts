/** What is redacted, and what is not: secrets and personal data as they stand in logs, one after the other. */
import t from 'tap'
import { Rig } from './rig.ts'

const rig = new Rig(['secrets', 'pii'])

/** Each line, and what is left of it. */
function check(title: string, lines: readonly (readonly [string, string])[]): void {
  t.test(title, t => {
    for (const [line, expected] of lines) {
      t.equal(rig.text(line), expected)
      t.equal(rig.text(expected), expected, 'once more')
    }
    t.end()
  })
}

const same = (...lines: string[]): [string, string][] => lines.map(line => [line, line])

check('a password goes wherever its name stands', [
  ['user=joe password=hunter2 from x', 'user=joe password=******* from x'],
  ['user=joe password="hun ter2" from x', 'user=joe password="********" from x'],
  [String.raw`{"password":"hun\"ter2","a":1}`, '{"password":"*********","a":1}'],
  ['{"db":{"dbPassword": "correct horse battery"}}', '{"db":{"dbPassword": "[password]***********"}}'],
  ['GET /login?user=joe&pwd=hunter2&x=1', 'GET /login?user=joe&pwd=*******&x=1'],
  ['X-Password: hunter2', 'X-Password: *******'],
  ['Server=db;Password=hunter2;User=x', 'Server=db;Password=*******;User=x'],
  ["{'password': 'it is'}", "{'password': '*****'}"],
  ["os.environ['DB_PASSWORD'] = 'hunter2'", "os.environ['DB_PASSWORD'] = '*******'"],
  ['run --password hunter2 --token --verbose', 'run --password ******* --token --verbose'],
  ['<password>hunter2</password>', '<password>*******</password>'],
  ['user[password]=hunter2&a=b', 'user[password]=*******&a=b'],
  ['(password=hunter2)', '(password=*******)'],
  ['password="hunter2', 'password="*******'],
])

check('escaped content is looked into', [
  [
    String.raw`{"msg":"{\"password\":\"hunter2\",\"a\":\"b\"}","x":1}`,
    String.raw`{"msg":"{\"password\":\"*******\",\"a\":\"b\"}","x":1}`,
  ],
  [
    String.raw`{"m":"{\"m\":\"{\\\"password\\\":\\\"hunter2\\\"}\"}"}`,
    String.raw`{"m":"{\"m\":\"{\\\"password\\\":\\\"*******\\\"}\"}"}`,
  ],
  [
    String.raw`{"q":"a=b\u0026password\u003dhunter2\u0026user\u003dbob"}`,
    String.raw`{"q":"a=b\u0026password\u003d*******\u0026user\u003dbob"}`,
  ],
  [String.raw`{"m":"password=\"hun ter2\""}`, String.raw`{"m":"password=\"********\""}`],
  ['next=%2Flogin%3Fpassword%3Dhunter2%26a%3Db', 'next=%2Flogin%3Fpassword%3D*******%26a%3Db'],
  [String.raw`{"m":"line\nghp_abcdefghijklmnopqrstuvwxyz0123456789\n"}`, `{"m":"line\\n[github]${'*'.repeat(32)}\\n"}`],
  [String.raw`{"m":"to\njoe@example.com"}`, String.raw`{"m":"to\n[email]********"}`],
])

check('JSON stays JSON', [
  ['{"pin":1,"token":12345,"secret":-1.5e10,"pwd":7}', '{"pin":1,"token":10000,"secret":-0.0e00,"pwd":0}'],
  ['{"token":null,"secret":true}', '{"token":null,"secret":true}'],
  ['{"token":{"a":["x",12,{"b":"y"}],"c":true},"d":"e"}', '{"token":{"a":["*",10,{"b":"*"}],"c":true},"d":"e"}'],
  ['{"a":"password="}', '{"a":"password="}'],
  ['{"a":"password: ","b":"c"}', '{"a":"password: ","b":"c"}'],
  ['{"card":4111111111111111,"n":[5500005555555559]}', '{"card":1000000000000000,"n":[1000000000000000]}'],
])

check('tokens are known by how they begin', [
  [
    'jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4',
    'jwt [jwt]******************************************************',
  ],
  ['key AKIAIOSFODNN7EXAMPLE', 'key [aws]***************'],
  ['AIzaSyA-1234567890abcdefghijklmnopqrstu', '[gcp]**********************************'],
  ['xoxb-123456789-abc', '[slack]***********'],
  [
    'https://hooks.slack.com/services/T000/B000/abcdefghijkl',
    'https://[slack]****************************************',
  ],
  ['glpat-abcdefghij1234567890', '[api-key]*****************'],
  ['x-api-key: 0123456789abcdef', 'x-api-key: [api-key]*******'],
])

check('credentials go, and their scheme stays', [
  ['Authorization: Bearer abcdef123456', 'Authorization: Bearer ************'],
  ['{"headers":{"Authorization":"Basic dXNlcjpwYXNz"}}', '{"headers":{"Authorization":"Basic ************"}}'],
  ['> bearer abcdefgh1234567', '> bearer [bearer]*******'],
  ['postgres://user:p@ss@host/db', 'postgres://user:****@host/db'],
  [String.raw`{"u":"https:\/\/joe:hunter2@h\/x"}`, String.raw`{"u":"https:\/\/joe:[url]**@h\/x"}`],
])

check('personal data is known by its form', [
  ['mail joe.bloggs@example.com, <a@b.co.uk>', 'mail [email]***************, <[email]**>'],
  ['?to=joe%40example.com&x=1', '?to=[email]**********&x=1'],
  ['card 4111 1111 1111 1111 exp 12/25', 'card [pan]************** exp 12/25'],
  ['amex 3782-822463-10005.', 'amex [pan]************.'],
  ['ssn 123-45-6789', 'ssn [ssn]******'],
  ['iban DE89 3704 0044 0532 0130 00 EUR', 'iban [iban]********************* EUR'],
  ['GB82WEST12345698765432', '[iban]****************'],
  ['from 10.1.2.3:80 to 192.168.100.200', 'from [ipv4]**:80 to [ipv4]*********'],
  ['fe80::1%eth0 2001:db8:0:0:1:0:0:1', '[ipv6]*%eth0 [ipv6]**************'],
  // No address has two gaps. What an escape sequence ends with is none of it.
  ['1::2::3 \\:::12ab %3:::1f00', '1::2::3 \\:[ipv6] %3:[ipv6]'],
])

check('what only looks like a secret is left alone', [
  ...same(
    'max_tokens=512 tokenizer=foo bypass=1 compass: x passed=3',
    'basic authentication required, bearer token missing',
    'password reset for joe; the token expired',
    'password= ',
    '1700000000123 4111111111111112 411111111111111 1234567812345678901234',
    'v1.2.3 1.2.3.4.5 300.1.1.1 12:34:56.789 std::vector Face::Bad 00:11:22:33:44:55',
    'DE89370400440532013001 XX89370400440532013000',
    '000-12-3456 666-12-3456 123-00-4567 123-45-0000 1123-45-6789',
    'joe@localhost @scope/pkg@1.2.3 a @ b.com',
    'http://host:8080/a@b ssh://git@host/x',
    '-----BEGIN PUBLIC KEY----- -----BEGIN CERTIFICATE-----',
    'eyJub3QiOiJhIHRva2VuIn0= AKIAIOSFODNN7EXAMPL task-list',
  ),
])

t.test('a name that is configured hides its value, whatever it is', async t => {
  const own = new Rig({ keys: ['sessionId', 'x-api-key', 'id'] })
  t.equal(own.text('{"sessionId":"abc","id":42,"other":1}'), '{"sessionId":"***","id":10,"other":1}')
  t.equal(own.text('sessionid=0123456789abcdef x=1'), 'sessionid=[sessionid]***** x=1')
  t.equal(own.text('X-API-Key: abc'), 'X-API-Key: ***')
  t.equal(own.text('?id=1&sessionId=2&width=3'), '?id=*&sessionId=*&width=3')
  t.equal(own.text('userSessionId=1 sessionIds=2 grid=3 my-id=4'), 'userSessionId=1 sessionIds=2 grid=3 my-id=4')
  t.equal(own.text('password=hunter2'), 'password=hunter2', 'no preset was asked for')
})

t.test('a mask keeps the last bytes', async t => {
  const mask = new Rig({ rules: ['secrets', 'pii'], how: 'mask', keep: 4 })
  t.equal(mask.text('card 4111 1111 1111 1111'), 'card ***************1111')
  t.equal(mask.text('{"card":4111111111111111}'), '{"card":1000000000001111}')
  t.equal(mask.text('password=short77'), 'password=*******', 'not half of it')
  t.equal(mask.text(String.raw`{"password":"abcdefgh\u0041"}`), '{"password":"**************"}', 'no half escape')
  t.equal(mask.text('password=abcdefghéé'), 'password=********éé')
})

t.test('a hash tells equal values apart from others', async t => {
  process.env['REDACT_TEST_KEY'] = 'a key of some length'
  const hash = new Rig({ rules: 'pii', how: 'hash', key: { env: 'REDACT_TEST_KEY' } })
  const [first, again, other] = hash.text('joe@example.com joe@example.com jim@example.com').split(' ')
  t.match(first, /^\[email:[0-9a-f]{7}\]$/)
  t.equal(first, again)
  t.not(first, other)
  t.equal(hash.text(first!), first)
  process.env['REDACT_TEST_KEY'] = 'another key of some length'
  t.not(new Rig({ rules: 'pii', how: 'hash', key: { env: 'REDACT_TEST_KEY' } }).text('joe@example.com'), first)
  process.env['REDACT_TEST_KEY'] = 'short'
  t.throws(() => new Rig({ rules: 'pii', how: 'hash', key: { env: 'REDACT_TEST_KEY' } }), { code: 'ERR_START' })
})

t.test('matches are counted by rule', async t => {
  const counting = new Rig(['password', 'email'])
  counting.text('password=a password=b joe@example.com')
  counting.text('password="a', { partial: true })
  t.same(counting.counts['password'], { rule: 'password', redacted: 3, gaveUp: 1 })
  t.same(counting.counts['email'], { rule: 'email', redacted: 1, gaveUp: 0 })
})
