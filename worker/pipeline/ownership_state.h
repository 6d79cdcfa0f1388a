/* The memory of the ownership. Only for ownership*.c. */
#pragma once

#include "base/backoff.h"
#include "base/clock.h"
#include "pipeline/ownership_settings.h"

struct ownership {
	struct ownership_settings settings;
	struct partitions partitions;
	uint32_t last_epoch;
	bool reads_events;          /* of the third input */
	struct backoff ask_backoff; /* of where the inputs go on */
};

/* The brokers did not tell where an input goes on: they are asked again after a pause. */
static inline void ownership_put_off(struct ownership *ownership) {
	enum { PAUSE_MIN_MS = 100, PAUSE_MAX_MS = 1000 };

	backoff_fail(&ownership->ask_backoff, clock_monotonic_ms(), PAUSE_MIN_MS, PAUSE_MAX_MS);
}

static inline void ownership_move(struct ownership *ownership, struct partition *partition,
				  enum partition_state state) {
	partition_move(partition, state);
	atomic_store(&ownership->settings.metrics->partitions[partition->id].state, (int)state);
}
