/**
 * The probe port: what the kubelet and Prometheus ask, on all interfaces. Never any log content, never a path.
 *
 * Liveness fails only for what a restart can mend: a stalled tail loop (a stalled event loop does not answer at all). It is 200 while draining: a restart then would lose the very lines that are being saved.
 * Readiness never depends on a backend, or an outage of the log store would take the application out of service; who
 * wants it asks for `/readyz?strict`.
 */
import { acceptsGzip } from './encoding.ts'
import type { Handler } from './listen.ts'
import { json, text } from './listen.ts'
import type { Shared } from './shared.ts'
import type { ShipperView } from './shipper-view.ts'

/** The loop turns every 250 ms; one that has not for so long is stuck: milliseconds. */
const STUCK = 30_000

/** Paths that may be POSTed to. */
export const POSTS = ['/prestop'] as const

export function probes(shipper: ShipperView, metrics: Shared): Handler {
  return async ({ method, headers }, { pathname, searchParams }) => {
    switch (pathname) {
      case '/startupz': {
        const { ready, waiting } = shipper.startup()
        return ready ? text(200, 'started') : text(503, `waiting for ${waiting.join(', ')}`)
      }
      case '/livez': {
        const since = shipper.sinceTurn()
        if (since <= STUCK || shipper.draining) return text(200, shipper.draining ? 'draining' : 'alive')
        return text(503, `tail loop stalled for ${Math.round(since / 1000)} s`)
      }
      case '/readyz': {
        const { ready, waiting } = shipper.startup()
        if (!ready) return text(503, `waiting for ${waiting.join(', ')}`)
        if (shipper.sinceTurn() > STUCK) return text(503, 'tail loop stalled')
        if (searchParams.has('strict')) {
          const { backends } = shipper.snapshot().health
          const down = backends.filter(({ state }) => state !== 'up')
          if (down.length > 0) return text(503, `not up: ${down.map(({ name }) => name).join(', ')}`)
          const stalled = backends.filter(({ stalledSince }) => stalledSince !== null)
          if (stalled.length > 0) return text(503, `reading stalled: ${stalled.map(({ name }) => name).join(', ')}`)
        }
        return text(200, 'ready')
      }
      case '/health':
        return json(200, shipper.snapshot().health)
      case '/metrics':
        return metrics(acceptsGzip(headers['accept-encoding']) ? 'gzip' : 'identity')
      case '/prestop':
        // HEAD changes nothing (RFC 9110 §9.2.1). GET has to: it is all that the kubelet's `httpGet` can send.
        // Any client that reaches this port may call it, so it never leaves less than half of the grace period.
        if (method !== 'HEAD') shipper.terminationBegan('unverified')
        return text(200, 'draining: grace period started')
      default:
        return text(404, 'there are /startupz /livez /readyz /health /metrics /prestop')
    }
  }
}
