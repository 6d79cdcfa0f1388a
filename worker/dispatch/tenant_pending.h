/*
 * The number of pending deliveries of each tenant, as the handlers see it: as of the last commit,
 * with the changes of the open transaction. The counts of a partition that is suspended stay until
 * it is activated again or forgotten; only active partitions are asked for theirs.
 *
 *     add (the backlog) ──► note, note, ... ──┬── commit
 *                            ▲                └── undo
 *                            └────────────────────┘
 *
 * In memory are the tenants that have pending deliveries. A change is an event of a delivery's
 * beginning or end.
 */
#pragma once

#include "domain/analytic_event.h"

struct tenant_pending;

struct tenant_pending *tenant_pending_new(void);
/* Safe on NULL. */
void tenant_pending_free(struct tenant_pending *pending);
DEFINE_CLEANUP(struct tenant_pending, tenant_pending_free)

int64_t tenant_pending_get(const struct tenant_pending *pending, const char *tenant_id);

/* Adds a part of the tenant's backlog in a partition that becomes active. */
void tenant_pending_add(struct tenant_pending *pending, int32_t partition_id, const char *tenant_id,
			int64_t count);
/* Forgets the tenants of a partition, and undoes the open transaction. */
void tenant_pending_forget(struct tenant_pending *pending, int32_t partition_id);

/* Counts an event of the open transaction. */
void tenant_pending_note(struct tenant_pending *pending, int32_t partition_id,
			 const struct analytic_event *event);
/* The open transaction was committed, or was not. */
void tenant_pending_commit(struct tenant_pending *pending);
void tenant_pending_undo(struct tenant_pending *pending);
