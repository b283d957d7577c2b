/**
 * `logshipper check`: one real request per backend, and what its answer means.
 *
 *     one marked line ─► slab ─► delivery ─► the first answer ─► ok, or why not
 *
 * Only a write that was taken shows that an address, credentials, an index and everything between us are right; what a
 * server says of its own health does not. So the line is stored as any other: `logshipper check`, of the file
 * `/logshipper/check`, under an id of its own. A standard output is not written to.
 *
 * Guarantees: no file is read, no position and no dead letter is written; there is one attempt, and an end within a
 * minute; credentials are never shown.
 */
import { randomBytes } from 'node:crypto'
import { layoutOf, type Origin, Slab } from '../chunk.ts'
import type { BackendConfig, Config } from '../config/config.ts'
import { createDestination, type Destination } from '../destination.ts'
import { invariant } from '../errors.ts'
import { sum } from '../ledger.ts'
import type { Logger } from '../log.ts'
import { Surroundings } from '../metadata.ts'
import type { Streams } from './output.ts'
import { EXIT } from './run.ts'

const LINE = Buffer.from('logshipper check')
const FILE = '/logshipper/check'
/** Milliseconds until a backend that neither answers nor confirms is given up. */
const PATIENCE = 60_000

const SILENT: Logger = { error() {}, warn() {}, info() {}, debug() {} }

const STRENGTH = { stored: 'stored it', accepted: 'accepted it', written: 'wrote it' } as const

/** What to look at, by what came of the request: the first that fits. */
const ADVICE: readonly (readonly [reason: RegExp, advice: string])[] = [
  [/CREDENTIALS_UNREADABLE/, 'a file or variable that holds credentials cannot be read: is the Secret mounted?'],
  [/ENOTFOUND|EAI_/, 'the name in the endpoint does not resolve here: is it spelt with its namespace?'],
  [/ECONNREFUSED/, 'nothing listens there: is the port right?'],
  [/CONNECT_TIMEOUT|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/, 'no way there: is there a NetworkPolicy or a firewall?'],
  [/ERR_SSL_WRONG_VERSION_NUMBER/, 'what answers does not speak TLS: http:// instead of https://?'],
  [/HTTPS_EXPECTED/, 'it wants TLS: https:// instead of http://?'],
  [/CERT|SIGNATURE/, 'its certificate is not trusted: see tls.ca and tls.serverName'],
  [/HEADERS_TIMEOUT|BODY_TIMEOUT/, 'it was reached and did not answer in time'],
  [/^proxy_/, 'the proxy turned the request away: see proxy'],
  [/^oauth2_/, 'there is no access token: see auth.oauth2'],
  [
    /^http_404$/,
    'there is nothing under that path: is it the address that takes logs, and is the index or tenant there?',
  ],
  [/^http_3\d\d$/, 'it points elsewhere: name that address as the endpoint'],
  [/unexpected_html/, 'a web page, not a log store: is a login or a proxy in between?'],
  [/^http_413$/, 'not even one line is small enough for it: is this the address that takes logs?'],
  [/^http_429$/, 'the address is right; it has too much to do'],
  [/^http_5\d\d$/, 'the address is right; the fault is on its side'],
]

interface Checked {
  readonly ok: boolean
  readonly words: string
}

/** Writes a line per backend. Resolves to the exit code: 1 if one of them did not take the line. */
export async function check(config: Config, only: string | undefined, { out, err }: Streams): Promise<number> {
  const wanted = config.backends.filter(({ name }) => only === undefined || name === only)
  if (wanted.length === 0) {
    const names = config.backends.map(({ name }) => name).join(', ')
    err.write(`logshipper: no backend is called ${only}; there are ${names}\n`)
    return EXIT.configuration
  }
  const surroundings = new Surroundings(config.pod)
  const all = await Promise.all(wanted.map(backend => ask(config, backend, surroundings)))
  for (const [index, { ok, words }] of all.entries()) {
    const { name, endpoint } = wanted[index]!
    const where = endpoint === undefined ? '' : ` (${endpoint.origin})`
    out.write(`${name}${where}: ${ok ? 'ok' : 'not ok'}: ${words}\n`)
  }
  return all.every(({ ok }) => ok) ? EXIT.ok : EXIT.unexpected
}

async function ask(config: Config, entry: BackendConfig, surroundings: Surroundings): Promise<Checked> {
  if (entry.endpoint === undefined) return { ok: true, words: 'our own standard output, there is nothing to ask' }
  let setback: { readonly status: number | undefined } | undefined
  // What is refused now is no record that anybody would want to send again.
  const plain = { ...entry, delivery: { ...entry.delivery, deadLetter: undefined } }
  const destination: Destination = createDestination(config, plain, {
    metadata: () => surroundings.metadata,
    log: SILENT,
    onClosed: () => {},
    onSetback: status => {
      setback = { status }
      destination.delivery.stop()
    },
  })
  const { budget, delivery, transport, backend } = destination
  budget.onRelease = () => delivery.room.open()
  const slab = marked(config, entry, destination)
  const timer = setTimeout(() => delivery.stop(), PATIENCE)
  const begun = performance.now()
  await delivery.ship(slab)
  clearTimeout(timer)
  const ms = Math.round(performance.now() - begun)
  await transport.close()
  const { delivered, rejected } = slab.chunks[0]!.outcome
  if (delivered.lines === 1) return { ok: true, words: `${STRENGTH[backend.strength]} within ${ms} ms` }
  if (setback === undefined && sum(rejected).lines === 0) {
    return { ok: false, words: `neither an answer nor a confirmation within ${PATIENCE / 1000} s` }
  }
  const { reason = 'unknown', detail } = delivery.numbers.lastError ?? {}
  return { ok: false, words: why(reason, detail, setback?.status) }
}

/** A slab with the one line in it, as if it had been read from a file of the backend's first source. */
function marked(config: Config, { sources }: BackendConfig, { kernel, budget }: Destination): Slab {
  const source = config.sources.find(({ name }) => name === sources[0])!
  const origin: Origin = {
    source: source.name,
    path: FILE,
    generation: randomBytes(8).toString('hex'),
    labels: source.labels,
  }
  const slab = Slab.take(kernel.memory.buffer, budget, layoutOf(1, LINE.length + 1))
  invariant(slab !== undefined, 'a new arena has room for a line')
  const owner = { settled: () => {} }
  slab.write([LINE], { owner, origin, fileStart: 0, readAt: Date.now(), cutFrom: 0, partial: false })
  return slab
}

function why(reason: string, detail: string | undefined, status: number | undefined): string {
  const known = ADVICE.find(([pattern]) => pattern.test(reason))?.[1]
  const refused = status === 401 || status === 403 ? 'the credentials are refused: see auth' : undefined
  const advice = known ?? refused
  const answered = status === undefined || reason === `http_${status}` ? '' : `, status ${status}`
  const said = detail === undefined ? '' : `; it says: ${detail}`
  return `${reason}${answered}${advice === undefined ? '' : `: ${advice}`}${said}`
}
