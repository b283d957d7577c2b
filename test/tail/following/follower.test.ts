/** What becomes of a followed file: its generations are on disk before they are sent, and what is lost is counted. */
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Tailer } from '../../../src/tail/generation/tailer.ts'
import { CheckpointStore, type Snapshot } from '../../../src/tail/state/checkpoint.ts'
import { scratch } from '../../scratch.ts'
import { type Line, type Room, room, source } from '../rig.ts'

/** A log, the state directory, and a tail that follows the log and what is beside it. */
async function followed(t: Test, onLine?: (line: Line) => void) {
  const dir = scratch(t, { state: {} })
  const [log, state] = [join(dir, 'app.log'), join(dir, 'state')]
  const checkpoint = join(state, 'checkpoint')
  const saved = () => (existsSync(checkpoint) ? readFileSync(checkpoint, 'utf8') : '')
  const options = { sources: [source(log)], state, ...(onLine && { onLine }) }
  return { dir, log, state, saved, start: (): Promise<Room> => room(t, options) }
}

t.test('nothing of a generation that began in a used inode is sent before the checkpoint names it', async t => {
  const unsaved: string[] = []
  let r: Room | undefined
  const { log, saved, start } = await followed(t, ({ text }) => {
    const [followed] = r?.tail.following() ?? []
    if (followed !== undefined && !saved().includes(`"key":"${followed.generation.key}"`)) unsaved.push(text)
  })
  writeFileSync(log, 'first\n'.repeat(3))
  r = await start()
  await r.came(3)
  unsaved.length = 0
  for (let n = 1; n <= 5; n++) {
    truncateSync(log, 0)
    appendFileSync(log, `later ${n}\n`)
    t.ok(await r.until(() => r.texts.includes(`later ${n}`)))
  }
  t.equal(new Set(r.lines.map(({ generation }) => generation)).size, 6, 'each truncation begins one')
  t.strictSame(unsaved, [])
})

/** Lines of 100 bytes; more than the tail reads while nothing settles. */
const LARGE = `${'x'.repeat(99)}\n`.repeat(40_000)

t.test('what is cut off before it was read is counted as lost, to the byte, and nothing else is', async t => {
  const { log, start } = await followed(t)
  const r = await start()
  r.holding = true
  writeFileSync(log, LARGE)
  await r.until(() => r.statement().read.bytes > 0 && [...r.tail.tailers].some(({ size }) => size === LARGE.length))
  // It reads no further: nothing settles.
  let before = -1
  await r.until(() => before === (before = r.statement().read.bytes))
  const { read } = r.statement()
  t.ok(read.bytes > 0 && read.bytes < LARGE.length, `${read.bytes} bytes were read`)
  truncateSync(log, 0)
  appendFileSync(log, 'after\n')
  t.ok(await r.until(() => r.statement().lostBytes > 0))
  r.holding = false
  const hasSettled = () => {
    r.settle()
    return r.texts.includes('after')
  }
  t.ok(await r.until(hasSettled))
  const { lostBytes, delivered } = r.statement()
  t.equal(lostBytes + delivered.bytes, LARGE.length + 'after\n'.length)
})

t.test('no save knows the content that replaced another without knowing where that goes on', async t => {
  const keys: string[][] = []
  const { log, start } = await followed(t)
  const saves = t.capture(CheckpointStore.prototype, 'save', async function save(snapshot: () => Snapshot) {
    // As the real one: what is saved is what is known when it is called.
    keys.push([...snapshot().generations].map(({ key }) => key))
    return true
  })
  const r = await start()
  r.holding = true
  writeFileSync(log, LARGE)
  await r.until(() => [...r.tail.tailers].some(({ size }) => size === LARGE.length))
  const [{ generation: old }] = [...r.tail.tailers] as [Tailer]
  copyFileSync(log, `${log}.1`)
  truncateSync(log, 0)
  appendFileSync(log, 'after\n')
  const isNew = (key: string) => key !== old.key
  t.ok(await r.until(() => keys.some(each => each.some(isNew))))
  t.ok(saves().length > 0)
  for (const each of keys.filter(each => each.some(isNew))) t.ok(each.includes(old.key), each.join(' '))
})

t.test('a file that is truncated once all of it was read has lost nothing', async t => {
  const { log, start } = await followed(t)
  writeFileSync(log, LARGE.slice(0, 1000))
  const r = await start()
  await r.came(10)
  truncateSync(log, 0)
  appendFileSync(log, 'after\n')
  t.ok(await r.until(() => r.texts.includes('after')))
  t.equal(r.statement().lostBytes, 0)
})

t.test(
  'a renamed file is pinned while it is not acknowledged, read though it is deleted, and let go of then',
  async t => {
    const { log, dir, state, start } = await followed(t)
    const r = await start()
    r.holding = true
    writeFileSync(log, 'one\n')
    await r.until(() => r.lines.length === 1)
    renameSync(log, join(dir, 'rotated'))
    const pins = () => (existsSync(join(state, 'pins')) ? readdirSync(join(state, 'pins')).length : 0)
    t.ok(await r.until(() => pins() === 1))
    rmSync(join(dir, 'rotated'))
    r.holding = false
    r.settle()
    t.ok(await r.until(() => pins() === 0))
    t.strictSame(r.statement().delivered.lines, 1)
  },
)

t.test('files that come under one name one after the other are read in that order, and each once', async t => {
  const { log, dir, start } = await followed(t)
  const r = await start()
  for (let n = 0; n < 5; n++) {
    writeFileSync(log, `one of ${n}\n`)
    await r.until(() => r.lines.length === 2 * n + 1)
    renameSync(log, join(dir, `rotated.${n}`))
    appendFileSync(join(dir, `rotated.${n}`), `two of ${n}\n`)
    await r.until(() => r.lines.length === 2 * n + 2)
  }
  const expected = [0, 1, 2, 3, 4].flatMap(n => [`one of ${n}`, `two of ${n}`])
  t.strictSame(await r.came(10), expected)
})
