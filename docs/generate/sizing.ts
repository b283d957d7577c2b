/**
 * The numbers of docs/sizing.md: what was measured is read from docs/development/profiling.md, what is asked for from the
 * manifests, and the examples are computed from both.
 */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { leastMemory } from '../../src/memory.ts'

const KIB = 1024
const MIB = 1024 ** 2
const GIB = 1024 ** 3
const HOUR = 3600
const DAY = 24 * HOUR
/** Of the volume: at 80 % the shipper warns. */
const FULL = 0.8
/** `memory.budget` by default, for which the limit of the manifests was measured. */
const BUDGET = 8 * MIB

const profiling = readFileSync(new URL('../development/profiling.md', import.meta.url), 'utf8')

/** The cells of the row that begins with `first`. */
function row(first: string): string[] {
  const line = profiling.split('\n').find(each => each.startsWith(`| ${first} |`))
  if (line === undefined) throw new Error(`docs/development/profiling.md has no row ${first}`)
  return line.split('|').map(cell => cell.trim())
}

/** The last of several values in a cell: before and after. */
const last = (cell: string): number =>
  Number(
    cell
      .split(/[,/;] ?/)
      .at(-1)!
      .replace(/[^\d.]/g, ''),
  )
const first = (cell: string): number => Number(cell.split(/[,/;] ?/)[0]!.replace(/[^\d.]/g, ''))

const codecs = row("NDJSON with zstd / gzip / zlib's gzip")
const idleFiles = row('idle, 10 / 1000 files')

/** Of per cent, without what division leaves behind the digits. */
const partOf = (percent: number): number => Number((percent / 100).toPrecision(6))

export const MEASURED = {
  /** Shares of a core, by lines a second. */
  idle: partOf(last(row('0; lag of single lines')[2]!)),
  at: {
    10: partOf(last(row('10')[2]!)),
    100: partOf(last(row('100')[2]!)),
    1000: partOf(last(row('1000')[2]!)),
  },
  lineBytes: Number(/lines of (\d+) bytes, listeners on/.exec(profiling)![1]),
  requests: last(row('100')[4]!),
  /** CPU seconds for a GiB, read and sent. */
  gzip: Number(codecs[2]!.split(' / ')[1]),
  plain: Number(row('text / NDJSON')[2]!.split(' / ')[1]),
  /** Of a file that is written with 20 MiB a second. */
  busy: partOf(first(row('20 MiB/s, rotating; before in the same minutes')[2]!)),
  down: partOf(first(row('no backend while 20 MiB/s are written')[2]!)),
  /** MiB of its own, idle, with 10 and with 1000 files. */
  files: idleFiles[4]!.split(' / ').map(Number) as [number, number],
} as const

const { requests, limits } = (() => {
  const text = readFileSync(new URL('../../k8s/component/sidecar.yaml', import.meta.url), 'utf8')
  const { spec } = parse(text.slice(text.indexOf('apiVersion')).split('\n---')[0]!) as {
    spec: { template: { spec: { initContainers: { resources: Resources }[] } } }
  }
  return spec.template.spec.initContainers[0]!.resources
})()

interface Resources {
  readonly requests: { readonly cpu: string; readonly memory: string }
  readonly limits: { readonly memory: string }
}

const millicores = (text: string): number => Number(text.replace('m', '')) / 1000
const mebibytes = (text: string): number => Number(text.replace('Mi', '')) * MIB

export interface Load {
  readonly linesPerSecond: number
  readonly lineBytes: number
}

export const bytesPerSecond = ({ linesPerSecond, lineBytes }: Load): number => linesPerSecond * lineBytes

/** Share of a core: what any busy pod takes, and what its bytes take, with gzip. */
export function cpu(load: Load): number {
  const { at, idle, gzip } = MEASURED
  if (load.linesPerSecond === 0) return idle
  return at[100] + (bytesPerSecond(load) / GIB) * gzip
}

export interface Volume extends Load {
  /** Bytes that rotation keeps, the present file included. */
  readonly kept: number
  /** Seconds for which the backend may be away. */
  readonly outage: number
}

/** What the volume must hold, and its `sizeLimit`: bytes. */
export function volume(of: Volume): { readonly unread: number; readonly least: number; readonly limit: number } {
  const unread = bytesPerSecond(of) * of.outage
  const least = (of.kept + unread) / FULL
  // In steps that a person would choose.
  const step = least > GIB ? GIB : 256 * MIB
  return { unread, least, limit: Math.ceil(least / step) * step }
}

/** Seconds until an outage is made up for, where the backend takes so many times what is written. */
export function catchUp(outage: number, times: number): number {
  return outage / (times - 1)
}

/** Bytes: the limit of the container for a budget, as much above the least as that of the manifests is for theirs. */
export function memoryLimit(budget: number): number {
  return mebibytes(limits.memory) + leastMemory(budget) - leastMemory(BUDGET)
}

