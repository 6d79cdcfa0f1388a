#include "pipeline/turn_handle.h"

#include "base/clock.h"
#include "base/invariant.h"
#include "pipeline/input_topics.h"
#include "pipeline/resume.h"
#include "pipeline/turn_commit.h"
#include "pipeline/turn_write.h"

enum { THROTTLE_LOOK = 16 }; /* commands */

DEFINE_CLEANUP(rd_kafka_message_t, rd_kafka_message_destroy)

static struct turn_spent spent(const struct turn *turn) {
	return (struct turn_spent){ turn->commands, transaction_bytes(turn->transaction),
				    clock_monotonic_ms() - turn->begun_ms };
}

static struct partition *partition_of(const struct turn *turn, int32_t id) {
	return &turn->turns->settings.partitions->items[id];
}

/* Commands. */

static int handle_record(struct turn *turn, const rd_kafka_message_t *message,
			 struct intake_record *record, struct effects *effects) {
	struct turns *t = turn->turns;
	const struct command_envelope *envelope = intake_envelope(record);
	struct command_source source = { t->settings.cluster_id, rd_kafka_topic_name(message->rkt),
					 message->partition, message->offset };
	struct handler_context context = {
		.settings = &t->handler_settings,
		.registry = replica_registry(turn->replica),
		.keys = &t->handler_keys,
		.source = &source,
		.edition = turn->edition,
		.older_workers = turn->edition == GROUP_EDITION_SOME_OLDER
				     ? group_watch_others(t->settings.watch, t->scratch)
				     : NULL,
		.may_resume = reroute_may_write(&t->reroute, INPUT_ADMIN, clock_monotonic_ms()),
		.pending_deliveries =
		    tenant_pending_get(t->settings.tenant_pending, envelope->tenant_id),
		.now_ms = clock_wall_ms(),
	};

	switch (record->input) {
	case INPUT_ADMIN:
		return handle_command(&context, &record->command, effects);
	case INPUT_ISSUANCE:
		return handle_issuance(&context, &record->issuance, effects);
	case INPUT_EVENT:
		return handle_event(&context, &record->event, effects);
	}
	impossible("a record is of an input");
}

static bool is_poison(struct turn *turn, const rd_kafka_message_t *message, enum input input) {
	return partition_of(turn, message->partition)->poison[input] == message->offset;
}

/* As intake_decode. A record that may not be handed on is a dead letter. */
static int judge_record(struct turn *turn, const rd_kafka_message_t *message,
			struct intake_record *out, const char **reason) {
	struct turns *t = turn->turns;
	enum input input = intake_input(&t->intake, message);
	int r = intake_decode(&t->intake, t->scratch, message, out, reason);

	if (is_poison(turn, message, input)) {
		if (r == 0)
			*reason = "what follows from it does not fit into a record";
		return INTAKE_E_DEAD_LETTER;
	}
	if (r == INTAKE_E_MISPLACED && !reroute_may(&t->reroute, input, clock_monotonic_ms()))
		return INTAKE_E_DEAD_LETTER;
	return r;
}

/* The command belongs to this turn: its offset is committed with it. */
static void take_on(struct turn *turn, const rd_kafka_message_t *message) {
	struct partition *partition = partition_of(turn, message->partition);
	enum input input = intake_input(&turn->turns->intake, message);

	invariant_with(message->offset >= partition->turn.next[input],
		       "a committed offset never goes back", "partition=%d offset=%lld next=%lld",
		       partition->id, (long long)message->offset,
		       (long long)partition->turn.next[input]);
	partition->turn.next[input] = message->offset + 1;
	partition->turn.is_touched = true;
	turn->commands++;
	turn->last.partition = partition;
	turn->last.input = input;
	turn->last.offset = message->offset;
}

static int set_aside(struct turn *turn, const rd_kafka_message_t *message, const char *reason) {
	struct turns *t = turn->turns;
	enum input input = intake_input(&t->intake, message);
	int r;

	take_on(turn, message);
	turn->command_counts[input][METRIC_COMMAND_DEAD_LETTER]++;
	turn->letters++;
	turn_trace_note_letter(&turn->trace, t->arena, message, reason);
	r = dead_letter_write(turn->transaction, message, reason, &t->letter_limit);
	arena_reset(t->scratch);
	return r;
}

