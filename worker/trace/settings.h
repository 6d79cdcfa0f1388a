/*
 * Where spans go: the variables of the environment that OpenTelemetry has for it, so that a process
 * is configured as its neighbours are. Empty ones count as unset, and names of values are the same
 * in any case. A value that cannot be used stops no worker, since it may be meant for others: it is
 * ignored, with a warning.
 * Source: OpenTelemetry specification 1.50, "OTLP Exporter", "Environment Variables", "Error
 * Handling".
 */
#pragma once

#include <curl/curl.h>
#include <stdint.h>

struct trace_settings {
	char *url;                  /* owned; NULL: off */
	struct curl_slist *headers; /* owned */
	char *ca_file;              /* owned; NULL: the system's */
	int64_t timeout_ms;
	char *certificate_file, *key_file; /* owned; the client's; NULL: none */
	char *resource;                    /* owned; {"attributes":[...]} */
};

/* The variables of this process; `instance` becomes service.instance.id. Logs the name of each
 * variable that is not followed, and the reason; never a value, which may be a secret. */
void trace_settings_read(const char *instance, const char *version, struct trace_settings *out);
void trace_settings_destroy(struct trace_settings *settings);
