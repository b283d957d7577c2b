/**
 * `logshipper check`: one real request per backend, and what its answer means.
 *
 *     one marked line ─► slab ─► delivery ─► the first answer ─► ok, or why not
 *
 * Only an accepted write shows that address, credentials, index and the network between are right; a server's health
 * endpoint does not. So the line is stored like any other: `logshipper check`, of the file
 * `/logshipper/check`, under an id of its own. A standard output is not written to.
 *
 * Guarantees: no file is read, no checkpoint and no dead letter is written; there is one attempt, and an end within a
 * minute; credentials are never shown (see `check/words.ts`).
 */
import { randomBytes } from 'node:crypto'
import type { Answer } from '../backends/backend.ts'
import { type Origin, Slab } from '../chunk.ts'
import type { BackendConfig, Config } from '../config/config.ts'
import { missingIn } from '../delivery/identity/missing.ts'
import type { Reply } from '../delivery/transport/transport.ts'
import { createDestination, type Destination } from '../destination.ts'
import { invariant } from '../errors.ts'
import { sum } from '../ledger.ts'
import type { Logger } from '../log.ts'
import { PodMetadata } from '../metadata.ts'
import { adviceOn, grantOf } from './check/advice.ts'
import { addressOf, locationOf, secretsOf, showable, wordsOf } from './check/words.ts'
import { EXIT } from './exit.ts'
import type { Streams } from './output.ts'

const LINE = Buffer.from('logshipper check')
const FILE = '/logshipper/check'
/** Milliseconds until a backend that neither answers nor confirms is given up. */
const PATIENCE = 60_000

const SILENT: Logger = { error() {}, warn() {}, info() {}, debug() {} }

const ACK_LEVEL = { stored: 'stored it', accepted: 'accepted it', written: 'wrote it' } as const

/** What came of it, as `--json` prints it. */
interface Checked {
  readonly backend: string
  readonly type: string
  /** Where the request went, without credentials and query; `null` for a standard output. */
  readonly url: string | null
  readonly ok: boolean
  /** Until the answer or the confirmation. */
  readonly milliseconds: number | null
  /** Of what did not take the line. */
  readonly reason: string | null
  readonly status: number | null
  readonly advice: string | null
  readonly location: string | null
  /** The backend's own words, where they may be shown. */
  readonly says: string | null
  /** Where the credentials come from that are not in the configuration. */
  readonly identity: string | null
  readonly summary: string
}

export interface CheckRequest {
  /** The only one to ask. */
  readonly backend: string | undefined
  readonly json: boolean
}

/** Writes a line per backend. Resolves to the exit code: 1 if one of them did not take the line. */
export async function check(config: Config, request: CheckRequest, { out, err }: Streams): Promise<number> {
  const { backend: only, json } = request
  const wanted = config.backends.filter(({ name }) => only === undefined || name === only)
  if (wanted.length === 0) {
    const names = config.backends.map(({ name }) => name).join(', ')
    err.write(`logshipper: unknown backend ${only}; configured: ${names}\n`)
    return EXIT.configuration
  }
  const pod = new PodMetadata(config.pod)
  const all = await Promise.all(wanted.map(backend => ask(config, backend, pod)))
  if (json) out.write(`${JSON.stringify(all, null, 2)}\n`)
  else for (const checked of all) out.write(`${inWords(checked)}\n`)
  return all.every(({ ok }) => ok) ? EXIT.ok : EXIT.unexpected
}

function inWords({ backend, url, ok, summary }: Checked): string {
  return `${backend}${url === null ? '' : ` (${url})`}: ${ok ? 'ok' : 'not ok'}: ${summary}`
}

