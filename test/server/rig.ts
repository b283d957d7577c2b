/**
 * A stage: a view of a shipper whose every answer can be set by hand, and clients that speak to a real server over real
 * sockets.
 */

import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { emptyOutcome, type Statement } from '../../src/ledger.ts'
import type { FileProgress, FileStatus } from '../../src/progress.ts'
import type {
  BackendHealth,
  HealthReport,
  Identity,
  PipelineStatus,
  ShipperView,
  Snapshot,
} from '../../src/server/shipper-view.ts'
import { Tap } from '../../src/tap.ts'
import type { Caller } from '../../src/termination.ts'

export function statement(more: Partial<Statement> = {}): Statement {
  return {
    ...emptyOutcome(),
    read: { lines: 0, bytes: 0 },
    inFlight: { lines: 0, bytes: 0 },
    lostBytes: 0,
    truncatedLines: 0,
    repairedSequences: 0,
    unparsedRecords: 0,
    unpartitionedRecords: 0,
    untimedRecords: { missing: 0, unreadable: 0, old: 0, ahead: 0 },
    unlevelledRecords: { missing: 0, unknown: 0 },
    generations: 1,
    ...more,
  }
}

/** Ten lines of 100 bytes read: six delivered, one rejected, one dropped, two in flight. */
export const ACCOUNT = statement({
  read: { lines: 10, bytes: 1000 },
  delivered: { lines: 6, bytes: 600 },
  rejected: { '400': { lines: 1, bytes: 100 } },
  dropped: { filter: { lines: 1, bytes: 100 } },
  inFlight: { lines: 2, bytes: 200 },
  lostBytes: 7,
})

export const UP: BackendHealth = {
  name: 'main',
  type: 'loki',
  state: 'up',
  reason: null,
  since: null,
  nextAttempt: null,
  lastDelivered: '2026-01-01T00:00:00.000Z',
  attempts: 0,
  stalledSince: null,
  lastError: null,
  lagBytes: 200,
  lagSeconds: 1.5,
}

export const DOWN: BackendHealth = {
  ...UP,
  state: 'down',
  reason: 'ECONNREFUSED',
  since: '2026-01-01T00:00:00.000Z',
  nextAttempt: '2026-01-01T00:00:05.000Z',
  attempts: 3,
}

const PIPELINE: PipelineStatus = {
  backend: 'main',
  up: true,
  endpoint: 'https://logs.example:3100',
  lastError: null,
  budget: { total: 8192, used: 1024, peak: 4096 },
  batchesInFlight: 1,
  requests: [
    { status: '2xx', verdict: 'delivered', count: 5 },
    { status: '5xx', verdict: 'retry', count: 2 },
  ],
  retries: { '503': 2 },
  rejectReasons: ['too_large', 'http_400'],
  dropReasons: { app: ['filter:below', 'sample'] },
  redactions: [{ source: 'app', rule: 'password', redacted: 4, gaveUp: 1 }],
  cardinality: 12,
  deadLetters: { written: 3, omitted: 1, bytes: 700, limit: 1000 },
  payloadBytes: 900,
  baredRecords: 0,
  retimedRecords: 0,
  wireBytes: 300,
  durations: { bounds: [0.1, 1], counts: [4, 2, 1], sum: 12.5 },
  sizes: { bounds: [1024, 4096], counts: [1, 2, 4], sum: 40_000 },
  certificates: { server: '2026-03-01T00:00:00.000Z', client: '2026-02-01T00:00:00.000Z' },
  lag: [{ source: 'app', bytes: 200, seconds: 1.5, inFlightSeconds: 0.5 }],
}

export const SECRET_PATH = '/var/log/app/of-customer-4711.log'

export const FILE: FileStatus = {
  source: 'app',
  path: SECRET_PATH,
  generation: 'g1',
  state: 'live',
  size: 1000,
  cursors: [{ backend: 'main', read: 1000, committed: 800, lagSeconds: 1.5 }],
}

/** The view; everything may be changed while the server runs. */
export class Stage implements ShipperView {
  waiting: string[] = []
  since = 10
  draining = false
  tap = new Tap(true)
  readonly marks: Caller[] = []
  healthy: HealthReport = {
    status: 'ok',
    version: '1.2.3',
    revision: 'c0ffee',
    state: { kind: 'saved' },
    pins: { kind: 'works', pinned: 0 },
    heldBytes: 0,
    memory: { resident: 80e6, anonymous: 25e6, limit: 134217728, budget: 8388608 },
    volume: { bytes: 5e8, limit: 1e9, growthPerSecond: 1000, secondsLeft: 5e5 },
    previous: { kind: 'clean', unsettledBytes: 0, lostBytes: 0 },
    watch: { mode: 'events' },
    backends: [UP],
    sources: [{ name: 'app', files: 1, refused: { EACCES: 2 }, waiting: { files: 3, directories: 4 } }],
    directories: { known: 6, watched: 5 },
    configuration: { kind: 'current', since: '2026-01-02T03:04:05.678Z', problems: 0 },
  }
  piped: PipelineStatus[] = [PIPELINE]
  accounts = [{ source: 'app', backend: 'main', statement: ACCOUNT }]
  followed: FileStatus[] = [FILE]
  unopened: FileProgress[] = []
  notFollowed = [{ source: 'app', path: `${SECRET_PATH}.1`, reason: 'EACCES' }]

  startup() {
    return { ready: this.waiting.length === 0, waiting: this.waiting }
  }
  sinceTurn() {
    return this.since
  }
  wrong: string[] = []
  identity: Identity = { namespace: 'shop', pod: 'web-0', node: 'node-1' }
  snapshot(): Snapshot {
    return {
      identity: this.identity,
      draining: this.draining,
      health: this.healthy,
      pipelines: this.piped,
      ledger: this.accounts,
      fileEvents: [{ source: 'app', opened: 4, rotated: 3, truncated: 2, deleted: 1 }],
      files: this.followed,
      unopened: () => this.unopened,
      refused: this.notFollowed,
      problems: this.wrong,
      reloads: { applied: 2, refused: 1, appliedAt: '2026-01-02T03:04:05.678Z' },
    }
  }
  terminationBegan(caller: Caller) {
    this.marks.push(caller)
  }
}

export interface Answered {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: string
}

/** One request over a connection of its own. */
export function ask(
  port: number,
  path: string,
  { method = 'GET', host = '127.0.0.1', headers = {}, body = '' } = {},
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const asking = request({ host, port, path, method, headers, agent: false }, answer => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', part => (text += part))
      answer.on('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, body: text }))
      answer.on('error', reject)
    })
    asking.on('error', reject)
    asking.end(body)
  })
}

/** A connection on which nothing is said yet. */
export async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}
