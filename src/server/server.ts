/**
 * The server: the probe port for the kubelet and Prometheus, and the admin port for people, on loopback.
 */
import { ADMIN_POSTS, admin } from './admin.ts'
import { type Listener, listen } from './listen.ts'
import { Metrics } from './metrics.ts'
import type { ServerOptions } from './options.ts'
import { POSTS, probes } from './probes.ts'
import { shared } from './shared.ts'
import type { Subject } from './subject.ts'

export interface Running {
  /** The ports that were bound; absent ones are off. */
  readonly ports: { readonly port?: number; readonly adminPort?: number }
  close(): Promise<void>
}

/** Throws `ERR_START` if a port cannot be had. `now`: monotonic milliseconds. */
export async function startServer(
  options: ServerOptions,
  subject: Subject,
  now: () => number = () => performance.now(),
): Promise<Running> {
  const metrics = new Metrics(subject)
  const listeners: Listener[] = []
  const ports: { port?: number; adminPort?: number } = {}
  const close = async (): Promise<void> => {
    metrics.close()
    await Promise.all(listeners.map(listener => listener.close()))
  }
  try {
    if (options.port !== null) {
      // `::` takes IPv4 too where the system is dual-stack, which is the default.
      const scraped = shared(async () => ({ status: 200, ...(await metrics.page()) }), now)
      const handler = probes(subject, scraped)
      const listener = await listen(['::', '0.0.0.0'], options.port, 'server.port', handler, POSTS)
      listeners.push(listener)
      ports.port = listener.port
    }
    if (options.admin !== null) {
      const { host, port } = options.admin
      const listener = await listen([host], port, 'server.admin', admin(subject, now), ADMIN_POSTS)
      listeners.push(listener)
      ports.adminPort = listener.port
    }
  } catch (error) {
    await close()
    throw error
  }
  return { ports, close }
}
