/** Traces as real runtimes print them become one record each, and what is no trace stays apart. */
import fc from 'fast-check'
import t from 'tap'
import { Kernel } from '../../../src/kernel/kernel.ts'
import { compileMultiline } from '../../../src/process/multiline/compile.ts'
import type { MultilineOptions } from '../../../src/process/multiline/options.ts'
import type { ProcessProblem } from '../../../src/process/problem.ts'

/** The records of a text that ends here, by the real tables in the real kernel. */
function recordsOf(multiline: MultilineOptions['multiline'], text: string, final = true): string[] {
  const problems: ProcessProblem[] = []
  const plan = compileMultiline({ multiline, maxLineBytes: 1 << 20, encoding: 'utf-8' }, problem =>
    problems.push(problem),
  )
  if (plan === undefined) throw new Error(JSON.stringify(problems))
  const kernel = Kernel.create(1 << 20, plan.table.length)
  const rule = { ...plan, table: kernel.lay(plan.table) }
  const from = kernel.arena + 65_536
  const to = from + kernel.bytes.write(text, from)
  const records: string[] = []
  for (let at = from; at < to; ) {
    const count = kernel.records(at, to, kernel.arena, 1000, 10, rule, final)
    if (count === 0) break
    for (let n = 0; n < count; n++) {
      const end = kernel.bytes.readUInt32LE(kernel.arena + 4 * n)
      records.push(kernel.bytes.toString('utf8', at, end))
      at = end + 1
    }
  }
  return records
}

const OWN = { flush: 1000, maxLines: 0, maxBytes: 128 * 1024 } as const

