/**
 * The YAML in the documentation that is neither a configuration nor a manifest with pods: parts of charts, and the
 * resources of Argo CD and Flux as far as the documentation uses them. Strict: a misspelt key is an error.
 *
 * Sources: the custom resource definitions of argoproj.io/v1alpha1 (Application), helm.toolkit.fluxcd.io/v2,
 * source.toolkit.fluxcd.io/v1 and kustomize.toolkit.fluxcd.io/v1.
 */
import * as z from 'zod/mini'
import { VERSION } from '../../src/version.ts'
import { valuesOf } from '../k8s/helm.ts'

const text = z.string()
const o = z.optional
const metadata = z.strictObject({ name: text, namespace: o(text) })
const REGISTRY = 'ghcr.io/OWNER/charts'

const injector = z.lazy(() => valuesOf('logshipper-injector') as unknown as z.ZodMiniType)

const argoSource = z.strictObject({
  repoURL: text,
  targetRevision: o(text),
  path: o(text),
  chart: o(z.literal('logshipper-injector')),
  helm: o(z.strictObject({ releaseName: o(text), valuesObject: o(injector) })),
  kustomize: o(z.strictObject({ images: o(z.array(text)), components: o(z.array(text)) })),
})

const RESOURCES: Readonly<Record<string, z.ZodMiniType>> = {
  'argoproj.io/v1alpha1 Application': z.strictObject({
    project: text,
    source: argoSource,
    destination: z.strictObject({ server: text, namespace: text }),
    syncPolicy: o(
      z.strictObject({
        automated: o(z.strictObject({ prune: o(z.boolean()), selfHeal: o(z.boolean()) })),
        syncOptions: o(z.array(text)),
      }),
    ),
  }),
  'source.toolkit.fluxcd.io/v1 OCIRepository': z.strictObject({
    interval: text,
    url: z.literal(`oci://${REGISTRY}/logshipper-injector`),
    ref: z.strictObject({ tag: z.literal(VERSION) }),
    layerSelector: o(z.strictObject({ mediaType: text, operation: z.enum(['copy', 'extract']) })),
    verify: o(
      z.strictObject({
        provider: z.literal('cosign'),
        matchOIDCIdentity: z.array(z.strictObject({ issuer: text, subject: text })),
      }),
    ),
  }),
  'helm.toolkit.fluxcd.io/v2 HelmRelease': z.strictObject({
    interval: text,
    chartRef: z.strictObject({ kind: z.literal('OCIRepository'), name: text }),
    targetNamespace: o(text),
    values: o(injector),
    postRenderers: o(
      z.array(z.strictObject({ kustomize: z.strictObject({ patches: z.array(z.looseObject({ patch: text })) }) })),
    ),
  }),
  'kustomize.toolkit.fluxcd.io/v1 Kustomization': z.strictObject({
    interval: text,
    path: text,
    prune: z.boolean(),
    sourceRef: z.strictObject({ kind: z.enum(['GitRepository', 'OCIRepository']), name: text }),
    targetNamespace: o(text),
    components: o(z.array(text)),
    images: o(z.array(z.strictObject({ name: text, newName: o(text), newTag: o(text), digest: o(text) }))),
  }),
}

const chart = z.strictObject({
  dependencies: z.array(
    z.strictObject({
      name: z.literal('logshipper'),
      version: z.literal(VERSION),
      repository: z.literal(`oci://${REGISTRY}`),
    }),
  ),
})

/** The values of other charts that stand in their templates (k8s/values), by the path to the key. */
export const OTHERS: Readonly<Record<string, readonly string[]>> = {
  'ingress-nginx': [
    'config',
    'podLabels',
    'podSecurityContext',
    'extraVolumeMounts',
    'extraInitContainers',
    'extraVolumes',
  ].map(key => `controller.${key}`),
  'bitnami-nginx': ['podLabels', 'extraVolumeMounts', 'initContainers', 'extraVolumes'],
  jenkins: ['controller.podLabels', 'controller.customInitContainers', 'persistence.mounts', 'persistence.volumes'],
}

/** The paths of a tree, down to those that are known, or are none of these. */
export function paths(tree: Readonly<Record<string, unknown>>, before = ''): string[] {
  return Object.entries(tree).flatMap(([key, value]) => {
    const path = before + key
    const known = Object.values(OTHERS).flat()
    const inner = known.some(each => each.startsWith(`${path}.`))
    return inner ? paths(value as Record<string, unknown>, `${path}.`) : [path]
  })
}

/** What is wrong with it; `undefined`: nothing, or it is of another kind. */
export interface Judged {
  readonly kind: 'judged'
  readonly problems: readonly string[]
}

/** Of a block, by its first line or its kind; `undefined` where it is none of these. */
export function judge(source: string, tree: Readonly<Record<string, unknown>>): Judged | undefined {
  const checked = (schema: z.ZodMiniType, value: unknown): Judged => {
    const { error } = schema.safeParse(value)
    return { kind: 'judged', problems: error ? [z.prettifyError(error)] : [] }
  }
  const [, file, of] = /^# ([Cc]hart|values)\.yaml(?: of ([\w/-]+))?/.exec(source) ?? []
  if (file === 'Chart') return checked(chart, tree)
  if (file === 'values' && of === undefined) {
    const { logshipper, ...rest } = tree
    const judged = checked(valuesOf('logshipper') as unknown as z.ZodMiniType, logshipper)
    return { ...judged, problems: [...judged.problems, ...Object.keys(rest)] }
  }
  if (file === 'values' && of === 'logshipper-injector') return checked(injector, tree)
  if (file === 'values') {
    const known = OTHERS[of!] ?? []
    return { kind: 'judged', problems: paths(tree).filter(path => !known.includes(path)) }
  }
  const shape = RESOURCES[`${tree['apiVersion']} ${tree['kind']}`]
  if (shape === undefined) return undefined
  return checked(z.strictObject({ apiVersion: text, kind: text, metadata, spec: shape }), tree)
}
