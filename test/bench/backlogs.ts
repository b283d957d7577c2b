/** Backlogs: a file that is there already, through one backend, until all of it has come. */
import { execFileSync } from 'node:child_process'
import { linkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SUBJECTS } from '../conformance/subjects.ts'
import { writeCorpus } from './corpus.ts'
import { quiet, Sink, Subject } from './measure.ts'
import { SERVERS } from './server.ts'
import { common, fixed, folder, GIB, MIB, median, repeat } from './setting.ts'
import { judge } from './targets.ts'

/** What one run over a backlog cost. */
export interface Figures {
  /** CPU seconds per GiB, MiB per second, bytes out per byte in. */
  readonly cpu: number
  readonly rate: number
  readonly out: number
  /** Bytes at the peak. */
  readonly resident: number
  readonly anonymous: number
  /** CPU seconds of the sink per GiB, and requests. */
  readonly sink: number
  readonly requests: number
  /** Documents, where the sink counts them. */
  readonly documents: number
}

/** Of the floor, CPU seconds per GiB. */
let floor = Number.NaN
/** So that each run has a state directory of its own. */
let states = 0

export async function measureFloor(path: string, size: number): Promise<void> {
  const sink = await Sink.start()
  const script = new URL('./floor.ts', import.meta.url).pathname
  const once = () => Number(execFileSync(process.execPath, [script, path, String(sink.port)], { encoding: 'utf8' }))
  floor = (median([once(), once(), once()]) * GIB) / size
  sink.stop()
  console.log(`${'floor'.padEnd(30)}${fixed(floor, 2).padStart(10)}`)
}

export async function backlog(
  name: string,
  path: string,
  size: number,
  options: Record<string, string>,
  share = 1,
): Promise<Figures[]> {
  const all: Figures[] = []
  for (let n = 0; n < repeat; n++) {
    const sink = await Sink.start()
    const subject = Subject.shipper({ ...common(path, sink.port, `state-${states++}`), ...options })
    // Compressed output is never this small: it says only that something came. Plain output is never smaller than its input,
    // nor what was processed than this share of it.
    const least = options['LOGSHIPPER_BACKEND_COMPRESSION'] === 'none' ? size * share : size / 100
    all.push(await through(sink, subject, size, least))
  }
  print(name, all)
  return all
}

/** The answers of a backend's server: those that the peers get, too, or of the conformance suite. */
const answersOf = ({ type, name }: (typeof SUBJECTS)[number]): string[] =>
  SERVERS.some(server => server === type) ? ['--server', type] : ['--subject', name]

/**
 * A backend before a server of its kind, without compression: what its records and its judge cost. The file comes when
 * the shipper has started, so that starting does not count.
 */
export async function backend(type: (typeof SUBJECTS)[number], corpus: string, size: number): Promise<Figures[]> {
  const all: Figures[] = []
  for (let n = 0; n < repeat; n++) {
    const sink = await Sink.start(...answersOf(type))
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
  print(type.name, all, 'backend')
  return all
}

/** NDJSON of different sizes: what a byte costs must not depend on how many there are. The file comes after the start. */
export async function scale(sizes: readonly number[]): Promise<void> {
  for (const mib of sizes) {
    const all: Figures[] = []
    for (let n = 0; n < repeat; n++) {
      const sink = await Sink.start()
      const path = join(folder, `scale-${mib}-${n}.log`)
      const environment = { ...common(path, sink.port, `state-${states++}`), LOGSHIPPER_BACKEND_FORMAT: 'ndjson' }
      const subject = Subject.shipper(environment)
      await sleep(1000)
      const before = subject.cpu
      const corpus = `${path}.corpus`
      const size = writeCorpus(corpus, mib)
      linkSync(corpus, path)
      all.push(await through(sink, subject, size, size, before))
      rmSync(path)
      rmSync(corpus)
    }
    print(`ndjson, ${mib} MiB`, all)
  }
}

/** Looks without a byte, each 300 ms behind the other, after which the rest is not waited for: no sink pauses. */
const PATIENCE = 400

export async function through(
  sink: Sink,
  subject: Subject,
  size: number,
  least: number,
  before = 0,
  silences?: number,
): Promise<Figures> {
  const { startedAt: began } = subject
  const idle = sink.cpu
  const { bodyBytes, lastAt, requests, documents } = await quiet(sink, least, subject, { silences, patience: PATIENCE })
  const figures = {
    cpu: ((subject.cpu - before) * GIB) / size,
    rate: size / MIB / ((lastAt - began) / 1000),
    out: bodyBytes / size,
    resident: subject.peakResident,
    anonymous: subject.peakAnonymous,
    sink: ((sink.cpu - idle) * GIB) / size,
    requests,
    documents,
  }
  const code = await subject.stop()
  sink.stop()
  if (code !== 0) console.log(`exit code ${code}`)
  return figures
}

/** Medians; of memory the most. */
export function print(name: string, all: readonly Figures[], kind?: 'backend'): void {
  const cpus = all.map(({ cpu }) => cpu)
  const cpu = median(cpus)
  const anonymous = Math.max(...all.map(each => each.anonymous))
  judge(name, { floors: cpu / floor, anonymous }, kind)
  const row = [
    name.padEnd(30),
    fixed(cpu, 2).padStart(10),
    fixed(Math.max(...cpus) - Math.min(...cpus), 2).padStart(8),
    (Number.isNaN(floor) ? '–' : fixed(cpu / floor, 1)).padStart(9),
    fixed(median(all.map(({ rate }) => rate)), 0).padStart(8),
    fixed(median(all.map(({ out }) => out)), 2).padStart(8),
    fixed(Math.max(...all.map(({ resident }) => resident)) / MIB, 0).padStart(10),
    fixed(anonymous / MIB, 0).padStart(11),
    fixed(median(all.map(({ requests }) => requests)), 0).padStart(10),
    fixed(median(all.map(({ sink }) => sink)), 2).padStart(8),
  ]
  console.log(row.join(''))
}

export const HEAD =
  'CPU-s/GiB  spread  × floor   MiB/s  out/in  peak RSS  peak anon  requests    sink   (MiB; sink: its CPU-s/GiB)'
