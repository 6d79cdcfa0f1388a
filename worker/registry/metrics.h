/* What is counted of the schema registry. Written by its thread, read by any. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum registry_request {
	REGISTRY_REQUEST_OK,
	REGISTRY_REQUEST_UNKNOWN, /* the registry does not know the id */
	REGISTRY_REQUEST_FAILED,
	REGISTRY_REQUEST_COUNT
};

struct registry_metrics {
	atomic_uint_fast64_t requests[REGISTRY_REQUEST_COUNT];
	atomic_int waiting;          /* ids that are not answered yet */
	atomic_int failures;         /* requests, since the last one that was answered */
	atomic_int results_failures; /* of asking for the id of our events' schema, in a row */
};
