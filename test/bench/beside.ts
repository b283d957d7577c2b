/**
 * `npm run bench -- --peers`: the same work by us and by every peer that is here, one after the other, before the same
 * sink with the same answers (server.ts). Starting is included for all. Each peer runs with its defaults and tuned; of us
 * there are only the defaults, with the compression that the work names. Behind the figures stand all configurations.
 *
 *     npm run bench -- --peers                            backlogs, processing and small loads
 *     npm run bench -- --peers --only backlog --work ndjson      works whose names begin so; processing, small
 *     npm run bench -- --peers --setup tuned              or default
 *     npm run bench -- --peers --latency 0,1,20           milliseconds until a request is answered; backlogs only
 *     npm run bench -- --peers --framing length           answers with a length instead of in chunks
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Figures, HEAD, measureFloor, print, through } from './backlogs.ts'
import { block, writeCorpus } from './corpus.ts'
import { Sink, Subject } from './measure.ts'
import { noteOurs, ours, serverFor } from './ours.ts'
import { configurations, fullName, type Peer, SETUPS, type Setup, start } from './peers/peer.ts'
import { peers } from './peers/peers.ts'
import {
  fixed,
  folder,
  framing,
  latencies,
  loadAverage,
  MIB,
  median,
  mib,
  repeat,
  setupPrefix,
  wants,
  workPrefix,
} from './setting.ts'
import { smallsBeside } from './small.ts'
import { PROCESSING, WORKS, type Work } from './works.ts'

/** MiB at most of what is sent line by line: twenty thousand requests. */
const SINGLE = 4

/** Peers pause for a second between requests by default: so many looks without a byte until all is believed to be there. */
const LONG = 20

/** So that each run of ours has a state directory of its own. */
let states = 0

export async function comparison(): Promise<void> {
  const here = peers(why => console.log(`absent  ${why}`))
  for (const peer of here) console.log(`present ${peer.name} ${peer.version}: ${peer.works.join(' · ')}`)
  if (wants('backlog')) for (const latency of latencies) await backlogs(here, latency)
  if (wants('processing')) await processing(here)
  if (wants('small')) await smallsBeside(here)
  console.log('\nconfigurations')
  for (const [text, who] of configurations()) console.log(`\n# ${who}\n${text.trimEnd()}`)
}

async function backlogs(here: readonly Peer[], latency: number): Promise<void> {
  const path = join(folder, 'backlog.log')
  const size = writeCorpus(path, mib)
  await measureFloor(path, size)
  for (const work of WORKS.filter(name => name.startsWith(workPrefix))) {
    await each(here, { work, path, size, latency })
  }
  rmSync(path)
}

async function processing(here: readonly Peer[]): Promise<void> {
  for (const { name: work, lines, options } of PROCESSING) {
    if (!work.startsWith(workPrefix)) continue
    const path = join(folder, 'processing.log')
    const size = writeCorpus(path, mib, lines(8 * MIB))
    await each(here, { work, path, size, latency: 0 }, options)
    rmSync(path)
  }
}

interface Round {
  readonly work: Work
  readonly path: string
  readonly size: number
  readonly latency: number
}

async function each(here: readonly Peer[], round: Round, options: Record<string, string> = {}): Promise<void> {
  const { work, latency } = round
  console.log(`\n${`${work}, ${latency} ms`.padEnd(31)}${HEAD}   ${loadAverage()}`)
  const cost = median((await us(round, options)).map(({ cpu }) => cpu))
  for (const peer of here.filter(({ works }) => works.includes(work))) {
    for (const setup of SETUPS.filter(name => name.startsWith(setupPrefix))) {
      const all = await besides(peer, setup, round)
      if (all.length === 0) continue
      const times = median(all.map(({ cpu }) => cpu)) / cost
      console.log(`${' '.repeat(30)}${fixed(times, 1).padStart(10)} × our CPU time per byte`)
    }
  }
}

const sinkOf = ({ work, latency }: Round) =>
  Sink.start('--server', serverFor(work), '--latency', String(latency), '--framing', framing)

async function us(round: Round, options: Record<string, string>): Promise<Figures[]> {
  const { work, path, size } = round
  const all: Figures[] = []
  for (let n = 0; n < repeat; n++) {
    const sink = await sinkOf(round)
    const environment = { ...ours(work, path, sink.port, `us-${states++}`), ...options }
    noteOurs(work, environment, sink.port)
    all.push(await through(sink, Subject.shipper(environment), size, size * leastOf(work), 0, LONG))
  }
  print('logshipper', all)
  told(work, round, all)
  return all
}

async function besides(peer: Peer, setup: Setup, whole: Round): Promise<Figures[]> {
  const { work } = whole
  const round = peer.single(setup, work) ? shortened(whole) : whole
  const all: Figures[] = []
  for (let n = 0; n < repeat; n++) {
    const sink = await sinkOf(round)
    const own = mkdtempSync(join(folder, 'peer-'))
    const subject = start(peer, { work, setup, path: round.path, port: sink.port, folder: own })
    try {
      all.push(await through(sink, subject, round.size, round.size * leastOf(work), 0, LONG))
    } catch (error) {
      // A binary that was built without what this work takes, or that does not come to an end with it.
      console.log(`${fullName(peer, setup)}, ${work}: not measured: ${(error as Error).message}`)
      if (!subject.ended) await subject.stop()
      sink.stop()
      return []
    } finally {
      rmSync(own, { recursive: true, force: true })
    }
  }
  print(fullName(peer, setup), all)
  told(work, round, all)
  return all
}

/** A part of the same lines. */
function shortened(round: Round): Round {
  if (mib <= SINGLE) return round
  console.log(`${SINGLE} MiB only, for each line is a request:`)
  const path = join(folder, 'short.log')
  return { ...round, path, size: writeCorpus(path, SINGLE) }
}

/** Says where documents were missing or came twice: what that cost is no cost of the work. */
function told(work: Work, { size }: Round, all: readonly Figures[]): void {
  if (serverFor(work) !== 'elasticsearch') return
  for (const { documents } of all) {
    // 0: each came alone, which is not counted.
    if (documents !== 0 && documents !== linesIn(size)) console.log(`${documents} documents for ${linesIn(size)} lines`)
  }
}

/** Of a corpus of so many bytes, which is one block over and over. */
function linesIn(size: number): number {
  const once = block(8 * MIB)
  return (size / once.length) * once.reduce((lines, byte) => lines + (byte === 10 ? 1 : 0), 0)
}

/**
 * Which share of what was read comes at least. No step makes records smaller than their lines, but for the hundredth that
 * a filter drops; these lines become an eighth by gzip.
 */
function leastOf(work: Work): number {
  return work.endsWith('gzip') ? 0.08 : 0.9
}
