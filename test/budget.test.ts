import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Budget, type Extent, PAGE } from '../src/budget.ts'

t.test('a grant is a run of whole pages, found first fit', t => {
  const budget = new Budget(PAGE, 8 * PAGE + 5)
  t.equal(budget.total, 8 * PAGE)
  const [a, b, c] = [budget.grant(1)!, budget.grant(PAGE + 1)!, budget.grant(2 * PAGE)!]
  t.strictSame([a.address, a.bytes], [PAGE, PAGE])
  t.strictSame([b.address, b.bytes], [2 * PAGE, 2 * PAGE])
  t.strictSame([c.address, c.bytes], [4 * PAGE, 2 * PAGE])
  budget.release(b)
  t.equal(budget.grant(3 * PAGE + 1), undefined, 'free bytes that are not together are no grant')
  t.equal(budget.grant(3 * PAGE)!.address, 6 * PAGE)
  t.equal(budget.grant(PAGE)!.address, 2 * PAGE, 'the first hole that fits')
  t.equal(budget.used, 7 * PAGE)
  t.end()
})

t.test('a shrunk extent keeps its address and gives back its end', t => {
  const budget = new Budget(0, 4 * PAGE)
  const extent = budget.grant(4 * PAGE)!
  budget.shrink(extent, PAGE + 1)
  t.strictSame([extent.address, extent.bytes, budget.used], [0, 2 * PAGE, 2 * PAGE])
  budget.shrink(extent, 0)
  t.equal(extent.bytes, PAGE, 'a page at least is kept')
  budget.shrink(extent, 9 * PAGE)
  t.equal(extent.bytes, PAGE, 'it does not grow')
  t.equal(budget.grant(3 * PAGE)!.address, PAGE)
  budget.release(extent)
  t.equal(budget.peak, 4 * PAGE)
  t.end()
})

t.test('an extent is released once, and waiters are notified after it is free', t => {
  const budget = new Budget(0, 2 * PAGE)
  const extent = budget.grant(2 * PAGE)!
  const heard: (number | undefined)[] = []
  budget.onRelease = () => {
    const next = budget.grant(PAGE)
    heard.push(next?.address)
  }
  budget.shrink(extent, 2 * PAGE)
  t.strictSame(heard, [], 'nothing was freed')
  budget.shrink(extent, PAGE)
  budget.release(extent)
  t.strictSame(heard, [PAGE, 0])
  t.throws(() => budget.release(extent), { code: 'ERR_INVARIANT' })
  t.throws(() => budget.shrink(extent, 0), { code: 'ERR_INVARIANT' })
  t.end()
})

t.test('what could never be granted is not waited for', t => {
  const budget = new Budget(0, 8 * PAGE, 3 * PAGE)
  t.strictSame([budget.total, budget.slabs, budget.payloads], [8 * PAGE, 5 * PAGE, 3 * PAGE])
  const slab = budget.grant(5 * PAGE)
  t.equal(slab?.bytes, 5 * PAGE)
  t.equal(budget.grant(5 * PAGE), undefined, 'not now')
  t.throws(() => budget.grant(5 * PAGE + 1), { code: 'ERR_INVARIANT', message: /slab is larger/ })
  t.throws(() => budget.grant(9 * PAGE, 5 * PAGE + 1), { code: 'ERR_INVARIANT' })
  t.throws(() => budget.grantPayload(3 * PAGE + 1), { code: 'ERR_INVARIANT', message: /payload is larger/ })
  t.throws(() => new Budget(0, 8 * PAGE, 8 * PAGE), { code: 'ERR_INVARIANT' }, 'without a place for slabs')
  t.end()
})

