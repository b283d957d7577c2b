/** Formats that are expressions, on lines as servers write them, and expressions of one's own. */
import t from 'tap'
import type { ParseOptions } from '../../../src/process/parse/options.ts'
import { Finder, planFor } from './found.ts'

/** What is found in each line, by name; undefined: it is sent as it is. */
function reader(parse: ParseOptions['parse']) {
  const { plan } = planFor({ parse })
  const finder = new Finder(plan)
  return (record: string): Record<string, string> | undefined => {
    const [found] = finder.find([record])
    if (found!.form !== 'values') return undefined
    return Object.fromEntries(
      plan.shape.slots.flatMap(({ name, slot }) => {
        const value = found!.values[slot]
        return value === undefined ? [] : [[name, Buffer.from(value, 'latin1').toString()]]
      }),
    )
  }
}

t.test('nginx: combined, the format of its image, of its ingress controller, and errors', async t => {
  const read = reader('nginx')
  const head = '203.0.113.7 - - [23/Nov/2026:10:00:01 +0000] '
  const common = { client: '203.0.113.7', user: '-', time: '23/Nov/2026:10:00:01 +0000' }
  t.strictSame(read(`${head}"GET /api/cart?step=2 HTTP/1.1" 200 612 "-" "curl/8.5.0"`), {
    ...common,
    ...{ method: 'GET', path: '/api/cart', query: 'step=2', protocol: 'HTTP/1.1' },
    ...{ status: '200', bytes: '612', referer: '-', agent: 'curl/8.5.0' },
  })
  t.match(
    read(`${head}"POST /a HTTP/2.0" 499 0 "https://a.example/?q=\\"x\\"" "a \\"b\\" c" "198.51.100.4, 10.0.0.1"`),
    {
      ...{ method: 'POST', protocol: 'HTTP/2.0', status: '499', referer: 'https://a.example/?q=\\"x\\"' },
      ...{ agent: 'a \\"b\\" c', forwarded: '198.51.100.4, 10.0.0.1' },
    },
  )
  const ingress = `${head}"GET / HTTP/1.1" 200 5 "-" "x" 432 0.004 [default-web-80] [] 10.0.0.9:8080 5 0.004 200 3c3ed04a`
  t.equal(read(ingress)!['rest'], '432 0.004 [default-web-80] [] 10.0.0.9:8080 5 0.004 200 3c3ed04a')
  t.equal(read(ingress)!['path'], '/')
  t.match(read(`${head}"GET /x HTTP/1.1" 200 5 "-" "x" "-" 0.004`), { forwarded: '-', rest: '0.004' })
  for (const request of ['\\x16\\x03\\x01\\x02', '-', '', 'GET', 'quit \\"now\\"']) {
    t.match(read(`${head}"${request}" 400 150 "-" "-"`), { ...common, request, status: '400' })
  }
  t.equal(read(`${head}"GET /%ff?a=b?c=\\x22 HTTP/1.1" 200 5 "-" "x"`)!['query'], 'a=b?c=\\x22')
  t.strictSame(read('2026/11/23 10:00:01 [error] 29#31: *1 open() "/a" failed (2: No such file), client: 10.0.0.1'), {
    ...{ time: '2026/11/23 10:00:01', level: 'error', pid: '29', tid: '31' },
    message: '*1 open() "/a" failed (2: No such file), client: 10.0.0.1',
  })
  for (const no of [
    '',
    'said hi',
    `${head}`,
    `${head}"GET / HTTP/1.1" 200`,
    '10-listen-on-ipv6-by-default.sh: info: x',
  ]) {
    t.equal(read(no), undefined, no)
  }
})

t.test('apache: common, combined, with the virtual host, and errors', async t => {
  const read = reader('apache')
  const common = '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326'
  const values = {
    ...{ client: '127.0.0.1', user: 'frank', time: '10/Oct/2000:13:55:36 -0700', method: 'GET' },
    ...{ path: '/apache_pb.gif', protocol: 'HTTP/1.0', status: '200', bytes: '2326' },
  }
  t.strictSame(read(common), values)
  const combined = `${common} "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"`
  const more = { referer: 'http://www.example.com/start.html', agent: 'Mozilla/4.08 [en] (Win98; I ;Nav)' }
  t.strictSame(read(combined), { ...values, ...more })
  t.strictSame(read(`www.example.com:443 ${combined}`), { ...values, ...more, host: 'www.example.com:443' })
  t.match(read(`${combined} 1234`), { rest: '1234' })
  t.match(read('::1 - - [10/Oct/2000:13:55:36 -0700] "OPTIONS * HTTP/1.0" 200 -'), { bytes: '-', path: '*' })
  t.match(read('10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "-" 408 -'), { request: '-', status: '408' })
  const errors = '[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] '
  const place = {
    time: 'Fri Sep 09 10:42:29.902022 2011',
    module: 'core',
    level: 'error',
    pid: '35708',
    tid: '4328636416',
  }
  const message = 'File does not exist: /usr/local/apache2/htdocs/favicon.ico'
  t.strictSame(read(`${errors}[client 72.15.99.187] ${message}`), { ...place, client: '72.15.99.187', message })
  t.strictSame(read(`${errors}AH00094: Command line: 'httpd'`), { ...place, message: "AH00094: Command line: 'httpd'" })
})

