/** What all workloads of the bench share: options, the folder they work in, and how figures are shown. */
import { mkdtempSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    mib: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string' },
    backend: { type: 'string', default: '' },
    load: { type: 'string', default: '' },
    repeat: { type: 'string' },
    peers: { type: 'boolean', default: false },
    work: { type: 'string', default: '' },
    setup: { type: 'string', default: '' },
    latency: { type: 'string', default: '0' },
    framing: { type: 'string', default: 'chunked' },
    /** Of `measure.ts`. */
    bare: { type: 'boolean', default: false },
  },
})
/** Of the backends those whose name begins so. */
export const backendPrefix = values.backend
/** Of the small loads those whose name begins so. */
export const loadPrefix = values.load
export const withPeers = values.peers
/** Of what peers do those works, and of their setups those, whose names begin so. */
export const workPrefix = values.work
export const setupPrefix = values.setup
/** Milliseconds from request to answer, one run for each; and how answers are framed (server.ts). */
export const latencies = values.latency.split(',').map(Number)
export const framing = values.framing
export const mib = Number(values.mib ?? (values.quick ? 64 : 1024))
export const seconds = Number(values.seconds ?? (values.quick ? 4 : 15))
export const repeat = Number(values.repeat ?? (values.quick ? 1 : 3))
/** Too short for figures of time to say much: most of it is warming up. */
export const short = mib < 512 || seconds < 10
export const GIB = 1024 ** 3
export const MIB = 1024 ** 2

export const folder = mkdtempSync(join(tmpdir(), 'logshipper-bench-'))
export const wants = (name: string) => values.only === undefined || name.startsWith(values.only)
export const median = (all: readonly number[]) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]!
export const fixed = (value: number, digits: number) => value.toFixed(digits)

/** Load average of the last minute: ratios are published only of runs in which it was below 2. */
export const loadAverage = () => `load average ${fixed(loadavg()[0]!, 1)}`

export function common(paths: string, port: number, state: string): Record<string, string> {
  return {
    LOGSHIPPER_SOURCE_PATHS: paths,
    LOGSHIPPER_BACKEND_TYPE: 'http',
    LOGSHIPPER_BACKEND_ENDPOINT: `http://127.0.0.1:${port}/ingest`,
    LOGSHIPPER_BACKEND_COMPRESSION: 'none',
    LOGSHIPPER_STATE_DIR: resolve(folder, state),
    LOGSHIPPER_SERVER_PORT: 'off',
    LOGSHIPPER_SERVER_ADMIN: 'off',
  }
}
