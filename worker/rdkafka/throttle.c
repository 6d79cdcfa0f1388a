#include "rdkafka/throttle.h"

#include "base/memory.h"

/* Source: Kafka, quota.window.num * quota.window.size.seconds = 11 s, and a second more. */
enum { WINDOW_MS = 12 * 1000 };

void throttle_note(struct throttle *throttle, int ms, int64_t now_ms) {
	if (ms <= 0)
		return;
	throttle->reported_at_ms = now_ms;
	throttle->until_ms = MAX(throttle->until_ms, now_ms + ms);
	throttle->news_ms += ms;
}

int64_t throttle_take(struct throttle *throttle) {
	int64_t news_ms = throttle->news_ms;

	throttle->news_ms = 0;
	return news_ms;
}

int64_t throttle_left_ms(const struct throttle *throttle, int64_t now_ms) {
	int64_t until_ms = MIN(throttle->until_ms, throttle->reported_at_ms + WINDOW_MS);

	return MAX(until_ms - now_ms, INT64_C(0));
}

bool throttle_is_outlived(const struct throttle *throttle, int64_t now_ms) {
	return throttle_left_ms(throttle, now_ms) == 0 && now_ms < throttle->until_ms;
}
