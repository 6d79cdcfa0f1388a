#include "pipeline/ownership.h"

#include "base/invariant.h"
#include "domain/webhook_rules.h"
#include "pipeline/ownership_state.h"

enum { TOPICS_TIMEOUT_MS = 5000 };

/* The table. */

struct ownership *ownership_new(const struct ownership_settings *settings, int32_t count) {
	struct ownership *o = x_calloc(1, sizeof(*o));

	o->settings = *settings;
	o->partitions.count = count;
	o->partitions.items = x_calloc((size_t)count, sizeof(*o->partitions.items));
	for (int32_t i = 0; i < count; i++) {
		struct partition *partition = &o->partitions.items[i];

		partition->id = i;
		for (int input = 0; input < POSITION_INPUTS; input++)
			partition->poison[input] = -1;
		partition_turn_reset(partition);
	}
	return o;
}

void ownership_free(struct ownership *o) {
	if (!o)
		return;
	free(o->partitions.items);
	free(o);
}

struct partitions *ownership_partitions(struct ownership *o) {
	return &o->partitions;
}

bool ownership_has(const struct ownership *o, enum partition_state state) {
	for (int32_t i = 0; i < o->partitions.count; i++)
		if (o->partitions.items[i].state == state)
			return true;
	return false;
}

/* Giving away. */

void ownership_close_gates(struct ownership *o) {
	for (int32_t i = 0; i < o->partitions.count; i++)
		engine_gate_set(o->settings.engine, i, 0);
}

/* Neither delivered from nor restored. */
static void stop(struct ownership *o, struct partition *partition) {
	dispatcher_suspend(o->settings.dispatcher, partition->id);
	restorer_remove(o->settings.restorer, partition->id);
	partition->is_restored = false;
}

void ownership_suspend(struct ownership *o) {
	for (int32_t i = 0; i < o->partitions.count; i++) {
		struct partition *partition = &o->partitions.items[i];

		if (partition->state == PARTITION_ABSENT || partition->state == PARTITION_SUSPENDED)
			continue;
		stop(o, partition);
		ownership_move(o, partition, PARTITION_SUSPENDED);
	}
}

void ownership_resync(struct ownership *o) {
	for (int32_t i = 0; i < o->partitions.count; i++) {
		struct partition *partition = &o->partitions.items[i];

		if (partition->state != PARTITION_ACTIVE && partition->state != PARTITION_RESTORING)
			continue;
		stop(o, partition);
		if (partition->state == PARTITION_ACTIVE)
			ownership_move(o, partition, PARTITION_RESTORING);
	}
}

/* Being assigned. */

static bool are_known_topics(struct ownership *o) {
	rd_kafka_t *client = membership_client(o->settings.membership);
	int32_t count = o->partitions.count;

	if (topics_check(o->settings.topics, client, TOPICS_TIMEOUT_MS, &count) == TOPICS_E_REFUSED)
		return false;
	if (count == o->partitions.count)
		return true;
	log_error("number of partitions changed: tenants would change their partition",
		  "before=%d now=%d", o->partitions.count, count);
	return false;
}

static bool is_listed(const rd_kafka_topic_partition_list_t *list, const char *topic,
		      int32_t partition) {
	return rd_kafka_topic_partition_list_find(
	    (rd_kafka_topic_partition_list_t *)(uintptr_t)list, topic, partition);
}

/* Both input topics of a partition come together, or the topics do not fit. */
static bool is_of_whole_partitions(const struct ownership *o,
				   const rd_kafka_topic_partition_list_t *list) {
	for (int32_t i = 0; i < o->partitions.count; i++) {
		if (is_listed(list, o->settings.topics->admin, i) ==
		    is_listed(list, o->settings.topics->issuance, i))
			continue;
		log_error("assignment is not of whole partitions: all workers must use the range "
			  "assignor",
			  "partition=%d", i);
		return false;
	}
	return true;
}

static void let_go(struct ownership *o, struct partition *partition) {
	dispatcher_forget(o->settings.dispatcher, partition->id);
	partition->epoch = 0;
	ownership_move(o, partition, PARTITION_ABSENT);
}

/* Returns how many partitions there are. */
static int32_t take_over(struct ownership *o, const rd_kafka_topic_partition_list_t *list) {
	int32_t count = 0;

	for (int32_t i = 0; i < o->partitions.count; i++) {
		struct partition *partition = &o->partitions.items[i];

		if (is_listed(list, o->settings.topics->admin, i)) {
			invariant(!partition->is_restored,
				  "an assigned partition is restored before it is served (R6)");
			ownership_move(o, partition, PARTITION_RESTORING);
			count++;
		} else if (partition->state == PARTITION_SUSPENDED) {
			let_go(o, partition);
		}
	}
	return count;
}

struct step ownership_assign(struct ownership *o, const rd_kafka_topic_partition_list_t *list) {
	int32_t count;

	ownership_suspend(o); /* an assignment may follow another without a revocation in between */
	if (!are_known_topics(o) || !is_of_whole_partitions(o, list))
		return step_end(STEP_FATAL);
	if (membership_accept(o->settings.membership) < 0)
		return step_end(STEP_FATAL);
	count = take_over(o, list);
	log_info("partitions assigned", "count=%d of=%d generation=%d", count, o->partitions.count,
		 membership_generation(o->settings.membership));
	return step_done(true);
}

/* Restoring. */

/* All that are to be restored and are not being: after an assignment, or a replica made again. */
static int begin_restores(struct ownership *o) {
	int r = 0;

	for (int32_t i = 0; i < o->partitions.count && r == 0; i++) {
		struct partition *partition = &o->partitions.items[i];
		struct restore_request request = {
			.partition = i,
			.known = &partition->position,
			.gauges = &o->settings.metrics->partitions[i].restore,
		};

		if (partition->state == PARTITION_RESTORING && !partition->is_restored &&
		    !restorer_has(o->settings.restorer, i))
			r = restorer_add(o->settings.restorer, &request);
	}
	return r;
}

/* Workers that disagree about event.types refuse what others take: that is said, and stops nothing.
 */
static void check_catalogue(struct ownership *o, int32_t partition, int64_t theirs) {
	int64_t ours = event_catalogue_hash(webhook_rules_of(o->settings.config).catalogue);

	if (theirs == 0 || theirs == ours)
		return;
	metric_add(&o->settings.metrics->catalogue_disagreements, 1);
	log_error("the partition's last worker had other event.types than this one: all must have "
		  "the same",
		  "partition=%d", partition);
}

static void end_restore(struct ownership *o, const struct restore_result *result) {
	struct partition *partition = &o->partitions.items[result->partition];

	if (result->end == RESTORE_END_TORN) {
		ownership_move(o, partition, PARTITION_FAILED);
		return;
	}
	partition->is_restored = true;
	check_catalogue(o, partition->id, result->position.catalogue);
	partition->has_moved |= result->end == RESTORE_END_MOVED;
	partition->position = result->position;
	partition->position_offset = result->position_offset;
}

struct step ownership_restore(struct ownership *o, int64_t budget_ms) {
	struct restore_result result;
	int r = begin_restores(o);

	if (r == 0)
		r = restorer_step(o->settings.restorer, budget_ms);
	if (r < 0)
		return step_replica_failed(r);
	while (restorer_take_ended(o->settings.restorer, &result))
		end_restore(o, &result);
	return step_done(r != 0);
}

int ownership_failures(const struct ownership *o) {
	return o->ask_backoff.failures;
}
