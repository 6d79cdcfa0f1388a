/*
 * Where spans go: the variables of the environment that OpenTelemetry has for it, so that a process
 * is configured as its neighbours are. Empty ones count as unset.
 * Source: OpenTelemetry specification 1.50, "OTLP Exporter" and "Environment Variables".
 */
#pragma once

#include "base/buffer.h"

#include <curl/curl.h>

struct trace_settings {
	char *url;                  /* owned; NULL: off */
	struct curl_slist *headers; /* owned */
	char *ca_file;              /* owned; NULL: the system's */
	int64_t timeout_ms;
	char *resource; /* owned; {"attributes":[...]} */
};

enum { TRACE_E_REFUSED = 1 };

/* The variables of this process; `instance` becomes service.instance.id. Returns 0, or
 * TRACE_E_REFUSED with the variable and the rule in `why`, and never a header's value. */
int trace_settings_read(const char *instance, const char *version, struct trace_settings *out,
			struct buffer *why) _must_check_;
void trace_settings_destroy(struct trace_settings *settings);
