/**
 * `npm run bench`: what the shipper costs. CPU seconds are the kernel's, of the shipper's process alone; wall times on a
 * shared machine mean little, so they are shown and not judged.
 *
 *     npm run bench                      everything, 1 GiB of backlog
 *     npm run bench -- --quick           64 MiB and short live runs
 *     npm run bench -- --mib 256 --only backlog
 *     npm run bench -- --only backends   every backend, before a server of its kind; at most 256 MiB each
 */
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { cpus, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { VERSION } from '../../src/version.ts'
import { SUBJECTS } from '../conformance/subjects.ts'
import { block, writeCorpus } from './corpus.ts'
import { percentile, quiet, Sink, Subject } from './measure.ts'
import { STAMP, STAMP_LENGTH } from './stamp.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    mib: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string' },
  },
})
const mib = Number(values.mib ?? (values.quick ? 64 : 1024))
const seconds = Number(values.seconds ?? (values.quick ? 4 : 15))
const GIB = 1024 ** 3
const MIB = 1024 ** 2

const folder = mkdtempSync(join(tmpdir(), 'logshipper-bench-'))
const wants = (name: string) => values.only === undefined || name.startsWith(values.only)
const fixed = (value: number, digits: number) => value.toFixed(digits)

function common(paths: string, port: number, state: string): Record<string, string> {
  return {
    LOGSHIPPER_SOURCE_PATHS: paths,
    LOGSHIPPER_BACKEND_TYPE: 'http',
    LOGSHIPPER_BACKEND_ENDPOINT: `http://127.0.0.1:${port}/ingest`,
    LOGSHIPPER_BACKEND_COMPRESSION: 'none',
    LOGSHIPPER_STATE_DIR: join(folder, state),
    LOGSHIPPER_SERVER_PORT: 'off',
    LOGSHIPPER_SERVER_ADMIN: 'off',
  }
}

async function backlog(name: string, path: string, size: number, options: Record<string, string>): Promise<void> {
  const sink = await Sink.start()
  const subject = new Subject({ ...common(path, sink.port, `state-${name}`), ...options })
  // Compressed output is never this small: it says only that something came. Plain output is never smaller than its input.
  await through(name, sink, subject, size, options['LOGSHIPPER_BACKEND_COMPRESSION'] === 'none' ? size : size / 100)
}

/**
 * A backend before a server of its kind, without compression: what its records and its judge cost. The file comes when
 * the shipper has started, so that starting does not count.
 */
async function backend(type: (typeof SUBJECTS)[number], corpus: string, size: number): Promise<void> {
  const sink = await Sink.start('--subject', type.name)
  const state = join(folder, `state-${type.name.replaceAll(/\W+/g, '-')}`)
  const path = join(folder, 'backend.log')
  const config = `${state}.json`
  const entry = { ...type.config(`http://127.0.0.1:${sink.port}`), compression: 'none' }
  const server = { port: 'off', admin: 'off' }
  writeFileSync(
    config,
    JSON.stringify({ sources: [{ paths: [path] }], backends: [entry], state: { dir: state }, server }),
  )
  const subject = new Subject({}, '--config', config)
  await sleep(1000)
  const before = subject.cpu
  linkSync(corpus, path)
  // A last line feed may be left out of each request.
  await through(type.name, sink, subject, size, size * 0.99, before)
  rmSync(path)
}

async function through(
  name: string,
  sink: Sink,
  subject: Subject,
  size: number,
  least: number,
  before = 0,
): Promise<void> {
  const { startedAt: began } = subject
  const { bodyBytes, lastAt } = await quiet(sink, least)
  const cpu = subject.cpu - before
  const row = [
    name.padEnd(22),
    fixed((cpu * GIB) / size, 2).padStart(10),
    fixed(size / MIB / ((lastAt - began) / 1000), 0).padStart(8),
    fixed(bodyBytes / size, 2).padStart(8),
    fixed(subject.peakResident / MIB, 0).padStart(9),
    fixed(subject.peakAnonymous / MIB, 0).padStart(10),
  ]
  const code = await subject.stop()
  sink.stop()
  console.log(row.join(''), code === 0 ? '' : `  exit code ${code}`)
}

