import { appendFileSync, fstatSync, ftruncateSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Budget } from '../../../src/budget.ts'
import { layoutOf, Slab } from '../../../src/chunk.ts'
import { Kernel } from '../../../src/kernel/kernel.ts'
import { Account, DELIVERED } from '../../../src/ledger.ts'
import { inodeOf, NO_HEAD, NO_MARKER } from '../../../src/tail/files/fingerprint.ts'
import { Allowance } from '../../../src/tail/framing/allowance.ts'
import { formOf } from '../../../src/tail/framing/form.ts'
import { Framer, QUANTUM } from '../../../src/tail/framing/framer.ts'
import { Reader } from '../../../src/tail/framing/reader.ts'
import { Cursor, Generation } from '../../../src/tail/generation/generation.ts'
import { Tailer } from '../../../src/tail/generation/tailer.ts'
import { scratch } from '../../scratch.ts'
import { source } from '../rig.ts'

const kernel = Kernel.create(1 << 20)
const budget = new Budget(kernel.arena, kernel.arenaBytes)

function opened(path: string): { tailer: Tailer; cursor: Cursor } {
  const fd = openSync(path, 'r+')
  const stats = fstatSync(fd, { bigint: true })
  const cursor = new Cursor('main', new Account(), { offset: 0, marker: NO_MARKER }, () => {})
  const origin = { source: 'app', path, generation: '0'.repeat(16), labels: {} }
  const tailer = new Tailer(fd, path, stats, new Generation(origin, inodeOf(stats), NO_HEAD, 0, [cursor]), 0)
  return { tailer, cursor }
}

function reading(t: Test, allowance: Allowance, most?: { files: number; chunks: number }) {
  const framer = new Framer(kernel, () => formOf(source('/*', { maxLineBytes: 1024 })), allowance)
  const events = { replaced() {}, failed() {}, dry() {}, sent() {} }
  const reader = new Reader('main', framer, events, most)
  const files: Tailer[] = []
  t.teardown(() => {
    for (const file of files) file.close()
  })
  const lines: string[] = []
  return {
    reader,
    lines,
    offer(path: string) {
      const { tailer, cursor } = opened(path)
      files.push(tailer)
      reader.offer(tailer, cursor)
      return { tailer, cursor }
    },
    fill() {
      const slab = Slab.take(kernel.memory.buffer, budget, layoutOf(64, QUANTUM))!
      const fill = reader.fill(slab, QUANTUM)
      for (const chunk of slab.chunks) {
        for (let frame = chunk.firstFrame; frame < chunk.firstFrame + chunk.frames; frame++) {
          lines.push(kernel.bytes.toString('utf8', slab.startOf(chunk, frame), slab.endOf(frame)))
        }
      }
      if (slab.frames > 0) slab.settle(0, slab.frames, DELIVERED)
      budget.release(slab.extent)
      return fill
    },
  }
}

function sparse(path: string): string {
  writeFileSync(path, 'no line end')
  const fd = openSync(path, 'r+')
  ftruncateSync(fd, 1024 ** 4)
  return path
}

t.test('files that are looked through for long do not stand in the way of those that have lines', t => {
  const dir = scratch(t)
  let now = 0
  const { offer, fill, lines } = reading(t, new Allowance(() => (now += 0.05)))
  for (let n = 0; n < 50; n++) offer(sparse(join(dir, `sparse-${n}`)))
  t.equal(fill(), 'yield')
  for (let n = 0; n < 10; n++) {
    const path = join(dir, `${n}.log`)
    appendFileSync(path, `line ${n}\n`)
    offer(path)
    fill()
    t.equal(lines.length, n + 1)
  }
  t.end()
})

t.test('so many files are read in one turn, and so many into one slab, however little stands in each', t => {
  const dir = scratch(t)
  const { offer, fill, lines } = reading(t, new Allowance(), { files: 3, chunks: 4 })
  for (let n = 0; n < 4; n++) {
    writeFileSync(join(dir, `${n}.log`), `line ${n}\n`)
    offer(join(dir, `${n}.log`))
  }
  t.equal(fill(), 'more')
  t.equal(lines.length, 3)
  t.equal(fill(), 'more', 'there may be more in the first of them')
  t.equal(fill(), 'dry')
  t.strictSame(lines, ['line 0', 'line 1', 'line 2', 'line 3'])
  t.end()
})

t.test('a slab is full once it holds pieces of so many files', t => {
  const dir = scratch(t)
  const { offer, fill, lines } = reading(t, new Allowance(), { files: 9, chunks: 2 })
  for (let n = 0; n < 3; n++) {
    writeFileSync(join(dir, `${n}.log`), `line ${n}\n`)
    offer(join(dir, `${n}.log`))
  }
  t.equal(fill(), 'full')
  t.equal(lines.length, 2)
  t.equal(fill(), 'dry')
  t.equal(lines.length, 3)
  t.end()
})

t.test('what has to rest is offered again by itself, or before, if there is more to read', async t => {
  const dir = scratch(t)
  let now = 0
  const allowance = new Allowance(() => (now += 0.05))
  const { reader, offer, fill, lines } = reading(t, allowance)
  allowance.spend('fresh', 1050)
  const { tailer, cursor } = offer(sparse(join(dir, 'sparse')))
  let fills = 0
  for (; fill() === 'yield'; fills++) t.ok(reader.ready)
  t.notOk(reader.ready, 'it rests')
  t.ok(fills > 0)
  // The reader's own timer keeps no program alive.
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(alive))
  const offered = new Promise<void>(resolve => {
    reader.onReady = resolve
  })
  await offered
  t.ok(reader.ready, 'its time has come')
  while (fill() === 'yield');
  reader.offer(tailer, cursor)
  t.ok(reader.ready, 'it is offered')
  t.strictSame(lines, [])
})

t.test('once nothing more is written, files that waited for their turn are given back, and may be offered again', t => {
  const dir = scratch(t)
  const { reader, offer, fill, lines } = reading(t, new Allowance())
  const path = join(dir, 'a.log')
  writeFileSync(path, 'a line\nhalf')
  const { tailer, cursor } = offer(path)
  t.strictSame(reader.finish(), [tailer])
  t.notOk(reader.ready)
  reader.offer(tailer, cursor)
  t.equal(fill(), 'dry')
  t.strictSame(lines, ['a line', 'half'])
  t.strictSame(reader.finish(), [])
  t.end()
})
