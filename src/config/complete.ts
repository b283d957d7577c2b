/**
 * The last step from what was written to a `Config`: names are derived, references resolved, and everything checked
 * that spans several keys. Guarantees that what it lets through can be run.
 */
import type * as z from 'zod/mini'
import { BACKENDS, type BackendType, createBackend, entryOf } from '../backends/registry.ts'
import type { AuthOptions, DeliveryOptions, Secret } from '../delivery/options.ts'
import type { Environment } from '../environment.ts'
import { NO_METADATA } from '../metadata.ts'
import type { Partitioning } from '../partition.ts'
import { NO_PLANS, NO_ROUTES, type Plans, planOf, type Routes, routesOf, type SourcePlan } from '../process/plan.ts'
import { asksForLevels, fieldsToSelect } from '../process/select/compile.ts'
import { proxyFor } from '../proxy.ts'
import { placeOf, REGION, regionOf } from '../region.ts'
import type { SourceOptions } from '../tail/options.ts'
import type { BackendConfig, Config, SourceConfig } from './config.ts'
import { checkBudget, usualBudget } from './memory.ts'
import { nearest } from './nearest.ts'
import { describe, type KeyPath, type Problem, type Report } from './problem.ts'
import type { BackendEntry, configSchema } from './schema.ts'

export type Written = z.infer<ReturnType<typeof configSchema>>

export interface Circumstances {
  readonly env: Environment
  readonly locate: (path: KeyPath) => Pick<Problem, 'file' | 'line' | 'key'>
}

export interface Completed {
  readonly config: Config
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
}

export function complete(written: Written, circumstances: Circumstances): Completed {
  const sources = written.sources.map(
    (source, index): SourceConfig => ({ ...source, name: source.name ?? sourceName(index) }) as SourceConfig,
  )
  const problems: Problem[] = []
  const warnings: string[] = []
  const report = (path: KeyPath, problem: Omit<Problem, 'file' | 'line' | 'key'>): void => {
    problems.push({ ...circumstances.locate(path), ...problem })
  }
  const { plans, failed } = plansOf(sources, written.backends as unknown as readonly BackendEntry[], report)
  const backends = written.backends.map((entry, index) =>
    backend(entry as unknown as BackendEntry, sources, circumstances.env, (each, of) =>
      // What a backend says of records goes by what its sources find in them, which is not known of one that failed.
      of.some(source => failed.has(source)) ? NO_ROUTES : routes(each, of, plans, ['backends', index], report),
    ),
  )
  const config: Config = {
    sources,
    plans,
    backends,
    state: written.state,
    volume: written.volume,
    memory: { budget: written.memory.budget ?? usualBudget(sources, plans, backends) },
    drain: written.drain,
    server: written.server,
    // `kubectl logs` shows both streams as one.
    log: { level: written.log.level ?? (backends.every(({ type }) => type === 'stdout') ? 'warn' : 'info') },
    pod: written.pod,
  }
  checkNames('sources', sources, report)
  checkNames('backends', backends, report)
  for (const [index, each] of backends.entries()) {
    checkBackend(config, each, ['backends', index], circumstances.env, report, warnings)
  }
  checkBudget(config, report, warnings)
  return { config, problems, warnings }
}

interface Planned {
  readonly plans: Plans
  /** Sources that cannot be compiled. */
  readonly failed: ReadonlySet<string>
}

/** What is said about the records of each source, compiled; what cannot be is reported. */
function plansOf(sources: readonly SourceConfig[], backends: readonly BackendEntry[], report: Report): Planned {
  const plans = new Map<string, SourcePlan>()
  const failed = new Set<string>()
  for (const [index, source] of sources.entries()) {
    const own = backends.filter(each => each.sources?.includes(source.name) ?? true)
    const parts = own.flatMap(each => partitioningOf(each)?.by ?? [])
    const values = parts.flatMap(part => (part.kind === 'value' ? [part.name] : []))
    const levels = own.some(asksForLevels) || parts.some(({ kind }) => kind === 'level')
    const planned = planOf(source, { named: [...own.flatMap(fieldsToSelect), ...values], levels })
    switch (planned.kind) {
      case 'plan':
        if (planned.plan) plans.set(source.name, planned.plan)
        break
      case 'problems':
        failed.add(source.name)
        for (const { path, ...problem } of planned.problems) report(['sources', index, ...path], problem)
    }
  }
  return { plans: plans.size > 0 ? plans : NO_PLANS, failed }
}

