/** The order in which files are read: what was written to a path first comes first, and what cannot be read waits alone. */
import { appendFileSync, openSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Account } from '../../../src/ledger.ts'
import { inodeOf, NO_HEAD, NO_MARKER, readMarker } from '../../../src/tail/files/fingerprint.ts'
import { Order } from '../../../src/tail/following/order.ts'
import type { Reader } from '../../../src/tail/framing/reader.ts'
import { Cursor, Generation } from '../../../src/tail/generation/generation.ts'
import type { Lineage } from '../../../src/tail/generation/lineage.ts'
import { Table } from '../../../src/tail/generation/table.ts'
import { Tailer } from '../../../src/tail/generation/tailer.ts'
import { scratch } from '../../scratch.ts'
import { chunkIn } from '../generation/chunks.ts'

const BACKENDS = ['left', 'right'] as const

/** A path and what was written to it under several names, one after the other. */
class Path {
  readonly table = new Table()
  readonly order: Order
  /** What was offered to the readers since this was looked at last: the file's name and the backend. */
  #offered: string[] = []
  /** Generations that begin after this are held back: an older one is being searched for. */
  searchedUntil = 1n << 62n
  readonly #dir: string
  readonly #t: Test

  constructor(t: Test) {
    this.#t = t
    this.#dir = scratch(t)
    const readerOf = (backend: string) => ({
      offer: ({ path }: Tailer) => this.#offered.push(`${path.slice(this.#dir.length + 1)} ${backend}`),
    })
    const lineage = { readerOf: (backend: string) => readerOf(backend) as unknown as Reader } as unknown as Lineage
    this.order = new Order({ table: this.table, lineage, holdsBack: (_, begun) => begun > this.searchedUntil })
  }

