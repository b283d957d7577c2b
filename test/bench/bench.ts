/**
 * `npm run bench`: what the shipper costs. CPU seconds are the kernel's, of the shipper's process alone; wall times on a
 * shared machine mean little, so they are shown and not judged. `floor` is what reading and sending alone cost in Node on
 * this machine in the same minute; `× floor` is what can be compared between machines. Ends with code 1 if a process
 * had more memory of its own than `ANONYMOUS`.
 *
 *     npm run bench                      everything, 1 GiB of backlog, medians of three
 *     npm run bench -- --quick           64 MiB and short live runs, once
 *     npm run bench -- --mib 256 --only backlog
 *     npm run bench -- --only backends   every backend, before a server of its kind; at most 512 MiB each
 *     npm run bench -- --peers           other shippers that this machine has, beside us
 */

import { execFileSync } from 'node:child_process'
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
import { BULK_ANSWER, type Peer, peers, WORKS, type Work } from './peers.ts'
import { STAMP, STAMP_LENGTH } from './stamp.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    mib: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string' },
    repeat: { type: 'string' },
    peers: { type: 'boolean', default: false },
  },
})
const mib = Number(values.mib ?? (values.quick ? 64 : 1024))
const seconds = Number(values.seconds ?? (values.quick ? 4 : 15))
const repeat = Number(values.repeat ?? (values.quick ? 1 : 3))
const GIB = 1024 ** 3
const MIB = 1024 ** 2

const folder = mkdtempSync(join(tmpdir(), 'logshipper-bench-'))
/** Bytes that no run may exceed: of its own memory at the peak, and of one that is idle. */
const ANONYMOUS = { peak: 48 * MIB, idle: 32 * MIB }
const excesses: string[] = []
const wants = (name: string) => !values.peers && (values.only === undefined || name.startsWith(values.only))
const median = (all: readonly number[]) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]!
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

/** What one run over a backlog cost. */
interface Figures {
  /** CPU seconds per GiB, MiB per second, bytes out per byte in. */
  readonly cpu: number
  readonly rate: number
  readonly out: number
  /** Bytes at the peak. */
  readonly resident: number
  readonly anonymous: number
}

/** Of the floor, CPU seconds per GiB. */
let floor = Number.NaN
/** So that each run has a state folder of its own. */
let states = 0

async function measureFloor(path: string, size: number): Promise<void> {
  const sink = await Sink.start()
  const script = new URL('./floor.ts', import.meta.url).pathname
  const once = () => Number(execFileSync(process.execPath, [script, path, String(sink.port)], { encoding: 'utf8' }))
  floor = (median([once(), once(), once()]) * GIB) / size
  sink.stop()
  console.log(`${'floor'.padEnd(22)}${fixed(floor, 2).padStart(10)}`)
}

async function backlog(name: string, path: string, size: number, options: Record<string, string>): Promise<Figures[]> {
  const all: Figures[] = []
  for (let n = 0; n < repeat; n++) {
    const sink = await Sink.start()
    const subject = Subject.shipper({ ...common(path, sink.port, `state-${states++}`), ...options })
    // Compressed output is never this small: it says only that something came. Plain output is never smaller than its input.
    const least = options['LOGSHIPPER_BACKEND_COMPRESSION'] === 'none' ? size : size / 100
    all.push(await through(sink, subject, size, least))
  }
  print(name, all)
  return all
}

/**
 * A backend before a server of its kind, without compression: what its records and its judge cost. The file comes when
 * the shipper has started, so that starting does not count.
 */
async function backend(type: (typeof SUBJECTS)[number], corpus: string, size: number): Promise<Figures[]> {
  const all: Figures[] = []
  for (let n = 0; n < repeat; n++) {
    const sink = await Sink.start('--subject', type.name)
    const state = join(folder, `state-${states++}`)
    const path = join(folder, 'backend.log')
    const config = `${state}.json`
    const entry = { ...type.config(`http://127.0.0.1:${sink.port}`), compression: 'none' }
    const server = { port: 'off', admin: 'off' }
    writeFileSync(
      config,
      JSON.stringify({ sources: [{ paths: [path] }], backends: [entry], state: { dir: state }, server }),
    )
    const subject = Subject.shipper({}, '--config', config)
    await sleep(1000)
    const before = subject.cpu
    linkSync(corpus, path)
    // A last line feed may be left out of each request.
    all.push(await through(sink, subject, size, size * 0.99, before))
    rmSync(path)
  }
  print(type.name, all)
  return all
}

async function through(sink: Sink, subject: Subject, size: number, least: number, before = 0): Promise<Figures> {
  const { startedAt: began } = subject
  const { bodyBytes, lastAt } = await quiet(sink, least, subject)
  const figures = {
    cpu: ((subject.cpu - before) * GIB) / size,
    rate: size / MIB / ((lastAt - began) / 1000),
    out: bodyBytes / size,
    resident: subject.peakResident,
    anonymous: subject.peakAnonymous,
  }
  const code = await subject.stop()
  sink.stop()
  if (code !== 0) console.log(`exit code ${code}`)
  return figures
}

