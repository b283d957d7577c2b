/** Files that were deleted before they were acknowledged may take only so much of the volume, and so many handles. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { scratch } from '../../scratch.ts'
import { room, source } from '../rig.ts'

const SIZE = 3_000_000
/** More than the rig reads while nothing settles. */
const content = (mark: string) => `${mark.repeat(99)}\n`.repeat(SIZE / 100)

for (const policy of ['hold', 'drop-oldest'] as const) {
  t.test(
    `${policy}: what is deleted and unread beyond the limit is ${policy === 'hold' ? 'kept' : 'given up'}`,
    async t => {
      const dir = scratch(t, {})
      const names = ['a', 'b', 'c'].map(name => join(dir, `${name}.log`))
      const r = await room(t, { sources: [source(join(dir, '*.log'))], held: { maxBytes: 2 * SIZE, policy } })
      r.holding = true
      for (const name of names) {
        writeFileSync(name, content(name.at(-5)!))
        await r.until(() => [...r.tail.tailers].some(({ path }) => path === name))
      }
      for (const name of names) rmSync(name)
      if (policy === 'hold') {
        t.ok(await r.until(() => r.journal.said.some(({ sentence }) => sentence.includes('take more of the volume'))))
        t.equal(r.tail.heldBytes, 3 * SIZE)
      } else {
        t.ok(await r.until(() => r.tail.heldBytes === 2 * SIZE))
      }
      r.holding = false
      const total = (3 * SIZE) / 100
      await r.until(() => {
        r.settle()
        const { delivered, dropped } = r.statement()
        return delivered.bytes + (dropped['held_limit']?.bytes ?? 0) === 3 * SIZE
      })
      const { read, delivered, dropped, inFlight } = r.statement()
      t.equal(read.bytes, 3 * SIZE)
      t.equal(inFlight.bytes, 0)
      if (policy === 'hold') {
        t.equal(delivered.lines, total, 'nothing was dropped')
        t.strictSame(dropped, {})
      } else {
        const lost = dropped['held_limit']!.bytes
        t.ok(lost > 0 && lost <= SIZE, 'only of the oldest file')
        t.equal(delivered.bytes, 3 * SIZE - lost)
        t.notMatch(r.texts.slice(-1)[0], /^a/, 'the others came whole')
      }
    },
  )
}

/** As many files as a room may have open. */
const MOST = 8
const LINE = `${'x'.repeat(999)}\n`

for (const policy of ['hold', 'drop-oldest'] as const) {
  t.test(
    `${policy}: a neighbour that makes and deletes files during an outage takes no more handles than it may`,
    async t => {
      const dir = scratch(t, {})
      const held = { maxBytes: 1e9, policy }
      const r = await room(t, { sources: [source(join(dir, '*.log'))], files: MOST, held })
      r.holding = true
      const open = () => [...r.tail.tailers]
      const deleted = () => open().filter(({ state }) => state.kind === 'deleted').length
      const waiting = () => [...r.tail.refused].filter(({ reason }) => reason === 'too many open files').length
      let made = 0
      let most = 0
      const batch = async (seen: (paths: string[]) => boolean): Promise<void> => {
        const paths = Array.from({ length: 4 }, () => join(dir, `${made++}.log`))
        // More in all than is read while nothing settles.
        for (const path of paths) writeFileSync(path, LINE.repeat(400))
        t.ok(await r.until(() => seen(paths)), 'they are seen')
        most = Math.max(most, open().length)
        for (const path of paths) rmSync(path)
      }
      const areOpen = (paths: string[]) => paths.every(path => open().some(tailer => tailer.path === path))
      const told = () => r.journal.said.some(({ fields }) => fields['event'] === 'held_limit')
      await batch(areOpen)
      t.ok(await r.until(() => deleted() === 4))
      t.notOk(told(), 'half of them may be held')
      await batch(areOpen)
      if (policy === 'hold') {
        t.ok(await r.until(() => deleted() === 8 && told()), 'all are kept, and it is said')
        await batch(() => waiting() === 4)
        t.ok(await r.until(() => r.statement().lostBytes === 4 * 400 * LINE.length), 'what there was no handle for')
        const lost = r.journal.said.filter(({ fields }) => fields['event'] === 'data_lost')
        t.match(lost, Array(4).fill({ fields: { cause: 'gone', bytes: 400 * LINE.length } }))
      } else {
        for (let n = 0; n < 3; n++) {
          t.ok(await r.until(() => deleted() === 4), 'the oldest are given up')
          await batch(areOpen)
        }
      }
      t.ok(most <= MOST, `${most} files were open`)
      const log = join(dir, 'app.log')
      writeFileSync(log, 'the application\n')
      if (policy === 'hold') t.ok(await r.until(() => waiting() === 1), 'the others wait')
      else t.ok(await r.until(() => areOpen([log])), 'and there is room for what has a name')
      r.holding = false
      const all = () => {
        r.settle()
        const { delivered, dropped, lostBytes } = r.statement()
        return delivered.bytes + (dropped['held_limit']?.bytes ?? 0) + lostBytes
      }
      const whole = made * 400 * LINE.length + 16
      t.ok(await r.until(() => all() === whole), 'every byte is accounted for')
      const { delivered, dropped, lostBytes } = r.statement()
      if (policy === 'hold') t.strictSame(dropped, {}, 'nothing that was held was dropped')
      else t.ok(dropped['held_limit']!.bytes > 0 && lostBytes === 0, 'what was dropped has its reason')
      t.ok(delivered.bytes > 0)
      t.ok(r.texts.includes('the application'))
    },
  )
}
