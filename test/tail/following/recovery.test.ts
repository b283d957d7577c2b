/** What an attacker planted as the state reads, ships, writes and removes nothing but what the sources name. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { crc32, gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import type { SavedGeneration } from '../../../src/tail/state/saved.ts'
import { scratch } from '../../scratch.ts'
import { type Room, room, source } from '../rig.ts'

const KEY = '0011223344556677'
const SECRET = 'a private key\nits second line\n'

/** A volume with a log, a state directory, and secrets that lie on another volume. */
function planted(t: Test) {
  const base = scratch(t, {
    secrets: { token: SECRET, [KEY]: SECRET, fedcba9876543210: SECRET },
    vol: { 'app.log': 'a line\n', '.logshipper': {} },
  })
  const [vol, secrets] = [join(base, 'vol'), join(base, 'secrets')]
  const state = join(vol, '.logshipper')
  return {
    vol,
    secrets,
    state,
    options: { sources: [source(join(vol, '*.log'))], state },
    /** Nothing of the secrets is gone, and nothing of them was read. */
    unharmed(room: Room) {
      t.strictSame(readdirSync(secrets).sort(), [KEY, 'fedcba9876543210', 'token'])
      for (const name of readdirSync(secrets)) t.equal(readFileSync(join(secrets, name), 'utf8'), SECRET)
      t.strictSame(room.texts, ['a line'])
      t.ok(!room.journal.said.some(({ sentence }) => sentence.includes('bug')))
    },
  }
}

function generation(origin: string, more: object = {}): SavedGeneration {
  return {
    source: 'app',
    origin,
    path: origin,
    inode: { dev: '1', ino: '2', birth: '3' },
    id: KEY,
    key: KEY,
    head: { length: 0, hash: '' },
    size: 1000,
    cursors: { main: { offset: 0, marker: { length: 0, crc: 0 } } },
    ...more,
  }
}

function encoded(body: string): Buffer {
  const bytes = Buffer.from(body)
  return Buffer.concat([Buffer.from(`logshipper-checkpoint 1 ${crc32(bytes)} ${bytes.length}\n`), bytes])
}

function plant(state: string, generations: readonly object[], totals: readonly object[] = []): void {
  const body = JSON.stringify({ epoch: 'ffffffffffffffff', generations, totals, clean: true })
  writeFileSync(join(state, 'checkpoint'), encoded(body), { mode: 0o600 })
}

const events = (room: Room, name: string) =>
  room.journal.said.flatMap(({ fields }) => (fields['event'] === name ? [fields] : []))

t.test('a key that leads to another file opens nothing and removes nothing', async t => {
  const { state, vol, options, unharmed } = planted(t)
  plant(state, [generation(join(vol, 'gone.log'), { key: '../../../secrets/token' })])
  const started = await room(t, options)
  await started.came(1)
  unharmed(started)
  t.match(events(started, 'checkpoint_entry_refused'), [{ entries: 1 }])
})

t.test('an origin that no pattern of its source matches is not looked for', async t => {
  const { state, secrets, options, unharmed } = planted(t)
  const marker = { length: 1, crc: crc32('a') }
  plant(state, [generation(join(secrets, 'token'), { cursors: { main: { offset: 1, marker } } })])
  const started = await room(t, options)
  await started.came(1)
  unharmed(started)
  t.match(events(started, 'checkpoint_entry_refused'), [{ entries: 1, found: /no pattern of their source/ }])
})

t.test('a place where a file was last seen that is none of its source’s teaches nothing', async t => {
  const { state, secrets, vol, options, unharmed } = planted(t)
  plant(state, [generation(join(vol, 'gone.log'), { path: join(secrets, 'token') })])
  const started = await room(t, options)
  await started.came(1)
  unharmed(started)
})

for (const sub of ['pins', 'unpacked'] as const) {
  t.test(`${sub} as a link to another directory is not followed: nothing there is read or removed`, async t => {
    const { state, vol, secrets, options, unharmed } = planted(t)
    plant(state, [generation(join(vol, 'gone.log'))])
    symlinkSync(secrets, join(state, sub))
    const started = await room(t, options)
    await started.came(1)
    unharmed(started)
  })

  t.test(`a link among ${sub} is not followed`, async t => {
    const { state, vol, secrets, options, unharmed } = planted(t)
    plant(state, [generation(join(vol, 'gone.log'))])
    mkdirSync(join(state, sub))
    symlinkSync(join(secrets, 'token'), join(state, sub, KEY))
    const started = await room(t, options)
    await started.came(1)
    unharmed(started)
  })
}

