import t from 'tap'
import { Evidence, NEVER } from '../../../src/delivery/outcome/evidence.ts'

/** Evidence with a clock, and requests that are begun and answered at once. */
function evidence(options: { final?: boolean } = {}) {
  let now = 0
  const made = new Evidence({ now: () => now, ...options })
  return {
    made,
    pass: (ms: number) => (now += ms),
    take: () => made.accepted(made.begin()),
    refuse: (known: ReturnType<Evidence['open']>) => {
      made.begin()
      made.again(known)
      return made.condemns(known)
    },
    open: (since = NEVER) => {
      made.begin()
      return made.open(since)
    },
  }
}

t.test('a record is condemned by two refusals alone with something accepted between them', t => {
  const { made, take, refuse, open } = evidence()
  const known = open()
  t.equal(made.condemns(known), false)
  for (let n = 0; n < 20; n++) t.equal(refuse(known), false, 'nothing else was accepted')
  take()
  t.equal(refuse(known), true)
  t.end()
})

t.test('what was accepted by a request that began before the refusal was heard proves nothing', t => {
  const { made, refuse, open } = evidence()
  const before = made.begin()
  const known = open()
  made.accepted(before)
  t.equal(refuse(known), false)
  t.end()
})

t.test('where nothing follows, many refusals condemn a record of whose request others were accepted', t => {
  const { made, take, refuse, open } = evidence()
  made.begin()
  const since = made.tick
  take()
  const known = open(since)
  for (let n = 0; n < 4; n++) t.equal(refuse(known), false)
  t.equal(refuse(known), true)
  t.end()
})

t.test('but not once something else is refused that nothing was known of', t => {
  const { made, take, refuse, open } = evidence()
  made.begin()
  const since = made.tick
  take()
  const known = open(since)
  made.begin()
  made.strange()
  for (let n = 0; n < 20; n++) t.equal(refuse(known), false)
  t.end()
})

t.test('an address that refuses eight things in a row and takes nothing is doubted until it takes something', t => {
  const { made, take, open, pass } = evidence()
  for (let n = 0; n < 7; n++) open()
  t.equal(made.doubting, false)
  t.equal(made.uneasy, true)
  open()
  t.equal(made.doubting, true)
  t.equal(made.stubborn, false)
  pass(30_000)
  t.equal(made.stubborn, true, 'for long')
  take()
  t.equal(made.stubborn, false)
  t.equal(made.doubting, false)
  t.equal(made.uneasy, false)
  t.end()
})

t.test('an address that has contradicted itself must say so more often, for a while', t => {
  const { made, pass, take, refuse, open } = evidence()
  made.contradicted()
  const known = open()
  for (let n = 0; n < 6; n++) {
    take()
    t.equal(refuse(known), false)
  }
  take()
  t.equal(refuse(known), true)
  pass(5 * 60_000)
  const other = open()
  take()
  t.equal(refuse(other), true)
  t.end()
})

t.test('for what was rejected before the first refusal alone is enough, and the address is never doubted', t => {
  const { made, open } = evidence({ final: true })
  for (let n = 0; n < 10; n++) t.equal(made.condemns(open()), true)
  t.equal(made.doubting, false)
  t.end()
})
