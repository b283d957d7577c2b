/**
 * The shapes of the Kubernetes API as far as our manifests use them, strict: a misspelt or misplaced field is an error,
 * as it is for a server with `--validate=strict`. A field that is missing here and right is added here.
 *
 * Source: the OpenAPI description of Kubernetes 1.36 (api/openapi-spec), PodMonitor: monitoring.coreos.com/v1, Rollout:
 * argoproj.io/v1alpha1. That a rule about exit codes names its container is ours.
 */
import * as z from 'zod/mini'

const text = z.string()
const flag = z.boolean()
const count = z.int()
const names = z.array(text)
const dnsLabel = text.check(z.regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/))
const quantity = text.check(z.regex(/^\d+(\.\d+)?(m|k|M|G|Ki|Mi|Gi)?$/))
const map = z.record(text, text)
const port = z.union([z.int().check(z.minimum(1), z.maximum(65535)), text.check(z.regex(/^[a-z0-9-]{1,15}$/))])
const path = text.check(z.regex(/^\//))
const o = z.optional
const object = z.strictObject

const httpGet = object({ path, port, scheme: o(text) })
const probe = object({
  httpGet: o(httpGet),
  tcpSocket: o(object({ port })),
  periodSeconds: o(count),
  timeoutSeconds: o(count),
  failureThreshold: o(count),
  initialDelaySeconds: o(count),
})
const fieldRef = object({ fieldPath: text })
const env = object({
  name: text,
  value: o(text),
  valueFrom: o(
    object({ fieldRef: o(fieldRef), secretKeyRef: o(object({ name: text, key: text, optional: o(flag) })) }),
  ),
})
const seccompProfile = object({ type: z.enum(['RuntimeDefault', 'Localhost', 'Unconfined']) })
const container = object({
  name: dnsLabel,
  image: text,
  command: o(names),
  args: o(names),
  env: o(z.array(env)),
  envFrom: o(
    z.array(
      object({
        configMapRef: o(object({ name: text, optional: o(flag) })),
        secretRef: o(object({ name: text, optional: o(flag) })),
      }),
    ),
  ),
  ports: o(z.array(object({ name: o(text), containerPort: count, protocol: o(text) }))),
  startupProbe: o(probe),
  livenessProbe: o(probe),
  readinessProbe: o(probe),
  lifecycle: o(object({ preStop: o(object({ httpGet: o(httpGet), exec: o(object({ command: names })) })) })),
  resources: o(object({ requests: o(z.record(text, quantity)), limits: o(z.record(text, quantity)) })),
  securityContext: o(
    object({
      runAsNonRoot: o(flag),
      runAsUser: o(count),
      runAsGroup: o(count),
      allowPrivilegeEscalation: o(flag),
      readOnlyRootFilesystem: o(flag),
      capabilities: o(object({ drop: o(names), add: o(names) })),
      seccompProfile: o(seccompProfile),
    }),
  ),
  volumeMounts: o(z.array(object({ name: text, mountPath: path, readOnly: o(flag), subPath: o(text) }))),
})
const initContainer = z.extend(container, { restartPolicy: o(z.literal('Always')) })
const volume = object({
  name: dnsLabel,
  emptyDir: o(object({ sizeLimit: o(quantity), medium: o(z.literal('Memory')) })),
  configMap: o(object({ name: text, optional: o(flag), defaultMode: o(count) })),
  secret: o(object({ secretName: text, optional: o(flag), defaultMode: o(count) })),
  downwardAPI: o(object({ items: z.array(object({ path: text, fieldRef })) })),
})
export const podSpec = object({
  restartPolicy: o(z.enum(['Always', 'OnFailure', 'Never'])),
  terminationGracePeriodSeconds: o(count),
  automountServiceAccountToken: o(flag),
  securityContext: o(
    object({
      runAsNonRoot: o(flag),
      runAsUser: o(count),
      runAsGroup: o(count),
      fsGroup: o(count),
      fsGroupChangePolicy: o(z.enum(['OnRootMismatch', 'Always'])),
      seccompProfile: o(seccompProfile),
    }),
  ),
  initContainers: o(z.array(initContainer)),
  containers: z.array(container).check(z.minLength(1)),
  volumes: o(z.array(volume)),
})
const metadata = object({ name: dnsLabel, labels: o(map), annotations: o(map) })
const template = object({ metadata: o(object({ labels: o(map), annotations: o(map) })), spec: podSpec })
const selector = object({ matchLabels: o(map), matchExpressions: o(z.array(z.looseObject({ key: text }))) })
const job = object({
  backoffLimit: o(count),
  podFailurePolicy: o(
    object({
      rules: z.array(
        object({
          action: z.enum(['FailJob', 'Ignore', 'Count']),
          onExitCodes: o(object({ containerName: text, operator: z.enum(['In', 'NotIn']), values: z.array(count) })),
          onPodConditions: o(z.array(object({ type: text, status: o(text) }))),
        }),
      ),
    }),
  ),
  template,
})

function resource<S extends z.core.SomeType>(apiVersion: string, kind: string, spec: S) {
  return object({ apiVersion: z.literal(apiVersion), kind: z.literal(kind), metadata, spec })
}

const rule = z.strictObject({
  apiGroups: names,
  apiVersions: names,
  resources: names,
  operations: z.array(z.enum(['CREATE', 'UPDATE', '*'])),
})
const named = z.array(
  object({ name: text.check(z.regex(/^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/)), expression: text }),
)
const domain = object({ name: text.check(z.regex(/^[a-z0-9.-]+$/)), labels: o(map) })

export const anyResource = z.discriminatedUnion('kind', [
  resource('v1', 'Pod', podSpec),
  object({ apiVersion: z.literal('v1'), kind: z.literal('ConfigMap'), metadata, data: map }),
  resource('apps/v1', 'Deployment', object({ replicas: o(count), selector, template })),
  resource('apps/v1', 'DaemonSet', object({ selector, template })),
  resource(
    'apps/v1',
    'StatefulSet',
    object({
      replicas: o(count),
      serviceName: text,
      selector,
      template,
      volumeClaimTemplates: o(
        z.array(
          object({
            metadata,
            spec: object({ accessModes: names, resources: object({ requests: z.record(text, quantity) }) }),
          }),
        ),
      ),
    }),
  ),
  resource(
    'argoproj.io/v1alpha1',
    'Rollout',
    object({
      replicas: count,
      workloadRef: object({ apiVersion: text, kind: z.literal('Deployment'), name: text }),
      strategy: object({
        canary: object({
          steps: z.array(object({ setWeight: o(count), pause: o(object({ duration: o(text) })) })),
        }),
      }),
    }),
  ),
  resource('batch/v1', 'Job', job),
  resource(
    'batch/v1',
    'CronJob',
    object({
      schedule: text,
      concurrencyPolicy: o(z.enum(['Allow', 'Forbid', 'Replace'])),
      successfulJobsHistoryLimit: o(count),
      jobTemplate: object({ spec: job }),
    }),
  ),
  resource(
    'monitoring.coreos.com/v1',
    'PodMonitor',
    object({
      selector,
      podMetricsEndpoints: z.array(object({ port: text, path, interval: o(text), filterRunning: o(flag) })),
    }),
  ),
  resource(
    'monitoring.coreos.com/v1',
    'PrometheusRule',
    object({
      groups: z.array(
        object({
          name: text,
          rules: z.array(
            object({
              alert: text,
              expr: text,
              for: text.check(z.regex(/^\d+(s|m|h)$/)),
              labels: map,
              annotations: object({ summary: text, description: text, runbook_url: text.check(z.regex(/^https:/)) }),
            }),
          ),
        }),
      ),
    }),
  ),
  resource(
    'networking.k8s.io/v1',
    'NetworkPolicy',
    object({
      podSelector: selector,
      policyTypes: names,
      ingress: z.array(z.strictObject({ from: z.array(z.looseObject({})), ports: o(z.array(z.looseObject({}))) })),
      egress: z.array(z.strictObject({ to: z.array(z.looseObject({})), ports: o(z.array(z.looseObject({}))) })),
    }),
  ),
  object({
    apiVersion: z.literal('admissionregistration.k8s.io/v1'),
    kind: z.literal('MutatingAdmissionPolicy'),
    metadata: domain,
    spec: object({
      failurePolicy: z.enum(['Fail', 'Ignore']),
      reinvocationPolicy: z.enum(['Never', 'IfNeeded']),
      matchConstraints: object({ resourceRules: z.array(rule) }),
      matchConditions: named,
      variables: named,
      mutations: z.array(object({ patchType: z.literal('JSONPatch'), jsonPatch: object({ expression: text }) })),
    }),
  }),
  object({
    apiVersion: z.literal('admissionregistration.k8s.io/v1'),
    kind: z.literal('MutatingAdmissionPolicyBinding'),
    metadata: domain,
    spec: object({ policyName: text, matchResources: object({ namespaceSelector: selector }) }),
  }),
])