static int hand_on(struct turn *turn, const rd_kafka_message_t *message) {
	struct turns *t = turn->turns;
	enum input input = intake_input(&t->intake, message);

	take_on(turn, message);
	turn->rerouted[input]++;
	arena_reset(t->scratch);
	return reroute_write(turn->transaction, input, message,
			     intake_partition(&t->intake, message));
}

static int apply(struct turn *turn, const rd_kafka_message_t *message,
		 const struct effects *effects) {
	enum input input = intake_input(&turn->turns->intake, message);
	int64_t resume_ms = effects->resume_ms;
	int r;

	take_on(turn, message);
	turn_trace_note(&turn->trace, turn->turns->arena, message, effects);
	r = turn_write_effects(turn, partition_of(turn, message->partition), effects);
	if (r || !resume_ms)
		return r;
	return resume_write(turn->transaction,
			    transaction_input_topic(turn->transaction, input_topic(input)), message,
			    resume_ms);
}

static bool has_room_for(const struct turn *turn, size_t bytes) {
	struct turn_spent now = spent(turn);

	return turn_budget_allows_bytes(&turn->turns->budget, &now, bytes);
}

/*
 * Takes the message. Where there is no room for what it comes to, nothing of it happened: it is the
 * next turn's first.
 */
static int handle_message(struct turn *turn, rd_kafka_message_t *message, bool *is_full) {
	_cleanup_(rd_kafka_message_destroyp) rd_kafka_message_t *owned = message;
	struct turns *t = turn->turns;
	struct intake_record record;
	struct effects effects;
	const char *reason;
	int r;

	switch (judge_record(turn, message, &record, &reason)) {
	case INTAKE_E_DEAD_LETTER:
		return set_aside(turn, message, reason);
	case INTAKE_E_MISPLACED:
		if (has_room_for(turn, reroute_bytes(message)))
			return hand_on(turn, message);
		break;
	default:
		effects_init(&effects, t->scratch);
		r = handle_record(turn, message, &record, &effects);
		if (r < 0)
			return r;
		if (has_room_for(turn, effects_body_bytes(&effects)))
			return apply(turn, message, &effects);
	}
	arena_reset(t->scratch);
	membership_put_back(t->settings.membership, TAKE(owned));
	*is_full = true;
	return 0;
}

/* Looked at now and then: what is written meanwhile is held up. */
static bool is_throttled(struct turn *turn) {
	if (turn->commands % THROTTLE_LOOK == 0)
		turn_note_flow(turn);
	return turn->is_throttled;
}

/* Whether another command may be begun. */
static bool has_room(struct turn *turn) {
	const struct turns *t = turn->turns;
	struct turn_spent now = spent(turn);

	if (is_throttled(turn))
		return false;
	if (turn->letters > 0 && letter_limit_is_low(&t->letter_limit))
		return false;
	return turn_budget_allows(&t->budget, &now);
}

static int handle_commands(struct turn *turn, struct work *work) {
	rd_kafka_message_t *message = TAKE(work->command);
	bool is_full = false;
	int r = 0;

	while (message) {
		r = handle_message(turn, message, &is_full);
		message = r == 0 && !is_full && has_room(turn) ? turn_next_command(turn) : NULL;
	}
	return r;
}

/* Outcomes, cancellations, reports, expiry. */

static bool has_room_for_outcome(const struct turn *turn) {
	struct turn_spent now = spent(turn);

	return turn_budget_allows_outcome(&turn->turns->budget, &now);
}

static struct notice_context notice_context(const struct turn *turn, const char *tenant_id) {
	const struct turns *t = turn->turns;

	return (struct notice_context){
		.registry = replica_registry(turn->replica),
		.edition = turn->edition,
		.pending_deliveries = tenant_pending_get(t->settings.tenant_pending, tenant_id),
		.pending_max = t->handler_settings.tenant_max[TENANT_LIMIT_PENDING_DELIVERIES],
		.now_ms = clock_wall_ms(),
	};
}

