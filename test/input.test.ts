/** Bad input gets a clear answer and costs no line. */

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, linkSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import t from 'tap'
import { Program, Stage, until } from './program.ts'
import { scratch } from './scratch.ts'
import { otherUser } from './support/otheruser.ts'

t.jobs = 3

const files: [what: string, content: string | undefined, expected: RegExp][] = [
  ['missing', undefined, /config\.yaml: found no such file/],
  ['not YAML', 'sources: [', /config\.yaml:1:/],
  ['indented with tabs', 'sources:\n\t- paths: [/a]\n', /config\.yaml:2:.*tab/i],
  [
    'with a duplicate key',
    'log: { level: info }\nlog: { level: warn }\n',
    /config\.yaml:2: found a key that is there twice/,
  ],
  [
    'ten megabytes long',
    `# ${'x'.repeat(10 * 1024 * 1024)}\n`,
    /config\.yaml.*1MiB|config\.yaml.*1 MiB|config\.yaml.*1048576/,
  ],
  ['misspelt', 'sorces: []\n', /config\.yaml:1: sorces: .*did you mean sources\?/],
  [
    'without a URL',
    'sources: [{ paths: [/a] }]\nbackends: [{ type: http, endpoint: collector }]\n',
    /config\.yaml:2: backends\[0\]\.endpoint/,
  ],
]

for (const [what, content, expected] of files) {
  t.test(`a configuration file that is ${what}: exit code 2 and a sentence that names it`, async t => {
    const dir = scratch(t, content === undefined ? {} : { 'config.yaml': content })
    const program = new Program({}, ['--config', join(dir, 'config.yaml')])
    t.equal((await program.ended).code, 2)
    t.match(program.said.map(({ msg }) => msg).join('\n'), expected)
  })
}

t.test('an empty configuration file is told apart from one that says nothing wrong', async t => {
  const dir = scratch(t, { 'config.yaml': '' })
  const program = new Program({}, ['--config', join(dir, 'config.yaml')])
  t.equal((await program.ended).code, 2)
  t.match(program.said.map(({ msg }) => msg).join('\n'), /LOGSHIPPER_SOURCE_PATHS/, 'it says how to name a source')
})

t.test('a port that is taken: exit code 2 before the first byte is read', async t => {
  const other = createServer().listen(0)
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  const dir = scratch(t, { 'a.log': 'one\n' })
  const program = new Program({ LOGSHIPPER_SERVER_PORT: String(port), LOGSHIPPER_SERVER_ADMIN: 'off' }, [
    join(dir, 'a.log'),
  ])
  t.equal((await program.ended).code, 2)
  t.match(
    program.said.map(({ msg }) => msg).join('\n'),
    `server.port: cannot listen on port ${port}: it is in use (EADDRINUSE)`,
  )
  t.equal(program.stdout, '')
})

t.test('an admin port that another container of the pod has taken keeps nothing from being shipped', async t => {
  const stage = await Stage.set(t)
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  t.teardown(() => holder.close())
  const { port } = holder.address() as AddressInfo
  const program = await stage.start({ LOGSHIPPER_SERVER_ADMIN: `127.0.0.1:${port}` })
  stage.write(10)
  t.ok(await stage.arrived())
  t.ok(program.said.some(({ event, port: at }) => event === 'admin_port_unavailable' && at === port))
  t.equal((await program.get('/livez')).status, 200)
  t.equal((await program.kill('SIGTERM')).code, 0)
  stage.complete(t)
})

t.test('a state directory that can never be one: exit code 2, one sentence, and a signal is not needed', async t => {
  const dir = scratch(t, { 'a.log': 'one\n', file: '', link: t.fixture('symlink', '/nowhere/at/all') })
  const wrong: [path: string, found: RegExp][] = [
    ['/proc/logshipper', /found a file system of the kernel that keeps no files: \/proc;/],
    ['/sys/logshipper', /found a file system of the kernel/],
    [join(dir, 'file'), /found a file in the way: .*\/file;/],
    [join(dir, 'link/state'), /found a symbolic link that leads nowhere: .*\/link;/],
  ]
  for (const [path, found] of wrong) {
    const program = new Program({ LOGSHIPPER_STATE_DIR: path, LOGSHIPPER_SERVER_PORT: 'off' }, [join(dir, 'a.log')])
    t.teardown(() => program.child.kill('SIGKILL'))
    t.equal((await program.ended).code, 2, path)
    t.equal(program.said.length, 1)
    t.match(program.said[0]!.msg, found)
    t.match(program.said[0]!.msg, `state.dir: ${path}: `)
  }
})

