import {
  appendFileSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { scratch } from '../scratch.ts'
import { type Room, type RoomOptions, room, source } from './rig.ts'

t.jobs = 8

/** A directory of logs, a state directory beside it, and the file `app.log`. */
function place(t: Test): { dir: string; log: string; state: string } {
  const base = scratch(t)
  const dir = join(base, 'logs')
  mkdirSync(dir)
  return { dir, log: join(dir, 'app.log'), state: join(base, 'state') }
}

function balanced(t: Test, room: Room, name?: string): void {
  const { read, delivered, rejected, dropped, inFlight } = room.statement(name)
  t.strictSame([rejected, inFlight], [{}, { lines: 0, bytes: 0 }], 'nothing is rejected or in flight')
  const padding = dropped.padding?.bytes ?? 0
  t.equal(read.bytes, delivered.bytes + padding, 'every byte that was read is accounted for')
}

const state = (room: Room): string[] => [...room.tail.tailers].map(({ state }) => state.kind).sort()

t.test('a file that is there and one that appears are both read, and go on being read', async t => {
  const { dir, log } = place(t)
  writeFileSync(log, 'one\n')
  const r = await room(t, { sources: [source(join(dir, '*.log'))] })
  t.strictSame(await r.came(1), ['one'])
  writeFileSync(join(dir, 'other.log'), 'two\n')
  t.strictSame(await r.came(2), ['one', 'two'])
  appendFileSync(log, 'three\nfo')
  t.strictSame(await r.came(3), ['one', 'two', 'three'], 'an unfinished line waits')
  appendFileSync(log, 'ur\n')
  t.strictSame(await r.came(4), ['one', 'two', 'three', 'four'])
  balanced(t, r)
})

t.test('a renamed file is read to its end while the new one under its name is read from the start', async t => {
  const { log } = place(t)
  writeFileSync(log, 'a1\n')
  const r = await room(t, { sources: [source(log)] })
  await r.came(1)
  renameSync(log, `${log}.1`)
  appendFileSync(`${log}.1`, 'a2\n')
  writeFileSync(log, 'b1\n')
  await r.came(3)
  appendFileSync(`${log}.1`, 'a3\n')
  await r.came(4)
  t.strictSame([...r.texts].sort(), ['a1', 'a2', 'a3', 'b1'])
  t.strictSame(state(r), ['live', 'rotated'])
  const generations = new Map(r.lines.map(({ text, generation }) => [text, generation]))
  t.equal(generations.get('a1'), generations.get('a3'), 'the renamed file is the same generation')
  t.not(generations.get('a1'), generations.get('b1'), 'the new file is another one')
  balanced(t, r)
})

t.test('a file renamed to another name of the pattern is not read again', async t => {
  const { dir, log } = place(t)
  writeFileSync(log, 'a1\na2\n')
  const r = await room(t, { sources: [source(join(dir, 'app*'))] })
  await r.came(2)
  renameSync(log, join(dir, 'app.log.1'))
  t.ok(await r.until(() => [...r.tail.tailers].some(({ path }) => path.endsWith('.1'))))
  appendFileSync(join(dir, 'app.log.1'), 'a3\n')
  t.strictSame(await r.came(3), ['a1', 'a2', 'a3'])
  t.strictSame(state(r), ['live'])
})

t.test('neighbours with a similar name are no rotation of it', async t => {
  const { dir, log } = place(t)
  writeFileSync(log, 'a1\n')
  const r = await room(t, { sources: [source(log)] })
  await r.came(1)
  for (const name of ['app-audit.log', 'app.log.swp', 'app.log.lock', 'apprentice.log', 'app.log.json']) {
    writeFileSync(join(dir, name), 'not yours\n')
  }
  renameSync(log, `${log}.1`)
  writeFileSync(log, 'b1\n')
  t.strictSame(await r.came(3, 0.5), ['a1', 'b1'])
})

t.test('a file that was rotated twice between two looks is not missed', async t => {
  const { log } = place(t)
  writeFileSync(log, 'a1\n')
  const r = await room(t, { sources: [source(log)] })
  await r.came(1)
  renameSync(log, `${log}.2`)
  writeFileSync(log, 'b1\n')
  renameSync(log, `${log}.1`)
  writeFileSync(log, 'c1\n')
  t.strictSame([...(await r.came(3))].sort(), ['a1', 'b1', 'c1'])
  balanced(t, r)
})

for (const [where, pattern] of [
  ['outside', 'app.log'],
  ['inside', 'app*'],
] as const) {
  t.test(`after copytruncate, with the copy ${where} the pattern, every line comes once`, async t => {
    const { dir, log } = place(t)
    writeFileSync(log, 'a1\na2\n')
    const r = await room(t, { sources: [source(join(dir, pattern))] })
    await r.came(2)
    // What was written just before the copy has not been seen.
    appendFileSync(log, 'a3\n')
    copyFileSync(log, `${log}.1`)
    truncateSync(log)
    await r.came(3)
    appendFileSync(log, 'b1\n')
    await r.came(4)
    t.strictSame([...r.texts].sort(), ['a1', 'a2', 'a3', 'b1'])
    t.equal(r.statement().lostBytes, 0)
    balanced(t, r)
  })
}

for (const [where, pattern] of [
  ['outside', 'app.log'],
  ['inside', 'app*'],
] as const) {
  t.test(`copied over the same rotation again and again, ${where} the pattern, every line comes once`, async t => {
    const { dir, log } = place(t)
    writeFileSync(log, '')
    const r = await room(t, { sources: [source(join(dir, pattern))] })
    const all: string[] = []
    for (let round = 0; round < 4; round++) {
      const lines = Array.from({ length: 3 + round }, (_, index) => `line ${index} of round ${round}`)
      all.push(...lines)
      appendFileSync(log, lines.map(line => `${line}\n`).join(''))
      t.strictSame((await r.came(all.length)).toSorted(), all.toSorted())
      all.push(`last of round ${round}`)
      appendFileSync(log, `last of round ${round}\n`)
      copyFileSync(log, `${log}.1`)
      truncateSync(log)
      t.strictSame((await r.came(all.length)).toSorted(), all.toSorted())
      if (round > 1) await r.came(all.length + 1, 0.5)
    }
    t.strictSame((await r.came(all.length + 1, 1)).toSorted(), all.toSorted())
    t.equal(r.statement().lostBytes, 0)
    balanced(t, r)
  })
}

t.test('what was renamed and then copied over, and nothing explains that, is another generation', async t => {
  const { dir, log } = place(t)
  writeFileSync(log, 'a1\na2\n')
  const r = await room(t, { sources: [source(join(dir, 'app*'))] })
  await r.came(2)
  renameSync(log, `${log}.1`)
  writeFileSync(log, 'b1\n')
  await r.came(3)
  copyFileSync(log, `${log}.1`)
  t.strictSame(await r.came(4, 1), ['a1', 'a2', 'b1'])
  t.strictSame(await r.came(4, 8), ['a1', 'a2', 'b1', 'b1'])
  t.equal(new Set(r.lines.map(line => line.generation)).size, 3)
})

t.test('a copy of a followed file is held back while it is being written', async t => {
  const { dir, log } = place(t)
  writeFileSync(log, 'a1\na2\n')
  const r = await room(t, { sources: [source(join(dir, 'app*'))] })
  await r.came(2)
  writeFileSync(`${log}.1`, 'a1\n')
  t.strictSame(await r.came(3, 0.3), ['a1', 'a2'], 'half a copy is not read as new')
  appendFileSync(`${log}.1`, 'a2\n')
  truncateSync(log)
  t.strictSame(await r.came(3, 0.3), ['a1', 'a2'], 'nor is a whole one, once the truncation explains it')
})

t.test('a copy that takes longer than a copy usually does is held back as long as it grows', async t => {
  const { dir, log } = place(t)
  const lines = Array.from({ length: 10 }, (_, index) => `a${index}`)
  writeFileSync(log, lines.map(line => `${line}\n`).join(''))
  const r = await room(t, { sources: [source(join(dir, 'app*'))] })
  await r.came(10)
  for (const line of lines) {
    appendFileSync(`${log}.1`, `${line}\n`)
    t.strictSame(await r.came(11, 0.8), lines)
  }
  truncateSync(log)
  t.strictSame(await r.came(11, 0.5), lines)
})

t.test('a copy that nothing explains is read after a few seconds', async t => {
  const { dir, log } = place(t)
  writeFileSync(log, 'a1\na2\n')
  const r = await room(t, { sources: [source(join(dir, 'app*'))] })
  await r.came(2)
  copyFileSync(log, `${log}.bak`)
  t.strictSame(await r.came(3, 1), ['a1', 'a2'])
  t.strictSame(await r.came(4, 7), ['a1', 'a2', 'a1', 'a2'])
})

t.test('a copy in the pattern that holds less than was read of the file is not read again', async t => {
  const { dir, log } = place(t)
  const lines = Array.from({ length: 100 }, (_, n) => `line ${n} of the file\n`)
  writeFileSync(log, lines.join(''))
  const r = await room(t, { sources: [source(join(dir, 'app.log*'))] })
  await r.came(100)
  // The application wrote on while it was copied.
  writeFileSync(`${log}.1`, lines.slice(0, 70).join(''))
  const copied = () => [...r.tail.refused].some(({ path }) => path === `${log}.1`)
  t.ok(await r.until(copied), 'it is held back')
  truncateSync(log)
  const taken = () => [...r.tail.following()].some(({ path }) => path === `${log}.1`)
  t.ok(await r.until(taken), 'it is taken up once nothing explains it any more')
  appendFileSync(log, 'b1\n')
  appendFileSync(`${log}.1`, 'late\n')
  t.strictSame((await r.came(102)).slice(100).toSorted(), ['b1', 'late'])
  // Birth times are as coarse as the kernel's clock.
  await new Promise(resolve => setTimeout(resolve, 50))
  writeFileSync(`${log}.2`, lines.slice(0, 60).join(''))
  t.equal((await r.came(162)).length, 162, 'what was made since is no copy of it')
  balanced(t, r)
})

for (const [what, more] of [
  ['all', ''],
  ['less than', 'written while it was copied\n'],
] as const) {
  t.test(`a copy of ${what} that was read, written over an empty file of the pattern, is not read again`, async t => {
    const { dir, log } = place(t)
    const lines = Array.from({ length: 100 }, (_, n) => `${n} a line of the application`)
    writeFileSync(log, `${lines.join('\n')}\n`)
    writeFileSync(`${log}.1`, '')
    const r = await room(t, { sources: [source(join(dir, 'app*'))] })
    await r.came(100)
    t.ok(await r.until(() => [...r.tail.tailers].length === 2), 'the empty file is followed')
    copyFileSync(log, `${log}.1`)
    appendFileSync(log, more)
    t.ok(await r.until(() => [...r.tail.refused].some(({ path }) => path === `${log}.1`)), 'it is held back')
    const all = [...lines, ...(more ? [more.trimEnd()] : [])]
    await r.came(all.length)
    truncateSync(log)
    appendFileSync(log, 'b1\n')
    t.strictSame(await r.came(all.length + 1), [...all, 'b1'])
    const taken = () => [...r.tail.tailers].some(({ path }) => path === `${log}.1`)
    t.ok(await r.until(taken), 'it is taken up')
    appendFileSync(`${log}.1`, 'and what is its own\n')
    t.strictSame(await r.came(all.length + 2), [...all, 'b1', 'and what is its own'])
    balanced(t, r)
  })
}

t.test('a copy that is written slowly over a rotation that was emptied is not taken for late lines', async t => {
  const { log } = place(t)
  writeFileSync(log, 'a1\n')
  const r = await room(t, { sources: [source(log)] })
  await r.came(1)
  renameSync(log, `${log}.1`)
  const lines = Array.from({ length: 100 }, (_, n) => `${n} a line of the application\n`)
  writeFileSync(log, lines.join(''))
  await r.came(101)
  const opened = () => [...r.tail.tailers].some(({ path }) => path === `${log}.1`)
  t.ok(opened(), 'the rotation is followed still')
  truncateSync(`${log}.1`)
  t.ok(await r.until(() => [...r.tail.fileEvents.values()].some(({ truncated }) => truncated > 0)))
  for (let at = 0; at < 100; at += 20) {
    appendFileSync(`${log}.1`, lines.slice(at, at + 20).join(''))
    t.ok(await r.until(() => !opened()), 'it is let go as a copy')
    await r.came(102, 0.5)
  }
  truncateSync(log)
  appendFileSync(log, 'b1\n')
  t.strictSame(await r.came(102), ['a1', ...lines.map(line => line.trimEnd()), 'b1'])
  balanced(t, r)
})

t.test('a copy that holds less than was read of the file is not read when it loses its name', async t => {
  const { log } = place(t)
  const lines = Array.from({ length: 100 }, (_, n) => `line ${n} of the file`)
  writeFileSync(log, `${lines.join('\n')}\n`)
  const r = await room(t, { sources: [source(`${log}*`)] })
  await r.came(100)
  copyFileSync(log, `${log}.1`)
  t.ok(await r.until(() => [...r.tail.refused].some(({ path }) => path === `${log}.1`)), 'it is held back')
  appendFileSync(log, 'written while it was copied\n')
  await r.came(101)
  truncateSync(log)
  unlinkSync(`${log}.1`)
  appendFileSync(log, 'b1\n')
  t.strictSame(await r.came(102), [...lines, 'written while it was copied', 'b1'])
  balanced(t, r)
})

/** A room whose memory is full, so that what is written from here on is seen and not read; `settle` ends that. */
async function full(t: Test, dir: string, paths: readonly string[]): Promise<Room> {
  const r = await room(t, { sources: [source(join(dir, 'full')), source(paths, { name: 'other' })] })
  r.holding = true
  writeFileSync(join(dir, 'full'), `${'x'.repeat(999)}\n`.repeat(8000))
  for (let before = -1; before <= 0 || before !== r.lines.length; ) {
    before = r.lines.length
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  return r
}

const sizeOf = (r: Room, path: string) => [...r.tail.following()].find(each => each.path === path)?.size

for (const lines of [1, 100]) {
  t.test(
    `a copy of ${lines} unread lines is found by its end, although more was written to the file since`,
    async t => {
      const { dir, log } = place(t)
      const r = await full(t, dir, [log])
      const text = Array.from({ length: lines }, (_, n) => `line ${n} of the file\n`).join('')
      writeFileSync(log, text)
      t.ok(await r.until(() => sizeOf(r, log) === text.length), 'it is seen')
      copyFileSync(log, join(dir, 'app-kept.log'))
      appendFileSync(log, 'written between\n')
      t.ok(await r.until(() => sizeOf(r, log) === text.length + 16), 'and so is what is in no copy')
      truncateSync(log)
      appendFileSync(log, 'written after it\n')
      r.holding = false
      r.settle()
      await r.came(8000 + lines + 1)
      const came = r.texts.filter(line => !line.startsWith('x'))
      t.strictSame(came, [...text.trimEnd().split('\n'), 'written after it'], 'in their order')
      t.equal(r.statement('other').lostBytes, 16)
      balanced(t, r, 'other')
    },
  )
}

t.test('a copy of unread lines that was held back is known whatever was written before it', async t => {
  const { dir, log } = place(t)
  const r = await full(t, dir, [join(dir, '*.log')])
  const text = Array.from({ length: 100 }, (_, n) => `line ${n} of the file\n`).join('')
  writeFileSync(log, text)
  t.ok(await r.until(() => sizeOf(r, log) === text.length), 'it is seen')
  // It is never seen to end where the copy does.
  appendFileSync(log, 'written before\n')
  copyFileSync(log, join(dir, 'app-kept.log'))
  appendFileSync(log, 'written between\n')
  t.ok(await r.until(() => [...r.tail.refused].some(({ path }) => path === join(dir, 'app-kept.log'))), 'held back')
  truncateSync(log)
  appendFileSync(log, 'written after it\n')
  r.holding = false
  r.settle()
  await r.came(8000 + 102)
  const came = r.texts.filter(line => !line.startsWith('x'))
  t.strictSame(came, [...text.trimEnd().split('\n'), 'written before', 'written after it'], 'in their order')
  t.equal(r.statement('other').lostBytes, 16)
  balanced(t, r, 'other')
})

t.test('a small copy that holds less than was read is not read again', async t => {
  const { log } = place(t)
  writeFileSync(log, 'a1\n')
  const r = await room(t, { sources: [source(`${log}*`)] })
  await r.came(1)
  copyFileSync(log, `${log}.1`)
  t.ok(await r.until(() => [...r.tail.refused].some(({ path }) => path === `${log}.1`)), 'it is held back')
  appendFileSync(log, 'a2\n')
  await r.came(2)
  truncateSync(log)
  const taken = () => [...r.tail.following()].some(({ path }) => path === `${log}.1`)
  t.ok(await r.until(taken), 'it is taken up once nothing explains it any more')
  appendFileSync(log, 'b1\n')
  t.strictSame(await r.came(3), ['a1', 'a2', 'b1'])
  balanced(t, r)
})

t.test('what was truncated away without a copy is counted as lost', async t => {
  const { log } = place(t)
  writeFileSync(log, 'a1\nhalf a line')
  const r = await room(t, { sources: [source(log)] })
  await r.came(1)
  truncateSync(log)
  t.ok(await r.until(() => r.statement().lostBytes > 0))
  t.equal(r.statement().lostBytes, 'half a line'.length)
  appendFileSync(log, 'b1\n')
  t.strictSame(await r.came(2), ['a1', 'b1'])
  t.not(r.lines[0]!.generation, r.lines[1]!.generation, 'it is a new generation')
})

t.test('an end that was cut off before it was read is counted, and what stood before is not read again', async t => {
  const { log } = place(t)
  writeFileSync(log, 'a1\nhalf a line')
  const r = await room(t, { sources: [source(log)] })
  await r.came(1)
  truncateSync(log, 3)
  t.ok(await r.until(() => r.statement().lostBytes > 0))
  appendFileSync(log, 'a2\n')
  t.strictSame(await r.came(2), ['a1', 'a2'])
  t.equal(r.statement().lostBytes, 'half a line'.length)
  t.equal(r.lines[0]!.generation, r.lines[1]!.generation)
})

t.test('a file overwritten with other content of the same length is read from the start', async t => {
  const { log } = place(t)
  writeFileSync(log, 'a1\na2\n')
  const r = await room(t, { sources: [source(log)] })
  await r.came(2)
  writeFileSync(log, 'b1\nb2\n')
  t.strictSame(await r.came(4), ['a1', 'a2', 'b1', 'b2'])
})

t.test('a touched file is not read again', async t => {
  const { log } = place(t)
  writeFileSync(log, 'a1\na2\n')
  const r = await room(t, { sources: [source(log)] })
  await r.came(2)
  utimesSync(log, new Date(), new Date())
  t.strictSame(await r.came(3, 0.4), ['a1', 'a2'])
})

t.test('a deleted file is read to its end, and a new one under its name from the start', async t => {
  const { log } = place(t)
  writeFileSync(log, 'a1\n')
  const r = await room(t, { sources: [source(log)] })
  await r.came(1)
  appendFileSync(log, 'a2\n')
  unlinkSync(log)
  writeFileSync(log, 'b1\n')
  await r.came(3)
  t.strictSame([...r.texts].sort(), ['a1', 'a2', 'b1'])
  balanced(t, r)
})

t.test('the handle of a deleted file is given back, its last line without a line end taken', async t => {
  const { log } = place(t)
  writeFileSync(log, 'a1\na2 without an end')
  const r = await room(t, { sources: [source(log)] })
  await r.came(1)
  unlinkSync(log)
  t.ok(await r.until(() => state(r).length === 0, 6), 'the space it takes is free again')
  t.strictSame(r.texts, ['a1', 'a2 without an end'])
  t.equal(r.lines[1]!.partial, true)
  balanced(t, r)
})

t.test('a deleted file stays open until what was read of it has settled', async t => {
  const { log } = place(t)
  writeFileSync(log, 'a1\n')
  const r = await room(t, { sources: [source(log)] })
  r.holding = true
  await r.came(1)
  unlinkSync(log)
  t.ok(await r.until(() => state(r)[0] === 'deleted'))
  t.notOk(await r.until(() => state(r).length === 0, 3.8))
  r.settle()
  t.ok(await r.until(() => state(r).length === 0))
})

t.test('hard links and overlapping sources read a file once', async t => {
  const { dir, log } = place(t)
  writeFileSync(log, 'a1\n')
  linkSync(log, join(dir, 'link.log'))
  const r = await room(t, { sources: [source(log), source(join(dir, '*.log'), { name: 'rest' })] })
  t.strictSame(await r.came(2, 0.3), ['a1'])
  unlinkSync(log)
  appendFileSync(join(dir, 'link.log'), 'a2\n')
  t.strictSame(await r.came(2), ['a1', 'a2'], 'the other name leads to the same file')
})

t.test('a hole is counted as padding and costs no line', async t => {
  const { log } = place(t)
  writeFileSync(log, Buffer.concat([Buffer.alloc(100_000), Buffer.from('after the hole\n')]))
  const r = await room(t, { sources: [source(log, { maxLineBytes: 1024 })] })
  t.strictSame(await r.came(1), ['after the hole'])
  t.equal(r.statement().dropped.padding?.bytes, 100_000)
  balanced(t, r)
})

t.test('what is no regular file is refused by name, once, and harms nothing', async t => {
  const { dir, log } = place(t)
  writeFileSync(log, 'a1\n')
  symlinkSync('/dev/zero', join(dir, 'zero.log'))
  symlinkSync('/etc/passwd', join(dir, 'out.log'))
  mkdirSync(join(dir, 'directory.log'))
  const r = await room(t, { sources: [source(join(dir, '*.log'))] })
  t.strictSame(await r.came(2, 1.3), ['a1'])
  const refused = ['directory.log', 'out.log', 'zero.log'].map(name => join(dir, name))
  t.strictSame([...r.tail.refused].map(({ path }) => path).sort(), refused)
  t.equal(r.journal.said.filter(({ sentence }) => sentence === 'a path is not followed').length, 3)
})

t.test('our own state is never read, though it lies among the logs', async t => {
  const { dir, log } = place(t)
  writeFileSync(log, 'a1\n')
  const r = await room(t, { sources: [source(join(dir, '*'))], state: dir })
  t.strictSame(await r.came(2, 1.5), ['a1'])
})

t.test('at the end the last line is taken without its line end', async t => {
  const { log } = place(t)
  writeFileSync(log, 'a1\na2')
  const r = await room(t, { sources: [source(log)] })
  t.strictSame(await r.came(2, 0.2), ['a1'])
  r.tail.finish()
  t.strictSame(await r.came(2), ['a1', 'a2'])
  t.notOk(r.tail.look(), 'nothing is left to read')
})

t.test('what was about to be read at the end comes after the unfinished line of the file before it', async t => {
  const { log } = place(t)
  writeFileSync(log, 'a1\nhalf')
  const r = await room(t, { sources: [source(log)] })
  t.strictSame(await r.came(2, 0.2), ['a1'])
  renameSync(log, `${log}.1`)
  writeFileSync(log, 'b1\n')
  // Seen and offered, but not read in this turn.
  for (let looks = 0; r.tail.look() && looks < 10; looks++);
  t.strictSame(r.texts, ['a1'])
  r.tail.finish()
  t.strictSame(await r.came(3), ['a1', 'half', 'b1'])
})

t.test('a truncation seen at the very end keeps the drain waiting until it is read', async t => {
  const { log, state } = place(t)
  writeFileSync(log, 'a1\n')
  const r = await room(t, { sources: [source(log)], state })
  await r.came(1)
  writeFileSync(log, '')
  appendFileSync(log, 'b\n')
  r.tail.finish()
  let looks = 0
  while (r.tail.look() && looks++ < 1000) await new Promise(resolve => setTimeout(resolve, 2))
  t.strictSame(r.texts, ['a1', 'b'])
})

// ── Restarts ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Runs a room until `count` lines came and settled, stops it, lets `meanwhile` happen and starts another. */
async function restarted(t: Test, options: RoomOptions, count: number, meanwhile: () => void): Promise<[Room, Room]> {
  const first = await room(t, options)
  await first.came(count)
  await first.stop()
  meanwhile()
  return [first, await room(t, options)]
}

t.test('after a restart reading goes on where it was committed, and the ledger with it', async t => {
  const { log, state } = place(t)
  writeFileSync(log, 'a1\na2\n')
  const [first, r] = await restarted(t, { sources: [source(log)], state }, 2, () => appendFileSync(log, 'a3\n'))
  t.strictSame(await r.came(1), ['a3'])
  t.equal(r.lines[0]!.generation, first.lines[0]!.generation)
  t.strictSame(r.statement().delivered, { lines: 3, bytes: 9 })
})

t.test('other lines in a file of which nothing was saved but that it is there have other ids', async t => {
  const { log, state } = place(t)
  const options = { sources: [source(log)], state }
  const idOf = async (text: string): Promise<string> => {
    writeFileSync(log, `${text}\n`)
    const r = await room(t, options)
    t.strictSame(await r.came(1), [text])
    await r.stop()
    return r.lines[0]!.generation
  }
  writeFileSync(log, '')
  await (await room(t, options)).stop()
  const saved = readFileSync(join(state, 'checkpoint'))
  const first = await idOf('a1')
  for (const [text, same] of [['b1', false] as const, ['a1', true] as const]) {
    // As a death before the next save leaves it.
    writeFileSync(join(state, 'checkpoint'), saved)
    t.equal((await idOf(text)) === first, same, `${text} ${same ? 'has the id that it had' : 'has another id'}`)
  }
})

t.test('an id is made only from what is on the disk', async t => {
  const { log, state } = place(t)
  const checkpoint = () => readFileSync(join(state, 'checkpoint'), 'utf8')
  writeFileSync(log, 'a1\na2\n')
  const r = await room(t, { sources: [source(log)], state })
  t.match(checkpoint(), /"epoch":"[0-9a-f]{16}"/, 'the epoch is saved before a file is read')
  await r.came(2)
  truncateSync(log)
  appendFileSync(log, 'b1\n')
  t.ok(await r.until(() => r.lines.length === 3))
  const [begun] = [...r.tail.following()].map(({ generation }) => generation.key)
  t.match(checkpoint(), `"key":"${begun}"`, 'and what began at a truncation, before a line of it is read')
})

t.test('what had not settled before a restart is read again, under the same ids', async t => {
  const { log, state } = place(t)
  writeFileSync(log, 'a1\na2\n')
  const first = await room(t, { sources: [source(log)], state })
  first.holding = true
  await first.came(2)
  await first.stop()
  const r = await room(t, { sources: [source(log)], state })
  await r.came(2)
  t.strictSame(r.lines, first.lines)
  t.strictSame(r.statement().delivered, { lines: 2, bytes: 6 })
})

t.test('a file that has another inode number after a restart, and the same content, is read on', async t => {
  const { log, state } = place(t)
  const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `line ${from + n} of many`)
  writeFileSync(log, `${lines(0, 200).join('\n')}\n`)
  const [first, r] = await restarted(t, { sources: [source(log)], state }, 200, () => {
    // As a FUSE file system numbers its files anew when it is mounted again.
    copyFileSync(log, `${log}.copy`)
    renameSync(`${log}.copy`, log)
    appendFileSync(log, `${lines(200, 210).join('\n')}\n`)
  })
  t.strictSame(await r.came(10), lines(200, 210), 'nothing comes again')
  t.equal(r.lines[0]!.generation, first.lines[0]!.generation, 'under the ids that it would have had')
  appendFileSync(log, 'and more\n')
  t.strictSame((await r.came(11)).slice(10), ['and more'])
  t.equal(r.statement().lostBytes, 0)
})

t.test(
  'a copy that takes the place of a file while it is followed is a new file: nothing of it is left out',
  async t => {
    const { log, state } = place(t)
    writeFileSync(log, 'a1\na2\n')
    const r = await room(t, { sources: [source(log)], state })
    await r.came(2)
    copyFileSync(log, `${log}.copy`)
    renameSync(`${log}.copy`, log)
    appendFileSync(log, 'a3\n')
    t.strictSame(await r.came(5), ['a1', 'a2', 'a1', 'a2', 'a3'], 'its writer may have begun with the same lines again')
    t.not(r.lines[2]!.generation, r.lines[0]!.generation)
  },
)

t.test('a file rotated while we were down is found under its new name', async t => {
  const { log, state } = place(t)
  writeFileSync(log, 'a1\n')
  const [, r] = await restarted(t, { sources: [source(log)], state }, 1, () => {
    appendFileSync(log, 'a2\n')
    renameSync(log, `${log}.1`)
    writeFileSync(log, 'b1\n')
  })
  t.strictSame([...(await r.came(2))].sort(), ['a2', 'b1'])
  t.equal(r.statement().lostBytes, 0)
})

t.test('a file emptied, written to and renamed within the pattern while we were down keeps its place', async t => {
  const { dir, log, state } = place(t)
  const options = { sources: [source(join(dir, 'app.log*'))], state }
  writeFileSync(log, 'a1\n')
  const first = await room(t, options)
  await first.came(1)
  // What began in it last is younger than its inode, so that what follows is not found as a rotation that was missed.
  writeFileSync(log, 'another\n')
  await first.came(2)
  await first.stop()
  writeFileSync(log, 'b1\n')
  // The system stamps what happens in one tick alike.
  await new Promise(resolve => setTimeout(resolve, 30))
  renameSync(log, `${log}.1`)
  writeFileSync(log, 'c1\n')
  const r = await room(t, options)
  t.strictSame([...(await r.came(2))].sort(), ['b1', 'c1'])
  const [rotated, next] = [`${log}.1`, log].map(path => [...r.tail.tailers].find(each => each.path === path))
  t.equal(rotated!.generation.origin.path, log, 'it was written under that path')
  t.ok(rotated!.generation.isOlderThan(next!.generation), 'so it is read before what was written there next')
})

t.test('a file copied and truncated while we were down goes on in its copy', async t => {
  const { log, state } = place(t)
  writeFileSync(log, 'a1\n')
  const [first, r] = await restarted(t, { sources: [source(log)], state }, 1, () => {
    appendFileSync(log, 'a2\n')
    copyFileSync(log, `${log}.1`)
    writeFileSync(log, 'b1\n')
  })
  t.strictSame([...(await r.came(2))].sort(), ['a2', 'b1'])
  const [a2, b1] = [...r.lines].sort((a, b) => a.text.localeCompare(b.text))
  t.equal(a2!.generation, first.lines[0]!.generation)
  t.not(b1!.generation, a2!.generation)
})

t.test('a file shortened while we were down counts what is missing', async t => {
  const { log, state } = place(t)
  writeFileSync(log, 'a1\nhalf a line')
  const [, r] = await restarted(t, { sources: [source(log)], state }, 1, () => truncateSync(log, 3))
  appendFileSync(log, 'a2\n')
  t.strictSame(await r.came(1), ['a2'])
  t.equal(r.statement().lostBytes, 'half a line'.length)
})

t.test('a file with unread bytes that was deleted while we were down counts as lost', async t => {
  const { log, state } = place(t)
  writeFileSync(log, 'a1\nhalf a line')
  const [, r] = await restarted(t, { sources: [source(log)], state }, 1, () => unlinkSync(log))
  t.equal(r.statement().lostBytes, 'half a line'.length)
})

t.test('a truncated file is not read again after a restart while its old lines are still in flight', async t => {
  const { log, state } = place(t)
  writeFileSync(log, 'a1\na2\n')
  const first = await room(t, { sources: [source(log)], state })
  first.holding = true
  await first.came(2)
  first.holding = false
  truncateSync(log)
  await first.until(() => first.journal.said.some(({ sentence }) => sentence.includes('truncated')))
  appendFileSync(log, 'b1\n')
  await first.came(3)
  await first.stop()
  const r = await room(t, { sources: [source(log)], state })
  appendFileSync(log, 'b2\n')
  t.strictSame(await r.came(1), ['b2'])
  t.equal(r.lines[0]!.generation, first.lines[2]!.generation)
})

t.test('a damaged checkpoint costs repeated lines, never lost ones, and is named', async t => {
  const { log, state } = place(t)
  writeFileSync(log, 'a1\n')
  const [, r] = await restarted(t, { sources: [source(log)], state }, 1, () => {
    for (const name of ['checkpoint', 'checkpoint.previous']) writeFileSync(join(state, name), 'rubbish')
  })
  t.strictSame(await r.came(1), ['a1'])
  t.ok(r.journal.said.some(({ level, sentence }) => level === 'error' && sentence.includes('checkpoint')))
})

t.test('a state directory that cannot be written stops nothing', async t => {
  const { log, state } = place(t)
  writeFileSync(state, 'a file, where the directory should be')
  writeFileSync(log, 'a1\n')
  const r = await room(t, { sources: [source(log)], state })
  t.strictSame(await r.came(1), ['a1'])
  truncateSync(log)
  await r.until(() => r.journal.said.some(({ sentence }) => sentence.includes('truncated')))
  appendFileSync(log, 'b1\n')
  t.strictSame(await r.came(2), ['a1', 'b1'])
  rmSync(state)
})

t.test('a backend that is new after a restart reads from the start, the other one goes on', async t => {
  const { log, state } = place(t)
  writeFileSync(log, 'a1\n')
  const first = await room(t, { sources: [source(log)], state })
  await first.came(1)
  await first.stop()
  const r = await room(t, { sources: [source(log)], state, backend: 'second' })
  t.strictSame(await r.came(1), ['a1'])
})
