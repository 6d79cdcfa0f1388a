#include "pipeline/turn_take.h"

#include "base/clock.h"

enum {
	CANCELLATIONS_PER_TURN = 500,
	REPORTS_PER_TURN = 500,
	EXPIRED_PER_TURN = 500,
	EXPIRY_INTERVAL_MS = 10 * 1000,
};

/* Pace. */

static struct pace_sight look(const struct turns *t) {
	const struct engine_counters *counters = engine_counters(t->settings.engine);

	return (struct pace_sight){
		.now_us = clock_monotonic_us(),
		.worked_us = atomic_load_explicit(&counters->worked_us, memory_order_relaxed),
		.threads = t->settings.config->delivery_threads,
		.waiting = dispatcher_waiting(t->settings.dispatcher),
	};
}

static bool is_ahead(struct turns *t) {
	struct pace_sight sight = look(t);

	return pace_is_ahead(&t->pace, &sight);
}

bool turn_is_put_off(struct turns *t) {
	struct pace_sight sight = look(t);

	return pace_puts_off(&t->pace, &sight) &&
	       !dispatcher_has_cancellations(t->settings.dispatcher);
}

/* Commands. */

/* A record that was read before the partition's offset was set is none of those that come next. */
static bool is_next(const struct turns *t, const rd_kafka_message_t *message) {
	const struct partition *partition = &t->settings.partitions->items[message->partition];
	enum input input = intake_input(&t->intake, message);

	return partition->state == PARTITION_ACTIVE &&
	       message->offset >= partition->turn.next[input];
}

rd_kafka_message_t *turn_next_command(struct turn *turn) {
	rd_kafka_message_t *message;

	while ((message = membership_next(turn->turns->settings.membership))) {
		if (!is_next(turn->turns, message))
			rd_kafka_message_destroy(message);
		else if (intake_must_wait(&turn->turns->intake, message))
			membership_hold(turn->turns->settings.membership, message);
		else
			return message;
	}
	return NULL;
}

/* After an answer of the schema registry, what waits for one is looked at again. */
static void release_held(struct turns *t) {
	unsigned answers;

	if (!t->intake.schema_registry)
		return;
	answers = schema_registry_answers(t->intake.schema_registry);
	if (answers != t->registry_answers)
		membership_release(t->settings.membership);
	t->registry_answers = answers;
}

/* Outcomes. */

/* One that ended in the future did so by a clock that was ahead, and has been set back since: its
 * delivery would wait for the clock to be there again (R10). */
static void take_outcome(struct job *job, struct job_list *taken) {
	int64_t ahead_ms = MAX(job->result.finished_at_ms - (clock_wall_ms() + 1), (int64_t)0);

	job->result.finished_at_ms -= ahead_ms;
	job->result.started_at_ms -= ahead_ms;
	job_list_push(taken, job);
}

/*
 * An outcome of an older epoch is discarded (R5). That of a partition that is being restored, or
 * was revoked, waits until it is decided whose the partition is. A refused job leaves memory.
 */
static void sort_outcome(struct turn *turn, struct job *job, struct job_list *taken) {
	struct turns *t = turn->turns;
	const struct partition *partition = &t->settings.partitions->items[job->partition];

	if (job->epoch != partition->epoch) {
		metric_add(&t->settings.metrics->deliveries[METRIC_DELIVERY_DISCARDED],
			   job->end == JOB_ATTEMPTED);
		job_free(job);
	} else if (partition->state != PARTITION_ACTIVE) {
		job_list_push(&t->outcomes, job);
	} else if (job->end == JOB_REFUSED) {
		dispatcher_return_job(t->settings.dispatcher, job, clock_wall_ms());
		job_free(job);
	} else {
		take_outcome(job, taken);
	}
}

static void take_outcomes(struct turn *turn, struct work *work) {
	struct job_list waiting = { 0 };
	struct job *job, *next;

	job_list_append(&waiting, &turn->turns->outcomes);
	while ((job = job_list_pop(&waiting)))
		sort_outcome(turn, job, &work->outcomes);
	for (job = engine_collect(turn->turns->settings.engine); job; job = next) {
		next = job->next;
		sort_outcome(turn, job, &work->outcomes);
	}
}

/* Expiry. */

/* Receipts, keys and ended deliveries of one partition whose time is over. */
static int take_expired_of(struct turn *turn, struct work *work, int32_t id, size_t limit,
			   size_t *found) {
	struct turns *t = turn->turns;
	int64_t now_ms = clock_wall_ms();
	const struct replica_expiry expiry = {
		.now_ms = now_ms,
		.dead_before_ms = now_ms - t->settings.config->delivery_dead_retention_ms,
		.succeeded_before_ms = now_ms - t->settings.config->delivery_succeeded_retention_ms,
	};
	struct expired expired = { .partition = &t->settings.partitions->items[id] };
	int r;

	if (expired.partition->state != PARTITION_ACTIVE)
		return 0;
	r = replica_expired(turn->replica, t->arena, id, &expiry, limit, &expired.keys,
			    &expired.count);
	if (r < 0 || expired.count == 0)
		return r;
	if (!work->expired) /* of each partition one key at least */
		work->expired = arena_alloc(t->arena, EXPIRED_PER_TURN * sizeof(*work->expired));
	work->expired[work->expired_count++] = expired;
	*found += expired.count;
	return 0;
}

/*
 * Over all partitions, every EXPIRY_INTERVAL_MS: as many in a turn as it can bear, and on from
 * there in the next one.
 */
static int take_expired(struct turn *turn, struct work *work) {
	struct turns *t = turn->turns;
	size_t found = 0;

	if (clock_monotonic_ms() < t->expiry_at_ms)
		return 0;
	for (; t->expiry_partition < t->settings.partitions->count; t->expiry_partition++) {
		int r = take_expired_of(turn, work, t->expiry_partition, EXPIRED_PER_TURN - found,
					&found);

		if (r < 0 || found >= EXPIRED_PER_TURN)
			return r;
	}
	t->expiry_partition = 0;
	t->expiry_at_ms = clock_monotonic_ms() + EXPIRY_INTERVAL_MS;
	return 0;
}

/* All of it. */

static int take_of_dispatcher(struct turn *turn, struct work *work) {
	struct turns *t = turn->turns;
	struct dispatcher *dispatcher = t->settings.dispatcher;
	int r = 0;

	if (dispatcher_has_cancellations(dispatcher))
		r = dispatcher_list_cancellations(dispatcher, t->arena, CANCELLATIONS_PER_TURN,
						  &work->cancellations, &work->cancellation_count);
	if (r == 0)
		work->report_count =
		    dispatcher_list_reports(dispatcher, t->arena, REPORTS_PER_TURN, &work->reports);
	return r;
}

int turn_take(struct turn *turn, struct work *work, bool with_commands) {
	int r;

	take_outcomes(turn, work);
	r = take_of_dispatcher(turn, work);
	if (r == 0)
		r = take_expired(turn, work);
	if (r == 0 && with_commands && !is_ahead(turn->turns)) {
		release_held(turn->turns);
		membership_turn_over(turn->turns->settings.membership);
		work->command = turn_next_command(turn);
	}
	return r;
}

bool turn_is_idle(const struct work *work) {
	return !work->command && !work->outcomes.head && work->cancellation_count == 0 &&
	       work->report_count == 0 && work->expired_count == 0;
}
