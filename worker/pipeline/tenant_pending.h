/*
 * How many deliveries of each tenant are pending, as the handlers see it: with what the open turn
 * has brought so far.
 *
 *     backlog of a partition ──► add ──► note ... ──┬── commit
 *                                         ▲         └── undo
 *                                         └─────────────┘
 *
 * In memory are the tenants that have any. Counted from the events of deliveries, which are what a
 * delivery's beginning and end look like.
 */
#pragma once

#include "domain/analytic_event.h"

struct tenant_pending;

struct tenant_pending *tenant_pending_new(void);
void tenant_pending_free(struct tenant_pending *pending);
DEFINE_CLEANUP(struct tenant_pending, tenant_pending_free)

int64_t tenant_pending_get(const struct tenant_pending *pending, const char *tenant_id);

/* What a partition's backlog holds of a tenant, or another part of it. */
void tenant_pending_add(struct tenant_pending *pending, int32_t partition, const char *tenant_id,
			int64_t count);
/* Nothing of the partition is known any more. */
void tenant_pending_forget(struct tenant_pending *pending, int32_t partition);

/* An event of the open turn. */
void tenant_pending_note(struct tenant_pending *pending, int32_t partition,
			 const struct analytic_event *event);
void tenant_pending_commit(struct tenant_pending *pending);
void tenant_pending_undo(struct tenant_pending *pending);
