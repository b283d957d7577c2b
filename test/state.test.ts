/** The state directory: the shipper's alone, found again, and told from the logs. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { isOurState, StateDirectory } from '../src/state.ts'
import { scratch } from './scratch.ts'
import { otherUser } from './support/otheruser.ts'
import { Journal } from './tail/rig.ts'

const OTHER = 65_534
const STATE = join(import.meta.dirname, '../src/state.ts')

function opened(t: Test, path: string, options?: { mend: boolean }) {
  const journal = new Journal()
  const state = new StateDirectory(path, journal, options)
  t.teardown(() => state.close())
  return { state, journal, events: () => journal.said.map(({ fields }) => fields['event']) }
}

/** Whether an open file counts as one of our state. */
function isOurs(path: string): boolean {
  const fd = openSync(path, 'r')
  try {
    return isOurState(fd, fstatSync(fd, { bigint: true }))
  } finally {
    closeSync(fd)
  }
}

/** The root of a volume, as the kubelet makes it for a pod with an fsGroup. */
function volume(t: Test): string {
  const root = join(scratch(t), 'volume')
  mkdirSync(root)
  chmodSync(root, 0o2777)
  return root
}

/** What another user's process does. */
function asOther(script: string, ...args: string[]): { out: string; err: string } {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script, ...args], {
    uid: OTHER,
    gid: OTHER,
    encoding: 'utf8',
    cwd: '/',
  })
  return { out: stdout ?? '', err: stderr ?? '' }
}

t.test('on a world-writable volume a private directory below its root is used as it is', t => {
  const dir = join(volume(t), '.logshipper')
  const { state, events } = opened(t, dir)
  t.equal(state.directory.path, dir)
  t.equal(statSync(dir).mode & 0o777, 0o700)
  t.strictSame(events(), [])
  t.end()
})

t.test(
  'where state.dir belongs to another user a directory of its own within it is used, and it is logged',
  { skip: otherUser },
  t => {
    const root = volume(t)
    chownSync(root, OTHER, OTHER)
    const { state, journal } = opened(t, root)
    t.equal(state.directory.path, join(root, 'private'))
    t.match(journal.said, [
      {
        level: 'info',
        fields: {
          event: 'state_within',
          found: `a directory of user ${OTHER}, mode 02777`,
          used: join(root, 'private'),
        },
      },
    ])
    t.end()
  },
)

t.test('what an earlier version kept in such a directory is found again', { skip: otherUser }, t => {
  const root = volume(t)
  writeFileSync(join(root, 'checkpoint'), 'before')
  mkdirSync(join(root, 'dead-letter'))
  writeFileSync(join(root, 'app.log'), 'not ours to move')
  symlinkSync('/etc', join(root, 'pins'))
  chownSync(root, OTHER, OTHER)
  const { state } = opened(t, root)
  t.strictSame(readdirSync(state.directory.path).sort(), ['checkpoint', 'dead-letter'])
  t.strictSame(readdirSync(root).sort(), ['app.log', 'pins', 'private'])
  t.end()
})

t.test('what another user left there under our names is not taken over', { skip: otherUser }, async t => {
  const root = volume(t)
  asOther(`import fs from 'node:fs'; fs.writeFileSync(process.argv[1] + '/checkpoint', 'forged')`, root)
  t.ok(existsSync(join(root, 'checkpoint')))
  chownSync(root, OTHER, OTHER)
  const { state } = opened(t, root)
  t.equal(await state.directory.read('checkpoint', 100), undefined)
  t.end()
})

t.test('a directory that another user planted under its name is not used, nor written to', { skip: otherUser }, t => {
  const root = volume(t)
  const plant = `
    import fs from 'node:fs'
    fs.mkdirSync(process.argv[1] + '/.logshipper/private', { recursive: true })
    fs.chmodSync(process.argv[1] + '/.logshipper', 0o777)
    fs.writeFileSync(process.argv[1] + '/.logshipper/private/checkpoint', 'forged')
  `
  asOther(plant, root)
  const { state } = opened(t, join(root, '.logshipper'))
  t.throws(() => state.directory, { code: 'NOT_PRIVATE', found: /^a directory of user 65534, mode 02755$/ })
  rmSync(join(root, '.logshipper'), { recursive: true })
  t.equal(state.directory.path, join(root, '.logshipper'), 'and is made once that is gone')
  t.end()
})

t.test('another user cannot look into it, nor put anything there', { skip: otherUser }, t => {
  const root = volume(t)
  // Above the volume nothing may keep the other user from it.
  const { state } = opened(t, join(root, '.logshipper'))
  writeFileSync(state.directory.pathOf('checkpoint'), 'ours')
  const { err } = asOther(
    `import fs from 'node:fs'; fs.symlinkSync('/etc/passwd', process.argv[1])`,
    join(root, '.logshipper', 'x'),
  )
  t.match(err, /EACCES/)
  t.end()
})

t.test('a link as its last part is refused, and nothing is written where it leads', t => {
  const base = scratch(t, { outside: {} })
  symlinkSync(join(base, 'outside'), join(base, 'state'))
  const { state } = opened(t, join(base, 'state'))
  t.throws(() => state.directory, { code: 'NOT_PRIVATE', found: 'a symbolic link' })
  t.equal(state.existing('pins'), undefined)
  t.strictSame(readdirSync(join(base, 'outside')), [])
  t.end()
})

