#include "pipeline/partition.h"

#include "base/memory.h"

#define TO(state) (1u << (state))

static const struct {
	const char *name;
	unsigned allowed;
} states[] = {
	[PARTITION_ABSENT] = { "absent", TO(PARTITION_RESTORING) },
	[PARTITION_RESTORING] = { "restoring", TO(PARTITION_ACTIVE) | TO(PARTITION_SUSPENDED) |
						   TO(PARTITION_FAILED) },
	[PARTITION_ACTIVE] = { "active", TO(PARTITION_RESTORING) | TO(PARTITION_SUSPENDED) },
	[PARTITION_SUSPENDED] = { "suspended", TO(PARTITION_RESTORING) | TO(PARTITION_ABSENT) },
	[PARTITION_FAILED] = { "failed", TO(PARTITION_SUSPENDED) | TO(PARTITION_RESTORING) },
};

const char *partition_state_name(enum partition_state state) {
	return states[state].name;
}

void partition_move(struct partition *partition, enum partition_state to) {
	if (!(states[partition->state].allowed & TO(to)))
		abort();
	partition->state = to;
}

void partition_turn_reset(struct partition *partition) {
	memcpy(partition->turn_next, partition->next, sizeof(partition->next));
	partition->turn_records = 0;
	partition->turn_pending = 0;
	partition->turn_touched = false;
	partition->turn_position_offset = -1;
}

void partition_forget_poison(struct partition *partition) {
	for (int input = 0; input < POSITION_INPUTS; input++)
		if (partition->poison[input] < partition->next[input])
			partition->poison[input] = -1;
}
