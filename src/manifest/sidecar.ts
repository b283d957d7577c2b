/**
 * The sidecar as text: the container and the volumes of k8s/component, told by environment what the policy in k8s/inject
 * tells it. A test holds all three equal. The reason for each line stands in k8s/component/sidecar.yaml.
 */

export const CONFIG_VOLUME = 'logshipper-config'
export const STATE_VOLUME = 'logshipper-state'
export const PODINFO_VOLUME = 'logshipper-podinfo'
/** Where it sees the volume of its own, of which the root is not its own. */
const STATE = '/var/lib/logshipper'
/** Where the shipper sees the volume of the logs. */
export const LOGS = '/var/log/app'
export const PATHS = `${LOGS}/**/*.log`
export const GROUP = 65532

export interface SidecarFields {
  readonly image: string
  /** The name of the volume of the logs. */
  readonly volume: string
  /** Globs, comma-separated; empty: the configuration file says what is followed. */
  readonly paths: string
  /** Seconds. */
  readonly grace: number
  /** A pod that is never restarted gets none. */
  readonly startupProbe: boolean
  /** Whether it names its user and group, which OpenShift does not take. */
  readonly user: boolean
}

/** In quotes where YAML might take it for something else. */
const text = (value: string): string =>
  /^[a-z][\w./@-]*(:[\w.@-]+)*$/.test(value) && !/^(true|false|null|yes|no|on|off|y|n)$/.test(value)
    ? value
    : JSON.stringify(value)

export function container({ image, volume, paths, grace, startupProbe, user }: SidecarFields): string {
  return `name: logshipper
image: ${text(image)}
restartPolicy: Always
envFrom:
  - secretRef: { name: logshipper, optional: true }
env:
${paths === '' ? '' : `  - { name: LOGSHIPPER_SOURCE_PATHS, value: ${text(paths)} }\n`}  - { name: LOGSHIPPER_STATE_DIR, value: ${STATE}/state }
  - { name: LOGSHIPPER_DRAIN_GRACE_PERIOD, value: ${grace}s }
  - { name: LOGSHIPPER_POD_NAMESPACE, valueFrom: { fieldRef: { fieldPath: metadata.namespace } } }
  - { name: LOGSHIPPER_POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
  - { name: LOGSHIPPER_POD_UID, valueFrom: { fieldRef: { fieldPath: metadata.uid } } }
  - { name: LOGSHIPPER_POD_NODE, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }
  - { name: LOGSHIPPER_POD_SERVICE_ACCOUNT, valueFrom: { fieldRef: { fieldPath: spec.serviceAccountName } } }
  - { name: LOGSHIPPER_POD_LABELS_FILE, value: /etc/podinfo/labels }
  - { name: LOGSHIPPER_POD_ANNOTATIONS_FILE, value: /etc/podinfo/annotations }
ports:
  - { name: logshipper, containerPort: 9614 }
${startupProbe ? 'startupProbe: { httpGet: { path: /startupz, port: logshipper }, periodSeconds: 1, failureThreshold: 30 }\n' : ''}livenessProbe: { httpGet: { path: /livez, port: logshipper }, periodSeconds: 10, timeoutSeconds: 5 }
readinessProbe: { httpGet: { path: /readyz, port: logshipper }, periodSeconds: 10, timeoutSeconds: 5 }
lifecycle:
  preStop: { exec: { command: [logshipper, prestop] } }
resources:
  requests: { cpu: 10m, memory: 64Mi }
  limits: { memory: 128Mi }
securityContext:
  runAsNonRoot: true
${user ? '  runAsUser: 65532\n  runAsGroup: 65532\n' : ''}  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
  seccompProfile: { type: RuntimeDefault }
volumeMounts:
  - { name: ${text(volume)}, mountPath: ${LOGS} }
  - { name: ${STATE_VOLUME}, mountPath: ${STATE} }
  - { name: ${CONFIG_VOLUME}, mountPath: /etc/logshipper, readOnly: true }
  - { name: ${PODINFO_VOLUME}, mountPath: /etc/podinfo, readOnly: true }`
}

export const VOLUMES: readonly string[] = [
  `name: ${CONFIG_VOLUME}
configMap: { name: logshipper, optional: true }`,
  `name: ${STATE_VOLUME}
emptyDir: { sizeLimit: 2Gi }`,
  `name: ${PODINFO_VOLUME}
downwardAPI:
  items:
    - { path: labels, fieldRef: { fieldPath: metadata.labels } }
    - { path: annotations, fieldRef: { fieldPath: metadata.annotations } }`,
]
