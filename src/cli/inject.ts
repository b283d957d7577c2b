/**
 * `logshipper inject`: prints a manifest with the sidecar in every pod of it, and everything else as it was.
 *
 * A pod that has a shipper, is for Windows, or says `logshipper.io/inject: "false"` is left alone, so that what was
 * injected once stays as it is. What the doctor finds in the result is said on standard error.
 *
 * Exit codes: 0 printed; 1 printed, with something the doctor calls an error; 2 nothing is printed, and why is said.
 */

import { formatKey, formatProblem, type KeyPath, type Problem } from '../config/problem.ts'
import { examine, isWindows } from '../manifest/doctor/examine.ts'
import { below, containersOf, isShipper, mountsOf, volumeOf } from '../manifest/doctor/patient.ts'
import { type Addition, insert } from '../manifest/insertion.ts'
import { asTree, list, type Manifest, type PlannedPod, readManifest } from '../manifest/manifest.ts'
import {
  CONFIG_VOLUME,
  container,
  GROUP,
  LOGS,
  PATHS,
  PODINFO_VOLUME,
  STATE_VOLUME,
  VOLUMES,
} from '../manifest/sidecar.ts'
import type { Platform } from '../platform.ts'
import { VERSION } from '../version.ts'
import { inWords } from './doctor.ts'
import { EXIT } from './exit.ts'
import type { Streams } from './output.ts'
import { printable } from './table.ts'
import { readNamed } from './text.ts'

export interface InjectRequest {
  /** A path, or `-` for standard input. */
  readonly file: string
  readonly image: string | undefined
  readonly volume: string | undefined
  /** Globs, comma-separated; empty: the configuration file says what is followed. */
  readonly paths: string | undefined
  readonly platform?: Platform | undefined
}

export type Injected =
  | { readonly kind: 'injected'; readonly text: string; readonly notes: readonly string[] }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

/** Resolves to the exit code. */
export async function inject(request: InjectRequest, { out, err }: Streams): Promise<number> {
  const file = request.file === '-' ? 'standard input' : request.file
  const named = await readNamed(request.file)
  const injected: Injected =
    named.kind === 'text'
      ? await injectInto(file, named.text, request)
      : { kind: 'refused', problems: [{ file, key: '', found: named.found, allowed: named.allowed }] }
  if (injected.kind === 'refused') {
    for (const problem of injected.problems) err.write(`${formatProblem(problem)}\n`)
    return EXIT.configuration
  }
  out.write(injected.text)
  for (const note of injected.notes) err.write(`${printable(note)}\n`)
  const read = await readManifest('the result', injected.text)
  const remarks =
    read.kind === 'read' ? examine(read.manifest, { drainSeconds: undefined, platform: request.platform }) : []
  const serious = remarks.filter(({ severity }) => severity !== 'hint')
  for (const remark of serious) err.write(`${inWords(remark)}\n`)
  return serious.some(({ severity }) => severity === 'error') ? EXIT.unexpected : EXIT.ok
}

/** `notes` say which pods were passed over. */
export async function injectInto(
  file: string,
  text: string,
  request: Omit<InjectRequest, 'file'> = { image: undefined, volume: undefined, paths: undefined },
): Promise<Injected> {
  const read = await readManifest(file, text)
  if (read.kind === 'unusable') return { kind: 'refused', problems: read.problems }
  const { manifest } = read
  const notes: string[] = []
  const problems: Problem[] = []
  const additions = new Map<PlannedPod, readonly Addition[]>()
  for (const pod of manifest.pods) {
    const reason = leftAlone(pod)
    if (reason !== undefined) {
      notes.push(`${file}:${pod.lineOf(['spec'])}: ${pod.kind} ${pod.name} ${reason}: it is left as it is`)
      continue
    }
    const wanted = { ...request, volume: request.volume ?? annotated(pod, 'volume') ?? 'logs' }
    const paths = request.paths ?? annotated(pod, 'paths') ?? PATHS
    const found = [...obstacles(manifest, pod, wanted.volume, paths)]
    problems.push(...found)
    if (found.length === 0) additions.set(pod, additionsTo(pod, { ...wanted, paths }))
  }
  if (problems.length > 0) return { kind: 'refused', problems }
  const inserted = await insert(manifest, additions)
  return inserted.kind === 'refused' ? inserted : { kind: 'injected', text: inserted.text, notes }
}

function leftAlone(pod: PlannedPod): string | undefined {
  if (annotated(pod, 'inject') === 'false') return 'says logshipper.io/inject: "false"'
  if (containersOf(pod).some(isShipper)) return 'has a shipper'
  if (isWindows(pod)) return 'is for Windows, and the image for Linux'
  return undefined
}

