#include "trace/settings.h"

#include "base/number.h"
#include "base/utf8.h"
#include "trace/pair_list.h"
#include "trace/resource.h"

#include <strings.h>

enum { RESOURCE_MAX = 64 * 1024, HEADER_MAX = 16 * 1024, TIMEOUT_MAX_MS = 60 * 1000 };

static const char *variable(const char *name) {
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* OTEL_EXPORTER_OTLP_TRACES_`name`, else OTEL_EXPORTER_OTLP_`name`. */
static const char *exporter_variable(const char *name) {
	_cleanup_(x_freep) char *own = x_asprintf("OTEL_EXPORTER_OTLP_TRACES_%s", name);
	_cleanup_(x_freep) char *shared = x_asprintf("OTEL_EXPORTER_OTLP_%s", name);
	const char *value = variable(own);

	return value ? value : variable(shared);
}

/* Source: RFC 9110 section 5.6.2. */
static bool is_token(const char *text) {
	return text[strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				 "!#$%&'*+-.^_`|~")] == '\0';
}

static bool has_control(const char *text) {
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

static int take_header(void *userdata, const char *key, const char *value) {
	struct trace_settings *settings = userdata;
	_cleanup_(x_freep) char *line = NULL;

	if (!is_token(key) || has_control(value) || strlen(key) + strlen(value) > HEADER_MAX)
		return TRACE_E_REFUSED;
	line = x_asprintf("%s: %s", key, value);
	settings->headers = x_checked(curl_slist_append(settings->headers, line));
	return 0;
}

static int read_resource(const char *instance, const char *version,
			 struct trace_settings *settings) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(RESOURCE_MAX);
	const struct resource_own own = { variable("OTEL_SERVICE_NAME"), version, instance };

	if (own.name && !utf8_is_text(own.name, strlen(own.name)))
		return TRACE_E_REFUSED;
	if (resource_append_json(&out, variable("OTEL_RESOURCE_ATTRIBUTES"), &own))
		return TRACE_E_REFUSED;
	settings->resource = TAKE(out.data);
	return 0;
}

/* All. */

static bool is_http(const char *url) {
	return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

/* The traces' own url as it is; the common one with /v1/traces behind it. */
static char *read_url(void) {
	const char *own = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
	const char *shared = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
	size_t len;

	if (own)
		return x_strdup(own);
	if (!shared)
		return NULL;
	len = strlen(shared);
	return x_asprintf("%s%sv1/traces", shared, shared[len - 1] == '/' ? "" : "/");
}

static bool is_off(void) {
	const char *disabled = variable("OTEL_SDK_DISABLED");
	const char *exporter = variable("OTEL_TRACES_EXPORTER");

	return (disabled && strcasecmp(disabled, "true") == 0) ||
	       (exporter && strcasecmp(exporter, "none") == 0);
}

static int refuse(struct buffer *why, const char *what) {
	buffer_append_string(why, what);
	return TRACE_E_REFUSED;
}

static int read_all(const char *instance, const char *version, struct trace_settings *settings,
		    struct buffer *why) {
	const char *protocol = exporter_variable("PROTOCOL");
	const char *timeout = exporter_variable("TIMEOUT");
	const char *ca_file = exporter_variable("CERTIFICATE");

	if (!is_http(settings->url))
		return refuse(why, "OTEL_EXPORTER_OTLP_ENDPOINT: must be an http or https url");
	if (protocol && strcmp(protocol, "http/json") != 0)
		return refuse(why, "OTEL_EXPORTER_OTLP_PROTOCOL: must be http/json, or unset");
	settings->timeout_ms = 10 * 1000;
	if (timeout && number_parse(timeout, 1, TIMEOUT_MAX_MS, &settings->timeout_ms))
		return refuse(why, "OTEL_EXPORTER_OTLP_TIMEOUT: must be 1 to 60000 milliseconds");
	settings->ca_file = ca_file ? x_strdup(ca_file) : NULL;
	if (pair_list_read(exporter_variable("HEADERS"), take_header, settings))
		return refuse(why, "OTEL_EXPORTER_OTLP_HEADERS: must be name=value,name=value with "
				   "values in percent-encoding");
	if (read_resource(instance, version, settings))
		return refuse(why, "OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES: must be UTF-8, "
				   "the latter key=value,key=value, of 64 KiB at most");
	return 0;
}

int trace_settings_read(const char *instance, const char *version, struct trace_settings *out,
			struct buffer *why) {
	*out = (struct trace_settings){ 0 };
	if (is_off())
		return 0;
	out->url = read_url();
	return out->url ? read_all(instance, version, out, why) : 0;
}

void trace_settings_destroy(struct trace_settings *settings) {
	free(settings->url);
	curl_slist_free_all(settings->headers);
	free(settings->ca_file);
	free(settings->resource);
	*settings = (struct trace_settings){ 0 };
}
