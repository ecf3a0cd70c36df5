{{/* What no single value shows, told in words. The values schema has refused the rest by now. */}}
{{- define "quotagate.refusals" -}}
{{- $redis := include "quotagate.withRedis" . }}
{{- if and (not $redis) (gt (int (include "quotagate.replicas" .)) 1) }}
{{- fail "replicas: the embedded ledger is one process only; for more replicas set config.store.redis" }}
{{- end }}
{{- if and $redis (not .Values.adminToken.existingSecret) (not (dig "admin" "tokenFile" "" .Values.config)) }}
{{- fail "adminToken.existingSecret: with Redis the first admin token comes from a Secret; name one" }}
{{- end }}
{{- if and (not $redis) .Values.redis.existingSecret }}
{{- fail "redis.existingSecret: there is no config.store.redis whose password it could be" }}
{{- end }}
{{- if and .Values.redis.existingSecret (dig "store" "passwordFile" "" .Values.config) }}
{{- fail "redis.existingSecret: config.store.passwordFile is set already; keep one of the two" }}
{{- end }}
{{- if and .Values.adminToken.existingSecret (dig "admin" "tokenFile" "" .Values.config) }}
{{- fail "adminToken.existingSecret: config.admin.tokenFile is set already; keep one of the two" }}
{{- end }}
{{- if dig "store" "embedded" "" .Values.config }}
{{- fail "config.store.embedded: the chart sets it, to the volume; see persistence" }}
{{- end }}
{{- if and .Values.adminService.enabled (regexMatch "^(127\\.|localhost:|\\[::1\\]:)" (dig "server" "admin" "127.0.0.1:9080" .Values.config)) }}
{{- fail "adminService.enabled: config.server.admin listens on loopback, so the Service could not reach it" }}
{{- end }}
{{- if ge (int .Values.preStopSeconds) (int .Values.terminationGracePeriodSeconds) }}
{{- fail "preStopSeconds: terminationGracePeriodSeconds must be longer, or nothing is drained" }}
{{- end }}
{{- end }}
