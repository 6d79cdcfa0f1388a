#include "registry/wanted.h"

#include "base/memory.h"

static struct wanted_id *find(struct wanted *wanted, uint32_t id) {
	for (size_t i = 0; i < wanted->count; i++)
		if (wanted->ids[i].id == id)
			return &wanted->ids[i];
	return NULL;
}

void wanted_add(struct wanted *wanted, uint32_t id) {
	if (!find(wanted, id) && wanted->count < WANTED_MAX)
		wanted->ids[wanted->count++] = (struct wanted_id){ .id = id };
}

bool wanted_tell_unknown(struct wanted *wanted, uint32_t id, int64_t now_ms) {
	for (size_t i = 0; i < UNKNOWN_MAX; i++) {
		struct unknown_id *unknown = &wanted->unknown[i];

		if (unknown->id != id || unknown->until_ms <= now_ms)
			continue;
		if (!unknown->was_told)
			unknown->until_ms = now_ms + UNKNOWN_MS;
		unknown->was_told = true;
		return true;
	}
	return false;
}

int64_t wanted_next(const struct wanted *wanted, int64_t now_ms, uint32_t *id) {
	const struct wanted_id *first = NULL;

	for (size_t i = 0; i < wanted->count; i++)
		if (!first || wanted->ids[i].backoff.until_ms < first->backoff.until_ms)
			first = &wanted->ids[i];
	if (!first)
		return -1;
	*id = first->id;
	return MAX(first->backoff.until_ms - now_ms, (int64_t)0);
}

void wanted_known(struct wanted *wanted, uint32_t id) {
	struct wanted_id *found = find(wanted, id);

	if (!found)
		return;
	wanted->count--;
	memmove(found, found + 1, (size_t)(&wanted->ids[wanted->count] - found) * sizeof(*found));
}

void wanted_unknown(struct wanted *wanted, uint32_t id, int64_t now_ms) {
	wanted_known(wanted, id);
	wanted->unknown[wanted->unknown_next] =
	    (struct unknown_id){ .id = id, .until_ms = now_ms + UNKNOWN_UNTOLD_MS };
	wanted->unknown_next = (wanted->unknown_next + 1) % UNKNOWN_MAX;
}

void wanted_failed(struct wanted *wanted, uint32_t id, int64_t now_ms) {
	struct wanted_id *found = find(wanted, id);

	if (found)
		backoff_fail(&found->backoff, now_ms, WANTED_PAUSE_MIN_MS, WANTED_PAUSE_MAX_MS);
}
