/** What becomes of one line of a file is shown, and nothing but the file is touched. */
import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { scratch } from '../scratch.ts'
import { inside } from './inside.ts'
import { logshipper } from './manifests.ts'

const KEY = Array.from({ length: 6 }, (_, n) => `MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj${n}`)
const FILE = [
  'INFO first',
  'java.lang.IllegalStateException: no',
  '\tat Main.run',
  'DEBUG health',
  '-----BEGIN PRIVATE KEY-----',
  ...KEY,
  '-----END PRIVATE KEY-----',
  'WARN password=hunter22hunter22 last',
]

interface World {
  readonly directory: string
  readonly log: string
  run(place: string, ...args: string[]): ReturnType<typeof inside>
}

function world(t: Test, sources: (directory: string) => readonly object[], backends?: readonly object[]): World {
  const directory = scratch(t, {})
  const log = join(directory, 'app.log')
  writeFileSync(log, `${FILE.join('\n')}\n`)
  const config = join(directory, 'config.yaml')
  const state = { dir: join(directory, 'state') }
  writeFileSync(
    config,
    JSON.stringify({ sources: sources(directory), backends: backends ?? [{ type: 'stdout' }], state }),
  )
  return { directory, log, run: (place, ...args) => inside(['explain', '--config', config, ...args, place]) }
}

const PROCESSED = { multiline: 'java', level: 'auto', redact: 'secrets', filter: 'info' }

t.test('the record that holds a line is shown, with its lines, its fate and its request', async t => {
  const { log, run, directory } = world(t, directory => [{ name: 'app', paths: [`${directory}/*.log`], ...PROCESSED }])
  const { mtimeMs } = statSync(log)
  const before = readdirSync(directory)
  for (const line of [1, 2, 3]) {
    const { code, out, err } = await run(`${log}:${line}`)
    t.equal(code, 0, err)
    t.match(out, /^# stdout: 1 record of source app\nrecord 1: lines 1–3\n/)
    t.match(out, '# stdout: standard output\nINFO first\njava.lang.IllegalStateException: no\n\tat Main.run\n')
  }
  const dropped = await run(`${log}:4`)
  t.match(dropped.out, '  dropped   filter:below\n\n# stdout: no request (every record is dropped)\n')
  const last = await run(`${log}:${FILE.length}`, '--json')
  const [head, request] = last.out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  t.match(head, {
    lines: [13, 13],
    redacted: [{ rule: 'password', masked: '[password]******' }],
    level: { value: 'warn' },
  })
  t.equal(head.range[1], statSync(log).size)
  t.match(request.body, 'WARN password=[password]****** last')
  t.strictSame([readdirSync(directory), statSync(log).mtimeMs], [before, mtimeMs], 'nothing was written')
})

t.test('a line in the middle of a private key is masked as it is in passing', async t => {
  const { log, run } = world(t, directory => [{ name: 'app', paths: [`${directory}/*.log`], redact: 'secrets' }])
  for (const line of [6, 8, 11]) {
    const { code, out } = await run(`${log}:${line}`)
    t.equal(code, 0)
    t.match(out, '- <private-key>\n')
    t.notMatch(out, 'MIIE')
  }
})

t.test('the first source that follows the file is meant, or the one that is named', async t => {
  const { log, directory, run } = world(
    t,
    directory => [
      { name: 'other', paths: [`${directory}/other/**/*.log`], parse: 'json' },
      { name: 'shut', paths: [`${directory}/*.log`], exclude: [`${directory}/app*`] },
      { name: 'app', paths: [`${directory}/{app,web}.log`] },
    ],
    [
      { name: 'all', type: 'stdout' },
      { name: 'one', type: 'stdout', sources: ['other'] },
    ],
  )
  t.match((await run(`${log}:1`)).out, /^# all: 1 record of source app\n/)
  const nested = join(directory, 'other/a/b')
  mkdirSync(nested, { recursive: true })
  writeFileSync(join(nested, 'x.log'), '{"level":"info"}\n')
  const { out } = await run(join(nested, 'x.log:1'))
  t.match(
    out,
    /^# all: 1 record of source other\nrecord 1: line 1\n {2}parsed {4}json\n(?:.*\n)+# one: 1 record of source other\n/,
  )
  const rotated = join(directory, 'app.log.1')
  writeFileSync(rotated, 'a\nb\n')
  t.match(await run(`${rotated}:2`), {
    code: 2,
    err: `no source follows ${rotated}; their patterns are other: ${directory}/other/**/*.log; shut: ${directory}/*.log; app: ${directory}/{app,web}.log. --source NAME explains it as a file of that source\n`,
  })
  t.match((await run(`${rotated}:2`, '--source', 'app')).out, /# all: standard output\nb\n/)
  t.match(await run(`${rotated}:2`, '--source', 'no'), {
    code: 2,
    err: 'unknown source no; configured: other, shut, app\n',
  })
  t.match((await run(`${directory}/application.log:1`)).err, `source shut excludes it: ${directory}/app*.`)
})

t.test('what cannot be explained is told, with what there is', async t => {
  const { log, directory, run } = world(t, directory => [{ name: 'app', paths: [`${directory}/*`] }])
  const refused = async (place: string, words: string) => t.match(await run(place), { code: 2, out: '', err: words })
  await refused(`${log}:14`, `${log} has no line 14: it has 13 lines\n`)
  await refused(`${directory}/gone:1`, `${directory}/gone is not there\n`)
  await refused(`${directory}:1`, 'no source follows')
  mkdirSync(join(directory, 'sub'))
  await refused(`${directory}/sub:1`, 'is no regular file\n')
  writeFileSync(join(directory, 'old.gz'), gzipSync('a\n'))
  await refused(`${directory}/old.gz:1`, 'is compressed (gzip); allowed: a text')
  writeFileSync(join(directory, 'empty'), '')
  await refused(`${directory}/empty:1`, 'has no line 1: it has 0 lines\n')
  symlinkSync('loop', join(directory, 'loop'))
  await refused(`${directory}/loop:1`, 'cannot be opened (ELOOP)\n')
  for (const place of ['', 'app.log', 'app.log:0', 'app.log:x', ':3']) {
    const { code, err } = await inside(place === '' ? ['explain'] : ['explain', place])
    t.equal(code, 2)
    t.match(err, 'explain takes FILE:LINE')
  }
})

t.test('a line without an end is shown as what it is so far', async t => {
  const { directory, run } = world(t, directory => [{ name: 'app', paths: [`${directory}/*`] }])
  const file = join(directory, 'part')
  writeFileSync(file, 'whole\npart')
  t.match((await run(`${file}:2`)).out, 'record 1: line 2; without a line end: it stays in the file until it has one\n')
})

t.test('as a process it finds a file by a relative path', t => {
  const { directory } = world(t, directory => [{ name: 'app', paths: [`${directory}/*.log`] }])
  const { code, out, err } = logshipper(['explain', '-c', 'config.yaml', 'app.log:1'], '', directory)
  t.equal(code, 0, err)
  t.match(out, '# stdout: standard output\nINFO first\n')
  t.end()
})
