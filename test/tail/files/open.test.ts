import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { isNoise, isPattern, openLike, openRegular, Root } from '../../../src/tail/files/open.ts'
import { scratch } from '../../scratch.ts'
import { leash } from '../../support/leash.ts'

t.test('a regular file below the directory is opened for reading', t => {
  const dir = scratch(t)
  writeFileSync(join(dir, 'app.log'), 'content')
  const opened = openRegular(join(dir, 'app.log'), [new Root(dir)])
  t.equal(opened.kind, 'open')
  if (opened.kind !== 'open') return t.end()
  const bytes = Buffer.alloc(7)
  readSync(opened.fd, bytes, 0, 7, 0)
  t.equal(bytes.toString(), 'content')
  t.throws(() => writeFileSync(opened.fd, 'x'), { code: 'EBADF' }, 'never for writing')
  closeSync(opened.fd)
  t.end()
})

t.test('a file is opened if it is alike, as is seen of it and as stands in it, and lies where it may', t => {
  const dir = scratch(t, { within: {} })
  const root = new Root(join(dir, 'within'))
  for (const name of ['within/short', 'within/like', 'within/other', 'outside'])
    writeFileSync(join(dir, name), name.endsWith('short') ? 'li' : name.endsWith('other') ? 'other' : 'like')
  symlinkSync(join(dir, 'outside'), join(dir, 'within/link'))
  const read: string[] = []
  const open = (name: string) =>
    openLike(join(dir, 'within', name), [root], {
      stats: ({ size }) => size >= 4n,
      content({ fd }) {
        const bytes = Buffer.alloc(5)
        read.push(bytes.toString('utf8', 0, readSync(fd, bytes, 0, 5, 0)))
        return read.at(-1) === 'like'
      },
    })
  const opened = open('like')
  t.equal(opened?.stats.size, 4n)
  closeSync(opened!.fd)
  for (const name of ['short', 'other', 'link', 'none', '.']) t.equal(open(name), undefined, name)
  t.strictSame(read, ['like', 'other', 'like'], 'what is too short is not opened')
  t.end()
})

