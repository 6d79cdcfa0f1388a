#include "pipeline/turn.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/invariant.h"
#include "pipeline/turn_commit.h"
#include "pipeline/turn_handle.h"
#include "pipeline/turn_heed.h"

enum {
	PAUSE_MIN_MS = 50, /* after a turn that was undone; doubled for each further one */
	PAUSE_MAX_MS = 1000,
	RECORD_MAX = 16 * 1024 * 1024, /* encoded: the domain's limits bound it well below */
};

/* Making. */

static struct handler_settings handler_settings(const struct config *config) {
	return (struct handler_settings){
		.webhook_rules = webhook_rules_of(config),
		.receipt_retention_ms = config->receipt_retention_ms,
		.issuance_receipt_retention_ms = config->issuance_receipt_retention_ms,
		.signing_key_overlap_ms = config->signing_key_overlap_ms,
		.webhook_secret_overlap_ms = config->webhook_secret_overlap_ms,
		.tenant_max = {
			[TENANT_LIMIT_WEBHOOKS] = config->tenant_max_webhooks,
			[TENANT_LIMIT_SIGNING_KEYS] = config->tenant_max_signing_keys,
			[TENANT_LIMIT_PENDING_DELIVERIES] = config->tenant_max_pending_deliveries,
		},
	};
}

static struct outcome_settings outcome_settings(const struct config *config) {
	return (struct outcome_settings){
		.retry = { config->delivery_retry_schedule_ms, config->delivery_retry_count,
			   config->delivery_retry_jitter },
		.endpoint_failing_notify_after_ms = config->endpoint_failing_notify_after_ms,
		.endpoint_disable_after_ms = config->endpoint_disable_after_ms,
		.keeps_succeeded = config->delivery_succeeded_retention_ms > 0,
	};
}

struct turns *turns_new(const struct turns_settings *settings) {
	const struct config *config = settings->config;
	struct turns *t = x_calloc(1, sizeof(*t));

	*t = (struct turns){
		.settings = *settings,
		.intake = { settings->codec, settings->topics, settings->partitions->count,
			    config->command_max_bytes, settings->schema_registry },
		.handler_settings = handler_settings(config),
		.handler_keys = handler_keys_new(settings->master_keys),
		.outcome_settings = outcome_settings(config),
		.budget =
		    turn_budget_new((size_t)config->batch_max_records, config->batch_max_wait_ms),
		.catalogue_hash = event_catalogue_hash(webhook_rules_of(config).catalogue),
		.letter_limit = letter_limit_new(),
		.reroute = reroute_new(config->input_reroute),
		.arena = arena_new(),
		.scratch = arena_new(),
		.record = BUFFER_INIT(RECORD_MAX),
	};
	atomic_store(&t->settings.metrics->turn_bytes, t->budget.bytes);
	return t;
}

void turns_free(struct turns *t) {
	if (!t)
		return;
	job_list_free(&t->outcomes);
	buffer_destroy(&t->record);
	arena_free(t->arena);
	arena_free(t->scratch);
	free(t);
}

/* The partitions' part of a turn. */

static void reset_partitions(struct turns *t) {
	tenant_pending_undo(t->settings.tenant_pending);
	for (int32_t i = 0; i < t->settings.partitions->count; i++)
		partition_turn_reset(&t->settings.partitions->items[i]);
}

static void advance_partitions(struct turns *t) {
	tenant_pending_commit(t->settings.tenant_pending);
	for (int32_t i = 0; i < t->settings.partitions->count; i++) {
		struct partition *partition = &t->settings.partitions->items[i];

		if (!partition->turn.is_touched)
			continue;
		atomic_fetch_add_explicit(&t->settings.metrics->partitions[i].pending,
					  partition->turn.pending, memory_order_relaxed);
		partition_turn_commit(partition);
	}
}

/* A committed turn. */

static void observe_commit(struct turns *t, int64_t us) {
	struct pipeline_metrics *metrics = t->settings.metrics;
	size_t bucket = 0;

	while (bucket < METRIC_TRANSACTION_BUCKETS &&
	       (double)us / 1e6 > metric_transaction_seconds[bucket])
		bucket++;
	metric_add(&metrics->transaction_buckets[bucket], 1);
	metric_add(&metrics->transaction_us, (uint64_t)us);
}

