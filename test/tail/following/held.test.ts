/** Files that were deleted before they were acknowledged may take only so much of the volume. */
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
