/**
 * The server: the probe port for the kubelet and Prometheus, and the admin port for people, on loopback.
 *
 * Guarantees: without the probe port nothing starts, for the kubelet would restart the container; the admin port is not
 * worth that. Loopback belongs to all containers of the pod: one that uses the port must not keep lines from being
 * shipped, so that is logged, and retried.
 */
import { CLOCK, type Clock } from '../clock.ts'
import { codeOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { ADMIN_POSTS, admin } from './admin.ts'
import { type Handler, type Listener, listen } from './listen.ts'
import { Metrics } from './metrics.ts'
import type { Address, ServerOptions } from './options.ts'
import { POSTS, probes } from './probes.ts'
import { shared } from './shared.ts'
import type { ShipperView } from './shipper-view.ts'

/** Milliseconds until binding a port is retried. */
const AGAIN = 30_000

export interface Running {
  /** The ports that are bound; absent ones are off, or could not be bound. */
  readonly ports: { readonly port?: number; readonly adminPort?: number }
  close(): Promise<void>
}

/** Throws `ERR_START` if the probe port cannot be bound. */
export async function startServer(
  { port, admin: address }: Pick<ServerOptions, 'port' | 'admin'>,
  shipper: ShipperView,
  log: Logger,
  clock: Clock = CLOCK,
): Promise<Running> {
  const now = () => clock.now()
  const metrics = new Metrics(shipper, now)
  const ports: { port?: number; adminPort?: number } = {}
  let probing: Listener | undefined
  if (port !== null) {
    const handler = probes(
      shipper,
      shared(async () => ({ status: 200, ...(await metrics.page()), headers: { vary: 'accept-encoding' } }), now),
    )
    // `::` takes IPv4 too where the system is dual-stack, which is the default.
    probing = await listen(['::', '0.0.0.0'], port, 'server.port', handler, POSTS)
    ports.port = probing.port
  }
  const people = address && new AdminPort(address, admin(shipper, clock, log), log, clock)
  await people?.open(bound => (ports.adminPort = bound))
  return {
    ports,
    close: async () => {
      metrics.close()
      await Promise.all([probing?.close(), people?.close()])
    },
  }
}

/** Bound, or waiting for its next attempt. */
class AdminPort {
  readonly #address: Address
  readonly #handler: Handler
  readonly #log: Logger
  readonly #clock: Clock
  #listener: Listener | undefined
  #cancel = () => {}
  #failed = false
  #closed = false

  constructor(address: Address, handler: Handler, log: Logger, clock: Clock) {
    this.#address = address
    this.#handler = handler
    this.#log = log
    this.#clock = clock
  }

  /** Resolves after the first attempt, and never rejects. `onBound` gets the port, perhaps later. */
  async open(onBound: (port: number) => void): Promise<void> {
    const { host, port } = this.#address
    try {
      const listener = await listen([host], port, 'server.admin', this.#handler, ADMIN_POSTS)
      if (this.#closed) {
        await listener.close()
        return
      }
      this.#listener = listener
      onBound(listener.port)
      if (this.#failed) this.#log.info({ event: 'listening', adminPort: listener.port }, 'listening')
    } catch (error) {
      if (!this.#failed) {
        const reason = error instanceof Error ? error.message : codeOf(error)
        const fields = { event: 'admin_port_unavailable', host, port, reason } as const
        this.#log.warn(
          fields,
          'cannot bind the admin port: no status page, and `logshipper prestop` does not work; retrying',
        )
      }
      this.#failed = true
      if (!this.#closed) this.#cancel = this.#clock.after(AGAIN, () => void this.open(onBound))
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancel()
    await this.#listener?.close()
  }
}
