/* Exponential back-off for a repair that may fail many times in a row. The pause keeps it from
 * failing thousands of times a second and from filling the log. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct backoff {
	int failures;     /* consecutive */
	int64_t until_ms; /* monotonic; no further try before it */
};

/* Counts one failure. The pause is `min_ms` after the first and doubles with each further one,
 * up to `max_ms`. */
static inline void backoff_fail(struct backoff *backoff, int64_t now_ms, int64_t min_ms,
				int64_t max_ms) {
	int doublings = backoff->failures < 30 ? backoff->failures : 30;
	int64_t pause_ms = min_ms << doublings;

	backoff->failures++;
	backoff->until_ms = now_ms + (pause_ms < max_ms ? pause_ms : max_ms);
}

/* The same for a refusal, which only a grant mends. */
static inline void backoff_refuse(struct backoff *backoff, int64_t now_ms) {
	backoff_fail(backoff, now_ms, 1000, 10 * 1000);
}

static inline void backoff_clear(struct backoff *backoff) {
	*backoff = (struct backoff){ 0 };
}

static inline bool backoff_is_over(const struct backoff *backoff, int64_t now_ms) {
	return now_ms >= backoff->until_ms;
}