/** Medians; of memory the most. */
function print(name: string, all: readonly Figures[], ours = true): void {
  const cpus = all.map(({ cpu }) => cpu)
  const cpu = median(cpus)
  const anonymous = Math.max(...all.map(each => each.anonymous))
  if (ours && anonymous > ANONYMOUS.peak) excesses.push(`${name}: ${fixed(anonymous / MIB, 0)} MiB of its own`)
  const row = [
    name.padEnd(22),
    fixed(cpu, 2).padStart(10),
    fixed(Math.max(...cpus) - Math.min(...cpus), 2).padStart(8),
    fixed(cpu / floor, 1).padStart(9),
    fixed(median(all.map(({ rate }) => rate)), 0).padStart(8),
    fixed(median(all.map(({ out }) => out)), 2).padStart(8),
    fixed(Math.max(...all.map(({ resident }) => resident)) / MIB, 0).padStart(10),
    fixed(anonymous / MIB, 0).padStart(11),
  ]
  console.log(row.join(''))
}

const HEAD = 'CPU-s/GiB  spread  × floor   MiB/s  out/in  peak RSS  peak anon   (MiB)'

/** The same work, one shipper after the other, so that all have the machine to themselves. */
async function besides(peer: Peer, work: Work, path: string, size: number): Promise<Figures[]> {
  const all: Figures[] = []
  for (let n = 0; n < repeat; n++) {
    const sink = await Sink.start('--answer', work === 'elasticsearch' ? BULK_ANSWER : '')
    const own = mkdtempSync(join(folder, 'peer-'))
    const subject = peer.start({ work, path, port: sink.port, folder: own })
    all.push(await through(sink, subject, size, work.endsWith('gzip') ? size / 100 : size * 0.9))
    rmSync(own, { recursive: true, force: true })
  }
  print(`${peer.name} ${peer.version}`, all, false)
  return all
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
  const subject = Subject.shipper(common(path, sink.port, `state-${name}`))
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
  if (subject.peakAnonymous > ANONYMOUS.peak) excesses.push(name)
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
  const subject = Subject.shipper(common(join(logs, '*.log'), sink.port, `state-idle-${files}`))
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
  if (files <= 10 && subject.peakAnonymous > ANONYMOUS.idle) excesses.push(`idle, ${files} files`)
  await subject.stop()
  sink.stop()
  console.log(row.join(''))
}

const machine = `${cpus()[0]?.model} × ${cpus().length}, Linux ${release()}, Node ${process.version}`
console.log(`logshipper ${VERSION}; ${machine}; ${mib} MiB of ~190-byte lines`)
try {
  const format = (format: string, compression = 'none') => ({
    LOGSHIPPER_BACKEND_FORMAT: format,
    LOGSHIPPER_BACKEND_COMPRESSION: compression,
  })
  if (wants('backlog')) {
    const path = join(folder, 'backlog.log')
    const size = writeCorpus(path, mib)
    console.log(`\n${'backlog'.padEnd(23)}${HEAD}`)
    await measureFloor(path, size)
    await backlog('text', path, size, format('text'))
    await backlog('ndjson', path, size, format('ndjson'))
    await backlog('ndjson, zstd', path, size, format('ndjson', 'zstd'))
    await backlog('ndjson, gzip', path, size, format('ndjson', 'gzip'))
    await backlog('ndjson, zlib', path, size, format('ndjson', 'zlib'))
    rmSync(path)
  }
  if (wants('backends')) {
    const path = join(folder, 'backends.log')
    const size = writeCorpus(path, Math.min(mib, 512))
    console.log(`\n${'backends'.padEnd(23)}${HEAD}`)
    await measureFloor(path, size)
    for (const subject of SUBJECTS) await backend(subject, path, size)
    rmSync(path)
  }
  if (values.peers) {
    const path = join(folder, 'backlog.log')
    const size = writeCorpus(path, mib)
    const here = peers(why => console.log(`skipped ${why}`))
    const subjectOf = (work: Work) => SUBJECTS.find(({ name }) => name === work)!
    for (const work of WORKS) {
      console.log(`\n${work.padEnd(23)}${HEAD}`)
      if (Number.isNaN(floor)) await measureFloor(path, size)
      const own = work.startsWith('ndjson')
        ? await backlog('logshipper', path, size, format('ndjson', work.endsWith('gzip') ? 'gzip' : 'none'))
        : await backend(subjectOf(work), path, size)
      const cost = median(own.map(({ cpu }) => cpu))
      for (const peer of here.filter(({ works }) => works.includes(work))) {
        const all = await besides(peer, work, path, size)
        const times = median(all.map(({ cpu }) => cpu)) / cost
        console.log(`${' '.repeat(22)}${fixed(times, 1).padStart(10)} × our CPU time per byte`)
      }
    }
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
  for (const excess of excesses) console.log(`TOO MUCH MEMORY: ${excess}`)
  process.exitCode = excesses.length > 0 ? 1 : 0
} finally {
  rmSync(folder, { recursive: true, force: true })
}
