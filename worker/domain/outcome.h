/*
 * The end of an attempt, and of a delivery: what it changes and which events it gives. Functions of
 * values, like the handlers of commands.
 */
#pragma once

#include "domain/attempt.h"
#include "domain/effects.h"
#include "domain/notice.h"

struct outcome_settings {
	struct retry_policy retry;
	int64_t endpoint_failing_notify_after_ms, endpoint_disable_after_ms;
	bool keeps_succeeded; /* what succeeded stays in the changelog, marked */
};

/*
 * Handles an attempt's outcome. A success ends the delivery (tombstone, or SUCCEEDED where it
 * is kept; PROCESS_SUCCESS). A failure
 * schedules the next attempt (RETRY) or, with the schedule exhausted, makes the delivery dead
 * (PROCESS_FAIL). A 410 ends it (tombstone, PROCESS_FAIL). `delivery` is as before the attempt. The
 * ids of the events are id_of_delivery_event's. Of a PROCESS_FAIL the tenant is told, unless the
 * delivery is a notice's itself (R14). Returns 0, or the negative errno of the registry.
 */
int handle_outcome(const struct outcome_settings *settings, const struct notice_context *context,
		   const struct delivery *delivery, const struct attempt_result *result,
		   struct effects *out) _must_check_;

/* Ends a delivery whose webhook is deleted or disabled: tombstone and PROCESS_FAIL with `reason`
 * ("webhook-deleted", "webhook-disabled"). */
void handle_cancelled(const struct delivery *delivery, const char *reason, int64_t now_ms,
		      struct effects *out);
