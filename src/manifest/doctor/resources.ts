/** Rules about the container itself: what it may use, what it is told of its pod, and whom it gets in the way of. */

import { formatSize, parseSize } from '../../size.ts'
import { asTree, list } from '../manifest.ts'
import { quantity, type Rule } from './finding.ts'
import { portOf } from './lifecycle.ts'
import { below, UNKNOWN } from './patient.ts'

const BUDGET = 8 * 1024 ** 2
/** Measured: what the shipper has of its own besides its budget, and with room for a command and Node's own pages. */
const OWN = 32 * 1024 ** 2
const ROOM = 56 * 1024 ** 2

const ADMIN = 9615

/** What the Downward API knows, by the variable that takes it. */
const DOWNWARD: Readonly<Record<string, string>> = {
  LOGSHIPPER_POD_NAMESPACE: 'metadata.namespace',
  LOGSHIPPER_POD_NAME: 'metadata.name',
  LOGSHIPPER_POD_UID: 'metadata.uid',
  LOGSHIPPER_POD_NODE: 'spec.nodeName',
  LOGSHIPPER_POD_SERVICE_ACCOUNT: 'spec.serviceAccountName',
}
const NEEDED = ['LOGSHIPPER_POD_NAMESPACE', 'LOGSHIPPER_POD_NAME', 'LOGSHIPPER_POD_UID']

export const image: Rule = function* ({ shipper: { it, path, name } }) {
  const program = foreignProgram(it)
  if (program !== undefined) {
    const why = 'the image has no shell and no tools; it has an entrypoint, so pass args'
    yield {
      severity: 'error',
      path: [...path, 'command'],
      found: program,
      wanted: 'args, with the paths to follow',
      why,
    }
  }
  const text = String(it['image'] ?? '')
  if (/:latest$|^[^:@]+$|\/[^:@]+$/.test(text)) {
    const why = 'any restart may pull another version'
    yield {
      severity: 'warning',
      path: [...path, 'image'],
      found: text || `no image for ${name}`,
      wanted: 'a version, best by digest',
      why,
    }
  }
}

/** What a container runs in place of the image's entry point, if that is not the shipper either. */
export function foreignProgram(container: Readonly<Record<string, unknown>>): string | undefined {
  const [program] = Array.isArray(container['command']) ? container['command'].map(String) : []
  return program === undefined || /(?:^|\/)(?:node|logshipper)$/.test(program) ? undefined : program
}

export const memory: Rule = function* (patient) {
  const { it, path } = patient.shipper
  const limits = asTree(asTree(it['resources'])?.['limits'])
  const at = [...path, 'resources', 'limits']
  const told = patient.setting(['memory', 'budget'])
  const budget = told === undefined || told === UNKNOWN ? BUDGET : (parseSize(String(told)) ?? BUDGET)
  const limit = quantity(limits?.['memory'])
  const wanted = `memory: ${formatSize(Math.max(128 * 1024 ** 2, budget + ROOM)).replace('B', '')}`
  if (limit === undefined) {
    const why = 'it protects the pod’s other containers, and the shipper needs no more'
    yield { severity: 'hint', path: at, found: 'no limit of memory', wanted, why }
  } else if (limit < budget + OWN) {
    const why = `a budget of ${formatSize(budget)} and ${formatSize(OWN)} of overhead do not fit: the kernel would OOM-kill it`
    yield { severity: 'error', path: [...at, 'memory'], found: String(limits?.['memory']), wanted, why }
  } else if (limit < budget + ROOM) {
    const why = 'a command that is run in the container (kubectl exec … logshipper status) would get the shipper killed'
    yield { severity: 'warning', path: [...at, 'memory'], found: String(limits?.['memory']), wanted, why }
  }
  if (limits?.['cpu'] !== undefined) {
    const why = 'throttling only slows the drain down; the scheduler needs a request'
    yield { severity: 'hint', path: [...at, 'cpu'], found: `a limit of ${limits['cpu']}`, wanted: 'none', why }
  }
}

export const downward: Rule = function* (patient) {
  const { it, path } = patient.shipper
  const env = list(it['env'])
  for (const [index, { name, valueFrom }] of env.entries()) {
    const field = asTree(asTree(valueFrom)?.['fieldRef'])?.['fieldPath']
    const wanted = DOWNWARD[String(name)]
    if (field === undefined || wanted === undefined || field === wanted) continue
    const why = `${name} stands in every record, and would say something else`
    yield { severity: 'error', path: [...path, 'env', index, 'valueFrom'], found: String(field), wanted, why }
  }
  if (patient.plain) return
  const missing = NEEDED.filter(name => !env.some(each => each['name'] === name))
  if (missing.length > 0) {
    const wanted = missing.map(name => `${name} from ${DOWNWARD[name]}`).join(', ')
    const why = 'records would not say which pod they are from'
    yield { severity: 'warning', path: [...path, 'env'], found: `no ${missing.join(', ')}`, wanted, why }
  }
  for (const key of ['labels', 'annotations']) {
    const asked = patient.setting(['pod', key])
    const file = patient.setting(['pod', `${key}File`]) ?? `/etc/podinfo/${key}`
    if (asked === undefined || asked === UNKNOWN || typeof file !== 'string') continue
    if (patient.mounts.some(({ at }) => below(file, at))) continue
    const why = `pod.${key} are read from it, and records would not have them`
    yield {
      severity: 'error',
      path: [...path, 'volumeMounts'],
      found: `${file} on no volume`,
      wanted: 'a downwardAPI volume',
      why,
    }
  }
}

export const ports: Rule = function* (patient) {
  const port = portOf(patient)
  const ours = [port, ADMIN].filter(each => typeof each === 'number')
  if (port === 'off') return
  for (const other of patient.others) {
    for (const [index, theirs] of list(other.it['ports']).entries()) {
      if (!ours.includes(Number(theirs['containerPort']))) continue
      const key = theirs['containerPort'] === ADMIN ? 'LOGSHIPPER_SERVER_ADMIN' : 'LOGSHIPPER_SERVER_PORT'
      const why = 'containers of a pod share its ports: the second one to bind does not start'
      const wanted = `another port here, or ${key} for the shipper`
      yield {
        severity: 'error',
        path: [...other.path, 'ports', index],
        found: `port ${theirs['containerPort']}, which the shipper listens on`,
        wanted,
        why,
      }
    }
  }
  if (patient.pod.spec['hostNetwork'] === true) {
    const why = 'two such pods on a node need the same port'
    yield {
      severity: 'warning',
      path: ['spec', 'hostNetwork'],
      found: 'the node’s network',
      wanted: 'a LOGSHIPPER_SERVER_PORT that is free on every node',
      why,
    }
  }
}

export const privileges: Rule = function* ({ shipper: { it, path }, plain }) {
  const context = asTree(it['securityContext']) ?? {}
  if (context['privileged'] === true) {
    yield {
      severity: 'warning',
      path: [...path, 'securityContext', 'privileged'],
      found: 'true',
      wanted: 'none',
      why: 'the shipper needs no privileges',
    }
  }
  if (plain || context['readOnlyRootFilesystem'] === true) return
  const why = 'it writes to volumes only, and the Pod Security Standard asks for less than it can do'
  yield {
    severity: 'hint',
    path: [...path, 'securityContext'],
    found: 'a root file system that may be written to',
    wanted: 'readOnlyRootFilesystem: true',
    why,
  }
}
