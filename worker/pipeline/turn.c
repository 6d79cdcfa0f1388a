#include "pipeline/turn.h"

#include "base/clock.h"
#include "base/fault.h"

enum {
	PAUSE_MIN_MS = 50, /* after a turn that was undone; doubled for each further one */
	PAUSE_MAX_MS = 1000,
};

/* Ending. */

static void observe_commit(struct pipeline *p, int64_t us) {
	size_t bucket = 0;

	while (bucket < METRIC_TRANSACTION_BUCKETS &&
	       (double)us / 1e6 > metric_transaction_seconds[bucket])
		bucket++;
	metric_add(&p->metrics.transaction_buckets[bucket], 1);
	metric_add(&p->metrics.transaction_us, (uint64_t)us);
	metric_add(&p->metrics.transactions[METRIC_TRANSACTION_COMMITTED], 1);
}

static void count_turn(struct pipeline *p, const struct turn *turn) {
	for (int i = 0; i < METRIC_INPUT_COUNT; i++)
		for (int k = 0; k < METRIC_COMMAND_COUNT; k++)
			metric_add(&p->metrics.commands[i][k], turn->command_counts[i][k]);
	for (int i = 0; i < METRIC_DELIVERY_COUNT; i++)
		metric_add(&p->metrics.deliveries[i], turn->delivery_counts[i]);
	metric_add(&p->metrics.webhooks_disabled, turn->webhooks_disabled);
	for (int i = 0; i < TENANT_LIMIT_COUNT; i++)
		metric_add(&p->metrics.refused_by_limit[i], turn->refused_by_limit[i]);
}

/* SQLite follows Kafka (R7): the rows and the changelog offset that they reflect, in one commit. */
static int commit_replica(struct pipeline *p) {
	int64_t now_ms = clock_wall_ms();

	for (int32_t i = 0; i < p->partition_count; i++) {
		struct partition *partition = &p->partitions[i];
		int r;

		if (!partition->turn_touched)
			continue;
		if (partition->turn_position_offset < 0)
			return TURN_E_UNKNOWN;
		r = replica_offset_set(p->replica, i, partition->turn_position_offset + 1, now_ms);
		if (r < 0)
			return r;
	}
	return replica_turn_end(p->replica, clock_monotonic_ms());
}

static void advance_partitions(struct pipeline *p) {
	tenant_pending_commit(p->tenant_pending);
	for (int32_t i = 0; i < p->partition_count; i++) {
		struct partition *partition = &p->partitions[i];

		if (!partition->turn_touched)
			continue;
		partition->position = partition->turn_position;
		partition->position.member_id = NULL;
		partition->position_offset = partition->turn_position_offset;
		memcpy(partition->next, partition->turn_next, sizeof(partition->next));
		partition_forget_poison(partition);
		atomic_fetch_add_explicit(&p->metrics.partitions[i].pending,
					  partition->turn_pending, memory_order_relaxed);
		partition_turn_reset(partition);
	}
}

static void free_jobs(struct job *jobs) {
	while (jobs) {
		struct job *next = jobs->next;

		job_free(jobs);
		jobs = next;
	}
}

/*
 * Only now may anything leave (R4). Endpoints before deliveries: one that was recorded in this turn
 * before its webhook was changed, disabled or deleted in it must not go out as it was.
 */
static void dispatch_committed(struct pipeline *p, const struct turn *turn, struct job *outcomes) {
	int64_t now_ms = clock_wall_ms();

	for (const struct job *job = outcomes; job; job = job->next)
		dispatcher_return_job(p->dispatcher, job, now_ms);
	free_jobs(outcomes);
	for (size_t i = 0; i < turn->webhook_count; i++)
		dispatcher_update_webhook(p->dispatcher, &turn->webhooks[i].id,
					  turn->webhooks[i].webhook);
	dispatcher_update_keys(p->dispatcher, turn->key_tenants, turn->key_tenant_count);
	for (size_t i = 0; i < turn->delivery_count; i++) {
		const struct committed_delivery *delivery = &turn->deliveries[i];

		dispatcher_add_delivery(p->dispatcher,
					(struct dispatch_partition){ delivery->partition->id,
								     delivery->partition->epoch },
					&delivery->delivery, delivery->is_whole, now_ms);
	}
	dispatcher_submit(p->dispatcher);
}

static void reset_partitions(struct pipeline *p) {
	tenant_pending_undo(p->tenant_pending);
	for (int32_t i = 0; i < p->partition_count; i++)
		partition_turn_reset(&p->partitions[i]);
}

static void pause_turns(struct pipeline *p) {
	backoff_fail(&p->undone_backoff, clock_monotonic_ms(), PAUSE_MIN_MS, PAUSE_MAX_MS);
	atomic_store(&p->metrics.undone_in_a_row, p->undone_backoff.failures);
}

/*
 * A record that its topic does not take must not stop the worker. Batches have shrunk until the
 * command that made it is alone: it becomes a dead letter. Where the letter is what is too large,
 * less of the original is kept.
 */
static void set_aside_too_large(struct pipeline *p, const struct turn *turn) {
	bool is_letter = transaction_had_large_letter(p->transaction),
	     is_record = transaction_had_large_record(p->transaction);

	if (!is_letter && !is_record)
		return;
	if (turn->commands == 1 && is_record)
		turn->last.partition->poison[turn->last.input] = turn->last.offset;
	if (turn->commands == 1 && is_letter)
		letter_limit_refused(&p->letter_limit, clock_monotonic_ms());
	log_error("a record is too large for its topic: raise max.message.bytes",
		  "is_dead_letter=%d commands_in_turn=%zu dead_letters_keep=%zu", is_letter,
		  turn->commands, p->letter_limit.bytes);
}