async function ask(config: Config, entry: BackendConfig, pod: PodMetadata): Promise<Checked> {
  const { name, type, endpoint } = entry
  const nothing = {
    milliseconds: null,
    reason: null,
    status: null,
    advice: null,
    location: null,
    says: null,
    identity: null,
  }
  const about = { backend: name, type, url: null, ...nothing }
  if (endpoint === undefined) {
    return { ...about, ok: true, summary: 'standard output: nothing to check' }
  }
  let failed = false
  let last: { readonly path: string; readonly reply: Reply } | undefined
  // What is refused now is no record that anybody would want to send again.
  const plain = { ...entry, delivery: { ...entry.delivery, deadLetter: undefined } }
  const destination: Destination = createDestination(config, plain, {
    metadata: () => pod.metadata,
    log: SILENT,
    onClosed: () => {},
    onRequestFailed: () => {
      failed = true
      destination.delivery.stop()
    },
    onReply: ({ head }, reply) => {
      last = { path: head.path, reply }
    },
  })
  const { budget, delivery, transport, backend } = destination
  budget.onRelease = () => delivery.released()
  const slab = marked(config, entry, destination)
  const timer = setTimeout(() => delivery.stop(), PATIENCE)
  const begun = performance.now()
  await delivery.ship(slab)
  clearTimeout(timer)
  const milliseconds = Math.round(performance.now() - begun)
  await transport.close()
  const { delivered, rejected } = slab.chunks[0]!.outcome
  const url = addressOf(URL.parse(last?.path ?? '', endpoint) ?? endpoint)
  const where = { ...about, url, milliseconds, identity: transport.identity ?? null }
  const by = transport.identity === undefined ? '' : ` (identity: ${transport.identity})`
  if (delivered.lines === 1) {
    return { ...where, ok: true, summary: `${ACK_LEVEL[backend.ackLevel]} within ${milliseconds} ms${by}` }
  }
  if (!failed && sum(rejected).lines === 0) {
    const summary = `neither an answer nor a confirmation within ${PATIENCE / 1000} s`
    return { ...where, ok: false, reason: 'timeout', summary }
  }
  const { reason = 'unknown', detail, advice } = delivery.stats.lastError ?? {}
  const answer = last?.reply.kind === 'answer' ? last.reply.answer : undefined
  const why = explained(entry, endpoint, { reason, detail: advice ? undefined : detail, advice }, answer)
  return { ...where, ok: false, ...why, summary: `${why.summary}${by}` }
}

/**
 * Why the line was not accepted, and what to do about it. `detail`: the words that delivery found about this record;
 * `advice`: those of the backend's judge about what to correct.
 */
function explained(
  { delivery }: BackendConfig,
  endpoint: URL,
  { reason, detail, advice: judged }: { reason: string; detail: string | undefined; advice: string | undefined },
  answer: Answer | undefined,
): Pick<Checked, 'reason' | 'status' | 'advice' | 'location' | 'says' | 'summary'> {
  const status = answer?.status
  const secrets = secretsOf(delivery, endpoint, process.env)
  const says = showable(detail ?? (answer && wordsOf(answer)), secrets)
  const location = answer && locationOf(answer, endpoint)
  const missing = answer && missingIn(answer.body)
  const advice = judged ?? (missing ? grantOf(missing) : adviceOn(reason, status === 401 || status === 403))
  const parts = [
    status === undefined || reason === `http_${status}` ? reason : `${reason}, status ${status}`,
    ...(advice === undefined ? [] : [`: ${advice}`]),
    ...(location === undefined ? [] : [`; Location: ${location}`]),
    ...(says === undefined ? [] : [`; it says: ${says}`]),
  ]
  return {
    reason,
    status: status ?? null,
    advice: advice ?? null,
    location: location ?? null,
    says: says ?? null,
    summary: parts.join(''),
  }
}

/** A slab with the one line in it, as if it had been read from a file of the backend's first source. */
function marked(
  config: Config,
  { sources }: BackendConfig,
  { kernel, budget, slab: { row }, stage }: Destination,
): Slab {
  const source = config.sources.find(({ name }) => name === sources[0])!
  const origin: Origin = {
    source: source.name,
    path: FILE,
    generation: randomBytes(8).toString('hex'),
    labels: source.labels,
  }
  const owner = { settled: () => {} }
  const chunk = { lines: [LINE], owner, origin, fileStart: 0, readAt: Date.now(), cutFrom: 0, partial: false }
  const slab = Slab.holding(kernel.memory.buffer, budget, [chunk], row)
  invariant(slab !== undefined, 'a new arena has room for a line')
  stage.revisit(slab)
  return slab
}
