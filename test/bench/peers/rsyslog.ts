/**
 * rsyslog: `imfile` into `omelasticsearch`, which by default sends a request for each line. Debian builds no `omhttp`, so
 * it has no part in NDJSON over HTTP, nor in Loki.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { INDEX, type Peer, type Task, versionOf } from './peer.ts'

export function rsyslog(): Peer | string {
  const binary = process.env['RSYSLOGD_BIN'] ?? '/usr/sbin/rsyslogd'
  if (!existsSync(binary)) return 'rsyslog: RSYSLOGD_BIN names no binary, and there is no /usr/sbin/rsyslogd'
  const modules = process.env['RSYSLOG_MODULES']
  return {
    name: 'rsyslog',
    version: versionOf(binary, '-v'),
    binary,
    works: ['elasticsearch'],
    objects: false,
    single: setup => setup === 'default',
    command(task) {
      const at = (file: string) => join(task.folder, file)
      return {
        options: ['-n', '-f', at('rsyslog.conf'), '-i', at('pid'), ...(modules ? ['-M', modules] : [])],
        files: { 'rsyslog.conf': task.setup === 'tuned' ? tuned(task) : byDefault(task) },
      }
    },
  }
}

function byDefault({ path, port, folder }: Task): string {
  return `global(workDirectory="${folder}")
module(load="imfile")
module(load="omelasticsearch")
input(type="imfile" File="${path}" Tag="bench" ruleset="out")
ruleset(name="out") {
  action(type="omelasticsearch" server="127.0.0.1" serverport="${port}" searchIndex="${INDEX}" searchType=""
    action.resumeRetryCount="-1")
}
`
}

/** Requests wait for company as long as ours do. */
function tuned({ path, port, folder }: Task): string {
  return `global(workDirectory="${folder}" maxMessageSize="1m")
module(load="imfile" mode="inotify")
module(load="omelasticsearch")
template(name="doc" type="list" option.jsonf="on") { property(name="msg" outname="message" format="jsonf") }
input(type="imfile" File="${path}" Tag="bench" ruleset="out" freshStartTail="off")
ruleset(name="out" queue.type="LinkedList" queue.size="100000" queue.dequeueBatchSize="5000" queue.workerThreads="1"
  queue.minDequeueBatchSize="5000" queue.minDequeueBatchSize.timeout="180") {
  action(type="omelasticsearch" server="127.0.0.1" serverport="${port}" template="doc" searchIndex="${INDEX}" searchType=""
    bulkmode="on" maxbytes="1m" action.resumeRetryCount="-1")
}
`
}
