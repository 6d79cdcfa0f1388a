/*
 * The ids of deliveries that were looked for in the rows, of late, and were not there: a command
 * looks for its deliveries, and what it records of them next need not look again.
 *
 * Forgotten when a row comes: by a delivery that is written, or by a rollback.
 */
#pragma once

#include "base/uuid.h"

#include <stdbool.h>
#include <stddef.h>

enum { ABSENT_IDS_MAX = 64 };

struct absent_ids {
	struct uuid ids[ABSENT_IDS_MAX];
	size_t count; /* the oldest is overwritten by the one after the last place */
};

static inline void absent_ids_clear(struct absent_ids *absent) {
	absent->count = 0;
}

static inline void absent_ids_add(struct absent_ids *absent, const struct uuid *id) {
	absent->ids[absent->count++ % ABSENT_IDS_MAX] = *id;
}

static inline bool absent_ids_has(const struct absent_ids *absent, const struct uuid *id) {
	size_t known = absent->count < ABSENT_IDS_MAX ? absent->count : ABSENT_IDS_MAX;

	for (size_t i = 0; i < known; i++)
		if (uuid_compare(&absent->ids[i], id) == 0)
			return true;
	return false;
}