/** Records are parted by lines of three dots. */
const SAMPLES: Record<string, string> = {
  java: `2026-01-02 10:00:00.123 ERROR [main] c.e.App - order failed
java.lang.IllegalStateException: no stock
	at com.example.Stock.take(Stock.java:12)
	at com.example.App.main(App.java:5)
	Suppressed: java.io.IOException: closing
		at com.example.Stock.close(Stock.java:30)
Caused by: java.sql.SQLException: deadlock
	at com.example.Db.query(Db.java:77)
	... 2 more
...
2026-01-02 10:00:01.000 INFO  [main] c.e.App - next
...
Exception in thread "main" java.lang.OutOfMemoryError: Java heap space
	at com.example.App.main(App.java:9)
...
plain line
...
2026-01-02 10:00:02.000 ERROR [main] c.e.App - failed
java.lang.IllegalStateException: cannot begin:

the first reason
  and the second
	at com.example.App.main(App.java:5)
	Suppressed: java.io.IOException: closing
failed twice
		at com.example.Stock.close(Stock.java:30)
	Caused by: java.io.IOException: no
space
		... 3 common frames omitted
Caused by: java.sql.SQLException: deadlock
found
	at com.example.Db.query(Db.java:77)
	... 2 more
...
2026-01-02 10:00:03.000 WARN  [main] c.e.App - without frames
com.example.NotFoundException: 17
of them
...
[main] INFO next
...
Exception in thread "main" java.lang.Error: of
two lines
	at com.example.App.main(App.java:9)
...
{"level":"info","message":"an object"}
...
java.io.IOException: that was printed
	at com.example.App.main(App.java:9)
...
Nov 27, 2026 1:36:15 PM com.example.Pool take
WARNING: waited for a connection
...
Nov. 27, 2026 11:36:15 AM com.example.Pool take
SCHWERWIEGEND: a connection is broken
java.lang.IllegalStateException: closed
	at com.example.Pool.take(Pool.java:9)
	... 3 more

...
Nov 27, 2026 1:36:16 PM com.example.Pool take
INFO: next
...
at the end`,
  python: `ERROR:root:failed
Traceback (most recent call last):
  File "/app/a.py", line 3, in f
    return 1 / 0
           ~~^~~
ZeroDivisionError: division by zero

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/a.py", line 9, in <module>
    g()
  File "/app/a.py", line 6, in g
    raise KeyError("x")
requests.exceptions.ConnectTimeout: HTTPSConnectionPool(host='x', port=443)
...
INFO:root:next
...
INFO:root:after`,
  go: `2026/01/02 10:00:00 listening
...
panic: runtime error: index out of range [3] with length 2 [recovered]
	panic: again

goroutine 1 [running]:
main.f(...)
	/app/main.go:7
main.(*server).serve(0xc000010000, {0x1, 0x2})
	/app/main.go:12 +0x1d
net/http.HandlerFunc.ServeHTTP(0x0)
	/usr/local/go/src/net/http/server.go:2109 +0x2f
created by main.main in goroutine 1
	/app/main.go:3 +0x25
exit status 2
...
2026/01/02 10:00:01 http: panic serving 127.0.0.1:1234: boom
goroutine 19 [running]:
net/http.(*conn).serve.func1()
	/usr/local/go/src/net/http/server.go:1850 +0xbf
panic({0x6877a0, 0x8d25f0})
	/usr/local/go/src/runtime/panic.go:890 +0x262
gopkg.in/yaml%2ev3.(*parser).parse(0xc00004faf0?, {0x746c10?, 0xc0001880e0?}, 0x0?)
	/go/pkg/mod/gopkg.in/yaml.v3@v3.0.1/decode.go:163 +0x2f
...additional frames elided...
created by net/http.(*Server).Serve
	/usr/local/go/src/net/http/server.go:3102 +0x4db
...
{"level":"info"}
...
goroutine 7 [running]:
main.main()
	/app/main.go:7 +0x1
...
2026/01/02 10:00:02 recovered: assignment to entry in nil map
goroutine 19 [running]:
runtime/debug.Stack()
	/usr/local/go/src/runtime/debug/stack.go:24 +0x65
panic({0x48de20, 0x4ba958})
	/usr/local/go/src/runtime/panic.go:884 +0x212
...
panic: of
two lines

goroutine 1 [running]:
main.main()
	/app/main.go:7 +0x1
...
runtime: goroutine stack exceeds 1000000000-byte limit
runtime: sp=0xc0200e0398 stack=[0xc0200e0000, 0xc0400e0000]
fatal error: stack overflow

runtime stack:
runtime.throw({0x49c2b5?, 0x51a940?})
	/usr/local/go/src/runtime/panic.go:1047 +0x5d fp=0x7ffe30b5ed80 sp=0x7ffe30b5ed50 pc=0x431d9d

goroutine 1 [running]:
main.f(0x1)
	/app/main.go:3 +0x3d
...
2026/01/02 10:00:03 next`,
  node: `listening on 3000
...
/app/server.js:10
    throw new TypeError('boom')
    ^

TypeError [ERR_X]: boom
    at handler (/app/server.js:10:11)
    at node:internal/main {
  code: 'ERR_X'
}

Node.js v26.10.0
...
failed Error: connect ECONNREFUSED 127.0.0.1:5432
    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1495:16) {
  errno: -111
}
...
next`,
  ruby: `app.rb:3:in \`divide': divided by 0 (ZeroDivisionError)
	from app.rb:3:in \`main'
	from app.rb:9:in \`<main>'
...
E, [2026-01-02T10:00:00.000000 #1] ERROR -- : failed
app/models/order.rb:12:in \`total'
app/controllers/orders_controller.rb:5:in \`show'
...
I, [2026-01-02T10:00:00.000000 #1]  INFO -- : next`,
  php: `[02-Jan-2026 10:00:00 UTC] PHP Fatal error:  Uncaught Exception: boom in /app/a.php:3
Stack trace:
#0 /app/a.php(7): f()
#1 {main}
  thrown in /app/a.php on line 3
...
[02-Jan-2026 10:00:01 UTC] PHP Warning:  next
...
[2026-01-02 10:00:00] production.ERROR: boom {"exception":"[object] (Exception(code: 0): boom at /app/a.php:3)
[stacktrace]
#0 /app/b.php(1): f()
#1 {main}
"}
...
[2026-01-02 10:00:02] production.INFO: next`,
  dotnet: `fail: App.Worker[0]
      order failed
      System.InvalidOperationException: no stock
       ---> System.TimeoutException: late
         at App.Db.Query() in /src/Db.cs:line 7
         --- End of inner exception stack trace ---
         at App.Worker.Run() in /src/Worker.cs:line 3
...
info: App.Worker[0]
      next
...
Unhandled exception. System.NullReferenceException: Object reference not set
   at App.Program.Main() in /src/Program.cs:line 9
...
plain`,
  rust: `thread 'main' (42) panicked at src/main.rs:4:5:
index out of bounds: the len is 3 but the index is 99
stack backtrace:
   0: rust_begin_unwind
             at /rustc/library/std/src/panicking.rs:665:5
   1: core::panicking::panic_fmt
note: Some details are omitted, run with \`RUST_BACKTRACE=full\`
...
thread 'main' panicked at 'old style', src/main.rs:2:5
note: run with \`RUST_BACKTRACE=1\` environment variable to display a backtrace
...
Error: could not read

Caused by:
    0: opening
    1: No such file or directory (os error 2)
...
INFO next`,
  indent: `a
  b
	c
...
d
...
e`,
  date: `2026-01-02T10:00:00Z first
SELECT *
FROM t
...
[02/Jan/2026:10:00:00 +0000] second
more
...
Jan  2 10:00:00 host third
...
I0102 10:00:00.000000       1 klog
...
ERROR 2026-01-02 10:00:00,000 fourth
}
...
1767323045.123 fifth
...
{"time":"2026"}`,
}

for (const [preset, sample] of Object.entries(SAMPLES)) {
  t.test(`${preset}: a trace is one record with what led to it, and other lines stay apart`, t => {
    const expected = sample.split('\n...\n')
    t.strictSame(recordsOf(preset as 'java', `${expected.join('\n')}\n`), expected)
    t.strictSame(
      recordsOf(preset as 'java', `${expected.join('\r\n').replaceAll(/(?<!\r)\n/g, '\r\n')}\r\n`).map(text =>
        text.replaceAll('\r', ''),
      ),
      expected,
      'with carriage returns too',
    )
    t.end()
  })
}