/** What a backend says about the records of its sources, compiled. */
function routes(entry: BackendEntry, sources: readonly string[], plans: Plans, path: KeyPath, report: Report): Routes {
  const routed = routesOf(entry, sources, plans, partitioningOf(entry))
  if (routed.kind === 'routes') return routed.routes
  for (const { path: key, ...problem } of routed.problems) report([...path, ...key], problem)
  return NO_ROUTES
}

/** By what a backend tells records apart. */
function partitioningOf(entry: BackendEntry): Partitioning | undefined {
  const context = { name: entry.name ?? entry.type, metadata: () => NO_METADATA }
  return createBackend(entry.type, ownOf(entry), context).partitioning
}

/** The options of a backend's type. */
function ownOf(entry: BackendEntry): Record<string, unknown> {
  const { shape } = BACKENDS[entry.type as BackendType].schema
  return Object.fromEntries(Object.keys(shape).map(key => [key, entry[key]]))
}

function sourceName(index: number): string {
  return index === 0 ? 'app' : `source-${index + 1}`
}

function backend(
  entry: BackendEntry,
  all: readonly SourceOptions[],
  env: Environment,
  routesTo: (entry: BackendEntry, sources: readonly string[]) => Routes,
): BackendConfig {
  const { name, type, compression, batch, concurrency, retry, timeout, deadLetter, headers, tls, proxy } = entry
  const own = ownOf(entry)
  const written = entry['endpoint'] ?? entryOf(type as BackendType).endpoint?.(own as never, env)
  const endpoint = typeof written === 'string' ? (URL.parse(written) ?? undefined) : undefined
  const auth = awsOf(entry, own, endpoint, env) ?? authOf(entry)
  const sources = entry.sources ?? all.map(source => source.name)
  return {
    name: name ?? type,
    type,
    sources,
    endpoint,
    own,
    delivery: { compression, batch, concurrency, retry, timeout, deadLetter, auth, headers, tls, proxy },
    routes: routesTo(entry, sources),
  }
}

/** The type's own key for its credential is short for what `auth` says. */
function authOf(entry: BackendEntry): AuthOptions | undefined {
  const { credential } = entryOf(entry.type as BackendType)
  const value = credential && (entry[credential.key] as Secret | undefined)
  if (credential === undefined || value === undefined) return identified(entry)
  return { ...entry.auth, apiKey: { header: credential.header, prefix: credential.prefix, value } }
}

/** A backend of a cloud needs no word about the pod's identity there. */
function identified({ type, auth, headers }: BackendEntry): AuthOptions | undefined {
  const { google, azure } = entryOf(type as BackendType)
  if (auth?.google && google !== undefined) return { google: { scopes: google, ...auth.google } }
  if (auth !== undefined || Object.keys(headers ?? {}).some(name => name.toLowerCase() === 'authorization')) return auth
  if (google !== undefined) return { google: { scopes: google } }
  return azure ? { azure: { managedIdentity: false } } : undefined
}

/** An identity of AWS, with the region and the service that requests are signed for. */
function awsOf(
  entry: BackendEntry,
  own: Readonly<Record<string, unknown>>,
  endpoint: URL | undefined,
  env: Environment,
): AuthOptions | undefined {
  const { auth } = entry
  const { aws: service } = entryOf(entry.type as BackendType)
  // A backend of AWS needs no word about it.
  const aws = auth?.aws ?? (auth === undefined && service !== undefined ? { instanceMetadata: false } : undefined)
  if (aws === undefined) return undefined
  const place = placeOf(endpoint?.hostname ?? '')
  const region = aws.region ?? (own['region'] as string | undefined) ?? place.region ?? regionOf(env)
  return { aws: { ...aws, region, service: aws.service ?? service ?? place.service } }
}

