/** Pins keep unacknowledged files alive through their deletion and our own death. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { StateDirectory } from '../../../src/state.ts'
import { inodeOf } from '../../../src/tail/files/fingerprint.ts'
import { Root } from '../../../src/tail/files/open.ts'
import { Pins } from '../../../src/tail/state/pins.ts'
import { scratch } from '../../scratch.ts'
import { type Room, room, source } from '../rig.ts'

const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }
const ID = '0123456789abcdef'
const pinnedBy = ({ tail: { pins } }: Room) => (pins.kind === 'works' ? pins.pinned : 0)
const state = (dir: string) => new StateDirectory(join(dir, 'state'), quiet)
const EPOCH = 'ffffffffffffffff'
const inode = (path: string) => inodeOf(lstatSync(path, { bigint: true }))

t.test('a pinned file outlives its name, and is gone when it is released', t => {
  const dir = scratch(t, { 'a.log': 'one\n' })
  const pins = new Pins(state(dir), quiet)
  const path = join(dir, 'a.log')
  t.ok(pins.pin(ID, path, inode(path)))
  t.ok(pins.pin(ID, path, inode(path)), 'twice is as good as once')
  rmSync(path)
  const pin = pins.path(ID)!
  t.equal(readFileSync(pin, 'utf8'), 'one\n')
  t.strictSame(pins.health, { kind: 'works', pinned: 0 }, 'it counts once a checkpoint names it')
  pins.saved(ID)
  t.strictSame(pins.health, { kind: 'works', pinned: 1 })
  pins.release(ID)
  t.notOk(existsSync(pin))
  t.end()
})

t.test('a name that leads to another file by now is not pinned', t => {
  const dir = scratch(t, { 'a.log': 'one\n', 'b.log': 'two\n' })
  const pins = new Pins(state(dir), quiet)
  t.notOk(pins.pin(ID, join(dir, 'a.log'), inode(join(dir, 'b.log'))))
  t.notOk(pins.pin(ID, join(dir, 'gone.log'), inode(join(dir, 'b.log'))))
  t.strictSame(readdirSync(join(dir, 'state', 'pins')), [])
  t.strictSame(pins.health, { kind: 'works', pinned: 0 })
  t.end()
})

t.test('the next process takes over the pins it needs and removes the others, but nothing else', t => {
  const dir = scratch(t, { 'a.log': 'one\n', state: { pins: { 'not ours': '' } } })
  const path = join(dir, 'a.log')
  const before = new Pins(state(dir), quiet)
  before.pin(ID, path, inode(path))
  linkSync(path, join(dir, 'state', 'pins', 'fedcba9876543210'))
  const after = new Pins(state(dir), quiet)
  after.inherit(new Set([ID]), EPOCH)
  t.ok(after.has(ID))
  t.strictSame(readdirSync(join(dir, 'state', 'pins')).sort(), [ID, 'not ours'])
  t.end()
})

/** It is a file system of its own wherever it exists. */
const SECOND = '/dev/shm'
const skip = existsSync(SECOND) ? false : 'there is no second file system'

/** Logs on a file system of their own. */
function elsewhere(t: Test): string {
  const logs = mkdtempSync(join(SECOND, 'logshipper-'))
  t.teardown(() => rmSync(logs, { recursive: true }))
  writeFileSync(join(logs, 'a.log'), 'one\n')
  return logs
}

t.test('where links are impossible the reason is said, and nothing fails', { skip }, t => {
  const dir = scratch(t, { state: { pins: {} } })
  const other = join(elsewhere(t), 'a.log')
  const said: string[] = []
  const pins = new Pins(state(dir), { ...quiet, info: (_fields, sentence) => said.push(sentence) })
  t.notOk(pins.pin(ID, other, inode(other)))
  t.notOk(pins.pin(ID, other, inode(other)), 'it is not retried at once')
  t.strictSame(pins.health, {
    kind: 'impossible',
    reason: 'the logs lie on another file system than the state directory and than the directory they are found in',
  })
  t.equal(said.length, 1)
  t.strictSame(new Pins(null, quiet).health, { kind: 'impossible', reason: 'there is no state directory' })
  t.end()
})

