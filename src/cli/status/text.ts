/**
 * The status as text for a terminal, or a log: what is wrong first, then one row per backend and per file and backend.
 * Names and servers' words are shown and not obeyed, and lists are bounded: `--json` has all of them.
 */
import type { Status } from '../../server/admin.ts'
import { showSum } from '../ledger.ts'
import { bytes, counted, printable, table } from '../table.ts'

/** Files that are listed. */
const MOST = 50

function checkpoint(state: Status['health']['state']): string {
  switch (state.kind) {
    case 'failing':
      return `cannot be written (${state.code})`
    case 'saving':
      return `being written for ${state.seconds} s`
    default:
      return state.kind
  }
}

export function show(status: Status): string {
  const { draining, health, pipelines, files, refused, more } = status
  const { state, watch } = health
  const lines = [
    `logshipper ${health.version}: ${draining ? 'draining' : health.status}${whereAndSince(status)}`,
    `checkpoint: ${checkpoint(state)}; ${watch.mode === 'events' ? 'watching' : `polling: ${watch.reason}`}`,
    ...bounds(health),
    ...configuration(status),
    '',
  ]
  lines.push(table(['BACKEND', 'TYPE', 'ENDPOINT', 'STATE', 'LAG', 'LAG TIME', 'LAST DELIVERED'], backends(status)))
  lines.push(...pipelines.flatMap(pipeline => remarks(pipeline, status)), '')
  const shown = files.slice(0, MOST)
  lines.push(
    shown.length === 0
      ? 'no file matches yet'
      : table(
          ['FILE', 'SOURCE', 'STATE', 'SIZE', 'BACKEND', 'READ', 'ACKNOWLEDGED', 'LAG', 'LAG TIME'],
          shown.flatMap(rowsOf),
        ),
  )
  const left = more.files + files.length - shown.length
  if (left > 0) lines.push(`and ${counted(left, 'more file')}, which are less far behind (--json)`)
  lines.push('', showSum(status.ledger), '')
  for (const { path, reason } of refused.slice(0, MOST)) lines.push(`not followed: ${printable(path)}: ${reason}`)
  const others = more.refused + Math.max(0, refused.length - MOST)
  if (others > 0) lines.push(`not followed: ${counted(others, 'more path')}`)
  return `${lines.join('\n').trimEnd()}\n`
}

/** The worst first. */
function backends({ at, health, pipelines }: Status): string[][] {
  const down = ({ state, stalledSince }: Status['health']['backends'][number]) =>
    state === 'up' && stalledSince === null ? 0 : 1
  return health.backends
    .toSorted((a, b) => down(b) - down(a) || b.lagSeconds - a.lagSeconds)
    .map(backend => {
      const { name, type, lagBytes, lagSeconds, lastDelivered } = backend
      return [
        name,
        type,
        pipelines.find(({ backend }) => backend === name)?.endpoint ?? '–',
        stateOf(backend, at),
        bytes(lagBytes),
        `${lagSeconds.toFixed(1)} s`,
        lastDelivered ?? 'never',
      ]
    })
}

function stateOf(backend: Status['health']['backends'][number], at: string): string {
  const { state, reason, attempts, since, nextAttempt, stalledSince } = backend
  const stalled = stalledSince === null ? '' : `, stalled since ${stalledSince}`
  if (state === 'up') return `${state}${stalled}`
  const next = nextAttempt === null ? '' : `, next in ${Math.round(seconds(at, nextAttempt))} s`
  return `${state}: ${reason}, attempt ${attempts}${since === null ? '' : ` since ${since}`}${next}${stalled}`
}

const seconds = (from: string, to: string): number => Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000)

