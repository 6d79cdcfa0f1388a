#include "pipeline/ownership_inputs.h"

#include "base/clock.h"
#include "pipeline/input_topics.h"
#include "pipeline/offsets.h"
#include "pipeline/ownership_state.h"

#include <inttypes.h>

/* Events of one's own are read while all workers can read what follows from them (R13). */
static bool is_read(const struct ownership *o, const struct partition *partition,
		    enum input input) {
	return partition->state == PARTITION_ACTIVE && !partition->is_held &&
	       (input != INPUT_EVENT || o->reads_events);
}

struct step ownership_read(struct ownership *o) {
	size_t max = (size_t)o->partitions.count * POSITION_INPUTS, count = 0;
	_cleanup_(x_freep) struct membership_read *reads = x_calloc(max, sizeof(*reads));

	for (int32_t i = 0; i < o->partitions.count; i++)
		for (int input = 0; input < POSITION_INPUTS; input++)
			if (is_read(o, &o->partitions.items[i], (enum input)input))
				reads[count++] = (struct membership_read){
					input_topic_name(o->settings.topics, (enum input)input), i,
					o->partitions.items[i].next[input]
				};
	if (membership_read(o->settings.membership, reads, count) < 0)
		return step_end(STEP_FATAL);
	return step_done(true);
}

struct step ownership_heed_group(struct ownership *o) {
	bool may_read =
	    !o->settings.watch || group_watch_readers(o->settings.watch) == GROUP_READERS_ALL;

	if (may_read == o->reads_events)
		return step_done(false);
	o->reads_events = may_read;
	return step_end(STEP_REREAD);
}

struct step ownership_let_on(struct ownership *o) {
	bool is_any = false;

	if (atomic_load(&o->settings.metrics->refused) & METRIC_REFUSED_DEAD_LETTERS)
		return step_done(false);
	for (int32_t i = 0; i < o->partitions.count; i++) {
		is_any |= o->partitions.items[i].is_held;
		o->partitions.items[i].is_held = false;
	}
	return is_any ? step_end(STEP_REREAD) : step_done(false);
}

/* Losses. */

void ownership_note_lost(struct ownership *o, const rd_kafka_topic_partition_list_t *list) {
	for (int i = 0; i < list->cnt; i++) {
		enum input input = input_of_topic(o->settings.topics, list->elems[i].topic);

		o->partitions.items[list->elems[i].partition].is_input_lost[input] = true;
	}
}

static void count_lost(struct ownership *o, enum input input, int64_t expected, int64_t low) {
	metric_add(&o->settings.metrics->inputs_lost[input], 1);
	metric_add(&o->settings.metrics->records_lost[input],
		   (uint64_t)MAX(low - expected, (int64_t)0));
}

/* Returns whether the input goes on from elsewhere. */
static bool skip_lost(struct ownership *o, struct partition *partition, enum input input,
		      rd_kafka_t *client) {
	const char *topic = input_topic_name(o->settings.topics, input);
	int64_t low, high, expected = partition->next[input];

	if (offsets_ask_bounds(client, topic, partition->id, &low, &high) < 0) {
		ownership_put_off(o);
		return false;
	}
	backoff_clear(&o->ask_backoff);
	partition->is_input_lost[input] = false;
	partition->next[input] = expected < low ? low : MIN(expected, high);
	partition_turn_reset(partition);
	count_lost(o, input, expected, low);
	log_error(
	    "the records to be read next are not there: deleted before they were read, or cut "
	    "off",
	    "topic=%s partition=%d expected=%" PRId64 " first=%" PRId64 " end=%" PRId64
	    " going_on_at=%" PRId64,
	    topic, partition->id, expected, low, high, partition->next[input]);
	return true;
}

struct step ownership_skip_lost(struct ownership *o, rd_kafka_t *client) {
	bool is_any = false;

	for (int32_t i = 0; i < o->partitions.count; i++) {
		struct partition *partition = &o->partitions.items[i];

		if (partition->state != PARTITION_ACTIVE)
			continue;
		for (int input = 0; input < POSITION_INPUTS; input++)
			if (partition->is_input_lost[input] &&
			    backoff_is_over(&o->ask_backoff, clock_monotonic_ms()))
				is_any |= skip_lost(o, partition, (enum input)input, client);
	}
	return is_any ? step_end(STEP_REREAD) : step_done(false);
}

/* Gauges. */

void ownership_update_group(struct ownership *o) {
	if (o->settings.watch)
		atomic_store(&o->settings.metrics->older_workers,
			     group_watch_others_count(o->settings.watch));
}

void ownership_update_lag(struct ownership *o) {
	for (int32_t i = 0; i < o->partitions.count; i++)
		for (int input = 0; input < POSITION_INPUTS; input++) {
			const struct partition *partition = &o->partitions.items[i];
			int64_t lag = -1, end = -1;

			if (partition->state == PARTITION_ACTIVE)
				end = membership_input_end(
				    o->settings.membership,
				    input_topic_name(o->settings.topics, (enum input)input), i);
			if (end >= 0)
				lag = MAX(end - partition->next[input], (int64_t)0);
			atomic_store(&o->settings.metrics->partitions[i].lag[input], lag);
		}
}
