#include "pipeline/ownership.h"

#include "base/clock.h"
#include "base/invariant.h"
#include "domain/webhook_rules.h"
#include "pipeline/offsets.h"
#include "pipeline/ownership_state.h"

#include <errno.h>

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

static void move(struct ownership *o, struct partition *partition, enum partition_state state) {
	partition_move(partition, state);
	atomic_store(&o->settings.metrics->partitions[partition->id].state, (int)state);
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
		move(o, partition, PARTITION_SUSPENDED);
	}
}

void ownership_resync(struct ownership *o) {
	for (int32_t i = 0; i < o->partitions.count; i++) {
		struct partition *partition = &o->partitions.items[i];

		if (partition->state != PARTITION_ACTIVE && partition->state != PARTITION_RESTORING)
			continue;
		stop(o, partition);
		if (partition->state == PARTITION_ACTIVE)
			move(o, partition, PARTITION_RESTORING);
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
	move(o, partition, PARTITION_ABSENT);
}

/* Returns how many partitions there are. */
static int32_t take_over(struct ownership *o, const rd_kafka_topic_partition_list_t *list) {
	int32_t count = 0;

	for (int32_t i = 0; i < o->partitions.count; i++) {
		struct partition *partition = &o->partitions.items[i];

		if (is_listed(list, o->settings.topics->admin, i)) {
			invariant(!partition->is_restored,
				  "an assigned partition is restored before it is served (R6)");
			move(o, partition, PARTITION_RESTORING);
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
		move(o, partition, PARTITION_FAILED);
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

/* Becoming active. */

/* Logs whose secret it is, and which master keys are here. */
static void log_missing_master_key(const struct ownership *o, int32_t partition,
				   const struct orphan *orphan) {
	_cleanup_(buffer_destroy) struct buffer ids = BUFFER_INIT(1024);

	master_keys_append_ids(o->settings.master_keys, &ids);
	log_error("a tenant's secrets are derived from a master key that this worker does not "
		  "have: worker.master.key.file must name its file",
		  "tenant=%s %s=%s master_key=%s master_keys_here=%s partition=%d",
		  log_quote(orphan->tenant_id), orphan->kind, orphan->name, orphan->master_key_id,
		  ids.data, partition);
}

static bool has_master_key(const void *master_keys, const char *id) {
	return master_keys_find(master_keys, id);
}

/*
 * A worker that cannot sign for its tenants, or would give new ones keys that the others cannot
 * derive, serves nobody: every master key that a listed key or a webhook of the partition names
 * must be here. They come into a partition by a restore or from this worker's own hand, so it is
 * asked once.
 */
static struct step check_master_keys(struct ownership *o, struct replica *replica, int32_t id) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct orphan orphan;
	int r = replica_find_orphan_key(replica, arena, id, clock_wall_ms(), has_master_key,
					o->settings.master_keys, &orphan);

	if (r == REPLICA_E_NOT_FOUND)
		return step_done(false);
	if (r < 0)
		return step_replica_failed(r);
	log_missing_master_key(o, id, &orphan);
	return step_end(STEP_FATAL);
}

/* Its epoch stays when nobody else has owned it meanwhile (R5). */
static void choose_epoch(struct ownership *o, struct partition *partition) {
	if (!partition->has_moved && partition->epoch != 0)
		return;
	dispatcher_forget(o->settings.dispatcher, partition->id);
	partition->epoch = ++o->last_epoch;
	partition->has_moved = false;
}

static struct step activate(struct ownership *o, struct partition *partition) {
	struct dispatch_partition dispatched;
	int64_t pending;
	int r;

	choose_epoch(o, partition);
	partition_turn_reset(partition);
	for (int input = 0; input < POSITION_INPUTS; input++) {
		partition->is_input_lost[input] = false;
		partition->poison[input] = -1;
	}
	move(o, partition, PARTITION_ACTIVE);
	invariant(partition->epoch != 0, "a served partition has an epoch (R5)");
	dispatched = (struct dispatch_partition){ partition->id, partition->epoch };
	r = dispatcher_activate(o->settings.dispatcher, dispatched,
				partition->position.timestamp_ms, clock_wall_ms(), &pending);
	if (r < 0)
		return step_replica_failed(r);
	atomic_store(&o->settings.metrics->partitions[partition->id].pending, pending);
	return step_end(STEP_REREAD);
}

static struct partition *find_restored(struct ownership *o) {
	for (int32_t i = 0; i < o->partitions.count; i++)
		if (o->partitions.items[i].state == PARTITION_RESTORING &&
		    o->partitions.items[i].is_restored)
			return &o->partitions.items[i];
	return NULL;
}

/* Returns 0, OFFSETS_E_TORN, or -EAGAIN, which is put off. */
static int ask_offsets(struct ownership *o, struct partition *partition, rd_kafka_t *client) {
	struct offsets_question question = {
		.member = membership_client(o->settings.membership),
		.client = client,
		.topics = o->settings.topics,
		.group_id = o->settings.config->group_id,
		.partition = partition->id,
		.position = &partition->position,
	};
	int r = offsets_ask(&question, partition->next);

	if (r == -EAGAIN)
		ownership_put_off(o);
	else
		backoff_clear(&o->ask_backoff);
	return r;
}

struct step ownership_activate(struct ownership *o, struct replica *replica, rd_kafka_t *client) {
	struct partition *partition = find_restored(o);
	struct step step;
	int r;

	if (!partition || !backoff_is_over(&o->ask_backoff, clock_monotonic_ms()))
		return step_done(false);
	r = ask_offsets(o, partition, client);
	if (r == -EAGAIN)
		return step_done(false);
	if (r == OFFSETS_E_TORN) {
		move(o, partition, PARTITION_FAILED);
		return step_done(true);
	}
	step = check_master_keys(o, replica, partition->id);
	return step.end == STEP_DONE ? activate(o, partition) : step;
}

int ownership_failures(const struct ownership *o) {
	return o->ask_backoff.failures;
}
