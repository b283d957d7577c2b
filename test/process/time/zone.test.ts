import t from 'tap'
import { type History, historyOf, zoneRows } from '../../../src/process/time/zone.ts'
import { TZ_VERSION } from '../../../src/process/time/zones.ts'
import { random } from './luxon.ts'
import { distinctZones, zoneNames } from './names.ts'

const FROM = Date.UTC(2000, 0, 1)
const TO = Date.UTC(2036, 0, 1)
const MINUTE = 60_000

/** The offset in minutes as the runtime's own database has it. */
function reader(zone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' })
  return at => {
    const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')!.value
    const [, sign, hours, minutes] = /^GMT(?:([+-])(\d\d):(\d\d))?$/.exec(name)!
    return (sign === '-' ? -1 : 1) * (60 * Number(hours ?? 0) + Number(minutes ?? 0))
  }
}

function known(zone: string): History {
  const history = historyOf(zone)
  if ('found' in history) throw new Error(history.found)
  return history
}

/** The offset in minutes as our table has it. */
function offsetOf(zone: string, at: number, history = known(zone)): number {
  const last = history.changes.findLast(change => change.at * 1000 <= at)
  return (last?.offset ?? history.first) / 60
}

const sameData = process.versions['tz'] === TZ_VERSION
const other = sameData
  ? {}
  : { skip: `the runtime has ${process.versions['tz']} of the tz database, not ${TZ_VERSION}` }

t.test('each zone has the offsets that the runtime knows, from 2000 to 2035', other, t => {
  const next = random(1)
  const wrong: string[] = []
  for (const zone of distinctZones()) {
    const wanted = reader(zone)
    const history = known(zone)
    const edges = history.changes.map(({ at }) => at * 1000).filter(at => at < TO)
    const near = edges.flatMap(at => [at - MINUTE, at])
    const anywhere = Array.from({ length: 20 }, () => Math.floor(FROM + next() * (TO - FROM)))
    for (const at of [...near, ...anywhere]) {
      if (offsetOf(zone, at, history) !== wanted(at)) wrong.push(`${zone} ${new Date(at).toISOString()}`)
    }
  }
  t.strictSame(wrong, [])
  t.end()
})

t.test('names of the same history are together', other, t => {
  const next = random(2)
  const wrong = zoneNames().filter(zone => {
    const wanted = reader(zone)
    return Array.from({ length: 2 }, () => Math.floor(FROM + next() * (TO - FROM))).some(
      at => offsetOf(zone, at) !== wanted(at),
    )
  })
  t.strictSame(wrong, [])
  t.ok(zoneNames().length > 550)
  for (const zone of ['Europe/Berlin', 'America/New_York', 'US/Pacific', 'Asia/Calcutta', 'Asia/Kolkata']) {
    t.ok(zoneNames().includes(zone), zone)
  }
  t.end()
})

t.test('rules that go on are followed beyond the years that were looked at', t => {
  t.equal(offsetOf('Europe/Berlin', Date.UTC(2090, 6, 1)), 120)
  t.equal(offsetOf('Europe/Berlin', Date.UTC(2090, 11, 1)), 60)
  t.equal(offsetOf('Australia/Sydney', Date.UTC(2090, 0, 1)), 660)
  t.equal(offsetOf('Africa/Windhoek', Date.UTC(2090, 6, 1)), 120, 'one that has ended has')
  t.end()
})

t.test('rows are in the order of local time, each once', t => {
  for (const zone of distinctZones()) {
    const rows = zoneRows(zone)
    if ('found' in rows) throw new Error(rows.found)
    const times = [...rows.rows].filter((_, index) => index % 2 === 0)
    t.strictSame(
      times,
      [...new Set(times)].sort((a, b) => a - b),
      zone,
    )
  }
  t.end()
})

t.test('an offset is a zone too, and what is none is named', t => {
  t.strictSame(historyOf('+02:00'), { first: 7200, changes: [] })
  t.strictSame(historyOf('-0330'), { first: -12600, changes: [] })
  t.strictSame(historyOf('-05'), { first: -18000, changes: [] })
  t.strictSame(historyOf('UTC'), { first: 0, changes: [] })
  const allowed = 'a name of the tz database such as Europe/Berlin, an offset such as +02:00, or UTC'
  const hint = 'did you mean Europe/Berlin?'
  t.strictSame(historyOf('europe/berlin'), { found: 'the unknown zone "europe/berlin"', allowed, hint })
  for (const zone of ['Mars/Olympus', '', '@60', '60', '~2000-', '+15:00', '+01:60', 'CEST', '1csko:180']) {
    t.match(historyOf(zone), { allowed }, zone)
  }
  t.end()
})
