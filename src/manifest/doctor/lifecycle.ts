/** Rules about when the shipper starts and ends, and who asks it how it is. */

import { formatDuration, parseDuration } from '../../duration.ts'
import { asTree, list } from '../manifest.ts'
import type { Facts, Finding, Rule } from './finding.ts'
import { mountsOf, type Patient, type Placed, UNKNOWN } from './patient.ts'

/** The kubelet's own defaults and least: seconds. */
const DEFAULT_GRACE = 30
const SHORT_GRACE = 5
/** Of the grace period the shipper keeps a second for its last save. */
const RESERVE = 1
const PRESTOP = 'exec: { command: [logshipper, prestop] }'

const PROXIES = /(?:^|[/-])(?:istio-proxy|proxyv2|linkerd-proxy|envoy|consul-dataplane|kuma-dp|kuma-sidecar)\b/

export const sidecar: Rule = function* ({ shipper }) {
  const why = 'only such an init container starts before the application, ends after it, and lets a Job complete'
  if (!shipper.init) {
    const wanted = 'an init container with restartPolicy: Always'
    yield { severity: 'error', path: shipper.path, found: 'an ordinary container', wanted, why }
  } else if (!shipper.sidecar) {
    const found = shipper.it['restartPolicy'] === undefined ? 'nothing' : String(shipper.it['restartPolicy'])
    yield { severity: 'error', path: [...shipper.path, 'restartPolicy'], found, wanted: 'Always', why }
  }
}

export const order: Rule = function* ({ shipper, others, logs }) {
  if (!shipper.init) return
  const volumes = new Set(logs.map(({ volume }) => volume))
  const at = shipper.path[2] as number
  for (const other of others.filter(({ init }) => init)) {
    const writes = mountsOf(other).some(({ volume }) => volumes.has(volume))
    const before = (other.path[2] as number) < at
    const proxy = PROXIES.test(String(other.it['image'])) || PROXIES.test(other.name)
    if (before && writes && other.sidecar) {
      const wanted = `logshipper before ${other.name}`
      const why =
        'sidecars end in the reverse order of their declaration: what it writes at its end would find no reader'
      yield {
        severity: 'warning',
        path: shipper.path,
        found: `it stands behind ${other.name}, which mounts the logs`,
        wanted,
        why,
      }
    } else if (before && writes) {
      const wanted = `logshipper before ${other.name}`
      const why = 'if it fails, no shipper is there to ship what it wrote about it'
      yield {
        severity: 'hint',
        path: shipper.path,
        found: `it stands behind ${other.name}, which mounts the logs`,
        wanted,
        why,
      }
    } else if (!before && proxy && other.sidecar) {
      const wanted = 'this order only if the backend is reached without the proxy'
      const why = 'the proxy starts after the shipper and ends before it'
      yield { severity: 'hint', path: shipper.path, found: `it stands before the proxy ${other.name}`, wanted, why }
    }
  }
}

export const grace: Rule = function* (patient, { drainSeconds }: Facts) {
  const { pod, others, plain } = patient
  const path = ['spec', 'terminationGracePeriodSeconds']
  const said = pod.spec['terminationGracePeriodSeconds']
  const seconds = said === undefined ? DEFAULT_GRACE : Number(said)
  const found = said === undefined ? `nothing, which means ${DEFAULT_GRACE}` : `${seconds}`
  if (!Number.isFinite(seconds) || seconds < SHORT_GRACE) {
    const why = 'the application and then the shipper share it: there is hardly a drain in so short a time'
    yield { severity: seconds === 0 ? 'error' : 'warning', path, found, wanted: '30 or more', why }
  }
  const asleep = others.filter(({ init }) => !init).map(sleepOf)
  const first = Math.max(0, ...asleep)
  const need = first + (drainSeconds ?? 0) + RESERVE
  if (drainSeconds !== undefined && seconds < need) {
    const why = `${first > 0 ? `a preStop of ${first} s, ` : ''}a drain of ${drainSeconds} s and ${RESERVE} s to save have to fit in`
    yield { severity: 'error', path, found, wanted: `at least ${Math.ceil(need)}`, why }
  } else if (first > 0 && first + SHORT_GRACE > seconds) {
    const why = `the application sleeps ${first} s of it in its preStop hook, and leaves nothing for the drain`
    yield { severity: 'warning', path, found, wanted: `at least ${first + 30}`, why }
  }
  const told = plain ? undefined : patient.setting(['drain', 'gracePeriod'])
  if (told === UNKNOWN) return
  const counted = told === undefined ? DEFAULT_GRACE * 1000 : parseDuration(String(told))
  if (counted === undefined || counted === seconds * 1000) return
  yield {
    severity: counted > seconds * 1000 ? 'error' : 'warning',
    path: patient.settingPath(['drain', 'gracePeriod']),
    found: `drain.gracePeriod of ${formatDuration(counted)}${told === undefined ? ' (the default)' : ''}`,
    wanted: `LOGSHIPPER_DRAIN_GRACE_PERIOD: ${seconds}s, as terminationGracePeriodSeconds`,
    why:
      counted > seconds * 1000
        ? 'the shipper would be killed while it believes that there is time left'
        : 'the shipper would give up before its time is over',
  }
}

function sleepOf({ it }: Placed): number {
  const hook = asTree(asTree(it['lifecycle'])?.['preStop'])
  const command = asTree(hook?.['exec'])?.['command']
  const slept = /\bsleep\s+(\d+)/.exec(Array.isArray(command) ? command.join(' ') : '')?.[1]
  return Number(asTree(hook?.['sleep'])?.['seconds'] ?? slept ?? 0)
}

