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
    err.write(`logshipper: ${address} is not the admin port of a logshipper\n`)
    return 1
  }
  out.write(options.json ? asked.body : text)
  return 0
}

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

function show(status: Status): string {
  const { draining, health, pipelines, files, refused, more } = status
  const { state, watch } = health
  const lines = [
    `logshipper ${health.version}: ${draining ? 'draining' : health.status}${whereAndSince(status)}`,
    `checkpoint: ${checkpoint(state)}; ${watch.mode === 'events' ? 'watching' : `polling: ${watch.reason}`}`,
    ...bounds(health),
    ...configuration(status),
    '',
  ]
  const backends = health.backends.map(
    ({ name, type, state, reason, attempts, lagBytes, lagSeconds, lastDelivered }) => [
      name,
      type,
      pipelines.find(({ backend }) => backend === name)?.endpoint ?? '–',
      state === 'up' ? state : `${state}: ${reason}, attempt ${attempts}`,
      bytes(lagBytes),
      `${lagSeconds.toFixed(1)} s`,
      lastDelivered ?? 'never',
    ],
  )
  lines.push(table(['BACKEND', 'TYPE', 'ENDPOINT', 'STATE', 'LAG', 'LAG TIME', 'LAST DELIVERED'], backends))
  lines.push(...pipelines.flatMap(remarks), '')
  const rows = files.flatMap(({ path, source, state, size, cursors }) => {
    const file = [printable(path), source, state, bytes(size)]
    if (cursors.length === 0) return [[...file, '–', '–', '–', '–']]
    return cursors.map(({ backend, read, committed, lagSeconds }, at) => [
      ...(at === 0 ? file : ['', '', '', '']),
      backend,
      bytes(read),
      bytes(committed),
      `${lagSeconds.toFixed(1)} s`,
    ])
  })
  lines.push(
    rows.length === 0
      ? 'no file matches yet'
      : table(['FILE', 'SOURCE', 'STATE', 'SIZE', 'BACKEND', 'READ', 'ACKNOWLEDGED', 'LAG TIME'], rows),
  )
  if (more.files > 0) lines.push(`and ${counted(more.files, 'more file')}`)
  for (const { path, reason } of refused) lines.push(`not followed: ${printable(path)}: ${reason}`)
  if (more.refused > 0) lines.push(`not followed: ${counted(more.refused, 'more path')}`)
  return `${lines.join('\n')}\n`
}

function whereAndSince({ identity: { namespace, pod, node }, startedAt }: Status): string {
  const name = [namespace, pod].filter(each => each !== null).join('/')
  return `${name === '' ? '' : `, ${printable(name)}`}${node === null ? '' : ` on ${printable(node)}`}, since ${startedAt}`
}

/** A configuration that was refused: what runs is the one before. */
function configuration({ health, problems, more }: Status): string[] {
  if (health.configuration.kind === 'current') return []
  return [
    `configuration: refused at ${health.configuration.since}; the previous one stays in use`,
    ...problems.map(problem => `  ${printable(problem)}`),
    ...(more.problems > 0 ? [`  and ${more.problems} more`] : []),
  ]
}

/** What failed last, in the server's own words, and what is kept of what it refused. */
function remarks({ backend, lastError, deadLetters }: Status['pipelines'][number]): string[] {
  const lines: string[] = []
  if (lastError) {
    const words = lastError.detail === null ? '' : `: ${printable(lastError.detail)}`
    lines.push(`last error of ${backend}, ${lastError.at}: ${lastError.reason}${words}`)
  }
  if (deadLetters && deadLetters.written + deadLetters.omitted + deadLetters.bytes > 0) {
    const { written, omitted, bytes: size } = deadLetters
    const lost = omitted > 0 ? `, ${omitted} were not kept` : ''
    lines.push(
      `dead letters of ${backend}: ${written} kept since the start${lost}; ${bytes(size)} to replay (logshipper replay)`,
    )
  }
  return lines
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
  if (previous.kind === 'unclean') {
    const { unsettledBytes, lostBytes } = previous
    const gone = lostBytes > 0 ? `, ${bytes(lostBytes)} lost` : ''
    lines.push(`previous process did not shut down cleanly: ${bytes(unsettledBytes)} were unacknowledged${gone}`)
  }
  return lines
}