function annotated({ annotations }: PlannedPod, name: string): string | undefined {
  const value = annotations[`logshipper.io/${name}`]
  return typeof value === 'string' ? value : undefined
}

/** Why the sidecar cannot be put in. */
function* obstacles({ file }: Manifest, pod: PlannedPod, volume: string, paths: string): Generator<Problem> {
  const problem = (path: KeyPath, found: string, allowed: string, hint?: string): Problem => {
    return { file, line: pod.lineOf(path), key: formatKey(pod.pathOf(path)), found, allowed, hint }
  }
  const given = list(pod.spec['volumes']).map(({ name }) => String(name))
  const mounted = new Set(
    containersOf(pod)
      .flatMap(mountsOf)
      .map(each => each.volume),
  )
  const names = [...given, ...pod.claims]
  const possible = names.filter(name => mounted.has(name) && !isGiven(pod, name))
  const path = ['spec', 'volumes']
  if (possible.length === 0) {
    const found = names.length === 0 ? 'a pod without volumes' : 'no volume that the application could write logs to'
    const hint =
      'the shipper reads files: add the volume { name: logs, emptyDir: { sizeLimit: 1Gi } } and mount it there'
    yield problem(path, found, 'a volume that is mounted where the application writes its files', hint)
  } else if (!possible.includes(volume)) {
    const found = `no volume ${volume} that a container mounts`
    const hint = `--volume ${possible[0]}, or the annotation logshipper.io/volume: ${possible[0]}`
    yield problem(path, found, possible.join(', '), hint)
  }
  // A claim for the state takes the place of the volume that the sidecar brings.
  const brought = [CONFIG_VOLUME, PODINFO_VOLUME].filter(each => names.includes(each))
  for (const name of [...brought, ...given.filter(each => each === STATE_VOLUME)]) {
    yield problem(path, `a volume that is called ${name}`, 'another name: the sidecar brings one of that name')
  }
  const outside = paths.split(/,(?![^{]*\})/).filter(each => each.trim() !== '' && !below(each.trim(), LOGS))
  if (outside.length > 0) {
    const hint = `the shipper sees the volume as ${LOGS}, wherever the application mounts it`
    yield problem(['metadata', 'annotations'], `the path ${outside[0]}`, `paths below ${LOGS}`, hint)
  }
}

/** A volume that is filled from elsewhere. */
function isGiven(pod: PlannedPod, name: string): boolean {
  const volume = volumeOf(pod, name)?.it ?? {}
  return ['configMap', 'secret', 'downwardAPI', 'projected'].some(kind => kind in volume)
}

interface Wanted {
  readonly image: string | undefined
  readonly volume: string
  readonly paths: string
  readonly platform?: Platform | undefined
}

function additionsTo(pod: PlannedPod, { image, volume, paths, platform }: Wanted): Addition[] {
  const { spec, metadata } = pod
  // OpenShift decides on users and groups by the range of the namespace.
  const own = platform !== 'openshift'
  const never = spec['restartPolicy'] === 'Never' || pod.kind.endsWith('Job')
  const sidecar = container({
    image: image ?? `logshipper:${VERSION}`,
    volume,
    paths,
    grace: Number(spec['terminationGracePeriodSeconds'] ?? 30),
    startupProbe: !never,
    user: own,
  })
  const labelled = asTree(metadata['labels'])?.['logshipper.io/shipper'] !== undefined
  const security = asTree(spec['securityContext'])
  const context = ['spec', 'securityContext']
  const policy = ['fsGroupChangePolicy', 'OnRootMismatch'] as const
  const group: Addition[] = []
  if (own && security === undefined) {
    group.push({ kind: 'key', path: context, value: `fsGroup: ${GROUP}\n${policy.join(': ')}` })
  } else if (own && security?.['fsGroup'] === undefined) {
    group.push({ kind: 'key', path: [...context, 'fsGroup'], value: `${GROUP}` })
    // One key at a time goes into a pair of empty braces.
    const more = Object.keys(security!).length > 0 && security![policy[0]] === undefined
    if (more) group.push({ kind: 'key', path: [...context, policy[0]], value: policy[1] })
  }
  return [
    ...(labelled
      ? []
      : [{ kind: 'key' as const, path: ['metadata', 'labels', 'logshipper.io/shipper'], value: 'sidecar' }]),
    ...group,
    { kind: 'items', path: ['spec', 'initContainers'], items: [sidecar] },
    { kind: 'items', path: ['spec', 'volumes'], items: VOLUMES },
  ]
}
