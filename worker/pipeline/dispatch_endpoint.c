#include "pipeline/dispatch_internal.h"

#include <utlist.h>

enum {
	IDLE_ENDPOINTS_MAX = 16384
}; /* kept for their route: deriving a key costs more than a delivery */

/* Endpoints: made when a delivery needs them, kept a while when idle. */

void endpoint_leave_lists(struct dispatch *d, struct endpoint *endpoint) {
	if (endpoint->idle) {
		DL_DELETE(d->idle, endpoint);
		d->idle_count--;
		endpoint->idle = false;
	}
	if (endpoint->withdrawn) {
		DL_DELETE(d->withdrawn, endpoint);
		endpoint->withdrawn = NULL;
	}
}

void endpoint_free(struct dispatch *d, struct endpoint *endpoint) {
	endpoint_reset_health(d, endpoint);
	endpoint_leave_lists(d, endpoint);
	heap_remove(&d->due[endpoint->lane], &endpoint->due);
	HASH_DEL(d->endpoints, endpoint);
	route_unref(endpoint->route);
	free(endpoint);
}

struct endpoint *endpoint_find(struct dispatch *d, const struct uuid *webhook_id) {
	struct endpoint *endpoint;

	HASH_FIND(hh, d->endpoints, webhook_id, sizeof(*webhook_id), endpoint);
	return endpoint;
}

struct endpoint *endpoint_get(struct dispatch *d, const struct partition *partition,
			      const struct uuid *webhook_id) {
	struct endpoint *endpoint = endpoint_find(d, webhook_id);

	if (!endpoint) {
		endpoint = x_calloc(1, sizeof(*endpoint));
		endpoint->webhook_id = *webhook_id;
		endpoint->lane = LANE_UNPROVEN;
		endpoint->window = 1;
		endpoint->next_due_ms = NEVER;
		HASH_ADD(hh, d->endpoints, webhook_id, sizeof(endpoint->webhook_id), endpoint);
	}
	endpoint->partition = partition->id;
	endpoint->epoch = partition->epoch;
	return endpoint;
}

void endpoint_settle(struct dispatch *d, struct endpoint *endpoint) {
	/* A look does not wait for room: what is in flight may take its time, and what has to end
	 * should end now. */
	bool looks = endpoint->next_due_ms == LOOK;
	bool has_room = looks || (!endpoint->breaker.is_gone &&
				  endpoint->outstanding <= endpoint_window(d, endpoint) / 2);

	if (endpoint->withdrawn || endpoint->next_due_ms == NEVER || !has_room)
		heap_remove(&d->due[endpoint->lane], &endpoint->due);
	else
		heap_set(&d->due[endpoint->lane], &endpoint->due,
			 looks ? LOOK
			       : MAX(endpoint->next_due_ms, endpoint->breaker.hold_until_ms));

	if (endpoint->withdrawn || endpoint->next_due_ms != NEVER || endpoint->outstanding > 0) {
		if (!endpoint->withdrawn)
			endpoint_leave_lists(d, endpoint);
	} else if (!endpoint->idle) {
		DL_APPEND(d->idle, endpoint);
		endpoint->idle = true;
		d->idle_count++;
	}
	if (d->idle_count > IDLE_ENDPOINTS_MAX)
		endpoint_free(d, d->idle);
}

void endpoint_withdraw(struct dispatch *d, struct endpoint *endpoint, const char *reason) {
	endpoint_leave_lists(d, endpoint);
	endpoint->withdrawn = reason;
	DL_APPEND(d->withdrawn, endpoint);
	endpoint_settle(d, endpoint);
}
