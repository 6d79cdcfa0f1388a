#include "pipeline/turn_commit.h"

#include "base/clock.h"
#include "base/invariant.h"
#include "pipeline/turn_write.h"

#include <inttypes.h>

/* Kafka. */

/*
 * Whether what is written now lies before what was committed earlier: the topic was deleted and
 * made again, and a history that begins in its middle would be restored as if it were whole.
 */
static bool is_remade(const struct turns *t, const struct partition *partition) {
	const struct partition_turn *turn = &partition->turn;
	int64_t first_offset = turn->position_offset - turn->records;
	bool is_known = turn->is_touched && turn->position_offset >= 0;

	if (!is_known || partition->position.sequence == 0 ||
	    first_offset > partition->position_offset)
		return false;
	log_error("changelog was deleted and made again: nothing is committed to it",
		  "topic=%s partition=%d offset=%" PRId64 " expected_after=%" PRId64,
		  t->settings.topics->state, partition->id, first_offset,
		  partition->position_offset);
	return true;
}

static bool is_any_remade(const struct turns *t) {
	bool is_any = false;

	for (int32_t i = 0; i < t->settings.partitions->count; i++)
		is_any |= is_remade(t, &t->settings.partitions->items[i]);
	return is_any;
}

void turn_note_flow(struct turn *turn) {
	struct turns *t = turn->turns;
	struct transaction_flow flow = transaction_flow(turn->transaction);

	turn->taken = flow.taken;
	turn->is_throttled |= flow.throttled_ms > 0;
	t->held_up_until_ms = clock_monotonic_ms() + flow.held_up_ms;
	metric_add(&t->settings.metrics->throttled_ms, (uint64_t)flow.throttled_ms);
}

int turn_commit_kafka(struct turn *turn) {
	struct turns *t = turn->turns;
	int64_t started_us = clock_monotonic_us();
	rd_kafka_topic_partition_list_t *offsets;
	int r = transaction_flush(turn->transaction);

	if (r != 0)
		return r;
	if (is_any_remade(t))
		return TURN_E_REMADE;
	offsets = turn_offsets(turn);
	invariant(offsets->cnt > 0, "every transaction sends offsets (R2)");
	r = transaction_commit(turn->transaction, offsets,
			       membership_group(t->settings.membership));
	rd_kafka_topic_partition_list_destroy(offsets);
	turn->commit_us = clock_monotonic_us() - started_us;
	return r;
}

/* The replica. */

bool turn_knows_positions(const struct turn *turn) {
	const struct partitions *partitions = turn->turns->settings.partitions;

	for (int32_t i = 0; i < partitions->count; i++) {
		const struct partition_turn *part = &partitions->items[i].turn;

		if (part->is_touched && part->position_offset < 0)
			return false;
	}
	return true;
}

int turn_commit_replica(struct turn *turn) {
	const struct partitions *partitions = turn->turns->settings.partitions;
	int64_t now_ms = clock_wall_ms();
	int r = 0;

	for (int32_t i = 0; i < partitions->count && r == 0; i++) {
		const struct partition_turn *part = &partitions->items[i].turn;

		if (part->is_touched)
			r = replica_offset_set(turn->replica, i, part->position_offset + 1, now_ms);
	}
	return r == 0 ? replica_turn_end(turn->replica, clock_monotonic_ms()) : r;
}
