#include "history/duration_bucket.h"

#include "base/memory.h"

enum { QUARTERS = 4 };

int duration_bucket(int64_t ms) {
	int64_t value = MIN(MAX(ms, (int64_t)0), (int64_t)INT32_MAX);
	int shift = 0;

	while (value >> shift >= 2 * QUARTERS)
		shift++;
	return QUARTERS * shift + (int)(value >> shift);
}

int64_t duration_bucket_ms(int bucket) {
	int shift = MAX(bucket / QUARTERS - 1, 0);
	int64_t first = (int64_t)(bucket - QUARTERS * shift) << shift;

	return first + ((INT64_C(1) << shift) - 1) / 2;
}

int64_t duration_percentile(const int64_t counts[DURATION_BUCKETS], int percent) {
	int64_t total = 0, seen = 0;

	for (int i = 0; i < DURATION_BUCKETS; i++)
		total += counts[i];
	for (int i = 0; i < DURATION_BUCKETS; i++) {
		seen += counts[i];
		if (seen && seen * 100 >= total * percent)
			return duration_bucket_ms(i);
	}
	return -1;
}