function checkAws(
  { name, endpoint, delivery: { auth } }: BackendConfig,
  path: KeyPath,
  report: Report,
  warnings: string[],
): void {
  const { aws } = auth ?? {}
  if (aws === undefined) return
  const allowed = 'a region such as eu-central-1'
  if (aws.region === undefined) {
    const found = 'no region: neither the endpoint nor AWS_REGION names one'
    report([...path, 'auth', 'aws', 'region'], { found, allowed })
  } else if (!REGION.test(aws.region)) {
    report([...path, 'auth', 'aws', 'region'], { found: `${describe(aws.region, [])}, of AWS_REGION`, allowed })
  }
  if (aws.service === undefined) {
    const found = 'no service: the endpoint does not name one'
    report([...path, 'auth', 'aws', 'service'], { found, allowed: 'the name of a service such as es or aoss' })
  }
  const { region } = placeOf(endpoint?.hostname ?? '')
  if (region !== undefined && aws.region !== undefined && region !== aws.region) {
    warnings.push(`backend ${name} signs its requests for ${aws.region}, but its endpoint is in ${region}`)
  }
}

function checkNames(list: string, named: readonly { readonly name: string }[], report: Report): void {
  for (const [index, { name }] of named.entries()) {
    const first = named.findIndex(each => each.name === name)
    if (first === index) continue
    report([list, index, 'name'], {
      found: `${describe(name, [])}, the name of ${list}[${first}] too`,
      allowed: 'a unique name',
      hint: list === 'backends' ? 'the default name of a backend is its type' : undefined,
    })
  }
}

function checkBackend(
  config: Config,
  entry: BackendConfig,
  path: KeyPath,
  env: Environment,
  report: Report,
  warnings: string[],
): void {
  const { name, type, sources, endpoint, delivery, own } = entry
  const known = config.sources.map(source => source.name)
  for (const [index, source] of sources.entries()) {
    if (known.includes(source)) continue
    const meant = nearest(source, known)
    report([...path, 'sources', index], {
      found: `the unknown source ${describe(source, [])}`,
      allowed: known.join(', '),
      hint: meant && `did you mean ${meant}?`,
    })
  }
  if (own['line'] !== undefined && (own['format'] ?? 'text') !== 'text') {
    report([...path, 'line'], { found: `a template beside format: ${own['format']}`, allowed: 'format: text' })
  }
  const { retry, tls, auth, deadLetter } = delivery
  if (deadLetter && config.state.dir === null) {
    report([...path, 'deadLetter'], { found: 'a dead-letter file', allowed: 'none without state.dir, which holds it' })
  }
  if (retry.initial > retry.max) {
    report([...path, 'retry', 'initial'], { found: 'more than retry.max', allowed: 'at most retry.max' })
  }
  if (tls && (tls.cert === undefined) !== (tls.key === undefined)) {
    const missing = tls.cert === undefined ? 'cert' : 'key'
    report([...path, 'tls'], { found: `no ${missing}`, allowed: 'cert and key together, or neither' })
  }
  const { credential } = entryOf(type as BackendType)
  const short = credential && auth?.apiKey?.header === credential.header
  if (short && Object.values(auth).filter(one => one !== undefined).length > 1) {
    report([...path, credential.key], { found: `${credential.key} and auth`, allowed: 'one of them' })
  }
  checkAws(entry, path, report, warnings)
  checkSecrets(delivery, short ? credential.key : undefined, path, env, report)
  if (endpoint === undefined) return
  checkProxy(endpoint, delivery, path, env, report)
  if (tls?.insecureSkipVerify) warnings.push(`backend ${name} accepts any certificate (tls.insecureSkipVerify)`)
  const token = delivery.auth?.oauth2?.tokenUrl
  const proxy = typeof delivery.proxy === 'object' ? delivery.proxy.url : ''
  if (tls && ![endpoint.href, token, proxy].some(each => each?.startsWith('https:'))) {
    warnings.push(`backend ${name} has tls options, but its endpoint is http://`)
  }
  if (isOpen(endpoint) && holdsSecrets(delivery)) {
    warnings.push(`backend ${name} sends its credentials unencrypted: its endpoint is http://`)
  }
  if (token !== undefined && isOpen(new URL(token))) {
    warnings.push(`backend ${name} sends its client secret unencrypted: its auth.oauth2.tokenUrl is http://`)
  }
}

