/**
 * The guard against getting slower, for every machine: what 64 MiB cost, against a loop of a library over the same bytes
 * in the same minute. A ratio, so that a slow machine is not a slow shipper; the best of three, since noise only adds.
 * Ends with code 1 if a figure is half as much again as the one below.
 *
 *     node test/bench/guard.ts
 */
import { linkSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { writeCorpus } from './corpus.ts'
import { quiet, Sink, Subject } from './measure.ts'

/** CPU time of the shipper's process over that of one crc32 of the same bytes, as measured when this was written. */
const COMMITTED: Readonly<Record<string, number>> = { text: 11, ndjson: 15, gzip: 23 }
const TOLERATED = 1.5
const MIB = 64
const REPEATS = 3

const folder = mkdtempSync(join(tmpdir(), 'logshipper-guard-'))
const corpus = join(folder, 'corpus')
const size = writeCorpus(corpus, MIB)
const bytes = readFileSync(corpus)

/** CPU seconds of one pass: the median of many. */
function reference(): number {
  const passes: number[] = []
  for (let n = 0; n < 15; n++) {
    const { user } = process.cpuUsage()
    crc32(bytes)
    passes.push(process.cpuUsage().user - user)
  }
  return passes.sort((a, b) => a - b)[7]! / 1e6
}

async function cost(name: string): Promise<number> {
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
try {
  for (const [name, committed] of Object.entries(COMMITTED)) {
    const ratios: number[] = []
    for (let n = 0; n < REPEATS; n++) ratios.push((await cost(name)) / reference())
    const best = Math.min(...ratios)
    const bad = best > committed * TOLERATED
    slower ||= bad
    const all = ratios.map(ratio => ratio.toFixed(1)).join(' ')
    console.log(`${bad ? 'SLOWER ' : 'ok     '} ${name}: ${best.toFixed(1)} × crc32 (${all}); committed ${committed}`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = slower ? 1 : 0
