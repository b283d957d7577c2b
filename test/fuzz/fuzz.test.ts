/** Every target takes its committed inputs and some that are made of them; and the search finds what is wrong. */
import assert from 'node:assert/strict'
import t from 'tap'
import { random } from '../torture/program.ts'
import { Mutator, shrink } from './mutate.ts'
import { committed, fuzz, TARGETS } from './search.ts'
import type { Target } from './target.ts'

t.setTimeout(170_000)

/** Inputs beside the committed ones: `npm run fuzz` tries more. */
const MORE = { judges: 400, config: 30, probes: 60, archives: 150, checkpoint: 300 } as const

for (const [name, make] of Object.entries(TARGETS)) {
  t.test(`${name}: nothing is wrong with the committed inputs, nor with those that are made of them`, async t => {
    const target = await make()
    t.teardown(() => target.close?.())
    t.ok(committed(name).length > 0, 'there is a corpus')
    const inputs = target.seeds.length + committed(name).length + (MORE[name as keyof typeof MORE] ?? 50)
    const { found, ...outcome } = await fuzz(target, { seed: 1, inputs })
    t.strictSame(found ? [String(found.error), found.input.toString('latin1')] : [], [])
    t.equal(outcome.inputs, inputs)
  })
}

t.test('a fault behind a word that stands in no input is found, and made small', async t => {
  const target: Target = {
    name: 'no such corpus',
    covers: ['fuzz.test.ts'],
    seeds: [Buffer.from('a long input that is harmless, and goes on for a while')],
    words: ['key'],
    run(input) {
      const at = input.indexOf('key')
      if (at >= 0 && input.indexOf('key', at + 1) > 0) assert(!input.includes('while'), 'it fell')
    },
  }
  const { found } = await fuzz(target, { seed: 1, inputs: 20_000 })
  t.match(found?.error, { message: 'it fell' })
  t.ok(found!.input.length < 15, String(found?.input))
})

t.test('the same seed makes the same inputs', async t => {
  const make = () => {
    const mutator = new Mutator(random(7), ['word'])
    return Array.from({ length: 50 }, () =>
      mutator.next([Buffer.from('one input'), Buffer.from('another')]).toString('hex'),
    )
  }
  t.strictSame(make(), make())
  t.ok(new Set(make()).size > 40)
})

t.test('what fails is made as small as it can be', async t => {
  const small = await shrink(Buffer.from('xxxxAxxxxxBxx'), async input => /A.*B/.test(input.toString()))
  t.equal(small.toString(), 'AB')
})
