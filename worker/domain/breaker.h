/*
 * An endpoint's circuit breaker: decides from past attempts which further ones may go. A function
 * of values: its owner reports the end of every attempt to it.
 *
 *                        a success
 *           ┌────────────────────────────────────┐
 *           ▼                                    │
 *      CLOSED ── failures_max in a row ───────► OPEN ◄──┐ a probe fails
 *        all attempts may go                     │  └───┘
 *                                                │ when the hold is over: one attempt, a probe
 *                                                ▼
 *                               410 ──► GONE: no attempt goes until the webhook is disabled
 *
 * breaker_success and breaker_failure take every arrow; breaker_reopened makes an OPEN one.
 *
 * A proxy that dies breaks the attempts of all endpoints at one moment, and an endpoint may break
 * its own. Of those that were under way when one of them broke only that one is counted, so that
 * the proxy's death opens no breaker, and an endpoint's habit does.
 *
 * A hold is a time before which no attempt goes: until the next probe, or as long as the endpoint
 * asked for with Retry-After. Source of the statuses that slow an endpoint down: RFC 9110 sections
 * 10.2.3, 15.5.11 and 15.6, RFC 6585 section 4.
 */
#pragma once

#include "domain/attempt.h"

struct breaker_policy {
	int failures_max; /* consecutive; at least 1 */
	int64_t probe_interval_ms;
};

struct breaker {
	int failures;             /* consecutive */
	int64_t failing_since_ms; /* wall: when the first of them ended; 0: none */
	int64_t counted_at_ms;    /* wall: when the last of them ended; 0: none */
	int64_t hold_until_ms;    /* wall; 0: none */
	bool is_open, is_gone;
};

/* The effect of a failure on the endpoint, beyond the failed delivery. */
enum breaker_effect {
	BREAKER_NONE,
	BREAKER_SLOWER, /* the endpoint asked for fewer requests at once */
	BREAKER_HELD,   /* no attempt before hold_until_ms, then a single one */
};

void breaker_success(struct breaker *breaker);
enum breaker_effect breaker_failure(struct breaker *breaker, const struct breaker_policy *policy,
				    const struct attempt_result *result);

/* A breaker that was open before a restart and may still be: open, its probe due at once. */
struct breaker breaker_reopened(int64_t failing_since_ms);
