/**
 * `logshipper run`: ships until it is told to end, then drains.
 *
 *     starting ─► shipping ─► draining ─► ended       a change of the configuration: `live.ts`
 *                    │            │ a second signal
 *                    │            ▼
 *                    └────────► ended at once, after saving
 *
 * Exit codes: 0 everything was drained; 3 something is left (the ledger says what), or the last save failed or did not
 * end in time. Everything that can be wrong before the first byte is read throws `ERR_START`.
 */
import { lstatSync } from 'node:fs'
import { dirname } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import type { Config, LogLevel } from '../config/config.ts'
import type { Loaded, LoadRequest } from '../config/load.ts'
import { obstacleTo, STATE_DIR } from '../directory.ts'
import { ShipperError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { leastMemory, memoryLimit } from '../memory.ts'
import { writersOf } from '../private.ts'
import { startServer } from '../server/server.ts'
import { type Drained, Shipper } from '../shipper.ts'
import { Tap } from '../tap.ts'
import { VERSION } from '../version.ts'
import { EXIT } from './exit.ts'
import { Live } from './live.ts'
import { Reload } from './reload.ts'
import { sayRemarks } from './sources.ts'
import { terminationMessage, writeTerminationMessage } from './termination-message.ts'

/** What may come from outside while it runs. */
export type Interruption =
  /** SIGTERM, SIGINT: drain, or end at once if draining already. */
  | 'end'
  /** SIGHUP, the terminal has gone: drain. It may come twice, from the shell and from the kernel. */
  | 'hangup'
  /** Standard output has no reader any more. */
  | 'closed'

const TERMINATION_LOG = '/dev/termination-log'
/** Up to this limit, which the image is made for, memory is scarcer than time: bytes. */
const SCARCE = 128 * 1024 ** 2
/**
 * V8 then collects at a tenth more than what lives instead of at twice as much, and all at once, for in steps a third more
 * is allocated before it is done; and skips a compiler whose code takes two megabytes and is soon replaced by another's.
 */
const FRUGAL = '--optimize-for-size --heap-growing-percent=10 --no-incremental-marking --no-sparkplug'

/** What is to run, where it comes from, and where changes of it are looked for. */
export interface RunParts {
  readonly loaded: Extract<Loaded, { kind: 'ok' }>
  readonly request: LoadRequest
  readonly setLevel: (level: LogLevel) => void
}

/** `onInterruption` yields each signal as it comes. Resolves to the exit code. */
export async function run(
  { loaded, request, setLevel }: RunParts,
  log: Logger,
  onInterruption: (listener: (interruption: Interruption) => void) => void,
): Promise<number> {
  const { config } = loaded
  const ended = Promise.withResolvers<Drained>()
  const tap = new Tap(config.server.tap)
  const build = (each: Config, before?: Shipper): Shipper =>
    new Shipper(each, log, () => interrupted('closed'), before, tap)
  const shipper = new Live(config, build, log, tap)
  const reload = new Reload({ request, loaded, live: shipper, log, setLevel })
  const interrupted = (interruption: Interruption): void => {
    if (interruption === 'hangup' && shipper.draining) return
    if (interruption !== 'closed' && !shipper.draining) {
      const { until, mark } = shipper.terminated()
      reload.stop()
      const leftMs = Math.round(until - performance.now())
      log.info({ event: 'draining', gracePeriodMs: shipper.gracePeriod, leftMs, mark }, 'draining')
      shipper.drain().then(ended.resolve, ended.reject)
    } else ended.resolve(shipper.remains())
  }
  refuseUseless(config)
  await shipper.claim()
  const limit = memoryLimit()
  // Among Node's options these would be no flags of V8's snapshot, and every start would compile Node's own code anew.
  if (limit !== undefined && limit <= SCARCE) setFlagsFromString(FRUGAL)
  const least = leastMemory(config.memory.budget)
  if (limit !== undefined && limit < least) {
    log.warn(
      { event: 'memory_limit_low', limit, least, budget: config.memory.budget },
      'container memory limit is below the tested minimum',
    )
  }
  const server = await startServer(config.server, shipper, log)
  if (Object.keys(server.ports).length > 0) log.info({ event: 'listening', ...server.ports }, 'listening')
  await shipper.start()
  log.info(
    {
      event: 'started',
      version: VERSION,
      sources: config.sources.length,
      backends: config.backends.map(({ name }) => name),
    },
    'started',
  )
  sayRemarks(config.sources, log)
  // A signal during the start waits until here: draining what has not been found again would send it anew.
  onInterruption(interrupted)
  reload.start()
  const drained = await ended.promise
  reload.stop()
  const lastSave = await shipper.stop()
  const { dir } = config.state
  const saved = lastSave.kind === 'saved'
  switch (lastSave.kind) {
    case 'saved':
      break
    case 'failed': {
      const { code, unsavedBytes } = lastSave
      log.error(
        { event: 'state_not_saved', dir, code, unsavedBytes },
        'the last checkpoint was not written; a restart resends what was acknowledged since the one before',
      )
      break
    }
    case 'late':
      log.error(
        { event: 'state_not_saved', dir },
        'the last checkpoint was not written in time; a restart resends unacknowledged data',
      )
  }
  const ledger = shipper.ledger()
  writeTerminationMessage(TERMINATION_LOG, terminationMessage(drained, ledger, lastSave))
  log.info({ event: 'ended', complete: drained.complete, saved, left: drained.left.slice(0, 20), ledger }, 'ended')
  await server.close()
  return drained.complete && saved ? EXIT.ok : EXIT.incomplete
}

/** Whether others may write to the directory that holds what is in the way: the deepest part of the path that is there. */
function mayBePlanted(dir: string): boolean {
  try {
    let at = dir
    while (lstatSync(at, { throwIfNoEntry: false }) === undefined && dirname(at) !== at) at = dirname(at)
    return writersOf(dirname(at)) !== undefined
  } catch {
    return false
  }
}

/**
 * A state directory that can never be one is a mistake in the configuration. One that cannot be written now is not: it
 * is logged and retried. The default one need not be there, on a root file system that is read-only.
 */
function refuseUseless({ state: { dir } }: Config): void {
  if (dir === null || dir === STATE_DIR) return
  const found = obstacleTo(dir)
  // What others may have put there is no mistake of the configuration, and must not keep us from starting.
  if (found === undefined || mayBePlanted(dir)) return
  const message = `state.dir: ${dir}: found ${found}; allowed: a directory, or a place where one can be made, or off`
  throw new ShipperError('ERR_START', message)
}
