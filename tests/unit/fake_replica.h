/*
 * A replica over an array, linked in place of worker/replica: what the dispatcher reads of it. Its
 * rows are those of its fake registry.
 */
#pragma once

#include "fake_registry.h"
#include "replica/replica.h"

struct replica {
	struct fake_registry registry;
	int32_t (*partition_of)(const struct uuid *webhook_id);
	int error;           /* a negative errno that every look-up returns, or 0 */
	size_t bytes_loaded; /* of bodies, by replica_pending */
};

/* The arena is borrowed, and holds whatever is put into the replica. */
void fake_replica_init(struct replica *replica, struct arena *arena,
		       int32_t (*partition_of)(const struct uuid *webhook_id));
/* Copies the struct, not its texts. */
void fake_replica_put(struct replica *replica, const struct state_record *record);
void fake_replica_delete(struct replica *replica, const struct state_key *key);
