{{/* How a Service is reached from outside of the cluster. Call both with (dict "root" $ "name" … "port" … "values" …). */}}

{{- define "quotagate.httpRoute" -}}
{{- with .values }}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {{ $.name }}
  labels:
    {{- include "quotagate.labels" $.root | nindent 4 }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  parentRefs:
    {{- toYaml .parentRefs | nindent 4 }}
  {{- with .hostnames }}
  hostnames:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  rules:
    - matches:
        {{- range .paths }}
        - path: { type: PathPrefix, value: {{ . | quote }} }
        {{- end }}
      backendRefs:
        - name: {{ $.name }}
          port: {{ $.port }}
      {{- with .timeouts }}
      timeouts:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}
{{- end }}

{{- define "quotagate.ingress" -}}
{{- with .values }}
{{- $values := . }}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ $.name }}
  labels:
    {{- include "quotagate.labels" $.root | nindent 4 }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with .className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- with .tlsSecret }}
  tls:
    - secretName: {{ . }}
      hosts:
        {{- toYaml $values.hosts | nindent 8 }}
  {{- end }}
  rules:
    {{- range .hosts }}
    - host: {{ . | quote }}
      http:
        paths:
          {{- range $values.paths }}
          - path: {{ . | quote }}
            pathType: Prefix
            backend:
              service:
                name: {{ $.name }}
                port: { number: {{ $.port }} }
          {{- end }}
    {{- end }}
{{- end }}
{{- end }}
