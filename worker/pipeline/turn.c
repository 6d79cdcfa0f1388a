#include "pipeline/turn.h"

#include "base/clock.h"
#include "base/fault.h"

enum {
	PAUSE_MIN_MS = 50, /* after a turn that was undone; doubled for each further one */
	PAUSE_MAX_MS = 1000,
	TURN_BYTES_MAX = 32 * 1024 * 1024, /* written; past it no further command is begun: memory, and the time until a commit, have bounds */
};

/* Handling. */

static void derive_key(void *userdata, struct arena *arena, const char *tenant_id, int32_t epoch, struct signing_key *out) {
	const struct pipeline *p = userdata;
	const struct master_key *master = master_keys_first(p->master_keys);
	_cleanup_(signer_unrefp) struct signer *signer = signer_derive(master, tenant_id, epoch);

	out->kid = arena_strdup(arena, signer_kid(signer));
	memcpy(out->x, signer_public_key(signer), sizeof(out->x));
	out->master_key_id = master_key_id(master);
}

static int handle_record(struct pipeline *p, const rd_kafka_message_t *message, const struct intake_record *record,
			 struct effects *effects) {
	struct command_source source = { p->cluster_id, rd_kafka_topic_name(message->rkt), message->partition, message->offset };
	struct handler_context context = {
		.settings = &p->handler_settings,
		.registry = replica_registry(p->replica),
		.derive_key = derive_key,
		.derive_key_userdata = p,
		.source = &source,
		.now_ms = clock_wall_ms(),
	};

	return record->input == INPUT_ADMIN ? handle_command(&context, &record->command, effects) :
					      handle_issuance(&context, &record->issuance, effects);
}

static bool is_poison(const struct pipeline *p, const rd_kafka_message_t *message) {
	return message->offset == p->poison.offset && message->partition == p->poison.partition &&
	       intake_input(&p->intake, message) == p->poison.input;
}

static int handle_message(struct pipeline *p, struct turn *turn, struct partition *partition, const rd_kafka_message_t *message) {
	enum input input = intake_input(&p->intake, message);
	struct intake_record record;
	struct effects effects;
	const char *reason;
	int r;

	partition->turn_next[input] = message->offset + 1;
	partition->turn_touched = true;
	reason = is_poison(p, message) ? "what follows from it does not fit into a record" : NULL;
	if (reason || intake_decode(&p->intake, p->arena, message, &record, &reason)) {
		turn->commands[input == INPUT_ADMIN ? METRIC_INPUT_ADMIN : METRIC_INPUT_ISSUANCE][METRIC_COMMAND_DEAD_LETTER]++;
		return turn_write_dead_letter(p, message, reason);
	}
	effects_init(&effects, p->arena);
	r = handle_record(p, message, &record, &effects);
	return r < 0 ? r : turn_write_effects(p, turn, partition, &effects);
}

static int handle_messages(struct pipeline *p, struct turn *turn) {
	int r = 0;

	for (size_t i = 0; i < p->message_count && r == 0; i++) {
		const rd_kafka_message_t *message = p->messages[i];
		struct partition *partition = &p->partitions[message->partition];

		/* Polled before a rebalance took the partition away, or before its offsets were set back. */
		if (partition->state != PARTITION_ACTIVE || message->offset < partition->turn_next[intake_input(&p->intake, message)])
			continue;
		if (transaction_bytes(p->transaction) > TURN_BYTES_MAX) {
			p->input_stale = true; /* the others are read again */
			break;
		}
		r = handle_message(p, turn, partition, message);
	}
	return r;
}

static int handle_outcomes(struct pipeline *p, struct turn *turn, const struct job *outcomes) {
	int r = 0;

	for (const struct job *job = outcomes; job && r == 0; job = job->next) {
		struct effects effects;

		effects_init(&effects, p->arena);
		handle_outcome(&p->outcome_settings, &job->delivery, &job->result, &effects);
		r = turn_write_effects(p, turn, &p->partitions[job->partition], &effects);
	}
	return r;
}

