/** When what changed is saved: a moment later, a file that was taken up sooner, one save at a time. */
import t, { type Test } from 'tap'
import type { CheckpointStore } from '../../../src/tail/state/checkpoint.ts'
import { Saver } from '../../../src/tail/state/saver.ts'
import { Time } from '../../support/time.ts'

/** A saver, and the ends of its saves by hand. `asked`: for each of them whether it is to be synchronized. */
function saving(t: Test) {
  const time = Time.stop(t)
  const ends: ((saved: boolean) => void)[] = []
  const asked: boolean[] = []
  const store = {
    syncDue: undefined as number | undefined,
    save: (_: unknown, sync: boolean) => {
      asked.push(sync)
      return new Promise<boolean>(resolve => ends.push(resolve))
    },
  }
  const saver = new Saver(store as unknown as CheckpointStore, () => {
    throw new Error('the snapshot is the store’s to take')
  })
  t.teardown(() => saver.stop())
  return { time, saver, ends, asked, store }
}

t.test('an offset that moved is saved within a second, with all that move meanwhile', async t => {
  const { time, saver, ends } = saving(t)
  saver.later()
  await time.pass(900)
  saver.later()
  t.equal(ends.length, 0)
  await time.pass(100)
  t.equal(ends.length, 1, 'a second after the first change, not after the last')
  ends[0]!(true)
  await time.pass(3000)
  t.equal(ends.length, 1, 'without a change there is nothing to save')
})

t.test('a file that was taken up is saved at once, even while an offset waits', async t => {
  const { time, saver, ends } = saving(t)
  saver.later()
  await time.pass(100)
  saver.soon()
  await time.pass(10)
  t.equal(ends.length, 1)
})

t.test('a name that is new is synchronized with the next save, and once', async t => {
  const { time, saver, ends, asked } = saving(t)
  saver.soon(true)
  saver.soon()
  await time.pass(10)
  ends[0]!(true)
  await time.pass(10)
  saver.later()
  await time.pass(1000)
  t.strictSame(asked, [true, false])
})

t.test('what could not be synchronized is asked for again with the next change', async t => {
  const { time, saver, ends, asked } = saving(t)
  saver.soon(true)
  await time.pass(10)
  ends[0]!(false)
  await time.pass(10)
  saver.later()
  await time.pass(1000)
  t.strictSame(asked, [true, true])
})

t.test('what was saved last is synchronized when that is due, though nothing changes any more', async t => {
  const { time, saver, ends, asked, store } = saving(t)
  saver.soon()
  await time.pass(10)
  store.syncDue = 40_000
  ends[0]!(true)
  await time.pass(0)
  await time.pass(39_000)
  t.strictSame(asked, [false])
  await time.pass(1000)
  t.strictSame(asked, [false, true])
  store.syncDue = undefined
  ends[1]!(true)
  await time.pass(0)
  await time.pass(100_000)
  t.strictSame(asked, [false, true])
})

t.test('what changes during a save is in the next one, which waits for its end', async t => {
  const { time, saver, ends } = saving(t)
  saver.soon()
  await time.pass(10)
  saver.later()
  saver.soon()
  await time.pass(5000)
  t.equal(ends.length, 1, 'a disk that hangs is asked once')
  ends[0]!(false)
  await time.pass(20)
  t.equal(ends.length, 2)
})

t.test('once it is stopped nothing is saved, not even what waited or came during a save', async t => {
  const { time, saver, ends } = saving(t)
  saver.soon()
  saver.stop()
  await time.pass(2000)
  t.equal(ends.length, 0)
  saver.later()
  await time.pass(2000)
  t.equal(ends.length, 0)
})

t.test('a save that runs when it is stopped is the last one', async t => {
  const { time, saver, ends } = saving(t)
  saver.soon()
  await time.pass(10)
  saver.soon()
  saver.stop()
  ends[0]!(true)
  await time.pass(2000)
  t.equal(ends.length, 1)
})
