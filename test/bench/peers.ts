/**
 * The peers: other shippers, set up as their documentation advises for throughput, and run over the same files into the
 * same sink as we are. Which ones depends on what the machine has: Fluent Bit where FLUENT_BIT_BIN says, rsyslog and
 * syslog-ng (Debian's packages) where SYSLOG_NG_BIN and RSYSLOGD_BIN say or where they are installed.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Subject } from './measure.ts'
import { PROCESSING, WORKS, type Work } from './works.ts'

/** What a server of Elasticsearch's kind says when all was taken. */
export const BULK_ANSWER = '{"took":1,"errors":false,"items":[]}'

export interface Task {
  readonly work: Work
  readonly path: string
  readonly port: number
  /** For configuration and state; empty. */
  readonly folder: string
}

export interface Peer {
  readonly name: string
  readonly version: string
  readonly works: readonly Work[]
  start(task: Task): Subject
}

/** Those that are here; for each that is not, `missing` is called with one line that says why. */
export function peers(missing: (why: string) => void): Peer[] {
  return [fluentBit(), syslogNg(), rsyslog()].flatMap(peer => {
    if (typeof peer !== 'string') return [peer]
    missing(peer)
    return []
  })
}

function fluentBit(): Peer | string {
  const binary = process.env['FLUENT_BIT_BIN']
  if (!binary) return 'fluent-bit: FLUENT_BIT_BIN names no binary'
  return {
    name: 'fluent-bit',
    version: versionOf(binary, '--version'),
    works: [...WORKS, ...PROCESSING.map(({ name }) => name)],
    start({ work, path, port, folder }) {
      const ndjson = ['Name http', 'URI /ingest', 'Format json_lines']
      const outputs: Record<Work, readonly string[]> = {
        ndjson,
        'java, 4 steps': ndjson,
        'nginx, fields': ndjson,
        'json, fields': ndjson,
        'java, filter': ndjson,
        'ndjson, gzip': ['Name http', 'URI /ingest', 'Format json_lines', 'Compress gzip'],
        loki: ['Name loki', 'Labels job=bench', 'Line_Format key_value', 'Drop_Single_Key raw'],
        elasticsearch: ['Name es', 'Index logs', 'Suppress_Type_Name On', 'Buffer_Size 1M'],
      }
      const parsers = join(folder, 'parsers.conf')
      writeFileSync(parsers, configOf(FLUENT_BIT_PARSERS))
      const { input, filters = [] } = FLUENT_BIT_PROCESSING[work] ?? { input: [] }
      const lines = [
        '[SERVICE]',
        ...['Flush 0.2', 'Log_Level error', 'Daemon off', 'HTTP_Server off', `Parsers_File ${parsers}`],
        '[INPUT]',
        ...['Name tail', `Path ${path}`, 'Read_from_Head true', 'Refresh_Interval 1', 'Tag bench'],
        ...['Buffer_Chunk_Size 512K', 'Buffer_Max_Size 4M', 'Mem_Buf_Limit 64M', ...input],
        ...filters,
        '[OUTPUT]',
        ...outputs[work],
        ...['Match *', 'Host 127.0.0.1', `Port ${port}`, 'Workers 1', 'Retry_Limit False', 'net.keepalive on'],
      ]
      const config = join(folder, 'fluent-bit.conf')
      writeFileSync(config, configOf(lines))
      return new Subject(binary, ['-q', '-c', config])
    },
  }
}

const configOf = (lines: readonly string[]): string =>
  lines.map(line => (line.startsWith('[') ? `${line}\n` : `    ${line}\n`)).join('')

/** The fields that `parse: nginx` finds, and time and level of a line of Java. */
const FLUENT_BIT_PARSERS = [
  '[PARSER]',
  ...['Name access', 'Format regex', 'Types status:integer bytes:integer'],
  String.raw`Regex ^(?<client>[^ ]+) [^ ]+ (?<user>[^ ]+) \[(?<time>[^\]]+)\] "(?<method>[A-Z]+) (?<path>[^ ?]+)(?:\?(?<query>[^ ]*))? (?<protocol>[^"]+)" (?<status>\d+) (?<bytes>\d+|-) "(?<referer>[^"]*)" "(?<agent>(?:[^"\\]|\\.)*)" (?<rest>.*)$`,
  ...['Time_Key time', 'Time_Format %d/%b/%Y:%H:%M:%S %z', 'Time_Keep On'],
  '[PARSER]',
  ...['Name object', 'Format json', 'Time_Key time', 'Time_Format %Y-%m-%dT%H:%M:%S.%L%z', 'Time_Keep On'],
  '[PARSER]',
  ...['Name java_head', 'Format regex'],
  'Regex ^(?<time>[^ ]+ [^ ]+) (?<level>[A-Z]+)',
  ...['Time_Key time', 'Time_Format %Y-%m-%d %H:%M:%S,%L'],
]

