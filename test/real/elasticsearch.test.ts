/**
 * Numbered lines, shipped to a real Elasticsearch or OpenSearch with a SIGKILL in between, and read back.
 *
 * Wants the address in LOGSHIPPER_REAL_ELASTICSEARCH_URL, with user and password in it where the server asks for them,
 * and the right to make and delete an index. Says on one line when it goes without.
 */
import t from 'tap'
import { readBack, shipNumbered } from './bulk.ts'

const ADDRESS = process.env['LOGSHIPPER_REAL_ELASTICSEARCH_URL']
const LINES = 100_000

t.test(
  'every line is there once, although the shipper was killed in between',
  { timeout: 300_000, skip: ADDRESS ? false : 'no server: LOGSHIPPER_REAL_ELASTICSEARCH_URL is not set' },
  async t => {
    const url = new URL(ADDRESS!)
    const { username, password } = url
    url.username = ''
    url.password = ''
    const headers: Record<string, string> = { 'content-type': 'application/json' }
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    if (username) headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`
    const index = `logshipper-test-${process.pid}-${Date.now()}`
    const cluster = url.href.replace(/\/$/, '')
    t.teardown(() => fetch(`${cluster}/${index}`, { method: 'DELETE', headers }))
    const { delivered, rejected } = await shipNumbered(t, LINES, {
      LOGSHIPPER_BACKEND_ENDPOINT: url.href,
      LOGSHIPPER_BACKEND_INDEX: index,
      ...(username
        ? {
            LOGSHIPPER_BACKEND_AUTH_BASIC_USERNAME: decodeURIComponent(username),
            LOGSHIPPER_BACKEND_AUTH_BASIC_PASSWORD: decodeURIComponent(password),
          }
        : {}),
    })
    const { all, first } = await readBack(cluster, index, headers)
    t.comment(`${all.length} documents; the last life delivered ${delivered}`)
    t.equal(rejected, 0)
    t.equal(all.length, LINES, 'every line once')
    t.equal(new Set(all).size, LINES)
    t.strictSame(
      first,
      Array.from({ length: 10_000 }, (_, n) => n),
      'in the order they were written',
    )
  },
)
