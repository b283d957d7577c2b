/**
 * `logshipper run`: ships until it is told to end, then drains.
 *
 *     starting ─► shipping ─► draining ─► ended
 *                    │            │ a second signal
 *                    │            ▼
 *                    └────────► ended at once, after saving
 *
 * Exit codes: 0 everything was drained; 3 something is left (the ledger says what). Everything that can be wrong before
 * the first byte is read throws `ERR_START`.
 */
import type { Config } from '../config/config.ts'
import type { Logger } from '../log.ts'
import { startServer } from '../server/server.ts'
import { type Drained, Shipper } from '../shipper.ts'
import { VERSION } from '../version.ts'
import { farewell, writeTerminationMessage } from './farewell.ts'

/** What may come from outside while it runs. */
export type Interruption =
  /** SIGTERM, SIGINT: drain, or end at once if draining already. */
  | 'end'
  /** SIGHUP, the terminal has gone: drain. It may come twice, from the shell and from the kernel. */
  | 'hangup'
  /** Nobody reads our standard output any more. */
  | 'closed'

export const EXIT = { ok: 0, unexpected: 1, configuration: 2, incomplete: 3 } as const

const TERMINATION_LOG = '/dev/termination-log'

/** `interruptions` yields each signal as it comes. Resolves to the exit code. */
export async function run(
  config: Config,
  log: Logger,
  onInterruption: (listener: (interruption: Interruption) => void) => void,
): Promise<number> {
  const ended = Promise.withResolvers<Drained>()
  const shipper = new Shipper(config, log, () => interrupted('closed'))
  const interrupted = (interruption: Interruption): void => {
    if (interruption === 'hangup' && shipper.draining) return
    if (interruption !== 'closed' && !shipper.draining) {
      shipper.terminationBegan()
      log.info({ gracePeriodMs: config.drain.gracePeriod }, 'draining')
      shipper.drain().then(ended.resolve, ended.reject)
    } else ended.resolve(shipper.remains())
  }
  await shipper.claim()
  const server = await startServer(config.server, shipper)
  if (Object.keys(server.ports).length > 0) log.info(server.ports, 'listening')
  await shipper.start()
  log.info(
    {
      version: VERSION,
      sources: config.sources.length,
      backends: config.backends.map(({ name }) => name),
    },
    'started',
  )
  // A signal during the start waits until here: draining what has not been found again would send it anew.
  onInterruption(interrupted)
  const drained = await ended.promise
  await shipper.stop()
  const ledger = shipper.ledger()
  writeTerminationMessage(TERMINATION_LOG, farewell(drained, ledger))
  log.info({ complete: drained.complete, left: drained.left.slice(0, 20), ledger }, 'ended')
  await server.close()
  return drained.complete ? EXIT.ok : EXIT.incomplete
}
