{{- define "logshipper-injector.labels" -}}
app.kubernetes.io/name: logshipper-injector
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") | quote }}
{{- end -}}

{{- define "logshipper-injector.image" -}}
{{- with .Values.image -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}
{{- end -}}

{{/* The version of the policy's API, or a refusal that says what to do instead. */}}
{{- define "logshipper-injector.apiVersion" -}}
{{- $group := "admissionregistration.k8s.io" -}}
{{- $has := .Capabilities.APIVersions -}}
{{- if .Values.policy.apiVersion -}}
{{ $group }}/{{ .Values.policy.apiVersion }}
{{- else if or ($has.Has (printf "%s/v1/MutatingAdmissionPolicy" $group)) (semverCompare ">=1.36.0-0" .Capabilities.KubeVersion.Version) -}}
{{ $group }}/v1
{{- else if $has.Has (printf "%s/v1beta1/MutatingAdmissionPolicy" $group) -}}
{{ $group }}/v1beta1
{{- else -}}
{{- fail (printf "Kubernetes %s has no MutatingAdmissionPolicy: it needs 1.36, or 1.34 with the feature gate MutatingAdmissionPolicy and the API %s/v1beta1. Without it set policy.enabled=false, and add the sidecar with the kustomize component (k8s/component) or with logshipper inject: docs/install.md. To render without a cluster, set policy.apiVersion or --kube-version." .Capabilities.KubeVersion.Version $group) -}}
{{- end -}}
{{- end -}}

{{/* A map of quantities as CEL writes it. */}}
{{- define "logshipper-injector.quantities" -}}
{ {{- $first := true -}}
{{- range $name, $value := . -}}
{{- if not $first }}, {{ end }}'{{ $name }}': '{{ $value }}'{{ $first = false -}}
{{- end -}} }
{{- end -}}
