/**
 * The pods in a Kubernetes manifest: YAML or JSON, one document or several, lists of objects among them.
 *
 * A pod is found by its shape, so a kind that we have never heard of is looked into if it holds a pod template where
 * the known ones do. Every part of a pod knows its line. Never throws for anything that a person wrote.
 */
import type { Document, LineCounter, YAMLMap } from 'yaml'
import { copy, parseDocument, place, type Tree } from '../config/document.ts'
import { DEEPEST, wordsFor } from '../config/mistakes.ts'
import type { KeyPath, Problem } from '../config/problem.ts'

export interface Manifest {
  readonly file: string
  readonly text: string
  readonly pods: readonly PlannedPod[]
  /** The key `config.yaml` of each ConfigMap that has one, by the ConfigMap's name. */
  readonly configs: ReadonlyMap<string, Tree>
}

/** A pod as it will be: of a workload, or by itself. */
export interface PlannedPod {
  readonly kind: string
  readonly name: string
  readonly metadata: Tree
  /** Its own annotations, and its owner's. */
  readonly annotations: Tree
  readonly spec: Tree
  /** Volumes that the claims of a StatefulSet bring. */
  readonly claims: readonly string[]
  /** Line, counted from 1, of a part of the pod (`['spec', 'volumes', 0]`), or of what should hold it. */
  readonly lineOf: (path: KeyPath) => number
  /** The document it stands in, counted from 0. */
  readonly document: number
  /** The path as it stands in its document. */
  readonly pathOf: (path: KeyPath) => KeyPath
  /** The map with `metadata` and `spec`; `undefined` where it is reached through an alias. */
  readonly node: YAMLMap | undefined
}

export type ReadManifest =
  | { readonly kind: 'read'; readonly manifest: Manifest }
  | { readonly kind: 'unusable'; readonly problems: readonly Problem[] }

/** Where the kinds of a cluster hold a pod, innermost last. */
const HOLDERS: readonly KeyPath[] = [
  [],
  ['spec', 'template'],
  ['spec', 'jobTemplate', 'spec', 'template'],
  ['template'],
]

const WORKLOADS = ['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob']
/** Levels that the schema of a custom resource, which may stand beside a pod, has more than a configuration. */
const SCHEMAS = 100
const ONE_OBJECT = 'a Kubernetes object (a map with apiVersion and kind), or several with --- between them'

export async function readManifest(file: string, text: string): Promise<ReadManifest> {
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  const options = { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'error' } as const
  const documents = yaml.parseAllDocuments(text, options) as Document.Parsed[]
  const problems: Problem[] = []
  const pods: PlannedPod[] = []
  const configs = new Map<string, Tree>()
  const kinds = new Set<string>()
  const template = text.includes('{{') ? 'it looks like a template: render it first (helm template …)' : undefined
  const report = (line: number | undefined, found: string, allowed: string, hint = template): void => {
    problems.push({ file, line, key: '', found, allowed, hint })
  }
  for (const [index, document] of documents.entries()) {
    const [first] = document.errors
    if (first) {
      report(lines.linePos(first.pos[0]).line, ...wordsFor(first))
      continue
    }
    if (document.contents === null) continue
    const line = lines.linePos(document.contents.range[0]).line
    const value = plain(document)
    if (yaml.isSeq(document.contents)) report(line, 'a list', ONE_OBJECT, 'kubectl writes kind: List, with items')
    else if (value === 'alias') report(line, 'aliases that cannot be resolved', 'anchors before their aliases')
    else if (value === undefined || !yaml.isMap(document.contents)) report(line, 'no object', ONE_OBJECT)
    else if (typeof value['kind'] !== 'string') {
      const hint = 'resources' in value ? 'of an overlay: kubectl kustomize DIRECTORY | logshipper … -' : undefined
      report(line, 'a map without a kind', ONE_OBJECT, hint)
    } else {
      for (const [path, object] of objectsOf(value)) {
        kinds.add(String(object['kind']))
        const found = podOf(yaml, document, lines, path, object)
        if (found) pods.push({ ...found, document: index })
        else if (WORKLOADS.includes(String(object['kind']))) {
          const at = place(yaml, document, lines, path)?.line ?? line
          report(at, `a ${object['kind']} without spec and containers`, 'a whole one')
        }
        const config = await configOf(object)
        if (config) configs.set(String(asTree(object['metadata'])?.['name']), config)
      }
    }
  }
  if (problems.length === 0 && pods.length === 0) {
    const found = kinds.size === 0 ? 'nothing' : `no pod, only ${[...kinds].join(', ')}`
    const hint = kinds.has('Kustomization') ? 'kubectl kustomize DIRECTORY | logshipper … -' : undefined
    report(undefined, found, `at least one of ${WORKLOADS.join(', ')}`, hint)
  }
  if (problems.length > 0) return { kind: 'unusable', problems }
  return { kind: 'read', manifest: { file, text, pods, configs } }
}

