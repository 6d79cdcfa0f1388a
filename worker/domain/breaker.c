#include "domain/breaker.h"

#include "base/memory.h"
#include "domain/delivery.h"

void breaker_success(struct breaker *breaker) {
	/* A success of an attempt that began before the endpoint asked for a pause does not end
	 * the pause. */
	int64_t hold_until_ms = breaker->is_open ? 0 : breaker->hold_until_ms;

	*breaker = (struct breaker){ .hold_until_ms = hold_until_ms, .is_gone = breaker->is_gone };
}

/* The pause that the endpoint asked for; 0: none. */
static int64_t asked_hold_ms(const struct attempt_result *result) {
	return attempt_may_ask_to_wait(result->status)
		   ? MIN(MAX(result->retry_after_ms, (int64_t)0), (int64_t)RETRY_AFTER_MAX_MS)
		   : 0;
}

/* Whether the attempt was under way when another one failed, and broke. */
static bool broke_with_others(const struct breaker *breaker, const struct attempt_result *result) {
	return result->reason == ATTEMPT_PROXY_BROKEN &&
	       result->finished_at_ms - result->duration_ms <= breaker->counted_at_ms;
}

enum breaker_effect breaker_failure(struct breaker *breaker, const struct breaker_policy *policy,
				    const struct attempt_result *result) {
	int64_t hold_ms = asked_hold_ms(result);

	if (!attempt_is_of_endpoint(result) || broke_with_others(breaker, result))
		return BREAKER_NONE;
	if (breaker->failures++ == 0 && !breaker->failing_since_ms)
		breaker->failing_since_ms = result->finished_at_ms;
	breaker->counted_at_ms = result->finished_at_ms;
	breaker->is_gone |= attempt_is_gone(result);
	breaker->is_open |= breaker->failures >= policy->failures_max;
	if (breaker->is_open)
		hold_ms = MAX(hold_ms, policy->probe_interval_ms);
	if (hold_ms > 0)
		breaker->hold_until_ms =
		    MAX(breaker->hold_until_ms, result->finished_at_ms + hold_ms);
	return hold_ms > 0 || breaker->is_gone           ? BREAKER_HELD
	       : attempt_may_ask_to_wait(result->status) ? BREAKER_SLOWER
							 : BREAKER_NONE;
}

struct breaker breaker_reopened(int64_t failing_since_ms) {
	return (struct breaker){ .failing_since_ms = failing_since_ms, .is_open = true };
}
