/**
 * The admin port: what a person asks through `kubectl port-forward`, and the preStop hook. It shows paths, so it binds
 * to loopback, and it answers only to loopback's names: a web page elsewhere cannot reach it by pointing its own name
 * here, and what comes from a web page at all changes nothing. On an address that is not loopback, which has to be
 * configured, any name will do; but records are shown on loopback only.
 */
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { FileProgress } from '../progress.ts'
import type { Handler } from './listen.ts'
import { json, text } from './listen.ts'
import { PAGE, POLICY } from './page.ts'
import { shared } from './shared.ts'
import type { ShipperView, Snapshot } from './shipper-view.ts'
import { tapped } from './tapped.ts'

/** Paths that may be POSTed to. */
export const ADMIN_POSTS = ['/prestop'] as const

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i

export function admin(shipper: ShipperView, clock: Clock, log: Logger): Handler {
  const now = () => clock.now()
  const everything = shared(() => json(200, status(shipper.snapshot())), now)
  const worst = shared(() => json(200, status(shipper.snapshot(), WORST)), now)
  return (request, { pathname, searchParams }) => {
    if (!LOOPBACK.test(request.headers.host ?? '') && isLoopback(request.socket.localAddress)) {
      return text(403, 'this port answers requests for localhost only')
    }
    switch (pathname) {
      case '/':
        return { status: 200, type: 'text/html; charset=utf-8', body: PAGE, headers: POLICY }
      case '/status':
        return searchParams.has('worst') ? worst() : everything()
      case '/ledger':
        return json(200, shipper.snapshot().ledger)
      case '/tap':
        if (!isLoopback(request.socket.localAddress) || !isLoopback(request.socket.remoteAddress)) {
          return text(
            403,
            'records are shown on loopback only, whatever server.admin is: kubectl port-forward, or exec',
          )
        }
        return tapped(request, searchParams, { shipper, clock, log })
      case '/prestop': {
        if (request.method !== 'POST') return { ...text(405, 'only POST'), headers: { allow: 'POST' } }
        if (request.headers.origin !== undefined) return text(403, 'not from a web page')
        shipper.terminationBegan(isLoopback(request.socket.remoteAddress) ? 'pod' : 'unverified')
        return text(200, 'draining: grace period started')
      }
      default:
        return text(404, 'there are / /status /ledger /tap /prestop')
    }
  }
}

/** Enough to see; a directory with a million files must not become an answer of a gigabyte. */
const MAX_FILES = 1000
const MAX_REFUSED = 100
const MAX_PROBLEMS = 20
/** Files in an answer for a person, who asks every second. */
const WORST = 50

/** Everything the status page shows, in one answer. Of the files the `most` that are furthest behind come first. */
export function status(snapshot: Snapshot, most = MAX_FILES) {
  const { files, unopened, refused, problems, ...rest } = snapshot
  const all = worstFirst([...files, ...unopened()])
  return {
    at: new Date().toISOString(),
    startedAt: new Date(Date.now() - process.uptime() * 1000).toISOString(),
    ...rest,
    problems: problems.slice(0, MAX_PROBLEMS),
    files: all.slice(0, most),
    refused: refused.slice(0, MAX_REFUSED),
    /** How many more there are than the lists show. */
    more: {
      problems: Math.max(0, problems.length - MAX_PROBLEMS),
      files: Math.max(0, all.length - most),
      refused: Math.max(0, refused.length - MAX_REFUSED),
    },
  }
}

/** By how late their backends are, and then by bytes; files that are as far keep their order. */
function worstFirst(files: readonly FileProgress[]): FileProgress[] {
  const ranked = files.map(file => ({
    file,
    seconds: Math.max(0, ...file.cursors.map(({ lagSeconds }) => lagSeconds)),
    bytes: Math.max(0, ...file.cursors.map(({ committed }) => file.size - committed)),
  }))
  return ranked.sort((a, b) => b.seconds - a.seconds || b.bytes - a.bytes).map(({ file }) => file)
}

export type Status = ReturnType<typeof status>

function isLoopback(address: string | undefined): boolean {
  return address === undefined || address === '::1' || address.replace(/^::ffff:/, '').startsWith('127.')
}
