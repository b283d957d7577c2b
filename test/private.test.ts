/** A private directory: whatever stands in it, nothing outside is read, written or removed, and nothing waits. */
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ourUser, PrivateDirectory, type Refused } from '../src/private.ts'
import { scratch } from './scratch.ts'
import { untested } from './support/untested.ts'

const isRoot = ourUser() === 0
const asRoot = isRoot ? false : 'only root can give files to another user'
const OTHER = 65_534

/** What refused it, or undefined. */
function refusal(work: () => unknown): Refused | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return error as Refused
  }
}

/** A private directory, and a file that is not in it. */
function set(t: Test) {
  const base = scratch(t, { outside: { precious: 'precious' } })
  const precious = join(base, 'outside', 'precious')
  const directory = PrivateDirectory.open(join(base, 'state'))
  t.teardown(() => directory.close())
  return { base, precious, directory, path: directory.path }
}

t.test('it is made with mode 0700, and one that no other user may write to is used as it is', t => {
  const { directory, path } = set(t)
  t.equal(statSync(path).mode & 0o777, 0o700)
  t.equal(directory.made, true)
  chmodSync(path, 0o755)
  const again = PrivateDirectory.open(path)
  t.match(again, { made: false, tightened: false })
  t.equal(statSync(path).mode & 0o777, 0o755)
  again.close()
  t.end()
})

t.test('what is no directory is refused by name, and a link is not followed', t => {
  const { base } = set(t)
  const cases: [kind: string, plant: (path: string) => void][] = [
    ['a symbolic link', path => symlinkSync(join(base, 'outside'), path)],
    ['a symbolic link', path => symlinkSync('nowhere', path)],
    ['a file', path => writeFileSync(path, '')],
    ['a FIFO', path => void execFileSync('mkfifo', [path])],
  ]
  for (const [kind, plant] of cases) {
    const path = join(base, 'planted')
    plant(path)
    t.match(
      refusal(() => PrivateDirectory.open(path)),
      { code: 'NOT_PRIVATE', path, found: kind },
    )
    rmSync(path)
  }
  t.end()
})

t.test(
  'one of another user is refused, and the refusal names the owner, the mode and what is allowed',
  { skip: asRoot },
  t => {
    const { base } = set(t)
    const path = join(base, 'theirs')
    mkdirSync(path)
    chownSync(path, OTHER, OTHER)
    chmodSync(path, 0o2777)
    const error = refusal(() => PrivateDirectory.open(path))
    t.equal(error?.code, 'NOT_PRIVATE')
    t.equal(
      error?.message,
      `${path}: found a directory of user ${OTHER}, mode 02777; allowed: a directory of user 0 that no other user may write to; or any, on a volume that keeps no owners, with state.permissions: ignore`,
    )
    t.end()
  },
)

t.test(
  'where owners are not looked at, it and what is in it may be another user’s, and no link is followed',
  {
    skip: asRoot,
  },
  async t => {
    const { base } = set(t)
    const path = join(base, 'theirs')
    mkdirSync(path)
    chownSync(path, OTHER, OTHER)
    chmodSync(path, 0o777)
    const directory = PrivateDirectory.open(path, 'ignore')
    t.equal(statSync(path).mode & 0o777, 0o777, 'its mode stays')
    t.equal(directory.tightened, false)
    writeFileSync(join(path, 'checkpoint'), 'theirs', { mode: 0o777 })
    chownSync(join(path, 'checkpoint'), OTHER, OTHER)
    t.equal(String(await directory.read('checkpoint', 100)), 'theirs')
    mkdirSync(join(path, 'pins'))
    chownSync(join(path, 'pins'), OTHER, OTHER)
    directory.sub('pins').close()
    symlinkSync(base, join(path, 'unpacked'))
    t.match(
      refusal(() => directory.sub('unpacked')),
      { code: 'NOT_PRIVATE', found: 'a symbolic link' },
    )
    symlinkSync(join(path, 'checkpoint'), join(path, 'link'))
    await t.rejects(directory.read('link', 100), { code: 'NOT_OURS', found: 'a symbolic link' })
    directory.close()
  },
)

t.test('one whose mode cannot be tightened is refused, with the option for such a volume', t => {
  const { path } = set(t)
  chmodSync(path, 0o777)
  if (spawnSync('chattr', ['+i', path]).status !== 0) {
    untested(t, 'a directory whose mode stays', 'no file can be made immutable here')
    t.end()
    return
  }
  t.teardown(() => void spawnSync('chattr', ['-i', path]))
  const allowed = /on a volume that keeps no owners, with state.permissions: ignore/
  t.match(
    refusal(() => PrivateDirectory.open(path)),
    { code: 'NOT_PRIVATE', found: /mode 0777/, allowed },
  )
  PrivateDirectory.open(path, 'ignore').close()
  t.end()
})

t.test('one that a group may write to is tightened, or refused where nothing is to be changed', t => {
  const { path } = set(t)
  chmodSync(path, 0o2770)
  t.match(
    refusal(() => PrivateDirectory.open(path, 'refuse')),
    { code: 'NOT_PRIVATE', found: /mode 02770/ },
  )
  const mended = PrivateDirectory.open(path)
  t.equal(mended.tightened, true)
  t.equal(statSync(path).mode & 0o777, 0o700)
  mended.close()
  t.end()
})

