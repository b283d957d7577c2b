/**
 * Debian's ClickHouse (18.16), end to end over SQL: numbered lines with a SIGKILL in between, and what becomes of lines
 * when something is wrong with the table, the user or the line. Says on one line when it goes without.
 *
 * With the address of a ClickHouse of today in LOGSHIPPER_REAL_CLICKHOUSE_URL (compose.yaml starts one) the lines travel
 * there too, by asynchronous inserts with tokens, into columns with nanoseconds.
 */
import { appendFileSync } from 'node:fs'
import t from 'tap'
import { type Program, Stage, until } from '../program.ts'
import { Clickhouse, MISSING } from '../support/clickhouse.ts'
import { untested } from '../support/untested.ts'
import { arrived, ordered, travel } from './journey.ts'

const LINES = 100_000

if (MISSING !== undefined) untested(t, 'ClickHouse', MISSING)
else {
  t.setTimeout(300_000)
  t.test('ClickHouse', { timeout: 300_000 }, async t => {
    const server = await Clickhouse.start(t)
    const [version] = await server.sql('SELECT version()')
    t.comment(`ClickHouse ${version}`)
    // What a server of this age does not know.
    const old = { LOGSHIPPER_BACKEND_ASYNC_INSERT: 'false', LOGSHIPPER_BACKEND_DEDUPLICATE: 'false' }
    const env = (table: string) => ({
      LOGSHIPPER_BACKEND_TYPE: 'clickhouse',
      LOGSHIPPER_BACKEND_ENDPOINT: server.url,
      LOGSHIPPER_BACKEND_TABLE: table,
      ...old,
    })
    const create = (table: string, columns: string) =>
      server.sql(`CREATE TABLE ${table} (${columns}) ENGINE = MergeTree() ORDER BY tuple()`)
    const messages = (table: string) => server.sql(`SELECT message FROM ${table} FORMAT TSVRaw`)
    const retried = async (program: Program, reason: string): Promise<boolean> => {
      const { text } = await program.get('/metrics')
      return new RegExp(`^logshipper_retries_total\\{[^}]*reason="${reason}"[^}]*\\} [1-9]`, 'm').test(text)
    }

    await t.test('every line is there, although the shipper was killed in between', async t => {
      await create('lines', 'timestamp DateTime, message String, source String, file String, pod String')
      const journey = await travel(t, LINES, {
        ...env('lines'),
        LOGSHIPPER_POD_NAME: 'web-1',
        LOGSHIPPER_BACKEND_AUTH_BASIC_USERNAME: 'shipper',
        LOGSHIPPER_BACKEND_AUTH_BASIC_PASSWORD: 'a secret',
      })
      arrived(t, await messages('lines'), LINES, journey)
      const [row] = await server.sql(
        'SELECT source, pod, uniq(file), max(timestamp) > now() - 600 FROM lines GROUP BY source, pod',
      )
      t.equal(row, 'app\tweb-1\t1\t1', 'and says where and when it comes from')
    })

    for (const [fault, reason, broken, mend] of [
      ['a table that is not there', 'unknown_table', async () => {}, () => create('late', 'message String')],
      [
        'a column of another type',
        'column_type',
        () => create('late', 'message String, timestamp UInt64'),
        () => server.sql('ALTER TABLE late MODIFY COLUMN timestamp String'),
      ],
    ] as const) {
      await t.test(`${fault} costs no line`, async t => {
        await server.sql('DROP TABLE IF EXISTS late')
        await broken()
        const stage = await Stage.set(t, env('late'))
        const program = await stage.start()
        stage.write(10)
        t.ok(await until(() => retried(program, reason), 20), reason)
        t.ok(program.says('backend misconfigured; retrying'))
        await mend()
        t.ok(await until(async () => (await messages('late')).length === 10, 20), 'all are there once it is mended')
        t.equal((await program.kill('SIGTERM')).code, 0)
      })
    }

    for (const [fault, reason, user, password] of [
      ['a user who may only read', '(readonly|access_denied)', 'reader', 'r'],
      ['a wrong password', '(wrong_password|authentication_failed)', 'shipper', 'not it'],
      ['a user whom nobody knows', '(unknown_user|authentication_failed)', 'nobody', 'x'],
    ] as const) {
      await t.test(`${fault} costs no line`, async t => {
        await server.sql('DROP TABLE IF EXISTS late')
        await create('late', 'message String')
        const credentials = {
          LOGSHIPPER_BACKEND_USER: user,
          LOGSHIPPER_BACKEND_AUTH_API_KEY_HEADER: 'X-ClickHouse-Key',
          LOGSHIPPER_BACKEND_AUTH_API_KEY_VALUE: password,
        }
        const stage = await Stage.set(t, env('late'))
        const program = await stage.start(credentials)
        stage.write(10)
        t.ok(await until(() => retried(program, reason), 20), reason)
        await program.kill('SIGKILL')
        const mended = await stage.start()
        t.equal((await mended.kill('SIGTERM')).code, 0)
        t.equal((await messages('late')).length, 10, 'all are there with the right ones')
      })
    }

    await t.test('a line that a column cannot be made of is rejected alone', async t => {
      await create('numbers', 'message String, n UInt32 MATERIALIZED toUInt32(substring(message, 1, 8))')
      const stage = await Stage.set(t, env('numbers'))
      stage.write(10)
      appendFileSync(stage.log, 'not a number\n')
      stage.write(10)
      const program = await stage.start()
      const { code, ledger } = await program.kill('SIGTERM')
      t.equal(code, 0)
      t.match(ledger, [{ statement: { delivered: { lines: 20 }, rejected: { cannot_parse_text: { lines: 1 } } } }])
      t.equal((await messages('numbers')).length, 20)
    })
  })
}

const ADDRESS = process.env['LOGSHIPPER_REAL_CLICKHOUSE_URL']

if (!ADDRESS) untested(t, 'ClickHouse of today', 'LOGSHIPPER_REAL_CLICKHOUSE_URL is not set')
else {
  t.test('every line is there, by asynchronous inserts, in the order of their times', { timeout: 300_000 }, async t => {
    const server = new Clickhouse(ADDRESS)
    const [version] = await server.sql('SELECT version()')
    t.comment(`ClickHouse ${version}`)
    const table = `logshipper_test_${process.pid}_${Date.now()}`
    await server.sql(
      `CREATE TABLE ${table} (timestamp DateTime64(9, 'UTC'), message String, labels Map(String, String)) ENGINE = MergeTree ORDER BY timestamp`,
    )
    t.teardown(() => server.sql(`DROP TABLE ${table}`))
    const journey = await travel(t, LINES, {
      LOGSHIPPER_BACKEND_TYPE: 'clickhouse',
      LOGSHIPPER_BACKEND_ENDPOINT: ADDRESS,
      LOGSHIPPER_BACKEND_TABLE: table,
      LOGSHIPPER_SOURCE_LABELS: 'team=checkout',
    })
    const messages = await server.sql(
      `SELECT message FROM ${table} WHERE labels['team'] = 'checkout' ORDER BY timestamp FORMAT TSVRaw`,
    )
    arrived(t, messages, LINES, journey)
    ordered(t, messages)
  })
}