static void count_turn(const struct turn *turn) {
	struct pipeline_metrics *metrics = turn->turns->settings.metrics;

	for (int i = 0; i < METRIC_INPUT_COUNT; i++) {
		for (int k = 0; k < METRIC_COMMAND_COUNT; k++)
			metric_add(&metrics->commands[i][k], turn->command_counts[i][k]);
		metric_add(&metrics->rerouted[i], turn->rerouted[i]);
	}
	for (int i = 0; i < METRIC_DELIVERY_COUNT; i++)
		metric_add(&metrics->deliveries[i], turn->delivery_counts[i]);
	metric_add(&metrics->webhooks_disabled, turn->webhooks_disabled);
	metric_add(&metrics->filtered, turn->filtered);
	for (int i = 0; i < EVENT_TYPE_BUILTIN_COUNT; i++) {
		metric_add(&metrics->notices[i][METRIC_NOTICE_TOLD], turn->told[i]);
		metric_add(&metrics->notices[i][METRIC_NOTICE_LEFT_OUT], turn->left_out[i]);
	}
	for (int i = 0; i < TENANT_LIMIT_COUNT; i++)
		metric_add(&metrics->refused_by_limit[i], turn->refused_by_limit[i]);
}

/* Whether no partition has a part in an open turn. */
static bool is_nothing_open(const struct turns *t) {
	for (int32_t i = 0; i < t->settings.partitions->count; i++)
		if (t->settings.partitions->items[i].turn.is_touched)
			return false;
	return true;
}

/* Only now may anything leave (R4). */
static void dispatch(struct turn *turn, struct work *work) {
	struct dispatcher *dispatcher = turn->turns->settings.dispatcher;
	int64_t now_ms = clock_wall_ms();
	struct job *job;

	invariant(is_nothing_open(turn->turns), "nothing leaves before the commit (R4)");
	dispatcher_end_reports(dispatcher, work->report_count);
	while ((job = job_list_pop(&work->outcomes))) {
		dispatcher_return_job(dispatcher, job, now_ms);
		job_free(job);
	}
	turn_changes_dispatch(&turn->changes, dispatcher, now_ms);
	fault_step("after-dispatch");
}

/* What the brokers took of the turn in `ms`. */
static struct turn_passed passed(struct turn *turn, int64_t ms) {
	struct turns *t = turn->turns;
	int64_t now_ms;

	turn_note_flow(turn);
	now_ms = clock_monotonic_ms();
	return (struct turn_passed){
		.commands = turn->commands,
		.bytes = turn->taken,
		.commit_ms = ms,
		.held_up_ms = MAX(t->held_up_until_ms - now_ms, INT64_C(0)),
		.is_throttled = turn->is_throttled,
	};
}

static struct step end_committed(struct turn *turn, struct work *work) {
	struct turns *t = turn->turns;
	size_t outcomes = work->outcomes.count;
	int64_t committed_ms = clock_monotonic_ms();
	struct turn_passed all = passed(turn, turn->commit_us / 1000);

	backoff_clear(&t->undone);
	atomic_store(&t->settings.metrics->undone_in_a_row, 0);
	metric_refuse(t->settings.metrics, METRIC_REFUSED_OUTPUT, false);
	turn_budget_committed(&t->budget, &all);
	atomic_store(&t->settings.metrics->turn_bytes, t->budget.bytes);
	letter_limit_renew(&t->letter_limit, clock_monotonic_ms());
	advance_partitions(t);
	count_turn(turn);
	dispatch(turn, work);
	pace_turned(&t->pace, turn->begun_ms * 1000, clock_monotonic_us(), outcomes);
	/* Last, so that no delivery waits for it. */
	turn_trace_end(&turn->trace, turn->begun_ms, committed_ms, turn->commit_us);
	return step_done(true);
}

/* Undoing (R9). */

static void roll_back(struct turn *turn) {
	struct turns *t = turn->turns;
	struct turn_passed part = passed(turn, clock_monotonic_ms() - turn->begun_ms);

	replica_rollback(turn->replica);
	reset_partitions(t);
	turn_budget_undone(&t->budget, &part);
	atomic_store(&t->settings.metrics->turn_bytes, t->budget.bytes);
	pace_undone(&t->pace);
	backoff_fail(&t->undone, clock_monotonic_ms(), PAUSE_MIN_MS, PAUSE_MAX_MS);
	atomic_store(&t->settings.metrics->undone_in_a_row, t->undone.failures);
}

/*
 * Where it is not certain that nothing happened the changelog decides; so it does where the
 * changelog is another one.
 */
static struct step end_undone(struct turn *turn, int r, const struct transaction_end *ended) {
	bool is_unknown = r == TURN_E_REMADE || ended->outcome == TRANSACTION_UNKNOWN;
	struct step step = step_end(is_unknown ? STEP_RESYNC : STEP_REREAD);

	roll_back(turn);
	turn_heed(turn, ended);
	if (r < 0)
		step = step_replica_failed(r);
	step.is_fenced = ended->is_fenced;
	return step;
}

