{{/* The pod template of both the Deployment and the StatefulSet. They differ in the controller and in the volume. */}}
{{- define "quotagate.pod" -}}
metadata:
  labels:
    {{- include "quotagate.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # A changed config replaces the pods.
    checksum/config: {{ include "quotagate.config" . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  # quotagate never calls the Kubernetes API. Service links would set QUOTAGATE_… variables, which are settings.
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
      # Allows a slow start: the embedded ledger is loaded first.
      startupProbe:
        httpGet: { path: /healthz, port: ops }
        periodSeconds: 1
        failureThreshold: 60
      # Neither probe depends on Redis: a restart would not help, and each route defines what happens without the store.
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
    # Unused with Redis. Mounted so that the runtime creates no anonymous volume for the image's VOLUME.
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

{{/* Folder under /run/secrets → name of the Secret. */}}
{{- define "quotagate.secrets" -}}
{{- $secrets := deepCopy .Values.secrets }}
{{- with .Values.redis.existingSecret }}{{ $_ := set $secrets "redis" . }}{{ end }}
{{- with .Values.bootstrapToken.existingSecret }}{{ $_ := set $secrets "bootstrap" . }}{{ end }}
{{- toYaml $secrets }}
{{- end }}
