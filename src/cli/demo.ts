/**
 * `logshipper demo`: the main job in one terminal, with nothing installed. An application writes and rotates, a receiver
 * sometimes fails, the real shipper ships between them as a process of its own and is killed once with SIGKILL. At the
 * end its ledger stands beside the receiver's own count; if they do not match, the exit code is 1.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '../errors.ts'
import { sum } from '../ledger.ts'
import type { LedgerLine } from '../server/shipper-view.ts'
import { Application } from './demo/application.ts'
import { Receiver } from './demo/receiver.ts'
import { type Screen, View } from './demo/view.ts'
import { EXIT } from './exit.ts'

/** The story, in milliseconds from the start. */
const OUTAGE = { from: 3000, to: 5000 } as const
const KILL = 7000
const END = 11_000
/** How long a shipper may take to start: a busy machine takes its time, and nothing can be shown without one. */
const START = 60_000
const ROTATE = 1500
const SIGNALS = ['SIGINT', 'SIGTERM'] as const

interface ShipperProcess {
  readonly child: ChildProcess
  /** Resolves when it follows the files, or has ended. */
  readonly started: Promise<void>
  /** Resolves when it has ended: its exit code, and the ledger it printed last. */
  readonly ended: Promise<{ code: number | null; ledger: readonly LedgerLine[] }>
}

/** `programArgs`: how to run this program again. Resolves to the exit code. */
export async function runDemo(programArgs: readonly string[], screen: Screen): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'logshipper-demo-'))
  const logs = join(directory, 'logs')
  mkdirSync(logs)
  const receiver = new Receiver()
  const port = await receiver.listen()
  const start = () => startShipper(programArgs, logs, join(directory, 'state'), port)
  const view = new View(screen)
  view.say(`An application writes to ${logs}/app.log and rotates it.`)
  view.say(`The shipper follows it and sends to http://127.0.0.1:${port}, where one request in eleven fails.`)
  let shipper = start()
  const application = new Application(logs)
  let began = performance.now()
  const at = () => performance.now() - began
  const show = () => view.show(application, receiver)
  const interruption = new AbortController()
  const interrupt = () => interruption.abort()
  for (const signal of SIGNALS) process.once(signal, interrupt)
  const started = async (one: ShipperProcess) => {
    const late = sleep(START, 'late', { signal: interruption.signal, ref: false })
    late.catch(() => {})
    if ((await Promise.race([one.started, late])) === 'late') throw new Error(`no shipper started in ${START / 1000} s`)
  }
  // On a busy machine the moment may have passed.
  const until = (moment: number) => sleep(Math.max(0, moment - at()), undefined, interruption)
  const turn = setInterval(show, 200)
  let rotation: NodeJS.Timeout | undefined
  try {
    // A file that is rotated before the shipper's first sweep is not followed.
    await started(shipper)
    began = performance.now()
    rotation = setInterval(() => application.rotate(), ROTATE)
    await until(OUTAGE.from)
    receiver.down = true
    view.say('The receiver is down for two seconds: lines wait in the file, not in memory.')
    await until(OUTAGE.to)
    receiver.down = false
    view.say('The receiver is back.')
    await until(KILL)
    shipper.child.kill('SIGKILL')
    await shipper.ended
    view.say('The shipper was killed with SIGKILL. The application goes on, and rotates.')
    application.rotate()
    await until(at() + 300)
    shipper = start()
    view.say('It was started again: it finds its files by identity and sends again what was not acknowledged.')
    // A signal before it has started would only kill it.
    await started(shipper)
    await until(END)
    clearInterval(rotation)
    application.exit()
    shipper.child.kill('SIGTERM')
    view.say('The application has exited in the middle of a line; the shipper got SIGTERM and drains.')
    const { code, ledger } = await shipper.ended
    show()
    view.end()
    return verdict(view, application, receiver, ledger, code)
  } catch (error) {
    if (codeOf(error) !== 'ABORT_ERR') throw error
    view.end()
    view.say('Interrupted: no sums are drawn from half a story.')
    return EXIT.interrupted
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt)
    application.end()
    clearInterval(turn)
    clearInterval(rotation)
    shipper.child.kill('SIGKILL')
    receiver.close()
    // While it lives it may still write into the directory.
    await shipper.ended
    rmSync(directory, { recursive: true, force: true })
  }
}

