{{/* Rejects combinations of values that cannot work. The values schema has rejected single invalid values before. */}}
{{- define "quotagate.refusals" -}}
{{- include "quotagate.refusals.mode" . }}
{{- include "quotagate.refusals.store" . }}
{{- include "quotagate.refusals.spool" . }}
{{- include "quotagate.refusals.admin" . }}
{{- include "quotagate.refusals.scaling" . }}
{{- include "quotagate.refusals.listeners" . }}
{{- include "quotagate.refusals.stop" . }}
{{- end }}

{{- define "quotagate.refusals.store" -}}
{{- $redis := include "quotagate.withRedis" . }}
{{- if gt (len (pick (default dict .Values.config.store) "redis" "sentinel" "cluster")) 1 }}
{{- fail "config.store: has several of redis, sentinel and cluster; keep one" }}
{{- end }}
{{- if and (not $redis) .Values.redis.existingSecret }}
{{- fail "redis.existingSecret: there is no Redis in config.store whose password it could be" }}
{{- end }}
{{- if and .Values.redis.sentinelPasswordKey (ne (include "quotagate.redisForm" .) "sentinel") }}
{{- fail "redis.sentinelPasswordKey: config.store.sentinel is not set" }}
{{- end }}
{{- if and .Values.redis.sentinelPasswordKey (not .Values.redis.existingSecret) }}
{{- fail "redis.sentinelPasswordKey: needs redis.existingSecret, the Secret that has this key" }}
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
{{- if dig "store" "embedded" "" .Values.config }}
{{- fail "config.store.embedded: the chart sets it, to the volume; see persistence" }}
{{- end }}
{{- end }}

{{/* With Redis, /data and every emptyDir are deleted with the pod, and the settlements in them. */}}
{{- define "quotagate.refusals.spool" -}}
{{- $path := dig "spool" "path" "" .Values.config }}
{{- if and $path (include "quotagate.withRedis" .) }}
{{- $lasting := false }}
{{- range $mount := .Values.extraVolumeMounts }}
{{- $isIn := hasPrefix (printf "%s/" (trimSuffix "/" $mount.mountPath)) (printf "%s/" $path) }}
{{- range $.Values.extraVolumes }}
{{- if and $isIn (eq .name $mount.name) (not (hasKey . "emptyDir")) }}{{ $lasting = true }}{{ end }}
{{- end }}
{{- end }}
{{- if not $lasting }}
{{- fail (printf "config.spool.path: %s is deleted with the pod; put it on a volume that outlives the pod, with extraVolumes and extraVolumeMounts" $path) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "quotagate.refusals.admin" -}}
{{- $on := include "quotagate.port" (list . "admin") }}
{{- $file := dig "admin" "bootstrapTokenFile" "" .Values.config }}
{{- if and .Values.bootstrapToken.existingSecret $file }}
{{- fail "bootstrapToken.existingSecret: config.admin.bootstrapTokenFile is set already; keep one of the two" }}
{{- end }}
{{- if and .Values.bootstrapToken.existingSecret (not $on) }}
{{- fail "bootstrapToken.existingSecret: config.server.admin is off, so no one could use this token" }}
{{- end }}
{{- if and $on (include "quotagate.withRedis" .) .Values.bootstrapToken.required (not (or .Values.bootstrapToken.existingSecret $file)) }}
{{- fail "bootstrapToken.existingSecret: needed until the store has an admin token for all orgs; if it has one, set bootstrapToken.required to false" }}
{{- end }}
{{- if and .Values.networkPolicy.adminFrom (not $on) }}
{{- fail "networkPolicy.adminFrom: config.server.admin is off" }}
{{- end }}
{{- end }}

{{- define "quotagate.refusals.mode" -}}
{{- if include "quotagate.sidecar" . }}
{{- if not (include "quotagate.withRedis" .) }}
{{- fail "mode: a sidecar cannot have the embedded ledger, which is one process only; set config.store.redis, config.store.sentinel or config.store.cluster" }}
{{- end }}
{{- if include "quotagate.port" (list . "admin") }}
{{- fail "config.server.admin: must be off in a sidecar; the admin API is in the standalone release on the same Redis" }}
{{- end }}
{{- if not (kindIs "invalid" .Values.replicas) }}
{{- fail "replicas: the chart of the app sets the number of pods that have a sidecar" }}
{{- end }}
{{- range list "autoscaling" "podDisruptionBudget" "networkPolicy" "adminService" "httpRoute" "ingress" "serviceMonitor" }}
{{- if (get $.Values .).enabled }}
{{- fail (printf "%s.enabled: has no effect on a sidecar; its pods and Services are those of the app" .) }}
{{- end }}
{{- end }}
{{- else if .Values.podMonitor.enabled }}
{{- fail "podMonitor.enabled: is for sidecars; the standalone gateway has serviceMonitor" }}
{{- end }}
{{- end }}