t.test('a pin that is another inode than the one that was linked is ignored', async t => {
  const { state, vol, secrets, options, unharmed } = planted(t)
  plant(state, [generation(join(vol, 'gone.log'))])
  mkdirSync(join(state, 'pins'))
  linkSync(join(secrets, 'token'), join(state, 'pins', KEY))
  const started = await room(t, options)
  await started.came(1)
  unharmed(started)
})

for (const [what, place] of [
  ['a link', (target: string, path: string) => symlinkSync(target, path)],
  ['another name of a file', (target: string, path: string) => linkSync(target, path)],
  ['a FIFO', (_: string, path: string) => void execFileSync('mkfifo', [path])],
] as const) {
  t.test(`what is unpacked is never written through ${what}`, async t => {
    const { state, vol, secrets, options } = planted(t)
    const text = 'line one\nline two\n'
    const marker = { length: 9, crc: crc32('line one\n') }
    const origin = join(vol, 'app.log')
    writeFileSync(`${origin}.1.gz`, gzipSync(text))
    plant(state, [
      generation(origin, {
        size: text.length,
        begun: '1',
        cursors: { main: { offset: 9, marker } },
        seen: { offset: text.length, marker: { length: text.length, crc: crc32(text) } },
      }),
    ])
    mkdirSync(join(state, 'unpacked'))
    place(join(secrets, 'token'), join(state, 'unpacked', `${KEY}.part`))
    const started = await room(t, options)
    await started.came(2)
    t.strictSame(started.texts.toSorted(), ['a line', 'line two'], 'the archive is read all the same')
    t.equal(readFileSync(join(secrets, 'token'), 'utf8'), SECRET)
  })
}

/** A file that was rotated into a directory of its own, read to its end and closed; `more`: of what is saved of it. */
function finishedAway(t: Test, more: object = {}) {
  const base = scratch(t, { logs: { old: { 'app.log.1': 'a1\n' } }, state: {} })
  const [log, state] = [join(base, 'logs', 'app.log'), join(base, 'state')]
  const rotated = join(base, 'logs', 'old', 'app.log.1')
  const { dev, ino, birthtimeNs } = statSync(rotated, { bigint: true })
  const known = {
    path: rotated,
    inode: { dev: String(dev), ino: String(ino), birth: String(birthtimeNs) },
    size: 3,
    cursors: { main: { offset: 3, marker: { length: 3, crc: crc32('a1\n') } } },
    done: true,
  }
  plant(state, [generation(log, { ...known, ...more })])
  return { log, rotated, options: { sources: [source(log)], state } }
}

t.test('a file that was finished in another directory than that of its origin is not read again', async t => {
  const { log, rotated, options } = finishedAway(t)
  const started = await room(t, options)
  await started.came(1, 1)
  t.strictSame(started.texts, [])
  // It is looked after there.
  appendFileSync(rotated, 'a2\n')
  writeFileSync(log, 'b1\n')
  t.strictSame([...(await started.came(2))].sort(), ['a2', 'b1'])
})

t.test('where rotations of a path went is known by those that are gone', async t => {
  const { rotated, options } = finishedAway(t, {
    inode: { dev: '1', ino: '2', birth: '3' },
    head: { length: 3, hash: 'ffffffffffffffffffff', crc: 1 },
    gone: true,
  })
  const started = await room(t, options)
  t.strictSame(await started.came(1), ['a1'])
  t.equal([...started.tail.tailers][0]!.path, rotated)
})

t.test('a removed file of which nothing is known gives its id to no other rotation of its path', async t => {
  const { state, vol, options } = planted(t)
  const log = join(vol, 'app.log')
  plant(state, [])
  const before = await room(t, options)
  await before.came(1)
  const sent = before.lines[0]!.generation
  await before.stop(false)
  renameSync(log, `${log}.1`)
  // The process was killed before it had saved that it began with this file, and after one that came and went.
  plant(state, [generation(log, { begun: '4' })])
  const after = await room(t, options)
  t.strictSame(await after.came(1), ['a line'])
  t.equal(after.lines[0]!.generation, sent)
})

t.test('an offset without a marker hides no line', async t => {
  const { state, vol, options } = planted(t)
  const { dev, ino, birthtimeNs } = statSync(join(vol, 'app.log'), { bigint: true })
  plant(state, [
    generation(join(vol, 'app.log'), {
      inode: { dev: String(dev), ino: String(ino), birth: String(birthtimeNs) },
      cursors: { main: { offset: 7, marker: { length: 0, crc: 0 } } },
    }),
  ])
  t.strictSame(await (await room(t, options)).came(1), ['a line'])
})

