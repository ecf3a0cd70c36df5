{{/*
For the pod spec of another chart that has this one as a dependency with `mode: sidecar`. Call each with the scope of
the dependency, `.Subcharts.quotagate`. See helm/examples/app-with-sidecar.
*/}}

{{/* Items of spec.initContainers: before other init containers that call the gateway. */}}
{{- define "quotagate.sidecar.initContainers" -}}
{{- if .Values.configCheck.init }}
- {{- include "quotagate.checkContainer" . | nindent 2 }}
{{- end }}
- {{- include "quotagate.container" . | nindent 2 }}
{{- end }}

{{/* Items of spec.volumes. */}}
{{- define "quotagate.sidecar.volumes" -}}
{{ include "quotagate.volumes" . }}
{{ include "quotagate.emptyData" . }}
{{- end }}

{{/* Labels of the pod: a PodMonitor selects by them. */}}
{{- define "quotagate.sidecar.labels" -}}
quotagate/sidecar: {{ include "quotagate.fullname" . }}
{{- end }}

{{/* Annotations of the pod. */}}
{{- define "quotagate.sidecar.annotations" -}}
{{ include "quotagate.configChecksum" . }}
{{- end }}

{{/* terminationGracePeriodSeconds: Kubernetes stops the sidecar after the app. Call with the scope and the seconds of the app. */}}
{{- define "quotagate.sidecar.graceSeconds" -}}
{{- add (index . 1) (include "quotagate.graceSeconds" (index . 0) | int) }}
{{- end }}

{{/* The port of the gateway in the pod: the target of the app's Service, or where the app connects. */}}
{{- define "quotagate.sidecar.port" -}}
{{ include "quotagate.port" (list . "gateway") }}
{{- end }}
