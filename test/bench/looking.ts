/**
 * The guard against dear looks: the share of a core that the shipper takes with very many files of which nothing is to
 * be read, among other names that come and go, and without inotify. The best of three, since noise only adds. Ends with
 * code 1 if one is more than it may be.
 *
 *     node test/bench/looking.ts
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ENVIRONMENT, FLAGS } from '../support/image.ts'
import { Sink, Subject } from './measure.ts'

const BUNDLE = new URL('../../dist/logshipper.cjs', import.meta.url).pathname
const FILES = 10_000
const REPEATS = 3
/** Milliseconds that are looked at, and before them: the start is not what is asked for. */
const SPAN = 3000
const START = 6000
const WITHOUT_WATCHES = 'echo 0 > /proc/sys/user/max_inotify_watches && exec "$@"'

interface Case {
  readonly name: string
  /** The share of a core that it may take. */
  readonly most: number
  /** What may keep it from being measured here. */
  readonly lacks?: () => string | undefined
  /** A command in front of the program's. */
  readonly within?: readonly string[]
  prepare(logs: string): void
  /** What happens every ten milliseconds. */
  turn?(logs: string, n: number): void
}

const other = (logs: string, n: number) => join(logs, `request-${n}.tmp`)

const cases: readonly Case[] = [
  {
    name: `${FILES} idle files`,
    most: 0.5,
    prepare(logs) {
      for (let n = 0; n < FILES; n++) writeFileSync(join(logs, `f${n}.log`), 'a line\n')
    },
  },
  {
    name: `a few files among ${FILES} other names, of which hundreds come and go each second`,
    most: 0.35,
    prepare(logs) {
      for (let n = 0; n < FILES; n++) writeFileSync(other(logs, n), '')
      for (let n = 0; n < 10; n++) writeFileSync(join(logs, `f${n}.log`), 'a line\n')
    },
    turn(logs, n) {
      for (let each = 3 * n; each < 3 * n + 3; each++) {
        writeFileSync(other(logs, FILES + each), '')
        unlinkSync(other(logs, FILES + each - 100))
      }
    },
  },
  {
    name: 'a file without inotify',
    most: 0.1,
    within: ['unshare', '-Ur', 'sh', '-c', WITHOUT_WATCHES, 'sh'],
    lacks: () =>
      spawnSync('unshare', ['-Ur', 'sh', '-c', WITHOUT_WATCHES, 'sh', 'true']).status === 0
        ? undefined
        : 'no user namespace of our own',
    prepare: logs => writeFileSync(join(logs, 'app.log'), 'a line\n'),
  },
]

async function share({ within = [], prepare, turn }: Case): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'logshipper-looking-'))
  const logs = join(dir, 'logs')
  mkdirSync(logs)
  prepare(logs)
  const sink = await Sink.start()
  const [command, ...args] = [...within, process.execPath, ...FLAGS, BUNDLE, 'run']
  const subject = new Subject(command!, args, {
    ...ENVIRONMENT,
    LOGSHIPPER_LOG_LEVEL: 'error',
    LOGSHIPPER_SOURCE_PATHS: join(logs, '*.log'),
    LOGSHIPPER_BACKEND_TYPE: 'http',
    LOGSHIPPER_BACKEND_ENDPOINT: `http://127.0.0.1:${sink.port}/ingest`,
    LOGSHIPPER_STATE_DIR: join(dir, 'state'),
    LOGSHIPPER_SERVER_PORT: 'off',
    LOGSHIPPER_SERVER_ADMIN: 'off',
  })
  try {
    await sleep(START)
    const [before, began] = [subject.cpu, performance.now()]
    for (let n = 0; performance.now() - began < SPAN; n++) {
      turn?.(logs, n)
      await sleep(turn ? 10 : SPAN)
    }
    return (subject.cpu - before) / ((performance.now() - began) / 1000)
  } finally {
    await subject.stop()
    sink.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

let dear = false
const percent = (part: number) => `${(part * 100).toFixed(0)} %`
for (const each of cases) {
  const lacks = each.lacks?.()
  if (lacks !== undefined) {
    console.log(`skipped ${each.name}: ${lacks}`)
    continue
  }
  const shares: number[] = []
  for (let n = 0; n < REPEATS; n++) shares.push(await share(each))
  const best = Math.min(...shares)
  dear ||= best > each.most
  console.log(
    `${best > each.most ? 'DEAR   ' : 'ok     '} ${each.name}: ${percent(best)} of a core (${shares.map(percent).join(', ')}); at most ${percent(each.most)}`,
  )
}
process.exitCode = dear ? 1 : 0
