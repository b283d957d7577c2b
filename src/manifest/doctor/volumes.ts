/** Rules about the volumes: who writes, who may read, what survives, and what there is room for. */

import { STATE_DIR } from '../../directory.ts'
import { formatSize, parseSize } from '../../size.ts'
import { asTree, list } from '../manifest.ts'
import { type Finding, quantity, type Rule } from './finding.ts'
import { below, type Mount, mountsOf, type Patient, type Placed, UNKNOWN, volumeOf } from './patient.ts'

const CONFIG = '/etc/logshipper'
const HELD = 1024 ** 3
/** The image's own user. */
const SHIPPER = 65532

/** Where the checkpoint is written; `undefined`: nowhere, or that cannot be known. */
function stateOf(patient: Patient): string | undefined {
  const told = patient.setting(['state', 'dir'])
  if (told === UNKNOWN || told === null || told === 'off') return undefined
  return told === undefined ? (patient.plain ? undefined : STATE_DIR) : String(told)
}

export const shared: Rule = function* (patient) {
  const { pod, shipper, others, mounts, followed, logs } = patient
  if (followed?.length === 0) {
    const why = 'without LOGSHIPPER_SOURCE_PATHS, args or a configuration file the shipper ends with 2'
    yield { severity: 'error', path: shipper.path, found: 'nothing to follow', wanted: 'LOGSHIPPER_SOURCE_PATHS', why }
    return
  }
  for (const path of followed ?? []) {
    if (!path.startsWith('/') || mounts.some(({ at }) => below(path, at))) continue
    const where = mounts.map(({ at }) => at).join(', ') || 'none'
    const why = 'the shipper sees only its own file system and what it mounts'
    yield {
      severity: 'error',
      path: [...shipper.path, 'volumeMounts'],
      found: `${path} lies in no volume (${where})`,
      wanted: 'a path below the mountPath of the logs',
      why,
    }
  }
  if (followed === undefined && logs.length === 0) {
    const why = 'a shipper sees what others write on a volume that both mount'
    yield {
      severity: 'error',
      path: [...shipper.path, 'volumeMounts'],
      found: 'no volume that another container mounts',
      wanted: 'the volume of the logs',
      why,
    }
  }
  const names = [...list(pod.spec['volumes']).map(({ name }) => String(name)), ...pod.claims]
  for (const mount of mounts) {
    if (names.includes(mount.volume)) continue
    const why = 'the API server refuses such a pod'
    yield {
      severity: 'error',
      path: mount.path,
      found: `the volume ${mount.volume}, which the pod does not have`,
      wanted: names.join(', ') || 'a volume of that name',
      why,
    }
  }
  for (const log of logs) yield* written(log, others)
}

function* written(log: Mount, others: readonly Placed[]): Generator<Finding> {
  const theirs = others.flatMap(mountsOf).filter(({ volume }) => volume === log.volume)
  if (theirs.length === 0) {
    const why = 'so no container writes the files that are followed'
    yield {
      severity: 'error',
      path: log.path,
      found: `the volume ${log.volume}, which no other container mounts`,
      wanted: 'the volume that the application writes to',
      why,
    }
    return
  }
  if (theirs.every(({ it }) => it['readOnly'] === true)) {
    const why = 'so no container can write the files that are followed'
    yield {
      severity: 'error',
      path: [...theirs[0]!.path, 'readOnly'],
      found: 'a read-only mount',
      wanted: 'one that the application may write to',
      why,
    }
  }
  const part = ({ it }: Mount): string => String(it['subPath'] ?? it['subPathExpr'] ?? '')
  const ours = part(log)
  const meets = theirs.some(
    mount => part(mount) === '' || ours === '' || below(part(mount), ours) || below(ours, part(mount)),
  )
  if (!meets) {
    const why = `no other container mounts that part of ${log.volume}`
    yield {
      severity: 'error',
      path: [...log.path, 'subPath'],
      found: ours,
      wanted: `none, or ${part(theirs[0]!)}`,
      why,
    }
  }
}

export const subPath: Rule = function* ({ pod, mounts }) {
  for (const { it, path, at, volume } of mounts) {
    if (it['subPath'] === undefined && it['subPathExpr'] === undefined) continue
    const of = volumeOf(pod, volume)?.it ?? {}
    const kind = ['configMap', 'secret', 'downwardAPI', 'projected'].find(each => each in of)
    if (kind === undefined && !below(at, CONFIG)) continue
    const why = 'a file that is mounted by subPath never changes, whatever becomes of its ConfigMap or Secret'
    yield {
      severity: 'warning',
      path: [...path, 'subPath'],
      found: `${at} by subPath`,
      wanted: 'a mount of the directory',
      why,
    }
  }
}

export const state: Rule = function* (patient) {
  const { shipper, mounts } = patient
  const dir = stateOf(patient)
  if (dir === undefined) return
  const holder = mounts.filter(({ at }) => below(dir, at)).toSorted((a, b) => b.at.length - a.at.length)[0]
  const path = patient.settingPath(['state', 'dir'])
  if (holder === undefined) {
    const sealed = asTree(shipper.it['securityContext'])?.['readOnlyRootFilesystem'] === true
    const why = sealed
      ? 'the root file system is read-only: no checkpoint can be written, and every restart resends everything'
      : 'the checkpoint is lost with the container, and every restart resends everything'
    yield {
      severity: sealed ? 'error' : 'warning',
      path,
      found: `state.dir ${dir} on no volume`,
      wanted: 'a directory on a volume that no other container mounts, such as an emptyDir',
      why,
    }
  } else if (holder.it['readOnly'] === true) {
    const why = 'the checkpoint is written there'
    yield {
      severity: 'error',
      path: [...holder.path, 'readOnly'],
      found: `a read-only mount, with state.dir ${dir} in it`,
      wanted: 'one that may be written to',
      why,
    }
  } else {
    yield* shareable(dir, holder, path, patient)
  }
}

