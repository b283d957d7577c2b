import t from 'tap'
import { LAYOUT } from '../../../src/kernel/module.ts'
import { PLACES } from '../../../src/process/redact/places.ts'
import { LENGTH, prefilterOf, SAMPLE } from '../../../src/process/redact/prefilter.ts'
import { keyLiteral, LITERALS } from '../../../src/process/redact/rules.ts'
import { Rig } from './rig.ts'

const PRESETS = Object.values(LITERALS).flat()

/** Whether the table lets the three bytes at a place pass. */
function passes(table: Uint8Array, bytes: Buffer, at: number): boolean {
  let buckets = 255
  for (let n = 0; n < LENGTH; n++) {
    const byte = bytes[at + n]!
    buckets &= table[32 * n + (byte & 15)]! & table[32 * n + 16 + (byte >> 4)]!
  }
  return buckets !== 0
}

t.test('each literal of a preset has a place, and passes there in either case', async t => {
  t.same(PLACES.map(([text]) => text).sort(), [...new Set(PRESETS.map(({ text }) => text))].sort())
  const { buckets, table } = prefilterOf(PRESETS)
  t.equal(buckets.flat().length, PRESETS.length)
  for (const { literal, place } of buckets.flat()) {
    if (place + LENGTH > literal.text.length) t.fail(`${literal.text}: ${place}`)
    const isFolded = (literal.flags & LAYOUT.REDACT_FOLDED) !== 0
    for (const text of isFolded ? [literal.text, literal.text.toUpperCase()] : [literal.text]) {
      if (!passes(table, Buffer.from(text), place)) t.fail(text)
    }
  }
})

t.test('of what logs are made of, few places pass', async t => {
  const { table } = prefilterOf(PRESETS)
  const bytes = Buffer.from(SAMPLE)
  const found = Array.from({ length: bytes.length - LENGTH }, (_, at) => at).filter(at => passes(table, bytes, at))
  t.ok(
    found.length < bytes.length / 100,
    `${found.length} of ${bytes.length}: ${found.map(at => SAMPLE.slice(at, at + 3))}`,
  )
})

t.test('a name from the configuration goes before the preset that is part of it', async t => {
  for (const key of ['x-api-key', 'my_token', 'api_key', 'old-passwords', 'sig', 'id']) {
    const [bucket] = prefilterOf([...PRESETS, keyLiteral(key)]).buckets.filter(each =>
      each.some(({ literal }) => !PRESETS.includes(literal)),
    )
    t.equal(
      bucket!.findIndex(({ literal }) => !PRESETS.includes(literal)),
      0,
      key,
    )
    const rig = new Rig({ rules: 'secrets', keys: [key] })
    t.match(rig.text(`${key}=0123456789abcdefghijkl`), `${key}=[${key}]`)
  }
  // It hides what stands behind the word for how it is meant, which that of the preset is not known for.
  const rig = new Rig({ rules: 'secrets', keys: ['x-api-key'] })
  t.equal(rig.text('x-api-key=Basic dXNlcjpwYXNz1'), 'x-api-key=Basic [x-api-key]**')
})