static int handle_one_outcome(struct turn *turn, const struct job *job) {
	struct partition *partition = partition_of(turn, job->partition);
	struct notice_context context = notice_context(turn, job->delivery.tenant_id);
	struct outcome_settings settings = turn->turns->outcome_settings;
	struct effects effects;
	int r;

	invariant_with(job->epoch == partition->epoch,
		       "an outcome of an older epoch is never committed (R5)",
		       "partition=%d epoch=%u of=%u", partition->id, partition->epoch, job->epoch);
	effects_init(&effects, turn->turns->scratch);
	settings.keeps_succeeded &= turn->edition == GROUP_EDITION_NEWEST; /* R13 */
	r = handle_outcome(&settings, &context, &job->delivery, &job->result, &effects);
	return r < 0 ? r : turn_write_effects(turn, partition, &effects);
}

/* Those without room wait for the next turn: after a failure they may be with bodies of 256 KiB. */
static int handle_outcomes(struct turn *turn, struct work *work) {
	struct job_list handled = { 0 };
	struct job *job;
	int r = 0;

	while (r == 0 && has_room_for_outcome(turn) && (job = job_list_pop(&work->outcomes))) {
		job_list_push(&handled, job);
		r = handle_one_outcome(turn, job);
	}
	job_list_append(&work->later_outcomes, &work->outcomes);
	job_list_append(&work->outcomes, &handled);
	return r;
}

static int handle_cancellation(struct turn *turn, const struct dispatch_cancellation *cancelled) {
	struct effects effects;

	effects_init(&effects, turn->turns->scratch);
	handle_cancelled(&cancelled->delivery, cancelled->reason, clock_wall_ms(), &effects);
	turn->delivery_counts[METRIC_DELIVERY_DEAD]--; /* counted as one by its event */
	turn->delivery_counts[METRIC_DELIVERY_WITHDRAWN]++;
	return turn_write_effects(turn, partition_of(turn, cancelled->partition_id), &effects);
}

/* One at least; the others while there is room, for a row with a large body is long in being
 * deleted. */
static int handle_cancellations(struct turn *turn, const struct work *work) {
	int r = 0;

	for (size_t i = 0; i < work->cancellation_count && r == 0; i++) {
		if (i > 0 && !has_room_for_outcome(turn))
			break;
		r = handle_cancellation(turn, &work->cancellations[i]);
	}
	return r;
}

/* Also a report that changes nothing touches its partition: every transaction sends offsets (R2).
 */
static int handle_report(struct turn *turn, const struct dispatch_report *reported) {
	struct turns *t = turn->turns;
	const struct endpoint_report *report = &reported->report;
	struct notice_context context = notice_context(turn, report->tenant_id);
	struct webhook webhook;
	struct effects effects;
	int r = context.registry->webhook_get(context.registry->userdata, t->scratch,
					      report->tenant_id, &report->webhook_id, &webhook);

	effects_init(&effects, t->scratch);
	if (r == 0)
		r = handle_endpoint_report(&t->outcome_settings, &context, &webhook, report,
					   &effects);
	return r < 0
		   ? r
		   : turn_write_effects(turn, partition_of(turn, reported->partition_id), &effects);
}

static bool has_room_for_report(const struct turn *turn) {
	struct turn_spent now = spent(turn);

	return turn_budget_allows_report(&turn->turns->budget, &now);
}

/* One at least; the others while there is room, for each may have many notices. */
static int handle_reports(struct turn *turn, struct work *work) {
	size_t handled = 0;
	int r = 0;

	while (handled < work->report_count && r == 0 &&
	       (handled == 0 || has_room_for_report(turn)))
		r = handle_report(turn, &work->reports[handled++]);
	work->report_count = handled;
	return r;
}

static int handle_expired(struct turn *turn, const struct work *work) {
	int r = 0;

	for (size_t i = 0; i < work->expired_count && r == 0; i++) {
		struct effects effects;

		effects_init(&effects, turn->turns->scratch);
		for (size_t k = 0; k < work->expired[i].count; k++)
			effects_delete(&effects, &work->expired[i].keys[k]);
		r = turn_write_effects(turn, work->expired[i].partition, &effects);
	}
	return r;
}

int turn_handle(struct turn *turn, struct work *work) {
	int r = handle_outcomes(turn, work);

	if (r == 0)
		r = handle_cancellations(turn, work);
	if (r == 0)
		r = handle_reports(turn, work);
	if (r == 0)
		r = handle_expired(turn, work);
	if (r == 0)
		r = handle_commands(turn, work);
	return r == 0 ? turn_write_positions(turn) : r;
}
