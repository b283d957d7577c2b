/**
 * Whatever goes into this gzip comes out of Node's gunzip, which checks every byte by its own CRC.
 *
 * The random programs begin from a seed that is printed; `SEED=… node test/kernel/gzip.test.ts` runs one again.
 */
import assert from 'node:assert/strict'
import { gunzipSync, gzipSync, inflateRawSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { Gzip } from '../../src/kernel/gzip.ts'
import { block } from '../bench/corpus.ts'

const PIECE = 65536
const MIB = 1024 ** 2
const GUARD = 0xa5
const gzip = Gzip.create()

type Random = (below: number) => number

/** Numbers that look random and are the same for the same seed (xorshift32). */
function random(seed: number): Random {
  let state = seed | 1
  return below => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

function noise(bytes: number, next: Random, alphabet = 256): Buffer {
  const made = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; at++) made[at] = next(alphabet)
  return made
}

/** Packs a copy that lies between guards; returns the member, or `undefined` if the payload stayed as it was. */
function packed(plain: Buffer): Buffer | undefined {
  const place = Buffer.alloc(plain.length + 128, GUARD)
  const payload = place.subarray(64, 64 + plain.length)
  plain.copy(payload)
  const size = gzip.pack(payload)
  assert.ok(place.subarray(0, 64).every(byte => byte === GUARD))
  assert.ok(place.subarray(64 + plain.length).every(byte => byte === GUARD))
  if (size > 0) return payload.subarray(0, size)
  assert.ok(payload.equals(plain))
  return undefined
}

/** Asserts that it comes out as it went in and is smaller; returns how small it got. */
function survives(plain: Buffer): number {
  const member = packed(plain)
  assert.ok(member !== undefined, 'it did not get smaller')
  assert.ok(member.length < plain.length)
  assert.ok(gunzipSync(member).equals(plain))
  return member.length
}

const all = (t: Test, name: string, check: () => void) => t.doesNotThrow(check, name)

t.test('what is too short to get smaller stays as it is', async t => {
  for (const text of ['', 'a', 'ab', 'aaaaaaaa', 'no repeats: 123']) {
    all(t, JSON.stringify(text), () => assert.equal(packed(Buffer.from(text)), undefined))
  }
})

t.test('one byte over and over, of any length around the edges of pieces and matches', async t => {
  const lengths = [64, 257, 258, 259, 260, 261, 516, 517, 518, 519, 4799, 4800, 4801, 4816, 32768, 32769]
  for (const edge of [PIECE, 2 * PIECE, 5 * PIECE]) for (let off = -2; off <= 2; off++) lengths.push(edge + off)
  lengths.push(MIB, 3 * MIB + 1)
  all(t, 'zeros', () => {
    for (const length of lengths) survives(Buffer.alloc(length))
  })
  all(t, 'lines', () => {
    for (const length of lengths) survives(Buffer.alloc(length, 'GET / HTTP/1.1 200\n'))
  })
})

t.test('noise stays as it is; behind a piece that got smaller it is stored', async t => {
  const next = random(7)
  all(t, 'alone', () => {
    for (const length of [1, 100, 5000, PIECE, PIECE + 1, MIB]) assert.equal(packed(noise(length, next)), undefined)
  })
  all(t, 'behind a compressible piece', () => {
    for (const length of [1, 100, PIECE - 1, PIECE, PIECE + 1, MIB]) {
      const plain = Buffer.concat([Buffer.alloc(PIECE, 'abc'), noise(length, next)])
      const blocks = Math.ceil(length / PIECE)
      assert.ok(survives(plain) <= length + 10 * blocks + 200)
    }
  })
  all(t, 'behind a piece that hardly got smaller', () => {
    for (const zeros of [20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 400]) {
      const plain = Buffer.concat([Buffer.alloc(zeros), noise(PIECE - zeros + 11 * PIECE, next)])
      const member = packed(plain)
      if (member !== undefined) assert.ok(gunzipSync(member).equals(plain))
    }
  })
})

t.test('a repeat is found as far back as the format reaches, and not further', async t => {
  const next = random(11)
  const needle = noise(2000, next)
  all(t, 'distances around 32 KiB, in the first pieces and later ones', () => {
    for (const before of [0, PIECE - 1000, PIECE, 3 * PIECE + 17]) {
      for (const distance of [2000, 32766, 32767, 32768, 32769, 32770, 65535, 65536, 65537, 65536 + 2000]) {
        const head = Buffer.alloc(Math.max(PIECE, before), 'head of the payload\n')
        const plain = Buffer.concat([head, needle, noise(distance - needle.length, next), needle])
        const size = survives(plain)
        const without = survives(plain.subarray(0, plain.length - needle.length))
        if (distance <= 32768 - 8) assert.ok(size - without < 1000, `not found at ${distance}`)
        if (distance > 32768) assert.ok(size - without > 1900)
      }
    }
  })
})

t.test('codes are cut to the bits that the format allows', async t => {
  // Uses that grow like Fibonacci's numbers make the deepest trees there are.
  let [a, b] = [1, 1]
  const runs: Buffer[] = []
  const next = random(13)
  for (let byte = 0; byte < 22; byte++) {
    runs.push(Buffer.alloc(a, byte))
    ;[a, b] = [b, a + b]
  }
  const sorted = Buffer.concat(runs)
  const shuffled = Buffer.from(sorted)
  for (let at = shuffled.length - 1; at > 0; at--) {
    const other = next(at + 1)
    ;[shuffled[at], shuffled[other]] = [shuffled[other]!, shuffled[at]!]
  }
  all(t, 'runs', () => survives(sorted))
  all(t, 'shuffled', () => survives(shuffled))
  all(t, 'one symbol, two symbols', () => {
    survives(Buffer.concat([Buffer.alloc(300, 'x'), Buffer.from('y')]))
    survives(noise(500, next, 2))
  })
})

t.test('every length and every distance symbol is written as it is read', async t => {
  const next = random(17)
  all(t, 'lengths 4 to 600', () => {
    for (let length = 4; length <= 600; length++) {
      const word = noise(length, next)
      survives(Buffer.concat([Buffer.alloc(700, 'z'), word, Buffer.from([1]), word, Buffer.from([2])]))
    }
  })
  all(t, 'distances 1 to 32768', () => {
    for (let distance = 1; distance <= 32768; distance = Math.ceil(distance * 1.07)) {
      const period = noise(distance, next)
      survives(Buffer.concat([Buffer.alloc(4000, 'z'), period, period, period.subarray(0, 20)]))
    }
  })
})

t.test('the same bytes become the same member, whatever was packed before', async t => {
  const text = block(300_000)
  const first = packed(text)!
  packed(noise(200_000, random(19)))
  packed(Buffer.alloc(70_000, 'something else\n'))
  t.ok(packed(text)!.equals(first))
  const other = Gzip.create()
  const copy = Buffer.from(text)
  t.ok(copy.subarray(0, other.pack(copy)).equals(first), 'by another instance too')
})

t.test('the member is a plain one: no name, no time', async t => {
  const member = packed(Buffer.alloc(1000, 'line\n'))!
  t.equal(member.subarray(0, 10).toString('hex'), '1f8b08000000000004ff')
  t.equal(inflateRawSync(member.subarray(10, -8)).length, 1000)
})

t.test('log lines get as small as by zlib at level 1', async t => {
  const text = block(8 * PIECE)
  const json = Buffer.from(
    text
      .toString()
      .trimEnd()
      .split('\n')
      .map(message => `${JSON.stringify({ message, file: '/var/log/app/access.log' })}\n`)
      .join(''),
  )
  for (const lines of [text, json]) t.ok(packed(lines)!.length <= gzipSync(lines, { level: 1 }).length)
  // Of a few lines the description of codes would be the most; there zlib is not far from what can be had.
  for (const bytes of [300, 500, 1000, 2000]) {
    const few = text.subarray(0, bytes)
    t.ok(packed(few)!.length <= gzipSync(few, { level: 1 }).length * 1.03)
  }
})

/** A payload of random parts: noise, words, runs, and repeats of what came before from anywhere. */
function hostile(next: Random): Buffer {
  const size = [next(300), next(5000), next(3 * PIECE), PIECE + next(5) - 2][next(4)]!
  const plain = Buffer.alloc(size)
  const words = Array.from({ length: 1 + next(40) }, () => noise(1 + next(30), next, 2 + next(255)))
  const alphabet = 1 + next(256)
  let at = 0
  while (at < size) {
    const kind = next(10)
    const length = Math.min(size - at, next(4) === 0 ? next(2000) : 1 + next(30))
    if (kind < 3 && at > 0) {
      const back = 1 + next(Math.min(at, next(8) === 0 ? 70_000 : 1000))
      for (let n = 0; n < length; n++) plain[at + n] = plain[at + n - back]!
    } else if (kind < 6) words[next(words.length)]!.copy(plain, at, 0, length)
    else if (kind < 7) plain.fill(next(256), at, at + length)
    else for (let n = 0; n < length; n++) plain[at + n] = next(alphabet)
    at += Math.max(1, length)
  }
  return plain
}

t.test('random payloads survive', async t => {
  const seed = Number(process.env['SEED'] ?? (Date.now() ^ (process.pid << 16)) >>> 0)
  const seconds = Number(process.env['SECONDS'] ?? 2)
  t.comment(`SEED=${seed}`)
  const next = random(seed)
  const until = performance.now() + seconds * 1000
  let run = 0
  let smaller = 0
  try {
    for (; run < 40 || performance.now() < until; run++) {
      const plain = hostile(next)
      const member = packed(plain)
      if (member === undefined) continue
      smaller++
      assert.ok(member.length < plain.length)
      assert.ok(gunzipSync(member).equals(plain))
      const again = Buffer.from(plain)
      assert.ok(again.subarray(0, gzip.pack(again)).equals(member))
    }
  } catch (error) {
    t.fail(`SEED=${seed}, payload ${run}: ${String(error)}`)
  }
  t.ok(smaller > 10)
  t.comment(`${run} payloads, ${smaller} of which got smaller`)
})
