/**
 * A pod as the rules see it: which container is the shipper, what it was told, and which volumes hold the logs.
 *
 * What cannot be known from a manifest (a variable that comes from a Secret, a ConfigMap that is not among the documents)
 * is `undefined`, and no rule guesses it.
 */

import type { KeyPath } from '../../config/problem.ts'
import { asTree, list, type Manifest, type PlannedPod } from '../manifest.ts'

type Tree = Readonly<Record<string, unknown>>

/** A container and where it stands in the pod. */
export interface Placed {
  readonly it: Tree
  readonly name: string
  readonly path: KeyPath
  /** An init container that goes on beside the application. */
  readonly sidecar: boolean
  readonly init: boolean
}

export interface Mount {
  readonly it: Tree
  readonly path: KeyPath
  readonly volume: string
  readonly at: string
}

export interface Patient {
  readonly pod: PlannedPod
  readonly shipper: Placed
  /** Every other container, in the order in which they start. */
  readonly others: readonly Placed[]
  /** `args` without the command: what `tail -F` would be told. */
  readonly paths: readonly string[]
  /** Like `tail -F`: told nothing but paths, so it has no server and no checkpoint. */
  readonly plain: boolean
  readonly mounts: readonly Mount[]
  /** Those of `mounts` that hold the logs. */
  readonly logs: readonly Mount[]
  /** What is followed, if that can be known. */
  readonly followed: readonly string[] | undefined
  /** It is never restarted, as the pod of a Job. */
  readonly once: boolean
  /** The value of a key, or `undefined` if it is not set, or `UNKNOWN`. */
  setting(path: KeyPath): unknown
  /** Where a key is set, or would be. */
  settingPath(path: KeyPath): KeyPath
}

export const UNKNOWN = Symbol('unknown')

const CONFIG = '/etc/logshipper/config.yaml'

/** The containers of a pod, in the order in which they start. */
export function containersOf({ spec }: PlannedPod): Placed[] {
  return ['initContainers', 'containers'].flatMap(key =>
    list(spec[key]).map((it, index): Placed => {
      const init = key === 'initContainers'
      const sidecar = init && it['restartPolicy'] === 'Always'
      return { it, name: String(it['name']), path: ['spec', key, index], sidecar, init }
    }),
  )
}

export function isShipper({ it, name }: Placed): boolean {
  const image = String(it['image'] ?? '')
  return name === 'logshipper' || /(?:^|\/)logshipper(?:[:@]|$)/.test(image)
}

export function mountsOf({ it, path }: Placed): Mount[] {
  return list(it['volumeMounts']).map((mount, index) => ({
    it: mount,
    path: [...path, 'volumeMounts', index],
    volume: String(mount['name']),
    at: String(mount['mountPath'] ?? '').replace(/(?<=.)\/+$/, ''),
  }))
}

/** Whether `path` lies in the directory, or is it. */
export function below(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`)
}

/** The volume of that name as the pod declares it; `undefined` if it is a claim's, or there is none. */
export function volumeOf(
  { spec }: PlannedPod,
  name: string,
): { readonly it: Tree; readonly path: KeyPath } | undefined {
  const index = list(spec['volumes']).findIndex(volume => volume['name'] === name)
  return index === -1 ? undefined : { it: list(spec['volumes'])[index]!, path: ['spec', 'volumes', index] }
}

export function patient(manifest: Manifest, pod: PlannedPod, shipper: Placed): Patient {
  const others = containersOf(pod).filter(({ path }) => path.join() !== shipper.path.join())
  const env = list(shipper.it['env'])
  const mounts = mountsOf(shipper)
  const file = variable(env, 'LOGSHIPPER_CONFIG') ?? CONFIG
  const mounted = mounts.find(({ at }) => typeof file === 'string' && below(file, at))
  const source = mounted && asTree(volumeOf(pod, mounted.volume)?.it['configMap'])
  const tree = source && manifest.configs.get(String(source['name']))
  const elsewhere = (mounted !== undefined && tree === undefined) || list(shipper.it['envFrom']).length > 0
  const setting = (path: KeyPath): unknown => {
    const own = variable(env, nameOf(path))
    if (own !== undefined) return own
    const value = path.reduce<unknown>((at, step) => (at as Tree | undefined)?.[step], tree)
    if (value !== undefined) return typeof value === 'string' && value.includes('${') ? UNKNOWN : value
    return elsewhere ? UNKNOWN : undefined
  }
  const paths = pathsOf(shipper)
  const followed = followedBy(paths, setting, tree)
  return {
    pod,
    shipper,
    others,
    paths,
    plain:
      paths.length > 0 && !mounted && !env.some(({ name }) => /^LOGSHIPPER_(SOURCE|BACKEND|STATE)/.test(`${name}`)),
    mounts,
    logs: logsOf(pod, mounts, followed, others),
    followed,
    once: pod.spec['restartPolicy'] === 'Never' || pod.kind.endsWith('Job'),
    setting,
    settingPath: path => {
      const index = env.findIndex(({ name }) => name === nameOf(path))
      return index === -1 ? [...shipper.path, 'env'] : [...shipper.path, 'env', index, 'value']
    },
  }
}

function variable(env: readonly Tree[], name: string): unknown {
  const entry = env.findLast(each => each['name'] === name)
  if (entry === undefined || entry['value'] === '') return undefined
  const value = entry['value']
  return value === undefined || String(value).includes('$(') ? UNKNOWN : value
}

/** As the environment calls a key. */
function nameOf(path: KeyPath): string {
  const steps = path.filter(step => typeof step === 'string')
  return `LOGSHIPPER_${steps.map(step => step.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()).join('_')}`
}

function pathsOf({ it }: Placed): string[] {
  const words = [
    ...(Array.isArray(it['command']) ? it['command'].slice(1) : []),
    ...(Array.isArray(it['args']) ? it['args'] : []),
  ]
  return words
    .map(String)
    .filter((word, at) => !word.startsWith('-') && !/^(-c|--\w+)$/.test(String(words[at - 1] ?? '')) && word !== 'run')
}

function followedBy(
  paths: readonly string[],
  setting: (path: KeyPath) => unknown,
  tree: Tree | undefined,
): readonly string[] | undefined {
  if (paths.length > 0) return paths
  const told = setting(['source', 'paths'])
  if (typeof told === 'string') return told.split(/,(?![^{]*\})/).map(path => path.trim())
  if (told === UNKNOWN && tree === undefined) return undefined
  const sources = list(tree?.['sources'])
  const all = sources.flatMap(({ paths: of }) => (Array.isArray(of) ? of.map(String) : []))
  return all.some(path => path.includes('${')) ? undefined : all
}

/** The mounts in which something is followed; where that is not known, those that other containers have too. */
function logsOf(
  pod: PlannedPod,
  mounts: readonly Mount[],
  followed: readonly string[] | undefined,
  others: readonly Placed[],
): Mount[] {
  if (followed !== undefined) {
    const holding = followed.map(path =>
      mounts
        .filter(({ at }) => below(path, at))
        .toSorted((a, b) => b.at.length - a.at.length)
        .at(0),
    )
    return mounts.filter(mount => holding.includes(mount))
  }
  const shared = new Set(others.flatMap(mountsOf).map(({ volume }) => volume))
  const given = (name: string): boolean => {
    const volume = volumeOf(pod, name)?.it ?? {}
    return ['configMap', 'secret', 'downwardAPI', 'projected'].some(kind => kind in volume)
  }
  return mounts.filter(({ volume }) => shared.has(volume) && !given(volume))
}
