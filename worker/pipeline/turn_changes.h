/*
 * What a turn changed and the dispatcher is to know once it is committed, and not before (R4).
 * All of it lives in the turn's arena.
 */
#pragma once

#include "base/arena.h"
#include "dispatch/dispatcher.h"
#include "domain/effects.h"

struct changed_delivery {
	struct dispatch_partition partition;
	struct delivery delivery;
	bool is_whole; /* its texts and its body are kept too; else they are NULL */
};

struct changed_webhook {
	struct uuid id;
	const struct webhook *webhook; /* NULL: deleted */
};

struct turn_changes {
	struct changed_delivery *deliveries;
	size_t delivery_count, delivery_capacity;
	size_t kept_bytes; /* of whole deliveries */
	struct changed_webhook *webhooks;
	size_t webhook_count, webhook_capacity;
	const char **key_tenants; /* whose signing keys changed */
	size_t key_tenant_count, key_tenant_capacity;
};

/* Notes a change of `partition`. `now_ms`: wall. */
void turn_changes_note(struct turn_changes *changes, struct arena *arena,
		       struct dispatch_partition partition, const struct change *change,
		       int64_t now_ms);

/* After the commit: the changes, after the jobs whose outcomes were committed with them. */
void turn_changes_dispatch(const struct turn_changes *changes, struct dispatcher *dispatcher,
			   int64_t now_ms);
