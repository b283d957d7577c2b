import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { LAYOUT } from '../../../src/kernel/module.ts'
import { Slots } from '../../../src/process/parse/slots.ts'
import { ORIGIN, Rig } from './rig.ts'
import { hash, isChosen, placeHash } from './twin.ts'

const ERROR = 17
const texts = fc.array(fc.string({ minLength: 1, maxLength: 30, unit: 'binary-ascii' }), {
  minLength: 1,
  maxLength: 60,
})
const plain = (text: string) => !/[\n\r\0]/.test(text)

t.test('a record is chosen by its generation and offset, whatever else is read with it', t => {
  const rig = new Rig({ sample: 0.4 })
  fc.assert(
    fc.property(texts, fc.nat({ max: 2 ** 40 }), fc.nat({ max: 59 }), (all, fileStart, cut) => {
      const lines = all.filter(plain).map(text => ({ text }))
      const offsets: number[] = []
      let at = fileStart
      for (const { text } of lines) {
        offsets.push(at)
        at += Buffer.byteLength(text) + 1
      }
      const wanted = offsets.filter(offset => isChosen(placeHash(ORIGIN.generation, offset, 0n), 0.4))
      // Read in one go, or by two lives of the process, which stopped anywhere.
      const half = Math.min(cut, lines.length)
      const [head, tail] = [lines.slice(0, half), lines.slice(half)]
      for (const parts of [
        [{ lines, fileStart }],
        [
          { lines: head, fileStart },
          { lines: tail, fileStart: offsets[half] ?? at },
        ],
      ]) {
        const slab = rig.slab(...parts.filter(({ lines }) => lines.length > 0))
        rig.selector.apply(slab, 0)
        const kept = rig.kept(slab)
        assert.deepEqual(
          kept.map(({ offset }) => offset),
          wanted,
        )
        assert.ok(kept.every(({ flags }) => flags === LAYOUT.SAMPLED))
        rig.budget.release(slab.extent)
      }
    }),
  )
  t.end()
})

t.test('records with the same value stay together, in quotes or without', t => {
  const slots = new Slots(['trace_id'])
  const rig = new Rig({ sample: { keep: 0.5, by: 'trace_id', unless: 'error' } }, slots)
  const values = Array.from({ length: 200 }, (_, n) => `trace-${n}-${'x'.repeat(n % 20)}`)
  const lines = values.flatMap(value => [
    { text: `one ${value}`, values: [value] },
    { text: `two "${value}"`, values: [`"${value}"`] },
  ])
  const slab = rig.slab({ lines })
  rig.selector.apply(slab, 0)
  const wanted = values.filter(value => isChosen(hash(Buffer.from(value), 0n), 0.5))
  t.strictSame(
    rig.kept(slab).map(({ text }) => text),
    wanted.flatMap(value => [`one ${value}`, `two "${value}"`]),
  )
  t.ok(wanted.length > 70 && wanted.length < 130, `${wanted.length} of 200`)
  t.strictSame(slab.chunks[0]!.outcome.dropped['sample']!.lines, 400 - 2 * wanted.length)
  t.end()
})

t.test('records that are severe enough are kept, and say nothing of sampling', t => {
  for (const [unless, least] of [
    ['error', ERROR],
    ['warn', 13],
    ['none', 25],
  ] as const) {
    const rig = new Rig({ sample: { keep: 1e-9, unless } })
    const slab = rig.slab({ lines: [0, 9, 13, 17, 21].map(level => ({ text: `level ${level}`, level })) })
    rig.selector.apply(slab, 0)
    t.strictSame(
      rig.kept(slab).map(({ text, flags }) => [text, flags]),
      [0, 9, 13, 17, 21].filter(level => level >= least).map(level => [`level ${level}`, 0]),
    )
  }
  t.end()
})

t.test('a backend samples what its source has sampled by another hash, and its shape tells both shares', t => {
  const rig = new Rig({ sample: 0.5 }, undefined, { sample: 0.5 })
  const slab = rig.slab({ lines: Array.from({ length: 2000 }, (_, n) => ({ text: `line ${n}` })) })
  rig.selector.apply(slab, 0)
  const kept = rig.kept(slab)
  t.ok(kept.length > 400 && kept.length < 600, `${kept.length} of 2000`)
  t.ok(kept.every(({ flags }) => flags === (LAYOUT.SAMPLED | LAYOUT.RESAMPLED)))
  t.strictSame(slab.chunks[0]!.shape?.sampled, [0.5, 0.5])
  t.end()
})
