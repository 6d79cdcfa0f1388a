/* What is in memory, and the shares that the lanes have of it. */
#include "pipeline/dispatch_internal.h"

enum {
	PROMPT_PER_IN_FLIGHT = 4, /* deliveries in memory for each that may be in flight: what the
				     next turns will need */
	PROMPT_BYTES_MAX = 64 * 1024 * 1024,
	SPREAD_PER_ENDPOINT = 64,
	SPREAD_AMPLE = 1024, /* a tenth of a second of one thread */
};

/*
 * The two other lanes wait for others to answer, so what they hold is held for long: together three
 * quarters of what may be in flight. The last quarter is enough for prompt endpoints, which give
 * back what they hold within a second.
 */
void lanes_init(struct dispatch *d) {
	size_t in_flight = (size_t)d->settings.config->delivery_max_in_flight;

	d->held_max[LANE_PROMPT] =
	    (struct holding){ in_flight * PROMPT_PER_IN_FLIGHT, PROMPT_BYTES_MAX };
	d->held_max[LANE_UNPROVEN] =
	    (struct holding){ MAX(in_flight / 2, (size_t)1), PROMPT_BYTES_MAX / 2 };
	d->held_max[LANE_FAILING] =
	    (struct holding){ MAX(in_flight / 4, (size_t)1), PROMPT_BYTES_MAX / 4 };
}

bool lane_is_full(const struct dispatch *d, enum lane lane) {
	return d->held[lane].count >= d->held_max[lane].count ||
	       d->held[lane].bytes >= d->held_max[lane].bytes;
}

static int share_of_spread(const struct endpoint *endpoint) {
	return endpoint->lane == LANE_PROMPT ? MIN(endpoint->outstanding, (int)SPREAD_PER_ENDPOINT)
					     : 0;
}

void endpoint_set_lane(struct dispatch *d, struct endpoint *endpoint, enum lane lane) {
	struct holding *from = &d->held[endpoint->lane], *to = &d->held[lane];

	if (lane == endpoint->lane)
		return;
	heap_remove(&d->due[endpoint->lane], &endpoint->due);
	d->spread -= share_of_spread(endpoint);
	from->count -= (size_t)endpoint->outstanding;
	from->bytes -= endpoint->outstanding_bytes;
	to->count += (size_t)endpoint->outstanding;
	to->bytes += endpoint->outstanding_bytes;
	endpoint->lane = lane;
	d->spread += share_of_spread(endpoint);
}

/* One more in memory. */
static void account_add(struct dispatch *d, struct endpoint *endpoint, size_t bytes) {
	d->held[endpoint->lane].count++;
	d->held[endpoint->lane].bytes += bytes;
	d->spread -= share_of_spread(endpoint);
	endpoint->outstanding++;
	d->spread += share_of_spread(endpoint);
	endpoint->outstanding_bytes += bytes;
}

static void account_remove(struct dispatch *d, struct endpoint *endpoint, size_t bytes) {
	d->held[endpoint->lane].count--;
	d->held[endpoint->lane].bytes -= bytes;
	d->spread -= share_of_spread(endpoint);
	endpoint->outstanding--;
	d->spread += share_of_spread(endpoint);
	endpoint->outstanding_bytes -= bytes;
}

bool dispatch_is_ample(const struct dispatch *d) {
	return d->spread >= SPREAD_AMPLE;
}

static void forget_outstanding(struct dispatch *d, struct outstanding *outstanding) {
	account_remove(d, outstanding->endpoint, outstanding->bytes);
	HASH_DEL(d->outstanding, outstanding);
	free(outstanding);
}

bool outstanding_has(const struct dispatch *d, const struct uuid *id) {
	struct outstanding *found;

	HASH_FIND(hh, d->outstanding, id, sizeof(*id), found);
	return found;
}

int endpoint_window(const struct dispatch *d, const struct endpoint *endpoint) {
	const struct holding *held = &d->held[endpoint->lane], *max = &d->held_max[endpoint->lane];
	bool is_scarce = held->count >= max->count / 2 || held->bytes >= max->bytes / 2;

	return is_scarce ? MIN(endpoint->window, endpoint_full_window(d)) : endpoint->window;
}

bool outstanding_has_room(const struct dispatch *d, const struct endpoint *endpoint) {
	return endpoint->outstanding < endpoint_window(d, endpoint) &&
	       !lane_is_full(d, endpoint->lane);
}

void outstanding_add(struct dispatch *d, struct endpoint *endpoint,
		     const struct delivery *delivery) {
	struct outstanding *outstanding = x_calloc(1, sizeof(*outstanding));
	struct job *job = job_new(delivery, endpoint->route, endpoint->partition, endpoint->epoch);

	job->is_probe = endpoint->breaker.is_open;
	outstanding->id = delivery->id;
	outstanding->endpoint = endpoint;
	outstanding->bytes = sizeof(*job) + delivery->body_len;
	HASH_ADD(hh, d->outstanding, id, sizeof(outstanding->id), outstanding);
	account_add(d, endpoint, outstanding->bytes);
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