/* Kafka has it, and the replica does not: it is restored from there. */
static struct step end_half_committed(struct turn *turn, int r) {
	roll_back(turn);
	return r < 0 ? step_replica_failed(r) : step_end(STEP_RESYNC);
}

/* Running. */

static void count_transaction(struct turns *t, const struct transaction_end *ended) {
	static const enum metric_transaction counted[] = {
		[TRANSACTION_COMMITTED] = METRIC_TRANSACTION_COMMITTED,
		[TRANSACTION_ABORTED] = METRIC_TRANSACTION_ABORTED,
		[TRANSACTION_UNKNOWN] = METRIC_TRANSACTION_UNKNOWN,
	};

	metric_add(&t->settings.metrics->transactions[counted[ended->outcome]], 1);
}

/* From begin to commit. Whatever it returns, the transaction is to be ended. */
static int write_transaction(struct turn *turn, struct work *work) {
	int r = transaction_begin(turn->transaction);

	if (r == 0)
		r = turn_handle(turn, work);
	fault_step("after-produce");
	return r == 0 ? turn_commit_kafka(turn) : r;
}

static struct step run_work(struct turn *turn, struct work *work) {
	struct transaction_end ended;
	int r;

	fault_step("before-begin");
	turn->begun_ms = clock_monotonic_ms();
	r = replica_turn_begin(turn->replica, clock_monotonic_ms());
	if (r != 0) {
		roll_back(turn);
		return step_replica_failed(r);
	}
	r = write_transaction(turn, work);
	ended = transaction_end(turn->transaction);
	count_transaction(turn->turns, &ended);
	if (ended.outcome != TRANSACTION_COMMITTED)
		return end_undone(turn, r, &ended);
	observe_commit(turn->turns, turn->commit_us);
	if (!turn_knows_positions(turn))
		return end_half_committed(turn, 0);
	r = turn_commit_replica(turn);
	return r == 0 ? end_committed(turn, work) : end_half_committed(turn, r);
}

/* At the start commands wait until it is known what the other workers can read (R13). */
static bool knows_group(const struct turns *t) {
	return !t->settings.watch ||
	       group_watch_readers(t->settings.watch) != GROUP_READERS_UNKNOWN;
}

static enum group_edition edition_of_group(const struct turns *t) {
	if (!t->settings.watch || group_watch_readers(t->settings.watch) == GROUP_READERS_ALL)
		return GROUP_EDITION_NEWEST;
	return GROUP_EDITION_SOME_OLDER;
}

static struct step run(struct turns *t, const struct turn_stores *stores, bool with_commands) {
	struct turn turn = { .turns = t,
			     .replica = stores->replica,
			     .transaction = stores->transaction,
			     .edition = edition_of_group(t) };
	struct work work = { 0 };
	struct step step;
	int r;

	arena_reset(t->arena);
	reset_partitions(t);
	r = turn_take(&turn, &work, with_commands && knows_group(t));
	if (r < 0)
		step = step_replica_failed(r);
	else
		step = turn_is_idle(&work) ? step_done(false) : run_work(&turn, &work);
	if (!with_commands)
		step.more = work.later_outcomes.count > 0;
	/* Outcomes happened, whatever became of the transaction: they wait for the next. */
	job_list_append(&t->outcomes, &work.outcomes);
	job_list_append(&t->outcomes, &work.later_outcomes);
	if (work.command)
		rd_kafka_message_destroy(work.command);
	return step;
}

/* Without a group nothing fences what would be written (R3). */
static bool is_fenced_by_group(const struct turns *t) {
	return membership_group(t->settings.membership);
}

/* Without its schema's id no event can be written. */
static bool knows_framing(const struct turns *t) {
	return t->settings.config->results_framing != RESULTS_CONFLUENT ||
	       schema_registry_results_id(t->settings.schema_registry, &(uint32_t){ 0 });
}

bool turns_may_run(const struct turns *t) {
	int64_t now_ms = clock_monotonic_ms();

	return is_fenced_by_group(t) && knows_framing(t) && backoff_is_over(&t->undone, now_ms) &&
	       now_ms >= t->held_up_until_ms;
}

struct step turns_run(struct turns *t, const struct turn_stores *stores) {
	bool may_run = turns_may_run(t);

	t->is_put_off = may_run && turn_is_put_off(t);
	return may_run && !t->is_put_off ? run(t, stores, true) : step_done(false);
}

bool turns_are_put_off(const struct turns *t) {
	return t->is_put_off;
}

struct step turns_run_outcomes(struct turns *t, const struct turn_stores *stores) {
	return is_fenced_by_group(t) && knows_framing(t) ? run(t, stores, false) : step_done(false);
}
