/**
 * A real Loki: numbered lines with a SIGKILL in between, read back; what is sent twice is there once; lines it refuses.
 *
 * Wants its address in LOGSHIPPER_REAL_LOKI_URL (compose.yaml starts one), and its tenant in LOGSHIPPER_REAL_LOKI_TENANT
 * if it has more than one. Says on one line when it goes without.
 */
import { appendFileSync } from 'node:fs'
import t from 'tap'
import { createLoki, lokiSchema } from '../../src/backends/loki.ts'
import { Encoder } from '../../src/delivery/encoding/encoder.ts'
import { NO_METADATA } from '../../src/metadata.ts'
import { Arena } from '../delivery/rig.ts'
import { Stage } from '../program.ts'
import { untested } from '../support/untested.ts'
import { arrived, ordered, travel } from './journey.ts'

const ADDRESS = process.env['LOGSHIPPER_REAL_LOKI_URL']
const TENANT = process.env['LOGSHIPPER_REAL_LOKI_TENANT']
const LINES = 100_000
const PAGE = 5000

if (!ADDRESS) untested(t, 'Loki', 'LOGSHIPPER_REAL_LOKI_URL is not set')
else {
  t.setTimeout(600_000)
  const headers: Record<string, string> = TENANT ? { 'x-scope-orgid': TENANT } : {}
  const ask = async (path: string, query: Record<string, string>): Promise<unknown> => {
    const response = await fetch(`${ADDRESS}/loki/api/v1/${path}?${new URLSearchParams(query)}`, { headers })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return ((await response.json()) as { data: unknown }).data
  }

  /** All lines of a stream, in the order of their times, with labels and structured metadata. */
  const read = async (selector: string): Promise<{ line: string; labels: Record<string, string> }[]> => {
    const all: { line: string; labels: Record<string, string> }[] = []
    const end = `${BigInt(Date.now() + 60_000) * 1_000_000n}`
    let start = BigInt(Date.now() - 3_600_000) * 1_000_000n
    for (;;) {
      const { result } = (await ask('query_range', {
        query: selector,
        direction: 'forward',
        limit: `${PAGE}`,
        start: `${start}`,
        end,
      })) as { result: { stream: Record<string, string>; values: [string, string][] }[] }
      const page = result.flatMap(({ stream, values }) =>
        values.map(([time, line]) => ({ time: BigInt(time), line, labels: stream })),
      )
      page.sort((a, b) => (a.time < b.time ? -1 : 1))
      all.push(...page)
      if (page.length < PAGE) return all
      start = page.at(-1)!.time + 1n
    }
  }

  const name = `real-${process.pid}-${Date.now()}`
  const env = (source: string) => ({
    LOGSHIPPER_BACKEND_TYPE: 'loki',
    LOGSHIPPER_BACKEND_ENDPOINT: ADDRESS,
    LOGSHIPPER_SOURCE_NAME: source,
    LOGSHIPPER_POD_NAME: 'web-1',
    ...(TENANT ? { LOGSHIPPER_BACKEND_TENANT: TENANT } : {}),
  })

  t.test('every line is there, although the shipper was killed in between', { timeout: 300_000 }, async t => {
    const build = await fetch(`${ADDRESS}/loki/api/v1/status/buildinfo`, { headers })
    t.comment(`Loki ${((await build.json()) as { version: string }).version || 'of no version'}`)
    const journey = await travel(t, LINES, env(name))
    const records = await read(`{source="${name}"}`)
    arrived(
      t,
      records.map(({ line }) => line),
      LINES,
      journey,
    )
    t.match(records[0]!.labels, { source: name, pod: 'web-1', file: /app\.log$/, podUid: 'a-pod' })
    ordered(
      t,
      records.map(({ line }) => line),
    )
  })

  t.test('a request that is sent twice is stored once, and a line that is written twice twice', async t => {
    const arena = new Arena()
    const backend = createLoki(lokiSchema.parse({ endpoint: ADDRESS, ...(TENANT ? { tenant: TENANT } : {}) }), {
      name: 'main',
      metadata: () => NO_METADATA,
    })
    const { kernel, budget } = arena
    const encoder = new Encoder({ kernel, budget, backend, maxBytes: 1 << 20, maxRecords: 1000 })
    const origin = { source: `${name}-twice`, path: '/a.log', generation: 'a1b2c3d4e5f60718', labels: {} }
    const slab = arena.slab({ lines: ['same', 'same', 'other', 'same'], origin })
    slab.chunks[0]!.recordTimeNanos = BigInt(Date.now()) * 1_000_000n
    const payload = encoder.encode(slab, [{ from: 0, to: 4 }], 1 << 20)
    if (payload.kind !== 'payload') throw new Error(payload.kind)
    const { method, path, headers: own } = backend.request({ id: payload.id, records: 4 })
    for (let time = 0; time < 3; time++) {
      const response = await fetch(new URL(path, ADDRESS), {
        method,
        headers: { ...own, 'content-type': 'application/json' },
        body: Buffer.from(payload.view),
      })
      t.equal(response.status, 204)
    }
    const records = await read(`{source="${name}-twice"}`)
    t.strictSame(
      records.map(({ line }) => line),
      ['same', 'same', 'other', 'same'],
    )
  })

  t.test('a line that is too long for it is cut before it leaves, or rejected alone where it takes less', async t => {
    const long = `${'x'.repeat(300_000)}\n`
    const stage = await Stage.set(t, env(`${name}-long`))
    stage.write(10)
    appendFileSync(stage.log, long)
    stage.write(10)
    const program = await stage.start()
    const { code, ledger } = await program.kill('SIGTERM')
    t.equal(code, 0)
    t.match(ledger, [{ statement: { delivered: { lines: 21 }, rejected: {} } }])
    const [cut] = await read(`{source="${name}-long"} | truncated="true"`)
    t.ok(cut!.line.length > 260_000 && cut!.line.length <= 262_144, `${cut!.line.length} bytes are left`)
    t.equal(cut!.labels['originalBytes'], '300000')

    const more = await Stage.set(t, { ...env(`${name}-longer`), LOGSHIPPER_BACKEND_MAX_LINE_BYTES: '1MiB' })
    more.write(10)
    appendFileSync(more.log, long)
    more.write(10)
    const told = await (await more.start()).kill('SIGTERM')
    t.match(told.ledger, [{ statement: { delivered: { lines: 20 }, rejected: { line_too_long: { lines: 1 } } } }])
    t.equal((await read(`{source="${name}-longer"}`)).length, 20, 'its neighbours are there once')
  })
}