t.test('of several languages each finds its own traces', t => {
  const mixed = [SAMPLES['java']!, SAMPLES['python']!].flatMap(sample => sample.split('\n...\n'))
  t.strictSame(recordsOf(['java', 'python'], `${mixed.join('\n')}\n`), mixed)
  t.end()
})

t.test('own expressions: start, continue, end, and start with end', t => {
  const text = 'BEGIN 1\na\nEND\nb\nBEGIN 2\nc\n'
  t.strictSame(recordsOf({ ...OWN, start: '^BEGIN' }, text), ['BEGIN 1\na\nEND\nb', 'BEGIN 2\nc'])
  t.strictSame(recordsOf({ ...OWN, start: 'N \\d' }, text), ['BEGIN 1\na\nEND\nb', 'BEGIN 2\nc'], 'anywhere in a line')
  t.strictSame(recordsOf({ ...OWN, continue: ['^[a-z]$', '^END'] }, text), ['BEGIN 1\na\nEND\nb', 'BEGIN 2\nc'])
  t.strictSame(recordsOf({ ...OWN, end: 'END$' }, text), ['BEGIN 1\na\nEND', 'b\nBEGIN 2\nc'])
  t.strictSame(recordsOf({ ...OWN, start: '^BEGIN', end: '^END' }, text), ['BEGIN 1\na\nEND', 'b', 'BEGIN 2\nc'])
  t.end()
})

t.test('a line begins a record by its own bytes, whatever lines stood before it', async () => {
  const heads = ['2026-01-02 10', '2026-01-02', '2026-01-0', '2026-01-03 1', '2026-01-02\t', 'ab', 'abc', ' at', '']
  const tails = ['', 'c', ':00', ' INFO', '\r', '\rx', '-02 x']
  const line = fc.tuple(fc.constantFrom(...heads), fc.constantFrom(...tails)).map(([head, tail]) => head + tail)
  for (const start of [
    '^\\d{4}-\\d{2}-\\d{2}[ T]',
    '^2026-01-0(?:2|3 1)',
    '^(?:2026-01-02|abc$)',
    '^ab?$|^2026-01-02 10:',
    '^abc[^x]',
  ]) {
    const begins = new RegExp(start)
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 24 }), lines => {
        const expected: string[] = []
        for (const each of lines) {
          if (expected.length === 0 || begins.test(each.replace(/\r$/, ''))) expected.push(each)
          else expected.push(`${expected.pop()}\n${each}`)
        }
        const found = recordsOf({ ...OWN, start }, `${lines.join('\n')}\n`)
        if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`${start}: ${JSON.stringify(found)}`)
      }),
      { numRuns: 60 },
    )
  }
})

t.test('the last record is not complete until nothing follows; one that its end expression ended is', t => {
  t.strictSame(recordsOf('indent', 'a\n b\nc\n d\n', false), ['a\n b'])
  t.strictSame(recordsOf({ ...OWN, end: 'END$' }, 'a\nEND\nb\n', false), ['a\nEND'])
  t.end()
})

t.test('a record of more lines or bytes is cut between two lines', t => {
  t.strictSame(recordsOf({ ...OWN, preset: 'indent', maxLines: 2 }, 'a\n b\n c\n d\n e\nf\n'), [
    'a\n b',
    ' c\n d',
    ' e',
    'f',
  ])
  const long = Array.from({ length: 40 }, (_, n) => ` ${n} ${'x'.repeat(95)}`)
  const records = recordsOf({ ...OWN, preset: 'indent', maxBytes: 1024 }, `${['a', ...long].join('\n')}\n`)
  t.strictSame(records.join('\n'), ['a', ...long].join('\n'))
  t.ok(records.length > 3 && records.every(record => record.length <= 1024))
  t.end()
})

t.test('what cannot be compiled is a problem at its key', t => {
  const problems: ProcessProblem[] = []
  const report = (problem: ProcessProblem) => void problems.push(problem)
  const subject = { maxLineBytes: 1 << 20, encoding: 'utf-8' }
  t.equal(compileMultiline({ ...subject, multiline: { ...OWN, start: ['^a', '^(b'] } }, report), undefined)
  t.equal(compileMultiline({ ...subject, multiline: { ...OWN, start: '^(?=a)' } }, report), undefined)
  t.equal(compileMultiline({ ...subject, multiline: { ...OWN, start: 'a', continue: 'b' } }, report), undefined)
  t.equal(compileMultiline({ ...subject, multiline: OWN }, report), undefined)
  t.equal(compileMultiline({ ...subject, encoding: 'latin-1', multiline: 'java' }, report), undefined)
  t.strictSame(
    problems.map(({ path }) => path.join('.')),
    ['multiline.start.1', 'multiline.start', 'multiline', 'multiline', 'multiline'],
  )
  t.match(problems[0]!.found, /column 2/)
  t.match(problems[1]!, { hint: /\w/ })
  t.end()
})
