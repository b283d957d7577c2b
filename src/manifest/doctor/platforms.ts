/**
 * Rules about what single platforms refuse, or do not have. They speak where the platform was named, of the whole pod:
 * a pod that is refused for another container ships nothing either.
 *
 * Sources: docs/platforms.md names the page of each fact.
 */

import type { KeyPath } from '../../config/problem.ts'
import { formatSize } from '../../size.ts'
import { asTree, list, type PlannedPod } from '../manifest.ts'
import { type Finding, quantity, type Rule } from './finding.ts'
import { containersOf, mountsOf, type Patient } from './patient.ts'

const GIBIBYTE = 1024 ** 3
/** What Autopilot gives each container that requests none, and most to a pod. */
const AUTOPILOT = { each: GIBIBYTE, daemonSet: 100 * 1024 ** 2, most: 10 * GIBIBYTE }
/** What a pod on Fargate has without a request, and most with one. */
const FARGATE = { pod: 20 * GIBIBYTE, most: 175 * GIBIBYTE }
/** OpenShift hands out ranges of users from here on: what is above may be the namespace's own. */
const FIRST_OF_RANGES = 1_000_000_000

export const platform: Rule = function* (patient, { platform }) {
  switch (platform) {
    case undefined:
      return
    case 'openshift':
      yield* openshift(patient.pod)
      return
    case 'autopilot':
      yield* hosts(patient.pod, platform)
      yield* requests(patient)
      yield* autopilotStorage(patient.pod)
      return
    case 'fargate':
      yield* hosts(patient.pod, platform)
      yield* fargateKind(patient.pod)
      yield* guaranteed(patient)
      yield* fargateStorage(patient.pod)
      return
  }
}

/** The security context constraint restricted-v2: users and groups come from the range of the namespace. */
function* openshift(pod: PlannedPod): Generator<Finding> {
  const contexts: (readonly [KeyPath, unknown])[] = [
    [['spec', 'securityContext'], pod.spec['securityContext']],
    ...containersOf(pod).map(({ it, path }) => [[...path, 'securityContext'], it['securityContext']] as const),
  ]
  for (const [path, context] of contexts) {
    for (const key of ['runAsUser', 'fsGroup'] as const) {
      const given = asTree(context)?.[key]
      if (given === undefined || Number(given) >= FIRST_OF_RANGES) continue
      const wanted = `no ${key}: the range of the namespace decides`
      const why = 'restricted-v2 refuses a pod with one outside of the range'
      yield { severity: 'error', path: [...path, key], found: String(given), wanted, why }
    }
  }
}

const HOST = ['hostNetwork', 'hostPID', 'hostIPC'] as const
const NAMES: Readonly<Record<'autopilot' | 'fargate', string>> = { autopilot: 'Autopilot', fargate: 'Fargate' }

/** What belongs to a node. */
function* hosts(pod: PlannedPod, platform: 'autopilot' | 'fargate'): Generator<Finding> {
  const why = `${NAMES[platform]} does not take such a pod`
  const refused = (path: KeyPath, found: string, wanted: string): Finding => {
    return { severity: 'error', path, found, wanted, why }
  }
  for (const key of HOST) if (pod.spec[key] === true) yield refused(['spec', key], 'true', 'none')
  for (const { it, path } of containersOf(pod)) {
    if (asTree(it['securityContext'])?.['privileged'] === true)
      yield refused([...path, 'securityContext', 'privileged'], 'true', 'none')
    for (const [index, port] of list(it['ports']).entries()) {
      if (port['hostPort'] === undefined) continue
      yield refused([...path, 'ports', index, 'hostPort'], String(port['hostPort']), 'no port of the node')
    }
  }
  for (const [index, volume] of list(pod.spec['volumes']).entries()) {
    const host = asTree(volume['hostPath'])
    if (host === undefined) continue
    const directory = String(host['path'])
    if (platform === 'autopilot' && /^\/var\/log(\/|$)/.test(directory) && readOnly(pod, String(volume['name'])))
      continue
    const wanted = platform === 'autopilot' ? 'an emptyDir; of the node, /var/log alone may be read' : 'an emptyDir'
    yield refused(['spec', 'volumes', index, 'hostPath'], `hostPath ${directory}`, wanted)
  }
}

function readOnly(pod: PlannedPod, volume: string): boolean {
  return containersOf(pod)
    .flatMap(mountsOf)
    .every(mount => mount.volume !== volume || mount.it['readOnly'] === true)
}

function resourcesOf(it: Readonly<Record<string, unknown>>, of: 'requests' | 'limits') {
  return asTree(asTree(it['resources'])?.[of])
}

