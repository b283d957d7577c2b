import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { Room } from '../../src/delivery/capacity.ts'

/** A room in which so many places are free, and a note of who has had some. */
function places(free: number) {
  const room = new Room()
  const came: string[] = []
  const state = { free, room, came, attempts: 0 }
  const enter = (name: string, need: number) =>
    room.enter(() => {
      state.attempts++
      if (state.free < need) return undefined
      state.free -= need
      came.push(name)
      return name
    })
  const release = (count: number) => {
    state.free += count
    room.open()
    return setImmediate()
  }
  return { state, enter, release }
}

t.test('what can be had at once is had at once', async t => {
  const { state, enter } = places(2)
  void enter('a', 2)
  t.strictSame(state.came, ['a'], 'before anything else happens')
})

t.test('who needs much is not overtaken by those who come later and need little', async t => {
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
  t.equal(await enter('late', 0), 'late', 'then nobody waits')
})

t.test('an attempt that fails and gives something back is not repeated for that', async t => {
  const room = new Room()
  let attempts = 0
  let free = false
  const found = room.enter(() => {
    attempts++
    room.open()
    return free ? 'found' : undefined
  })
  room.open()
  await setImmediate()
  t.equal(attempts, 2)
  free = true
  room.open()
  t.equal(await found, 'found')
})
