{{/*
The sidecar of k8s/component, for charts of your own. The reason for each line stands in k8s/component/sidecar.yaml; a
test holds both equal.

Each of these takes the root context of your chart (`.`, or `$` within a range or with), and reads .Values.logshipper:

  {{- include "logshipper.container" . | nindent 8 }}

Where workloads of one chart differ, it takes a dict with the context and values that come before those:

  {{- include "logshipper.container" (dict "context" $ "values" (dict "startupProbe" false)) | nindent 8 }}
*/}}

{{/* The values in force, as YAML. */}}
{{- define "logshipper.values" -}}
{{- $context := .context | default . -}}
{{- $values := deepCopy ($context.Values.logshipper | default dict) -}}
{{- if .context -}}
{{- $values = mergeOverwrite $values (deepCopy (.values | default dict)) -}}
{{- end -}}
{{- if not $values.image -}}
{{- fail "logshipper: .Values.logshipper has no image: name the library chart in `dependencies`, without an alias" -}}
{{- end -}}
{{- $values | toYaml -}}
{{- end -}}

{{/* The appVersion: a library chart cannot see its own Chart.yaml from within the chart that includes it. */}}
{{- define "logshipper.version" -}}0.1.0{{- end -}}

{{- define "logshipper.image" -}}
{{- with (include "logshipper.values" . | fromYaml).image -}}
{{- .repository }}:{{ .tag | default (include "logshipper.version" $) -}}
{{- if .digest }}@{{ .digest }}{{ end -}}
{{- end -}}
{{- end -}}

{{/*
One item of `initContainers`. It stands first: the kubelet starts init containers in order, and ends sidecars in the
reverse order, after the application.
*/}}
{{- define "logshipper.container" -}}
{{- $values := include "logshipper.values" . | fromYaml -}}
{{- if $values.enabled -}}
- name: logshipper
  image: {{ include "logshipper.image" . | quote }}
  {{- with $values.image.pullPolicy }}
  imagePullPolicy: {{ . }}
  {{- end }}
  restartPolicy: Always
  {{- with $values.secret }}
  envFrom:
    - secretRef: { name: {{ . | quote }}, optional: true }
  {{- end }}
  env:
    {{- with $values.paths }}
    - name: LOGSHIPPER_SOURCE_PATHS
      value: {{ join "," . | quote }}
    {{- end }}
    - name: LOGSHIPPER_STATE_DIR
      value: /var/lib/logshipper/state
    {{- if not (kindIs "invalid" $values.terminationGracePeriodSeconds) }}
    - name: LOGSHIPPER_DRAIN_GRACE_PERIOD
      value: {{ printf "%ds" (int64 $values.terminationGracePeriodSeconds) | quote }}
    {{- end }}
    - name: LOGSHIPPER_POD_NAMESPACE
      valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
    - name: LOGSHIPPER_POD_NAME
      valueFrom: { fieldRef: { fieldPath: metadata.name } }
    - name: LOGSHIPPER_POD_UID
      valueFrom: { fieldRef: { fieldPath: metadata.uid } }
    - name: LOGSHIPPER_POD_NODE
      valueFrom: { fieldRef: { fieldPath: spec.nodeName } }
    - name: LOGSHIPPER_POD_SERVICE_ACCOUNT
      valueFrom: { fieldRef: { fieldPath: spec.serviceAccountName } }
    - name: LOGSHIPPER_POD_LABELS_FILE
      value: /etc/podinfo/labels
    - name: LOGSHIPPER_POD_ANNOTATIONS_FILE
      value: /etc/podinfo/annotations
    {{- with $values.env }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  ports:
    - name: logshipper
      containerPort: 9614
  {{- if $values.startupProbe }}
  startupProbe:
    httpGet: { path: /startupz, port: logshipper }
    periodSeconds: 1
    failureThreshold: 30
  {{- end }}
  livenessProbe:
    httpGet: { path: /livez, port: logshipper }
    periodSeconds: 10
    timeoutSeconds: 5
  readinessProbe:
    httpGet: { path: /readyz, port: logshipper }
    periodSeconds: 10
    timeoutSeconds: 5
  lifecycle:
    preStop:
      exec: { command: [logshipper, prestop] }
  {{- with $values.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    {{- if ne $values.platform "openshift" }}
    runAsUser: 65532
    runAsGroup: 65532
    {{- end }}
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: { drop: [ALL] }
    seccompProfile: { type: RuntimeDefault }
  volumeMounts:
    - name: {{ $values.volume | quote }}
      mountPath: /var/log/app
    - name: {{ $values.state.volume | default "logshipper-state" | quote }}
      mountPath: /var/lib/logshipper
    - name: logshipper-config
      mountPath: /etc/logshipper
      readOnly: true
    - name: logshipper-podinfo
      mountPath: /etc/podinfo
      readOnly: true
{{- end -}}
{{- end -}}

{{/* Items of `volumes`: all that the container mounts but the volume of the logs, which is the application's. */}}
{{- define "logshipper.volumes" -}}
{{- $values := include "logshipper.values" . | fromYaml -}}
{{- if $values.enabled -}}
- name: logshipper-config
  configMap:
    name: {{ $values.configMap | quote }}
    optional: true
{{- if not $values.state.volume }}
- name: logshipper-state
  emptyDir: { sizeLimit: {{ $values.state.sizeLimit | quote }} }
{{- end }}
- name: logshipper-podinfo
  downwardAPI:
    items:
      - path: labels
        fieldRef: { fieldPath: metadata.labels }
      - path: annotations
        fieldRef: { fieldPath: metadata.annotations }
{{- end -}}
{{- end -}}

{{/* Labels of the pod. PodMonitor and NetworkPolicy find it by them. */}}
{{- define "logshipper.labels" -}}
{{- $values := include "logshipper.values" . | fromYaml -}}
{{- if $values.enabled -}}
logshipper.io/shipper: sidecar
{{- end -}}
{{- end -}}

{{/*
Annotations of the pod: those of `scrapeAnnotations`, or none. There is no checksum of the ConfigMap, which would roll the
pods: an edit of it reaches a running shipper by itself.
*/}}
{{- define "logshipper.annotations" -}}
{{- $values := include "logshipper.values" . | fromYaml -}}
{{- if and $values.enabled $values.scrapeAnnotations -}}
prometheus.io/scrape: "true"
prometheus.io/port: "9614"
prometheus.io/path: /metrics
{{- end -}}
{{- end -}}

{{/*
Keys of the pod's `securityContext`: through this group the shipper reads what the application writes with mode 0640. A
pod that has an fsGroup keeps it and needs nothing from here. Nothing on OpenShift, which gives each namespace one.
*/}}
{{- define "logshipper.podSecurityContext" -}}
{{- $values := include "logshipper.values" . | fromYaml -}}
{{- if and $values.enabled (ne $values.platform "openshift") -}}
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
{{- end -}}
{{- end -}}

{{/* The ConfigMap, whole, if `config` has something in it. */}}
{{- define "logshipper.configMap" -}}
{{- $values := include "logshipper.values" . | fromYaml -}}
{{- if and $values.enabled $values.config -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $values.configMap | quote }}
data:
  config.yaml: |
    {{- if kindIs "string" $values.config }}
    {{- $values.config | nindent 4 }}
    {{- else }}
    {{- toYaml $values.config | nindent 4 }}
    {{- end }}
{{- end -}}
{{- end -}}
