#include "latency.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LATENCIES_MAX = 1 << 20, DIGITS = 16 };

static const char mark[] = "sent-at-";
static int64_t *found; /* microseconds */
static size_t count;
static bool looking;

void latency_begin(void) {
	if (!found)
		found = calloc(LATENCIES_MAX, sizeof(*found));
	looking = found != NULL;
	count = 0;
}

void latency_look(const char *bytes, size_t len, int64_t now_us) {
	const char *at = looking ? memmem(bytes, len, mark, sizeof(mark) - 1) : NULL;
	char digits[DIGITS + 1] = "";

	if (!at || count == LATENCIES_MAX || (size_t)(bytes + len - at) < sizeof(mark) - 1 + DIGITS)
		return;
	memcpy(digits, at + sizeof(mark) - 1, DIGITS);
	found[count++] = now_us - strtoll(digits, NULL, 10);
}

static int compare(const void *a, const void *b) {
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* The nearest rank, in milliseconds. */
static double percentile(double part) {
	size_t rank = (size_t)(part * (double)count);

	return count ? (double)found[rank < count ? rank : count - 1] / 1000 : 0;
}

void latency_end(void) {
	looking = false;
	if (count)
		qsort(found, count, sizeof(*found), compare);
	printf("{\"count\":%zu,\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}", count,
	       percentile(0.5), percentile(0.99), percentile(0.999), percentile(1));
}
