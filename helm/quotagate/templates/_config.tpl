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

{{/* The address of a listener, or `off`. Call with (list $ "admin"). */}}
{{- define "quotagate.address" -}}
{{- $root := index . 0 }}
{{- $listener := index . 1 }}
{{- $admin := include "quotagate.sidecar" $root | empty | ternary "0.0.0.0:9080" "off" }}
{{- $default := get (dict "gateway" "0.0.0.0:8080" "admin" $admin "ops" "0.0.0.0:9091") $listener }}
{{- $given := dig "server" $listener nil $root.Values.config }}
{{- /* Helm reads an unquoted `off` as false. */}}
{{- if kindIs "bool" $given }}off{{ else }}{{ default $default $given }}{{ end }}
{{- end }}

{{/* The port of a listener; empty if it is off. Call with (list $ "admin"). */}}
{{- define "quotagate.port" -}}
{{- include "quotagate.address" . | regexFind "[0-9]+$" }}
{{- end }}

{{/* Whether a listener accepts connections of its own pod only: `yes` or empty. Call with (list $ "admin"). */}}
{{- define "quotagate.onLoopback" -}}
{{- if regexMatch "^(127\\.|localhost:|\\[::1\\]:)" (include "quotagate.address" .) }}yes{{ end }}
{{- end }}

{{/* Seconds that a response may take: as stated, else the longest of the upstreams' bounds; 0 if nothing states it. */}}
{{- define "quotagate.longestStream" -}}
{{- if kindIs "invalid" .Values.longestStreamSeconds }}
{{- $longest := 0 }}
{{- range .Values.config.upstreams }}
{{- $longest = max $longest (dig "timeouts" "totalMs" 0 .) }}
{{- end }}
{{- divf $longest 1000 | ceil | int }}
{{- else }}
{{- int .Values.longestStreamSeconds }}
{{- end }}
{{- end }}

{{/* How long a gateway waits for requests in flight. */}}
{{- define "quotagate.finishMs" -}}
{{- $given := dig "server" "finishMs" nil .Values.config }}
{{- $longest := mul 1000 (include "quotagate.longestStream" . | int) }}
{{- kindIs "invalid" $given | ternary (max 15000 $longest) $given | int }}
{{- end }}

{{/* A sidecar stops after the app, when no caller is left to move to another replica. */}}
{{- define "quotagate.drainMs" -}}
{{- $default := include "quotagate.sidecar" . | empty | ternary 5000 0 }}
{{- $given := dig "server" "drainMs" nil .Values.config }}
{{- kindIs "invalid" $given | ternary $default $given | int }}
{{- end }}

{{/* Seconds that a shutdown may take, without the settlements. */}}
{{- define "quotagate.endSeconds" -}}
{{- divf (add (include "quotagate.drainMs" .) (include "quotagate.finishMs" .)) 1000 | ceil | int }}
{{- end }}

{{/* Default: the shutdown time plus 15 seconds for pending settlements. */}}
{{- define "quotagate.graceSeconds" -}}
{{- if kindIs "invalid" .Values.terminationGracePeriodSeconds }}
{{- add (include "quotagate.endSeconds" . | int) 15 }}
{{- else }}
{{- int .Values.terminationGracePeriodSeconds }}
{{- end }}
{{- end }}

{{/* The config, with the listeners, the time to stop, and the paths of what the chart mounts. */}}
{{- define "quotagate.config" -}}
{{- $config := mustDeepCopy .Values.config }}
{{- $server := default dict $config.server }}
{{- range list "gateway" "admin" "ops" }}
{{- $_ := set $server . (include "quotagate.address" (list $ .)) }}
{{- end }}
{{- $_ := set $server "drainMs" (include "quotagate.drainMs" . | int) }}
{{- $_ := set $server "finishMs" (include "quotagate.finishMs" . | int) }}
{{- $_ := set $config "server" $server }}
{{- $store := default dict $config.store }}
{{- if not (include "quotagate.withRedis" .) }}
{{- $_ := set $store "embedded" (dict "path" "/data") }}
{{- else if .Values.redis.existingSecret }}
{{- include "quotagate.setRedisPasswords" (list . $store) }}
{{- end }}
{{- $_ := set $config "store" $store }}
{{- if .Values.bootstrapToken.existingSecret }}
{{- $file := printf "/run/secrets/bootstrap/%s" .Values.bootstrapToken.key }}
{{- $_ := set $config "admin" (mustMerge (dict "bootstrapTokenFile" $file) (default dict $config.admin)) }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{/* Sets the paths of the passwords in the section `store`. Call with (list $ $store). */}}
{{- define "quotagate.setRedisPasswords" -}}
{{- $root := index . 0 }}
{{- $store := index . 1 }}
{{- $form := include "quotagate.redisForm" $root }}
{{- $login := eq $form "redis" | ternary $store (get $store $form) }}
{{- $_ := set $login "passwordFile" (printf "/run/secrets/redis/%s" $root.Values.redis.passwordKey) }}
{{- with $root.Values.redis.sentinelPasswordKey }}
{{- $file := dict "passwordFile" (printf "/run/secrets/redis/%s" .) }}
{{- $_ := set $login "sentinelAuth" (mustMerge $file (default dict $login.sentinelAuth)) }}
{{- end }}
{{- end }}

{{/* Folder under /run/secrets → name of the Secret. */}}
{{- define "quotagate.secrets" -}}
{{- $secrets := deepCopy .Values.secrets }}
{{- with .Values.redis.existingSecret }}{{ $_ := set $secrets "redis" . }}{{ end }}
{{- with .Values.bootstrapToken.existingSecret }}{{ $_ := set $secrets "bootstrap" . }}{{ end }}
{{- toYaml $secrets }}
{{- end }}
