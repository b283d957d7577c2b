/** What a power cut does to ids: the machine starts again, the checkpoint is an older one, and so may a file be. */
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { currentBoot, inBoot } from '../../../src/tail/state/boot.ts'
import { type Checkpoint, parseCheckpoint } from '../../../src/tail/state/checkpoint.ts'
import { scratch } from '../../scratch.ts'
import { type Room, room, source } from '../rig.ts'

const [A, B, C] = ['a', 'b', 'c'].map(digit => `${digit.repeat(8)}-1111-4222-8333-444444444444`) as [
  string,
  string,
  string,
]
const LOADED: Checkpoint = { epoch: '0123456789abcdef', generations: [], totals: [], clean: false, boot: A }

t.test('the boot is what the kernel says, if that has its form', t => {
  const path = join(scratch(t), 'boot_id')
  t.equal(currentBoot(path), null, 'no such file')
  for (const text of ['', 'none\n', `${A}${A}\n`, A.toUpperCase()]) {
    writeFileSync(path, text)
    t.equal(currentBoot(path), null, text)
  }
  writeFileSync(path, `${A}\n`)
  t.equal(currentBoot(path), A)
  t.end()
})

t.test('in the same boot, and after an end that left nothing open, ids stay as they are', t => {
  t.strictSame(inBoot(LOADED, A), LOADED)
  t.strictSame(inBoot({ ...LOADED, salt: 'f'.repeat(16) }, A), { ...LOADED, salt: 'f'.repeat(16) })
  const { boot: _, ...whole } = LOADED
  t.strictSame(inBoot(whole, B), { ...whole, boot: B }, 'so is what an earlier version saved, which synchronized it')
  t.strictSame(inBoot(whole, null), whole)
  t.end()
})

t.test('in another boot there is a salt, the same for each start, and never again one that was used', t => {
  const other = inBoot(LOADED, B)
  t.match(other.salt, /^[0-9a-f]{16}$/)
  t.strictSame(inBoot(LOADED, B), other)
  t.equal(other.boot, B)
  t.strictSame(inBoot(other, B), other)
  // A volume goes to and fro between machines that are not restarted.
  const salts = new Set([undefined, other.salt])
  for (let at = other, n = 0; n < 6; n++) {
    at = inBoot(at, n % 2 === 0 ? A : B)
    t.notOk(salts.has(at.salt), `${n}`)
    salts.add(at.salt)
  }
  t.not(inBoot(LOADED, C).salt, other.salt)
  const untold = inBoot(LOADED, null)
  t.match(untold.salt, /^[0-9a-f]{16}$/, 'where no boot is told any more it may be another one')
  t.equal(untold.boot, undefined)
  t.strictSame(inBoot(untold, null), untold)
  t.end()
})

function place(t: Test) {
  const dir = scratch(t)
  const state = join(dir, 'state')
  const log = join(dir, 'app.log')
  mkdirSync(state)
  const start = (boot: string) => room(t, { sources: [source(log)], state, boot })
  return { log, state, start, dir }
}

/** What is on the disk after the power was cut: what was synchronized, and of what was saved since nothing or a part. */
function cutPower(state: string, left: Buffer | undefined = Buffer.alloc(0)): void {
  const kept = readFileSync(join(state, 'checkpoint.previous'))
  writeFileSync(join(state, 'checkpoint'), left ?? kept)
}

const idsOf = (r: Room): Set<string> => new Set(r.lines.map(({ generation, offset }) => `${generation}-${offset}`))

t.test('after a power cut a line that took the place of another one has an id of its own', async t => {
  const { log, state, start, dir } = place(t)
  writeFileSync(log, 'a1\n')
  const first = await start(A)
  await first.came(1)
  await first.until(() => parsed(state).generations[0]?.cursors['main']?.offset === 3)
  copyFileSync(join(state, 'checkpoint'), join(dir, 'before'))
  appendFileSync(log, 'lost\n')
  await first.came(2)
  await first.stop()
  // The end of the file had not reached the disk, and other bytes came there.
  truncateSync(log, 3)
  appendFileSync(log, 'next\nb1\n')
  copyFileSync(join(dir, 'before'), join(state, 'checkpoint.previous'))
  cutPower(state)
  const second = await start(B)
  t.strictSame(await second.came(2), ['next', 'b1'])
  t.strictSame([...idsOf(first).intersection(idsOf(second))], [])
  t.ok(
    second.journal.said.some(({ level, fields }) => level === 'warn' && fields['event'] === 'checkpoint_fallback'),
    'that the newest cannot be used is logged once',
  )
  await second.stop()
  const third = await start(B)
  appendFileSync(log, 'b2\n')
  t.strictSame(await third.came(1), ['b2'])
  t.equal(third.lines[0]!.generation, second.lines[0]!.generation, 'in the same boot ids go on')
})

