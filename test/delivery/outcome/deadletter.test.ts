/** What is kept of rejected records, on a disk that is full, in a file that others reach. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, symlinkSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { DeadLetterFile, type Write } from '../../../src/delivery/outcome/deadletter.ts'
import type { RejectedRecord } from '../../../src/delivery/outcome/settlement.ts'
import { StateDirectory } from '../../../src/state.ts'
import { scratch } from '../../scratch.ts'
import { Arena, Listener } from '../rig.ts'

const arena = new Arena()

function record(text: string): RejectedRecord {
  const [chunk] = arena.slab({ lines: [text] }).chunks
  return { chunk: chunk!, offset: 0, frame: Buffer.from(text), reason: 'http_400', status: 400 }
}

function opened(t: Test, { write, maxBytes = 1 << 20 }: { write?: Write; maxBytes?: number } = {}) {
  const dir = scratch(t, {})
  const log = new Listener()
  const file = new DeadLetterFile(new StateDirectory(dir, new Listener()), 'main', maxBytes, log, undefined, write)
  t.teardown(() => file.close())
  const lines = () => readFileSync(file.path, 'utf8').split('\n')
  const messages = () =>
    lines()
      .filter(line => line !== '')
      .map(line => (JSON.parse(line) as { message: string }).message)
  return { dir, log, file, lines, messages }
}

const noSpace = () => Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })

t.test('a write that takes a part is gone on with until all of the record is there', async t => {
  const { file, messages } = opened(t, {
    write: (fd, bytes, offset) => writeSync(fd, bytes, offset, Math.min(7, bytes.length - offset)),
  })
  file.write(record('one'))
  file.write(record('two'))
  t.same(messages(), ['one', 'two'])
  t.match(file.stats, { written: 2, omitted: 0, bytes: readFileSync(file.path).length })
})

t.test('half a record that finds the disk full is taken back, counted, and spoils no other', async t => {
  let full = false
  const { file, messages, log } = opened(t, {
    write(fd, bytes, offset) {
      if (!full) return writeSync(fd, bytes, offset)
      if (offset > 0) throw noSpace()
      return writeSync(fd, bytes, 0, 20)
    },
  })
  file.write(record('one'))
  full = true
  file.write(record('two'))
  full = false
  file.write(record('six'))
  t.same(messages(), ['one', 'six'])
  t.match(file.stats, { written: 2, omitted: 1, bytes: readFileSync(file.path).length })
  t.match(log.said, [{ level: 'error', fields: { code: 'ENOSPC' }, sentence: /cannot be written/ }])
})

t.test('letters leave room for checkpoints on their volume, a quarter of a small one', t => {
  const dir = scratch(t, {})
  const log = new Listener()
  const room = { free: 0, total: 8 << 20 }
  const file = new DeadLetterFile(
    new StateDirectory(dir, new Listener()),
    'main',
    1 << 20,
    log,
    undefined,
    undefined,
    () => room,
  )
  t.teardown(() => file.close())
  const written = (free: number, total: number): boolean => {
    const before = file.stats.written
    Object.assign(room, { free, total })
    file.write(record('one'))
    return file.stats.written > before
  }
  t.equal(written((2 << 20) + 4096, 8 << 20), true)
  t.equal(written(2 << 20, 8 << 20), false)
  t.equal(written((16 << 20) + 4096, 2 ** 40), true)
  t.equal(written(16 << 20, 2 ** 40), false)
  t.match(log.said, [{ level: 'error', fields: { code: 'ENOSPC' } }, {}])
  t.end()
})

t.test('what a death left in the middle of a line ends there, and the next record is whole', async t => {
  const { file, lines, dir } = opened(t)
  file.write(record('one'))
  file.write(record('two'))
  file.close()
  truncateSync(file.path, readFileSync(file.path).length - 9)
  const again = new DeadLetterFile(new StateDirectory(dir, new Listener()), 'main', 1 << 20, new Listener())
  again.write(record('six'))
  again.close()
  const [first, torn, last, end] = lines()
  t.match(JSON.parse(first!), { message: 'one' })
  t.throws(() => JSON.parse(torn!))
  t.match(JSON.parse(last!), { message: 'six' })
  t.equal(end, '')
})

t.test('a file that was moved away is begun anew', async t => {
  const { file, messages } = opened(t)
  file.write(record('one'))
  renameSync(file.path, `${file.path}.taken`)
  file.write(record('two'))
  t.same(messages(), ['two'])
})

t.test('what has no room is counted, and the file keeps to its limit', async t => {
  const { file, log } = opened(t, { maxBytes: 400 })
  file.write(record('one'))
  file.write(record('x'.repeat(400)))
  t.match(file.stats, { written: 1, omitted: 1 })
  t.ok(readFileSync(file.path).length <= 400)
  t.match(log.said, [{ level: 'error', sentence: /full/ }])
})

t.test('a link in its place is not followed, and a pipe blocks nothing', async t => {
  for (const plant of ['link', 'pipe'] as const) {
    const { dir, file, log } = opened(t)
    const path = join(dir, 'dead-letter', 'main.ndjson')
    const other = join(dir, 'another-file')
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(other, 'precious\n')
    if (plant === 'link') symlinkSync(other, path)
    else execFileSync('mkfifo', [path])
    file.write(record('one'))
    t.same(readFileSync(other, 'utf8'), 'precious\n', plant)
    t.match(file.stats, { written: 0, omitted: 1 })
    t.match(log.said, [{ level: 'error', sentence: /cannot be written/ }])
  }
})

t.test('text that is no UTF-8 is kept exactly', async t => {
  const { file } = opened(t)
  const bytes = Buffer.from([0xff, 0x00, 0x61])
  file.write({ ...record('x'), frame: bytes })
  const { messageBase64 } = JSON.parse(readFileSync(file.path, 'utf8')) as { messageBase64: string }
  t.same(Buffer.from(messageBase64, 'base64'), bytes)
})
