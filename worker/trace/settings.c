#include "trace/settings.h"

#include "base/invariant.h"
#include "base/log.h"
#include "base/number.h"
#include "base/utf8.h"
#include "trace/pair_list.h"
#include "trace/resource.h"

#include <errno.h>
#include <strings.h>
#include <unistd.h>

enum { RESOURCE_MAX = 64 * 1024, NAME_BYTES_MAX = 1024, HEADER_MAX = 16 * 1024 };
enum { TIMEOUT_MS = 10 * 1000 };

struct variable {
	const char *name, *value; /* NULL: unset, or empty */
};

static struct variable variable(const char *name) {
	const char *value = getenv(name);

	return (struct variable){ name, value && *value ? value : NULL };
}

static struct variable either(struct variable first, struct variable second) {
	return first.value ? first : second;
}

/* That of the traces, else that of all signals. */
#define EXPORTER_VARIABLE(name)                                                                    \
	either(variable("OTEL_EXPORTER_OTLP_TRACES_" name), variable("OTEL_EXPORTER_OTLP_" name))

/* The value stays out of the log: it may be a secret. */
static void warn(struct variable variable, const char *why) {
	log_warn("a variable of OpenTelemetry is not followed", "variable=%s why=%s", variable.name,
		 log_quote(why));
}

/* Headers. */

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
		return PAIR_LIST_E_REFUSED;
	line = x_asprintf("%s: %s", key, value);
	settings->headers = x_checked(curl_slist_append(settings->headers, line));
	return 0;
}

static void read_headers(struct trace_settings *settings) {
	struct variable headers = EXPORTER_VARIABLE("HEADERS");

	if (pair_list_read(headers.value, take_header, settings) == 0)
		return;
	warn(headers, "must be name=value,name=value with values in percent-encoding: none of them "
		      "is sent");
	curl_slist_free_all(settings->headers);
	settings->headers = NULL;
}

/* The resource. */

static const char *read_name(void) {
	struct variable name = variable("OTEL_SERVICE_NAME");
	size_t len = name.value ? strlen(name.value) : 0;

	if (len == 0 || (len <= NAME_BYTES_MAX && utf8_is_text(name.value, len)))
		return name.value;
	warn(name, "must be UTF-8 of 1024 bytes at most: the name is posthorn-worker");
	return NULL;
}

static char *read_resource(const char *instance, const char *version) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(RESOURCE_MAX);
	struct variable attributes = variable("OTEL_RESOURCE_ATTRIBUTES");
	const struct resource_own own = { read_name(), version, instance };
	int r = resource_append_json(&out, attributes.value, &own);

	if (r) {
		warn(attributes, "must be key=value,key=value in percent-encoding, UTF-8, of 128 "
				 "keys and 64 KiB at most: none of them is sent");
		buffer_clear(&out);
		r = resource_append_json(&out, NULL, &own);
	}
	invariant(r == 0, "a worker's own attributes are short");
	return TAKE(out.data);
}

/* Where to, and whether. */

static bool is_http(const char *url) {
	return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

/* The traces' own url as it is; the common one with /v1/traces behind it. */
static char *read_url(void) {
	struct variable own = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
	struct variable shared = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
	struct variable url = either(own, shared);
	size_t len = url.value ? strlen(url.value) : 0;

	if (len == 0)
		return NULL;
	if (!is_http(url.value)) {
		warn(url, "must be an http or https url: no spans are sent");
		return NULL;
	}
	if (own.value)
		return x_strdup(url.value);
	return x_asprintf("%s%sv1/traces", url.value, url.value[len - 1] == '/' ? "" : "/");
}

static bool is_disabled(void) {
	struct variable disabled = variable("OTEL_SDK_DISABLED");

	if (!disabled.value || !strcasecmp(disabled.value, "false"))
		return false;
	if (!strcasecmp(disabled.value, "true"))
		return true;
	warn(disabled, "must be true or false: it is taken for false");
	return false;
}

/* A list, of which one exporter is known here. "none" is known too. */
static bool is_exported(void) {
	struct variable exporters = variable("OTEL_TRACES_EXPORTER");
	_cleanup_(x_freep) char *copy = exporters.value ? x_strdup(exporters.value) : NULL;
	char *rest = copy, *name;

	if (!exporters.value)
		return true;
	while ((name = strsep(&rest, ", \t")))
		if (!strcasecmp(name, "otlp"))
			return true;
	if (strcasecmp(exporters.value, "none") != 0)
		warn(exporters, "only otlp is known: no spans are sent");
	return false;
}

/* A collector takes JSON and protobuf at one port, as the media type says, and gRPC at another. */
static bool is_spoken(void) {
	struct variable protocol = EXPORTER_VARIABLE("PROTOCOL");

	if (!protocol.value || !strcasecmp(protocol.value, "http/json"))
		return true;
	if (!strcasecmp(protocol.value, "grpc")) {
		warn(protocol, "grpc is not spoken: no spans are sent; name the endpoint of "
			       "http/protobuf, mostly port 4318");
		return false;
	}
	warn(protocol, "spans are sent as http/json");
	return true;
}

/* Files. */

/* One that cannot be read counts all the same: without it the wrong collector might be trusted. It
 * may come later. */
static char *read_file_name(struct variable file) {
	if (file.value && access(file.value, R_OK) < 0)
		warn(file, strerror(errno));
	return file.value ? x_strdup(file.value) : NULL;
}

static void read_files(struct trace_settings *settings) {
	struct variable certificate = EXPORTER_VARIABLE("CLIENT_CERTIFICATE");
	struct variable key = EXPORTER_VARIABLE("CLIENT_KEY");

	settings->ca_file = read_file_name(EXPORTER_VARIABLE("CERTIFICATE"));
	if (certificate.value && key.value) {
		settings->certificate_file = read_file_name(certificate);
		settings->key_file = read_file_name(key);
	} else if (certificate.value) {
		warn(certificate, "OTEL_EXPORTER_OTLP_CLIENT_KEY belongs to it: it is not shown");
	} else if (key.value) {
		warn(key, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE belongs to it: none is shown");
	}
}

/* The rest. */

static void judge_compression(void) {
	struct variable compression = EXPORTER_VARIABLE("COMPRESSION");

	if (compression.value && strcasecmp(compression.value, "none") != 0)
		warn(compression, "spans are sent as they are");
}

static int64_t read_timeout_ms(void) {
	struct variable timeout = EXPORTER_VARIABLE("TIMEOUT");
	int64_t ms;

	if (!timeout.value)
		return TIMEOUT_MS;
	if (number_parse(timeout.value, 1, INT32_MAX, &ms) == 0)
		return ms;
	warn(timeout, "must be milliseconds, 1 at least: it is 10000");
	return TIMEOUT_MS;
}

void trace_settings_read(const char *instance, const char *version, struct trace_settings *out) {
	*out = (struct trace_settings){ 0 };
	if (is_disabled() || !(variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").value ||
			       variable("OTEL_EXPORTER_OTLP_ENDPOINT").value))
		return;
	if (!is_exported() || !is_spoken())
		return;
	out->url = read_url();
	if (!out->url)
		return;
	out->timeout_ms = read_timeout_ms();
	judge_compression();
	read_files(out);
	read_headers(out);
	out->resource = read_resource(instance, version);
}

void trace_settings_destroy(struct trace_settings *settings) {
	free(settings->url);
	curl_slist_free_all(settings->headers);
	free(settings->ca_file);
	free(settings->certificate_file);
	free(settings->key_file);
	free(settings->resource);
	*settings = (struct trace_settings){ 0 };
}
