/*
 * The deliveries in memory, by id: from the choice to send one until its job comes back. Each
 * belongs to an endpoint, whose load it is.
 */
#pragma once

#include "delivery/job_list.h"
#include "dispatch/endpoint.h"

struct outstanding_delivery;

struct dispatch_outstanding {
	struct dispatch_endpoints *endpoints; /* borrowed */
	struct outstanding_delivery *by_id;
	struct job_list chosen; /* not yet handed to the engine */
};

void dispatch_outstanding_init(struct dispatch_outstanding *outstanding,
			       struct dispatch_endpoints *endpoints);
/* Forgets all deliveries and frees the chosen jobs. */
void dispatch_outstanding_destroy(struct dispatch_outstanding *outstanding);

bool dispatch_outstanding_has(const struct dispatch_outstanding *outstanding,
			      const struct uuid *delivery_id);
size_t dispatch_outstanding_count(const struct dispatch_outstanding *outstanding);

/* Chooses a whole delivery: makes its job, a copy. Aborts where it is in memory already, or where
 * the endpoint has no route. */
void dispatch_outstanding_add(struct dispatch_outstanding *outstanding,
			      struct dispatch_endpoint *endpoint, const struct delivery *delivery);
/* Returns the endpoint that it belonged to, or NULL when it is not in memory. */
struct dispatch_endpoint *dispatch_outstanding_remove(struct dispatch_outstanding *outstanding,
						      const struct uuid *delivery_id);
/* Forgets those of a partition. Their jobs keep their way. */
void dispatch_outstanding_forget(struct dispatch_outstanding *outstanding, int32_t partition_id);

/* The chosen jobs, linked by `next`, for the caller; NULL when there is none. */
struct job *dispatch_outstanding_take_chosen(struct dispatch_outstanding *outstanding);
