/** Effectively once: a cluster that takes each id once, a network that forgets, items that fail, and a SIGKILL. */
import t from 'tap'
import { Stage, until } from '../program.ts'
import { readBack, shipNumbered } from '../real/bulk.ts'
import { Cluster } from '../support/cluster.ts'

const HEADERS = { 'content-type': 'application/json' }
const RETRY = { LOGSHIPPER_BACKEND_RETRY_INITIAL: '20ms', LOGSHIPPER_BACKEND_RETRY_MAX: '100ms' }

t.test('every line is there once, although requests, answers and the shipper itself were lost', async t => {
  const cluster = await Cluster.start(t)
  cluster.fault = request => {
    if (request % 7 === 2) return 'forget'
    if (request % 7 === 4) return { refuse: 503, body: '{"error":{"type":"cluster_block_exception"},"status":503}' }
    return 'none'
  }
  // A queue that is full for every third line, now and then.
  cluster.item = ({ message }, request) =>
    request % 5 === 3 && Number(message.slice(0, 8)) % 3 === 0
      ? { status: 429, type: 'es_rejected_execution_exception' }
      : undefined
  const LINES = 20_000
  const { rejected } = await shipNumbered(t, LINES, {
    LOGSHIPPER_BACKEND_ENDPOINT: cluster.url,
    LOGSHIPPER_BACKEND_INDEX: 'logs',
    ...RETRY,
  })
  t.equal(rejected, 0)
  const { all } = await readBack(cluster.url, 'logs', HEADERS)
  t.equal(all.length, LINES, 'none is there twice')
  t.equal(new Set(all).size, LINES, 'none is missing')
  t.ok(cluster.conflicts > 0, 'some were sent twice')
})

t.test('a read-only index holds everything back, is logged as an error, and costs no line', async t => {
  const cluster = await Cluster.start(t)
  cluster.item = () => ({ status: 403, type: 'cluster_block_exception' })
  const stage = await Stage.set(t, {
    LOGSHIPPER_BACKEND_TYPE: 'elasticsearch',
    LOGSHIPPER_BACKEND_ENDPOINT: cluster.url,
    ...RETRY,
  })
  const program = await stage.start()
  stage.write(1000)
  t.ok(await until(() => program.says('backend misconfigured; retrying')))
  t.ok(await until(() => cluster.requests > 3))
  t.equal(cluster.documents.size, 0)
  cluster.item = () => undefined
  t.ok(await until(() => cluster.documents.size === 1000))
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.match(ledger, [{ statement: { delivered: { lines: 1000 }, rejected: {} } }])
  const loud = program.said.filter(({ msg }) => msg === 'backend misconfigured; retrying')
  t.equal(loud.length, 1, 'once')
  t.match(loud[0], { reason: 'cluster_block_exception', detail: /as the test wants it/ })
})

t.test(
  'documents that cannot be indexed are rejected with the cluster’s reason, and their neighbours are there',
  async t => {
    const cluster = await Cluster.start(t)
    cluster.item = ({ message }) =>
      Number(message.slice(0, 8)) % 100 === 7 ? { status: 400, type: 'document_parsing_exception' } : undefined
    const stage = await Stage.set(t, {
      LOGSHIPPER_BACKEND_TYPE: 'elasticsearch',
      LOGSHIPPER_BACKEND_ENDPOINT: cluster.url,
      ...RETRY,
    })
    const program = await stage.start()
    stage.write(1000)
    t.ok(await until(() => cluster.documents.size === 990))
    const { code, ledger } = await program.kill('SIGTERM')
    t.equal(code, 0)
    t.match(ledger, [
      { statement: { delivered: { lines: 990 }, rejected: { document_parsing_exception: { lines: 10 } } } },
    ])
  },
)