t.test('a directory beside logs is made in the one that was looked at, whatever takes its place meanwhile', t => {
  const dir = scratch(t, { state: {}, logs: {}, outside: {} })
  const { state } = opened(t, join(dir, 'state'))
  const logs = join(dir, 'logs')
  const swapped = () => {
    renameSync(logs, `${logs}.before`)
    symlinkSync(join(dir, 'outside'), logs)
    return true
  }
  state.beside({ directory: logs, holds: swapped }, 'tag', true)
  t.strictSame(readdirSync(join(dir, 'outside')), [])
  t.strictSame(readdirSync(join(`${logs}.before`, '.logshipper')), ['tag'])
  t.end()
})

t.test('beside logs a link in the place of our directory is refused, and nothing is made where it leads', t => {
  const dir = scratch(t, { state: {}, logs: {}, outside: {} })
  const { state } = opened(t, join(dir, 'state'))
  const place = { directory: join(dir, 'logs'), holds: () => true }
  symlinkSync(join(dir, 'outside'), join(dir, 'logs', '.logshipper'))
  t.throws(() => state.beside(place, 'tag', true), { code: 'NOT_PRIVATE', found: 'a symbolic link' })
  t.throws(() => state.beside(place, 'tag', false), { code: 'NOT_PRIVATE' })
  t.strictSame(readdirSync(join(dir, 'outside')), [])
  t.equal(state.beside({ ...place, directory: join(dir, 'missing') }, 'tag', false), undefined)
  t.end()
})

t.test('one that is removed while it is used is made again, and that is said', t => {
  const dir = join(scratch(t), 'state')
  const { state, events } = opened(t, dir)
  let renewed = 0
  state.onRenewed = () => renewed++
  state.sub('pins')
  rmSync(dir, { recursive: true })
  t.ok(existsSync(state.sub('pins').path))
  t.strictSame([renewed, ...events()], [1, 'state_replaced'])
  t.equal(state.holder, undefined)
  t.end()
})

t.test('another one in its place may be in use: nothing is written to it until that is known', t => {
  const dir = join(scratch(t), 'state')
  const { state } = opened(t, dir)
  state.sub('pins')
  renameSync(dir, `${dir}.away`)
  mkdirSync(dir)
  t.throws(() => state.directory, { code: 'IN_USE' })
  t.strictSame(readdirSync(dir), [])
  state.holder = undefined
  t.equal(state.directory.path, dir)
  t.end()
})

t.test('an open file of the state directory is known by its inode, whatever its name', t => {
  const base = scratch(t, { logs: { 'app.log': 'a line' } })
  const logs = join(base, 'logs')
  const { state } = opened(t, join(logs, '.logshipper'))
  const { directory } = state
  for (const sub of ['pins', 'unpacked', 'dead-letter'] as const) writeFileSync(state.sub(sub).pathOf('file'), 'ours')
  writeFileSync(directory.pathOf('checkpoint'), 'ours')
  symlinkSync(directory.pathOf('checkpoint'), join(logs, 'link.log'))
  symlinkSync(join(directory.path, 'dead-letter', 'file'), join(logs, 'letters.log'))
  symlinkSync(directory.path, join(logs, 'sub'))
  linkSync(directory.pathOf('checkpoint'), join(logs, 'hard.log'))
  linkSync(join(directory.path, 'dead-letter', 'file'), join(logs, 'hard-letters.log'))
  for (const name of [
    'link.log',
    'letters.log',
    'sub/unpacked/file',
    'sub/pins/file',
    'hard.log',
    'hard-letters.log',
  ]) {
    t.ok(isOurs(join(logs, name)), name)
  }
  t.notOk(isOurs(join(logs, 'app.log')))
  t.end()
})

t.test('among the logs only files with the names of the state are part of it', t => {
  const dir = scratch(t, { 'app.log': 'a line', 'checkpoint.log': 'a line' })
  const { state } = opened(t, `${dir}/`)
  writeFileSync(state.directory.pathOf('checkpoint'), 'ours')
  t.notOk(isOurs(join(dir, 'app.log')) || isOurs(join(dir, 'checkpoint.log')))
  t.ok(isOurs(join(dir, 'checkpoint')))
  t.ok(['checkpoint', 'checkpoint.tmp', 'pins/x', 'claim.1'].every(name => state.ownsPath(join(dir, name))))
  mkdirSync(join(dir, 'private'))
  writeFileSync(join(dir, 'private', 'app.log'), 'a line')
  t.notOk(state.ownsPath(join(dir, 'private', 'app.log')) || isOurs(join(dir, 'private', 'app.log')))
  t.notOk(state.ownsPath(join(dir, 'checkpoint.log')) || state.ownsPath('/checkpoint'))
  t.end()
})

t.test('for a replay nothing is made and nothing is changed', { skip: otherUser }, t => {
  const root = volume(t)
  const { state } = opened(t, root, { mend: false })
  t.throws(() => state.directory, { code: 'NOT_PRIVATE', found: /mode 02777/ })
  chownSync(root, OTHER, OTHER)
  t.throws(() => state.directory, { code: 'NOT_PRIVATE', found: /user 65534/ })
  t.strictSame(readdirSync(root), [])
  t.equal(statSync(root).mode & 0o7777, 0o2777)
  t.end()
})

t.test(
  'a program of another user than the owner of its state directory keeps its state within it',
  { skip: otherUser },
  t => {
    const root = volume(t)
    const script = `
    import { StateDirectory } from ${JSON.stringify(STATE)}
    const quiet = { error() {}, warn() {}, info() {}, debug() {} }
    const { directory } = new StateDirectory(process.argv[1], quiet)
    await (await directory.createAsync('checkpoint')).close()
    process.stdout.write(directory.path)
  `
    const { out, err } = asOther(script, root)
    t.equal(out, join(root, 'private'), err)
    t.equal(statSync(join(root, 'private', 'checkpoint')).uid, OTHER)
    t.equal(readFileSync(join(root, 'private', 'checkpoint'), 'utf8'), '')
    t.end()
  },
)
