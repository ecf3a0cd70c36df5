{{/* Rejects combinations of values that cannot work. The values schema has rejected single invalid values before. */}}
{{- define "quotagate.refusals" -}}
{{- $redis := include "quotagate.withRedis" . }}
{{- if and (not $redis) (gt (int (include "quotagate.replicas" .)) 1) }}
{{- fail "replicas: the embedded ledger is one process only; for more replicas set config.store.redis, config.store.sentinel or config.store.cluster" }}
{{- end }}
{{- if and (not $redis) .Values.redis.existingSecret }}
{{- fail "redis.existingSecret: there is no Redis in config.store whose password it could be" }}
{{- end }}
{{- if .Values.redis.existingSecret }}
{{- if dig "store" "passwordFile" "" .Values.config }}
{{- fail "redis.existingSecret: config.store.passwordFile is set already; keep one of the two" }}
{{- end }}
{{- range list "sentinel" "cluster" }}
{{- if dig "store" . "passwordFile" "" $.Values.config }}
{{- fail (printf "redis.existingSecret: config.store.%s.passwordFile is set already; keep one of the two" .) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.bootstrapToken.existingSecret (dig "admin" "bootstrapTokenFile" "" .Values.config) }}
{{- fail "bootstrapToken.existingSecret: config.admin.bootstrapTokenFile is set already; keep one of the two" }}
{{- end }}
{{- if dig "store" "embedded" "" .Values.config }}
{{- fail "config.store.embedded: the chart sets it, to the volume; see persistence" }}
{{- end }}
{{- if and .Values.adminService.enabled (regexMatch "^(127\\.|localhost:|\\[::1\\]:)" (dig "server" "admin" "127.0.0.1:9080" .Values.config)) }}
{{- fail "adminService.enabled: config.server.admin listens on loopback, so the Service could not reach it" }}
{{- end }}
{{- if lt (int (include "quotagate.graceSeconds" .)) (int (include "quotagate.endSeconds" .)) }}
{{- fail "terminationGracePeriodSeconds: shorter than config.server.drainMs and finishMs together" }}
{{- end }}
{{- end }}
