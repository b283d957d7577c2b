import fs, {
  appendFileSync,
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { openRegular, Root } from '../../../src/tail/files/open.ts'
import { Lent } from '../../../src/tail/rotation/lent.ts'
import { scratch } from '../../scratch.ts'
import { room, source } from '../rig.ts'

/** Runs `event` once, as soon as `path` has been opened: between that and whatever the program does next. */
function onceOpened(t: Test, path: string, event: () => void): { readonly happened: boolean } {
  const { openSync: real } = fs
  const state = { happened: false }
  const restore = () => {
    fs.openSync = real
    syncBuiltinESMExports()
  }
  fs.openSync = (...of: Parameters<typeof real>) => {
    const fd = real(...of)
    if (of[0] === path && !state.happened) {
      state.happened = true
      restore()
      event()
    }
    return fd
  }
  syncBuiltinESMExports()
  t.teardown(restore)
  return state
}

function place(t: Test): { log: string; copy: string; state: string } {
  const dir = scratch(t)
  const log = join(dir, 'app.log')
  return { log, copy: `${log}.1`, state: join(dir, 'state') }
}

t.test('a copy that was opened before the truncation and lost its name at once is no new file', async t => {
  const { log, copy } = place(t)
  writeFileSync(log, 'one\ntwo')
  const r = await room(t, { sources: [source(`${log}*`)] })
  await r.came(1)
  copyFileSync(log, copy)
  const fd = openSync(copy, 'a')
  t.teardown(() => closeSync(fd))
  const removed = onceOpened(t, copy, () => {
    truncateSync(log)
    unlinkSync(copy)
  })
  await r.until(() => removed.happened)
  appendFileSync(log, 'three\n')
  writeSync(fd, ', and its end\n')
  await r.came(3)
  t.strictSame(r.texts.toSorted(), ['one', 'three', 'two, and its end'])
  const generation = (text: string) => r.lines.find(line => line.text === text)?.generation
  t.equal(generation('two, and its end'), generation('one'), 'what was unread of it goes on in the copy')
  t.not(generation('three'), generation('one'))
  t.equal(r.statement().lostBytes, 0)
})

t.test('a copy that was compressed at once and holds less than was read is no new file', async t => {
  const { log, copy, state } = place(t)
  const lines = Array.from({ length: 100 }, (_, n) => `line ${n} of the file`)
  writeFileSync(log, `${lines.join('\n')}\n`)
  const r = await room(t, { sources: [source(`${log}*`, { exclude: ['**/*.gz'] })], state })
  await r.came(100)
  copyFileSync(log, join(log, '../copy in the making'))
  appendFileSync(log, 'written while it was copied\n')
  await r.came(101)
  const compressed = onceOpened(t, copy, () => {
    truncateSync(log)
    writeFileSync(`${copy}.gz`, gzipSync(readFileSync(copy)))
    unlinkSync(copy)
  })
  renameSync(join(log, '../copy in the making'), copy)
  t.ok(await r.until(() => compressed.happened))
  appendFileSync(log, 'after it\n')
  // An archive whose content is that of nothing else is looked into a few times.
  await r.came(102)
  t.ok(await r.until(() => r.journal.said.some(({ fields }) => fields['event'] === 'file_truncated')))
  t.strictSame(await r.came(102), [...lines, 'written while it was copied', 'after it'])
  t.equal(r.statement().lostBytes, 0)
})

t.test('a copy that lost its name while the start looked at it is no new file', async t => {
  const { log, copy, state } = place(t)
  writeFileSync(log, 'one\ntwo')
  const options = { sources: [source(`${log}*`)], state }
  const before = await room(t, options)
  await before.came(1)
  // A clean end would take the last line as it is.
  await before.stop(false)
  copyFileSync(log, copy)
  writeFileSync(log, 'three\n')
  const fd = openSync(copy, 'a')
  t.teardown(() => closeSync(fd))
  const removed = onceOpened(t, copy, () => unlinkSync(copy))
  const after = await room(t, options)
  t.ok(removed.happened)
  writeSync(fd, ', and its end\n')
  await after.came(2)
  t.strictSame(after.texts.toSorted(), ['three', 'two, and its end'], 'of what was delivered nothing comes again')
  t.equal(after.statement().lostBytes, 0)
})

t.test('a lent file has one owner', t => {
  const { log } = place(t)
  writeFileSync(log, 'content\n')
  const opened = openRegular(log, [new Root(join(log, '..'))])
  if (opened.kind !== 'open') return t.bailout('it can be opened')
  t.teardown(() => closeSync(opened.fd))
  const file = { path: log, opened }
  const lent = new Lent()
  t.notOk(lent.take(file), 'what was not lent is not there to be taken')
  lent.lend(file)
  t.strictSame([...lent], [file])
  t.ok(lent.take(file), 'whoever comes first has it')
  t.notOk(lent.has(file))
  t.notOk(lent.take(file), 'and no other after that')
  t.end()
})