t.test(
  'only a regular file of the same user with one name is read, never beyond a bound, and nothing blocks',
  async t => {
    // The address of a socket has to be short.
    const base = mkdtempSync(join(tmpdir(), 'logshipper-'))
    t.teardown(() => rmSync(base, { recursive: true }))
    const directory = PrivateDirectory.open(join(base, 'state'))
    t.teardown(() => directory.close())
    const place = (name: string) => join(base, 'state', name)
    writeFileSync(join(base, 'secret'), 'secret')
    writeFileSync(place('good'), 'good')
    symlinkSync(join(base, 'secret'), place('link'))
    symlinkSync('/dev/zero', place('zero'))
    execFileSync('mkfifo', [place('fifo')])
    linkSync(join(base, 'secret'), place('hard'))
    mkdirSync(place('directory'))
    const server = createServer().listen(place('socket'))
    await once(server, 'listening')
    t.teardown(() => server.close())
    const found: Record<string, string> = {
      link: 'a symbolic link',
      zero: 'a symbolic link',
      fifo: 'a FIFO',
      hard: 'a file with 2 names',
      directory: 'a directory',
      socket: 'a socket',
    }
    if (isRoot) {
      writeFileSync(place('theirs'), 'x')
      chownSync(place('theirs'), OTHER, OTHER)
      found['theirs'] = `a file of user ${OTHER}`
      execFileSync('mknod', [place('device'), 'c', '1', '5'])
      found['device'] = 'a device'
    }
    for (const [name, what] of Object.entries(found)) {
      await t.rejects(directory.read(name, 100), { code: 'NOT_OURS', found: what }, name)
      t.match(
        refusal(() => directory.openFile(name)),
        { code: 'NOT_OURS', found: what },
        name,
      )
      t.match(
        refusal(() => directory.openToAppend(name)),
        { code: 'NOT_OURS', found: what },
        name,
      )
    }
    for (const name of ['link', 'zero'])
      t.throws(() => directory.openLinked(name), { code: 'ELOOP' }, `${name}, where more names are allowed`)
    for (const name of ['fifo', 'directory']) {
      t.match(
        refusal(() => directory.openLinked(name)),
        { code: 'NOT_OURS', found: found[name] },
        `${name}, where more names are allowed`,
      )
    }
    t.equal(String(await directory.read('good', 4)), 'good')
    await t.rejects(directory.read('good', 3), { code: 'TOO_LARGE', found: '4 bytes', allowed: 'at most 3 bytes' })
    t.equal(await directory.read('absent', 3), undefined)
    t.equal(readFileSync(join(base, 'secret'), 'utf8'), 'secret')
  },
)

t.test('what is written is a new file, whatever had its name', t => {
  const { directory, precious, path } = set(t)
  const name = join(path, 'file')
  const plants: Record<string, () => void> = {
    'a link': () => symlinkSync(precious, name),
    'another name of a file': () => linkSync(precious, name),
    'a FIFO': () => void execFileSync('mkfifo', [name]),
    'a file': () => writeFileSync(name, 'before'),
  }
  for (const [what, plant] of Object.entries(plants)) {
    rmSync(name, { force: true })
    plant()
    const fd = directory.create('file')
    writeSync(fd, 'new')
    closeSync(fd)
    t.equal(readFileSync(name, 'utf8'), 'new', what)
    t.equal(statSync(name).mode & 0o777, 0o600)
    t.equal(readFileSync(precious, 'utf8'), 'precious', what)
  }
  t.end()
})

t.test('a directory in it is private too, and a link in its place is not followed', t => {
  const { base, directory, path } = set(t)
  const sub = directory.sub('pins')
  t.equal(statSync(join(path, 'pins')).mode & 0o777, 0o700)
  t.equal(sub.path, join(path, 'pins'))
  sub.close()
  rmSync(join(path, 'pins'), { recursive: true })
  symlinkSync(join(base, 'outside'), join(path, 'pins'))
  t.match(
    refusal(() => directory.sub('pins')),
    { code: 'NOT_PRIVATE', found: 'a symbolic link' },
  )
  t.end()
})

t.test('renaming it away, and putting another in its place, redirects no operation', t => {
  const { base, directory, path, precious } = set(t)
  t.ok(directory.isAt(path))
  renameSync(path, `${path}.away`)
  symlinkSync(join(base, 'outside'), path)
  t.notOk(directory.isAt(path))
  directory.remove('precious')
  closeSync(directory.create('file'))
  t.ok(existsSync(precious))
  t.notOk(existsSync(join(base, 'outside', 'file')))
  t.ok(existsSync(join(`${path}.away`, 'file')))
  t.end()
})

t.test('once it is closed it names nothing: its descriptor may be that of another directory by then', t => {
  const directory = PrivateDirectory.open(join(scratch(t), 'state'))
  directory.close()
  directory.close()
  t.throws(() => directory.at('file'), { code: 'EBADF' })
  t.end()
})
