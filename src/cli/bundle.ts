/**
 * `logshipper bundle`: what support asks for, in one archive on standard output: how the running shipper stands, what it
 * is configured with, what it runs on, and what lies in its directories.
 *
 * Guarantees: it holds no secret and nothing of what a log line holds. The configuration is shown as `logshipper config`
 * shows it, the ports say what they say to everybody, and of the files in the directories nothing is read. What cannot
 * be had is named, with the reason, and costs none of the rest: a shipper that does not answer is when a bundle is
 * wanted most.
 */
import { gzipSync } from 'node:zlib'
import type { Config } from '../config/config.ts'
import { formatProblem, type Loaded } from '../config/load.ts'
import { globsOf, plainNames } from '../tail/patterns/glob.ts'
import { ask, DEFAULT_ADMIN } from './ask.ts'
import { listingOf } from './bundle/listing.ts'
import { platformFacts } from './bundle/platform.ts'
import { tar } from './bundle/tar.ts'
import { explained } from './config.ts'
import { EXIT } from './exit.ts'
import type { Sink } from './output.ts'
import { bytes, printable } from './table.ts'
import { about } from './version.ts'

export interface BundleRequest {
  readonly admin: string | undefined
  /** What the configuration file and the environment say now. */
  readonly loaded: Loaded
  /** Standard output is a terminal. */
  readonly terminal: boolean
}

export interface BundleStreams {
  readonly out: { write(bytes: Buffer): void }
  readonly err: Sink
}

/** A file of the bundle; without content: why it is not there. */
interface Part {
  readonly name: string
  readonly what: string
  readonly content?: string
  readonly missing?: string
}

const DIRECTORY = 'logshipper-bundle'
const PORT = 9614

const NOT_IN_IT = `Not in it: records, dead letters, credentials, and the shipper's own log, which only the container runtime has
(kubectl logs POD -c logshipper, also with --previous). In it: names and paths of files, names of pods, nodes and
backends, and addresses. Review it before you pass it on.`

/** Resolves to the exit code: 1 if the shipper did not answer. */
export async function bundle(request: BundleRequest, { out, err }: BundleStreams): Promise<number> {
  if (request.terminal) {
    err.write('logshipper: standard output is a terminal; write to a file: logshipper bundle > bundle.tar.gz\n')
    return EXIT.configuration
  }
  const { loaded } = request
  const config = loaded.kind === 'ok' ? loaded.config : undefined
  const admin = request.admin ?? adminOf(config)
  const status = await answered('status.json', 'the state of the shipper', admin, '/status')
  const parts: Part[] = [
    { name: 'version.json', what: 'version, revision, runtime', content: json(about()) },
    { name: 'platform.json', what: 'kernel, limits, cgroup', content: json(platformFacts()) },
    status,
    await answered('ledger.json', 'the account of every byte', admin, '/ledger'),
    ...(await ofProbes(config)),
    { name: 'configuration.txt', what: 'the configuration without secrets', content: configurationOf(loaded) },
    config === undefined
      ? { name: 'files.txt', what: 'what lies in the directories', missing: 'the configuration is not valid' }
      : { name: 'files.txt', what: 'what lies in the directories', content: listingOf(directoriesOf(config)) },
  ]
  const contents = parts.map(inWords).join('\n')
  const readme = `A support bundle of logshipper, made ${new Date().toISOString()}.\n\n${contents}\n\n${NOT_IN_IT}\n`
  const files = [{ name: 'README.txt', content: readme }, ...parts].flatMap(({ name, content }) =>
    content === undefined ? [] : [{ name: `${DIRECTORY}/${name}`, content }],
  )
  const archive = gzipSync(tar(files, Date.now() / 1000))
  out.write(archive)
  err.write(`${contents}\n${NOT_IN_IT}\n${bytes(archive.length)} were written\n`)
  return status.content === undefined ? EXIT.unexpected : EXIT.ok
}

function inWords({ name, what, content, missing }: Part): string {
  const size = content === undefined ? `MISSING: ${missing}` : bytes(Buffer.byteLength(content))
  return `${name.padEnd(18)} ${what.padEnd(34)} ${size}`
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

async function answered(name: string, what: string, address: string, path: string): Promise<Part> {
  const asked = await ask(address, path)
  return asked.kind === 'ok' ? { name, what, content: asked.body } : { name, what, missing: printable(asked.why) }
}

/** What the port of the probes says. */
async function ofProbes(config: Config | undefined): Promise<Part[]> {
  const port = config === undefined ? PORT : config.server.port
  const parts = [
    { name: 'health.json', what: 'health, with every backend', path: '/health' },
    { name: 'metrics.txt', what: 'metrics', path: '/metrics' },
  ]
  if (!port) {
    const missing = `server.port is ${port === null ? 'off' : 'any free one'}`
    return parts.map(({ name, what }) => ({ name, what, missing }))
  }
  return Promise.all(parts.map(({ name, what, path }) => answered(name, what, `127.0.0.1:${port}`, path)))
}

function adminOf(config: Config | undefined): string {
  const address = config?.server.admin
  if (!address) return DEFAULT_ADMIN
  const { host, port } = address
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** As it is read now; what runs may be an earlier one, which the status says, or have paths of its command line. */
function configurationOf(loaded: Loaded): string {
  if (loaded.kind === 'ok') {
    const warnings = loaded.warnings.map(warning => `warning: ${printable(warning)}\n`).join('')
    return `${warnings}${explained(loaded.explain())}\n`
  }
  return `It is not valid:\n${loaded.problems.map(formatProblem).map(printable).join('\n')}\n`
}

/** Where the patterns of the sources begin, and the state. */
function directoriesOf({ sources, state }: Config): string[] {
  const logs = sources.flatMap(({ paths }) => paths.flatMap(globsOf).map(glob => `/${plainNames(glob).join('/')}`))
  return [...logs, ...(state.dir === null ? [] : [state.dir])]
}