  /** A file of one line that was begun then, under the name `origin`. */
  file(name: string, begun: number, origin = 'app.log'): Tailer {
    const path = join(this.#dir, name)
    writeFileSync(path, 'a line\n')
    const stats = statSync(path, { bigint: true })
    const place = { source: 'app', path: join(this.#dir, origin), generation: name, labels: {} }
    const cursors = BACKENDS.map(each => new Cursor(each, new Account(), { offset: 0, marker: NO_MARKER }, () => {}))
    const generation = new Generation(place, inodeOf(stats), NO_HEAD, 0, cursors, name, BigInt(begun))
    const tailer = new Tailer(openSync(path, 'r'), path, stats, generation, 0)
    this.#t.teardown(() => tailer.close())
    this.table.open(tailer)
    return tailer
  }

  offered(): string[] {
    return this.#offered.splice(0)
  }

  offer(...tailers: readonly Tailer[]): string[] {
    for (const tailer of tailers) this.order.offer(tailer)
    return this.offered()
  }
}

/** All of a file is read for this backend. */
function read({ fd, size, generation }: Tailer, backend: string): void {
  const cursor = generation.cursors.find(each => each.backend === backend)!
  cursor.took(chunkIn(generation.origin, cursor, 0, size), readMarker(fd, size)!)
}

t.test('a file is offered to each reader once all that was written to its path before has been read for it', t => {
  const path = new Path(t)
  const [elder, younger] = [path.file('app.log.1', 1), path.file('app.log', 2)]
  t.strictSame(
    path.offer(younger, elder),
    ['app.log.1 left', 'app.log.1 right'],
    'the order of the offers is no matter',
  )
  read(elder, 'left')
  path.order.dry(elder)
  t.strictSame(path.offered(), ['app.log left'], 'a slow backend holds back what goes to it alone')
  read(elder, 'right')
  path.order.dry(elder)
  t.ok(path.offered().includes('app.log right'))
  t.end()
})

t.test('of three files the second one comes when the first was read, and the third one waits for it', t => {
  const path = new Path(t)
  const [one, two, three] = [path.file('app.log.2', 1), path.file('app.log.1', 2), path.file('app.log', 3)]
  t.strictSame(path.offer(three, two), [])
  for (const backend of BACKENDS) read(one, backend)
  path.order.dry(one)
  t.strictSame(path.offered(), ['app.log.1 left', 'app.log.1 right'])
  t.strictSame(path.offer(three), [])
  t.end()
})

t.test('files of another path wait for nothing of this one', t => {
  const path = new Path(t)
  path.file('app.log.1', 1)
  const other = path.file('other.log', 2, 'other.log')
  t.strictSame(path.offer(other), ['other.log left', 'other.log right'])
  t.end()
})

t.test('nothing is read of a generation that is not on disk yet', t => {
  const path = new Path(t)
  const tailer = path.file('app.log', 1)
  path.order.hold(tailer)
  t.ok(path.order.holding)
  t.strictSame(path.offer(tailer), [])
  path.order.suspended = true
  path.order.suspended = false
  t.strictSame(path.offered(), [], 'whatever else is offered again')
  path.order.release(tailer)
  t.notOk(path.order.holding)
  t.equal(path.offer(tailer).length, 2)
  t.end()
})

t.test('a file that cannot be read, or is followed no more, holds nothing back', async t => {
  const path = new Path(t)
  const [elder, younger] = [path.file('app.log.1', 1), path.file('app.log', 2)]
  t.strictSame(path.offer(younger), [])
  path.order.failed(elder)
  t.strictSame(path.offered(), ['app.log left', 'app.log right'])
  elder.failing = false
  t.strictSame(path.offer(younger), [], 'it is read again')
  path.table.close(elder)
  path.order.forget(elder)
  t.ok(path.order.holding, 'once this turn is over')
  await new Promise(setImmediate)
  t.notOk(path.order.holding)
  t.strictSame(path.offered(), ['app.log left', 'app.log right'])
})

t.test('while older files are being found nothing is read, and then the oldest of a path comes first', t => {
  const path = new Path(t)
  path.order.suspended = true
  const younger = path.file('app.log', 2)
  t.strictSame(path.offer(younger), [])
  const elder = path.file('app.log.1', 1)
  t.strictSame(path.offer(elder), [])
  path.order.suspended = false
  t.strictSame(path.offered(), ['app.log.1 left', 'app.log.1 right'])
  t.end()
})

t.test('once a file was read those of its path are looked at that wait, and no others', t => {
  const logs = new Path(t)
  logs.searchedUntil = 0n
  let looked = 0
  const files = Array.from({ length: 50 }, (_, n) => {
    const file = logs.file(`${n}.log`, n + 1, `${n}.log`)
    const { generation } = file
    Object.defineProperty(file, 'generation', {
      get() {
        looked++
        return generation
      },
    })
    return file
  })
  t.strictSame(logs.offer(...files), [])
  looked = 0
  for (const file of files) logs.order.dry(file)
  t.ok(looked < 50 * 50, `${looked} times`)
  logs.searchedUntil = 100n
  logs.order.dry(files[7]!)
  t.strictSame(logs.offered(), ['7.log left', '7.log right'])
  t.end()
})

t.test('while an older generation of its path is searched for a file waits, and no longer', t => {
  const path = new Path(t)
  const tailer = path.file('app.log', 5)
  path.searchedUntil = 4n
  t.strictSame(path.offer(tailer), [])
  path.searchedUntil = 6n
  path.order.unblock(join(tailer.path, '../another.log'))
  t.strictSame(path.offered(), [], 'that of another path is no news')
  path.order.unblock(tailer.path)
  t.equal(path.offered().length, 2)
  t.end()
})

t.test('what has been read is not offered, but a last line without an end is once nothing more is written', t => {
  const path = new Path(t)
  const tailer = path.file('app.log', 1)
  for (const backend of BACKENDS) read(tailer, backend)
  t.strictSame(path.offer(tailer), [])
  appendFileSync(tailer.path, 'half')
  tailer.poll(0, false)
  for (const { ahead, read } of tailer.generation.cursors) ahead.looked(ahead.due, read + 4, read + 4)
  t.strictSame(path.offer(tailer), [])
  path.order.final = true
  t.strictSame(path.offer(tailer), ['app.log left', 'app.log right'])
  t.end()
})
