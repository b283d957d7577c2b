/**
 * Targets: what a figure may be at most. CPU time of a backlog is a multiple of the floor, that of the same bytes read and
 * written by Node alone in the same minute, since seconds are those of one machine; memory, lag and share of a core are
 * what they are. The bench names every figure that is over and ends with code 1.
 */
import { MIB, short } from './setting.ts'

export interface Figures {
  /** CPU time per byte, as a multiple of the floor's. */
  readonly floors?: number
  /** Percent of a core. */
  readonly core?: number
  /** Bytes of its own at the peak. */
  readonly anonymous?: number
  /** Milliseconds from write to receipt. */
  readonly p50?: number
  readonly p99?: number
  /** And of the very first line. */
  readonly first?: number
  /** How often a second the main thread is woken. */
  readonly wakeups?: number
  /** Time from exec to `/startupz`, as a multiple of what Node needs for an empty program. */
  readonly starts?: number
}

const OWN = 32 * MIB
/** Records that are more than a line in JSON, or few to a request. */
const MANY = { floors: 8.5, anonymous: 40 * MIB }

const TARGETS: Readonly<Record<string, Figures>> = {
  text: { floors: 3, anonymous: OWN },
  ndjson: { floors: 5, anonymous: OWN },
  'ndjson, zstd': { floors: 8.5, anonymous: 34 * MIB },
  'ndjson, gzip': { floors: 9.5, anonymous: OWN },
  'ndjson, zlib': { floors: 15, anonymous: 40 * MIB },
  'JSON, merged': { floors: 5.5, anonymous: OWN },
  'splunk_hec (ack)': MANY,
  datadog: MANY,
  elasticsearch: { ...MANY, anonymous: 36 * MIB },
  'otlp (json)': MANY,
  'otlp (protobuf, ids)': MANY,
  'otlp (json, ids)': { ...MANY, floors: 10 },
  '20 MiB/s, rotating': { core: 12, p50: 100, p99: 250, anonymous: OWN },
  '20 MiB/s in 100 files': { core: 18, p50: 100, p99: 250, anonymous: 40 * MIB },
  silence: { core: 0.1, p50: 20, wakeups: 2 },
  '1 lines/s': { core: 1.2, p99: 250, wakeups: 18 },
  '10 lines/s': { core: 1.5, p50: 100, p99: 250, wakeups: 18 },
  '100 lines/s': { core: 1.5, p50: 100, p99: 250, wakeups: 18 },
  '1000 lines/s': { core: 1.7, p50: 100, p99: 250, wakeups: 18 },
  'idle, 10 files': { core: 0.1, anonymous: 24 * MIB },
  'idle, 1000 files': { core: 0.7, anonymous: OWN },
  'no backend, 20 MiB/s': { core: 4, anonymous: OWN },
  start: { starts: 6.5 },
}

/** Of every backend that is not named. */
const BACKEND: Figures = { floors: 5.5, anonymous: 36 * MIB }

const misses: string[] = []

/** Notes what is over. Short runs are mostly warming up: of those only memory is judged. */
export function judge(name: string, found: Figures, kind?: 'backend'): void {
  const target = TARGETS[name] ?? (kind === 'backend' ? BACKEND : undefined)
  if (target === undefined) return
  for (const key of Object.keys(found) as (keyof Figures)[]) {
    const [most, value] = [target[key], found[key]]
    if (most === undefined || value === undefined || !(value > most) || (short && key !== 'anonymous')) continue
    const shown = (bytes: number) => (key === 'anonymous' ? `${(bytes / MIB).toFixed(0)} MiB` : bytes.toFixed(2))
    misses.push(`${name}: ${LABELS[key]} ${shown(value)}, at most ${shown(most)}`)
  }
}

const LABELS: Readonly<Record<keyof Figures, string>> = {
  floors: 'CPU time over the floor’s',
  core: 'percent of a core',
  anonymous: 'memory of its own',
  p50: 'ms of lag, median',
  p99: 'ms of lag, 99 %',
  first: 'ms of lag, first line',
  wakeups: 'wake-ups a second',
  starts: 'start over an empty program’s',
}

/** What was over. */
export function missed(): readonly string[] {
  return misses
}
