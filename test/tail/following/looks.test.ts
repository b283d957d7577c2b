/** Looks at files that have to do with each other, and at those of a source that rests: when each is decided upon. */
import { appendFileSync, openSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Account } from '../../../src/ledger.ts'
import { inodeOf, NO_HEAD, NO_MARKER } from '../../../src/tail/files/fingerprint.ts'
import { Looks } from '../../../src/tail/following/looks.ts'
import { SearchTime } from '../../../src/tail/following/search-time.ts'
import { Cursor, Generation } from '../../../src/tail/generation/generation.ts'
import { Table } from '../../../src/tail/generation/table.ts'
import { Tailer } from '../../../src/tail/generation/tailer.ts'
import { HandClock } from '../../clock.ts'
import { scratch } from '../../scratch.ts'

const LINES = 'a line that is long enough to be told from others\n'.repeat(40)

/** Followed files, and what was decided about them. */
class Followed {
  readonly table = new Table()
  readonly clock = new HandClock()
  readonly looks: Looks
  readonly #time: SearchTime
  readonly #dir: string
  readonly #t: Test
  #decided: string[] = []
  #spent = 0
  #files = 0

  constructor(t: Test) {
    this.#t = t
    this.#dir = scratch(t)
    this.#time = new SearchTime(
      () => this.clock.now(),
      work => {
        work()
        return this.#spent
      },
    )
    const acts = {
      moved: (tailer: Tailer) => void this.#decided.push(`${this.#name(tailer)} moved`),
      apply: (tailer: Tailer, { kind }: { kind: string }) => {
        if (kind !== 'looked') this.#decided.push(`${this.#name(tailer)} ${kind}`)
      },
    }
    this.looks = new Looks(this.table, acts, this.#time)
  }

  /** A file that was taken up with this content; `origin`: the name under which it began. */
  file(name: string, content: string, { origin = name, source = 'app' } = {}): Tailer {
    const path = join(this.#dir, name)
    writeFileSync(path, content)
    const stats = statSync(path, { bigint: true })
    const cursor = new Cursor('main', new Account(), { offset: 0, marker: NO_MARKER }, () => {})
    const place = { source, path: join(this.#dir, origin), generation: name, labels: {} }
    const begun = BigInt(++this.#files)
    const generation = new Generation(place, inodeOf(stats), NO_HEAD, 0, [cursor], name, begun)
    const tailer = new Tailer(openSync(path, 'r'), path, stats, generation, 0)
    this.#t.teardown(() => tailer.close())
    this.table.open(tailer)
    this.look(tailer)
    return tailer
  }

  /** Looks, and returns what was decided. */
  look(...tailers: readonly Tailer[]): string[] {
    for (const tailer of tailers) this.looks.look(tailer, 1)
    return this.#decided.splice(0)
  }

  /** A search for a file of this source takes so many milliseconds, and the source rests three times as long. */
  search(source: string, ms: number): void {
    this.#spent = ms
    this.#time.search(source, () => {})
  }

  #name({ path }: Tailer): string {
    return path.slice(this.#dir.length + 1)
  }
}

t.test('what was written last to the file that had a name before is seen before what its successor holds', t => {
  const followed = new Followed(t)
  const elder = followed.file('app.log.1', LINES, { origin: 'app.log' })
  const tailer = followed.file('app.log', LINES)
  for (const { path } of [tailer, elder]) appendFileSync(path, 'one more\n')
  t.strictSame(followed.look(tailer), ['app.log.1 written', 'app.log.1 unread', 'app.log written', 'app.log unread'])
  t.strictSame(followed.look(tailer), ['app.log.1 unread', 'app.log unread'], 'each change is told once')
  t.end()
})

t.test('what is copied over a rotation belongs to the file that it was copied from, not to a new one', t => {
  const followed = new Followed(t)
  const copy = followed.file('app.log.1', 'what had been rotated before\n'.repeat(40))
  const tailer = followed.file('app.log', LINES)
  writeFileSync(copy.path, LINES)
  // Nothing has happened to the log: the copy is complete, and the log is about to be truncated.
  t.ok(followed.look(copy).includes('app.log.1 displaced'))
  t.strictSame(followed.look(tailer), ['app.log unread'])
  t.end()
})

t.test('what begins like no related file, and stands where something else stood, is a new generation', t => {
  const followed = new Followed(t)
  const rotated = followed.file('app.log.1', 'what had been rotated before\n'.repeat(40))
  followed.file('app.log', LINES)
  writeFileSync(rotated.path, 'something else altogether\n'.repeat(50))
  const own = followed.look(rotated).filter(each => each.startsWith('app.log.1 '))
  t.strictSame(own, ['app.log.1 replaced'])
  t.end()
})

t.test('a log that is found truncated beside its copy is decided upon before the copy', t => {
  const followed = new Followed(t)
  const copy = followed.file('app.log.1', 'what had been rotated before\n'.repeat(40))
  const tailer = followed.file('app.log', LINES)
  writeFileSync(copy.path, LINES)
  truncateSync(tailer.path, 0)
  t.equal(followed.look(copy)[0], 'app.log replaced', 'it is what explains the other one')
  t.end()
})

t.test('of a source that rests nothing is decided, and then what is owed comes first', t => {
  const followed = new Followed(t)
  const [one, two] = [followed.file('one.log', LINES), followed.file('two.log', LINES)]
  const other = followed.file('other.log', LINES, { source: 'other' })
  followed.search('app', 100)
  appendFileSync(one.path, 'one more\n')
  t.strictSame(followed.look(one), [])
  t.ok(followed.looks.owes(one) && followed.looks.behind)
  t.notOk(followed.looks.owes(two))
  t.strictSame(followed.look(other), ['other.log unread'], 'another source does not wait for it')
  followed.clock.pass(299)
  t.strictSame(followed.look(one), [])
  followed.clock.pass(1)
  t.strictSame(followed.look(two), ['one.log written', 'one.log unread', 'two.log unread'])
  t.notOk(followed.looks.behind)
  t.end()
})

t.test('what a reader has seen of a file of a source that rests is not forgotten', t => {
  const followed = new Followed(t)
  const [one, two] = [followed.file('one.log', LINES), followed.file('two.log', LINES)]
  followed.search('app', 100)
  followed.looks.replaced(one)
  t.strictSame(followed.look(one), [])
  followed.clock.pass(300)
  t.strictSame(followed.look(two), ['one.log replaced', 'two.log unread'])
  t.end()
})

t.test('a file that is followed no more is owed no look', t => {
  const followed = new Followed(t)
  const [one, two] = [followed.file('one.log', LINES), followed.file('two.log', LINES)]
  followed.search('app', 100)
  t.strictSame(followed.look(one), [])
  one.close()
  t.notOk(followed.looks.behind)
  followed.looks.forget(one)
  t.notOk(followed.looks.owes(one))
  followed.clock.pass(300)
  t.strictSame(followed.look(two), ['two.log unread'])
  t.end()
})

t.test('to be compared with a file of a source that rests another one may wait', t => {
  const followed = new Followed(t)
  const one = followed.file('one.log', LINES)
  followed.search('app', 100)
  const compare = (mayWait: boolean) =>
    followed.looks.compare(
      [one],
      () => true,
      () => false,
      mayWait,
    )
  t.equal(compare(true), 'postponed')
  t.equal(compare(false), one, 'if it cannot wait the other one is looked at')
  followed.clock.pass(300)
  t.equal(compare(true), one)
  t.end()
})
