{{- define "posthorn.name" -}}
{{- default .Release.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "posthorn.labels" -}}
app.kubernetes.io/name: posthorn
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{/* (dict "root" . "component" "worker") */}}
{{- define "posthorn.selector" -}}
app.kubernetes.io/name: posthorn
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "posthorn.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}

{{/* A value as it was written: Helm's numbers are floats, and from a million on they show as 1e+06. */}}
{{- define "posthorn.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{- define "posthorn.account" -}}
{{- default (include "posthorn.name" .) .Values.serviceAccount.name -}}
{{- end -}}

{{/* A Secret's files are root's with this group and mode 0440: docs/operating.md, "Secret files". */}}
{{- define "posthorn.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "posthorn.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- define "posthorn.masterKeys" -}}
{{- $files := list -}}
{{- range .Values.masterKey.keys -}}
{{- $files = append $files (printf "/etc/posthorn/master/%s" .) -}}
{{- end -}}
{{- join "," $files -}}
{{- end -}}

{{/* What all pods have: the account, the pull secrets, and no variables of services. */}}
{{- define "posthorn.pod" -}}
serviceAccountName: {{ include "posthorn.account" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "posthorn.podSecurity" . | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* (dict "root" . "component" "worker" "affinity" .Values.worker.affinity) */}}
{{- define "posthorn.affinity" -}}
{{- if .affinity -}}
{{- toYaml .affinity -}}
{{- else -}}
podAntiAffinity:
  preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 100
      podAffinityTerm:
        topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "posthorn.selector" . | nindent 12 }}
{{- end -}}
{{- end -}}

{{/* The secret of a component's login: (dict "root" . "own" .Values.gateway.kafkaSecretName) */}}
{{- define "posthorn.login" -}}
{{- default .root.Values.kafka.secretName .own -}}
{{- end -}}

{{/* (dict "root" . "login" "posthorn-kafka"), as for posthorn.volumes */}}
{{- define "posthorn.mounts" -}}
- { name: config, mountPath: /etc/posthorn/posthorn.properties, subPath: posthorn.properties, readOnly: true }
{{- if .login }}
- { name: kafka, mountPath: /etc/posthorn/kafka, readOnly: true }
{{- end }}
{{- end -}}

{{- define "posthorn.volumes" -}}
- name: config
  configMap: { name: {{ include "posthorn.name" .root }} }
{{- with .login }}
- name: kafka
  secret: { secretName: {{ . }}, defaultMode: 0440 }
{{- end }}
{{- end -}}