/** Which other containers may write where the checkpoint is. */
function* shareable(dir: string, holder: Mount, path: Finding['path'], { others }: Patient): Generator<Finding> {
  const writes = ({ volume, it }: Mount) => volume === holder.volume && it['readOnly'] !== true
  const other = others.find(each => mountsOf(each).some(writes))
  if (other !== undefined) {
    const why = 'a container that may write there can rename or replace the checkpoint'
    yield {
      severity: 'warning',
      path,
      found: `state.dir ${dir} on the volume ${holder.volume}, which ${other.name} mounts too`,
      wanted:
        'a directory on an emptyDir that only logshipper mounts, or on a claim of its own where the logs are on one',
      why,
    }
  } else if (holder.at === dir) {
    const why = 'it belongs to root, so the shipper has to make a directory of its own within it'
    yield {
      severity: 'hint',
      path,
      found: `state.dir ${dir}, the root of the volume ${holder.volume}`,
      wanted: `a directory below it, such as ${dir}/state`,
      why,
    }
  }
}

export const users: Rule = function* ({ pod, shipper, others, logs }, { platform }) {
  // OpenShift gives a pod without an fsGroup that of its namespace.
  if (platform === 'openshift') return
  const whole = asTree(pod.spec['securityContext']) ?? {}
  const of = ({ it }: Placed) => ({ ...whole, ...asTree(it['securityContext']) }) as Readonly<Record<string, unknown>>
  const groups = new Set([whole['fsGroup'], ...[whole['supplementalGroups']].flat()])
  const { runAsUser = SHIPPER, runAsGroup = SHIPPER } = of(shipper)
  if (runAsUser === 0 || whole['fsGroup'] !== undefined) return
  for (const log of logs) {
    for (const writer of others) {
      const mount = mountsOf(writer).find(({ volume, it }) => volume === log.volume && it['readOnly'] !== true)
      const theirs = of(writer)
      if (!mount || theirs['runAsUser'] === runAsUser || theirs['runAsGroup'] === runAsGroup || groups.has(runAsGroup))
        continue
      const user = theirs['runAsUser'] === undefined ? 'its image’s user' : `user ${theirs['runAsUser']}`
      const found = `no fsGroup: ${writer.name} writes as ${user}, the shipper reads as ${runAsUser}`
      const why =
        'through a common group one reads what the other writes with mode 0640, and may write the checkpoint on a persistent volume claim'
      const wanted = `fsGroup: ${runAsGroup} in the pod’s securityContext`
      yield { severity: 'warning', path: ['spec', 'securityContext'], found, wanted, why }
      return
    }
  }
}

/** A user that is shared is the one way past what the kernel keeps apart in a pod. */
export const apart: Rule = function* ({ pod, shipper, others }, { platform }) {
  // There all containers that name no user have that of the namespace, and nothing in a manifest can part them.
  if (platform === 'openshift') return
  const whole = asTree(pod.spec['securityContext'])
  const userOf = ({ it }: Placed) => asTree(it['securityContext'])?.['runAsUser'] ?? whole?.['runAsUser']
  const ours = userOf(shipper) ?? SHIPPER
  // Of root the rule about privileges speaks.
  const same = ours === 0 ? [] : others.filter(other => userOf(other) === ours)
  const [first] = same
  if (first === undefined) return
  const names = same.map(({ name }) => name).join(', ')
  const why = 'with the same user it may signal the shipper and change what it saves; only files of mode 0600 need that'
  const own = asTree(first.it['securityContext'])?.['runAsUser'] !== undefined
  const path = [...(own ? first.path : ['spec']), 'securityContext', 'runAsUser']
  yield { severity: 'hint', path, found: `${names} as user ${ours}, as the shipper`, wanted: 'a user of its own', why }
}

export const room: Rule = function* (patient) {
  const { pod, logs } = patient
  for (const log of logs) {
    const volume = volumeOf(pod, log.volume)
    const empty = asTree(volume?.it['emptyDir'])
    if (!volume || !empty) continue
    const path = [...volume.path, 'emptyDir']
    if (empty['medium'] === 'Memory') {
      const why = 'logs then count as memory of the containers, and an outage of the backend ends in an OOM kill'
      yield { severity: 'warning', path: [...path, 'medium'], found: 'Memory', wanted: 'a volume on disk', why }
    }
    const limit = quantity(empty['sizeLimit'])
    if (limit === undefined) {
      const why = 'an outage of the backend would fill the node’s disk, and the kubelet evicts pods then'
      yield {
        severity: patient.plain ? 'hint' : 'warning',
        path,
        found: 'no sizeLimit',
        wanted: 'sizeLimit: 1Gi, or what rotation and an outage need',
        why,
      }
      continue
    }
    const told = patient.setting(['state', 'held', 'maxBytes'])
    const held = told === undefined ? HELD : typeof told === 'symbol' ? undefined : parseSize(String(told))
    if (patient.plain || held === undefined || limit >= held) continue
    const why =
      'files that are rotated away while a backend is down may fill more than that, and beyond it the pod is evicted without a drain'
    const wanted = `at least state.held.maxBytes (${formatSize(held)}) and what the application keeps, or LOGSHIPPER_STATE_HELD_MAX_BYTES below it`
    yield { severity: 'warning', path: [...path, 'sizeLimit'], found: String(empty['sizeLimit']), wanted, why }
  }
}
