{{/* The release's name is the name of a Service: RFC 1035. */}}
{{- define "egk8s.name" -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" .Release.Name) -}}
{{- fail (printf "the release name %q cannot be the name of a Service: lower-case letters, digits and -, beginning with a letter" .Release.Name) -}}
{{- end -}}
{{- .Release.Name -}}
{{- end -}}

{{/* What selects the pods. It never changes. */}}
{{- define "egk8s.selector" -}}
app.kubernetes.io/name: egk8s-gateway
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "egk8s.redisSelector" -}}
app.kubernetes.io/name: egk8s-redis
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "egk8s.labels" -}}
{{ include "egk8s.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: egk8s
{{- range $key, $value := .Values.labels }}
{{ $key | quote }}: {{ $value | toString | quote }}
{{- end }}
{{- end -}}

{{- define "egk8s.image" -}}
{{- with .Values.image -}}
{{- if .reference -}}
{{- .reference -}}
{{- else if and .repository .digest -}}
{{- printf "%s%s@%s" .repository (ternary "" (printf ":%s" .tag) (empty .tag)) .digest -}}
{{- else if and .repository .tag -}}
{{- printf "%s:%s" .repository .tag -}}
{{- else -}}
{{- fail "which image? set image.reference, or image.repository with image.tag (egk8s image push prints it)" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Keys of a ConfigMap cannot have a slash. */}}
{{- define "egk8s.key" -}}
{{- . | replace "/" "__" -}}
{{- end -}}

{{/* "true" when the chart makes the config objects itself. */}}
{{- define "egk8s.ownConfig" -}}
{{- if not .Values.config.objects.configMap -}}
{{- if not (or (hasKey .Values.config.files "gateway.config.yml") (hasKey .Values.config.files "gateway.config.json")) -}}
{{- fail "which configuration? helm … --set-file 'config.files.gateway\\.config\\.yml=config/gateway.config.yml', or egk8s deploy" -}}
{{- end -}}
{{- $given := merge (dict) .Values.config.files .Values.config.secretFiles -}}
{{- if not (or (hasKey $given "system.config.yml") (hasKey $given "system.config.json")) -}}
{{- fail "which system.config.yml? the gateway does not start without it: helm … --set-file 'config.secretFiles.system\\.config\\.yml=config/system.config.yml'" -}}
{{- end -}}
{{- range list "users" "applications" "credentials" -}}
{{- if not (hasKey $given (printf "models/%s.json" .)) -}}
{{- fail (printf "which models/%s.json? the gateway does not start without it: helm … --set-file 'config.files.models/%s\\.json=config/models/%s.json'" . . .) -}}
{{- end -}}
{{- end -}}
true
{{- end -}}
{{- end -}}

{{/* Where the gateway finds the consumers in the pod; empty when there are none. */}}
{{- define "egk8s.consumersPath" -}}
{{- if or .Values.consumers.content .Values.consumers.secret -}}
/etc/egk8s/consumers/{{ .Values.consumers.key }}
{{- end -}}
{{- end -}}

{{/* egk8s.settings.json: what Kubernetes adds to the user's files. */}}
{{- define "egk8s.settings" -}}
{{- $settings := dict "apiVersion" "egk8s.dev/v1alpha1" -}}
{{- with .Values.upstreams }}{{ $_ := set $settings "upstreams" . }}{{ end -}}
{{- with .Values.trustedProxies }}{{ $_ := set $settings "trustedProxies" . }}{{ end -}}
{{- $_ := set $settings "listen" (dict "http" ":8080" "https" ":8443" "admin" (printf "127.0.0.1:%v" .Values.adminPort) "status" ":9877" "metrics" ":9878") -}}
{{- $tls := dict -}}
{{- range $name, $secret := .Values.tls -}}
{{- $_ := set $tls $name (dict "cert" (printf "/etc/egk8s/tls/%s/tls.crt" $secret) "key" (printf "/etc/egk8s/tls/%s/tls.key" $secret)) -}}
{{- end -}}
{{- with $tls }}{{ $_ := set $settings "tls" . }}{{ end -}}
{{- $store := dict "kind" "file" -}}
{{- if .Values.redis.enabled -}}
{{- $store = dict "kind" "redis" "url" (printf "redis://%s-redis:6379" .Release.Name) -}}
{{- else if .Values.redis.url -}}
{{- $store = dict "kind" "redis" "url" .Values.redis.url -}}
{{- end -}}
{{- with include "egk8s.consumersPath" . }}{{ $_ := set $store "path" . }}{{ end -}}
{{- $_ := set $settings "store" $store -}}
{{- $_ := set $settings "drain" (dict "delay" (int .Values.drain.delay) "timeout" (int .Values.drain.timeout)) -}}
{{- toJson $settings -}}
{{- end -}}

{{/* The Secret's name changes with its content; the salt keeps the name from telling it. */}}
{{- define "egk8s.secretName" -}}
{{- if .Values.config.secretFiles -}}
{{- if lt (len .Values.config.secretSalt) 16 -}}
{{- fail "config.secretFiles needs config.secretSalt: any secret word of 16 characters or more, the same at every upgrade" -}}
{{- end -}}
{{- $all := .Values.config.secretSalt -}}
{{- range $path, $content := .Values.config.secretFiles -}}
{{- $all = printf "%s\x00%s\x00%d\x00%s" $all $path (len $content) $content -}}
{{- end -}}
{{- printf "%s-secret-%s" .Release.Name (trunc 10 (sha256sum $all)) -}}
{{- end -}}
{{- end -}}

{{/* egk8s.manifest: a line for every file, path NUL size NUL hash NL, sorted. */}}
{{- define "egk8s.manifest" -}}
{{- $secret := include "egk8s.secretName" . -}}
{{- $lines := dict -}}
{{- $settings := include "egk8s.settings" . -}}
{{- $_ := set $lines "egk8s.settings.json" (printf "%s\x00%d\x00%s\n" "egk8s.settings.json" (len $settings) (sha256sum $settings)) -}}
{{- range $path, $content := .Values.config.files -}}
{{- $_ := set $lines $path (printf "%s\x00%d\x00%s\n" $path (len $content) (sha256sum $content)) -}}
{{- end -}}
{{- range $path, $content := .Values.config.secretFiles -}}
{{- $_ := set $lines $path (printf "%s\x00%d\x00%s\n" $path (len $content) $secret) -}}
{{- end -}}
{{- range $lines }}{{ . }}{{ end -}}
{{- end -}}

{{- define "egk8s.digest" -}}
{{- if include "egk8s.ownConfig" . -}}
{{- include "egk8s.manifest" . | sha256sum -}}
{{- else -}}
{{- required "config.objects.digest is missing" .Values.config.objects.digest -}}
{{- end -}}
{{- end -}}

{{- define "egk8s.configMapName" -}}
{{- if include "egk8s.ownConfig" . -}}
{{- printf "%s-config-%s" .Release.Name (include "egk8s.digest" . | trunc 10) -}}
{{- else -}}
{{- .Values.config.objects.configMap -}}
{{- end -}}
{{- end -}}

{{/* The sources of the projected volume with the config folder. */}}
{{- define "egk8s.configSources" -}}
{{- $own := include "egk8s.ownConfig" . -}}
{{- $objects := .Values.config.objects -}}
{{- $files := eq $own "true" | ternary (keys .Values.config.files | sortAlpha) $objects.files -}}
{{- $secretFiles := eq $own "true" | ternary (keys .Values.config.secretFiles | sortAlpha) $objects.secretFiles -}}
- configMap:
    name: {{ include "egk8s.configMapName" . }}
    items:
      - {key: egk8s.manifest, path: egk8s.manifest}
      - {key: egk8s.settings.json, path: egk8s.settings.json}
      {{- range $files }}
      - {key: {{ include "egk8s.key" . | quote }}, path: {{ . | quote }}}
      {{- end }}
{{- if $secretFiles }}
- secret:
    name: {{ eq $own "true" | ternary (include "egk8s.secretName" .) $objects.secret }}
    items:
      {{- range $secretFiles }}
      - {key: {{ include "egk8s.key" . | quote }}, path: {{ . | quote }}}
      {{- end }}
{{- end }}
{{- range .Values.config.fromSecrets }}
- secret:
    name: {{ .secret }}
    items:
      - {key: {{ .key | quote }}, path: {{ .path | quote }}}
{{- end }}
{{- end -}}