function verdict(
  view: View,
  application: Application,
  receiver: Receiver,
  ledger: readonly LedgerLine[],
  code: number | null,
): number {
  const { lines } = application
  const statement = ledger[0]?.statement
  const missing = receiver.missing(lines)
  const checks: [label: string, found: number | null | undefined, expected: number][] = [
    ['written by the application', lines, lines],
    ['received, each line once', receiver.unique, lines],
    ['missing at the receiver', missing, 0],
    ['sent again under another id', receiver.unknownIds, 0],
    ['ledger: read', statement?.read.lines, lines],
    ['ledger: delivered', statement?.delivered.lines, lines],
    ['ledger: in flight', statement?.inFlight.lines, 0],
    ['ledger: bytes delivered', statement?.delivered.bytes, application.bytes],
    ['exit code of the shipper', code, 0],
  ]
  const good = checks.every(([, found, expected]) => found === expected)
  view.say('')
  for (const [label, found, expected] of checks) {
    view.say(`  ${found === expected ? '✓' : '✗'} ${label.padEnd(30)} ${String(found ?? 'unknown').padStart(9)}`)
  }
  view.say('')
  view.say(
    `  ${receiver.duplicates} lines came twice: accepted before the SIGKILL, after the last checkpoint. Each has its old id.`,
  )
  view.say('  read = delivered + rejected + dropped + in flight')
  if (statement) {
    const { read, delivered, rejected, dropped, inFlight } = statement
    const terms = [delivered, sum(rejected), sum(dropped), inFlight].map(tally => tally.lines)
    view.say(`  ${read.lines} = ${terms.join(' + ')}`)
  }
  view.say(good ? '  It adds up.' : '  IT DOES NOT ADD UP.')
  return good ? 0 : 1
}

function startShipper(programArgs: readonly string[], logs: string, state: string, port: number): ShipperProcess {
  // Nothing of the caller's own configuration may leak into the demo.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('LOGSHIPPER_'))
  const child = spawn(process.execPath, [...process.execArgv, ...programArgs, 'run'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...Object.fromEntries(inherited),
      LOGSHIPPER_SOURCE_PATHS: join(logs, '*.log'),
      LOGSHIPPER_BACKEND_TYPE: 'http',
      LOGSHIPPER_BACKEND_ENDPOINT: `http://127.0.0.1:${port}/ingest`,
      LOGSHIPPER_BACKEND_IDS: 'true',
      LOGSHIPPER_BACKEND_RETRY_INITIAL: '100ms',
      LOGSHIPPER_BACKEND_RETRY_MAX: '1s',
      LOGSHIPPER_STATE_DIR: state,
      LOGSHIPPER_DRAIN_GRACE_PERIOD: '6s',
      LOGSHIPPER_SERVER_PORT: 'off',
      LOGSHIPPER_SERVER_ADMIN: 'off',
    },
  })
  let ledger: readonly LedgerLine[] = []
  const started = Promise.withResolvers<void>()
  createInterface({ input: child.stderr! }).on('line', line => {
    if (line.includes('"msg":"started"')) started.resolve()
    if (line.includes('"msg":"ended"')) ledger = (JSON.parse(line) as { ledger: LedgerLine[] }).ledger
  })
  // `close`, not `exit`: by then everything it said has been read.
  const ended = once(child, 'close').then(([code]) => {
    started.resolve()
    return { code: code as number | null, ledger }
  })
  return { child, started: started.promise, ended }
}