async function live(name: string, bytesPerSecond: number, rotateAt: number): Promise<void> {
  const tick = 10
  const lines = block((bytesPerSecond * tick) / 1000, true)
  const places: number[] = []
  for (let at = lines.indexOf(STAMP); at >= 0; at = lines.indexOf(STAMP, at + 1)) places.push(at + 1)
  const logs = join(folder, name.replaceAll(/\W+/g, '-'))
  mkdirSync(logs)
  const path = join(logs, 'app.log')
  const sink = await Sink.start('--stamped')
  let file = openSync(path, 'a')
  const subject = new Subject(common(path, sink.port, `state-${name}`))
  await sleep(1000)
  const cpuBefore = subject.cpu
  const began = performance.now()
  let written = 0
  let inFile = 0
  let rotations = 0
  while (performance.now() - began < seconds * 1000) {
    const stamp = (performance.timeOrigin + performance.now())
      .toFixed(2)
      .padStart(STAMP_LENGTH - 1, '0')
      .slice(0, STAMP_LENGTH - 1)
    for (const at of places) lines.write(stamp, at, 'latin1')
    written += writeSync(file, lines)
    inFile += lines.length
    if (inFile >= rotateAt) {
      renameSync(path, `${path}.${++rotations}`)
      closeSync(file)
      file = openSync(path, 'a')
      inFile = 0
      if (rotations > 3) rmSync(`${path}.${rotations - 3}`, { force: true })
    }
    await sleep(Math.max(0, began + (written / bytesPerSecond) * 1000 - performance.now()))
  }
  const elapsed = (performance.now() - began) / 1000
  const cpu = subject.cpu - cpuBefore
  const { lags } = await quiet(sink, written)
  const row = [
    name.padEnd(22),
    fixed((100 * cpu) / elapsed, 1).padStart(8),
    fixed((cpu * GIB) / written, 2).padStart(10),
    fixed(percentile(lags, 50), 1).padStart(9),
    fixed(percentile(lags, 99), 1).padStart(9),
    fixed(lags.at(-1) ?? Number.NaN, 0).padStart(8),
    fixed(subject.peakResident / MIB, 0).padStart(9),
    fixed(subject.peakAnonymous / MIB, 0).padStart(10),
  ]
  closeSync(file)
  await subject.stop()
  sink.stop()
  console.log(row.join(''))
}

async function idle(files: number): Promise<void> {
  const logs = join(folder, `idle-${files}`)
  mkdirSync(logs)
  for (let n = 0; n < files; n++) writeFileSync(join(logs, `app-${n}.log`), 'one line\n')
  const sink = await Sink.start()
  const subject = new Subject(common(join(logs, '*.log'), sink.port, `state-idle-${files}`))
  // Files count as active for ten seconds after a change.
  await sleep(13_000)
  const before = subject.cpu
  const length = Math.max(10, seconds)
  await sleep(length * 1000)
  const used = subject.cpu - before
  const row = [
    `idle, ${files} files`.padEnd(22),
    fixed((100 * used) / length, 2).padStart(8),
    fixed(subject.resident / MIB, 0).padStart(10),
    fixed(subject.peakAnonymous / MIB, 0).padStart(12),
  ]
  await subject.stop()
  sink.stop()
  console.log(row.join(''))
}

const machine = `${cpus()[0]?.model} × ${cpus().length}, Linux ${release()}, Node ${process.version}`
console.log(`logshipper ${VERSION}; ${machine}; ${mib} MiB of ~190-byte lines`)
try {
  if (wants('backlog')) {
    const path = join(folder, 'backlog.log')
    const size = writeCorpus(path, mib)
    console.log('\nbacklog                CPU-s/GiB   MiB/s  out/in  peak RSS  peak anon   (MiB)')
    const format = (format: string, compression = 'none') => ({
      LOGSHIPPER_BACKEND_FORMAT: format,
      LOGSHIPPER_BACKEND_COMPRESSION: compression,
    })
    await backlog('text', path, size, format('text'))
    await backlog('ndjson', path, size, format('ndjson'))
    await backlog('ndjson, zstd', path, size, format('ndjson', 'zstd'))
    await backlog('ndjson, gzip', path, size, format('ndjson', 'gzip'))
    await backlog('ndjson, zlib', path, size, format('ndjson', 'zlib'))
    rmSync(path)
  }
  if (wants('backends')) {
    const path = join(folder, 'backends.log')
    const size = writeCorpus(path, Math.min(mib, 256))
    console.log('\nbackends               CPU-s/GiB   MiB/s  out/in  peak RSS  peak anon   (MiB)')
    for (const subject of SUBJECTS) await backend(subject, path, size)
    rmSync(path)
  }
  if (wants('live')) {
    console.log(
      '\nlive                     CPU %  CPU-s/GiB   lag p50      p99     max  peak RSS  peak anon   (ms, MiB)',
    )
    await live('20 MiB/s, rotating', 20 * MIB, 64 * MIB)
    await live('100 lines/s', 19 * 1024, GIB)
  }
  if (wants('idle')) {
    console.log('\nidle                     CPU %       RSS   peak anon   (MiB)')
    await idle(10)
    await idle(1000)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