/** A document's value without prototypes; `undefined` if it is no map, `alias` if one leads nowhere or to too much. */
function plain(document: Document.Parsed): Tree | 'alias' | undefined {
  try {
    const limits = { deepest: DEEPEST + SCHEMAS, most: Number.POSITIVE_INFINITY }
    return asTree(copy(document.toJS({ maxAliasCount: 100 }), limits))
  } catch {
    return 'alias'
  }
}

/** Itself, or the items of a list, which may be lists. */
function objectsOf(object: Tree, path: KeyPath = []): [KeyPath, Tree][] {
  const { kind, items } = object
  if (!String(kind).endsWith('List') || !Array.isArray(items)) return [[path, object]]
  return items.flatMap((item, index) => {
    const inner = asTree(item)
    return inner ? objectsOf(inner, [...path, 'items', index]) : []
  })
}

function podOf(
  yaml: typeof import('yaml'),
  document: Document.Parsed,
  lines: LineCounter,
  path: KeyPath,
  object: Tree,
): Omit<PlannedPod, 'document'> | undefined {
  for (const holder of HOLDERS) {
    const pod = asTree(holder.reduce<unknown>((at, step) => asTree(at)?.[step as string], object))
    const spec = asTree(pod?.['spec'])
    if (pod === undefined || spec === undefined || !Array.isArray(spec['containers'])) continue
    const whole = [...path, ...holder]
    const annotated = [object['metadata'], pod['metadata']].map(each => asTree(asTree(each)?.['annotations']))
    const claims = list(asTree(object['spec'])?.['volumeClaimTemplates'])
    const node = whole.length === 0 ? document.contents : document.getIn(whole, true)
    return {
      kind: String(object['kind']),
      name: String(asTree(object['metadata'])?.['name'] ?? asTree(object['metadata'])?.['generateName'] ?? '?'),
      metadata: asTree(pod['metadata']) ?? Object.create(null),
      annotations: Object.assign(Object.create(null), ...annotated),
      spec,
      claims: claims.map(claim => String(asTree(claim['metadata'])?.['name'])),
      lineOf: part => place(yaml, document, lines, [...whole, ...part])?.line ?? 1,
      pathOf: part => [...whole, ...part],
      node: yaml.isMap(node) ? (node as YAMLMap) : undefined,
    }
  }
  return undefined
}

async function configOf(object: Tree): Promise<Tree | undefined> {
  const text = asTree(object['data'])?.['config.yaml']
  if (object['kind'] !== 'ConfigMap' || typeof text !== 'string') return undefined
  const parsed = await parseDocument('config.yaml', text)
  return parsed.kind === 'parsed' ? parsed.tree : undefined
}

export function asTree(value: unknown): Tree | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Tree) : undefined
}

/** The maps of a list. Something that is none has none. */
export function list(value: unknown): readonly Tree[] {
  return Array.isArray(value) ? value.map(each => asTree(each) ?? Object.create(null)) : []
}
