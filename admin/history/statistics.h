/*
 * A webhook's attempts in the last 24 hours: the current hour, and the 23 before it. They are
 * counted while events are folded, so that an answer takes the same time whatever their number.
 */
#pragma once

#include "base/buffer.h"
#include "history/history.h"

enum { STATISTICS_HOURS = 24, STATISTICS_HOUR_MS = 3600 * 1000, STATISTICS_FAILURES = 10 };

/* The first hour (its number since 1970) that an answer at that time (wall) tells of. */
static inline int64_t statistics_first_hour(int64_t now_ms) {
	return now_ms / STATISTICS_HOUR_MS - (STATISTICS_HOURS - 1);
}

/*
 * Appends {"succeeded":1,"failed":1,"durationMs":{"p50":9,"p99":11},"hours":[...],"failures":[...],
 * "completeSince":"..."}. An hour, the oldest first, is {"from","succeeded","failed",
 * "durationMs"}, and durationMs is absent where there was no attempt. A failure is the event of a
 * failed attempt, in the form of json_append_event, the newest first, of any age. All is empty for
 * a webhook that the tenant has not. Returns 0 or -EIO after logging.
 */
int history_query_statistics(struct history *history, const char *tenant_id,
			     const struct uuid *webhook_id, int64_t now_ms,
			     struct buffer *out) _must_check_;
