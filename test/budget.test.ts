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
  t.equal(budget.grant(100 * PAGE), undefined, 'nor is more than there is')
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

t.test('an extent is released once, and whoever waits is told after it is free', t => {
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

t.test('in any order of grants, shrinks and releases no byte is owned twice and none gets lost', t => {
  const step = fc.record({
    kind: fc.constantFrom('grant', 'grant', 'shrink', 'release'),
    pages: fc.integer({ min: 1, max: 9 }),
    which: fc.nat(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const budget = new Budget(PAGE, 16 * PAGE)
      const live: Extent[] = []
      for (const { kind, pages, which } of steps) {
        const extent = live[which % Math.max(1, live.length)]
        if (kind === 'grant') {
          const granted = budget.grant(pages * PAGE - 7)
          if (granted) live.push(granted)
          else assert.ok(longestGap(live) < pages, 'what fits is granted')
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
      assert.equal(budget.grant(16 * PAGE)?.address, PAGE, 'in the end all of it is there again')
    }),
  )
  t.end()
})

/** Pages of the largest free run between extents in order of address. */
function longestGap(live: readonly Extent[]): number {
  let at = PAGE
  let longest = 0
  for (const { address, bytes } of [...live, { address: 17 * PAGE, bytes: 0 }]) {
    longest = Math.max(longest, address - at)
    at = address + bytes
  }
  return longest / PAGE
}