t.test('klog: as Kubernetes writes it', async t => {
  const read = reader('klog')
  t.strictSame(read('I1123 10:00:00.123456       1 controller.go:42] "Starting" controller="pod"'), {
    ...{ level: 'I', time: '1123 10:00:00.123456', pid: '1', caller: 'controller.go:42' },
    message: '"Starting" controller="pod"',
  })
  t.match(read('E0102 03:04:05.000001   12345 reflector.go:150] a\n\tb'), { level: 'E', message: 'a\n\tb' })
  t.equal(read('Info: said'), undefined)
})

t.test('syslog: RFC 5424 and RFC 3164', async t => {
  const read = reader('syslog')
  t.strictSame(
    read('<165>1 2003-10-11T22:14:15.003Z host.example.com evntslog 12 ID47 [a@1 iut="3" x="\\]"][b@1 y="]"] An event'),
    undefined,
    'a bracket in a value has to be escaped',
  )
  t.strictSame(
    read('<165>1 2003-10-11T22:14:15.003Z host.example.com evntslog 12 ID47 [a@1 iut="3" x="\\]"][b@1 y=""] An event'),
    {
      ...{ priority: '165', time: '2003-10-11T22:14:15.003Z', host: 'host.example.com', app: 'evntslog', pid: '12' },
      ...{ msgid: 'ID47', data: '[a@1 iut="3" x="\\]"][b@1 y=""]', message: 'An event' },
    },
  )
  t.strictSame(read('<34>1 2003-10-11T22:14:15Z - su - - -'), {
    ...{ priority: '34', time: '2003-10-11T22:14:15Z', host: '-', app: 'su', pid: '-', msgid: '-' },
  })
  t.strictSame(read("<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8"), {
    ...{ priority: '34', time: 'Oct 11 22:14:15', host: 'mymachine', app: 'su' },
    message: "'su root' failed for lonvick on /dev/pts/8",
  })
  t.strictSame(read('Nov  3 01:02:03 node sshd[4711]: Accepted publickey'), {
    ...{ time: 'Nov  3 01:02:03', host: 'node', app: 'sshd', pid: '4711', message: 'Accepted publickey' },
  })
  t.match(read('2026-11-23T10:00:00.123456+01:00 node systemd[1]: Started'), { app: 'systemd', message: 'Started' })
})

t.test('groups of own expressions are fields; one that took no part is none', async t => {
  const read = reader({
    ...{
      match: [
        '^%{IP:client} (?<user>\\S+) (?:took (?P<ms>\\d+) )?(?<message>.*)',
        '^(?<level>[A-Z]+): ?(?<message>.*)',
      ],
    },
    ...{ types: { ms: 'number' }, fields: [], else: 'keep' },
  })
  t.strictSame(read('10.0.0.1 joe took 17 ms'), { client: '10.0.0.1', user: 'joe', ms: '17', message: 'ms' })
  t.strictSame(read('10.0.0.1 joe said\nhi'), { client: '10.0.0.1', user: 'joe', message: 'said\nhi' }, 'every line')
  t.strictSame(read('WARN: '), { level: 'WARN', message: '' })
  t.equal(read('warn'), undefined)
})

t.test('a dot is no line feed where an expression says so', async t => {
  const read = reader({ match: '(?-s)^(?P<level>[A-Z]+): (?P<message>.*)', types: {}, fields: [], else: 'keep' })
  t.strictSame(read('WARN: a\nb'), { level: 'WARN', message: 'a' })
  const choice = reader({ match: '^(?P<a>x|(?P<b>.*))', types: {}, fields: [], else: 'keep' })
  t.strictSame(choice('xy'), { a: 'x' })
  t.strictSame(choice('yx\n'), { a: 'yx\n', b: 'yx\n' })
})

t.test('a format comes before own expressions', async t => {
  const { plan } = planFor({ parse: { format: 'json', match: '(?<message>.*)', types: {}, fields: [], else: 'keep' } })
  const finder = new Finder(plan)
  t.strictSame(
    finder.find(['{"message":"a"}', '{"message":']).map(({ form, values }) => [form, values[plan.shape.message!]]),
    [
      ['json', '"a"'],
      ['values', '{"message":'],
    ],
  )
})

t.test('which values are numbers is known by name', async t => {
  const numbers = (parse: ParseOptions['parse']) =>
    planFor({ parse })
      .plan.shape.slots.filter(({ number }) => number)
      .map(({ name }) => name)
  t.strictSame(numbers('nginx'), ['status', 'bytes', 'pid', 'tid'])
  const rule = { fields: [], else: 'keep' as const }
  t.strictSame(numbers({ ...rule, format: 'nginx', types: { status: 'text' } }), ['bytes', 'pid', 'tid'])
  t.strictSame(numbers({ ...rule, format: 'logfmt', types: { ms: 'number', user: 'text' } }), ['ms'])
})
