/* A tenant's webhook, as stored and shown. */
#pragma once

#include "base/uuid.h"
#include "domain/event_type.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct webhook {
	struct uuid id;
	const char *tenant_id;
	enum event_type
	    events[EVENT_TYPE_SUBSCRIBABLE_COUNT]; /* in the tenant's order, without repeats */
	size_t event_count;                        /* 1..EVENT_TYPE_SUBSCRIBABLE_COUNT */
	const char *url;                           /* normalised */
	bool disabled;
	int64_t created_at_ms;    /* wall */
	int64_t updated_at_ms;    /* wall */
	int64_t failing_since_ms; /* wall: when its failures began, while its breaker is open; 0:
				     none. Not a member of the API's webhook */
};

/* Whether an event of the type is to be delivered: the webhook subscribes to it and is not
 * disabled. */
bool webhook_wants(const struct webhook *webhook, enum event_type type);
