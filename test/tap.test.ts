/** The tap: which records a viewer gets of slabs, how much of each, and what it costs where there is none. */
import t from 'tap'
import { EXCERPT, MOST_VIEWERS, RATE, Tap, type TapFilter, TapInlet, type TappedRecord } from '../src/tap.ts'
import { Arena, numbered, origin } from './delivery/rig.ts'

const ALL: TapFilter = { source: undefined, backend: undefined, text: undefined }

function rig() {
  let now = 0
  const arena = new Arena()
  const tap = new Tap(true, () => now)
  const inlet = (backend: string) => new TapInlet(tap, backend, arena.kernel.bytes)
  const look = (filter: Partial<TapFilter> = {}) => {
    const records: TappedRecord[] = []
    const opened = tap.open({ ...ALL, ...filter }, { onRecord: each => records.push(each), onForbidden: () => {} })
    if (opened.kind !== 'open') throw new Error(opened.kind)
    return { records, viewer: opened.viewer, texts: () => records.splice(0).map(({ text }) => text) }
  }
  return { arena, tap, main: inlet('main'), audit: inlet('audit'), look, later: (ms: number) => void (now += ms) }
}

const all = ({ frames }: { frames: number }) => [{ from: 0, to: frames }]

t.test('a record comes with its verdict, its place and its text', t => {
  const { arena, main, look } = rig()
  const slab = arena.slab({ lines: ['one', 'two\r'], fileStart: 100 }, { lines: ['three'], origin: origin('/b.log') })
  const { records } = look()
  main.frames(slab, [{ from: 1, to: 3 }], 'rejected', 'http_400')
  main.frames(slab, [{ from: 0, to: 1 }], 'delivered')
  t.match(records[0]!.at, /^\d{4}-\d\d-\d\dT.*Z$/)
  t.strictSame(
    records.map(({ at: _, ...rest }) => rest),
    [
      { verdict: 'rejected', reason: 'http_400', file: '/var/log/app/a.log', offset: 104, text: 'two', bytes: 4 },
      { verdict: 'rejected', reason: 'http_400', file: '/b.log', offset: 0, text: 'three', bytes: 5 },
      { verdict: 'delivered', reason: null, file: '/var/log/app/a.log', offset: 100, text: 'one', bytes: 3 },
    ].map(record => ({ ...record, source: 'app', backend: 'main' })),
  )
  t.end()
})

t.test('without a viewer nothing of a record is looked at, and one that has left costs nothing either', t => {
  const { tap, main, look } = rig()
  // Anything that is asked of this slab fails.
  const untouchable = new Proxy({}, { get: (_, name) => t.fail(`looked at ${String(name)}`) }) as never
  t.notOk(main.open)
  main.frames(untouchable, [{ from: 0, to: 1 }], 'delivered')
  main.record(untouchable, 0, untouchable, 'rejected')
  const { viewer } = look()
  t.ok(main.open)
  tap.close(viewer)
  t.notOk(main.open)
  main.frames(untouchable, [{ from: 0, to: 1 }], 'delivered')
  t.end()
})

t.test('what a viewer keeps is a copy: the slab may be used for other bytes', t => {
  const { arena, main, look } = rig()
  const slab = arena.slab({ lines: ['secret of another time'] })
  const { records } = look()
  main.frames(slab, all(slab), 'delivered')
  arena.kernel.bytes.fill(0x2a, slab.window, slab.window + slab.used)
  t.equal(records[0]!.text, 'secret of another time')
  t.end()
})

t.test('source, backend and text choose among records; a text is not found across two of them', t => {
  const { arena, main, audit, look } = rig()
  const other = { ...origin('/b.log'), source: 'access' }
  const slab = arena.slab({ lines: ['GET /a', 'POST /b', 'GET /c', ''] }, { lines: ['GET /d'], origin: other })
  const looks = {
    access: look({ source: 'access' }),
    audit: look({ backend: 'audit' }),
    post: look({ text: 'ST /' }),
    none: look({ text: 'b\nG' }),
  }
  main.frames(slab, all(slab), 'delivered')
  t.strictSame(looks.access.texts(), ['GET /d'])
  t.strictSame(looks.audit.texts(), [])
  t.strictSame(looks.post.texts(), ['POST /b'])
  t.strictSame(looks.none.texts(), [], 'the line feed between two frames is in neither')
  audit.frames(slab, all(slab), 'delivered')
  t.equal(looks.audit.texts().length, 5)
  t.equal(looks.post.viewer.takeSkipped(), 0, 'what does not match was looked at')
  t.end()
})