t.test('what is no regular file is refused with its kind, and nothing blocks', async t => {
  // Not among the others: the address of a socket has to be short.
  const dir = mkdtempSync(join(tmpdir(), 'logshipper-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  execFileSync('mkfifo', [join(dir, 'fifo')])
  mkdirSync(join(dir, 'directory'))
  symlinkSync('/dev/zero', join(dir, 'zero'))
  symlinkSync('fifo', join(dir, 'link to fifo'))
  symlinkSync('nowhere', join(dir, 'dangling'))
  symlinkSync('circle', join(dir, 'circle'))
  const server = createServer().listen(join(dir, 'socket'))
  await once(server, 'listening')
  const reason = (name: string) => {
    const opened = openRegular(join(dir, name), [new Root(dir)])
    return opened.kind === 'refused' ? opened.reason : opened.kind
  }
  t.equal(reason('fifo'), 'a FIFO')
  t.equal(reason('link to fifo'), 'a FIFO')
  t.equal(reason('socket'), 'a socket')
  t.equal(reason('directory'), 'a directory')
  t.equal(reason('zero'), 'a device')
  t.match(reason('dangling'), /leads nowhere/)
  t.match(reason('circle'), /circles/)
  t.equal(reason('absent'), 'absent')
  t.equal(reason('absent/below'), 'absent')
  t.match(reason('not \ufffd UTF-8'), /not UTF-8/)
  server.close()
})

t.test('a link out of the directory is refused unless its target was allowed', t => {
  const base = scratch(t)
  const [logs, secrets, allowed] = ['logs', 'secrets', 'allowed'].map(name => join(base, name))
  for (const dir of [logs!, secrets!, allowed!, `${logs}-secret`]) mkdirSync(dir)
  for (const dir of [logs!, secrets!, allowed!, `${logs}-secret`]) writeFileSync(join(dir, 'file'), 'x')
  const cases: [target: string, kind: string][] = [
    [join(logs!, 'file'), 'open'],
    [join(secrets!, 'file'), 'refused'],
    [join(logs!, '..', 'secrets', 'file'), 'refused'],
    [`${logs}-secret/file`, 'refused'],
    ['/etc/passwd', 'refused'],
    [join(allowed!, 'file'), 'open'],
  ]
  for (const [index, [target, kind]] of cases.entries()) {
    const link = join(logs!, `link${index}`)
    symlinkSync(target, link)
    const opened = openRegular(link, [new Root(logs!, [allowed!, join(base, 'not there')])])
    t.equal(opened.kind, kind, target)
    if (opened.kind === 'open') closeSync(opened.fd)
  }
  // A linked directory on the way is a link out, too.
  symlinkSync(secrets!, join(logs!, 'directory'))
  t.equal(openRegular(join(logs!, 'directory', 'file'), [new Root(logs!)]).kind, 'refused')
  // But the root itself may be a link: it was named.
  symlinkSync(logs!, join(base, 'root'))
  const opened = openRegular(join(base, 'root', 'file'), [new Root(join(base, 'root'))])
  t.equal(opened.kind, 'open')
  if (opened.kind === 'open') closeSync(opened.fd)
  t.end()
})

t.test('a file that may not be read is refused, not an error', t => {
  const dir = scratch(t)
  chmodSync(dir, 0o755)
  const path = join(dir, 'secret.log')
  writeFileSync(path, 'x')
  chmodSync(path, 0o000)
  // Permissions mean nothing to root: a child without privileges looks.
  const module = join(import.meta.dirname, '../../../src/tail/files/open.ts')
  const script = `import { openRegular, Root } from ${JSON.stringify(module)}
    process.setgroups?.([]); process.setgid?.(65534); process.setuid?.(65534)
    console.log(JSON.stringify(openRegular(${JSON.stringify(path)}, [new Root(${JSON.stringify(dir)})])))`
  const arguments_ = [
    '--input-type=module',
    '-e',
    process.getuid?.() === 0 ? script : script.replace(/^.*setuid.*$/m, ''),
  ]
  const { stdout, stderr } = spawnSync(process.execPath, arguments_, { encoding: 'utf8' })
  t.equal(stdout.trim(), '{"kind":"refused","reason":"permission denied"}', stderr)
  t.end()
})

t.test('a directory that becomes a link leads nowhere outside the one that holds it', t => {
  const base = scratch(t, {
    volume: { logs: { 'a.log': 'a' }, releases: { one: { 'b.log': 'b' }, two: { 'b.log': 'b' } } },
    secrets: { 'a.log': 'secret', 'b.log': 'secret' },
    allowed: { 'a.log': 'x' },
  })
  const at = (...names: string[]) => join(base, ...names)
  symlinkSync('releases/one', at('volume/current'))
  const kind = (path: string, root: Root) => {
    const opened = openRegular(path, [root])
    if (opened.kind === 'open') closeSync(opened.fd)
    return opened.kind
  }
  const logs = new Root(at('volume/logs'))
  const current = new Root(at('volume/current'))
  t.equal(kind(at('volume/logs/a.log'), logs), 'open')
  t.equal(kind(at('volume/current/b.log'), current), 'open')

  // The application moves its directory away and puts a link in its place.
  renameSync(at('volume/logs'), at('volume/logs2'))
  symlinkSync(at('secrets'), at('volume/logs'))
  t.equal(kind(at('volume/logs/a.log'), logs), 'refused')
  t.notOk(logs.sound)
  // A release is switched: that is what such a link is for.
  rmSync(at('volume/current'))
  symlinkSync('releases/two', at('volume/current'))
  t.equal(kind(at('volume/current/b.log'), current), 'open')
  t.ok(current.sound)
  rmSync(at('volume/current'))
  symlinkSync(at('secrets'), at('volume/current'))
  t.equal(kind(at('volume/current/b.log'), current), 'refused')
  rmSync(at('volume/current'))
  symlinkSync('/', at('volume/current'))
  t.equal(kind(join(at('volume/current'), at('secrets/b.log')), current), 'refused')
  t.end()
})

t.test('what was not there at the start may come, and lead where it would have led', t => {
  const base = scratch(t, { volume: {}, secrets: { app: { 'a.log': 'secret' } }, other: { 'a.log': 'x' } })
  const at = (...names: string[]) => join(base, ...names)
  symlinkSync(at('volume/data'), at('volume/dangling'))
  const opens = (path: string, root: Root) => {
    const opened = openRegular(path, [root])
    if (opened.kind === 'open') closeSync(opened.fd)
    return opened.kind === 'open'
  }
  const [later, dangling, stolen] = ['volume/later/app', 'volume/dangling', 'volume/stolen/app'].map(
    directory => new Root(at(directory), [at('other')]),
  )
  for (const directory of ['volume/later/app', 'volume/data']) {
    mkdirSync(at(directory), { recursive: true })
    writeFileSync(at(directory, 'a.log'), 'x')
  }
  symlinkSync(at('other/a.log'), at('volume/data/linked.log'))
  symlinkSync(at('secrets'), at('volume/stolen'))
  t.ok(opens(at('volume/later/app/a.log'), later!))
  t.ok(opens(at('volume/dangling/a.log'), dangling!), 'through the link that was there')
  t.ok(opens(at('volume/dangling/linked.log'), dangling!), 'into a directory that was allowed')
  t.notOk(opens(at('volume/stolen/app/a.log'), stolen!))
  // What was allowed is what it was at the start, too.
  renameSync(at('other'), at('other2'))
  symlinkSync(at('secrets/app'), at('other'))
  t.notOk(opens(at('volume/dangling/linked.log'), dangling!))
  t.end()
})

t.test('however an application swaps files, directories and links meanwhile, nothing outside is opened', async t => {
  const base = scratch(t, {
    volume: { logs: { 'a.log': 'own' }, spare: { 'a.log': 'own' } },
    secrets: { 'a.log': 'secret' },
  })
  const at = (...names: string[]) => join(base, ...names)
  const root = new Root(at('volume/logs'))
  const swapper = leash(
    spawn(process.execPath, [
      '--input-type=commonjs',
      '-e',
      `const { renameSync, symlinkSync, writeFileSync } = require('node:fs')
     process.chdir(${JSON.stringify(at('volume'))})
     symlinkSync('../secrets', 'directory')
     for (;;) {
       symlinkSync('../../secrets/a.log', 'file')
       renameSync('file', 'logs/a.log')
       writeFileSync('file', 'own')
       renameSync('file', 'logs/a.log')
       renameSync('logs', 'aside'); renameSync('directory', 'logs')
       renameSync('logs', 'directory'); renameSync('aside', 'logs')
     }`,
    ]),
  )
  t.teardown(() => swapper.kill('SIGKILL'))
  const seen = { open: 0, absent: 0, refused: 0 }
  const buffer = Buffer.alloc(10)
  for (let n = 0; n < 300_000 && Object.values(seen).some(count => count < 20); n++) {
    const opened = openRegular(at('volume/logs/a.log'), [root])
    seen[opened.kind]++
    if (opened.kind !== 'open') continue
    const text = buffer.toString('latin1', 0, readSync(opened.fd, buffer, 0, 10, 0))
    closeSync(opened.fd)
    if (text !== 'own' && text !== '') t.fail(`what was read is ${text}`)
  }
  t.ok(seen.open >= 20 && seen.refused >= 20, `${JSON.stringify(seen)}`)
})

t.test('what is no text in any encoding is noise', t => {
  const dir = scratch(t)
  const isNoisy = (content: Uint8Array | string): boolean => {
    const path = join(dir, 'file')
    writeFileSync(path, content)
    const fd = openSync(path, 'r')
    const noisy = isNoise(fd)
    closeSync(fd)
    return noisy
  }
  const line = 'level=info msg="gr\u00fc\u00dfe \u2192 \u65e5\u672c" \u001b[31mred\u001b[0m\tend\r\n'
  t.notOk(isNoisy(line.repeat(20)), 'UTF-8, with colours')
  t.notOk(isNoisy(Buffer.from(line.repeat(20), 'latin1')), 'Latin-1')
  t.notOk(isNoisy(Buffer.from(line.repeat(20), 'utf16le')), 'UTF-16')
  t.notOk(isNoisy(Buffer.alloc(1000)), 'room that is set aside')
  t.notOk(isNoisy(''), 'nothing')
  t.ok(isNoisy(Buffer.from(Array.from({ length: 512 }, (_, n) => (n * 167 + 13) & 255))), 'bytes of all kinds')
  t.end()
})

t.test('what a program writes over a file repeats itself, and no line does without an end', t => {
  const dir = scratch(t)
  const isRepeated = (content: string): boolean => {
    const path = join(dir, 'file')
    writeFileSync(path, Buffer.from(content, 'latin1'))
    const fd = openSync(path, 'r')
    const repeated = isPattern(fd)
    closeSync(fd)
    return repeated
  }
  for (const pattern of ['U', '\u0092I$', '\u00ff', 'm\u00b6\u00db'])
    t.ok(isRepeated(pattern.repeat(600)), `a pass of shred: ${pattern}`)
  t.notOk(isRepeated('='.repeat(100)), 'a rule that is being written')
  t.notOk(isRepeated(`${'='.repeat(100)}\n`.repeat(10)), 'nor one line after the other')
  t.notOk(isRepeated('\u0000'.repeat(600)), 'nor room that is set aside')
  t.notOk(isRepeated('level=info '.repeat(100)), 'nor words')
  t.end()
})
