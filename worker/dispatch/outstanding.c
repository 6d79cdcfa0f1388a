#include "dispatch/outstanding.h"

#include "base/invariant.h"

struct outstanding_delivery {
	struct uuid id;
	struct dispatch_endpoint *endpoint;
	size_t bytes;
	UT_hash_handle hh;
};

void dispatch_outstanding_init(struct dispatch_outstanding *outstanding,
			       struct dispatch_endpoints *endpoints) {
	*outstanding = (struct dispatch_outstanding){ .endpoints = endpoints };
}

static struct outstanding_delivery *find_delivery(const struct dispatch_outstanding *outstanding,
						  const struct uuid *delivery_id) {
	struct outstanding_delivery *found;

	HASH_FIND(hh, outstanding->by_id, delivery_id, sizeof(*delivery_id), found);
	return found;
}

static void forget_delivery(struct dispatch_outstanding *outstanding,
			    struct outstanding_delivery *delivery) {
	dispatch_endpoint_remove_load(outstanding->endpoints, delivery->endpoint, delivery->bytes);
	HASH_DEL(outstanding->by_id, delivery);
	free(delivery);
}

void dispatch_outstanding_destroy(struct dispatch_outstanding *outstanding) {
	struct outstanding_delivery *delivery, *next;

	HASH_ITER(hh, outstanding->by_id, delivery, next)
	forget_delivery(outstanding, delivery);
	job_list_free(&outstanding->chosen);
}

bool dispatch_outstanding_has(const struct dispatch_outstanding *outstanding,
			      const struct uuid *delivery_id) {
	return find_delivery(outstanding, delivery_id);
}

size_t dispatch_outstanding_count(const struct dispatch_outstanding *outstanding) {
	return HASH_COUNT(outstanding->by_id);
}

/* One that is chosen twice would be sent twice. */
static void check_is_new(const struct dispatch_outstanding *outstanding,
			 const struct delivery *delivery) {
	char id[UUID_TEXT_SIZE];

	if (!find_delivery(outstanding, &delivery->id))
		return;
	uuid_format(&delivery->id, id);
	invariant_with(false, "a delivery that is chosen is not in memory", "delivery=%s", id);
}

void dispatch_outstanding_add(struct dispatch_outstanding *outstanding,
			      struct dispatch_endpoint *endpoint, const struct delivery *delivery) {
	struct outstanding_delivery *added;
	struct job *job;

	invariant(endpoint->route, "a delivery is chosen with the route that its signer is in");
	check_is_new(outstanding, delivery);
	added = x_calloc(1, sizeof(*added));
	job = job_new(delivery, endpoint->route, endpoint->partition.id, endpoint->partition.epoch);
	job->is_probe = endpoint->breaker.is_open;
	added->id = delivery->id;
	added->endpoint = endpoint;
	added->bytes = sizeof(*job) + delivery->body_len;
	HASH_ADD(hh, outstanding->by_id, id, sizeof(added->id), added);
	dispatch_endpoint_add_load(outstanding->endpoints, endpoint, added->bytes);
	job_list_push(&outstanding->chosen, job);
}

struct dispatch_endpoint *dispatch_outstanding_remove(struct dispatch_outstanding *outstanding,
						      const struct uuid *delivery_id) {
	struct outstanding_delivery *found = find_delivery(outstanding, delivery_id);
	struct dispatch_endpoint *endpoint;

	if (!found)
		return NULL;
	endpoint = found->endpoint;
	forget_delivery(outstanding, found);
	return endpoint;
}

void dispatch_outstanding_forget(struct dispatch_outstanding *outstanding, int32_t partition_id) {
	struct outstanding_delivery *delivery, *next;

	HASH_ITER(hh, outstanding->by_id, delivery, next)
	if (delivery->endpoint->partition.id == partition_id)
		forget_delivery(outstanding, delivery);
}

struct job *dispatch_outstanding_take_chosen(struct dispatch_outstanding *outstanding) {
	struct job *jobs = outstanding->chosen.head;

	outstanding->chosen = (struct job_list){ 0 };
	return jobs;
}