t.test(
  'with the state on another file system pins lie beside the logs, each state’s in a directory of its own',
  { skip },
  t => {
    const dir = scratch(t, { state: {} })
    const logs = elsewhere(t)
    const log = join(logs, 'a.log')
    const who = inode(log)
    const begin = (epoch: string, generations: readonly string[] = []) => {
      const pins = new Pins(state(dir), quiet, [new Root(logs)])
      pins.inherit(new Set(generations), epoch)
      return pins
    }
    const [one, other] = [begin(EPOCH), begin('0000000000000000')]
    t.ok(one.pin(ID, log, who) && other.pin(ID, log, who))
    t.equal(readdirSync(join(logs, '.logshipper')).length, 2)
    t.ok(one.holds(one.path(ID)!))
    rmSync(log)
    const after = begin(EPOCH, [ID])
    t.ok(after.has(ID))
    const found = after.open(ID, who)
    t.equal(found && readFileSync(found.opened.fd, 'utf8'), 'one\n')
    if (found) closeSync(found.opened.fd)
    after.release(ID)
    t.notOk(existsSync(one.path(ID)!))
    t.ok(existsSync(other.path(ID)!), 'that of another state stays')
    t.end()
  },
)

t.test('beside the logs nothing is trusted: what is not the inode that was linked is ignored', { skip }, t => {
  const dir = scratch(t, { state: {}, secret: 'secret' })
  const logs = elsewhere(t)
  const log = join(logs, 'a.log')
  const who = inode(log)
  const pins = new Pins(state(dir), quiet, [new Root(logs)])
  pins.inherit(new Set(), EPOCH)
  pins.pin(ID, log, who)
  const pin = pins.path(ID)!
  const plants: Record<string, () => void> = {
    'another file': () => writeFileSync(pin, 'forged'),
    'a link': () => symlinkSync(join(dir, 'secret'), pin),
    'a FIFO': () => void execFileSync('mkfifo', [pin]),
    'a directory': () => mkdirSync(pin),
  }
  for (const [what, plant] of Object.entries(plants)) {
    rmSync(pin, { recursive: true })
    plant()
    t.equal(pins.open(ID, who), undefined, what)
    const after = new Pins(state(dir), quiet, [new Root(logs)])
    after.inherit(new Set([ID]), EPOCH)
    t.equal(after.open(ID, who), undefined, what)
  }
  t.end()
})

t.test('a directory beside the logs that is a link, or another user’s, is neither read nor cleared', { skip }, t => {
  const dir = scratch(t, { state: {}, outside: { fedcba9876543210: 'precious' } })
  const logs = elsewhere(t)
  const log = join(logs, 'a.log')
  const pins = new Pins(state(dir), quiet, [new Root(logs)])
  pins.inherit(new Set(), EPOCH)
  pins.pin(ID, log, inode(log))
  const place = dirname(pins.path(ID)!)
  rmSync(place, { recursive: true })
  symlinkSync(join(dir, 'outside'), place)
  const after = new Pins(state(dir), quiet, [new Root(logs)])
  after.inherit(new Set(), EPOCH)
  t.notOk(after.pin(ID, log, inode(log)))
  t.match(after.health, { kind: 'impossible', reason: 'the directory for them is not ours alone' })
  rmSync(join(logs, '.logshipper'), { recursive: true })
  symlinkSync(join(dir, 'outside'), join(logs, '.logshipper'))
  const last = new Pins(state(dir), quiet, [new Root(logs)])
  last.inherit(new Set(), EPOCH)
  t.notOk(last.pin(ID, log, inode(log)))
  t.strictSame(readdirSync(join(dir, 'outside')), ['fedcba9876543210'])
  t.end()
})

t.test('no directory for pins is made in a directory of logs that became a link out of the volume', { skip }, t => {
  const dir = scratch(t, { state: {} })
  const volume = elsewhere(t)
  const logs = join(volume, 'app', 'logs')
  const outside = join(volume, 'outside')
  mkdirSync(logs, { recursive: true })
  mkdirSync(outside)
  const root = new Root(logs)
  linkSync(join(volume, 'a.log'), join(outside, 'a.log'))
  renameSync(logs, `${logs}.before`)
  symlinkSync(outside, logs)
  const pins = new Pins(state(dir), quiet, [root])
  pins.inherit(new Set(), EPOCH)
  t.notOk(pins.pin(ID, join(logs, 'a.log'), inode(join(logs, 'a.log'))))
  t.match(pins.health, { reason: 'the directory of the logs leads elsewhere than at the start' })
  t.strictSame(readdirSync(outside), ['a.log'])
  t.end()
})