static int handle_withdrawals(struct pipeline *p, struct turn *turn, const struct work *work) {
	int r = 0;

	for (size_t i = 0; i < work->withdrawal_count && r == 0; i++) {
		const struct withdrawal *withdrawal = &work->withdrawals[i];
		struct effects effects;

		effects_init(&effects, p->arena);
		handle_withdrawn(&withdrawal->delivery, withdrawal->reason, clock_wall_ms(), &effects);
		r = turn_write_effects(p, turn, &p->partitions[withdrawal->partition], &effects);
		turn->deliveries[METRIC_DELIVERY_DEAD]--; /* counted as one by its event */
		turn->deliveries[METRIC_DELIVERY_WITHDRAWN]++;
	}
	return r;
}

static int handle_report(struct pipeline *p, struct turn *turn, const struct dispatch_report *report) {
	const struct registry *registry = replica_registry(p->replica);
	struct webhook webhook;
	struct effects effects;
	int r = registry->webhook_get(registry->userdata, p->arena, report->report.tenant_id, &report->report.webhook_id, &webhook);

	if (r != 0)
		return r == REGISTRY_E_NOT_FOUND ? 0 : r;
	effects_init(&effects, p->arena);
	handle_endpoint_report(&p->outcome_settings, &webhook, &report->report, clock_wall_ms(), &effects);
	return effects.change_count > 0 ? turn_write_effects(p, turn, &p->partitions[report->partition], &effects) : 0;
}

static int handle_reports(struct pipeline *p, struct turn *turn, const struct work *work) {
	int r = 0;

	for (size_t i = 0; i < work->report_count && r == 0; i++)
		r = handle_report(p, turn, &work->reports[i]);
	return r;
}

static int handle_expired(struct pipeline *p, struct turn *turn, const struct work *work) {
	int r = 0;

	for (size_t i = 0; i < work->expired_count && r == 0; i++) {
		struct effects effects;

		effects_init(&effects, p->arena);
		for (size_t k = 0; k < work->expired[i].count; k++)
			effects_delete(&effects, &work->expired[i].keys[k]);
		r = turn_write_effects(p, turn, work->expired[i].partition, &effects);
	}
	return r;
}

static int write_all(struct pipeline *p, struct turn *turn, const struct work *work) {
	int r = handle_messages(p, turn);

	if (r == 0)
		r = handle_outcomes(p, turn, work->outcomes);
	if (r == 0)
		r = handle_withdrawals(p, turn, work);
	if (r == 0)
		r = handle_reports(p, turn, work);
	if (r == 0)
		r = handle_expired(p, turn, work);
	return r == 0 ? turn_write_positions(p) : r;
}

/* Ending. */

static void observe_commit(struct pipeline *p, int64_t us) {
	size_t bucket = 0;

	while (bucket < METRIC_TRANSACTION_BUCKETS && (double)us / 1e6 > metric_transaction_seconds[bucket])
		bucket++;
	metric_add(&p->metrics.transaction_buckets[bucket], 1);
	metric_add(&p->metrics.transaction_us, (uint64_t)us);
	metric_add(&p->metrics.transactions[METRIC_TRANSACTION_COMMITTED], 1);
}

static void count_turn(struct pipeline *p, const struct turn *turn) {
	for (int i = 0; i < METRIC_INPUT_COUNT; i++)
		for (int k = 0; k < METRIC_COMMAND_COUNT; k++)
			metric_add(&p->metrics.commands[i][k], turn->commands[i][k]);
	for (int i = 0; i < METRIC_DELIVERY_COUNT; i++)
		metric_add(&p->metrics.deliveries[i], turn->deliveries[i]);
	metric_add(&p->metrics.webhooks_disabled, turn->webhooks_disabled);
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
	for (int32_t i = 0; i < p->partition_count; i++) {
		struct partition *partition = &p->partitions[i];

		if (!partition->turn_touched)
			continue;
		partition->position = partition->turn_position;
		partition->position.member_id = NULL;
		partition->position_offset = partition->turn_position_offset;
		memcpy(partition->next, partition->turn_next, sizeof(partition->next));
		atomic_fetch_add_explicit(&p->metrics.partitions[i].pending, partition->turn_pending, memory_order_relaxed);
		partition_turn_reset(partition);
	}
}

