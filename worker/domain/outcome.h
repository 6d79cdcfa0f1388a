/*
 * The end of an attempt, and of a delivery: what it changes and which events it gives. Functions of
 * values, like the handlers of commands.
 */
#pragma once

#include "domain/attempt.h"
#include "domain/effects.h"

struct outcome_settings {
	struct retry_policy retry;
	int64_t endpoint_disable_after_ms;
	bool keeps_succeeded; /* what succeeded stays in the changelog, marked */
};

/*
 * Handles an attempt's outcome. A success ends the delivery (tombstone, or SUCCEEDED where it
 * is kept; PROCESS_SUCCESS). A failure
 * schedules the next attempt (RETRY) or, with the schedule exhausted, makes the delivery dead
 * (PROCESS_FAIL). A 410 ends it (tombstone, PROCESS_FAIL). `delivery` is as before the attempt. The
 * ids of the events are id_of_delivery_event's.
 */
void handle_outcome(const struct outcome_settings *settings, const struct delivery *delivery,
		    const struct attempt_result *result, struct effects *out);

/* Ends a delivery whose webhook is deleted or disabled: tombstone and PROCESS_FAIL with `reason`
 * ("webhook-deleted", "webhook-disabled"). */
void handle_cancelled(const struct delivery *delivery, const char *reason, int64_t now_ms,
		      struct effects *out);
