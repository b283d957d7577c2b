import t from 'tap'
import { LAYOUT } from '../../../src/kernel/module.ts'
import { compileRedact } from '../../../src/process/redact/compile.ts'
import { PLACES } from '../../../src/process/redact/places.ts'
import { bytesAt, LENGTH, prefilterOf, SAMPLE } from '../../../src/process/redact/prefilter.ts'
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

t.test('the three bytes of each literal have a bit in either case, and few others do', async t => {
  const keys = ['x-api-key', 'id', 'Order_Id']
  const { table } = compileRedact({ redact: { rules: ['secrets', 'pii'], keys } }, problem => t.fail(problem.found))!
  const has = (bytes: Uint8Array): boolean => {
    const three = (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | 0x202020) >>> 0
    const hash = Math.imul(three, LAYOUT.REDACT_THREE_FACTOR) >>> (32 - LAYOUT.REDACT_THREE_BITS)
    return ((table[LAYOUT.REDACT_THREES + (hash >> 3)]! >> (hash & 7)) & 1) === 1
  }
  for (const { literal, place } of prefilterOf([...PRESETS, ...keys.map(keyLiteral)]).buckets.flat()) {
    // Behind a name of two letters many bytes may stand.
    for (const byte of bytesAt(literal, place + 2)) {
      const text = Buffer.from(literal.text.padEnd(place + LENGTH, String.fromCharCode(byte)), 'latin1')
      if (!has(text.subarray(place))) t.fail(literal.text)
      const isFolded = (literal.flags & LAYOUT.REDACT_FOLDED) !== 0
      const capitals = Buffer.from(text.toString('latin1').toUpperCase(), 'latin1')
      if (isFolded && !has(capitals.subarray(place))) t.fail(literal.text)
    }
  }
  const bits = table.subarray(LAYOUT.REDACT_THREES, LAYOUT.REDACT_LITERALS)
  const set = bits.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)
  t.ok(set < (bits.length * 8) / 30, `${set} bits`)
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