t.test(
  'a file that was rotated away from a volume without our state is shipped by the next process',
  { skip },
  async t => {
    const dir = scratch(t, { state: {} })
    const logs = elsewhere(t)
    const log = join(logs, 'app.log')
    const options = {
      sources: [source(join(logs, '**'), { exclude: [join(logs, 'a.log')] })],
      state: join(dir, 'state'),
    }
    writeFileSync(log, 'a1\na2\n')
    const before = await room(t, options)
    before.holding = true
    await before.came(2)
    mkdirSync(join(dir, 'elsewhere'))
    renameSync(log, `${log}.1`)
    t.ok(await before.until(() => pinnedBy(before) === 1))
    rmSync(`${log}.1`)
    await before.stop(false)
    const after = await room(t, options)
    t.strictSame(await after.came(2), ['a1', 'a2'])
    t.ok(
      await after.until(() =>
        readdirSync(join(logs, '.logshipper')).every(tag => readdirSync(join(logs, '.logshipper', tag)).length === 0),
      ),
    )
    t.equal(after.statement().lostBytes, 0)
  },
)

t.test('a file that was renamed and deleted before it was acknowledged is shipped by the next process', async t => {
  const dir = scratch(t, { logs: {}, state: {} })
  const log = join(dir, 'logs', 'app.log')
  const options = { sources: [source(log)], state: join(dir, 'state') }
  writeFileSync(log, 'a1\na2\na3')
  const before = await room(t, options)
  before.holding = true
  await before.came(2)
  renameSync(log, `${log}.1`)
  t.ok(await before.until(() => pinnedBy(before) === 1))
  rmSync(`${log}.1`)
  await before.stop(false)
  const after = await room(t, options)
  t.strictSame(await after.came(2), ['a1', 'a2'])
  after.tail.finish()
  t.strictSame(await after.came(3), ['a1', 'a2', 'a3'], 'its last line too, at the end')
  t.equal(after.statement().lostBytes, 0)
  after.tail.look()
  t.strictSame(readdirSync(join(dir, 'state', 'pins')), [], 'what is acknowledged is let go')
})

t.test('a file under its own name has no second link, so that it can be rotated during an outage', async t => {
  const dir = scratch(t, { logs: {}, state: {} })
  const log = join(dir, 'logs', 'app.log')
  writeFileSync(log, 'a1\n')
  const held = await room(t, { sources: [source(join(dir, 'logs', '*.log*'))], state: join(dir, 'state') })
  held.holding = true
  await held.came(1)
  await new Promise(resolve => setTimeout(resolve, 600))
  t.equal(lstatSync(log).nlink, 1)
  renameSync(log, `${log}.1`)
  t.ok(await held.until(() => pinnedBy(held) === 1), 'under another name that is followed too it has one')
  renameSync(`${log}.1`, log)
  t.ok(await held.until(() => lstatSync(log).nlink === 1), 'renamed back it loses it')
})

t.test('where rotated files are compressed none is linked: gzip and delaycompress refuse such files', async t => {
  const dir = scratch(t, { logs: { 'app.log.2.gz': 'an older one' }, state: {} })
  const log = join(dir, 'logs', 'app.log')
  writeFileSync(log, 'a1\n')
  const held = await room(t, { sources: [source(log)], state: join(dir, 'state') })
  held.holding = true
  await held.came(1)
  renameSync(log, `${log}.1`)
  await held.until(() => [...held.tail.tailers].some(({ state }) => state.kind === 'rotated'))
  t.equal(lstatSync(`${log}.1`).nlink, 1)
})

t.test('a file that was renamed and deleted while a backend was behind is read to its end', async t => {
  const dir = scratch(t, { logs: {}, state: {} })
  const log = join(dir, 'logs', 'app.log')
  writeFileSync(log, 'a1\n')
  const before = await room(t, { sources: [source(log)], state: join(dir, 'state') })
  before.holding = true
  await before.came(1)
  renameSync(log, `${log}.1`)
  t.ok(await before.until(() => pinnedBy(before) === 1))
  appendFileSync(`${log}.1`, 'a2\n')
  rmSync(`${log}.1`)
  await before.stop(false)
  const after = await room(t, { sources: [source(log)], state: join(dir, 'state') })
  t.strictSame(await after.came(2), ['a1', 'a2'])
})
