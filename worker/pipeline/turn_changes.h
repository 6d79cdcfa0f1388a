/*
 * What a turn changed and the dispatcher is to know once it is committed, and not before (R4).
 * All of it lives in the turn's arena.
 */
#pragma once

#include "base/arena.h"
#include "dispatch/dispatcher.h"
#include "domain/effects.h"

struct changed_webhook {
	struct uuid id;
	const struct webhook *webhook; /* NULL: deleted */
};

struct turn_changes {
	struct dispatch_added *deliveries;
	size_t delivery_count, delivery_capacity;
	size_t kept_bytes; /* of whole deliveries */
	struct changed_webhook *webhooks;
	size_t webhook_count, webhook_capacity;
	const char **key_tenants; /* whose signing keys changed */
	size_t key_tenant_count, key_tenant_capacity;
};

/* Notes the changes of `partition`. `now_ms`: wall. */
void turn_changes_note(struct turn_changes *changes, struct arena *arena,
		       struct dispatch_partition partition, const struct effects *effects,
		       int64_t now_ms);

/* After the commit: the changes, after the jobs whose outcomes were committed with them. */
void turn_changes_dispatch(const struct turn_changes *changes, struct dispatcher *dispatcher,
			   int64_t now_ms);
