/*
 * What the handlers need to know of the state: the registry of webhooks and what belongs to it, as functions. The replica implements it over
 * SQLite, the unit tests over arrays. A look-up sees every change that was applied before it, in this turn too.
 *
 * All return 0, REGISTRY_E_NOT_FOUND, or a negative errno that is forwarded. What is returned lives in the arena.
 */
#pragma once

#include "domain/cursor.h"
#include "domain/state.h"

enum { REGISTRY_E_NOT_FOUND = 1 };

/* Called for each row in order; a negative return ends the walk and is returned by it. */
typedef int (*registry_delivery_fn)(void *userdata, const struct delivery *delivery);

struct registry {
	void *userdata;
	int (*webhook_get)(void *userdata, struct arena *arena, const char *tenant_id, const struct uuid *id, struct webhook *out);
	/* Up to `limit` of the tenant's webhooks after the place (NULL: from the start), in the order (createdAt, id). */
	int (*webhook_list)(void *userdata, struct arena *arena, const char *tenant_id, const struct cursor *after, size_t limit,
			    struct webhook **out, size_t *count);
	int (*receipt_get)(void *userdata, struct arena *arena, const char *tenant_id, const char *command_id, struct receipt *out);
	/* The tenant's keys, the signing one (highest epoch) first; none is not an error. */
	int (*signing_keys)(void *userdata, struct arena *arena, const char *tenant_id, struct signing_key **out, size_t *count);
	int (*delivery_get)(void *userdata, struct arena *arena, const struct uuid *id, struct delivery *out);
	/* The webhook's dead deliveries that died at or after `since_ms`, oldest first, at most `limit`. */
	int (*delivery_dead)(void *userdata, struct arena *arena, const struct uuid *webhook_id, int64_t since_ms, size_t limit,
			     struct delivery **out, size_t *count);
};
