import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Ahead, SHORT } from '../../../src/tail/generation/ahead.ts'

/** A file in memory, and one who looks at it as the framer does, in blocks of any size. */
class Model {
  bytes = Buffer.alloc(0)
  readonly ahead = new Ahead(0)

  peek = (into: Buffer, position: number): number => this.bytes.copy(into, 0, position, position + into.length)

  look(block: number): void {
    for (let turns = 0; this.ahead.due < this.bytes.length; turns++) {
      assert.ok(turns < 1_000_000, 'looking comes to an end')
      const from = this.ahead.due
      const to = Math.min(this.bytes.length, from + block)
      let tail = to
      while (tail > from && this.bytes[tail - 1] === 0) tail--
      this.ahead.looked(from, to, tail)
    }
  }

  get dataEnd(): number {
    let end = this.bytes.length
    while (end > 0 && this.bytes[end - 1] === 0) end--
    return end
  }
}

t.test('where the data of a file ends is known once it was looked at, however it is written', t => {
  const step = fc.record({
    text: fc.nat(300),
    room: fc.oneof(fc.constant(0), fc.nat(5000)),
    block: fc.integer({ min: 64, max: 700 }),
    look: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), steps => {
      const model = new Model()
      let data = 0
      for (const { text, room, block, look } of steps) {
        const size = Math.max(model.bytes.length, data + text) + room
        const grown = Buffer.alloc(size)
        model.bytes.copy(grown)
        grown.fill('x', data, data + text)
        data += text
        model.bytes = grown
        model.ahead.probe(model.peek)
        if (!look) continue
        model.look(block)
        assert.equal(model.ahead.extent(size), data)
        assert.equal(model.ahead.due, size)
      }
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('what is written anywhere is found once everything was looked at again', t => {
  const write = fc.record({
    at: fc.nat(3000),
    bytes: fc.integer({ min: 1, max: 200 }),
    block: fc.integer({ min: 64, max: 700 }),
  })
  fc.assert(
    fc.property(fc.array(write, { maxLength: 20 }), writes => {
      const model = new Model()
      model.bytes = Buffer.alloc(3300)
      model.look(500)
      for (const { at, bytes, block } of writes) {
        model.bytes.fill('x', at, at + bytes)
        model.ahead.changed(model.ahead.probe(model.peek))
        model.look(block)
        if (model.ahead.stale) model.ahead.restart()
        model.look(block)
        assert.equal(model.ahead.extent(3300), model.dataEnd)
      }
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('a long line that changed in place is looked through once more for all changes meanwhile, and then again', t => {
  const ahead = new Ahead(0)
  const size = 4 * SHORT
  ahead.looked(0, size, size)
  ahead.changed(false)
  t.strictSame([ahead.due, ahead.again, ahead.stale], [0, 0, true])
  ahead.looked(0, SHORT, SHORT)
  ahead.changed(false)
  t.equal(ahead.due, SHORT, 'it does not begin anew')
  ahead.looked(SHORT, size, size)
  t.equal(ahead.due, 0, 'but once more')
  ahead.looked(0, size, size)
  t.equal(ahead.due, size)
  t.end()
})

t.test('a short line is read anew when the file has changed in place', t => {
  const ahead = new Ahead(10)
  ahead.looked(10, 20, 20)
  ahead.changed(false)
  t.equal(ahead.due, 10)
  t.end()
})

t.test('of what was cut off nothing is known', t => {
  const ahead = new Ahead(0)
  ahead.looked(0, 1000, 100)
  t.equal(ahead.extent(1000), 100)
  ahead.cut(500)
  t.strictSame([ahead.due, ahead.extent(500), ahead.extent(600)], [500, 100, 600])
  ahead.cut(50)
  t.strictSame([ahead.due, ahead.extent(50)], [50, 50])
  t.end()
})

t.test('what one cursor found out another at the same place need not look for', t => {
  const [one, other, elsewhere] = [new Ahead(5), new Ahead(5), new Ahead(6)]
  one.looked(5, 1000, 50)
  other.adopt(one)
  elsewhere.adopt(one)
  t.strictSame([other.due, other.extent(1000), elsewhere.due], [1000, 50, 6])
  t.end()
})
