{{/* Whether a monitor is to be created: `yes` or empty. Call with (list $ "ServiceMonitor" $values). */}}
{{- define "quotagate.withMonitor" -}}
{{- $root := index . 0 }}
{{- $crd := $root.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" (index . 1)) }}
{{- with index . 2 }}
{{- if and .enabled (or $crd (not .requireCrd)) }}yes{{ end }}
{{- end }}
{{- end }}

{{/* What ServiceMonitor and PodMonitor have in common. Call both with (list $ $values). */}}
{{- define "quotagate.monitorMetadata" -}}
{{- $root := index . 0 }}
{{- with index . 1 }}
name: {{ include "quotagate.fullname" $root }}
{{- with .namespace }}
namespace: {{ . }}
{{- end }}
labels:
  {{- include "quotagate.labels" $root | nindent 2 }}
  {{- with .additionalLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "quotagate.monitorEndpoint" -}}
{{- $root := index . 0 }}
{{- with index . 1 }}
port: {{ include "quotagate.portName" (list $root "ops") }}
path: /metrics
honorLabels: {{ .honorLabels }}
{{- with .interval }}
interval: {{ . }}
{{- end }}
{{- with .scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- with .relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
