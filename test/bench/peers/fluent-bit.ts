/** Fluent Bit: `tail` into `http`, `loki` and `es`. It has no redaction, and its offsets are not saved (no `DB`). */
import { PROCESSING, WORKS, type Work } from '../works.ts'
import { INDEX, type Peer, type Setup, versionOf } from './peer.ts'

export function fluentBit(): Peer | string {
  const binary = process.env['FLUENT_BIT_BIN']
  if (!binary) return 'fluent-bit: FLUENT_BIT_BIN names no binary'
  return {
    name: 'fluent-bit',
    version: versionOf(binary, '--version'),
    binary,
    works: [...WORKS, ...PROCESSING.map(({ name }) => name)],
    objects: true,
    single: () => false,
    command({ work, setup, path, port, folder, objects }) {
      const tuned = setup === 'tuned'
      const { input, filters = [] } = STEPS[work] ?? { input: objects ? ['Parser any_object'] : [] }
      const parses = /^(Parser|multiline)/m.test([...input, ...filters].join('\n'))
      const lines = [
        '[SERVICE]',
        ...[
          'Log_Level error',
          ...(parses ? [`Parsers_File ${folder}/parsers.conf`] : []),
          ...(tuned ? ['Flush 0.2'] : []),
        ],
        '[INPUT]',
        ...['Name tail', `Path ${path}`, 'Read_from_Head true', 'Tag bench', ...input],
        ...(tuned ? ['Refresh_Interval 1', 'Buffer_Chunk_Size 512K', 'Buffer_Max_Size 4M', 'Mem_Buf_Limit 64M'] : []),
        ...filters,
        '[OUTPUT]',
        ...output(work, setup),
        ...['Match *', 'Host 127.0.0.1', `Port ${port}`, 'Retry_Limit False'],
        ...(tuned ? ['Workers 1', 'net.keepalive on'] : []),
      ]
      return {
        options: ['-q', '-c', `${folder}/fluent-bit.conf`],
        files: { 'fluent-bit.conf': configOf(lines), ...(parses && { 'parsers.conf': configOf(PARSERS) }) },
      }
    },
  }
}

function output(work: Work, setup: Setup): readonly string[] {
  const tuned = setup === 'tuned'
  switch (work) {
    case 'loki':
      return ['Name loki', 'Labels job=bench', ...(tuned ? ['Line_Format key_value', 'Drop_Single_Key raw'] : [])]
    case 'elasticsearch':
      // The answer to a full chunk is two megabytes, and it is retried where it does not fit its buffer.
      return ['Name es', `Index ${INDEX}`, 'Suppress_Type_Name On', ...(tuned ? ['Buffer_Size False'] : [])]
    case 'ndjson, gzip':
      return ['Name http', 'URI /ingest', 'Format json_lines', 'Compress gzip']
    default:
      return ['Name http', 'URI /ingest', 'Format json_lines']
  }
}

const configOf = (lines: readonly string[]): string =>
  lines.map(line => (line.startsWith('[') ? `${line}\n` : `    ${line}\n`)).join('')

/** The fields that `parse: nginx` finds, time and level of a line of Java, and objects with and without their time. */
const PARSERS = [
  '[PARSER]',
  ...['Name access', 'Format regex', 'Types status:integer bytes:integer'],
  String.raw`Regex ^(?<client>[^ ]+) [^ ]+ (?<user>[^ ]+) \[(?<time>[^\]]+)\] "(?<method>[A-Z]+) (?<path>[^ ?]+)(?:\?(?<query>[^ ]*))? (?<protocol>[^"]+)" (?<status>\d+) (?<bytes>\d+|-) "(?<referer>[^"]*)" "(?<agent>(?:[^"\\]|\\.)*)" (?<rest>.*)$`,
  ...['Time_Key time', 'Time_Format %d/%b/%Y:%H:%M:%S %z', 'Time_Keep On'],
  '[PARSER]',
  ...['Name object', 'Format json', 'Time_Key time', 'Time_Format %Y-%m-%dT%H:%M:%S.%L%z', 'Time_Keep On'],
  '[PARSER]',
  ...['Name any_object', 'Format json'],
  '[PARSER]',
  ...['Name java_head', 'Format regex'],
  'Regex ^(?<time>[^ ]+ [^ ]+) (?<level>[A-Z]+)',
  ...['Time_Key time', 'Time_Format %Y-%m-%d %H:%M:%S,%L'],
]

const STEPS: Partial<Record<Work, { readonly input: readonly string[]; readonly filters?: readonly string[] }>> = {
  'java, 4 steps': {
    input: ['multiline.parser java'],
    filters: [
      '[FILTER]',
      ...['Name parser', 'Match *', 'Key_Name log', 'Parser java_head', 'Preserve_Key On', 'Reserve_Data On'],
    ],
  },
  'nginx, fields': { input: ['Parser access'] },
  'json, fields': { input: ['Parser object'] },
  'java, filter': { input: [], filters: ['[FILTER]', ...['Name grep', 'Match *', 'Exclude log GET /healthz']] },
}
