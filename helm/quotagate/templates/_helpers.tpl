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
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: gateway
app.kubernetes.io/part-of: quotagate
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* `yes` or empty. */}}
{{- define "quotagate.withRedis" -}}
{{- if include "quotagate.redisForm" . }}yes{{ end }}
{{- end }}

{{/* How config.store says where Redis is: redis, sentinel or cluster; empty for the embedded ledger. */}}
{{- define "quotagate.redisForm" -}}
{{- range list "redis" "sentinel" "cluster" }}
{{- if dig "store" . "" $.Values.config }}{{ . }}{{ end }}
{{- end }}
{{- end }}

{{/* The port of a listener, from the config. Call with (list $ "admin"). */}}
{{- define "quotagate.port" -}}
{{- $defaults := dict "gateway" "0.0.0.0:8080" "admin" "127.0.0.1:9080" "ops" "0.0.0.0:9091" }}
{{- $listener := index . 1 }}
{{- dig "server" $listener (get $defaults $listener) (index . 0).Values.config | regexFind "[0-9]+$" }}
{{- end }}

{{- define "quotagate.replicas" -}}
{{- if kindIs "invalid" .Values.replicas }}
{{- ternary 2 1 (eq (include "quotagate.withRedis" .) "yes") }}
{{- else }}
{{- int .Values.replicas }}
{{- end }}
{{- end }}

{{/* Seconds that a shutdown may take, from the config. */}}
{{- define "quotagate.endSeconds" -}}
{{- $drain := dig "server" "drainMs" 5000 .Values.config }}
{{- $finish := dig "server" "finishMs" 15000 .Values.config }}
{{- divf (addf $drain $finish) 1000 | ceil | int }}
{{- end }}

{{/* Default: the shutdown time plus 15 seconds for pending settlements. */}}
{{- define "quotagate.graceSeconds" -}}
{{- if kindIs "invalid" .Values.terminationGracePeriodSeconds }}
{{- add (include "quotagate.endSeconds" . | int) 15 }}
{{- else }}
{{- int .Values.terminationGracePeriodSeconds }}
{{- end }}
{{- end }}

{{- define "quotagate.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{/* The config plus the paths of what the chart mounts. */}}
{{- define "quotagate.config" -}}
{{- $config := mustDeepCopy .Values.config }}
{{- $store := default dict $config.store }}
{{- if not (include "quotagate.withRedis" .) }}
{{- $_ := set $store "embedded" (dict "path" "/data") }}
{{- else if .Values.redis.existingSecret }}
{{- $form := include "quotagate.redisForm" . }}
{{- $login := ternary $store (get $store $form) (eq $form "redis") }}
{{- $_ := set $login "passwordFile" (printf "/run/secrets/redis/%s" .Values.redis.passwordKey) }}
{{- end }}
{{- $_ := set $config "store" $store }}
{{- if .Values.bootstrapToken.existingSecret }}
{{- $file := printf "/run/secrets/bootstrap/%s" .Values.bootstrapToken.key }}
{{- $_ := set $config "admin" (mustMerge (dict "bootstrapTokenFile" $file) (default dict $config.admin)) }}
{{- end }}
{{- toYaml $config }}
{{- end }}