function checkSecrets(
  { auth, headers = {}, proxy }: DeliveryOptions,
  short: string | undefined,
  path: KeyPath,
  env: Environment,
  report: Report,
) {
  const login = typeof proxy === 'object' ? proxy.auth : undefined
  const secrets: [KeyPath, Secret | undefined][] = [
    [['auth', 'basic', 'username'], auth?.basic?.username],
    [['auth', 'basic', 'password'], auth?.basic?.password],
    [['auth', 'bearer'], auth?.bearer],
    [short ? [short] : ['auth', 'apiKey', 'value'], auth?.apiKey?.value],
    [['auth', 'oauth2', 'clientId'], auth?.oauth2?.clientId],
    [['auth', 'oauth2', 'clientSecret'], auth?.oauth2?.clientSecret],
    [['auth', 'aws', 'accessKeyId'], auth?.aws?.accessKeyId],
    [['auth', 'aws', 'secretAccessKey'], auth?.aws?.secretAccessKey],
    [['auth', 'aws', 'sessionToken'], auth?.aws?.sessionToken],
    [['auth', 'azure', 'clientSecret'], auth?.azure?.clientSecret],
    [['proxy', 'auth', 'username'], login?.username],
    [['proxy', 'auth', 'password'], login?.password],
    ...Object.entries(headers).map(([name, value]): [KeyPath, Secret] => [['headers', name], value]),
  ]
  for (const [key, secret] of secrets) {
    if (typeof secret !== 'object' || !('env' in secret) || env[secret.env]) continue
    const found = `${secret.env}, a variable that is ${env[secret.env] === '' ? 'empty' : 'not set'}`
    report([...path, ...key, 'env'], { found, allowed: 'the name of a variable that is set' })
  }
  const taken = auth?.apiKey?.header ?? (auth ? 'authorization' : undefined)
  const twice = Object.keys(headers).find(name => name.toLowerCase() === taken?.toLowerCase())
  if (twice === undefined) return
  report([...path, 'headers', twice], { found: 'a header that auth sets too', allowed: 'one of the two' })
}

function checkProxy(endpoint: URL, { proxy, auth }: DeliveryOptions, path: KeyPath, env: Environment, report: Report) {
  if (proxy !== undefined) return
  for (const target of [endpoint.href, auth?.oauth2?.tokenUrl]) {
    const choice = target === undefined ? undefined : proxyFor(new URL(target), env)
    if (choice?.kind !== 'unusable') continue
    report([...path, 'proxy'], {
      found: `${choice.variable} in the environment, which is not the address of an HTTP proxy`,
      allowed: 'http://proxy:3128 or https://proxy:3128',
      hint: 'proxy: off ignores the environment’s proxy, NO_PROXY names exceptions',
    })
    return
  }
}

/** Whether anybody on the way could read what is sent there. */
function isOpen({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !isLoopback(hostname)
}

/** A header whose value stands elsewhere is a secret, or it would stand in the configuration. */
function holdsSecrets({ auth, headers = {} }: DeliveryOptions): boolean {
  return auth !== undefined || Object.values(headers).some(value => typeof value === 'object')
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\./.test(host)
}