t.test('a file that no checkpoint of before the power cut knows has other ids too', async t => {
  const { log, state, start, dir } = place(t)
  const first = await start(A)
  copyFileSync(join(state, 'checkpoint'), join(dir, 'before'))
  const { epoch } = parsed(state)
  writeFileSync(log, 'a1\na2\n')
  t.strictSame(await first.came(2), ['a1', 'a2'])
  await first.stop()
  for (const name of ['checkpoint', 'checkpoint.previous']) copyFileSync(join(dir, 'before'), join(state, name))
  truncateSync(log, 3)
  appendFileSync(log, 'xx\n')
  const second = await start(B)
  t.strictSame(await second.came(2), ['a1', 'xx'])
  t.equal(idsOf(second).size, 2)
  t.strictSame([...idsOf(first).intersection(idsOf(second))], [])
  t.equal(parsed(state).epoch, epoch, 'though the state directory is the same')
})

t.test(
  'a file of which no line was read has the same ids in each start of a boot, and other ones in the next',
  async t => {
    const { log, start } = place(t)
    writeFileSync(log, 'half')
    const ids: string[] = []
    for (const boot of [A, A, B, B, C]) {
      const r = await start(boot)
      await r.until(() => r.tail.swept)
      for (const { generation } of r.tail.tailers) {
        generation.identify(Buffer.from('half'))
        ids.push(generation.origin.generation)
      }
      await r.stop()
    }
    t.equal(ids.length, 5)
    const [a, again, b, bAgain, c] = ids
    t.strictSame([again, bAgain], [a, b])
    t.equal(new Set([a, b, c]).size, 3)
  },
)

t.test('after an end with everything settled ids go on in another boot, and lines do not come twice', async t => {
  const { log, state, start } = place(t)
  writeFileSync(log, 'a1\n')
  const first = await start(A)
  await first.came(1)
  await first.stop(true, true)
  t.equal(parsed(state).boot, undefined)
  const second = await start(B)
  await second.until(() => parsed(state).boot === B)
  appendFileSync(log, 'a2\n')
  t.strictSame(await second.came(1), ['a2'])
  t.equal(second.lines[0]!.generation, first.lines[0]!.generation)
})

t.test('while something runs the checkpoint on the disk names the boot, whatever the one before said', async t => {
  const { state, log, start } = place(t)
  writeFileSync(log, 'a1\n')
  const first = await start(A)
  await first.came(1)
  await first.stop(true, true)
  const second = await start(A)
  for (const name of ['checkpoint', 'checkpoint.previous']) t.equal(parsed(state, name).boot, A, name)
  await second.stop(true)
  t.equal(parsed(state).boot, A, 'nor does an end that left something')
})

const keysIn = (state: string, name: string): string[] => parsed(state, name).generations.map(({ key }) => key)

t.test('a rotation is not synchronized at once, but the pin of what was begun since the last time is', async t => {
  const { log, state, start } = place(t)
  const r = await start(A)
  const began = performance.now()
  // Once a minute everything is.
  const isEarly = () => performance.now() - began < 50_000
  r.holding = true
  writeFileSync(log, 'a1\n')
  await r.came(1)
  const [a] = [...r.tail.tailers].map(({ generation }) => generation.key)
  t.ok(await r.until(() => keysIn(state, 'checkpoint.previous').includes(a!)), 'a name that is new is synchronized')
  renameSync(log, `${log}.1`)
  writeFileSync(log, 'b1\n')
  await r.came(2)
  const b = [...r.tail.tailers].find(({ generation }) => generation.key !== a)!.generation.key
  t.ok(await r.until(() => keysIn(state, 'checkpoint').includes(b)))
  if (isEarly()) t.notOk(keysIn(state, 'checkpoint.previous').includes(b), 'its path was followed before')
  t.ok(await r.until(() => existsSync(join(state, 'pins', a!))), 'the first file is pinned')
  await r.until(() => r.tail.pins.kind === 'works' && r.tail.pins.pinned === 1)
  if (isEarly()) t.notOk(keysIn(state, 'checkpoint.previous').includes(b), 'and known on the disk')
  renameSync(log, `${log}.2`)
  writeFileSync(log, 'c1\n')
  t.ok(await r.until(() => existsSync(join(state, 'pins', b))), 'so is the second one')
  t.ok(await r.until(() => keysIn(state, 'checkpoint.previous').includes(b)), 'and is known on the disk then')
  r.holding = false
  r.settle()
})

function parsed(state: string, name = 'checkpoint'): Checkpoint {
  const result = parseCheckpoint(readFileSync(join(state, name)))
  if (result.kind !== 'ok') throw new Error(result.kind)
  return result.checkpoint
}