/** A row for each backend of a file. */
function rowsOf({ path, source, state, size, cursors }: Status['files'][number]): string[][] {
  const file = [printable(path), source, state, bytes(size)]
  if (cursors.length === 0) return [[...file, '–', '–', '–', '–', '–']]
  return cursors.map(({ backend, read, committed, lagSeconds }, at) => [
    ...(at === 0 ? file : ['', '', '', '']),
    backend,
    bytes(read),
    bytes(committed),
    bytes(Math.max(0, size - committed)),
    `${lagSeconds.toFixed(1)} s`,
  ])
}

function whereAndSince({ identity: { namespace, pod, node }, startedAt }: Status): string {
  const name = [namespace, pod].filter(each => each !== null).join('/')
  return `${name === '' ? '' : `, ${printable(name)}`}${node === null ? '' : ` on ${printable(node)}`}, since ${startedAt}`
}

/** A configuration that was refused: what runs is the one before. */
function configuration({ health, problems, more, reloads }: Status): string[] {
  if (health.configuration.kind === 'current') {
    const { applied, refused } = reloads
    const changes = `${counted(applied, 'reload')} applied, ${refused} refused`
    return [`configuration: in effect since ${health.configuration.since}; ${changes}`]
  }
  return [
    `configuration: refused at ${health.configuration.since}; the previous one stays in use`,
    ...problems.map(problem => `  ${printable(problem)}`),
    ...(more.problems > 0 ? [`  and ${more.problems} more`] : []),
  ]
}

/** What failed last, in the server's own words, and what is kept of what it refused. */
function remarks({ backend, lastError, deadLetters }: Status['pipelines'][number], { ledger }: Status): string[] {
  const lines: string[] = []
  if (lastError) {
    const words = lastError.detail === null ? '' : `: “${printable(lastError.detail)}”`
    lines.push(`last error of ${backend}, ${lastError.at}: ${lastError.reason}${words}`)
  }
  if (deadLetters && deadLetters.written + deadLetters.omitted + deadLetters.bytes > 0) {
    const { written, omitted, bytes: size } = deadLetters
    const lost = omitted > 0 ? `, ${omitted} were not kept` : ''
    lines.push(
      `dead letters of ${backend}: ${written} kept since the start${lost}; ${bytes(size)} to replay (logshipper replay --backend ${backend})`,
    )
    lines.push(...rejections(backend, ledger))
  }
  return lines
}

/** Why a backend rejected records. */
function rejections(backend: string, ledger: Status['ledger']): string[] {
  const reasons = new Map<string, number>()
  for (const { backend: of, statement } of ledger) {
    if (of !== backend) continue
    for (const [reason, { lines }] of Object.entries(statement.rejected)) {
      reasons.set(reason, (reasons.get(reason) ?? 0) + lines)
    }
  }
  const each = [...reasons].map(([reason, lines]) => `${printable(reason)}: ${counted(lines, 'line')}`)
  return each.length === 0 ? [] : [`rejected by ${backend}: ${each.join(', ')}`]
}

/** What the pod bounds, memory and volume; and what the process before left. */
function bounds({ memory, volume, previous }: Status['health']): string[] {
  const lines: string[] = []
  const of = (limit: number | null): string => (limit === null ? '' : ` of ${bytes(limit)}`)
  if (memory.anonymous !== null) {
    lines.push(`memory: ${bytes(memory.anonymous)}${of(memory.limit)}; memory.budget ${bytes(memory.budget)}`)
  }
  if (volume) {
    const { secondsLeft } = volume
    const left = secondsLeft === null ? '' : `, full in ${Math.round(secondsLeft / 60)} min at this rate`
    lines.push(`volume: ${bytes(volume.bytes)}${of(volume.limit)}${left}`)
  }
  if (previous.kind === 'clean') lines.push('previous process shut down cleanly')
  if (previous.kind === 'unclean') {
    const { unsettledBytes, lostBytes } = previous
    const gone = lostBytes > 0 ? `, ${bytes(lostBytes)} lost` : ''
    lines.push(`previous process did not shut down cleanly: ${bytes(unsettledBytes)} were unacknowledged${gone}`)
  }
  return lines
}
