/**
 * The ordinary day, for the guard: lines that come a hundred a second, the shipper, and beside it, at the same file and in
 * the same seconds, a bare loop (bare.ts). What disturbs one disturbs the other, so their ratio says what the shipper does.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { FLAGS } from '../support/image.ts'
import { Application } from './application.ts'
import { coreSeconds, Sink, Subject, wakes } from './measure.ts'

/** Lines a second, and posts a second of the bare loop: as many as `batch.interval` comes to by default. */
const RATE = 100
const POSTS = 5
/** Seconds until it counts, for then most of what runs has been compiled. */
const WARM = 8
/** And of counting, in parts whose median counts: compilers and collectors of garbage come in bursts. */
const PARTS = 5
const PART = 4

export interface Ratios {
  /** CPU time of all threads. */
  readonly cpu: number
  /** How often threads waited and were woken. */
  readonly wakes: number
}

/** As multiples of the bare loop; no finite number where the kernel does not count what has to be counted. */
export async function ordinary(directory: string, options: Readonly<Record<string, string>>): Promise<Ratios> {
  mkdirSync(directory)
  const log = join(directory, 'app.log')
  writeFileSync(log, '')
  const sinks = [await Sink.start(), await Sink.start()] as const
  const subject = Subject.shipper({
    LOGSHIPPER_SOURCE_PATHS: log,
    LOGSHIPPER_BACKEND_TYPE: 'http',
    LOGSHIPPER_BACKEND_ENDPOINT: `http://127.0.0.1:${sinks[0].port}/ingest`,
    LOGSHIPPER_BACKEND_COMPRESSION: 'none',
    LOGSHIPPER_STATE_DIR: join(directory, 'state'),
    LOGSHIPPER_SERVER_PORT: 'off',
    LOGSHIPPER_SERVER_ADMIN: 'off',
    ...options,
  })
  const script = new URL('./bare.ts', import.meta.url).pathname
  const bare = new Subject(process.execPath, [...FLAGS, script, log, String(sinks[1].port), String(POSTS)])
  const application = new Application(log, RATE, 'text')
  try {
    await sleep(WARM * 1000)
    const readings = [[reading(subject), reading(bare)] as const]
    for (let n = 0; n < PARTS; n++) {
      await sleep(PART * 1000)
      readings.push([reading(subject), reading(bare)])
    }
    for (const [n, sink] of sinks.entries()) {
      if ((await sink.received()).requests === 0) throw new Error(n === 0 ? 'nothing was shipped' : 'no bare loop')
    }
    const medianOf = (who: 0 | 1, of: 'cpu' | 'wakes') => {
      const parts = readings.slice(1).map((later, n) => later[who][of] - readings[n]![who][of])
      return parts.sort((a, b) => a - b)[Math.floor(PARTS / 2)]!
    }
    const ratio = (of: 'cpu' | 'wakes') => medianOf(0, of) / medianOf(1, of)
    return { cpu: ratio('cpu'), wakes: ratio('wakes') }
  } finally {
    application.stop()
    for (const each of [subject, bare]) await each.stop()
    for (const sink of sinks) sink.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

const reading = ({ pid }: Subject) => ({ cpu: coreSeconds(pid), wakes: wakes(pid).all })