/* What a transaction of this turn was told; before one, what is told is of another. */
static void heed_transaction(struct pipeline *p, const struct turn *turn) {
	if (!turn->had_transaction)
		return;
	set_aside_too_large(p, turn);
	if (transaction_was_fenced(p->transaction))
		assignment_drop_group(p);
}

/* Abort, roll back, rewind (R9). Where it is not certain that nothing happened, the changelog
 * decides: a new producer, and restore. */
static void undo(struct pipeline *p, const struct turn *turn, int r) {
	if (turn->in_transaction && r != TURN_E_UNKNOWN &&
	    transaction_abort(p->transaction) == TURN_E_UNKNOWN && r > 0)
		r = TURN_E_UNKNOWN;
	replica_rollback(p->replica);
	reset_partitions(p);
	turn_budget_undone(&p->budget);
	pause_turns(p);
	heed_transaction(p, turn);
	metric_add(&p->metrics.transactions[r == TURN_E_UNKNOWN ? METRIC_TRANSACTION_UNKNOWN
								: METRIC_TRANSACTION_ABORTED],
		   1);
	if (r < 0)
		p->replica_error = r;
	else if (r == TURN_E_UNKNOWN)
		assignment_resync(p);
	else
		p->input_stale = true;
}

/* What is written now lies behind what was committed before, or the topic was deleted and made
 * anew. */
static bool is_remade(const struct pipeline *p, const struct partition *partition) {
	int64_t first_offset = partition->turn_position_offset - partition->turn_records;
	bool is_known = partition->turn_touched && partition->turn_position_offset >= 0 &&
			partition->position.sequence > 0;

	if (!is_known || first_offset > partition->position_offset)
		return false;
	log_error("changelog was deleted and made anew: nothing is committed to it",
		  "topic=%s partition=%d offset=%lld expected_after=%lld", p->topics.state,
		  partition->id, (long long)first_offset, (long long)partition->position_offset);
	return true;
}

/* A history that begins in the middle would be restored as if it were whole. Restored now, before
 * that, it is not served. */
static int check_changelog(const struct pipeline *p) {
	int r = 0;

	for (int32_t i = 0; i < p->partition_count; i++)
		if (is_remade(p, &p->partitions[i]))
			r = TURN_E_UNKNOWN;
	return r;
}

static int commit_kafka(struct pipeline *p, struct turn *turn) {
	rd_kafka_topic_partition_list_t *offsets = turn_offsets(p);
	int64_t started_us = clock_monotonic_us();
	int r = transaction_flush(p->transaction);

	if (r == 0)
		r = check_changelog(p);
	if (r == 0)
		r = transaction_commit(p->transaction, offsets, p->group);
	rd_kafka_topic_partition_list_destroy(offsets);
	turn->commit_us = clock_monotonic_us() - started_us;
	if (r == 0)
		observe_commit(p, turn->commit_us);
	return r;
}

static int run_transaction(struct pipeline *p, struct turn *turn, struct work *work) {
	int r;

	fault_step("before-begin");
	r = replica_turn_begin(p->replica, clock_monotonic_ms());
	if (r != 0)
		return r;
	turn->had_transaction = true;
	r = transaction_begin(p->transaction);
	if (r != 0)
		return r;
	turn->in_transaction = true;
	r = turn_handle(p, turn, work);
	fault_step("after-produce");
	if (r != 0)
		return r;
	turn->in_transaction = false; /* committed, or aborted there */
	r = commit_kafka(p, turn);
	return r == 0 ? commit_replica(p) : r;
}

static void end_turn(struct pipeline *p, struct turn *turn, struct work *work) {
	backoff_clear(&p->undone_backoff);
	atomic_store(&p->metrics.undone_in_a_row, 0);
	turn_budget_committed(&p->budget, turn->commands, turn->commit_us / 1000);
	letter_limit_renew(&p->letter_limit, clock_monotonic_ms());
	advance_partitions(p);
	count_turn(p, turn);
	dispatcher_end_reports(p->dispatcher, work->report_count);
	dispatch_committed(p, turn, TAKE(work->outcomes));
	fault_step("after-dispatch");
}

/* Returns whether there may be more to do at once. */
static bool run_work(struct pipeline *p, struct work *work) {
	struct turn turn = { .begun_ms = clock_monotonic_ms() };
	int r;

	if (!p->group) { /* what no group fences is not written */
		p->input_stale |= work->command != NULL;
		return false;
	}
	r = run_transaction(p, &turn, work);
	if (r == 0)
		end_turn(p, &turn, work);
	else
		undo(p, &turn, r);
	return true;
}

static bool run(struct pipeline *p, bool with_commands) {
	struct work work = { 0 };
	bool more = true;
	int r;

	arena_reset(p->arena);
	reset_partitions(p);
	r = turn_take(p, &work, with_commands);
	if (r < 0)
		p->replica_error = r;
	else
		more = !turn_is_idle(&work) && run_work(p, &work);
	/* They happened, whatever became of the transaction: they wait for the next. */
	turn_keep_outcomes(p, work.outcomes);
	turn_keep_outcomes(p, work.more_outcomes);
	if (work.command)
		rd_kafka_message_destroy(work.command);
	return more;
}

bool turn_run(struct pipeline *p) {
	if (!p->group || p->input_stale ||
	    !backoff_is_over(&p->undone_backoff, clock_monotonic_ms()) || !pipeline_has_replica(p))
		return false;
	return run(p, true);
}

void turn_run_outcomes(struct pipeline *p) {
	if (p->transaction && pipeline_has_replica(p))
		run(p, false);
}
