/*
 * The place of a row: where it stands in the order of time, as one number. It is made of the row
 * alone, so that all gateways have the same, and a cursor is valid at each of them. Two rows that
 * would have the same place stand one behind the other.
 */
#pragma once

#include "base/memory.h"
#include "base/uuid.h"

#include <stdint.h>

enum {
	PLACE_BITS = 20,
	PLACE_MASK = (1 << PLACE_BITS) - 1,
	PLACE_BUCKET_BITS = 46, /* as schema.sql has it */
};

/* The latest time that has a place: in the year 2248. */
#define PLACE_MS_MAX (INT64_MAX >> PLACE_BITS)

/* The first place of that time (wall). */
static inline int64_t place_of_time(int64_t ms) {
	return MIN(MAX(ms, (int64_t)0), PLACE_MS_MAX) << PLACE_BITS;
}

static inline int64_t place_time_ms(int64_t place) {
	return place >> PLACE_BITS;
}

static inline int64_t place_bucket(int64_t place) {
	return place >> PLACE_BUCKET_BITS;
}

/* Of an event: a tenant's are in one partition. */
static inline int64_t place_of_event(int64_t ms, int32_t partition, int64_t offset) {
	return place_of_time(ms) | ((offset * 64 + partition) & PLACE_MASK);
}

static inline int64_t place_of_delivery(int64_t ms, const struct uuid *id) {
	return place_of_time(ms) |
	       ((id->bytes[0] << 16 | id->bytes[1] << 8 | id->bytes[2]) & PLACE_MASK);
}
