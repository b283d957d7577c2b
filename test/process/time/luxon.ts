/** Times that luxon writes, which the kernel has to read: in every format, with random zones and instants. */
import assert from 'node:assert/strict'
import { DateTime } from 'luxon'
import { type Clock, isoOf } from './clock.ts'
import { zoneNames } from './names.ts'

/** What is configured, and the text of an instant. */
interface Way {
  readonly format: string | undefined
  /** Milliseconds that the text can tell apart. */
  readonly unit: number
  readonly write: (at: DateTime) => string
  /** The text says its zone. */
  readonly zoned?: boolean
  /** The text does not say the year. */
  readonly yearless?: boolean
  /** The first instant that it can say, if that is later than others. */
  readonly from?: number
}

const by = (pattern: string) => (at: DateTime) => at.toFormat(pattern)
const seconds = (at: DateTime) => Math.floor(at.toMillis() / 1000)
const fractional = (at: DateTime) => `${seconds(at)}.${at.toFormat('SSS')} x`
const priority = (at: DateTime) => `<34>${at.toFormat('LLL')} ${`${at.day}`.padStart(2)} ${at.toFormat('HH:mm:ss')} a x`

const AUTO: readonly Way[] = [
  { format: undefined, unit: 1, zoned: true, write: at => `${at.toISO()} INFO started` },
  { format: undefined, unit: 1, write: by("yyyy-MM-dd HH:mm:ss,SSS 'INFO' 'x'") },
  { format: undefined, unit: 1000, write: by("yyyy/MM/dd HH:mm:ss '[notice] 1#1: x'") },
  {
    format: undefined,
    unit: 1000,
    zoned: true,
    write: by("'10.0.0.1 - - ['dd/LLL/yyyy:HH:mm:ss ZZZ'] \"GET / HTTP/1.1\"'"),
  },
  { format: undefined, unit: 1000, yearless: true, write: by("LLL dd HH:mm:ss 'host app[1]: x'") },
  { format: undefined, unit: 1, yearless: true, write: by("'I'LLdd HH:mm:ss.SSS'000       1 main.go:7] x'") },
  { format: undefined, unit: 1000, write: by("LLL dd, yyyy h:mm:ss a 'com.example.Main run'") },
  { format: undefined, unit: 1, write: by("'['EEE LLL dd HH:mm:ss.SSS yyyy'] [error] x'") },
  { format: undefined, unit: 1, write: by("dd-LLL-yyyy HH:mm:ss.SSS 'INFO [main] x'") },
  { format: undefined, unit: 1, zoned: true, write: by("yyyyLLdd'T'HHmmss.SSSZZZ ' x'") },
  // At the head of a line ten digits are seconds, and nine are not.
  { format: undefined, unit: 1, zoned: true, write: fractional, from: 1e12 },
]

const NAMED: readonly Way[] = [
  { format: 'rfc3339', unit: 1, zoned: true, write: at => `${at.toISO()} x` },
  { format: 'epoch_s', unit: 1000, zoned: true, write: at => `${seconds(at)} x` },
  { format: 'epoch_ms', unit: 1, zoned: true, write: at => `${at.toMillis()} x` },
  { format: 'epoch_us', unit: 1, zoned: true, write: at => `${at.toMillis()}000 x` },
  { format: 'epoch_ns', unit: 1, zoned: true, write: at => `${at.toMillis()}000000 x` },
  { format: 'clf', unit: 1000, zoned: true, write: by("'::1 - bob ['dd/LLL/yyyy:HH:mm:ss ZZZ'] \"GET / HTTP/1.1\"'") },
  { format: 'syslog', unit: 1000, yearless: true, write: priority },
  { format: 'klog', unit: 1, yearless: true, write: by("'W'LLdd HH:mm:ss.SSS'000 1 main.go:7] x'") },
]

const WRITTEN: readonly Way[] = [
  { format: '%Y-%m-%d %H:%M:%S,%f', unit: 1, write: by("yyyy-LL-dd HH:mm:ss,SSS 'x'") },
  { format: '[%d/%b/%Y:%T %z]', unit: 1000, zoned: true, write: by("'['dd/LLL/yyyy:HH:mm:ss ZZZ'] x'") },
  { format: '%e %B %y, %I.%M.%S %p', unit: 1000, write: by("d LLLL yy, hh.mm.ss a 'x'") },
  { format: '%Y.%j-%H%M%S.%f', unit: 1, write: by("yyyy.ooo-HHmmss.SSS 'x'") },
  { format: '%H:%M:%S.%L on %A, %d.%m.%Y', unit: 1, write: by("HH:mm:ss.SSS 'on' EEEE, dd.LL.yyyy 'x'") },
  { format: '%k:%M:%S %m/%d %Y', unit: 1000, write: by("H:mm:ss L/d yyyy 'x'") },
  { format: '%D %R', unit: 60_000, write: by("LL/dd/yy HH:mm 'x'") },
  { format: '%s.%f', unit: 1, zoned: true, write: fractional },
]

const WAYS = [...AUTO, ...NAMED, ...WRITTEN]

/** A generator of numbers in [0, 1): the same for the same seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const FROM = Date.UTC(2000, 0, 2)
const DAY = 86_400_000
/** Lines that are read at once. */
const BATCH = 200

/** The first instant with this local time, by what luxon says of the zone on both sides of it. */
function firstOf(at: DateTime): number {
  const local = at.toMillis() + at.offset * 60_000
  const offsetAt = (when: number) => DateTime.fromMillis(when, { zone: at.zone }).offset * 60_000
  const instants = [-DAY, 0, DAY].map(away => local - offsetAt(at.toMillis() + away))
  return Math.min(...instants.filter(each => each + offsetAt(each) === local))
}

/** Has the kernel read so many instants before `to`; throws at the first that it reads otherwise. */
export function readInstants(clock: Clock, instants: number, seed: number, to: number): void {
  const next = random(seed)
  const names = zoneNames()
  for (let done = 0; done < instants; done += BATCH) {
    const way = WAYS[(done / BATCH) % WAYS.length]!
    const zone = names[Math.floor(next() * names.length)]!
    const from = way.yearless ? to - 300 * DAY : (way.from ?? FROM)
    const somewhere = () => Math.floor(from + next() * (to - from))
    let now = somewhere()
    const times = Array.from({ length: BATCH }, () => {
      // Mostly near each other, as lines are: what is kept of the line before is of use then.
      now += Math.floor(next() ** 8 * 40 * DAY * (next() < 0.5 ? -1 : 1))
      if (now < from || now >= to) now = somewhere()
      return DateTime.fromMillis(now, { zone, locale: 'en-US' })
    })
    const lines = times.map(way.write)
    const rule = { zone, ...(way.format && { format: way.format }) }
    const found = clock.read(rule, lines, { readAt: to })
    for (const [index, time] of times.entries()) {
      const millis = time.toMillis()
      const instant = millis - (millis % way.unit)
      const wanted = way.zoned ? instant : firstOf(DateTime.fromMillis(instant, { zone }))
      const said = `${JSON.stringify(rule)}: ${lines[index]} (seed ${seed})`
      assert.equal(isoOf(found.times[index]), new Date(wanted).toISOString(), said)
    }
  }
}