/** It has no redaction: that step is ours alone. */
const FLUENT_BIT_PROCESSING: Partial<
  Record<Work, { readonly input: readonly string[]; readonly filters?: readonly string[] }>
> = {
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

function syslogNg(): Peer | string {
  const binary = process.env['SYSLOG_NG_BIN'] ?? '/usr/sbin/syslog-ng'
  if (!existsSync(binary)) return 'syslog-ng: SYSLOG_NG_BIN names no binary, and there is no /usr/sbin/syslog-ng'
  return {
    name: 'syslog-ng',
    version: versionOf(binary, '--version'),
    works: ['ndjson', 'elasticsearch'],
    start({ work, path, port, folder }) {
      const json = '$(format-json message=$MSG)'
      const body = work === 'elasticsearch' ? `{\\"create\\":{\\"_index\\":\\"logs\\"}}\\n${json}` : json
      const config = join(folder, 'syslog-ng.conf')
      writeFileSync(
        config,
        `@version: 3.38
source s { file("${path}" flags(no-parse) follow-freq(0.05) log-fetch-limit(10000) log-iw-size(100000)); };
destination d {
  http(url("http://127.0.0.1:${port}/ingest") method("POST") body("${body}") delimiter("\\n") body-suffix("\\n")
    batch-lines(5000) batch-bytes(1024Kb) batch-timeout(50) workers(1) log-fifo-size(100000) timeout(30));
};
log { source(s); destination(d); flags(flow-control); };
`,
      )
      const at = (file: string) => join(folder, file)
      const files = ['-f', config, '-R', at('persist'), '-c', at('control'), '-p', at('pid')]
      const modules = process.env['SYSLOG_NG_MODULES']
      return new Subject(
        binary,
        ['-F', '--no-caps', ...files, ...(modules ? [`--module-path=${modules}`] : [])],
        LIBRARIES(),
      )
    },
  }
}

function rsyslog(): Peer | string {
  const binary = process.env['RSYSLOGD_BIN'] ?? '/usr/sbin/rsyslogd'
  if (!existsSync(binary)) return 'rsyslog: RSYSLOGD_BIN names no binary, and there is no /usr/sbin/rsyslogd'
  return {
    name: 'rsyslog',
    version: versionOf(binary, '-v'),
    works: ['elasticsearch'],
    start({ path, port, folder }) {
      const config = join(folder, 'rsyslog.conf')
      mkdirSync(join(folder, 'work'))
      writeFileSync(
        config,
        `global(workDirectory="${join(folder, 'work')}" maxMessageSize="1m")
module(load="imfile" mode="inotify")
module(load="omelasticsearch")
template(name="doc" type="list" option.jsonf="on") { property(name="msg" outname="message" format="jsonf") }
input(type="imfile" File="${path}" Tag="bench" ruleset="out" freshStartTail="off")
ruleset(name="out" queue.type="LinkedList" queue.size="100000" queue.dequeueBatchSize="5000" queue.workerThreads="1") {
  action(type="omelasticsearch" server="127.0.0.1" serverport="${port}" template="doc" searchIndex="logs" searchType=""
    bulkmode="on" maxbytes="1m" action.resumeRetryCount="-1")
}
`,
      )
      const modules = process.env['RSYSLOG_MODULES']
      const options = ['-n', '-f', config, '-i', join(folder, 'pid'), ...(modules ? ['-M', modules] : [])]
      return new Subject(binary, options, LIBRARIES())
    },
  }
}

/** For binaries that lie with their libraries in a folder of their own. */
const LIBRARIES = (): Record<string, string> => {
  const path = process.env['LD_LIBRARY_PATH']
  return path === undefined ? {} : { LD_LIBRARY_PATH: path }
}

function versionOf(binary: string, option: string): string {
  const said = execFileSync(binary, [option], { encoding: 'utf8' })
  return /\d+\.\d+(?:\.\d+)*/.exec(said)?.[0] ?? 'unknown'
}
