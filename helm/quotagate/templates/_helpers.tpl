{{- define "quotagate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Short enough that a name with any suffix of this chart fits into 63 characters. */}}
{{- define "quotagate.fullname" -}}
{{- $name := include "quotagate.name" . }}
{{- $release := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $release .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{/* Only labels that never change: Kubernetes does not allow changes of selectors and volume claims. */}}
{{- define "quotagate.selectorLabels" -}}
app.kubernetes.io/name: {{ include "quotagate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "quotagate.labels" -}}
{{ include "quotagate.selectorLabels" . }}
{{ include "quotagate.commonLabels" . }}
app.kubernetes.io/component: gateway
{{- end }}

{{/* Labels that no selector uses. */}}
{{- define "quotagate.commonLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: quotagate
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "quotagate.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{/* `yes` in a pod of another chart, else empty. */}}
{{- define "quotagate.sidecar" -}}
{{- if eq .Values.mode "sidecar" }}yes{{ end }}
{{- end }}

{{/* Keeps the names of ports and volumes apart from those of the app that the sidecar stands beside. Call with (list $ "ops"). */}}
{{- define "quotagate.portName" -}}
{{- if include "quotagate.sidecar" (index . 0) }}quota-{{ end }}{{ index . 1 }}
{{- end }}

{{- define "quotagate.volumeName" -}}
{{- if include "quotagate.sidecar" (index . 0) }}quotagate-{{ end }}{{ index . 1 }}
{{- end }}

{{- define "quotagate.replicas" -}}
{{- if kindIs "invalid" .Values.replicas }}
{{- include "quotagate.withRedis" . | empty | ternary 1 2 }}
{{- else }}
{{- int .Values.replicas }}
{{- end }}
{{- end }}

{{/* `yes` or empty. Default: with Redis, because a single replica cannot stay available while its node is drained. */}}
{{- define "quotagate.withBudget" -}}
{{- if kindIs "invalid" .Values.podDisruptionBudget.enabled }}
{{- if not (include "quotagate.sidecar" .) }}{{ include "quotagate.withRedis" . }}{{ end }}
{{- else if .Values.podDisruptionBudget.enabled }}yes{{ end }}
{{- end }}

{{/* `yes` or empty. Default: where the admin listener is on. */}}
{{- define "quotagate.withAdminService" -}}
{{- if kindIs "invalid" .Values.adminService.enabled }}
{{- if include "quotagate.port" (list . "admin") }}yes{{ end }}
{{- else if .Values.adminService.enabled }}yes{{ end }}
{{- end }}
