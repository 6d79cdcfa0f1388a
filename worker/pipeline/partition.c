#include "pipeline/partition.h"

#include "base/invariant.h"
#include "base/memory.h"

#define TO(state) (1u << (state))

/* The drawing of partition.h. */
static const struct {
	const char *name;
	unsigned allowed;
} states[] = {
	[PARTITION_ABSENT] = { "absent", TO(PARTITION_RESTORING) },
	[PARTITION_RESTORING] = { "restoring", TO(PARTITION_ACTIVE) | TO(PARTITION_SUSPENDED) |
						   TO(PARTITION_FAILED) },
	[PARTITION_ACTIVE] = { "active", TO(PARTITION_RESTORING) | TO(PARTITION_SUSPENDED) },
	[PARTITION_SUSPENDED] = { "suspended", TO(PARTITION_RESTORING) | TO(PARTITION_ABSENT) },
	[PARTITION_FAILED] = { "failed", TO(PARTITION_SUSPENDED) },
};

const char *partition_state_name(enum partition_state state) {
	return states[state].name;
}

void partition_move(struct partition *partition, enum partition_state to) {
	invariant_with(states[partition->state].allowed & TO(to),
		       "a partition goes from state to state as it is drawn",
		       "partition=%d from=%s to=%s", partition->id, states[partition->state].name,
		       states[to].name);
	partition->state = to;
}

void partition_turn_reset(struct partition *partition) {
	partition->turn = (struct partition_turn){ .position_offset = -1 };
	memcpy(partition->turn.next, partition->next, sizeof(partition->next));
}

void partition_turn_commit(struct partition *partition) {
	partition->position = partition->turn.position;
	partition->position.member_id = NULL; /* it lived in the turn */
	partition->position_offset = partition->turn.position_offset;
	memcpy(partition->next, partition->turn.next, sizeof(partition->next));
	partition_forget_poison(partition);
	partition_turn_reset(partition);
}

void partition_forget_poison(struct partition *partition) {
	for (int input = 0; input < POSITION_INPUTS; input++)
		if (partition->poison[input] < partition->next[input])
			partition->poison[input] = -1;
}