export interface Fleet {
  readonly cpu: number
  readonly cpuRequests: number
  readonly memoryRequests: number
  readonly memoryLimits: number
  readonly bytes: number
  readonly requests: number
}

export function fleet(pods: number, load: Load): Fleet {
  return {
    cpu: pods * cpu(load),
    cpuRequests: pods * millicores(requests.cpu),
    memoryRequests: pods * mebibytes(requests.memory),
    memoryLimits: pods * mebibytes(limits.memory),
    bytes: pods * bytesPerSecond(load),
    requests: pods * MEASURED.requests,
  }
}

const number = (value: number): string => new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 }).format(value)

export function size(bytes: number): string {
  const [unit, name] = bytes >= GIB ? [GIB, 'GiB'] : bytes >= MIB ? [MIB, 'MiB'] : [KIB, 'KiB']
  return `${number(bytes / unit)} ${name}`
}

const share = (cores: number): string => `${number(cores * 100)} %`

function span(seconds: number): string {
  if (seconds < 90) return `${number(seconds)} s`
  return seconds < 90 * 60 ? `${number(seconds / 60)} min` : `${number(seconds / HOUR)} h`
}

/** The examples of the page, by name. */
export const EXAMPLES: Readonly<Record<string, Volume>> = {
  'a web server': { linesPerSecond: 100, lineBytes: 190, kept: 5 * 20 * MIB, outage: 4 * HOUR },
  'a quiet worker': { linesPerSecond: 10, lineBytes: 300, kept: 2 * 10 * MIB, outage: 24 * HOUR },
  'a chatty service': { linesPerSecond: 2000, lineBytes: 300, kept: 5 * 100 * MIB, outage: HOUR },
  'a batch that logs without pause': { linesPerSecond: 70_000, lineBytes: 300, kept: GIB, outage: HOUR / 2 },
}

/** What a backend takes, as a multiple of what is written. */
const TIMES = 4

export function examples(): string {
  const rows = Object.entries(EXAMPLES).map(([name, of]) => {
    const { unread, limit } = volume(of)
    return [
      `${name}: ${number(of.linesPerSecond)} lines/s of ${of.lineBytes} bytes`,
      `${size(bytesPerSecond(of))}/s, ${size(bytesPerSecond(of) * DAY)} a day`,
      `${span(of.outage)}: ${size(unread)}`,
      size(of.kept),
      `**${size(limit).replace(' ', '').replace('B', '')}**`,
      share(cpu(of)),
      span(catchUp(of.outage, TIMES)),
    ]
  })
  return table(
    [
      'Pod',
      'Writes',
      'Outage: unread after it',
      'Kept by rotation',
      '`sizeLimit`',
      'CPU of a core',
      `Made up for at ${TIMES} times the rate`,
    ],
    rows,
  )
}

/** The formulas beside what they are taken from. */
export function checks(): string {
  const { lineBytes, at, busy, gzip, down, idle } = MEASURED
  const compared = (linesPerSecond: number, bytes: number, measured: number): string[] => [
    `${number(linesPerSecond)} lines/s of ${bytes} bytes`,
    share(measured),
    share(cpu({ linesPerSecond, lineBytes: bytes })),
  ]
  return [
    table(
      ['Load', 'Measured, of a core', 'By the formula'],
      [
        ['nothing is written', share(idle), share(cpu({ linesPerSecond: 0, lineBytes }))],
        compared(10, lineBytes, at[10]),
        compared(100, lineBytes, at[100]),
        compared(1000, lineBytes, at[1000]),
        ['20 MiB/s, rotating', share(busy), share(at[100] + (20 / 1024) * gzip)],
        ['20 MiB/s, no backend', share(down), '–'],
      ],
    ),
  ].join('\n')
}

export function fleets(): string {
  const load = EXAMPLES['a web server']!
  const rows = [1, 100, 1000, 4000].map(pods => {
    const all = fleet(pods, load)
    return [
      number(pods),
      `${number(all.cpu)} cores; ${number(all.cpuRequests)} requested`,
      `${size(all.memoryRequests)}; limits ${size(all.memoryLimits)}`,
      `${size(all.bytes)}/s, ${size(all.bytes * DAY)} a day`,
      `${number(all.requests)}/s; with \`batch.interval: 1s\` at most ${number(pods)}/s`,
    ]
  })
  return table(['Pods', 'CPU', 'Memory requested', 'Lines, before compression', 'Requests at the backend'], rows)
}

export function memories(): string {
  const rows = [8, 16, 32, 64].map(budget => [`${budget}MiB`, `${memoryLimit(budget * MIB) / MIB}Mi`])
  return table(['`memory.budget`', '`resources.limits.memory`'], rows)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
