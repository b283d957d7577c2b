/** What a command writes arrives whole, however slowly it is read, and whoever reads it. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Output } from '../../src/cli/output.ts'
import { startServer } from '../../src/server/server.ts'
import { PROGRAM } from '../program.ts'
import { scratch } from '../scratch.ts'
import { ACCOUNT, FILE, Stage } from '../server/rig.ts'
import { Journal } from '../tail/rig.ts'

t.jobs = 2
t.setTimeout(120_000)

const MIB = 1024 ** 2

interface Ended {
  readonly code: number
  readonly text: string
}

/** The program through a pipe that is read only when it is full, most likely; of `stream`, what the reader got. */
async function throughSlowPipe(args: readonly string[], stream: 'out' | 'err' = 'out', input = ''): Promise<Ended> {
  const redirected = stream === 'out' ? '' : '2>&1 >/dev/null'
  const script = `{ { "$@" ${redirected}; echo "$?" >&3; } | { sleep 0.5; cat; }; } 3>&2`
  const child = spawn('sh', ['-c', script, 'sh', process.execPath, PROGRAM, ...args], {
    env: { PATH: process.env['PATH'] },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const parts: Buffer[] = []
  let code = ''
  child.stdout.on('data', (part: Buffer) => parts.push(part))
  child.stderr.on('data', (part: Buffer) => (code += part))
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  await once(child, 'close')
  return { code: Number(code.trim().split('\n').at(-1)), text: Buffer.concat(parts).toString() }
}

function inFile(t: Test, name: string, content: string | object): string {
  const path = join(scratch(t, {}), name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

/** Few and long rather than many: it is the length that counts. */
const deployment = (n: number): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-${'x'.repeat(3000)}-${n}
  annotations: { note: ${'y'.repeat(25_000)} }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - { name: web, image: web:1, volumeMounts: [{ name: logs, mountPath: /var/log/app }] }
      volumes:
        - { name: logs, emptyDir: { sizeLimit: 1Gi } }
`
const DEPLOYMENTS = 40
const deployments = Array.from({ length: DEPLOYMENTS }, (_, n) => deployment(n)).join('---\n')

/** What a pipe of Linux holds: bytes. */
const PIPE = 65_536

t.test('schema', async t => {
  const { code, text } = await throughSlowPipe(['schema'])
  t.equal(code, 0)
  t.equal(JSON.parse(text).title, 'logshipper')
  t.ok(text.length > PIPE)
})

t.test('inject, of more workloads than a pipe holds', async t => {
  const { code, text } = await throughSlowPipe(['inject', inFile(t, 'pods.yaml', deployments)])
  t.equal(code, 0)
  t.ok(text.length > MIB)
  t.equal(text.split('\n---\n').length, DEPLOYMENTS)
  t.equal(text.match(/restartPolicy: Always/g)?.length, DEPLOYMENTS)
})

t.test('doctor, and inject’s notes on standard error', async t => {
  const injected = (await throughSlowPipe(['inject', inFile(t, 'pods.yaml', deployments)])).text
  const sick = injected.replaceAll('restartPolicy: Always', 'restartPolicy: OnFailure')
  const file = inFile(t, 'sick.yaml', sick)
  const { code, text } = await throughSlowPipe(['doctor', '--json', file])
  t.equal(code, 1)
  t.ok(text.length > 128 * 1024, `${text.length}`)
  t.ok((JSON.parse(text) as unknown[]).length >= DEPLOYMENTS)
  const words = await throughSlowPipe(['doctor', file])
  t.match(words.text.trimEnd().split('\n').at(-1), /^40 pods: \d+ errors, /)
  const notes = await throughSlowPipe(['inject', inFile(t, 'twice.yaml', injected)], 'err')
  t.equal(notes.code, 0)
  t.equal(notes.text.match(/has a shipper: it is left as it is/g)?.length, DEPLOYMENTS)
})

t.test('status and ledger, as tables and as JSON', async t => {
  const stage = new Stage()
  const { cursors } = FILE
  stage.followed = Array.from({ length: 1000 }, (_, n) => ({ ...FILE, path: `/logs/${'x'.repeat(1600)}/${n}.log` }))
  stage.accounts = Array.from({ length: 3000 }, (_, n) => ({ source: `s${n}`, backend: 'main', statement: ACCOUNT }))
  const running = await startServer({ port: null, admin: { host: '127.0.0.1', port: 0 } }, stage, new Journal())
  t.teardown(() => running.close())
  const admin = `--admin=127.0.0.1:${running.ports.adminPort}`
  const status = await throughSlowPipe(['status', '--json', admin])
  t.equal(status.code, 0)
  t.ok(status.text.length > MIB)
  t.match((JSON.parse(status.text) as { files: object[] }).files.at(-1), { cursors })
  const shown = (await throughSlowPipe(['status', admin])).text
  t.ok(shown.length > 65_536, 'more than a pipe holds')
  t.match(shown, /49\.log .*\nand 950 more files, .*\n\nledger: .* it adds up\n\nnot followed: .*\n$/)
  const ledger = await throughSlowPipe(['ledger', '--json', admin])
  t.equal(ledger.code, 0)
  t.equal((JSON.parse(ledger.text) as object[]).length, 3000)
  t.match((await throughSlowPipe(['ledger', admin])).text, /it adds up\n$/)
})

t.test('config, validate’s problems, and the requests of test', async t => {
  const labels = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`label-${n}`, 'x'.repeat(60)]))
  const sources = Array.from({ length: 200 }, (_, n) => ({ name: `s${n}`, paths: [`/logs/${n}.log`], labels }))
  const good = inFile(t, 'good.json', { sources })
  const { code, text } = await throughSlowPipe(['config', good])
  t.equal(code, 0)
  t.equal(text.match(/sources\[199\]\.labels\.label-\d+ /g)?.length, 20)
  t.match(text.trimEnd().split('\n').at(-1), /^log\.level +"warn" +default$/)
  const bad = inFile(t, 'bad.json', { sources: sources.map(({ name, paths }) => ({ name, paths, lables: {} })) })
  const refused = await throughSlowPipe(['validate', bad], 'err')
  t.equal(refused.code, 2)
  t.equal(refused.text.match(/did you mean labels\?/g)?.length, 200)
  const backends = Array.from({ length: 20 }, (_, n) => ({ name: `b${n}`, type: 'stdout' }))
  const many = inFile(t, 'many.json', { sources: sources.slice(0, 1), backends })
  const shown = await throughSlowPipe(['test', '-c', many], 'out', `${'y'.repeat(99)}\n`.repeat(600))
  t.equal(shown.code, 0)
  t.ok(shown.text.length > MIB)
  t.equal(shown.text.match(/^y{99}$/gm)?.length, 600 * 20)
})

t.test('a reader that has gone is no error, a disk that is full is', async t => {
  const head = spawn('sh', ['-c', '{ "$@"; echo "$?" >&2; } | head -c 10', 'sh', process.execPath, PROGRAM, 'schema'])
  let said = ''
  head.stderr.on('data', (part: Buffer) => (said += part))
  await once(head, 'close')
  t.equal(said, '0\n', 'and nothing is said')
  const full = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(full))
  const child = spawn(process.execPath, [PROGRAM, 'schema'], { stdio: ['ignore', full, 'pipe'] })
  let err = ''
  child.stderr!.on('data', (part: Buffer) => (err += part))
  t.strictSame(await once(child, 'close'), [1, null])
  t.equal(err, 'logshipper: standard output cannot be written (ENOSPC)\n')
})

t.test('a signal ends the wait for a reader that has stopped', async t => {
  // A socket: what is never read stays in it, and this is more than it holds.
  const child = spawn(process.execPath, [PROGRAM, 'inject', inFile(t, 'pods.yaml', deployments)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout.pause()
  await once(child.stdout, 'readable')
  child.kill('SIGTERM')
  t.strictSame(await once(child, 'exit'), [null, 'SIGTERM'])
  child.stdout.destroy()
})

t.test('an output never blocks, keeps the order, and says how it ended', async t => {
  const fifo = join(scratch(t, {}), 'fifo')
  execFileSync('mkfifo', [fifo])
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(fifo, constants.O_WRONLY)
  t.teardown(() => closeSync(writer))
  const output = new Output(writer)
  const lines = Array.from({ length: 30_000 }, (_, n) => `${n} ${'z'.repeat(60)}\n`)
  for (const line of lines) output.write(line)
  let ended = false
  const end = output.end().finally(() => {
    ended = true
  })
  let text = ''
  const buffer = Buffer.alloc(10_000)
  while (!ended) {
    try {
      text += buffer.toString('utf8', 0, readSync(reader, buffer))
    } catch {
      // EAGAIN: nothing is there now.
    }
    await new Promise(resolve => setImmediate(resolve))
  }
  for (let n = 1; text.length < lines.join('').length && n > 0; ) {
    n = readSync(reader, buffer)
    text += buffer.toString('utf8', 0, n)
  }
  t.strictSame(await end, { kind: 'written' })
  t.ok(text === lines.join(''), 'every byte, in order')
  closeSync(reader)
  output.write('more')
  t.strictSame(await output.end(), { kind: 'unread' })
  output.write('and more')
  t.strictSame(await output.end(), { kind: 'unread' })
})
