#include "pipeline/dispatch_internal.h"

#include <utlist.h>

enum {
	OUTSTANDING_BYTES_MAX = 64 * 1024 * 1024,
	IDLE_ENDPOINTS_MAX = 16384, /* kept for their route: deriving a key costs more than a delivery */
};

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
	heap_remove(&d->due, &endpoint->due);
	HASH_DEL(d->endpoints, endpoint);
	route_unref(endpoint->route);
	free(endpoint);
}

struct endpoint *endpoint_find(struct dispatch *d, const struct uuid *webhook_id) {
	struct endpoint *endpoint;

	HASH_FIND(hh, d->endpoints, webhook_id, sizeof(*webhook_id), endpoint);
	return endpoint;
}

struct endpoint *endpoint_get(struct dispatch *d, const struct partition *partition, const struct uuid *webhook_id) {
	struct endpoint *endpoint = endpoint_find(d, webhook_id);

	if (!endpoint) {
		endpoint = x_calloc(1, sizeof(*endpoint));
		endpoint->webhook_id = *webhook_id;
		endpoint->window = endpoint_first_window(d);
		endpoint->next_due_ms = NEVER;
		HASH_ADD(hh, d->endpoints, webhook_id, sizeof(endpoint->webhook_id), endpoint);
	}
	endpoint->partition = partition->id;
	endpoint->epoch = partition->epoch;
	return endpoint;
}

void endpoint_settle(struct dispatch *d, struct endpoint *endpoint) {
	/* A look does not wait for room: what is in flight may take its time, and what has to end should end now. */
	bool looks = endpoint->next_due_ms == LOOK;
	bool has_room = looks || (!endpoint->breaker.is_gone && endpoint->outstanding <= endpoint->window / 2);

	if (endpoint->withdrawn || endpoint->next_due_ms == NEVER || !has_room)
		heap_remove(&d->due, &endpoint->due);
	else
		heap_set(&d->due, &endpoint->due, looks ? LOOK : MAX(endpoint->next_due_ms, endpoint->breaker.hold_until_ms));

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

/* What is in memory. */

static void forget_outstanding(struct dispatch *d, struct outstanding *outstanding) {
	outstanding->endpoint->outstanding--;
	d->outstanding_bytes -= outstanding->bytes;
	HASH_DEL(d->outstanding, outstanding);
	free(outstanding);
}

bool outstanding_has(const struct dispatch *d, const struct uuid *id) {
	struct outstanding *found;

	HASH_FIND(hh, d->outstanding, id, sizeof(*id), found);
	return found;
}

bool outstanding_is_full(const struct dispatch *d) {
	return HASH_COUNT(d->outstanding) >= d->outstanding_max || d->outstanding_bytes >= OUTSTANDING_BYTES_MAX;
}

void outstanding_add(struct dispatch *d, struct endpoint *endpoint, const struct delivery *delivery) {
	struct outstanding *outstanding = x_calloc(1, sizeof(*outstanding));
	struct job *job = job_new(delivery, endpoint->route, endpoint->partition, endpoint->epoch);

	outstanding->id = delivery->id;
	outstanding->endpoint = endpoint;
	outstanding->bytes = sizeof(*job) + delivery->body_len;
	HASH_ADD(hh, d->outstanding, id, sizeof(outstanding->id), outstanding);
	d->outstanding_bytes += outstanding->bytes;
	endpoint->outstanding++;
	*d->batch_end = job;
	d->batch_end = &job->next;
}

struct endpoint *outstanding_remove(struct dispatch *d, const struct uuid *id) {
	struct outstanding *found;
	struct endpoint *endpoint;

	HASH_FIND(hh, d->outstanding, id, sizeof(*id), found);
	if (!found)
		return NULL;
	endpoint = found->endpoint;
	forget_outstanding(d, found);
	return endpoint;
}

void outstanding_forget(struct dispatch *d, int32_t partition) {
	struct outstanding *outstanding, *next;

	HASH_ITER(hh, d->outstanding, outstanding, next)
		if (outstanding->endpoint->partition == partition)
			forget_outstanding(d, outstanding);
}