t.test('slabs leave payloads their part, and payloads take what slabs do not need', t => {
  const budget = new Budget(0, 8 * PAGE, 3 * PAGE)
  const slab = budget.grant(5 * PAGE)!
  const payload = budget.grantPayload(3 * PAGE)!
  t.equal(payload.address, 5 * PAGE, 'it is there, whatever slabs have taken')
  t.equal(budget.grantPayload(1), undefined)
  budget.shrink(slab, 2 * PAGE)
  t.equal(budget.grantPayload(3 * PAGE)!.address, 2 * PAGE, 'what is free among the slabs')
  budget.release(payload)
  t.equal(budget.grant(1), undefined, 'a slab waits for its own part')
  t.equal(budget.grantPayload(3 * PAGE)!.address, 5 * PAGE)
  t.end()
})

t.test('where the whole cannot be had the longest run will do, down to what is asked for at least', t => {
  const budget = new Budget(0, 10 * PAGE)
  const [, hole, , large] = [2, 3, 1, 4].map(pages => budget.grant(pages * PAGE)!)
  budget.release(hole!)
  budget.release(large!)
  const longest = budget.grant(6 * PAGE, 2 * PAGE)!
  t.strictSame([longest.address, longest.bytes], [6 * PAGE, 4 * PAGE])
  t.equal(budget.grant(6 * PAGE, 4 * PAGE), undefined, 'no less than that')
  t.strictSame(budget.grant(3 * PAGE, PAGE)!.address, 2 * PAGE, 'all of it, if it can be had')
  t.equal(budget.used, 10 * PAGE)
  t.end()
})

t.test('in any order of grants, shrinks and releases no byte is owned twice and none gets lost', t => {
  const step = fc.record({
    kind: fc.constantFrom('grant', 'grant', 'payload', 'shrink', 'release'),
    pages: fc.integer({ min: 1, max: 9 }),
    which: fc.nat(),
  })
  const aside = fc.constantFrom(0, 7)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), aside, (steps, aside) => {
      const budget = new Budget(PAGE, 16 * PAGE, aside * PAGE)
      const live: Extent[] = []
      for (const { kind, pages, which } of steps) {
        const extent = live[which % Math.max(1, live.length)]
        if (kind === 'grant') {
          const granted = budget.grant(pages * PAGE - 7)
          if (granted) live.push(granted)
          else assert.ok(longestGap(live, 17 - aside) < pages, 'what fits is granted')
          assert.ok(!granted || granted.address + granted.bytes <= (17 - aside) * PAGE)
        } else if (kind === 'payload') {
          const granted = budget.grantPayload(Math.min(pages, aside || 9) * PAGE - 7)
          if (granted) live.push(granted)
          else assert.ok(longestGap(live, 17) < pages, 'what fits is granted')
        } else if (extent && kind === 'shrink') budget.shrink(extent, pages * PAGE)
        else if (extent) {
          budget.release(extent)
          live.splice(live.indexOf(extent), 1)
        }
        live.sort((a, b) => a.address - b.address)
        assert.ok(live.every(({ address, bytes }, at) => address + bytes <= (live[at + 1]?.address ?? 17 * PAGE)))
        assert.equal(
          budget.used,
          live.reduce((sum, { bytes }) => sum + bytes, 0),
        )
        assert.ok(budget.used <= budget.peak && budget.peak <= budget.total)
      }
      for (const extent of live) budget.release(extent)
      assert.equal(budget.grant(budget.slabs)?.address, PAGE, 'in the end all of it is there again')
      if (aside > 0) assert.equal(budget.grantPayload(budget.payloads)?.bytes, budget.payloads)
      assert.equal(budget.used, budget.total)
    }),
  )
  t.end()
})

/** Pages of the largest free run in front of page `end`, between extents in order of address. */
function longestGap(live: readonly Extent[], end: number): number {
  let at = PAGE
  let longest = 0
  for (const { address, bytes } of [...live, { address: end * PAGE, bytes: 0 }]) {
    longest = Math.max(longest, Math.min(address, end * PAGE) - at)
    at = address + bytes
  }
  return longest / PAGE
}
