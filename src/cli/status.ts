/** `logshipper status`: what the running shipper is doing. */
import type { Status } from '../server/admin.ts'
import { ask, DEFAULT_ADMIN } from './ask.ts'
import type { Streams } from './output.ts'
import { bytes, printable, table } from './table.ts'

/** Resolves to the exit code. */
export async function status(
  options: { admin?: string | undefined; json?: boolean | undefined },
  { out, err }: Streams,
): Promise<number> {
  const address = options.admin ?? DEFAULT_ADMIN
  const asked = await ask(address, '/status')
  if (asked.kind === 'failed') {
    err.write(`logshipper: ${asked.why}\n`)
    return 1
  }
  let text: string
  try {
    text = show(JSON.parse(asked.body) as Status)
  } catch {
    err.write(`logshipper: what answers at ${address} is not a shipper\n`)
    return 1
  }
  out.write(options.json ? asked.body : text)
  return 0
}

function show({ draining, health, files, refused, more }: Status): string {
  const lines = [`logshipper ${health.version}: ${draining ? 'draining' : health.status}`]
  const { state, watch } = health
  lines.push(
    `positions: ${state.kind === 'failing' ? `cannot be saved (${state.code})` : state.kind}; ${watch.mode === 'events' ? 'watching' : `polling: ${watch.reason}`}`,
    ...bounds(health),
    '',
  )
  const backends = health.backends.map(
    ({ name, type, state, reason, attempts, lagBytes, lagSeconds, lastDelivered }) => [
      name,
      type,
      state === 'up' ? state : `${state}: ${reason}, attempt ${attempts}`,
      bytes(lagBytes),
      `${lagSeconds.toFixed(1)} s`,
      lastDelivered ?? 'never',
    ],
  )
  lines.push(table(['BACKEND', 'TYPE', 'STATE', 'BEHIND', 'LATE', 'LAST DELIVERED'], backends), '')
  const rows = files.map(({ path, source, state, size, cursors }) => [
    printable(path),
    source,
    state,
    bytes(size),
    cursors.map(({ read }) => bytes(read)).join(' / ') || '–',
    cursors.map(({ committed }) => bytes(committed)).join(' / ') || '–',
  ])
  lines.push(
    rows.length === 0
      ? 'no file matches yet'
      : table(['FILE', 'SOURCE', 'STATE', 'SIZE', 'READ', 'ACKNOWLEDGED'], rows),
  )
  if (more.files > 0) lines.push(`and ${more.files} more files`)
  for (const { path, reason } of refused) lines.push(`not followed: ${printable(path)}: ${reason}`)
  if (more.refused > 0) lines.push(`not followed: ${more.refused} more paths`)
  return `${lines.join('\n')}\n`
}

/** What the pod bounds, memory and volume; and what the process before left. */
function bounds({ memory, volume, previous }: Status['health']): string[] {
  const lines: string[] = []
  const of = (limit: number | null): string => (limit === null ? '' : ` of ${bytes(limit)}`)
  if (memory.anonymous !== null) {
    lines.push(`memory: ${bytes(memory.anonymous)}${of(memory.limit)}; up to ${bytes(memory.budget)} of it for lines`)
  }
  if (volume) {
    const { secondsLeft } = volume
    const left = secondsLeft === null ? '' : `, full in ${Math.round(secondsLeft / 60)} min at this rate`
    lines.push(`volume: ${bytes(volume.bytes)}${of(volume.limit)}${left}`)
  }
  if (previous.kind === 'unclean') {
    const { unsettledBytes, vanishedBytes } = previous
    const gone = vanishedBytes > 0 ? `, ${bytes(vanishedBytes)} could not be found again` : ''
    lines.push(`the process before was killed: ${bytes(unsettledBytes)} were not acknowledged${gone}`)
  }
  return lines
}
