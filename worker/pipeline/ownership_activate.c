#include "base/clock.h"
#include "base/invariant.h"
#include "pipeline/offsets.h"
#include "pipeline/ownership.h"
#include "pipeline/ownership_state.h"

#include <errno.h>

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
	ownership_move(o, partition, PARTITION_ACTIVE);
	invariant(partition->epoch != 0, "a served partition has an epoch (R5)");
	dispatched = (struct dispatch_partition){ partition->id, partition->epoch };
	r = dispatcher_activate(o->settings.dispatcher, dispatched,
				partition->position.timestamp_ms, clock_wall_ms(), &pending);
	if (r < 0)
		return step_replica_failed(r);
	atomic_store(&o->settings.metrics->partitions[partition->id].pending, pending);
	return step_end(STEP_REREAD);
}

/* What is restored. */

static bool is_to_be_served(const struct partition *partition) {
	return partition->state == PARTITION_RESTORING && partition->is_restored;
}

/* Returns how many are restored and not served yet; `out` has room for all. */
static size_t list_restored(struct ownership *o, struct offsets_of *out) {
	size_t count = 0;

	for (int32_t i = 0; i < o->partitions.count; i++) {
		struct partition *partition = &o->partitions.items[i];

		if (is_to_be_served(partition))
			out[count++] =
			    (struct offsets_of){ i, &partition->position, partition->next, 0 };
	}
	return count;
}

static bool has_restored(const struct ownership *o) {
	for (int32_t i = 0; i < o->partitions.count; i++)
		if (is_to_be_served(&o->partitions.items[i]))
			return true;
	return false;
}

/* Returns 0, or -EAGAIN, which is put off. */
static int ask_offsets(struct ownership *o, struct offsets_of *restored, size_t count,
		       rd_kafka_t *client) {
	struct offsets_question question = {
		.member = membership_client(o->settings.membership),
		.client = client,
		.topics = o->settings.topics,
		.group_id = o->settings.config->group_id,
		.partitions = restored,
		.count = count,
	};
	int r = offsets_ask(&question);

	if (r == -EAGAIN)
		ownership_put_off(o);
	else
		backoff_clear(&o->ask_backoff);
	return r;
}

static struct step serve(struct ownership *o, struct replica *replica,
			 const struct offsets_of *restored) {
	struct partition *partition = &o->partitions.items[restored->partition];
	struct step step;

	if (restored->result == OFFSETS_E_TORN) {
		ownership_move(o, partition, PARTITION_FAILED);
		return step_done(true);
	}
	step = check_master_keys(o, replica, partition->id);
	return step.end == STEP_DONE ? activate(o, partition) : step;
}

/* One at least, and on until `budget_ms` are over. */
static struct step serve_all(struct ownership *o, struct replica *replica,
			     const struct offsets_of *restored, size_t count, int64_t budget_ms) {
	int64_t until_ms = clock_monotonic_ms() + budget_ms;
	struct step all = step_done(true);

	for (size_t i = 0; i < count && (i == 0 || clock_monotonic_ms() < until_ms); i++) {
		struct step step = serve(o, replica, &restored[i]);

		if (step.end != STEP_DONE && step.end != STEP_REREAD)
			return step;
		if (step.end == STEP_REREAD)
			all = step;
	}
	return all;
}

struct step ownership_activate(struct ownership *o, struct replica *replica, rd_kafka_t *client,
			       int64_t budget_ms) {
	_cleanup_(x_freep) struct offsets_of *restored = NULL;
	size_t count;

	if (!has_restored(o) || !backoff_is_over(&o->ask_backoff, clock_monotonic_ms()))
		return step_done(false);
	restored = x_calloc((size_t)o->partitions.count, sizeof(*restored));
	count = list_restored(o, restored);
	if (ask_offsets(o, restored, count, client) < 0)
		return step_done(false);
	return serve_all(o, replica, restored, count, budget_ms);
}
