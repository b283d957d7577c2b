/** Lives: what the shipper costs while applications write, nobody writes, or nobody answers; and until it has started. */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { block } from './corpus.ts'
import { percentile, quiet, Sink, Subject } from './measure.ts'
import { common, fixed, folder, GIB, MIB, median, repeat, seconds } from './setting.ts'
import { STAMP, stamp } from './stamp.ts'
import { judge } from './targets.ts'

/** Lines of the corpus with room for a stamp in each, written over and over with the time of the write. */
class Writer {
  readonly lines: Buffer
  readonly #places: number[] = []

  constructor(size: number) {
    this.lines = block(size, true)
    for (let at = this.lines.indexOf(STAMP); at >= 0; at = this.lines.indexOf(STAMP, at + 1)) this.#places.push(at + 1)
  }

  write(file: number): number {
    const now = stamp()
    for (const at of this.#places) this.lines.write(now, at, 'latin1')
    return writeSync(file, this.lines)
  }
}

/** Milliseconds between writes. */
const TICK = 10

/**
 * Code that runs a hundred times a second is compiled in about so many seconds; a sidecar's days come after that. How
 * much it takes until then is in the figures of backlogs.
 */
const WARM = Math.min(20, 2 * seconds)

/** Writes at a rate: `tick` writes once and returns how many bytes. Resolves to bytes and seconds. */
async function steadily(
  bytesPerSecond: number,
  tick: () => number,
  length = seconds,
): Promise<{ written: number; elapsed: number }> {
  const began = performance.now()
  let written = 0
  while (performance.now() - began < length * 1000) {
    written += tick()
    await sleep(Math.max(0, began + (written / bytesPerSecond) * 1000 - performance.now()))
  }
  return { written, elapsed: (performance.now() - began) / 1000 }
}

/** A log that is renamed at a size; three rotations stay. */
class Log {
  readonly #path: string
  readonly #rotateAt: number
  #file: number
  #size = 0
  #rotations = 0

  constructor(path: string, rotateAt: number) {
    this.#path = path
    this.#rotateAt = rotateAt
    this.#file = openSync(path, 'a')
  }

