/**
 * syslog-ng: `file` into `http`. The defaults of Elasticsearch are those of its `elasticsearch-http` driver (syslog-ng-scl),
 * written out; those of `http` are a request for each line. Flow control is on in both setups, for without it what does
 * not fit the queue is lost. It has no gzip before version 4, and no Loki.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { INDEX, type Peer, type Task, versionOf } from './peer.ts'

export function syslogNg(): Peer | string {
  const binary = process.env['SYSLOG_NG_BIN'] ?? '/usr/sbin/syslog-ng'
  if (!existsSync(binary)) return 'syslog-ng: SYSLOG_NG_BIN names no binary, and there is no /usr/sbin/syslog-ng'
  const modules = process.env['SYSLOG_NG_MODULES']
  return {
    name: 'syslog-ng',
    version: versionOf(binary, '--version'),
    binary,
    works: ['ndjson', 'elasticsearch'],
    objects: false,
    single: (setup, work) => setup === 'default' && work === 'ndjson',
    command(task) {
      const at = (file: string) => join(task.folder, file)
      const files = ['-f', at('syslog-ng.conf'), '-R', at('persist'), '-c', at('control'), '-p', at('pid')]
      return {
        options: ['-F', '--no-caps', ...files, ...(modules ? [`--module-path=${modules}`] : [])],
        files: { 'syslog-ng.conf': task.setup === 'tuned' ? tuned(task) : byDefault(task) },
      }
    },
  }
}

function byDefault({ work, path, port }: Task): string {
  const bulk = `headers("Content-Type: application/x-ndjson") workers(4) batch_lines(100) timeout(10) body_suffix("\\n")
    body("$(format-json --scope none --omit-empty-values index._index=${INDEX})\\n$(format-json --scope rfc5424 --exclude DATE --key ISODATE @timestamp=\${ISODATE})")`
  return `@version: 3.38
source s { file("${path}" flags(no-parse)); };
destination d {
  http(url("http://127.0.0.1:${port}${work === 'elasticsearch' ? '/_bulk' : '/ingest'}")
    ${work === 'elasticsearch' ? bulk : 'body("$(format-json message=$MSG)")'});
};
log { source(s); destination(d); flags(flow-control); };
`
}

function tuned({ work, path, port }: Task): string {
  const json = '$(format-json message=$MSG)'
  const bulk = work === 'elasticsearch'
  const body = bulk ? `{\\"create\\":{\\"_index\\":\\"${INDEX}\\"}}\\n${json}` : json
  return `@version: 3.38
source s { file("${path}" flags(no-parse) follow-freq(0.2) log-fetch-limit(10000) log-iw-size(100000)); };
destination d {
  http(url("http://127.0.0.1:${port}${bulk ? '/_bulk' : '/ingest'}") method("POST")
    headers("Content-Type: application/x-ndjson") body("${body}") delimiter("\\n") body-suffix("\\n")
    batch-lines(5000) batch-bytes(1024Kb) batch-timeout(180) workers(1) log-fifo-size(100000) timeout(30));
};
log { source(s); destination(d); flags(flow-control); };
`
}