static void tell_of_delivery(struct pipeline *p, const struct committed_change *committed) {
	const struct change *change = committed->change;

	if (change->key.kind == STATE_DELIVERY && change->record && change->record->delivery.status == DELIVERY_PENDING)
		dispatch_delivery(p->dispatch, committed->partition, &change->record->delivery);
}

static void tell_of_endpoint(struct pipeline *p, const struct committed_change *committed) {
	const struct change *change = committed->change;

	switch (change->key.kind) {
	case STATE_WEBHOOK:
		dispatch_webhook_changed(p->dispatch, &change->key.id, change->record ? &change->record->webhook : NULL);
		break;
	case STATE_SIGNING_KEY:
		dispatch_key_changed(p->dispatch, change->key.tenant_id);
		break;
	default:
		break;
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
 * Only now may anything leave (R4). Endpoints before deliveries: one that was recorded in this turn before its webhook was changed, disabled or
 * deleted in it must not go out as it was. The changes borrow from the jobs whose outcomes they are.
 */
static void dispatch_committed(struct pipeline *p, const struct turn *turn, struct job *outcomes) {
	for (const struct job *job = outcomes; job; job = job->next)
		dispatch_returned(p->dispatch, job);
	for (size_t i = 0; i < turn->change_count; i++)
		tell_of_endpoint(p, &turn->changes[i]);
	for (size_t i = 0; i < turn->change_count; i++)
		tell_of_delivery(p, &turn->changes[i]);
	free_jobs(outcomes);
	dispatch_submit(p->dispatch);
}

/* The outcomes happened, whatever became of the transaction: they wait for the next. */
static void give_back_outcomes(struct pipeline *p, struct job *outcomes) {
	while (outcomes) {
		struct job *next = outcomes->next;

		turn_keep_outcome(p, outcomes);
		outcomes = next;
	}
}

static void reset_partitions(struct pipeline *p) {
	for (int32_t i = 0; i < p->partition_count; i++)
		partition_turn_reset(&p->partitions[i]);
}

/* What fails once often fails again: it must not fail thousands of times a second. */
static void pause_turns(struct pipeline *p) {
	int doublings = MIN(p->undone_in_a_row, 8);

	p->retry_at_ms = clock_monotonic_ms() + MIN(PAUSE_MIN_MS << doublings, (int)PAUSE_MAX_MS);
	p->undone_in_a_row++;
	atomic_store(&p->metrics.undone_in_a_row, p->undone_in_a_row);
}

/*
 * A record that its topic does not take must not stop the worker. Batches have shrunk until the command that made it is alone: it becomes a dead letter.
 * If that is what is too large, its value is cut: to what every topic takes, then to nothing but its headers.
 */
static void set_aside_too_large(struct pipeline *p) {
	const rd_kafka_message_t *only = p->message_count == 1 ? p->messages[0] : NULL;

	if (only && !is_poison(p, only)) {
		p->poison.input = intake_input(&p->intake, only);
		p->poison.partition = only->partition;
		p->poison.offset = only->offset;
	} else if (only) {
		p->dead_letter_max = p->dead_letter_max > DEAD_LETTER_MAX_CUT ? DEAD_LETTER_MAX_CUT : 0;
	}
	log_error("a record is too large for its topic: raise max.message.bytes", "commands_in_turn=%zu dead_letters_cut_to=%zu",
		  p->message_count, p->dead_letter_max);
}

/* Abort, roll back, rewind (R9). Where it is not certain that nothing happened, the changelog decides: a new producer, and restore. */
static void undo(struct pipeline *p, int r, bool in_transaction) {
	if (in_transaction && r != TURN_E_UNKNOWN && transaction_abort(p->transaction) == TURN_E_UNKNOWN && r > 0)
		r = TURN_E_UNKNOWN;
	replica_rollback(p->replica);
	reset_partitions(p);
	pause_turns(p);
	if (transaction_was_too_large(p->transaction))
		set_aside_too_large(p);
	if (transaction_was_fenced(p->transaction))
		assignment_drop_group(p);
	metric_add(&p->metrics.transactions[r == TURN_E_UNKNOWN ? METRIC_TRANSACTION_UNKNOWN : METRIC_TRANSACTION_ABORTED], 1);
	if (r < 0)
		p->replica_error = r;
	else if (r == TURN_E_UNKNOWN)
		assignment_resync(p);
	else
		p->input_stale = true;
}

/* What is written now lies behind what was committed before, or the topic was deleted and made anew. */
static bool is_remade(const struct pipeline *p, const struct partition *partition) {
	int64_t first_offset = partition->turn_position_offset - partition->turn_records;
	bool is_known = partition->turn_touched && partition->turn_position_offset >= 0 && partition->position.sequence > 0;

	if (!is_known || first_offset > partition->position_offset)
		return false;
	log_error("changelog was deleted and made anew: nothing is committed to it",
		  "topic=%s partition=%d offset=%lld expected_after=%lld", p->topics.state, partition->id, (long long)first_offset,
		  (long long)partition->position_offset);
	return true;
}

/* A history that begins in the middle would be restored as if it were whole. Restored now, before that, it is not served. */
static int check_changelog(const struct pipeline *p) {
	int r = 0;

	for (int32_t i = 0; i < p->partition_count; i++)
		if (is_remade(p, &p->partitions[i]))
			r = TURN_E_UNKNOWN;
	return r;
}

static int commit_kafka(struct pipeline *p) {
	rd_kafka_topic_partition_list_t *offsets = turn_offsets(p);
	int64_t started_us = clock_monotonic_us();
	int r = transaction_flush(p->transaction);

	if (r == 0)
		r = check_changelog(p);
	if (r == 0)
		r = transaction_commit(p->transaction, offsets, p->group);
	rd_kafka_topic_partition_list_destroy(offsets);
	if (r == 0)
		observe_commit(p, clock_monotonic_us() - started_us);
	return r;
}

static void run_transaction(struct pipeline *p, struct work *work) {
	struct turn turn = { 0 };
	bool in_transaction = false;
	int r;

	fault_step("before-begin");
	reset_partitions(p);
	r = replica_turn_begin(p->replica, clock_monotonic_ms());
	if (r == 0)
		r = transaction_begin(p->transaction);
	if (r == 0) {
		in_transaction = true;
		r = write_all(p, &turn, work);
		fault_step("after-produce");
	}
	if (r == 0) {
		r = commit_kafka(p);
		in_transaction = false; /* committed, or aborted there */
	}
	if (r == 0)
		r = commit_replica(p);
	if (r != 0) {
		undo(p, r, in_transaction);
		give_back_outcomes(p, work->outcomes);
		return;
	}
	p->undone_in_a_row = 0;
	atomic_store(&p->metrics.undone_in_a_row, 0);
	p->dead_letter_max = DEAD_LETTER_MAX;
	p->poison.offset = -1;
	advance_partitions(p);
	count_turn(p, &turn);
	dispatch_reported(p->dispatch, work->report_count);
	dispatch_committed(p, &turn, work->outcomes);
	fault_step("after-dispatch");
}

static int run(struct pipeline *p, bool with_messages) {
	struct work work = { 0 };
	int r;

	arena_reset(p->arena);
	r = turn_take(p, &work, with_messages);
	if (r < 0) {
		p->replica_error = r;
		give_back_outcomes(p, work.outcomes);
	} else if (turn_is_idle(p, &work)) {
		return 0;
	} else if (!p->group) {
		give_back_outcomes(p, work.outcomes); /* what no group fences is not written */
		p->input_stale |= p->message_count > 0;
		r = 0;
	} else {
		run_transaction(p, &work);
		r = 1;
	}
	turn_drop_messages(p);
	return r != 0;
}

int turn_run(struct pipeline *p) {
	if (p->group && clock_monotonic_ms() >= p->retry_at_ms && pipeline_has_replica(p))
		return run(p, true);
	turn_poll_events(p);
	return 0;
}

void turn_run_outcomes(struct pipeline *p) {
	/* Called from within take_messages too: what was taken there stays for its own turn. */
	size_t message_count = p->message_count;

	if (!p->transaction || !pipeline_has_replica(p))
		return;
	p->message_count = 0;
	run(p, false);
	p->message_count = message_count;
}
