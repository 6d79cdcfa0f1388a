/*
 * The handlers of commands: a command, the state it needs, and the time go in; effects come out.
 * Pure: no I/O of their own, no clock, no randomness.
 *
 * Every command gets exactly one START and one SUCCESS or FAIL, in this order. A refused input is
 * an ordinary outcome: FAIL with 400, 404, 409 or 429, a detail for every wrong parameter or for
 * the reached limit, and no change.
 */
#pragma once

#include "domain/effects.h"
#include "domain/registry.h"
#include "domain/url.h"

/* A command's origin: the seed of every id that it makes (R11). */
struct command_source {
	const char *cluster_id;
	const char *topic;
	int32_t partition;
	int64_t offset;
};

struct handler_settings {
	struct url_policy url_policy;
	int64_t receipt_retention_ms;
	int64_t issuance_receipt_retention_ms; /* 0: none */
	int64_t signing_key_overlap_ms;
	int64_t tenant_max[TENANT_LIMIT_COUNT]; /* 0: no limit */
};

/* Derives a tenant's key pair of an epoch and fills kid, x and master_key_id. The caller fills
 * the other fields. */
typedef void (*signing_key_derive_fn)(void *userdata, struct arena *arena, const char *tenant_id,
				      int32_t epoch, struct signing_key *out);

struct handler_context {
	const struct handler_settings *settings;
	const struct registry *registry;
	signing_key_derive_fn derive_key;
	void *derive_key_userdata;
	const struct command_source *source;
	int64_t pending_deliveries; /* of the command's tenant */
	int64_t now_ms;             /* wall */
};

/* Handles a WebhookCommand. Returns 0, or the negative errno of the registry. */
int handle_command(const struct handler_context *context, const struct command *command,
		   struct effects *out) _must_check_;
