/**
 * The guard against getting slower, for every machine, in a minute. Ratios, so that a slow machine is not a slow
 * shipper. Ends with code 1 if a figure is half as much again as the one below.
 *
 * A backlog: what 64 MiB cost, against a loop of a library over the same bytes in the same minute; the best of five,
 * since noise only adds, so that the first one that is good enough is the last.
 *
 * The ordinary day: CPU time and wake-ups at a hundred lines a second, against a bare loop beside it (ordinary.ts).
 *
 *     node test/bench/guard.ts
 *     node test/bench/guard.ts --only ordinary --with LOGSHIPPER_BACKEND_BATCH_INTERVAL=0      does it catch that?
 */
import { linkSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { crc32 } from 'node:zlib'
import { writeCorpus } from './corpus.ts'
import { quiet, Sink, Subject } from './measure.ts'
import { ordinary } from './ordinary.ts'

/** CPU time of the shipper's process over that of one crc32 of the same bytes, as measured when this was written. */
const COMMITTED: Readonly<Record<string, number>> = { text: 11, ndjson: 15, gzip: 23 }
/** Over the bare loop's; each request by itself (`batch.interval: 0`) was 48 and 26. */
const ORDINARY = { cpu: 8, wakes: 5.5 }
const TOLERATED = 1.5
const MIB = 64
const REPEATS = 5

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, with: { type: 'string', multiple: true, default: [] } },
})
/** Other options of the shipper's, to see what the guard makes of them. */
const others = Object.fromEntries(values.with.map(pair => pair.split(/=(.*)/s) as [string, string]))

const folder = mkdtempSync(join(tmpdir(), 'logshipper-guard-'))

/** CPU seconds of one pass: the median of many. */
function reference(bytes: Buffer): number {
  const passes: number[] = []
  for (let n = 0; n < 15; n++) {
    const { user } = process.cpuUsage()
    crc32(bytes)
    passes.push(process.cpuUsage().user - user)
  }
  return passes.sort((a, b) => a - b)[7]! / 1e6
}

async function cost(name: string, corpus: string, size: number): Promise<number> {
  const sink = await Sink.start()
  const log = join(folder, 'app.log')
  const subject = Subject.shipper({
    LOGSHIPPER_SOURCE_PATHS: log,
    LOGSHIPPER_BACKEND_TYPE: 'http',
    LOGSHIPPER_BACKEND_ENDPOINT: `http://127.0.0.1:${sink.port}/ingest`,
    LOGSHIPPER_BACKEND_FORMAT: name === 'text' ? 'text' : 'ndjson',
    LOGSHIPPER_BACKEND_COMPRESSION: name === 'gzip' ? 'gzip' : 'none',
    LOGSHIPPER_STATE_DIR: join(folder, 'state'),
    LOGSHIPPER_SERVER_PORT: 'off',
    LOGSHIPPER_SERVER_ADMIN: 'off',
    ...others,
  })
  await sleep(1500)
  const before = subject.cpu
  linkSync(corpus, log)
  await quiet(sink, name === 'gzip' ? size / 100 : size)
  const used = subject.cpu - before
  await subject.stop()
  sink.stop()
  for (const path of [log, join(folder, 'state')]) rmSync(path, { recursive: true, force: true })
  return used
}

let slower = false

/** Says what was found, and whether it is too much. */
function report(name: string, found: readonly number[], committed: number, unit: string): void {
  const best = Math.min(...found)
  const bad = best > committed * TOLERATED
  slower ||= bad
  const all = found.map(ratio => ratio.toFixed(1)).join(' ')
  console.log(`${bad ? 'SLOWER ' : 'ok     '} ${name}: ${best.toFixed(1)} × ${unit} (${all}); committed ${committed}`)
}

async function backlogs(): Promise<void> {
  const corpus = join(folder, 'corpus')
  const size = writeCorpus(corpus, MIB)
  const bytes = readFileSync(corpus)
  for (const [name, committed] of Object.entries(COMMITTED)) {
    const ratios: number[] = []
    while (ratios.length < REPEATS && !ratios.some(ratio => ratio <= committed * TOLERATED)) {
      ratios.push((await cost(name, corpus, size)) / reference(bytes))
    }
    report(name, ratios, committed, 'crc32')
  }
}

async function ordinaryDay(): Promise<void> {
  const { cpu, wakes } = await ordinary(join(folder, 'ordinary'), others)
  const figures = [
    ['CPU time', cpu, ORDINARY.cpu],
    ['wake-ups', wakes, ORDINARY.wakes],
  ] as const
  for (const [name, ratio, committed] of figures) {
    if (Number.isFinite(ratio)) report(`100 lines a second, ${name}`, [ratio], committed, 'a bare loop’s')
    else console.log(`skipped 100 lines a second, ${name}: this kernel does not count them, or not finely enough`)
  }
}

try {
  if ('backlogs'.startsWith(values.only)) await backlogs()
  if ('ordinary'.startsWith(values.only)) await ordinaryDay()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = slower ? 1 : 0
