#include "latency.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of an hour with some thousands a second at its peaks. Memory is taken as it is used. */
enum { LATENCIES_MAX = 1 << 23, DIGITS = 16 };

struct latency {
	int64_t us;
	int group;
};

static const char mark[] = "sent-at-";
static struct latency *found;
static size_t count;
static bool looking;

void latency_begin(void) {
	if (!found)
		found = calloc(LATENCIES_MAX, sizeof(*found));
	looking = found != NULL;
	count = 0;
}

void latency_look(const char *bytes, size_t len, int64_t now_us, int group) {
	const char *at = looking ? memmem(bytes, len, mark, sizeof(mark) - 1) : NULL;
	char digits[DIGITS + 1] = "";

	if (!at || count == LATENCIES_MAX || (size_t)(bytes + len - at) < sizeof(mark) - 1 + DIGITS)
		return;
	memcpy(digits, at + sizeof(mark) - 1, DIGITS);
	found[count++] = (struct latency){ now_us - strtoll(digits, NULL, 10), group };
}

static int compare(const void *a, const void *b) {
	const struct latency *left = a, *right = b;

	return (left->us > right->us) - (left->us < right->us);
}

static bool is_of(const struct latency *latency, int group) {
	return group == 0 || latency->group == group;
}

/* Of sorted ones: that of this rank, the last where there is none, in milliseconds. */
static double at_rank(size_t rank, int group) {
	double us = 0;

	for (size_t i = 0; i < count; i++) {
		if (!is_of(&found[i], group))
			continue;
		us = (double)found[i].us;
		if (rank-- == 0)
			break;
	}
	return us / 1000;
}

void latency_end(int group) {
	size_t len = 0;

	looking = false;
	if (count)
		qsort(found, count, sizeof(*found), compare);
	for (size_t i = 0; i < count; i++)
		len += is_of(&found[i], group);
	printf("{\"count\":%zu,\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}", len,
	       at_rank((size_t)(0.5 * (double)len), group),
	       at_rank((size_t)(0.99 * (double)len), group),
	       at_rank((size_t)(0.999 * (double)len), group), at_rank(len, group));
}