t.test('forged totals are refused, and those beside them stand', async t => {
  const { state, options } = planted(t)
  const settled = { delivered: { lines: 5, bytes: 50 }, rejected: {}, dropped: {} }
  plant(
    state,
    [],
    [
      { source: 'app', backend: 'other', settled, lostBytes: 'abc' },
      { source: 'app', backend: 'main', settled },
    ],
  )
  const started = await room(t, options)
  await started.came(1)
  t.match(started.statement(), { delivered: { lines: 6 }, lostBytes: 0 })
  t.match(events(started, 'checkpoint_entry_refused'), [{ entries: 1 }])
})

const HOSTILE: Record<string, (path: string) => void> = {
  'a link to a device without an end': path => symlinkSync('/dev/zero', path),
  'a FIFO': path => void execFileSync('mkfifo', [path]),
  'a link to a FIFO': path => {
    execFileSync('mkfifo', [`${path}.fifo`])
    symlinkSync(`${path}.fifo`, path)
  },
  'a directory': path => mkdirSync(path),
  'ten megabytes of brackets': path => writeFileSync(path, encoded('['.repeat(10_000_000))),
  'brackets in their place': path =>
    writeFileSync(path, encoded(`{"epoch":"ffffffffffffffff","generations":${'['.repeat(9_000_000)}`)),
  'objects within objects': path =>
    writeFileSync(
      path,
      encoded(`{"epoch":"ffffffffffffffff","generations":[${'{"a":'.repeat(2e6)}1${'}'.repeat(2e6)}],"totals":[]}`),
    ),
  'more generations than there can be': path => {
    const one = JSON.stringify(generation('/gone.log'))
    writeFileSync(
      path,
      encoded(`{"epoch":"ffffffffffffffff","generations":[${`${one},`.repeat(80_000)}${one}],"totals":[]}`),
    )
  },
}

/** What takes a second to read is put in one place only: one reader reads it wherever it is. */
const LARGE = ['objects within objects', 'more generations than there can be']

for (const [what, place] of Object.entries(HOSTILE)) {
  for (const name of LARGE.includes(what) ? ['checkpoint'] : ['checkpoint', 'checkpoint.tmp', 'checkpoint.previous']) {
    t.test(`${name} as ${what} keeps nothing from starting, shipping and ending`, async t => {
      const { state, options } = planted(t)
      place(join(state, name))
      const started = await room(t, options)
      t.strictSame(await started.came(1), ['a line'])
      await started.stop()
    })
  }
}

/** Puts something in the place of a file that is written again and again. */
function putInPlace(path: string, make: () => void): void {
  for (;;) {
    rmSync(path, { force: true })
    try {
      make()
      return
    } catch {
      // A save came in between.
    }
  }
}

t.test('the checkpoint is never written through a link, nor while it runs', async t => {
  const { state, secrets, vol, options } = planted(t)
  const temporary = join(state, 'checkpoint.tmp')
  symlinkSync(join(secrets, 'token'), temporary)
  const started = await room(t, options)
  await started.came(1)
  putInPlace(temporary, () => symlinkSync(join(secrets, 'token'), temporary))
  execFileSync('mkfifo', [join(vol, 'fifo')])
  await started.tail.look()
  await started.stop()
  t.equal(readFileSync(join(secrets, 'token'), 'utf8'), SECRET)
  t.ok(lstatSync(join(state, 'checkpoint')).isFile())
})

t.test('a FIFO in the place of the next save holds up neither the save nor the end', async t => {
  const { state, options } = planted(t)
  const started = await room(t, options)
  await started.came(1)
  const temporary = join(state, 'checkpoint.tmp')
  putInPlace(temporary, () => execFileSync('mkfifo', [temporary], { stdio: 'ignore' }))
  await started.stop()
  t.notOk(existsSync(join(state, 'checkpoint.tmp')))
  t.match(readFileSync(join(state, 'checkpoint'), 'utf8'), /"clean":true/)
})

t.test('a link to a file of our own state is not followed as a log', async t => {
  const { state, vol, options } = planted(t)
  const before = await room(t, options)
  await before.came(1)
  t.ok(await before.until(() => before.statement().inFlight.bytes === 0))
  await before.stop()
  symlinkSync(join(state, 'checkpoint'), join(vol, 'x.log'))
  symlinkSync(join(state, 'checkpoint'), join(vol, 'app.log.1'))
  linkSync(join(state, 'checkpoint'), join(vol, 'y.log'))
  const started = await room(t, options)
  await started.came(0)
  t.strictSame(started.texts, [])
  t.strictSame(
    [...started.tail.refused].map(({ reason }) => reason),
    ['a file of our own state', 'a file of our own state'],
  )
})
