/** What a backend refuses for good is kept, and sent again on request under the same ids. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { refuse, Stage, until } from '../program.ts'
import { leash } from '../support/leash.ts'

t.jobs = 3

const PROGRAM = resolve(process.env['LOGSHIPPER_UNDER_TEST'] ?? join(import.meta.dirname, '../../dist/logshipper.cjs'))
const DEAD_LETTERS = {
  LOGSHIPPER_BACKEND_IDS: 'true',
  LOGSHIPPER_BACKEND_COMPRESSION: 'none',
  LOGSHIPPER_BACKEND_STATUSES_REJECTED: '409',
}

async function replay(stage: Stage, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = leash(
    spawn(process.execPath, [PROGRAM, 'replay', ...args], {
      env: { ...stage.env, PATH: process.env['PATH'] },
    }),
  )
  let out = ''
  let err = ''
  child.stdout.on('data', (part: Buffer) => (out += part))
  child.stderr.on('data', (part: Buffer) => (err += part))
  const [code] = await once(child, 'close')
  return { code: code as number, out, err }
}

t.test('a record that was refused is kept, and replayed once with the id it had', async t => {
  const stage = await Stage.set(t, { ...DEAD_LETTERS, LOGSHIPPER_BACKEND_DEAD_LETTER_MAX_BYTES: '1MiB' })
  stage.receiver.behaviour = refuse(409)
  const program = await stage.start()
  writeFileSync(stage.log, Buffer.concat([Buffer.from('one "quoted"\n'), Buffer.from([0xff, 0x0a])]))
  const file = join(stage.state, 'dead-letter', 'http.ndjson')
  t.ok(await until(() => existsSync(file) && readFileSync(file, 'utf8').split('\n').length === 3))
  const letters = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  t.match(letters, [
    { reason: 'http_409', status: 409, source: 'app', file: stage.log, offset: 0, message: 'one "quoted"' },
    { offset: 13, messageBase64: '/w==' },
  ])
  t.equal(statSync(file).mode & 0o777, 0o600, 'no other user may read it')
  appendFileSync(file, 'no record\n')

  stage.receiver.behaviour = undefined
  const ended = await replay(stage)
  t.same(ended, {
    code: 1,
    out: 'http: 2 delivered, 0 rejected again, 1 line unreadable (kept beside)\n',
    err: '',
  })
  t.same(
    stage.receiver.records.map(({ message, id }) => [message, id]),
    [
      ['one "quoted"', `${letters[0].generation}-000000000000`],
      ['\ufffd', `${letters[0].generation}-00000000000d`],
    ],
  )
  t.equal(existsSync(file), false)
  t.equal(readFileSync(join(stage.state, 'dead-letter', 'http.unreadable.ndjson'), 'utf8'), 'no record\n')
  t.match(await replay(stage), { code: 0, out: 'http: no dead letters\n' })

  stage.receiver.behaviour = refuse(409)
  stage.write(1)
  t.ok(await until(() => existsSync(file)), 'the shipper goes on with a new file')
  t.match(await replay(stage), {
    code: 1,
    out: 'http: 0 delivered, 1 rejected again (http_409), kept once more\n',
  })
  t.equal(readFileSync(file, 'utf8').trim().split('\n').length, 1, 'rejected again, kept again')
  t.match(JSON.parse((await replay(stage, '--json')).out), [
    { backend: 'http', delivered: 0, rejected: { http_409: 1 }, unreadable: 0, end: 'complete' },
  ])
  t.equal((await program.kill('SIGTERM')).code, 0)
})

t.test('one poisonous line among many is kept alone; the others arrive in order', async t => {
  const stage = await Stage.set(t, { ...DEAD_LETTERS, LOGSHIPPER_BACKEND_DEAD_LETTER_MAX_BYTES: '1MiB' })
  const program = await stage.start()
  stage.receiver.behaviour = (request, response) => {
    // The request's own lines are not seen here: its length tells, for only what holds the long line is this long.
    const bad = Number(request.headers['content-length']) > 30_000
    response.writeHead(bad ? 400 : 204).end()
    return !bad
  }
  writeFileSync(stage.log, `${stage.take(50)}${'p'.repeat(30_000)}\n`)
  appendFileSync(stage.log, stage.take(50))
  const file = join(stage.state, 'dead-letter', 'http.ndjson')
  t.ok(await until(() => stage.receiver.records.length === 100))
  const ended = await program.kill('SIGTERM')
  t.equal(ended.code, 0)
  stage.complete(t)
  t.match(
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line)),
    [{ reason: 'http_400' }],
  )
  t.match(ended.ledger, [{ statement: { delivered: { lines: 100 }, rejected: { http_400: { lines: 1 } } } }])
})

t.test('the file keeps to its limit; what finds no room is said and counted as rejected all the same', async t => {
  const stage = await Stage.set(t, { ...DEAD_LETTERS, LOGSHIPPER_BACKEND_DEAD_LETTER_MAX_BYTES: '64KiB' })
  stage.receiver.behaviour = refuse(409)
  const program = await stage.start()
  stage.write(2000)
  t.ok(await until(async () => program.says('dead-letter file is full')))
  t.ok(statSync(join(stage.state, 'dead-letter', 'http.ndjson')).size <= 65_536)
  const { text } = await program.get('/metrics')
  t.match(text, /logshipper_dead_letter_bytes\{backend="http"\} \d{5}\n/)
  t.match(text, /logshipper_dead_letter_omitted_total\{backend="http"\} [1-9]/)
  const ended = await program.kill('SIGTERM')
  t.match(ended.ledger, [{ statement: { rejected: { http_409: { lines: 2000 } } } }])
})

t.test('what is rejected again is kept again, though nothing is kept any more or there is no room', async t => {
  const stage = await Stage.set(t, { ...DEAD_LETTERS, LOGSHIPPER_BACKEND_DEAD_LETTER_MAX_BYTES: '64KiB' })
  stage.receiver.behaviour = refuse(409)
  const program = await stage.start()
  stage.write(100)
  const file = join(stage.state, 'dead-letter', 'http.ndjson')
  const kept = (): string[] => readFileSync(file, 'utf8').trim().split('\n')
  t.ok(await until(() => existsSync(file) && kept().length === 100))
  t.equal((await program.kill('SIGTERM')).code, 0)
  delete stage.env['LOGSHIPPER_BACKEND_DEAD_LETTER_MAX_BYTES']
  t.match(await replay(stage), { code: 1, out: /^http: 0 delivered, 100 rejected again/ })
  t.equal(kept().length, 100, 'by a backend that keeps none while it runs')
  const letter = kept()[0]!
  appendFileSync(file, `${letter}\n`.repeat(400))
  t.ok(statSync(file).size > 65_536)
  stage.env['LOGSHIPPER_BACKEND_DEAD_LETTER_MAX_BYTES'] = '64KiB'
  t.match(await replay(stage), { code: 1, out: /^http: 0 delivered, 500 rejected again/ })
  t.equal(kept().length, 500, 'beyond the limit, which what was kept before had passed')
})

t.test('a replay that is interrupted leaves everything for the next one', async t => {
  const stage = await Stage.set(t, { ...DEAD_LETTERS, LOGSHIPPER_BACKEND_DEAD_LETTER_MAX_BYTES: '1MiB' })
  stage.receiver.behaviour = refuse(409)
  const program = await stage.start()
  stage.write(10)
  const file = join(stage.state, 'dead-letter', 'http.ndjson')
  t.ok(await until(() => existsSync(file) && readFileSync(file, 'utf8').split('\n').length === 11))
  t.equal((await program.kill('SIGTERM')).code, 0)
  stage.receiver.behaviour = refuse(503)
  const child = leash(
    spawn(process.execPath, [PROGRAM, 'replay'], { env: { ...stage.env, PATH: process.env['PATH'] } }),
  )
  const before = stage.receiver.requests
  t.ok(await until(() => stage.receiver.requests > before))
  child.kill('SIGINT')
  t.same(await once(child, 'close'), [3, null])
  stage.receiver.behaviour = undefined
  t.match(await replay(stage), { code: 0, out: 'http: 10 delivered, 0 rejected again\n' })
  stage.complete(t)
})

t.test('two replays at once: the second does nothing, and one that was killed blocks none', async t => {
  const stage = await Stage.set(t, { ...DEAD_LETTERS, LOGSHIPPER_BACKEND_DEAD_LETTER_MAX_BYTES: '1MiB' })
  stage.receiver.behaviour = refuse(409)
  const program = await stage.start()
  stage.write(10)
  const file = join(stage.state, 'dead-letter', 'http.ndjson')
  const kept = (path = file): number => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0)
  t.ok(await until(() => kept() === 10))
  stage.receiver.behaviour = refuse(503)
  const before = stage.receiver.requests
  const first = leash(
    spawn(process.execPath, [PROGRAM, 'replay'], { env: { ...stage.env, PATH: process.env['PATH'] } }),
  )
  t.ok(await until(() => stage.receiver.requests > before))
  const replaying = join(stage.state, 'dead-letter', 'http.replaying.ndjson')
  t.match(await replay(stage), {
    code: 3,
    out: '',
    err: /is being replayed already \(process \d+ on .*\); nothing was done/,
  })
  t.equal(kept(replaying), 10, 'what the first one works on is still there')
  first.kill('SIGKILL')
  await once(first, 'close')
  stage.receiver.behaviour = undefined
  t.match(await replay(stage), { code: 0, out: 'http: 10 delivered, 0 rejected again\n' })
  t.equal(kept(replaying), 0)
  t.equal((await program.kill('SIGTERM')).code, 0)
  stage.complete(t)
})

t.test('what makes no sense is said', async t => {
  const stage = await Stage.set(t, DEAD_LETTERS)
  t.match(await replay(stage, '--backend', 'mian'), { code: 2, err: /unknown backend mian; configured: http/ })
  stage.env['LOGSHIPPER_STATE_DIR'] = 'off'
  t.match(await replay(stage), { code: 2, err: /state.dir is off/ })
  stage.env['LOGSHIPPER_BACKEND_DEAD_LETTER_MAX_BYTES'] = '1MiB'
  t.match(await replay(stage), {
    code: 2,
    err: /deadLetter: found a dead-letter file; allowed: none without state.dir/,
  })
})

t.test('a dead-letter file that is a link, or of another user, is neither sent nor copied anywhere', async t => {
  const stage = await Stage.set(t, { ...DEAD_LETTERS, LOGSHIPPER_BACKEND_DEAD_LETTER_MAX_BYTES: '1MiB' })
  const directory = join(stage.state, 'dead-letter')
  mkdirSync(directory, { recursive: true })
  const secret = join(stage.state, 'token')
  writeFileSync(secret, 'a secret\n')
  symlinkSync(secret, join(directory, 'http.ndjson'))
  t.match(await replay(stage), {
    code: 2,
    out: '',
    err: /dead-letter\/http\.ndjson: found a symbolic link; allowed: a regular file of user \d+ with one name/,
  })
  t.same(readdirSync(directory), ['http.ndjson'], 'nothing was moved or made')
  rmSync(join(directory, 'http.ndjson'))
  rmSync(directory, { recursive: true })
  mkdirSync(join(stage.state, 'elsewhere'))
  symlinkSync(join(stage.state, 'elsewhere'), directory)
  t.match(await replay(stage), { code: 2, err: /dead-letter: found a symbolic link/ })
  t.equal(stage.receiver.requests, 0)
})

t.test('where others could write to the state directory nothing is replayed, and it is said why', async t => {
  const stage = await Stage.set(t, { ...DEAD_LETTERS, LOGSHIPPER_BACKEND_DEAD_LETTER_MAX_BYTES: '1MiB' })
  const directory = join(stage.state, 'dead-letter')
  mkdirSync(directory, { recursive: true })
  const forged = {
    source: 'app',
    file: '/x',
    generation: '0'.repeat(16),
    offset: 0,
    labels: {},
    readAt: 1,
    message: 'forged',
  }
  writeFileSync(join(directory, 'http.ndjson'), `${JSON.stringify(forged)}\n`)
  chmodSync(stage.state, 0o777)
  t.match(await replay(stage), {
    code: 2,
    err: /found a directory of user \d+, mode 0777; allowed: a directory of user \d+ that no other user may write to/,
  })
  t.equal(stage.receiver.requests, 0)
  t.same(readdirSync(directory), ['http.ndjson'])
})
