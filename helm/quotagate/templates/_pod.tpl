{{/* The pod, the same in both forms; they differ in what keeps it running and in the volume. */}}
{{- define "quotagate.pod" -}}
metadata:
  labels:
    {{- include "quotagate.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # Another config is another pod.
    checksum/config: {{ include "quotagate.config" . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  # It never calls the Kubernetes API, and QUOTAGATE_… variables are settings.
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with .Values.serviceAccountName }}
  serviceAccountName: {{ . }}
  {{- end }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  terminationGracePeriodSeconds: {{ include "quotagate.graceSeconds" . }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  containers:
    - name: quotagate
      image: {{ include "quotagate.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      {{- with .Values.env }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        {{- range $listener := list "gateway" "admin" "ops" }}
        - name: {{ $listener }}
          containerPort: {{ include "quotagate.port" (list $ $listener) }}
          protocol: TCP
        {{- end }}
      # Slow to start is not dead: the embedded ledger is read first.
      startupProbe:
        httpGet: { path: /healthz, port: ops }
        periodSeconds: 1
        failureThreshold: 60
      # Neither follows Redis: a restart would not bring it back, and a route may say what happens without it.
      livenessProbe:
        httpGet: { path: /healthz, port: ops }
        periodSeconds: 10
        timeoutSeconds: 3
        failureThreshold: 3
      readinessProbe:
        httpGet: { path: /readyz, port: ops }
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 1
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - { name: config, mountPath: /etc/quotagate, readOnly: true }
        - { name: tmp, mountPath: /tmp }
        - { name: data, mountPath: /data }
        {{- range $name, $_ := include "quotagate.secrets" . | fromYaml }}
        - { name: secret-{{ $name }}, mountPath: /run/secrets/{{ $name }}, readOnly: true }
        {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "quotagate.fullname" . }}
    - name: tmp
      emptyDir: { sizeLimit: 64Mi }
    {{- if include "quotagate.withRedis" . }}
    # Nothing is kept here with Redis; mounted, so that the image's own volume is not.
    - name: data
      emptyDir: { sizeLimit: 1Mi }
    {{- else if .Values.persistence.existingClaim }}
    - name: data
      persistentVolumeClaim:
        claimName: {{ .Values.persistence.existingClaim }}
    {{- end }}
    {{- range $name, $secret := include "quotagate.secrets" . | fromYaml }}
    - name: secret-{{ $name }}
      secret:
        secretName: {{ $secret }}
        defaultMode: 0440
    {{- end }}
  {{- range $key := list "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" }}
  {{- with get $.Values $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end }}

{{/* Which Secret stands in which folder under /run/secrets. */}}
{{- define "quotagate.secrets" -}}
{{- $secrets := deepCopy .Values.secrets }}
{{- with .Values.redis.existingSecret }}{{ $_ := set $secrets "redis" . }}{{ end }}
{{- with .Values.bootstrapToken.existingSecret }}{{ $_ := set $secrets "bootstrap" . }}{{ end }}
{{- toYaml $secrets }}
{{- end }}
