{{/* The gateway's container, in a pod of its own or beside an app. */}}
{{- define "quotagate.container" -}}
name: quotagate
image: {{ include "quotagate.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- if include "quotagate.sidecar" . }}
# A native sidecar: Kubernetes starts it before the app, and stops it after the app.
restartPolicy: Always
{{- end }}
{{- with .Values.env }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  {{- range $listener := list "gateway" "admin" "ops" }}
  {{- with include "quotagate.port" (list $ $listener) }}
  - name: {{ include "quotagate.portName" (list $ $listener) }}
    containerPort: {{ . }}
    protocol: TCP
  {{- end }}
  {{- end }}
# Allows a slow start: the embedded ledger is loaded first.
startupProbe:
  httpGet: { path: /healthz, port: {{ include "quotagate.portName" (list . "ops") }} }
  {{- toYaml .Values.probes.startup | nindent 2 }}
# Neither probe depends on Redis: a restart would not help, and each route defines what happens without the store.
livenessProbe:
  httpGet: { path: /healthz, port: {{ include "quotagate.portName" (list . "ops") }} }
  {{- toYaml .Values.probes.liveness | nindent 2 }}
readinessProbe:
  httpGet: { path: /readyz, port: {{ include "quotagate.portName" (list . "ops") }} }
  {{- toYaml .Values.probes.readiness | nindent 2 }}
{{ include "quotagate.confinement" . }}
{{- end }}

{{/* Checks the config as the gateway will see it: the file, the environment and the mounted secrets. */}}
{{- define "quotagate.checkContainer" -}}
name: {{ include "quotagate.volumeName" (list . "check-config") }}
image: {{ include "quotagate.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [check, -c, /etc/quotagate/quotagate.yaml, --secrets]
{{- with .Values.env }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{ include "quotagate.confinement" . }}
{{- end }}

{{/* What a container may do and use. */}}
{{- define "quotagate.confinement" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
  {{- if include "quotagate.sidecar" . }}
  {{- /* The pod is the app's, and so is its security context. */}}
  {{- toYaml (pick .Values.podSecurityContext "runAsNonRoot" "runAsUser" "runAsGroup" "seccompProfile") | nindent 2 }}
  {{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - { name: {{ include "quotagate.volumeName" (list . "config") }}, mountPath: /etc/quotagate, readOnly: true }
  - { name: {{ include "quotagate.volumeName" (list . "tmp") }}, mountPath: /tmp }
  - { name: {{ include "quotagate.volumeName" (list . "data") }}, mountPath: /data }
  {{- range $name, $_ := include "quotagate.secrets" . | fromYaml }}
  - { name: {{ include "quotagate.volumeName" (list $ (printf "secret-%s" $name)) }}, mountPath: /run/secrets/{{ $name }}, readOnly: true }
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* The volumes of these mounts; the caller adds `data`. */}}
{{- define "quotagate.volumes" -}}
- name: {{ include "quotagate.volumeName" (list . "config") }}
  configMap:
    name: {{ include "quotagate.fullname" . }}
- name: {{ include "quotagate.volumeName" (list . "tmp") }}
  emptyDir: { sizeLimit: 64Mi }
{{- range $name, $secret := include "quotagate.secrets" . | fromYaml }}
- name: {{ include "quotagate.volumeName" (list $ (printf "secret-%s" $name)) }}
  secret:
    secretName: {{ $secret }}
    # Beside an app, no fsGroup gives the files to the group of the gateway.
    defaultMode: {{ include "quotagate.sidecar" $ | empty | ternary "0440" "0444" }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Where nothing is kept. Mounted so that the runtime creates no anonymous volume for the image's VOLUME. */}}
{{- define "quotagate.emptyData" -}}
- name: {{ include "quotagate.volumeName" (list . "data") }}
  emptyDir: { sizeLimit: 1Mi }
{{- end }}
