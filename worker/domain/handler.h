/*
 * The handlers: a command, what it needs of the state, and the time go in; effects come out. Pure:
 * no I/O of their own, no clock, no randomness.
 *
 * Every command gets exactly one START and one SUCCESS or FAIL, in order. A refused input is an
 * ordinary outcome: FAIL with 400, 404, 409 or 429, a detail for every wrong parameter, or for the
 * limit that is reached, and no change.
 */
#pragma once

#include "domain/attempt.h"
#include "domain/effects.h"
#include "domain/registry.h"
#include "domain/url.h"

/* Where a command came from: the seed of every id that it makes (R11). */
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

/* Derives a tenant's key pair of an epoch and fills kid, x and master_key_id; the other fields are
 * the caller's. */
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

/* Both return 0, or the negative errno of the registry. */
int handle_command(const struct handler_context *context, const struct command *command,
		   struct effects *out) __attribute__((warn_unused_result));
int handle_issuance(const struct handler_context *context, const struct issuance *issuance,
		    struct effects *out) __attribute__((warn_unused_result));

struct outcome_settings {
	struct retry_policy retry;
	int64_t endpoint_disable_after_ms;
};

/*
 * An attempt's outcome: success ends the delivery (tombstone, PROCESS_SUCCESS), failure schedules
 * the next attempt (RETRY) or, with the schedule exhausted, makes it dead (PROCESS_FAIL). A 410
 * ends it (tombstone, PROCESS_FAIL). `delivery` is as it was before the attempt. Its events' ids
 * are id_of_delivery_event's.
 */
void handle_outcome(const struct outcome_settings *settings, const struct delivery *delivery,
		    const struct attempt_result *result, struct effects *out);

/* Ends a delivery whose webhook is gone or disabled: tombstone and PROCESS_FAIL with `reason`
 * ("webhook-deleted", "webhook-disabled"). */
void handle_withdrawn(const struct delivery *delivery, const char *reason, int64_t now_ms,
		      struct effects *out);

/* What its attempts showed of a webhook's endpoint, where the webhook is to know of it. */
struct endpoint_report {
	struct uuid webhook_id;
	const char *tenant_id;
	const char
	    *url; /* where the attempts went: a webhook that has moved since is not concerned */
	int64_t failing_since_ms; /* wall; 0: it takes deliveries again */
	bool is_gone;             /* it answered 410 */
};

/*
 * Keeps since when it fails, or disables the webhook (WEBHOOK_DISABLED): at once when it is gone,
 * else after endpoint_disable_after_ms without one success. `webhook` is as it stands.
 */
void handle_endpoint_report(const struct outcome_settings *settings, const struct webhook *webhook,
			    const struct endpoint_report *report, int64_t now_ms,
			    struct effects *out);
