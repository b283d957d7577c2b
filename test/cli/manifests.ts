/** Manifests that tests of the commands about them begin with, and the commands as processes. */
import { spawnSync } from 'node:child_process'
import { PROGRAM } from '../program.ts'

/** A pod in which there is nothing to find. */
export const GOOD = `apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  terminationGracePeriodSeconds: 30
  securityContext:
    runAsUser: 10001
    fsGroup: 65532
  initContainers:
    - name: logshipper
      image: logshipper:0.1.0
      restartPolicy: Always
      env:
        - { name: LOGSHIPPER_SOURCE_PATHS, value: "/var/log/app/*.log" }
        - { name: LOGSHIPPER_STATE_DIR, value: /var/lib/logshipper/state }
        - { name: LOGSHIPPER_DRAIN_GRACE_PERIOD, value: 30s }
        - { name: LOGSHIPPER_POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
        - { name: LOGSHIPPER_POD_NAMESPACE, valueFrom: { fieldRef: { fieldPath: metadata.namespace } } }
        - { name: LOGSHIPPER_POD_UID, valueFrom: { fieldRef: { fieldPath: metadata.uid } } }
      ports:
        - { name: logshipper, containerPort: 9614 }
      livenessProbe: { httpGet: { path: /livez, port: logshipper } }
      readinessProbe: { httpGet: { path: /readyz, port: logshipper } }
      lifecycle:
        preStop: { exec: { command: [logshipper, prestop] } }
      resources:
        limits: { memory: 128Mi }
      securityContext:
        runAsUser: 65532
        readOnlyRootFilesystem: true
      volumeMounts:
        - { name: logs, mountPath: /var/log/app }
        - { name: state, mountPath: /var/lib/logshipper }
  containers:
    - name: web
      image: web:1
      volumeMounts:
        - { name: logs, mountPath: /data }
  volumes:
    - name: logs
      emptyDir: { sizeLimit: 1Gi }
    - name: state
      emptyDir: { sizeLimit: 2Gi }
`

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** `args` are told to the program, `input` is its standard input; it runs in the directory `cwd`. */
export function logshipper(args: readonly string[], input = '', cwd = process.cwd()): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { input, encoding: 'utf8', cwd })
  return { code: status, out: stdout, err: stderr }
}
