/** What `kubectl kustomize` makes of a directory, and the pods in it. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'

export const ROOT = join(import.meta.dirname, '../..')

export interface Container {
  readonly name: string
  readonly image: string
  readonly restartPolicy?: string
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[]
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly subPath?: string }[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly startupProbe?: unknown
  readonly securityContext?: Readonly<Record<string, unknown>>
  readonly [key: string]: unknown
}

export interface PodSpec {
  readonly restartPolicy?: string
  readonly terminationGracePeriodSeconds?: number
  readonly initContainers?: readonly Container[]
  readonly containers: readonly Container[]
  readonly volumes?: readonly { readonly name: string; readonly [source: string]: unknown }[]
  readonly securityContext?: Readonly<Record<string, unknown>>
  readonly [key: string]: unknown
}

export interface Resource {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> }
  readonly data?: Readonly<Record<string, string>>
  // biome-ignore lint/suspicious/noExplicitAny: as many shapes as kinds; the schema has checked it
  readonly spec?: any
}

/** A pod as it will be: of a workload, or by itself. */
export interface Planned {
  readonly owner: Resource
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: PodSpec
  /** Names of volumes that the owner's claims bring. */
  readonly claims: readonly string[]
}

/** Why `kubectl kustomize` cannot be had, or `undefined`. */
export function withoutKubectl(): string | undefined {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'there is no kubectl on this machine'
  }
}

export function parseResources(yaml: string): Resource[] {
  return parseAllDocuments(yaml).map(document => {
    if (document.errors.length > 0) throw document.errors[0]!
    return document.toJS() as Resource
  })
}

/** The overlay in `directory`, relative to the repository, as one YAML text. */
export function renderText(directory: string): string {
  return execFileSync('kubectl', ['kustomize', join(ROOT, directory)]).toString()
}

/** Every resource of it. */
export function render(directory: string): Resource[] {
  return parseResources(renderText(directory))
}

export function pods(resources: readonly Resource[]): Planned[] {
  return resources.flatMap((owner): Planned[] => {
    switch (owner.kind) {
      case 'Pod':
        return [{ owner, metadata: owner.metadata, spec: owner.spec, claims: [] }]
      case 'CronJob':
        return [{ owner, ...owner.spec.jobTemplate.spec.template, claims: [] }]
      case 'Deployment':
      case 'DaemonSet':
      case 'Job':
      case 'StatefulSet': {
        const claims = (owner.spec.volumeClaimTemplates ?? []).map((claim: Resource) => claim.metadata.name)
        return [{ owner, ...owner.spec.template, claims }]
      }
      default:
        return []
    }
  })
}

export function shipperOf({ spec }: Planned): Container | undefined {
  return spec.initContainers?.find(({ name }) => name === 'logshipper')
}