  append(writer: Writer): number {
    const written = writer.write(this.#file)
    this.#size += written
    if (this.#size >= this.#rotateAt) {
      renameSync(this.#path, `${this.#path}.${++this.#rotations}`)
      closeSync(this.#file)
      this.#file = openSync(this.#path, 'a')
      this.#size = 0
      if (this.#rotations > 3) rmSync(`${this.#path}.${this.#rotations - 3}`, { force: true })
    }
    return written
  }

  close(): void {
    closeSync(this.#file)
  }
}

export const LIVE_HEAD = 'CPU %  CPU-s/GiB   lag p50      p99     max  peak RSS  peak anon   (ms, MiB)'

/** `files` logs that share a rate. CPU after warming up; lags and memory from the start. */
export async function live(name: string, bytesPerSecond: number, rotateAt: number, files = 1): Promise<void> {
  const logs = join(folder, name.replaceAll(/\W+/g, '-'))
  mkdirSync(logs)
  const writer = new Writer((bytesPerSecond * TICK) / 1000 / files)
  const all = Array.from({ length: files }, (_, n) => new Log(join(logs, `app-${n}.log`), rotateAt))
  const sink = await Sink.start('--stamped')
  const subject = Subject.shipper(common(join(logs, 'app-*.log'), sink.port, `state-${name}`))
  await sleep(1000)
  const append = () => all.reduce((sum, log) => sum + log.append(writer), 0)
  const warming = await steadily(bytesPerSecond, append, WARM)
  const before = subject.cpu
  const { written, elapsed } = await steadily(bytesPerSecond, append)
  const cpu = subject.cpu - before
  const { lags } = await quiet(sink, warming.written + written)
  const core = (100 * cpu) / elapsed
  const [p50, p99] = [percentile(lags, 50), percentile(lags, 99)]
  judge(name, { core, p50, p99, anonymous: subject.peakAnonymous })
  const row = [
    name.padEnd(22),
    fixed(core, 1).padStart(8),
    fixed((cpu * GIB) / written, 2).padStart(10),
    fixed(p50, 1).padStart(9),
    fixed(p99, 1).padStart(9),
    fixed(lags.at(-1) ?? Number.NaN, 0).padStart(8),
    fixed(subject.peakResident / MIB, 0).padStart(9),
    fixed(subject.peakAnonymous / MIB, 0).padStart(10),
  ]
  for (const log of all) log.close()
  await subject.stop()
  sink.stop()
  console.log(row.join(''))
}

/** Nobody listens at the backend's port, while 20 MiB/s are written: what is not sent stays in the files. */
export async function dead(): Promise<void> {
  const logs = join(folder, 'dead')
  mkdirSync(logs)
  const writer = new Writer((20 * MIB * TICK) / 1000)
  const log = new Log(join(logs, 'app.log'), 64 * MIB)
  const sink = await Sink.start()
  sink.stop()
  const subject = Subject.shipper({
    ...common(join(logs, 'app.log'), sink.port, 'state-dead'),
    LOGSHIPPER_DRAIN_GRACE_PERIOD: '3s',
  })
  await sleep(1000)
  const before = subject.cpu
  const { elapsed } = await steadily(20 * MIB, () => log.append(writer))
  const name = 'no backend, 20 MiB/s'
  const core = (100 * (subject.cpu - before)) / elapsed
  judge(name, { core, anonymous: subject.peakAnonymous })
  const row = [
    name.padEnd(22),
    fixed(core, 2).padStart(8),
    fixed(subject.peakResident / MIB, 0).padStart(10),
    fixed(subject.peakAnonymous / MIB, 0).padStart(12),
  ]
  log.close()
  await subject.stop()
  console.log(row.join(''))
}

/**
 * Milliseconds from exec until `/startupz` answers 200, asked every two milliseconds; beside it what Node needs to start
 * and end with nothing to do.
 */
export async function start(): Promise<void> {
  const sink = await Sink.start()
  const all: number[] = []
  const bare: number[] = []
  for (let n = 0; n < repeat * 3; n++) {
    const empty = performance.now()
    spawnSync(process.execPath, ['-e', '0'])
    bare.push(performance.now() - empty)
    const free = await Sink.start()
    free.stop()
    const began = performance.now()
    const subject = Subject.shipper({
      ...common(join(folder, 'start-*.log'), sink.port, `state-start-${n}`),
      LOGSHIPPER_SERVER_PORT: String(free.port),
    })
    while (!(await answers(free.port))) await sleep(2)
    all.push(performance.now() - began)
    await subject.stop()
  }
  sink.stop()
  const sorted = all.toSorted((a, b) => a - b)
  const [least, middle, most] = [sorted[0]!, median(all), sorted.at(-1)!].map(value => fixed(value, 0))
  judge('start', { starts: median(all) / median(bare) })
  console.log(
    `\nexec to /startupz, ms: ${middle} (${least} to ${most}); Node with nothing to do: ${fixed(median(bare), 0)}`,
  )
}

/** Raw, for a client of its own would take the time that the other side needs to start. */
function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1', () => socket.write('GET /startupz HTTP/1.1\r\nhost: x\r\n\r\n'))
  socket.on('data', data => resolve(data.toString('latin1').startsWith('HTTP/1.1 200')))
  socket.on('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}

export async function idle(files: number): Promise<void> {
  const logs = join(folder, `idle-${files}`)
  mkdirSync(logs)
  for (let n = 0; n < files; n++) writeFileSync(join(logs, `app-${n}.log`), 'one line\n')
  const sink = await Sink.start()
  const subject = Subject.shipper(common(join(logs, '*.log'), sink.port, `state-idle-${files}`))
  // Files count as active for ten seconds after a change.
  await sleep(13_000)
  const before = subject.cpu
  // Looks get rarer the longer nothing happens: less than a minute would say little of a day.
  const length = seconds < 10 ? 10 : Math.max(60, seconds)
  await sleep(length * 1000)
  const used = subject.cpu - before
  const name = `idle, ${files} files`
  const core = (100 * used) / length
  judge(name, { core, anonymous: subject.peakAnonymous })
  const row = [
    name.padEnd(22),
    fixed(core, 2).padStart(8),
    fixed(subject.resident / MIB, 0).padStart(10),
    fixed(subject.peakAnonymous / MIB, 0).padStart(12),
  ]
  await subject.stop()
  sink.stop()
  console.log(row.join(''))
}
