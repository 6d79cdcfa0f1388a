/*
 * The schema ids that are to be asked for, and those that the registry has said not to know. A
 * value, without clock and lock.
 *
 *     wanted_add ──► waiting ──► wanted_known    it is in the codec from now on
 *                    │  ▲  │
 *                    │  └──┴──── wanted_failed   asked again after a growing pause
 *                    ▼
 *                    wanted_unknown ──► told once for sure, then for UNKNOWN_MS
 *
 * That an id is unknown does not stay, for it may be registered: it is asked for anew with the next
 * record. UNKNOWN_MS spares a request for each record of a producer that sends only such, and is
 * shorter than the way of a record that is replayed once the schema is registered.
 */
#pragma once

#include "base/backoff.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	WANTED_MAX = 1024, /* more are asked for when others were answered */
	UNKNOWN_MAX = 256,
	UNKNOWN_MS = 50,
	UNKNOWN_UNTOLD_MS = 60 * 1000,
	WANTED_PAUSE_MIN_MS = 100,
	WANTED_PAUSE_MAX_MS = 5000,
};

struct wanted {
	struct wanted_id {
		uint32_t id;
		struct backoff backoff;
	} ids[WANTED_MAX];
	size_t count;
	struct unknown_id {
		uint32_t id;
		bool was_told;
		int64_t until_ms; /* monotonic */
	} unknown[UNKNOWN_MAX];
	size_t unknown_next; /* the oldest, which the next one replaces */
};

void wanted_add(struct wanted *wanted, uint32_t id);
/* Whether the registry has just said that it does not know this id. */
bool wanted_tell_unknown(struct wanted *wanted, uint32_t id, int64_t now_ms);

/* The id to be asked for next. Returns how long to wait before it is due, 0: it is due now; -1:
 * there is none. */
int64_t wanted_next(const struct wanted *wanted, int64_t now_ms, uint32_t *id);

void wanted_known(struct wanted *wanted, uint32_t id);
void wanted_unknown(struct wanted *wanted, uint32_t id, int64_t now_ms);
void wanted_failed(struct wanted *wanted, uint32_t id, int64_t now_ms);
