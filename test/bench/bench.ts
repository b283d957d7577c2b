/**
 * `npm run bench`: what the shipper costs. CPU seconds are the kernel's, of the shipper's process alone; wall times on a
 * shared machine mean little, so they are shown and not judged. `floor` is what reading and sending alone cost in Node on
 * this machine in the same minute; `× floor` is what can be compared between machines. Ends with code 1 if a figure
 * is over its target (`targets.ts`).
 *
 *     npm run bench                      everything, 1 GiB of backlog, medians of three
 *     npm run bench -- --quick           64 MiB and short live runs, once
 *     npm run bench -- --mib 256 --only backlog
 *     npm run bench -- --only backends   every backend, before a server of its kind; at most 512 MiB each; `--backend loki`: only those
 *     npm run bench -- --only processing multiline, redaction, time and level, or parsed fields, beside the same lines plain
 *     npm run bench -- --only scale      cost per byte from 64 MiB to 4 GiB
 *     npm run bench -- --only live       while somebody writes; `idle`: nobody writes, or no backend answers; `start`
 *     npm run bench -- --only small      1 to 1,000 lines a second; `--load "100 lines/s"`: only those
 *     npm run bench -- --bare            … without the image's flags, as outside of it
 *     npm run bench -- --peers           other shippers that this machine has, beside us: beside.ts
 */
import { rmSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { VERSION } from '../../src/version.ts'
import { SUBJECTS } from '../conformance/subjects.ts'
import { backend, backlog, HEAD, measureFloor, scale } from './backlogs.ts'
import { comparison } from './beside.ts'
import { jsonBlock, writeCorpus } from './corpus.ts'
import { dead, idle, LIVE_HEAD, live, start } from './lives.ts'
import { processing } from './processing.ts'
import { backendPrefix, folder, loadAverage, MIB, mib, wants, withPeers } from './setting.ts'
import { SMALL_HEAD, smalls } from './small.ts'
import { missed } from './targets.ts'

const machine = `${cpus()[0]?.model} × ${cpus().length}, Linux ${release()}, Node ${process.version}`
console.log(`logshipper ${VERSION}; ${machine}; ${loadAverage()}; ${mib} MiB of ~190-byte lines`)
try {
  if (withPeers) await comparison()
  else await ourselves()
  for (const miss of missed()) console.log(`OVER ITS TARGET: ${miss}`)
  console.log(loadAverage())
  process.exitCode = missed().length > 0 ? 1 : 0
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function ourselves(): Promise<void> {
  const format = (format: string, compression = 'none') => ({
    LOGSHIPPER_BACKEND_FORMAT: format,
    LOGSHIPPER_BACKEND_COMPRESSION: compression,
  })
  if (wants('backlog')) {
    const path = join(folder, 'backlog.log')
    const size = writeCorpus(path, mib)
    console.log(`\n${'backlog'.padEnd(31)}${HEAD}`)
    await measureFloor(path, size)
    await backlog('text', path, size, format('text'))
    await backlog('ndjson', path, size, format('ndjson'))
    await backlog('ndjson, zstd', path, size, format('ndjson', 'zstd'))
    await backlog('ndjson, gzip', path, size, format('ndjson', 'gzip'))
    await backlog('ndjson, zlib', path, size, format('ndjson', 'zlib'))
    rmSync(path)
    const objects = writeCorpus(path, mib, jsonBlock(8 * MIB))
    await backlog('JSON, merged', path, objects, { ...format('ndjson'), LOGSHIPPER_BACKEND_RECORD_MERGE: 'true' })
    rmSync(path)
  }
  if (wants('backends')) {
    const path = join(folder, 'backends.log')
    const size = writeCorpus(path, Math.min(mib, 512))
    console.log(`\n${'backends'.padEnd(31)}${HEAD}`)
    await measureFloor(path, size)
    for (const subject of SUBJECTS) if (subject.name.startsWith(backendPrefix)) await backend(subject, path, size)
    rmSync(path)
  }
  if (wants('processing')) {
    console.log(`\n${'processing'.padEnd(31)}${HEAD}`)
    await processing()
  }
  if (wants('scale')) {
    console.log(`\n${'scale'.padEnd(31)}${HEAD}`)
    await scale([64, 512, 4096].filter(size => size <= 4 * mib))
  }
  if (wants('live')) {
    console.log(`\n${'live'.padEnd(25)}${LIVE_HEAD}`)
    await live('20 MiB/s, rotating', 20 * MIB, 64 * MIB)
    await live('20 MiB/s in 100 files', 20 * MIB, 64 * MIB, 100)
  }
  if (wants('small')) {
    console.log(`\n${'small loads'.padEnd(31)}${SMALL_HEAD}`)
    await smalls()
  }
  if (wants('idle')) {
    console.log('\nidle                     CPU %       RSS   peak anon   (MiB)')
    await idle(10)
    await idle(1000)
    await dead()
  }
  if (wants('start')) await start()
}