{{- define "quotagate.refusals.scaling" -}}
{{- if not (include "quotagate.withRedis" .) }}
{{- if gt (int (include "quotagate.replicas" .)) 1 }}
{{- fail "replicas: the embedded ledger is one process only; for more replicas set config.store.redis, config.store.sentinel or config.store.cluster" }}
{{- end }}
{{- if .Values.autoscaling.enabled }}
{{- fail "autoscaling.enabled: the embedded ledger is one process only; to scale set config.store.redis, config.store.sentinel or config.store.cluster" }}
{{- end }}
{{- if .Values.podDisruptionBudget.enabled }}
{{- fail "podDisruptionBudget.enabled: the embedded ledger has one pod, so a budget would block every drain of its node" }}
{{- end }}
{{- end }}
{{- with .Values.autoscaling }}
{{- if .enabled }}
{{- if not (kindIs "invalid" $.Values.replicas) }}
{{- fail "replicas: autoscaling sets the number; use autoscaling.minReplicas and autoscaling.maxReplicas" }}
{{- end }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
{{- fail "autoscaling.minReplicas: is above autoscaling.maxReplicas" }}
{{- end }}
{{- if not (or .cpuPercent .eventLoopLag.enabled) }}
{{- fail "autoscaling.cpuPercent: without it and without autoscaling.eventLoopLag there is nothing to scale on" }}
{{- end }}
{{- if and .cpuPercent (not (dig "requests" "cpu" "" $.Values.resources)) }}
{{- fail "autoscaling.cpuPercent: is a percentage of resources.requests.cpu, which is not set" }}
{{- end }}
{{- else if .eventLoopLag.enabled }}
{{- fail "autoscaling.eventLoopLag.enabled: needs autoscaling.enabled" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "quotagate.refusals.listeners" -}}
{{- $gateway := list . "gateway" }}
{{- if and (not (include "quotagate.sidecar" .)) (include "quotagate.onLoopback" $gateway) }}
{{- fail "config.server.gateway: listens on loopback, so the Service could not reach it" }}
{{- end }}
{{- if include "quotagate.withAdminService" . }}
{{- if not (include "quotagate.port" (list . "admin")) }}
{{- fail "adminService.enabled: config.server.admin is off" }}
{{- end }}
{{- if include "quotagate.onLoopback" (list . "admin") }}
{{- fail "adminService.enabled: config.server.admin listens on loopback, so the Service could not reach it" }}
{{- end }}
{{- end }}
{{- include "quotagate.refusals.exposed" (list . "" .Values) }}
{{- include "quotagate.refusals.exposed" (list . "adminService." .Values.adminService) }}
{{- if or .Values.adminService.httpRoute.enabled .Values.adminService.ingress.enabled }}
{{- if not (include "quotagate.withAdminService" .) }}
{{- fail "adminService: has no Service that the httpRoute or ingress could lead to; set adminService.enabled" }}
{{- end }}
{{- $own := concat .Values.httpRoute.hostnames .Values.ingress.hosts }}
{{- range concat .Values.adminService.httpRoute.hostnames .Values.adminService.ingress.hosts }}
{{- if has . $own }}
{{- fail (printf "adminService: the admin API needs a host of its own; %s is the gateway's" .) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Call with the scope, the path of the values as a prefix, and the values that have httpRoute and ingress. */}}
{{- define "quotagate.refusals.exposed" -}}
{{- $path := index . 1 }}
{{- with index . 2 }}
{{- if .httpRoute.enabled }}
{{- if not .httpRoute.parentRefs }}
{{- fail (printf "%shttpRoute.parentRefs: name the Gateway that the route belongs to" $path) }}
{{- end }}
{{- if and $path (not .httpRoute.hostnames) }}
{{- fail (printf "%shttpRoute.hostnames: the admin API needs a host of its own" $path) }}
{{- end }}
{{- end }}
{{- if and .ingress.enabled (not .ingress.hosts) }}
{{- fail (printf "%singress.hosts: name the hosts; without one it would take every host of the controller" $path) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "quotagate.refusals.stop" -}}
{{- $longest := include "quotagate.longestStream" . | int }}
{{- if gt $longest 3600 }}
{{- fail "longestStreamSeconds: an upstream's timeouts.totalMs is above one hour, and a pod waits no longer; set longestStreamSeconds to at most 3600, and longer responses are cut off and settled" }}
{{- end }}
{{- if gt (mul 1000 $longest) (include "quotagate.finishMs" . | int64) }}
{{- fail (printf "config.server.finishMs: shorter than the longest stream of %d seconds (longestStreamSeconds, or else timeouts.totalMs of an upstream), which a stop would cut off; leave finishMs out" $longest) }}
{{- end }}
{{- $needed := add 10 (include "quotagate.endSeconds" . | int) }}
{{- if lt (include "quotagate.graceSeconds" . | int64) $needed }}
{{- fail (printf "terminationGracePeriodSeconds: shorter than the %d seconds of a stop: config.server.drainMs, finishMs, and 10 for settlements" $needed) }}
{{- end }}
{{- end }}
