/**
 * A real VictoriaLogs: numbered lines with a SIGKILL in between, read back; and lines that it would skip in silence.
 *
 * Wants its address in LOGSHIPPER_REAL_VICTORIALOGS_URL (compose.yaml starts one). Says on one line when it goes without.
 */
import { appendFileSync } from 'node:fs'
import t from 'tap'
import { Stage, sleep, until } from '../program.ts'
import { untested } from '../support/untested.ts'
import { arrived, ordered, travel } from './journey.ts'

const ADDRESS = process.env['LOGSHIPPER_REAL_VICTORIALOGS_URL']
const LINES = 100_000

if (!ADDRESS) untested(t, 'VictoriaLogs', 'LOGSHIPPER_REAL_VICTORIALOGS_URL is not set')
else {
  t.setTimeout(600_000)
  /** All records of a source. They can be read a second after they were taken. */
  const read = async (source: string): Promise<Record<string, string>[]> => {
    const query = new URLSearchParams({ query: `_time:1h source:="${source}" | sort by (_time)`, limit: '1000000' })
    const response = await fetch(`${ADDRESS}/select/logsql/query?${query}`)
    const text = await response.text()
    if (!response.ok) throw new Error(text)
    return text
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as Record<string, string>)
  }
  const name = `real-${process.pid}-${Date.now()}`
  const env = (source: string) => ({
    LOGSHIPPER_BACKEND_TYPE: 'victorialogs',
    LOGSHIPPER_BACKEND_ENDPOINT: ADDRESS,
    LOGSHIPPER_SOURCE_NAME: source,
    LOGSHIPPER_POD_NAME: 'web-1',
  })

  t.test('every line is there, although the shipper was killed in between', { timeout: 300_000 }, async t => {
    const metrics = await (await fetch(`${ADDRESS}/metrics`)).text()
    t.comment(`VictoriaLogs ${/short_version="([^"]*)"/.exec(metrics)?.[1] || 'of no version'}`)
    const journey = await travel(t, LINES, env(name))
    let records: Record<string, string>[] = []
    const unique = (): number => new Set(records.map(({ _msg }) => _msg)).size
    const readable = async (): Promise<boolean> => {
      await sleep(1000)
      records = await read(name)
      return unique() === LINES
    }
    t.ok(await until(readable, 30), 'they can be read')
    arrived(
      t,
      records.map(({ _msg }) => _msg!),
      LINES,
      journey,
    )
    t.match(records[0], { source: name, pod: 'web-1', podUid: 'a-pod', file: /app\.log$/, _stream: /pod="web-1"/ })
    ordered(
      t,
      records.map(({ _msg }) => _msg!),
    )
  })

  t.test('nothing is skipped in silence', async t => {
    const stage = await Stage.set(t, env(`${name}-long`))
    const lines = ['short', 'x'.repeat(300_000), '"'.repeat(200_000), '', '\u0001'.repeat(60_000), '{"_msg":"forged"}']
    appendFileSync(stage.log, `${lines.join('\n')}\n`)
    const { code, ledger } = await (await stage.start()).kill('SIGTERM')
    t.equal(code, 0)
    t.match(ledger, [{ statement: { delivered: { lines: 6 }, rejected: {} } }])
    let records: Record<string, string>[] = []
    t.ok(await until(async () => (records = await read(`${name}-long`)).length >= 6, 20), 'all of them are there')
    t.strictSame(
      records.map(({ truncated, originalBytes }) => [truncated, originalBytes]),
      [
        [undefined, undefined],
        ['true', '300000'],
        ['true', '200000'],
        [undefined, undefined],
        ['true', '60000'],
        [undefined, undefined],
      ],
    )
    t.equal(records[5]!['_msg'], '{"_msg":"forged"}')
  })

  t.test('a wrong path costs no line', async t => {
    const stage = await Stage.set(t, env(`${name}-path`))
    const program = await stage.start({ LOGSHIPPER_BACKEND_ENDPOINT: `${ADDRESS}/nowhere` })
    stage.write(10)
    t.ok(await until(() => program.says('backend misconfigured; retrying'), 20))
    await program.kill('SIGKILL')
    t.equal((await (await stage.start()).kill('SIGTERM')).code, 0)
    t.ok(await until(async () => (await read(`${name}-path`)).length === 10, 20))
  })
}