export const probes: Rule = function* (patient) {
  const { shipper, once, plain } = patient
  const ask = (key: string) => ({ path: [...shipper.path, key], probe: asTree(shipper.it[key]) })
  const port = portOf(patient)
  const [startup, liveness, readiness] = [ask('startupProbe'), ask('livenessProbe'), ask('readinessProbe')]
  const stop = {
    path: [...shipper.path, 'lifecycle', 'preStop'],
    probe: asTree(asTree(shipper.it['lifecycle'])?.['preStop']),
  }
  for (const each of [startup, liveness, readiness])
    if (each.probe) yield* reachable(each.path, each.probe, shipper, port)
  if (startup.probe && once) {
    const why =
      'in a pod that is never restarted some kubelets wait for ever if the first start of a sidecar with one fails'
    yield { severity: 'warning', path: startup.path, found: 'a startup probe in a Job', wanted: 'none', why }
  }
  yield* pages(startup, '/startupz', [], 'hint', 'it says that the configuration is valid and the first sweep is done')
  yield* pages(
    liveness,
    '/livez',
    ['/startupz'],
    'error',
    'what depends on a backend, or ends with the drain, restarts the shipper just when it must not be',
  )
  yield* pages(
    readiness,
    '/readyz',
    ['/startupz', '/livez'],
    'error',
    'readiness counts for the whole pod: an outage of the backend would take the application out of its Service',
  )
  yield* hook(stop, patient, port)
  if (port === 'off' || plain) return
  if (!liveness.probe) {
    const why = 'without it a stalled tail loop is not noticed'
    yield { severity: 'hint', path: shipper.path, found: 'no livenessProbe', wanted: 'httpGet /livez', why }
  }
  if (!stop.probe) {
    const why = 'the shipper cannot know what the application left of the grace period, and may be killed in its drain'
    yield { severity: 'warning', path: shipper.path, found: 'no lifecycle.preStop', wanted: PRESTOP, why }
  }
}

/** What marks the beginning of the pod's termination. */
function* hook(
  { path, probe }: { path: Finding['path']; probe: Record<string, unknown> | undefined },
  patient: Patient,
  port: ReturnType<typeof portOf>,
): Generator<Finding> {
  if (probe === undefined) return
  const command = asTree(probe['exec'])?.['command']
  if (Array.isArray(command) && command.includes('prestop')) {
    const admin = patient.setting(['server', 'admin'])
    if (admin !== 'off' && admin !== null && admin !== false && !patient.plain) return
    const why = 'the command asks the admin port, and there is none'
    yield { severity: 'error', path, found: 'logshipper prestop', wanted: 'server.admin, or httpGet /prestop', why }
    return
  }
  yield* reachable(path, probe, patient.shipper, port)
  const asks = { path, probe }
  yield* pages(asks, '/prestop', [], 'error', 'from there on the shipper counts the grace period')
  if (asTree(probe['httpGet'])?.['path'] !== '/prestop') return
  const why = 'requests can come from outside the pod, so they may use up half of the grace period only'
  yield { severity: 'hint', path, found: 'httpGet /prestop', wanted: PRESTOP, why }
}

/** The port of the probes, `off`, or `undefined` if that cannot be known. */
export function portOf(patient: Patient): number | 'off' | undefined {
  const told = patient.setting(['server', 'port'])
  if (told === UNKNOWN) {
    // What it declares is the best that can be known.
    const declared = list(patient.shipper.it['ports']).map(port => Number(port['containerPort']))
    return declared.length === 1 ? declared[0] : undefined
  }
  if (told === undefined || told === null) return told === null || patient.plain ? 'off' : 9614
  return told === 'off' ? 'off' : Number(told)
}

function* reachable(
  path: Finding['path'],
  probe: Record<string, unknown>,
  shipper: Placed,
  port: ReturnType<typeof portOf>,
): Generator<Finding> {
  const get = asTree(probe['httpGet'])
  const exec = asTree(probe['exec'])?.['command']
  if (Array.isArray(exec) && /(?:^|\/)(?:ba|da)?sh$|^(?:curl|wget|cat)$/.test(String(exec[0]))) {
    const why = 'the image has no shell and no tools'
    yield { severity: 'error', path, found: `the command ${exec[0]}`, wanted: 'httpGet', why }
  } else if (exec !== undefined) {
    const why = 'each one starts another Node of 20 MiB within the same limit'
    yield { severity: 'warning', path, found: 'a command', wanted: 'httpGet', why }
  }
  if (!get || port === undefined) return
  const named = list(shipper.it['ports']).find(({ name }) => name === get['port'])
  const asked = Number(named?.['containerPort'] ?? get['port'])
  if (port === 'off') {
    const why = 'told nothing but paths, or server.port: off, the shipper listens nowhere: the kubelet would restart it'
    yield { severity: 'error', path, found: 'a request', wanted: 'LOGSHIPPER_SERVER_PORT: "9614"', why }
  } else if (asked !== port) {
    const found =
      named === undefined && Number.isNaN(asked)
        ? `the port ${get['port']}, which ports does not name`
        : `port ${asked}`
    const why = 'the shipper listens on that port only'
    yield { severity: 'error', path: [...path, 'httpGet', 'port'], found, wanted: `${port}`, why }
  }
}

function* pages(
  { path, probe }: { path: Finding['path']; probe: Record<string, unknown> | undefined },
  wanted: string,
  harmless: readonly string[],
  severity: Finding['severity'],
  why: string,
): Generator<Finding> {
  const get = asTree(probe?.['httpGet'])
  if (!get) return
  const found = String(get['path'] ?? '/')
  if (found === wanted) return
  yield {
    severity: harmless.includes(found) ? 'hint' : severity,
    path: [...path, 'httpGet', 'path'],
    found,
    wanted,
    why,
  }
}
