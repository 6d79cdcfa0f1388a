/*
 * The resource of all spans: the process that they come from. Each attribute has its key once: that
 * of OTEL_RESOURCE_ATTRIBUTES, where it is there twice the last one, before the program's own.
 * Source: OpenTelemetry specification 1.50, "Resource SDK"; OTLP 1.9, resource.proto.
 */
#pragma once

#include "base/buffer.h"

enum { RESOURCE_E_REFUSED = 1 };

struct resource_own {
	const char *name; /* OTEL_SERVICE_NAME, which wins over the list; NULL: unset */
	const char *version, *instance;
};

/* Appends {"attributes":[...]}. Returns 0, or RESOURCE_E_REFUSED where the list of the variable has
 * a part that cannot be used, or is too long: `out` is of no use then. */
int resource_append_json(struct buffer *out, const char *attributes,
			 const struct resource_own *own) _must_check_;