/** What is not requested is given, and paid for: half a core and two gibibytes. */
function* requests({ shipper: { it, path } }: Patient): Generator<Finding> {
  const asked = { ...resourcesOf(it, 'limits'), ...resourcesOf(it, 'requests') }
  const missing = ['cpu', 'memory'].filter(key => asked[key] === undefined)
  if (missing.length === 0) return
  const why = 'Autopilot requests 500m and 2Gi for a container that says nothing, and bills requests'
  const found = `no request of ${missing.join(' and ')}`
  yield { severity: 'warning', path: [...path, 'resources'], found, wanted: 'cpu: 50m, memory: 128Mi', why }
}

/** A pod on Fargate is a machine of its own, as large as its requests. */
function* guaranteed({ shipper: { it, path } }: Patient): Generator<Finding> {
  const [asked, limit] = [resourcesOf(it, 'requests')?.['memory'], resourcesOf(it, 'limits')?.['memory']]
  if (limit === undefined || asked === undefined || quantity(asked) === quantity(limit)) return
  const why = 'the machine is as large as the requests of its containers: beyond them is no memory to burst into'
  const wanted = `memory: ${limit}, as the limit`
  yield { severity: 'warning', path: [...path, 'resources', 'requests', 'memory'], found: String(asked), wanted, why }
}

function* fargateKind(pod: PlannedPod): Generator<Finding> {
  if (pod.kind === 'DaemonSet') {
    const why = 'Fargate runs no DaemonSets'
    yield { severity: 'error', path: [], found: 'a DaemonSet', wanted: 'the sidecar in the pods themselves', why }
  }
  for (const claim of pod.claims) {
    const why = 'Fargate mounts no EBS volumes, and EFS volumes only that are there already'
    const found = `the claim template ${claim}`
    yield { severity: 'warning', path: ['spec'], found, wanted: 'a claim on an EFS volume, or an emptyDir', why }
  }
}

/** The volumes on disk that the pod brings, with their limits. */
function onDisk(pod: PlannedPod) {
  const volumes = list(pod.spec['volumes']).map(({ emptyDir }) => asTree(emptyDir))
  const limits = volumes.flatMap(empty => (empty && empty['medium'] !== 'Memory' ? [quantity(empty['sizeLimit'])] : []))
  return limits.reduce<number>((sum, limit) => sum + (limit ?? 0), 0)
}

const storageOf = (it: Readonly<Record<string, unknown>>): number | undefined =>
  quantity(resourcesOf(it, 'limits')?.['ephemeral-storage'] ?? resourcesOf(it, 'requests')?.['ephemeral-storage'])

/** Of containers that go on: an init container that ends takes its limit along, as the kubelet counts. */
const lasting = (pod: PlannedPod) => containersOf(pod).filter(({ init, sidecar }) => !init || sidecar)

function* autopilotStorage(pod: PlannedPod): Generator<Finding> {
  const each = pod.kind === 'DaemonSet' ? AUTOPILOT.daemonSet : AUTOPILOT.each
  const all = lasting(pod)
  const limit = all.reduce((sum, { it }) => sum + (storageOf(it) ?? each), 0)
  const path = [...all[0]!.path, 'resources']
  if (limit > AUTOPILOT.most) {
    const found = `${formatSize(limit)} of ephemeral-storage`
    const why = 'Autopilot refuses a pod with more'
    yield { severity: 'error', path, found, wanted: `at most ${formatSize(AUTOPILOT.most)}`, why }
  }
  yield* evicted(pod, path, limit, `${formatSize(each)} for a container that says nothing`)
}

function* fargateStorage(pod: PlannedPod): Generator<Finding> {
  const all = lasting(pod)
  const asked = all.reduce((sum, { it }) => sum + (storageOf(it) ?? 0), 0)
  const path = [...all[0]!.path, 'resources']
  if (asked > FARGATE.most) {
    const found = `${formatSize(asked)} of ephemeral-storage`
    yield { severity: 'error', path, found, wanted: `at most ${formatSize(FARGATE.most)}`, why: 'Fargate has no more' }
  }
  yield* evicted(pod, path, Math.max(asked, FARGATE.pod), `${formatSize(FARGATE.pod)} for a pod that says nothing`)
}

function* evicted(pod: PlannedPod, path: KeyPath, limit: number, given: string): Generator<Finding> {
  const volumes = onDisk(pod)
  if (volumes <= limit) return
  const found = `${formatSize(limit)} of ephemeral-storage (${given}), and volumes of up to ${formatSize(volumes)}`
  const wanted = `requests of ephemeral-storage that hold the sizeLimit of all volumes, or smaller volumes`
  const why = 'what lies on an emptyDir counts, and beyond the limit the pod is evicted without a drain'
  yield { severity: 'warning', path, found, wanted, why }
}