t.test('a record that is several lines is found by a text with a line feed, and by one that is in its last', t => {
  const { arena, main, look } = rig()
  const slab = arena.slab({ lines: ['error\n at f\n at g', 'next'] })
  const looks = [look({ text: 'error\n at f' }), look({ text: 'at g' }), look({ text: 'next' })]
  main.frames(slab, all(slab), 'delivered')
  t.strictSame(
    looks.map(({ texts }) => texts()),
    [['error\n at f\n at g'], ['error\n at f\n at g'], ['next']],
  )
  t.end()
})

t.test('a viewer gets a hundred records of each verdict a second, and the count of the others', t => {
  const { arena, main, look, later } = rig()
  const slab = arena.slab({ lines: numbered(1000) })
  const { texts, viewer } = look()
  main.frames(slab, [{ from: 0, to: 900 }], 'delivered')
  main.frames(slab, [{ from: 900, to: 950 }], 'rejected', 'http_400')
  const seen = texts()
  t.equal(seen.length, RATE + 50, 'many that are delivered hide none that is rejected')
  t.equal(seen.at(-1), 'line 949')
  t.equal(viewer.takeSkipped(), 800)
  t.equal(viewer.takeSkipped(), 0)
  later(999)
  main.frames(slab, all(slab), 'delivered')
  t.equal(viewer.takeSkipped(), 1000)
  later(1)
  main.frames(slab, all(slab), 'delivered')
  t.equal(texts().length, RATE)
  t.equal(viewer.takeSkipped(), 1000 - RATE)
  t.end()
})

t.test('records that are searched for are found however many others there are', t => {
  const { arena, main, look } = rig()
  const slab = arena.slab({ lines: [...numbered(5000), 'the needle'] })
  const { texts, viewer } = look({ text: 'needle' })
  main.frames(slab, all(slab), 'delivered')
  t.strictSame(texts(), ['the needle'])
  t.equal(viewer.takeSkipped(), 0)
  t.end()
})

t.test('no more than a KiB of a record is copied, in whole characters', t => {
  const { arena, main, look } = rig()
  const [long, wide] = ['x'.repeat(5000), `x${'…'.repeat(2000)}`]
  const slab = arena.slab({ lines: [long, wide, Buffer.from([0xff, 0x41])] })
  const { records } = look()
  main.frames(slab, all(slab), 'delivered')
  t.equal(records[0]!.text, 'x'.repeat(EXCERPT))
  t.equal(records[0]!.bytes, 5000)
  t.equal(records[1]!.text, `x${'…'.repeat(Math.floor((EXCERPT - 1) / 3))}`)
  t.equal(records[2]!.text, '\ufffdA', 'what is not UTF-8 is shown as far as it can be')
  t.end()
})

t.test('there is a bound of viewers, and a configuration that forbids them disconnects them', t => {
  const { tap, look } = rig()
  let ended = 0
  const events = { onRecord: () => {}, onForbidden: () => void ended++ }
  const { viewer } = look()
  for (let n = 1; n < MOST_VIEWERS; n++) t.equal(tap.open(ALL, events).kind, 'open')
  t.equal(tap.open(ALL, events).kind, 'full')
  tap.close(viewer)
  t.equal(tap.open(ALL, events).kind, 'open')
  tap.allow(true)
  t.equal(ended, 0)
  tap.allow(false)
  t.equal(ended, MOST_VIEWERS)
  t.equal(tap.viewers, undefined)
  t.equal(tap.open(ALL, events).kind, 'forbidden')
  tap.allow(true)
  t.equal(tap.open(ALL, events).kind, 'open')
  t.end()
})
