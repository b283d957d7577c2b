/** `logshipper status`: what the running shipper is doing. */
import type { Status } from '../server/admin.ts'
import { ask, DEFAULT_ADMIN } from './ask.ts'
import type { Streams } from './output.ts'
import { bytes, counted, printable, table } from './table.ts'

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
  lines.push(files.length === 0 ? 'no file matches yet' : fileTable(files, health.backends.length > 1))
  if (more.files > 0) lines.push(`and ${counted(more.files, 'more file')}`)
  for (const { path, reason } of refused) lines.push(`not followed: ${printable(path)}: ${reason}`)
  if (more.refused > 0) lines.push(`not followed: ${counted(more.refused, 'more path')}`)
  return `${lines.join('\n')}\n`
}

/** Each file with how far each backend is in it; of several backends each has a row of its own, with its name. */
function fileTable(files: Status['files'], several: boolean): string {
  const heads = ['FILE', 'SOURCE', 'STATE', 'SIZE', ...(several ? ['BACKEND'] : []), 'READ', 'ACKNOWLEDGED']
  const rows = files.flatMap(({ path, source, state, size, cursors }) => {
    const file = [printable(path), source, state, bytes(size)]
    const none = [...(several ? ['–'] : []), '–', '–']
    if (cursors.length === 0) return [[...file, ...none]]
    return cursors.map(({ backend, read, committed }, index) => [
      ...(index === 0 ? file : file.map(() => '')),
      ...(several ? [backend] : []),
      bytes(read),
      bytes(committed),
    ])
  })
  return table(heads, rows)
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
