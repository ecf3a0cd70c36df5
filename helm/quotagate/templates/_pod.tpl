{{/* The pod template of both the Deployment and the StatefulSet. They differ in the controller and in the volume. */}}
{{- define "quotagate.pod" -}}
metadata:
  labels:
    {{- include "quotagate.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- include "quotagate.configChecksum" . | nindent 4 }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "quotagate.podIdentity" . | nindent 2 }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  terminationGracePeriodSeconds: {{ include "quotagate.graceSeconds" . }}
  {{- if .Values.configCheck.init }}
  initContainers:
    - {{- include "quotagate.checkContainer" . | nindent 6 }}
  {{- end }}
  containers:
    - {{- include "quotagate.container" . | nindent 6 }}
  volumes:
    {{- include "quotagate.volumes" . | nindent 4 }}
    {{- if include "quotagate.withRedis" . }}
    {{- include "quotagate.emptyData" . | nindent 4 }}
    {{- else if .Values.persistence.existingClaim }}
    - name: data
      persistentVolumeClaim:
        claimName: {{ .Values.persistence.existingClaim }}
    {{- end }}
  {{- include "quotagate.scheduling" . | nindent 2 }}
  {{- with include "quotagate.spread" . | fromYamlArray }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* A changed config replaces the pods. */}}
{{- define "quotagate.configChecksum" -}}
checksum/config: {{ include "quotagate.config" . | sha256sum }}
{{- end }}

{{/* As whom a pod of this chart runs, and with what it pulls its image. */}}
{{- define "quotagate.podIdentity" -}}
# quotagate never calls the Kubernetes API. Service links would set QUOTAGATE_… variables, which are settings.
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- end }}

{{- define "quotagate.scheduling" -}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" }}
{{- with get $.Values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/* A list. Default with Redis: over zones and nodes, as far as possible. A constraint without a selector counts the pods of this release. */}}
{{- define "quotagate.spread" -}}
{{- $spread := .Values.topologySpreadConstraints }}
{{- if kindIs "invalid" $spread }}
{{- $spread = list }}
{{- if include "quotagate.withRedis" . }}
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
{{- $spread = append $spread (dict "maxSkew" 1 "topologyKey" . "whenUnsatisfiable" "ScheduleAnyway") }}
{{- end }}
{{- end }}
{{- end }}
{{- $selector := dict "matchLabels" (include "quotagate.selectorLabels" . | fromYaml) }}
{{- range $spread }}
{{- $constraint := deepCopy . }}
{{- if not (hasKey . "labelSelector") }}
{{- $_ := set $constraint "labelSelector" $selector }}
{{- end }}
{{ toYaml (list $constraint) }}
{{- end }}
{{- end }}
