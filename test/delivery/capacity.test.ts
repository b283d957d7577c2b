import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { CapacityQueue } from '../../src/delivery/capacity.ts'

/** A queue for so many free places, and a note of what has had some. */
function places(free: number) {
  const queue = new CapacityQueue()
  const came: string[] = []
  const state = { free, queue, came, attempts: 0 }
  const enter = (name: string, need: number) =>
    queue.enter(() => {
      state.attempts++
      if (state.free < need) return undefined
      state.free -= need
      came.push(name)
      return name
    })
  const release = (count: number) => {
    state.free += count
    queue.released()
    return setImmediate()
  }
  return { state, enter, release }
}

t.test('what can be had at once is had at once', async t => {
  const { state, enter } = places(2)
  void enter('a', 2)
  t.strictSame(state.came, ['a'], 'before anything else happens')
})

t.test('what needs much is not overtaken by what comes later and needs little', async t => {
  const { state, enter, release } = places(1)
  for (const [name, need] of [
    ['large', 3],
    ['small', 1],
    ['tiny', 1],
  ] as const)
    void enter(name, need)
  await release(1)
  t.strictSame(state.came, [])
  await release(1)
  t.strictSame(state.came, ['large'])
  await release(2)
  t.strictSame(state.came, ['large', 'small', 'tiny'], 'and one release may be enough for several')
  t.equal(await enter('late', 0), 'late', 'then nothing waits')
})

t.test('an attempt that fails and gives something back is not repeated for that', async t => {
  const queue = new CapacityQueue()
  let attempts = 0
  let free = false
  const found = queue.enter(() => {
    attempts++
    queue.released()
    return free ? 'found' : undefined
  })
  queue.released()
  await setImmediate()
  t.equal(attempts, 2)
  free = true
  queue.released()
  t.equal(await found, 'found')
})
