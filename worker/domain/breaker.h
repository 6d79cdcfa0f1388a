/*
 * An endpoint's breaker: what the attempts that ended say about those to come. A function of
 * values; whoever keeps one tells it of every end.
 *
 *                       a success
 *          ┌────────────────────────────────────┐
 *          ▼                                    │
 *     CLOSED ── so many failures in a row ──► OPEN ◄──┐ a probe fails
 *       all may go                            │  └────┘
 *                                             │ one goes, a probe, when the hold is over
 *                                             ▼
 *                             410 ──► GONE: none goes, until its webhook was told
 *
 * A hold is a time before which none goes: the time until a probe, or what the endpoint asked for
 * with Retry-After. Source of the statuses that slow an endpoint down: RFC 9110
 * sections 10.2.3, 15.5.11 and 15.6, RFC 6585 section 4.
 */
#pragma once

#include "domain/attempt.h"

struct breaker_policy {
	int failures_max; /* in a row; at least 1 */
	int64_t probe_interval_ms;
};

struct breaker {
	int failures;             /* in a row */
	int64_t failing_since_ms; /* wall: when the first of them ended; 0: none */
	int64_t hold_until_ms;    /* wall; 0: none */
	bool is_open, is_gone;
};

/* What a failure means for the endpoint beyond its own delivery. */
enum breaker_effect {
	BREAKER_NONE,
	BREAKER_SLOWER, /* it asked for less: fewer at once */
	BREAKER_HELD,   /* nothing before hold_until_ms, and then one at first */
};

void breaker_success(struct breaker *breaker);
enum breaker_effect breaker_failure(struct breaker *breaker, const struct breaker_policy *policy,
				    const struct attempt_result *result);

/* As one begins that had opened before and is not known to have closed since: with a probe, at
 * once. */
struct breaker breaker_reopened(int64_t failing_since_ms);
