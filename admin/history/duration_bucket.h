/*
 * Durations counted by buckets, so that percentiles of any number of attempts take a few rows. A
 * bucket is a quarter of the numbers between two powers of 2: a percentile is within an eighth of
 * the exact one, and exact below 8 ms.
 */
#pragma once

#include <stdint.h>

enum { DURATION_BUCKETS = 120 };

/* The bucket of a duration; a negative one counts as 0, one of 2^31 ms or more as the longest. */
int duration_bucket(int64_t ms);
/* The duration in the middle of a bucket, in ms. */
int64_t duration_bucket_ms(int bucket);

/* The duration that `percent` (1..100) of all durations do not exceed, by the counts of each
 * bucket; -1: there are none. */
int64_t duration_percentile(const int64_t counts[DURATION_BUCKETS], int percent);