t.test('what is no regular file is named, never blocks, and the others go on', async t => {
  const stage = await Stage.set(t)
  const at = (name: string) => join(stage.logs, name)
  mkdirSync(at('directory.log'))
  execFileSync('mkfifo', [at('fifo.log')])
  symlinkSync('/nowhere', at('dangling.log'))
  symlinkSync('/dev/zero', at('device.log'))
  symlinkSync('/etc/passwd', at('secret.log'))
  // The address of a socket may have 107 bytes only; it is bound under a short name and moved.
  const short = join(process.cwd(), `.${process.pid}.sock`)
  const socket = createServer().listen(short)
  await once(socket, 'listening')
  renameSync(short, at('socket.log'))
  t.teardown(() => socket.close())
  stage.write(10)
  const program = await stage.start()
  t.ok(await stage.arrived())
  stage.complete(t)
  const { refused } = JSON.parse((await program.get('/status', 'adminPort')).text) as {
    refused: { path: string; reason: string }[]
  }
  const reasons = Object.fromEntries(refused.map(({ path, reason }) => [path.slice(stage.logs.length + 1), reason]))
  t.match(reasons, {
    'directory.log': 'a directory',
    'fifo.log': 'a FIFO',
    'socket.log': 'a socket',
    'dangling.log': /leads nowhere/,
    'device.log': /.+/,
    'secret.log': /out of the directory/,
  })
  t.notMatch((await program.get('/health')).text, stage.logs, 'paths are shown on loopback only')
  t.equal((await program.kill('SIGTERM')).code, 0)
})

const ROOT = process.getuid?.() === 0
// Root may read everything.
const unable = ROOT && otherUser

t.test('a file that may not be read is named and looked at again; the others go on', { skip: unable }, async t => {
  const stage = await Stage.set(t)
  const locked = join(stage.logs, 'locked.log')
  stage.write(10, locked)
  chmodSync(locked, 0o000)
  if (ROOT) {
    chmodSync(dirname(stage.logs), 0o777)
    chownSync(locked, 65534, 65534)
  }
  const program = new Program(stage.env, [], ROOT ? { uid: 65534 } : {})
  t.teardown(() => program.child.kill('SIGKILL'))
  await program.started
  appendOther(stage)
  t.ok(await until(() => stage.receiver.lines.includes('open')))
  t.match(JSON.parse((await program.get('/health')).text), { sources: [{ refused: { 'permission denied': 1 } }] })
  t.equal(stage.numbers().filter(Number.isFinite).length, 0)
  chmodSync(locked, 0o644)
  t.ok(await stage.arrived())
  t.equal((await program.kill('SIGTERM')).code, 0)
})

function appendOther(stage: Stage): void {
  writeFileSync(join(stage.logs, 'open.log'), 'open\n', { mode: 0o644 })
}

t.test('an unanswered question ends with ^C at once', async t => {
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => silent.close())
  const { port } = silent.address() as AddressInfo
  for (const command of ['status', 'ledger']) {
    const asked = once(silent, 'connection') as Promise<[Socket]>
    const program = new Program({}, [command, '--admin', `127.0.0.1:${port}`])
    const [socket] = await asked
    socket.on('error', () => {})
    const ended = once(program.child, 'exit')
    program.child.kill('SIGINT')
    // By itself it would give up, with a code.
    t.strictSame(await ended, [null, 'SIGINT'])
  }
})

t.test('an endpoint that refuses connections: it starts, logs that, and waits', async t => {
  const stage = await Stage.set(t)
  const { url } = stage.receiver
  stage.receiver.stop()
  const program = await stage.start({ LOGSHIPPER_BACKEND_ENDPOINT: url, LOGSHIPPER_DRAIN_GRACE_PERIOD: '2s' })
  t.equal((await program.get('/startupz')).status, 200)
  stage.write(10)
  t.ok(await until(() => program.says('backend unavailable; retrying')))
  t.equal((await program.get('/livez')).status, 200)
  t.equal((await program.kill('SIGTERM')).code, 3)
})

t.test('a hard link to our own positions is not shipped', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  stage.write(10)
  t.ok(await stage.arrived())
  t.ok(await until(() => existsSync(join(stage.state, 'checkpoint'))))
  linkSync(join(stage.state, 'checkpoint'), join(stage.logs, 'innocent.log'))
  t.ok(await until(() => program.says('a path is not followed')))
  stage.write(10)
  t.ok(await stage.arrived())
  t.notOk(stage.receiver.lines.some(line => line.includes('epoch')))
  t.equal((await program.kill('SIGTERM')).code, 0)
})
