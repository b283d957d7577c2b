/**
 * Numbered lines, shipped by OTLP to real receivers with a SIGKILL in between, and read back.
 *
 * - A Collector: its address in LOGSHIPPER_REAL_OTLP_URL, and in LOGSHIPPER_REAL_OTLP_FILE the file that its `file`
 *   exporter writes as JSON (test/real/collector.yaml is such a configuration).
 * - VictoriaLogs: its address in LOGSHIPPER_REAL_VICTORIALOGS_URL.
 *
 * Each says on one line when it goes without.
 */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { Stage, until } from '../program.ts'

const COLLECTOR = process.env['LOGSHIPPER_REAL_OTLP_URL']
const FILE = process.env['LOGSHIPPER_REAL_OTLP_FILE']
const VICTORIALOGS = process.env['LOGSHIPPER_REAL_VICTORIALOGS_URL']?.replace(/\/$/, '')
const LINES = 100_000
/** Whatever else is in there. */
const RUN = `run-${process.pid}-${Date.now()}`

async function shipNumbered(t: Test, endpoint: string, encoding: 'protobuf' | 'json'): Promise<void> {
  const stage = await Stage.set(t, {
    LOGSHIPPER_BACKEND_TYPE: 'otlp',
    LOGSHIPPER_BACKEND_ENDPOINT: endpoint,
    LOGSHIPPER_BACKEND_ENCODING: encoding,
    LOGSHIPPER_BACKEND_SERVICE: `${RUN}-${encoding}`,
    LOGSHIPPER_DRAIN_GRACE_PERIOD: '120s',
  })
  const first = await stage.start()
  stage.write(LINES / 2)
  const delivered = async (): Promise<number> => {
    const { text } = await first.get('/metrics')
    return Number(/^logshipper_delivered_lines_total\{[^}]*\} (\d+)$/m.exec(text)?.[1] ?? 0)
  }
  t.ok(await until(async () => (await delivered()) > 0, 60), 'something was delivered before the end')
  await first.kill('SIGKILL')
  stage.write(LINES / 2)
  const second = await stage.start()
  const { code, ledger } = await second.kill('SIGTERM')
  t.equal(code, 0, 'everything was drained')
  t.match(ledger, [{ statement: { delivered: { lines: LINES }, rejected: {} } }])
}

function complete(t: Test, messages: readonly string[]): void {
  t.comment(`${messages.length} records, of ${new Set(messages).size} lines`)
  const torn = messages.filter(message => !/^\d{8} a line of the application$/.test(message))
  t.strictSame(torn, [], 'nothing is torn')
  t.equal(new Set(messages).size, LINES, 'nothing is missing')
  t.ok(messages.length < 2 * LINES, 'and only what a death left open comes twice')
}

interface Written {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly { readonly value: { readonly stringValue?: string } }[] }
    readonly scopeLogs: readonly {
      readonly logRecords: readonly { readonly body: { readonly stringValue: string } }[]
    }[]
  }[]
}

/** The bodies of a service's records in what the `file` exporter wrote. */
function exported(service: string): string[] {
  const batches = readFileSync(FILE!, 'utf8').split('\n').filter(Boolean)
  return batches
    .flatMap(text => (JSON.parse(text) as Written).resourceLogs)
    .filter(({ resource }) => resource.attributes.some(({ value }) => value.stringValue === service))
    .flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords.map(({ body }) => body.stringValue)))
}

for (const encoding of ['protobuf', 'json'] as const) {
  const skip = COLLECTOR && FILE ? false : 'no Collector: LOGSHIPPER_REAL_OTLP_URL and _FILE are not set'
  t.test(`a Collector has every line (${encoding})`, { timeout: 300_000, skip }, async t => {
    await shipNumbered(t, COLLECTOR!, encoding)
    const there = () => new Set(exported(`${RUN}-${encoding}`)).size >= LINES
    await until(there, 30)
    complete(t, exported(`${RUN}-${encoding}`))
  })
}

const skip = VICTORIALOGS ? false : 'no VictoriaLogs: LOGSHIPPER_REAL_VICTORIALOGS_URL is not set'
t.test('VictoriaLogs has every line', { timeout: 300_000, skip }, async t => {
  await shipNumbered(t, `${VICTORIALOGS}/insert/opentelemetry`, 'protobuf')
  const found = async (): Promise<string[]> => {
    await fetch(`${VICTORIALOGS}/internal/force_flush`)
    const query = new URLSearchParams({ query: `"service.name":=${RUN}-protobuf | fields _msg` })
    const answer = await fetch(`${VICTORIALOGS}/select/logsql/query`, { method: 'POST', body: query })
    const lines = (await answer.text()).split('\n').filter(Boolean)
    return lines.map(line => (JSON.parse(line) as { _msg: string })._msg)
  }
  await until(async () => new Set(await found()).size >= LINES, 30)
  complete(t, await found())
})
