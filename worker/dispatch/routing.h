/* Routes of endpoints: the url of the webhook, the signer of its tenant's newest key, and the
 * profile of its callbacks. */
#pragma once

#include "dispatch/health.h"
#include "replica/replica.h"
#include "signature/master_keys.h"

/* All are borrowed. */
struct dispatch_routing {
	const struct dispatch_health *health;
	const struct master_keys *master_keys;
	struct replica *replica;
	struct arena *arena;
};

/*
 * Makes the endpoint's route, unless it has one. Where the webhook is deleted or disabled the
 * endpoint is cancelled instead. Where a key of the tenant's, or a secret of the webhook's,
 * cannot be derived or opened (logged), the endpoint is due again after a minute. Returns 0, with
 * or without a route, or a negative errno of the replica.
 */
int dispatch_routing_load(const struct dispatch_routing *routing,
			  struct dispatch_endpoint *endpoint, const char *tenant_id,
			  int64_t now_ms) _must_check_;
