/** All findings about the pods of a manifest, from top to bottom. */

import { formatKey } from '../../config/problem.ts'
import { asTree, type Manifest, type PlannedPod } from '../manifest.ts'
import type { Facts, Finding, Rule, Severity } from './finding.ts'
import { grace, order, probes, sidecar } from './lifecycle.ts'
import { containersOf, isShipper, patient } from './patient.ts'
import { platform } from './platforms.ts'
import { downward, foreignProgram, image, memory, ports, privileges } from './resources.ts'
import { apart, room, shared, state, subPath, users } from './volumes.ts'

/** What can be said of a container that does not even run the shipper. */
const FIRST: readonly Rule[] = [sidecar, order, image]

const RULES: readonly Rule[] = [
  ...FIRST,
  grace,
  probes,
  shared,
  subPath,
  state,
  users,
  apart,
  room,
  memory,
  downward,
  ports,
  privileges,
  platform,
]

/** A finding with its place in the file. */
export interface Remark {
  readonly file: string
  /** Counted from 1. */
  readonly line: number
  readonly severity: Severity
  /** `Deployment web` */
  readonly pod: string
  readonly key: string
  readonly found: string
  readonly wanted: string
  readonly why: string
}

export function examine(manifest: Manifest, facts: Facts): Remark[] {
  return manifest.pods
    .flatMap(pod => [...findings(manifest, pod, facts)].map(finding => remark(manifest.file, pod, finding)))
    .toSorted((a, b) => a.line - b.line)
}

function remark(file: string, pod: PlannedPod, { path, ...finding }: Finding): Remark {
  const name = `${pod.kind} ${pod.name}`
  return { file, line: pod.lineOf(path), pod: name, key: formatKey(pod.pathOf(path)), ...finding }
}

function* findings(manifest: Manifest, pod: PlannedPod, facts: Facts): Generator<Finding> {
  const shippers = containersOf(pod).filter(isShipper)
  const [first, ...more] = shippers
  if (first === undefined) {
    if (pod.annotations['logshipper.io/inject'] !== undefined) return
    const why = 'files that this pod writes are not shipped'
    yield { severity: 'hint', path: ['spec'], found: 'no shipper', wanted: 'logshipper inject adds one', why }
    return
  }
  if (isWindows(pod)) {
    const why = 'the image is for Linux'
    yield { severity: 'error', path: first.path, found: 'a shipper in a pod for Windows', wanted: 'none', why }
  }
  for (const { path } of more) {
    const why =
      'they use the same ports and the same checkpoint, and send every line twice: one shipper can have any number of backends'
    yield { severity: 'error', path, found: `a second shipper, besides ${first.name}`, wanted: 'one', why }
  }
  for (const shipper of shippers) {
    const whole = patient(manifest, pod, shipper)
    // Of two shippers each would be told that the other has its ports.
    const one = { ...whole, others: whole.others.filter(other => !isShipper(other)) }
    for (const rule of foreignProgram(shipper.it) === undefined ? RULES : FIRST) yield* rule(one, facts)
  }
}

export function isWindows({ spec }: PlannedPod): boolean {
  const selected = asTree(spec['nodeSelector'])?.['kubernetes.io/os']
  return asTree(spec['os'])?.['name'] === 'windows' || selected === 'windows'
}
