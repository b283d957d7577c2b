/** One real request per backend says whether it would take lines, and if not, where to look. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { PROGRAM, Receiver, refuse } from '../program.ts'
import { scratch } from '../scratch.ts'

t.jobs = 3

interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function check(t: Test, config: object, ...args: string[]): Promise<Said & { dir: string }> {
  const dir = scratch(t, { logs: { 'app.log': 'a line of the application\n' } })
  const whole = {
    sources: [{ paths: [join(dir, 'logs/*.log')], labels: { team: 'checkout' } }],
    state: { dir: join(dir, 'state') },
    ...config,
  }
  writeFileSync(join(dir, 'config.yaml'), JSON.stringify(whole))
  const child = spawn(process.execPath, [PROGRAM, 'check', '--config', join(dir, 'config.yaml'), ...args])
  let [out, err] = ['', '']
  child.stdout.on('data', (part: Buffer) => (out += part))
  child.stderr.on('data', (part: Buffer) => (err += part))
  const [code] = await once(child, 'close')
  return { code: code as number, out, err, dir }
}

t.test('a backend that takes the line is ok, and nothing else has happened', async t => {
  const receiver = await Receiver.start(t)
  const backends = [{ type: 'http', endpoint: receiver.url, ids: true, deadLetter: {} }, { type: 'stdout' }]
  const { code, out, err, dir } = await check(t, { backends })
  t.equal(code, 0)
  t.equal(err, '')
  t.match(
    out,
    /^http \(http:\/\/127\.0\.0\.1:\d+\): ok: accepted it within \d+ ms\nstdout: ok: our own standard output/,
  )
  t.equal(receiver.requests, 1)
  t.match(receiver.records, [{ message: 'logshipper check', file: '/logshipper/check', team: 'checkout', id: /./ }])
  t.notOk(existsSync(join(dir, 'state')), 'no position, no dead letter')
})

t.test('one that does not is not, with the reason and where to look; the others are asked all the same', async t => {
  const receiver = await Receiver.start(t)
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as { port: number }
  closed.close()
  const { code, out } = await check(t, {
    backends: [
      { name: 'gone', type: 'http', endpoint: `http://127.0.0.1:${port}/` },
      { name: 'nowhere', type: 'loki', endpoint: 'http://no.such.name.invalid:3100' },
      { name: 'secure', type: 'http', endpoint: receiver.url.replace('http:', 'https:') },
      { name: 'good', type: 'http', endpoint: receiver.url },
    ],
    memory: { budget: '32MiB' },
  })
  t.equal(code, 1)
  t.match(out, /^gone .*: not ok: ECONNREFUSED: nothing listens there/m)
  t.match(out, /^nowhere .*: not ok: (ENOTFOUND|EAI_AGAIN): the name in the endpoint does not resolve/m)
  t.match(out, /^secure .*: not ok: ERR_SSL_\w+|^secure .*: not ok: /m)
  t.match(out, /^good .*: ok: /m)
})

t.test('what an answer means is said, once, and no credential with it', async t => {
  const receiver = await Receiver.start(t)
  const backend = { type: 'http', endpoint: receiver.url, auth: { bearer: 'very-secret' } }
  const cases: [number, RegExp][] = [
    [401, /not ok: http_401: the credentials are refused: see auth$/m],
    [404, /not ok: http_404: there is nothing under that path/],
    [503, /not ok: http_503: the address is right; the fault is on its side/],
    [400, /not ok: http_400/],
    [413, /not ok: http_413: not even one line/],
  ]
  for (const [status, words] of cases) {
    receiver.behaviour = refuse(status)
    receiver.requests = 0
    const { code, out, err } = await check(t, { backends: [backend] })
    t.equal(code, 1)
    t.match(out, words)
    t.notMatch(out + err, 'very-secret')
    t.equal(receiver.requests, 1, 'one request')
  }
  receiver.behaviour = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>please log in</html>')
    return false
  }
  t.match(await check(t, { backends: [backend] }), { code: 1, out: /unexpected_html, status 200: a web page/ })
})

t.test('one backend alone can be asked, and a name that is none is told', async t => {
  const receiver = await Receiver.start(t)
  const backends = ['a', 'b'].map(name => ({ name, type: 'http', endpoint: receiver.url }))
  t.match(await check(t, { backends }, '--backend', 'b'), { code: 0, out: /^b .*: ok/ })
  t.equal(receiver.requests, 1)
  t.match(await check(t, { backends }, '--backend', 'c'), { code: 2, err: /no backend is called c; there are a, b/ })
  t.match(await check(t, { backends: [{ type: 'nothing' }] }), { code: 2 })
})
